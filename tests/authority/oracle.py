"""The brute force: who might do what, found by another way than `rag_edit.authority.decide` goes.

Facts are plain tuples in a list. A mandate is the set of all single things that it allows: (power, place, topic, day), kept
as its four sides, since all combinations are in it. Every
path of delegation is written out from the sources downwards, and a request is allowed if one of the paths that end with the
speaker holds in all its steps. Sets and enumeration only: no prefix tests, no intervals, no walking up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

# Every place has a part that nobody ever names, so that "with its parts" is always more than without; topics likewise.
BELOW = {
    "GLOBAL": "GLOBAL GLOBAL* EU EU* FR FR* DE DE* DE-BY DE-BY* DE-NW DE-NW*".split(),
    "EU": "EU EU*".split(),
    "FR": "FR FR*".split(),
    "DE": "DE DE* DE-BY DE-BY* DE-NW DE-NW*".split(),
    "DE-BY": "DE-BY DE-BY*".split(),
    "DE-NW": "DE-NW DE-NW*".split(),
}
TOPICS = {
    "": " * tax tax.* tax.vat tax.vat.* taxi taxi.* health.mask health.mask.*".split(" "),
    "tax": "tax tax.* tax.vat tax.vat.*".split(),
    "tax.vat": "tax.vat tax.vat.*".split(),
    "taxi": "taxi taxi.*".split(),
}
DAYS = range(12)  # day 0 is "earlier than any start", day 11 "later than any end"


@dataclass(frozen=True)
class FactMandate:
    name: str
    holder: str
    powers: tuple[str, ...]
    place: str
    parts: bool
    topic: str
    start: int | None
    end: int | None
    depth: int
    under: str
    position: int
    granters: tuple[tuple[str, int, int], ...]  # key, position, day
    needed: int
    revoked: int | None

    @cached_property
    def sides(self) -> tuple[frozenset[object], ...]:
        days = [d for d in DAYS if (self.start is None or d >= self.start) and (self.end is None or d < self.end)]
        places = BELOW[self.place] if self.parts else [self.place]
        return frozenset(self.powers), frozenset(places), frozenset(TOPICS[self.topic]), frozenset(days)

    def allows(self, thing: tuple[str, str, str, int]) -> bool:
        return all(each in side for each, side in zip(thing, self.sides, strict=True))

    def within(self, other: "FactMandate") -> bool:
        return all(mine <= theirs for mine, theirs in zip(self.sides, other.sides, strict=True))


@dataclass
class Facts:
    """What is known: keys as (key, holder, institution, position), removals as (name, position, since)."""

    keys: list[tuple[str, str, str, int]] = field(default_factory=list)
    parties: list[tuple[str, int]] = field(default_factory=list)
    removals: list[tuple[str, int, int | None]] = field(default_factory=list)
    mandates: list[FactMandate] = field(default_factory=list)
    custodians: list[tuple[int, frozenset[str]]] = field(default_factory=list)

    def speaker(self, key: str, at: int, known_at: int) -> tuple[str, str] | None:
        """Return the holder and institution that a key speaks for at a position, as known at another; None: nobody."""
        found = [(holder, house) for k, holder, house, since in self.keys if k == key and since < at]
        if not found:
            return None
        for name, position, since in self.removals:
            if position >= known_at:
                continue
            if name == key and (position < at or (since is not None and since <= at)):
                return None
            if name in found[0] and position < at:
                return None
        known = {name for name, since in self.parties if since < at}
        return found[0] if set(found[0]) <= known else None

    def custodian(self, key: str, at: int, known_at: int) -> str | None:
        speaker = self.speaker(key, at, known_at)
        then = [people for since, people in self.custodians if since < at]
        return speaker[0] if speaker and then and speaker[0] in then[-1] else None

    def paths(self) -> Iterator[list[FactMandate]]:
        """Yield every path of delegation: a source, then what was granted under it, and so on, at most four long."""
        todo = [[m] for m in self.mandates if not m.under]
        while todo:
            path = todo.pop()
            yield path
            if len(path) < 4:
                todo += [[*path, m] for m in self.mandates if m.under == path[-1].name]

    def allowed(self, key: str, thing: tuple[str, str, str, int], at: int, known_at: int) -> bool:
        """Return whether a key might do one single thing at a position, as known at another."""
        speaker = self.speaker(key, at, known_at)
        return speaker is not None and any(self._holds(path, speaker, thing, at, known_at) for path in self.paths())

    def _holds(
        self, path: list[FactMandate], speaker: tuple[str, str], thing: tuple[str, str, str, int], at: int, known_at: int
    ) -> bool:
        last = path[-1]
        if last.holder not in speaker or last.position >= at:
            return False
        if any(not m.allows(thing) or (m.revoked is not None and m.revoked < known_at) for m in path):
            return False
        people = [speaker[0]]
        for upper, lower in pairwise(path):
            key, position, day = lower.granters[0]
            granter = self.speaker(key, position, known_at)
            if len(lower.granters) != 1 or granter is None or upper.holder not in granter:
                return False
            if lower.position <= upper.position or position <= upper.position or lower.depth >= upper.depth:
                return False
            if not lower.within(upper) or day not in upper.sides[3] or "grant" not in upper.powers:
                return False
            people.append(granter[0])
        source = path[0]
        granted = {self.custodian(k, p, known_at) for k, p, _ in source.granters} - {None}
        if source.granters and len(granted) < source.needed:
            return False
        people += sorted(str(person) for person in granted)
        return len(set(people)) == len(people)
