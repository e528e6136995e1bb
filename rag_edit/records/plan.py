"""From what files state and what is live to what is to be done: the plan.

Pure: no clock, store or file. Applying a plan and planning the same files again gives nothing to do. The steps:
(1) what each record of the files would be: new, changed, unchanged, or closed before with equal content; (2) retractions;
(3) contradictions, settled as asked (`rag_edit.records.settle`); (4) what is superseded; (5) warnings.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from rag_edit.core.errors import RetractedRecordError
from rag_edit.core.record import RecordVersion, Status
from rag_edit.records.conflicts import Key, Rivals, Statement, exempt, keys_of, same
from rag_edit.records.files import ReadResult
from rag_edit.records.plan_view import describe_plan, plan_to_json
from rag_edit.records.planned import Addition, Alteration, Closing, Conflict, LeftOut, OnConflict, Plan, Side
from rag_edit.records.settle import Incoming, Settlement, settle
from rag_edit.records.store import Act

__all__ = [
    "Addition",
    "Alteration",
    "Closing",
    "Conflict",
    "LeftOut",
    "OnConflict",
    "Plan",
    "Side",
    "describe_plan",
    "make_plan",
    "plan_to_json",
    "retraction_plan",
]


class KnowsChains(Protocol):
    """What is needed of an atlas."""

    def chain(self, j: str, on: date, /) -> tuple[str, ...]:
        """Return ``j`` and all it lies in on that day, from specific to general."""
        ...


def make_plan(
    read: ReadResult, live: Iterable[RecordVersion], atlas: KnowsChains, *, on_conflict: OnConflict = "refuse", today: date
) -> Plan:
    """Return what applying the files would do.

    Args:
        read: What the files state.
        live: All live versions. The newest versions of closed ids may be among them: without those a record that was
            superseded or retracted counts as new, and the store refuses the plan as stale.
        atlas: For warnings about binding law further up the chain.
        on_conflict: ``refuse``, ``newest`` or ``skip``; see `rag_edit.records.settle`.
        today: For warnings about days on which nothing would answer.

    Raises:
        InvalidRecordsError: records of the files supersede one another in a circle.
    """
    return _Planning(read, atlas, today).plan(live, on_conflict)


def retraction_plan(version: RecordVersion, reason: str, *, author: str = "", institution: str = "") -> Plan:
    """Return the plan that withdraws one record, given its newest version.

    Raises:
        RetractedRecordError: it is withdrawn already.
    """
    if version.status is Status.RETRACTED:
        raise RetractedRecordError(version.record.id)
    closing = Closing(Act.RETRACT, version, version.name, "", reason, author, institution)
    return Plan("refuse", retractions=(closing,))


class _Planning:
    """One call of `make_plan`."""

    def __init__(self, read: ReadResult, atlas: KnowsChains, today: date) -> None:
        self._read, self._atlas, self._today = read, atlas, today
        self._stated = {located.record.id: located for located in sorted(read.records, key=lambda each: each.record.id)}
        self._statements = {name: Statement(located.record, located.where) for name, located in self._stated.items()}
        self._heads: dict[str, RecordVersion] = {}  # newest versions of the ids that matter here
        self._replaced: dict[str, dict[str, str]] = {}  # ids of the files that live records supersede by name, and those
        self._left_out: dict[str, LeftOut] = {}
        self._warnings: set[str] = set(read.repeats)

    def plan(self, live: Iterable[RecordVersion], on_conflict: OnConflict) -> Plan:
        """Take the steps of the module's list."""
        others, binding = self._look_through(live)
        retractions = tuple(self._retractions())  # (2)
        withdrawn = {closing.version.record.id for closing in retractions}
        rivals = [statement for statement in others if statement.record.id not in withdrawn]
        closing = set(withdrawn)
        while True:
            incoming = [each for name in self._stated if (each := self._classified(name, closing))]  # (1)
            settled = settle(incoming, rivals, on_conflict)  # (3)
            if not self._replaced or settled.superseded.keys() <= closing:
                break
            closing |= settled.superseded.keys()  # what these replaced by name is not kept out any longer: once more
        supersessions = tuple(self._supersessions(settled, withdrawn))  # (4)
        adds: list[Addition] = []
        changes: list[Alteration] = []
        for each in incoming:
            if each.unchanged or each.id not in settled.kept:
                continue
            located, head = self._stated[each.id], self._heads.get(each.id)
            if head is not None and head.status is Status.LIVE:
                changes.append(Alteration(located.record, located.where, head))
            else:
                adds.append(Addition(located.record, located.where, head.version if head else 0))
        self._warn(settled, [*adds, *changes], supersessions, binding)  # (5)
        return Plan(
            on_conflict,
            tuple(adds),
            tuple(changes),
            supersessions,
            retractions,
            tuple(each.id for each in incoming if each.unchanged and each.id in settled.kept),
            tuple(self._left_out[name] for name in sorted(self._left_out)),
            tuple(sorted(settled.conflicts, key=lambda c: (c.first.id, c.second.id, c.first.where, c.second.where))),
            tuple(sorted(self._warnings)),
        )

    def _look_through(self, live: Iterable[RecordVersion]) -> tuple[list[Statement], list[Statement]]:
        """Return possible rivals with ids that the files do not state, and binding records on the same matter.

        One pass that keeps little: a live record that shares no question, and no name with its relation, is let go.
        """
        index, keys, named = Rivals(), set[Key](), {located.retraction.id for located in self._read.retractions}
        for statement in self._statements.values():
            index.add(statement)
            keys.update(statement.keys)
            named.update((statement.record.id, *statement.record.supersedes))
        codes = {statement.record.jurisdiction for statement in self._statements.values()}
        others: list[Statement] = []
        binding = [statement for statement in self._statements.values() if statement.record.binding]
        for version in live:
            record = version.record
            if record.id in named:
                self._heads[record.id] = version
            if version.status is not Status.LIVE or record.id in self._statements:
                continue
            if record.id in named or (
                record.jurisdiction in codes and any(index.touches(record.jurisdiction, key) for key, _ in keys_of(record))
            ):
                self._heads[record.id] = version
                others.append(Statement(record, version.name))
            if record.binding and any(key in keys for key, _ in keys_of(record)):
                binding.append(Statement(record, version.name))
            for target in record.supersedes:
                if target in self._statements:
                    self._replaced.setdefault(target, {})[record.id] = version.name
        return others, binding

    def _classified(self, name: str, closing: Collection[str]) -> Incoming | None:
        """Return the record as it enters the settlement; None where it is left out at once.

        Args:
            name: Its id.
            closing: Ids of live records that the plan closes: what they replaced by name is not kept out any longer.
        """
        located, statement, head = self._stated[name], self._statements[name], self._heads.get(name)
        rank = (located.path, located.line)
        if head is not None and head.status is Status.LIVE:
            if head.record == located.record:
                return Incoming(statement, rank, unchanged=True)
            return Incoming(statement, rank, old=Statement(head.record, head.name))
        self._left_out.pop(name, None)
        by = sorted(version for claimant, version in self._replaced.get(name, {}).items() if claimant not in closing)
        if by:
            self._leave_out(name, f"the live {by[0]} supersedes it")
            return None
        if head is not None:
            if head.record == located.record:
                self._leave_out(name, f"it was {head.status} with this very content; change it to state it again")
                return None
            self._warnings.add(f"{name} ({located.where}) was {head.status}; this states it again")
        return Incoming(statement, rank)

    def _retractions(self) -> Iterator[Closing]:
        for located in sorted(self._read.retractions, key=lambda each: each.retraction.id):
            wanted = located.retraction
            head = self._heads.get(wanted.id)
            if head is None:
                self._warnings.add(f"{wanted.id} ({located.where}) is withdrawn, but no record with this id is live")
            elif head.status is not Status.RETRACTED:
                yield Closing(Act.RETRACT, head, located.where, "", wanted.rationale, wanted.author, wanted.institution)

    def _supersessions(self, settled: Settlement, withdrawn: set[str]) -> Iterator[Closing]:
        for name, by in sorted(settled.skipped.items()):
            self._leave_out(name, f"it contradicts {by}")
        for name, by in sorted(settled.superseded.items()):
            winner, head = self._stated[by], self._heads.get(name)
            if name in self._stated:
                self._leave_out(name, f"{by} supersedes it")
            if head is not None and head.status is Status.LIVE and name not in withdrawn:
                record = winner.record
                reason = f"superseded by {by}"
                yield Closing(Act.SUPERSEDE, head, winner.where, by, reason, record.author, record.institution)

    def _leave_out(self, name: str, why: str) -> None:
        self._left_out[name] = LeftOut(name, self._stated[name].where, why)

    def _warn(
        self,
        settled: Settlement,
        fresh: Sequence[Addition | Alteration],
        supersessions: Iterable[Closing],
        binding: Iterable[Statement],
    ) -> None:
        """Note what is carried out all the same, and may not be meant."""
        for own, other, about in settled.twins:
            if own in settled.kept and other not in settled.superseded:
                self._warnings.add(f"{own} ({self._stated[own].where}) says the same as {other}: {about!r}")
        for closing in supersessions:
            start, old = self._stated[closing.by].record.valid_from, closing.version.record
            if start is not None and start > self._today and old.is_valid_at(self._today):
                self._warnings.add(f"{old.id} answers today and is superseded by {closing.by}, which does not until {start}")
        matters: dict[Key, list[Statement]] = {}
        for statement in binding:
            for key in statement.keys:
                matters.setdefault(key, []).append(statement)
        for each in fresh:
            record = each.record
            for target in record.supersedes:
                if target not in self._heads and target not in self._stated:
                    self._warnings.add(f"{record.id} ({each.where}) supersedes {target}, but no record with this id is live")
            if matters:
                self._warn_of_higher_law(self._statements[record.id], matters)

    def _warn_of_higher_law(self, statement: Statement, matters: Mapping[Key, Sequence[Statement]]) -> None:
        record = statement.record
        above = self._atlas.chain(record.jurisdiction, max(self._today, record.valid_from or self._today))[1:]
        for key in statement.keys:
            for higher in matters.get(key, ()):
                law = higher.record
                if law.jurisdiction in above and law.overlaps(record) and not (exempt(law, record) or same(higher, statement)):
                    self._warnings.add(
                        f"{record.id} ({statement.where}) contradicts {law.id} of {law.jurisdiction}, which is binding"
                    )
