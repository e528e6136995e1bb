"""Jurisdictions: which there are, which lie in which on a given day, and the chain from specific to general.

A `Jurisdiction` is an ASCII code that an `Atlas` knows: ``GLOBAL``, a bloc (``EU``), an ISO 3166-1 country (``DE``) or
an ISO 3166-2 subdivision (``DE-BY``). Codes are compared byte for byte; nothing is folded, trimmed or guessed.

What lies in what is a set of dated edges. Days are half-open: an edge holds on ``start`` and no longer on ``end``.
The relation is transitive without exception, so that more specific law is a partial order. A territory that is outside
one of its state's blocs (Greenland, Guadeloupe, Gibraltar, ...) is therefore not placed below that state: it has the edges
that hold for it, and no more. One bloc lies in another only by an edge of its own, which must agree with the members.

This module does not know the data (`rag_edit.core.atlas` loads them), the clock, or what a text means.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from rag_edit.core.errors import JurisdictionError
from rag_edit.core.lookalike import explain_code


class Jurisdiction(str):
    """A code that an atlas knows. Made by `Atlas.parse` only; equal to, and hashed as, its text."""

    __slots__ = ()


class Kind(StrEnum):
    """What a jurisdiction is."""

    GLOBAL = "global"
    BLOC = "bloc"
    COUNTRY = "country"
    SUBDIVISION = "subdivision"


GLOBAL: Final = Jurisdiction("GLOBAL")


class UnknownJurisdictionError(JurisdictionError):
    """A text is not the code of a jurisdiction.

    Attributes:
        found: The text as given.
        suggestions: Codes that may have been meant, best first; never applied.
    """

    def __init__(self, found: str, why: str, suggestions: Iterable[str] = ()) -> None:
        self.found, self.suggestions = found, tuple(suggestions)
        shown = ascii(found if len(found) <= 40 else f"{found[:37]}...")
        hint = f"write {' or '.join(self.suggestions)}" if self.suggestions else "write GLOBAL, a bloc (EU), DE or DE-BY"
        super().__init__(f"jurisdiction: wanted a code of the atlas, found {shown}: {why}", hint=hint)


@dataclass(frozen=True, slots=True)
class Edge:
    """``child`` lies in ``parent`` from ``start`` (None: as far back as the atlas reaches) until the day before ``end``."""

    child: Jurisdiction
    parent: Jurisdiction
    start: date | None = None
    end: date | None = None
    source: str = ""
    note: str = ""

    def holds(self, on: date) -> bool:
        """Return whether ``start <= on < end``."""
        return (self.start is None or self.start <= on) and (self.end is None or on < self.end)


class Atlas:
    """All jurisdictions and the dated edges between them. Immutable; every answer is a pure function of it.

    Order of a chain: the jurisdiction itself, the subdivisions it lies in from small to large, its country, then its
    blocs as ``memberships.json`` lists them (nested blocs before what holds them), then ``GLOBAL``.
    """

    __slots__ = ("_breaks", "_chains", "_codes", "_edges_from", "_edges_to", "_former", "_kinds", "_names", "_rank", "edges")

    def __init__(self, jurisdictions: Mapping[str, Any], memberships: Mapping[str, Any]) -> None:
        """Build the atlas from the two parsed data files (format: ``rag_edit/core/data/README.md``).

        Raises:
            ValueError: an edge names an unknown code, is inverted, repeats or contradicts another: a fault of the data.
        """
        self._kinds: dict[Jurisdiction, Kind] = {GLOBAL: Kind.GLOBAL}
        self._names: dict[Jurisdiction, tuple[str, ...]] = {GLOBAL: ("worldwide",)}
        for bloc in memberships["blocs"]:
            self._add(bloc["code"], Kind.BLOC, bloc["names"])
        for code, names in jurisdictions["countries"].items():
            self._add(code, Kind.COUNTRY, names)
        for code, (_, *names) in jurisdictions["subdivisions"].items():
            self._add(code, Kind.SUBDIVISION, names)
        self._codes = {str(j): j for j in self._kinds}
        self._rank = {self._codes[bloc["code"]]: rank for rank, bloc in enumerate(memberships["blocs"])}
        self._former = MappingProxyType({code: tuple(new) for code, new in jurisdictions["former"].items()})
        dated = tuple(self._edge(raw) for raw in memberships["edges"])
        own = {edge.child for edge in dated if self._kinds[edge.parent] is not Kind.BLOC}  # dated edges replace the bare one
        bare = (
            Edge(self._codes[code], self._codes[parent])
            for code, (parent, *_) in jurisdictions["subdivisions"].items()
            if parent is not None and self._codes[code] not in own
        )
        self.edges: tuple[Edge, ...] = (*dated, *bare)
        self._edges_from: dict[Jurisdiction, list[Edge]] = {}
        self._edges_to: dict[Jurisdiction, list[Edge]] = {}
        for edge in self.edges:
            self._edges_from.setdefault(edge.child, []).append(edge)
            if edge.source:
                self._edges_to.setdefault(edge.parent, []).append(edge)
        self._breaks = sorted({day for edge in dated for day in (edge.start, edge.end) if day is not None})
        self._chains: dict[tuple[Jurisdiction, int], tuple[Jurisdiction, ...]] = {}
        self._check(dated)

    def __iter__(self) -> Any:
        """Iterate over all jurisdictions: GLOBAL, blocs, countries, subdivisions."""
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def __contains__(self, code: object) -> bool:
        return code in self._kinds

    def parse(self, text: str) -> Jurisdiction:
        """Return the jurisdiction whose code is exactly ``text``.

        Raises:
            UnknownJurisdictionError: no code reads so. Says why (case, look-alike letter, space, former code, a name
                instead of a code) and which codes may have been meant.
        """
        known = self._codes.get(text)
        if known is None:
            named = {name: j for j, names in reversed(self._names.items()) for name in names}
            raise UnknownJurisdictionError(text, *explain_code(text, self._codes, self._former, named))
        return known

    def kind(self, j: str) -> Kind:
        """Return what ``j`` is."""
        return self._kinds[self.parse(j)]

    def names(self, j: str) -> tuple[str, ...]:
        """Return the English names of ``j``, the usual one first."""
        return self._names[self.parse(j)]

    def chain(self, j: str, on: date) -> tuple[Jurisdiction, ...]:
        """Return ``j`` and all it lies in on that day, from specific to general: it ends with ``GLOBAL``.

        Raises:
            UnknownJurisdictionError: ``j`` is not in the atlas.
        """
        key = (self.parse(j), bisect_right(self._breaks, on))
        found = self._chains.get(key)
        if found is None:
            found = self._chains[key] = self._order(key[0], on)
        return found

    def parents(self, j: str, on: date) -> tuple[Jurisdiction, ...]:
        """Return the nearest jurisdictions that ``j`` lies in, in the order of its chain: none of them lies in another."""
        above = self.chain(j, on)[1:]
        return tuple(p for p in above if not any(self.more_specific(other, p, on) for other in above))

    def covers(self, j: str, other: str, on: date) -> bool:
        """Return whether ``other`` is ``j`` or lies in it on that day. Reflexive and transitive."""
        return self.parse(j) in self.chain(other, on)

    def more_specific(self, a: str, b: str, on: date) -> bool:
        """Return whether ``a`` lies in ``b``, and is not it, on that day: a strict partial order.

        Blocs that do not nest (``SCHENGEN``, ``EU``), and sisters (``DE``, ``FR``), are incomparable.
        """
        return a != b and self.covers(b, a, on)

    def members(self, bloc: str, on: date) -> tuple[Jurisdiction, ...]:
        """Return the countries and territories with an edge of their own into ``bloc`` on that day, by code."""
        edges = self._edges_to.get(self.parse(bloc), ())
        return tuple(sorted(e.child for e in edges if e.holds(on) and self._kinds[e.child] is not Kind.BLOC))

    def _add(self, code: str, kind: Kind, names: Iterable[str]) -> None:
        if code in self._kinds:
            raise ValueError(f"jurisdiction {code} is defined twice")
        j = Jurisdiction(code)
        self._kinds[j], self._names[j] = kind, tuple(names)

    def _edge(self, raw: Mapping[str, str]) -> Edge:
        where = f"edge {raw['child']} -> {raw['parent']}"
        if raw["child"] not in self._codes or raw["parent"] not in self._codes:
            raise ValueError(f"{where}: wanted known codes")
        start, end = (date.fromisoformat(raw[key]) if raw.get(key) else None for key in ("start", "end"))
        if start is not None and end is not None and start >= end:
            raise ValueError(f"{where}: wanted start before end, found {start} and {end}")
        if not raw.get("source"):
            raise ValueError(f"{where}: wanted a source")
        return Edge(self._codes[raw["child"]], self._codes[raw["parent"]], start, end, raw["source"], raw.get("note", ""))

    def _order(self, j: Jurisdiction, on: date) -> tuple[Jurisdiction, ...]:
        places, blocs, todo = [j], set[Jurisdiction](), [j]
        while todo:
            for edge in self._edges_from.get(todo.pop(), ()):
                if not edge.holds(on) or edge.parent in blocs or edge.parent in places:
                    continue
                todo.append(edge.parent)
                if edge.parent in self._rank:
                    blocs.add(edge.parent)
                else:
                    places.append(edge.parent)
        ranked = [b for b in sorted(blocs, key=self._rank.__getitem__) if b != j]
        return (*places, *ranked, GLOBAL) if j != GLOBAL else (GLOBAL,)

    def _check(self, dated: Iterable[Edge]) -> None:
        """Refuse edges that contradict one another: overlaps, two places above one, nesting that members deny."""
        for edge in dated:
            days = [d for d in (date.min, *self._breaks) if edge.holds(d)]
            kinds = (self._kinds[edge.child], self._kinds[edge.parent])
            for twin in self._edges_from[edge.child]:
                rival = twin.parent == edge.parent or Kind.BLOC not in (kinds[1], self._kinds[twin.parent])
                if twin is not edge and rival and any(twin.holds(d) for d in days):
                    raise ValueError(f"edges {edge.child} -> {edge.parent} and -> {twin.parent} hold on one day")
            if kinds == (Kind.BLOC, Kind.BLOC):
                if self._rank[edge.child] >= self._rank[edge.parent]:
                    raise ValueError(f"bloc {edge.child} must be listed before {edge.parent}, which holds it")
                for day in days:
                    stray = set(self.members(edge.child, day)) - set(self.members(edge.parent, day))
                    if stray:
                        raise ValueError(f"{edge.child} lies in {edge.parent} on {day}, its members {sorted(stray)} do not")
