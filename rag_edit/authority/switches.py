"""Acts on what is published: suspend, resume, retract, erase. Off is one person and at once; on again takes the quorum.

A suspension hits a record, the partition of a jurisdiction, or everything. It fails towards the base model: whatever it hits
is not served, whoever publishes what meanwhile, until it is lifted.
"""

from dataclasses import replace

from rag_edit.authority import acts
from rag_edit.authority.acts import EVERYWHERE, Reach, Target
from rag_edit.authority.change import lacking
from rag_edit.authority.decide import Request, decide
from rag_edit.authority.joint import joint_verdict, keep_or_take, said_before
from rag_edit.authority.life import stands
from rag_edit.authority.mandate import Power, Remit
from rag_edit.authority.policy import Quorum
from rag_edit.authority.register import Signed
from rag_edit.authority.state import Moment, Standing, State, Suspension
from rag_edit.authority.verdict import Condition, Denial, Permit, Verdict


def judge_suspend(state: State, act: acts.Suspend, moment: Moment) -> Verdict:
    """Permit switching off, to whoever is competent for all of what is hit."""
    place = target_place(state, act.target)
    return place if isinstance(place, Denial) else _decide(state, Power.SUSPEND, act.by, place, moment)


def suspend(state: State, act: acts.Suspend, moment: Moment, signed: Signed) -> None:
    """Switch off. What is off already is off anew: whoever was about to resume it has to look again."""
    state.suspensions[act.target] = Suspension(moment.position, signed, act.reason)


def judge_resume(state: State, act: acts.Resume, moment: Moment) -> Verdict:
    """Permit switching on, by as many people as publishing takes; where it takes several, none of them an author."""
    found = state.suspensions.get(act.target)
    if found is None:
        return Denial(Condition.NOT_SUSPENDED, str(act.target))
    if found.position != act.expected:
        return Denial(Condition.STALE, f"{act.target} is suspended since position {found.position}, expected {act.expected}")
    place = target_place(state, act.target)
    if isinstance(place, Denial):
        return place
    verdict = _decide(state, Power.RESUME, act.by, place, moment)
    if isinstance(verdict, Denial):
        return verdict
    quorum, authors = _quorum(state, act.target, moment)
    if quorum.approvals and any(verdict.actor.person == person for person, _ in authors):
        return Denial(Condition.OWN_PROPOSAL, verdict.actor.person)
    before = _said(state, act, Power.RESUME, place, moment)
    counted = joint_verdict(verdict, before, max(1, quorum.approvals))
    if isinstance(counted, Permit) and counted.takes_effect and quorum.approvals:
        actor = verdict.actor
        last = Signed(act.by, moment.position, moment.now, actor.person, actor.institution)
        lack = lacking(quorum, (*before, last), authors)
        if lack is not None:
            return Denial(*lack)
    return counted


def resume(state: State, act: acts.Resume, moment: Moment, signed: Signed, verdict: Permit) -> None:
    """Switch on, once enough people have said it."""
    place = target_place(state, act.target)
    assert isinstance(place, Remit)
    if keep_or_take(state, act, signed, _said(state, act, Power.RESUME, place, moment), verdict):
        del state.suspensions[act.target]


def judge_closing(state: State, act: acts.Retract, moment: Moment) -> Verdict:
    """Permit retracting or erasing a record, by as many people as the policy says."""
    line = state.records.get(act.record)
    if line is None:
        return Denial(Condition.UNKNOWN_RECORD, act.record)
    if line.erased:
        return Denial(Condition.ERASED, act.record)
    if line.revision != act.expected:
        return Denial(Condition.STALE, f"{act.record}: expected revision {act.expected}, found {line.revision}")
    erasing = isinstance(act, acts.Erase)
    if not erasing and not line.live:
        return Denial(Condition.NOT_LIVE, act.record)
    power = Power.ERASE if erasing else Power.RETRACT
    verdict = _decide(state, power, act.by, line.remit, moment)
    if isinstance(verdict, Denial):
        return verdict
    policy = state.register.policy_before(moment.position)
    needed = policy.erase_people if erasing else policy.retract_people
    return joint_verdict(verdict, _said(state, act, power, line.remit, moment), needed)


def close(state: State, act: acts.Retract, moment: Moment, signed: Signed, verdict: Permit) -> None:
    """Retract or erase, once enough people have said it."""
    line = state.records[act.record]
    erasing = isinstance(act, acts.Erase)
    power = Power.ERASE if erasing else Power.RETRACT
    if not keep_or_take(state, act, signed, _said(state, act, power, line.remit, moment), verdict):
        return
    line = replace(line.closed(Standing.RETRACTED), review_due=None)
    if erasing:
        line = replace(line, erased=True, versions=tuple((change, Standing.ERASED) for change, _ in line.versions))
    state.records[act.record] = line


def target_place(state: State, target: Target) -> Remit | Denial:
    """Return the place that somebody has to be competent for to switch a target."""
    match target.reach:
        case Reach.ALL:
            return EVERYWHERE
        case Reach.PARTITION:
            return Remit(target.id)
        case Reach.RECORD:
            line = state.records.get(target.id)
            return line.remit if line is not None else Denial(Condition.UNKNOWN_RECORD, target.id)


def _quorum(state: State, target: Target, moment: Moment) -> tuple[Quorum, frozenset[tuple[str, str]]]:
    """Return who has to agree to resume, and who wrote what is resumed."""
    policy = state.register.policy_before(moment.position)
    line = state.records.get(target.id) if target.reach is Reach.RECORD else None
    if line is None:
        return policy.high, frozenset()
    change = state.changes.get(line.live)
    if change is None:
        return policy.quorum(line.remit.topic), frozenset()
    return policy.quorum(line.remit.topic, change.item(line.record).kind), change.authors


def _decide(state: State, power: Power, key: str, place: Remit, moment: Moment) -> Verdict:
    return decide(state.register, state.territory, Request(power, key, (place,), moment.now), at=moment.position)


def _said(state: State, act: acts.Resume | acts.Retract, power: Power, place: Remit, moment: Moment) -> tuple[Signed, ...]:
    return said_before(state, act, lambda signed: stands(state, signed, power, (place,), moment.position), moment)
