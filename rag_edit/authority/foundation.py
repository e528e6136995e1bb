"""Acts on the foundation: the charter, parties and keys, custodians, policy, mandates. Who may, and what becomes of it.

Custodians enrol, entrust, enact, and grant mandates that rest on no other; as many of them as the threshold says. Taking away
is easier than giving: one custodian removes or revokes, holders give up their own, and whoever granted a mandate, or holds
one above it, takes it back.
"""

from rag_edit.authority import acts
from rag_edit.authority.acts import Target
from rag_edit.authority.change import Change
from rag_edit.authority.decide import Request, custodian, decide
from rag_edit.authority.joint import joint_verdict, keep_or_take, said_before
from rag_edit.authority.mandate import Mandate, Power, is_narrower
from rag_edit.authority.names import PERSON, kind_of
from rag_edit.authority.people import Actor, Institution, Key, Person, Service
from rag_edit.authority.register import CHARTER, Custody, Granted, Signed
from rag_edit.authority.state import Moment, State, Suspension
from rag_edit.authority.verdict import Condition, Denial, Permit, Verdict

CustodianAct = acts.Enrol | acts.Entrust | acts.Enact | acts.Grant


def judge_found(state: State, act: acts.Found, moment: Moment) -> Verdict:
    """Permit the first charter, whoever brings it: it is what all else is judged by."""
    if state.register.custody:
        return Denial(Condition.CHARTER_STANDS)
    for mandate in act.mandates:
        if not _known_place(state, mandate, moment):
            return Denial(Condition.UNKNOWN_PLACE, mandate.remit.jurisdiction)
    key = next(k for k in act.keys if k.id == act.by)
    return Permit(Actor(key.holder, key.holder, key.institution))


def found(state: State, act: acts.Found, moment: Moment) -> None:
    """Begin."""
    register = state.register
    parties: tuple[Person | Institution | Service | Key, ...] = (*act.people, *act.institutions, *act.services, *act.keys)
    for party in parties:
        register.enrol(party, moment.position)
    register.custody.append(Custody(moment.position, frozenset(act.custodians), act.threshold))
    register.policies.append((moment.position, act.policy))
    for mandate in act.mandates:
        register.grant(Granted(mandate, moment.position, CHARTER))


def judge_custodian(state: State, act: CustodianAct, moment: Moment) -> Verdict:
    """Permit what custodians do together."""
    actor = state.register.actor(act.by, at=moment.position, known_at=moment.position)
    if isinstance(actor, Condition):
        return Denial(actor, act.by)
    custody = state.register.custody_before(moment.position)
    if actor.holder not in custody.custodians:
        return Denial(Condition.NOT_A_CUSTODIAN, actor.holder)
    flaw = _foundation_flaw(state, act, actor, moment)
    if flaw is not None:
        return flaw
    return joint_verdict(Permit(actor), _custodians_before(state, act, moment), custody.threshold)


def take_custodian_act(state: State, act: CustodianAct, moment: Moment, signed: Signed, verdict: Permit) -> None:
    """Record what custodians did together, once enough of them have said it."""
    who = keep_or_take(state, act, signed, _custodians_before(state, act, moment), verdict)
    if not who:
        return
    register = state.register
    match act:
        case acts.Enrol():
            register.enrol(act.party, moment.position)
        case acts.Entrust():
            register.custody.append(Custody(moment.position, frozenset(act.custodians), act.threshold))
            state.said.clear()  # under new custodians, or another policy, everybody speaks anew
        case acts.Enact():
            register.policies.append((moment.position, act.policy))
            state.said.clear()
        case acts.Grant():
            register.grant(Granted(act.mandate, moment.position, who, verdict.needed))


def judge_grant(state: State, act: acts.Grant, moment: Moment) -> Verdict:
    """Permit a grant under a mandate that the speaker holds, narrower than it and to somebody else."""
    mandate = act.mandate
    if not mandate.under:
        return judge_custodian(state, act, moment)
    request = Request(Power.GRANT, act.by, (mandate.remit,), moment.now, via=mandate.under)
    verdict = decide(state.register, state.territory, request, at=moment.position)
    if isinstance(verdict, Denial):
        return verdict
    flaw = _grant_flaw(state, mandate, verdict.actor, moment)
    if flaw is not None:
        return flaw
    above = state.register.mandates[mandate.under].mandate
    if not is_narrower(mandate, above, state.territory, moment.now):
        return Denial(Condition.WIDER_THAN_ITS_SOURCE, f"{mandate.id} under {above.id}")
    return verdict


def grant(state: State, act: acts.Grant, moment: Moment, signed: Signed, verdict: Permit) -> None:
    """Record a mandate."""
    if act.mandate.under:
        state.register.grant(Granted(act.mandate, moment.position, (signed,)))
    else:
        take_custodian_act(state, act, moment, signed, verdict)


def judge_revoke(state: State, act: acts.Revoke, moment: Moment) -> Verdict:
    """Permit taking back: to its granter, its holder, a custodian, or who holds a mandate above it that allows granting."""
    actor = state.register.actor(act.by, at=moment.position, known_at=moment.position)
    if isinstance(actor, Condition):
        return Denial(actor, act.by)
    granted = state.register.mandates.get(act.mandate)
    if granted is None:
        return Denial(Condition.UNKNOWN_MANDATE, act.mandate)
    if granted.revoked is not None:
        return Denial(Condition.MANDATE_REVOKED, act.mandate)
    insiders = {granted.mandate.holder, *(signed.person for signed in granted.granters)}
    if actor.person in insiders or actor.holder in state.register.custody_before(moment.position).custodians:
        return Permit(actor)
    name = granted.mandate.under
    while name:
        above = state.register.mandates[name].mandate
        request = Request(Power.GRANT, act.by, (granted.mandate.remit,), moment.now, via=name)
        verdict = decide(state.register, state.territory, request, at=moment.position)
        if isinstance(verdict, Permit):
            return verdict
        name = above.under
    return Denial(Condition.NO_MANDATE, f"{actor.person} neither holds nor granted {act.mandate}, nor holds one above it")


def judge_remove(state: State, act: acts.Remove, moment: Moment) -> Verdict:
    """Permit putting out of use: to a custodian, and to a person what is their own."""
    actor = state.register.actor(act.by, at=moment.position, known_at=moment.position)
    if isinstance(actor, Condition):
        return Denial(actor, act.by)
    entry = state.register.enrolled.get(act.id)
    if entry is None:
        return Denial(Condition.UNKNOWN_PARTY, act.id)
    if act.compromised_since is not None and (not isinstance(entry.party, Key) or act.compromised_since > moment.position):
        return Denial(Condition.UNKNOWN_KEY, f"{act.id} compromised since {act.compromised_since}")
    match entry.party:
        case Key():
            owner = entry.party.holder
            own = {owner, *(s.answers for s in [state.register.enrolled[owner].party] if isinstance(s, Service))}
        case Service():
            own = {entry.party.answers}
        case _:
            own = {act.id}
    if actor.person in own or actor.holder in state.register.custody_before(moment.position).custodians:
        return Permit(actor)
    return Denial(Condition.NOT_A_CUSTODIAN, actor.person)


def remove(state: State, act: acts.Remove, moment: Moment, signed: Signed) -> None:
    """Put out of use. Where a key is compromised, suspend every record that rests on what it said since.

    Its live version is meant, and the one that a break-glass displaced, which comes back when that ends.
    """
    state.register.remove(act.id, moment.position, act.compromised_since)
    if act.compromised_since is None:
        return
    waiting: dict[str, list[str]] = {}
    for timed in state.timed:
        emergency = state.changes[timed].emergency
        for record, before in emergency.displaced if emergency else ():
            waiting.setdefault(record, []).append(before)
    for name, line in state.records.items():
        versions = [change for change in (line.live, *waiting.get(name, ())) if change]
        if any(rests_on(state.changes[change], act.id, act.compromised_since) for change in versions):
            target = Target(acts.Reach.RECORD, name)
            reason = f"rests on key {act.id}, compromised since position {act.compromised_since}"
            state.suspensions[target] = Suspension(moment.position, signed, reason)


def rests_on(change: Change, key: str, since: int) -> bool:
    """Return whether a change is live by anything that a key said from a position on."""
    report = (change.report.signed,) if change.report else ()
    emergency = change.emergency.signed if change.emergency else ()
    who = (change.proposal, change.publication, *change.approvals, *report, *emergency)
    return any(signed is not None and signed.key == key and signed.position >= since for signed in who)


def _custodians_before(state: State, act: CustodianAct, moment: Moment) -> tuple[Signed, ...]:
    now = state.register.custody_before(moment.position).custodians

    def counts(signed: Signed) -> bool:
        person = custodian(state.register, signed, moment.position)
        return (
            person is not None and person in now and state.register.in_use(person, at=moment.position, known_at=moment.position)
        )

    return said_before(state, act, counts, moment)


def _foundation_flaw(state: State, act: CustodianAct, actor: Actor, moment: Moment) -> Denial | None:
    def missing(*parties: str) -> Denial | None:
        unknown = [p for p in parties if not state.register.in_use(p, at=moment.position, known_at=moment.position)]
        return Denial(Condition.UNKNOWN_PARTY, ", ".join(unknown)) if unknown else None

    match act:
        case acts.Enrol():
            if act.party.id in state.register.enrolled:
                return Denial(Condition.NAME_TAKEN, act.party.id)
            match act.party:
                case Key():
                    return missing(act.party.holder, act.party.institution)
                case Service():
                    return missing(act.party.answers)
                case Person() | Institution():
                    return None
        case acts.Entrust():
            keyless = [c for c in act.custodians if not state.register.institutions.get(c)]
            return Denial(Condition.UNKNOWN_KEY, f"of {', '.join(keyless)}") if keyless else missing(*act.custodians)
        case acts.Enact():
            return None
        case acts.Grant():
            return _grant_flaw(state, act.mandate, actor, moment)


def _grant_flaw(state: State, mandate: Mandate, actor: Actor, moment: Moment) -> Denial | None:
    if mandate.id in state.register.mandates:
        return Denial(Condition.NAME_TAKEN, mandate.id)
    if not state.register.in_use(mandate.holder, at=moment.position, known_at=moment.position):
        return Denial(Condition.UNKNOWN_PARTY, mandate.holder)
    if not _known_place(state, mandate, moment):
        return Denial(Condition.UNKNOWN_PLACE, mandate.remit.jurisdiction)
    if kind_of(mandate.holder) == PERSON and mandate.holder == actor.person:
        return Denial(Condition.OWN_GRANT, mandate.holder)
    return None


def _known_place(state: State, mandate: Mandate, moment: Moment) -> bool:
    place = mandate.remit.jurisdiction
    return state.territory.governs(place, place, moment.now.date())
