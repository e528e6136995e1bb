"""Which of the records to be applied are kept, and which live ones give way.

Three ways to settle a contradiction: ``refuse`` lists it, ``newest`` lets the later record supersede the other (a record of
the files is later than a live one; among the files' own, valid_from decides, then path and line), ``skip`` leaves the
incoming record out. What a record's own ``supersedes`` names gives way without any contradiction, and only if the
record itself is kept. The result depends on the statements alone, not on their order, and settling it again over what it
led to changes nothing.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rag_edit.core.errors import InvalidRecordsError
from rag_edit.records.conflicts import Rivalry, Rivals, Statement
from rag_edit.records.planned import Conflict, OnConflict, Side

MAX_CONFLICTS = 10_000  # of one plan under refuse: nobody reads more, and a hostile file could name millions


@dataclass(frozen=True, slots=True)
class Incoming:
    """A statement of the files, and the live statement of the same id where its content is another.

    Attributes:
        rank: Path and line, the last tie-break.
        unchanged: Whether the id is live with equal content.
        old: What the id says until the change is made; None where it is new or unchanged.
    """

    statement: Statement
    rank: tuple[str, int]
    unchanged: bool = False
    old: Statement | None = None

    @property
    def id(self) -> str:
        """Return the record's id."""
        return self.statement.record.id

    def age(self) -> tuple[date, str, int]:
        """Return what ``newest`` compares."""
        return (self.statement.record.valid_from or date.min, *self.rank)


@dataclass(slots=True)
class Settlement:
    """The outcome.

    Attributes:
        kept: Ids of the files' records that are put into force, or are in force.
        superseded: Ids of records (of the files, or live) that give way, each with the id that displaces it.
        replaced: Those of them that are named in the other's ``supersedes``.
        skipped: Ids of the files' records that are left out, each with the id of a rival that stays.
        conflicts: All contradictions that were met.
        twins: Pairs (id, other id, what both answer) with the same answer; the first is new or changed.
    """

    kept: set[str] = field(default_factory=set)
    superseded: dict[str, str] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    twins: list[tuple[str, str, str]] = field(default_factory=list)


def settle(incoming: Sequence[Incoming], live: Iterable[Statement], on_conflict: OnConflict) -> Settlement:
    """Return which records are kept and which give way.

    Args:
        incoming: The files' records; ids are unique.
        live: Live statements of other ids that may be rivals of some, or that some supersede.
        on_conflict: How contradictions are settled.

    Raises:
        InvalidRecordsError: records of the files supersede one another in a circle.
    """
    ordered = _claimants_first(incoming, newest_first=on_conflict == "newest")
    others = sorted(live, key=lambda statement: statement.record.id)
    if on_conflict == "skip":
        return _Skipping(ordered, others).run()
    return _against_incoming(ordered, others, supersede=on_conflict == "newest")


def _against_incoming(ordered: Sequence[Incoming], live: Iterable[Statement], *, supersede: bool) -> Settlement:
    """Settle by ``newest`` (``supersede``) or list everything (``refuse``): live statements give way or are listed."""
    result, index = Settlement(), Rivals()
    claims = _claims(ordered)
    unchanged = {each.id for each in ordered if each.unchanged}
    for each in ordered:
        claimant = _effective(claims.get(each.id, ()), result)
        if claimant:
            result.superseded[each.id] = claimant
            result.replaced.add(each.id)
            continue
        winner = _meet(each.statement, index, result, unchanged, supersede=supersede)
        if winner:
            result.superseded[each.id] = winner
        else:
            result.kept.add(each.id)
            index.add(each.statement)
    for statement in live:
        claimant = _effective(claims.get(statement.record.id, ()), result)
        if claimant:
            result.replaced.add(statement.record.id)
        winner = claimant or _meet(statement, index, result, unchanged, supersede=supersede, is_live=True)
        if winner:
            result.superseded[statement.record.id] = winner
    return result


def _meet(
    statement: Statement, index: Rivals, result: Settlement, unchanged: set[str], *, supersede: bool, is_live: bool = False
) -> str | None:
    """Note the rivals of a statement; return the id of the one that it gives way to, where it does."""
    own = statement.record.id
    for rivalry in index.of(statement):
        found = rivalry.found.record.id
        if rivalry.same_answer:
            if not {own, found} <= unchanged and not (is_live and found in unchanged):
                result.twins.append((found, own, rivalry.about) if is_live else (own, found, rivalry.about))
        elif supersede:
            outcome = f"{found} supersedes {own}" if is_live else f"{found} is later, {own} gives way"
            result.conflicts.append(_conflict(statement, rivalry, outcome))
            return found
        elif len(result.conflicts) < MAX_CONFLICTS:
            result.conflicts.append(_conflict(statement, rivalry, ""))
        else:
            break
    return None


class _Skipping:
    """Settles by ``skip``: what is in force stays; what is left out is tried again whenever something gave way."""

    def __init__(self, ordered: Sequence[Incoming], live: Sequence[Statement]) -> None:
        self._result, self._index = Settlement(), Rivals()
        self._ordered, self._claims = ordered, _claims(ordered)
        self._incoming = {each.id: each for each in ordered}
        self._in_force: dict[str, Statement] = {}
        standing = [each.statement if each.unchanged else each.old for each in ordered]
        for statement in (*live, *(s for s in standing if s is not None)):
            self._enter(statement)

    def run(self) -> Settlement:
        """Accept record by record until nothing more can be accepted."""
        result, waiting = self._result, list(self._ordered)
        while True:
            left = [each for each in waiting if not self._accepted(each)]
            if len(left) == len(waiting):
                break
            waiting = left
        for each in waiting:
            rivalry = next(r for r in self._index.of(each.statement) if not r.same_answer)
            result.skipped[each.id] = rivalry.found.record.id
            result.conflicts.append(_conflict(each.statement, rivalry, f"{each.id} is left out"))
        return result

    def _accepted(self, each: Incoming) -> bool:
        """Return whether a record's place is settled: it is in force now, or has given way to one that names it."""
        result = self._result
        if each.id in result.superseded:
            return True
        claimant = _effective(self._claims.get(each.id, ()), result)
        if claimant:
            self._displace(each.id, claimant)
            return True
        if not each.unchanged:
            rivals = list(self._index.of(each.statement))
            if not all(rivalry.same_answer for rivalry in rivals):
                return False
            result.twins += [(each.id, r.found.record.id, r.about) for r in rivals]
            self._leave(each.id)
            self._enter(each.statement)
        result.kept.add(each.id)
        for target in each.statement.record.supersedes:
            self._displace(target, each.id)
        return True

    def _displace(self, target: str, by: str) -> None:
        waiting = [(target, by)]
        while waiting:
            name, displacer = waiting.pop()
            each = self._incoming.get(name)
            if name in self._result.superseded or (each is None and name not in self._in_force):
                continue
            self._leave(name)
            self._result.kept.discard(name)
            self._result.superseded[name] = displacer
            self._result.replaced.add(name)
            waiting += [(further, name) for further in each.statement.record.supersedes] if each else []

    def _enter(self, statement: Statement) -> None:
        self._in_force[statement.record.id] = statement
        self._index.add(statement)

    def _leave(self, name: str) -> None:
        if name in self._in_force:
            self._index.remove(self._in_force.pop(name))


def _claims(incoming: Iterable[Incoming]) -> dict[str, list[str]]:
    """Return for each superseded id who claims to supersede it."""
    claims: dict[str, list[str]] = {}
    for each in incoming:
        for target in each.statement.record.supersedes:
            claims.setdefault(target, []).append(each.id)
    return claims


def _effective(claimants: Iterable[str], result: Settlement) -> str | None:
    """Return the first claimant that is kept, or was itself replaced by one that names it."""
    return next((c for c in sorted(claimants) if c in result.kept or c in result.replaced), None)


def _claimants_first(incoming: Sequence[Incoming], *, newest_first: bool) -> list[Incoming]:
    """Return the records by age, each after all that name it in ``supersedes``."""
    by_age = sorted(incoming, key=Incoming.age, reverse=newest_first)
    place = {each.id: at for at, each in enumerate(by_age)}
    waits = dict.fromkeys(place, 0)
    for each in incoming:
        for target in each.statement.record.supersedes:
            if target in waits:
                waits[target] += 1
    ready = [place[name] for name, count in waits.items() if not count]
    heapq.heapify(ready)
    ordered: list[Incoming] = []
    while ready:
        each = by_age[heapq.heappop(ready)]
        ordered.append(each)
        for target in each.statement.record.supersedes:
            if target in waits:
                waits[target] -= 1
                if not waits[target]:
                    heapq.heappush(ready, place[target])
    if len(ordered) < len(by_age):
        _refuse_circle([each for each in by_age if waits[each.id]])
    return ordered


def _refuse_circle(stuck: Sequence[Incoming]) -> None:
    names: Mapping[str, Incoming] = {each.id: each for each in stuck}
    raise InvalidRecordsError(
        [
            f"{each.statement.where}:supersedes: wanted no circle, found {each.id!r} superseding "
            f"{', '.join(repr(t) for t in each.statement.record.supersedes if t in names)}"
            for each in sorted(stuck, key=lambda each: each.rank)
            if any(target in names for target in each.statement.record.supersedes)
        ]
    )


def _conflict(statement: Statement, rivalry: Rivalry, outcome: str) -> Conflict:
    a, b = sorted((rivalry.found, statement), key=lambda s: s.record.id)
    first, second = (Side(s.record.id, s.where, s.record.target or s.record.answer) for s in (a, b))
    return Conflict(statement.record.jurisdiction, rivalry.about, first, second, outcome)
