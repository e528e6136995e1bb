"""The book: acts in, in the order of the ledger; out of it who might do what, what is live, and by what right.

`Book.judge` says whether an act is permitted (it lets time pass, and changes nothing else); `Book.apply` judges and, if it is, does it. An act that is
denied leaves no trace but its position. The state is a function of the acts, their positions and the times at which they were
received, so a ledger that is read again gives the same book, and says of every act what was said of it then.

``now`` is the clock of the receiver, kept with the ledger's entry, never what the speaker says. It is never taken to go back:
a mandate that ended stays ended, a break-glass that ended stays ended. An act dated after it was received is denied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rag_edit.authority import acts, foundation, life, switches
from rag_edit.authority.acts import Act
from rag_edit.authority.change import Change
from rag_edit.authority.decide import Request, decide
from rag_edit.authority.mandate import Power, Remit
from rag_edit.authority.register import Signed
from rag_edit.authority.state import Line, Moment, Served, State
from rag_edit.authority.territory import Territory
from rag_edit.authority.verdict import Condition, Denial, Permit, Verdict

CLOCK_SKEW: Final = timedelta(seconds=60)  # how far the speaker's clock may be ahead of the receiver's


@dataclass(frozen=True, slots=True)
class Right:
    """One act that a live version rests on, and the decision on it, made again."""

    power: Power
    signed: Signed
    verdict: Verdict


class Book:
    """Who may do what, and what has become of every change. In memory; made again from the ledger at every start."""

    def __init__(self, territory: Territory) -> None:
        self.state = State(territory)

    def judge(self, act: Act, *, position: int, now: datetime) -> Verdict:
        """Return whether an act would be permitted as the next one. Whatever goes wrong here is a denial.

        Args:
            act: What is said, by a key whose signature was verified.
            position: The ledger position that it would have.
            now: When it is received, in UTC.
        """
        try:
            self.tick(now)
            return self._judge(act, Moment(position, self.state.clock))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is not a permission)
            return Denial(Condition.FAULT, f"{type(error).__name__}: {error}"[:200])

    def apply(self, act: Act, *, position: int, now: datetime) -> Verdict:
        """Judge the next act and do it if it is permitted. Return the verdict."""
        verdict = self.judge(act, position=position, now=now)
        state = self.state
        if isinstance(verdict, Permit):
            moment = Moment(position, state.clock)
            actor = verdict.actor
            self._take(act, moment, Signed(act.by, position, moment.now, actor.person, actor.institution), verdict)
        state.position = max(state.position, position)
        return verdict

    def tick(self, now: datetime) -> None:
        """Let time pass: what was scheduled goes live, what is live by break-glass ends. In the order of their times."""
        state = self.state
        state.clock = max(state.clock, now)
        while state.timed:
            name, when = min(state.timed.items(), key=lambda timed: (timed[1], timed[0]))
            if when > state.clock:
                return
            life.due(state, state.changes[name], Moment(state.position + 1, when))

    def may(self, power: Power, key: str, place: Remit, *, now: datetime) -> Verdict:
        """Return whether a key may do something somewhere, as the next act."""
        request = Request(power, key, (place,), max(self.state.clock, now))
        return decide(self.state.register, self.state.territory, request, at=self.state.position + 1)

    def may_who(self, power: Power, place: Remit, *, now: datetime) -> Iterator[tuple[str, Permit]]:
        """Yield every key that may do something somewhere, with the permit that says why."""
        for name, entry in self.state.register.enrolled.items():
            if not hasattr(entry.party, "holder"):
                continue
            verdict = self.may(power, name, place, now=now)
            if isinstance(verdict, Permit):
                yield name, verdict

    def served(self, record: str) -> Served:
        """Return what a record serves as of the last act or tick."""
        return self.state.served(record)

    def line(self, record: str) -> Line | None:
        """Return a record's versions."""
        return self.state.records.get(record)

    def change(self, name: str) -> Change | None:
        """Return a change as it stands."""
        return self.state.changes.get(name)

    def rivals(self, name: str) -> tuple[str, ...]:
        """Return the other unfinished changes that edit a record which this one edits. `rag_edit.authority.compare` shows how."""
        mine = {item.record for item in self.state.changes[name].items}
        return tuple(
            other
            for other in self.state.unfinished
            if other != name and any(item.record in mine for item in self.state.changes[other].items)
        )

    def rights(self, name: str) -> tuple[Right, ...]:
        """Return by what right a change is or was live: every act it rests on, decided again as of its publication.

        What has been revoked since does not count against it, nor does a mandate that has ended: it was published then.
        """
        change = self.state.changes[name]
        glass = change.emergency.signed if change.emergency else ()
        ends = [signed.position for signed in (change.publication, *glass) if signed is not None]
        rests: list[tuple[Power, Signed | None]] = [
            (Power.PROPOSE, change.proposal),
            (Power.VERIFY, change.report.signed if change.report else None),
            *((Power.APPROVE, signed) for signed in change.approvals),
            *((Power.BREAKGLASS, signed) for signed in glass),
            (Power.PUBLISH, change.publication),
        ]
        known_at = max(ends, default=self.state.position + 1)
        found = []
        for power, signed in rests:
            if signed is not None:
                request = Request(power, signed.key, change.touched, signed.when)
                verdict = decide(self.state.register, self.state.territory, request, at=signed.position, known_at=known_at)
                found.append(Right(power, signed, verdict))
        return tuple(found)

    def _judge(self, act: Act, moment: Moment) -> Verdict:
        state = self.state
        if moment.position <= state.position:
            return Denial(Condition.OUT_OF_ORDER, f"position {moment.position} after {state.position}")
        if act.at > moment.now + CLOCK_SKEW:
            return Denial(Condition.FROM_THE_FUTURE, f"{act.at} received {moment.now}")
        if not state.register.custody and not isinstance(act, acts.Found):
            return Denial(Condition.NO_CHARTER)
        match act:
            case acts.Found():
                return foundation.judge_found(state, act, moment)
            case acts.Enrol() | acts.Entrust() | acts.Enact():
                return foundation.judge_custodian(state, act, moment)
            case acts.Grant():
                return foundation.judge_grant(state, act, moment)
            case acts.Revoke():
                return foundation.judge_revoke(state, act, moment)
            case acts.Remove():
                return foundation.judge_remove(state, act, moment)
            case acts.Suspend():
                return switches.judge_suspend(state, act, moment)
            case acts.Resume():
                return switches.judge_resume(state, act, moment)
            case acts.Retract():
                return switches.judge_closing(state, act, moment)
            case acts.ChangeAct():
                return life.judge_change_act(state, act, moment)

    def _take(self, act: Act, moment: Moment, signed: Signed, verdict: Permit) -> None:
        state = self.state
        match act:
            case acts.Found():
                foundation.found(state, act, moment)
            case acts.Enrol() | acts.Entrust() | acts.Enact():
                foundation.take_custodian_act(state, act, moment, signed, verdict)
            case acts.Grant():
                foundation.grant(state, act, moment, signed, verdict)
            case acts.Revoke():
                state.register.revoke(act.mandate, moment.position)
            case acts.Remove():
                foundation.remove(state, act, moment, signed)
            case acts.Suspend():
                switches.suspend(state, act, moment, signed)
            case acts.Resume():
                switches.resume(state, act, moment, signed, verdict)
            case acts.Retract():
                switches.close(state, act, moment, signed, verdict)
            case acts.ChangeAct():
                life.take_change_act(state, act, moment, signed, verdict)
