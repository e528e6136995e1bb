"""The administrative tree: which territory is governed by which. Blocs are not in it.

A mandate for Germany covers Bavaria, because Bavaria is part of Germany. A mandate for the European Union does not cover
Germany: membership of a bloc makes its law apply there, but gives nobody the right to edit the member's own records. A bloc
is therefore a place of its own with nothing below it, and nothing is reached by passing through one. ``GLOBAL`` governs
every code that is known, blocs included. A code that is not known is governed by nothing, not even by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from rag_edit.core.jurisdiction import GLOBAL, Atlas, Edge, Kind


class Territory(Protocol):
    """Whatever knows which territory is governed by which."""

    def governs(self, outer: str, inner: str, on: date) -> bool:
        """Return whether ``inner`` is ``outer`` or is part of it on that day."""
        ...


@dataclass(frozen=True, slots=True)
class AdministrativeTree:
    """The tree of an atlas.

    Attributes:
        known: Every code.
        parts: From a code to the edges that make it part of another; no edge starts or ends at a bloc.
    """

    known: frozenset[str]
    parts: Mapping[str, tuple[Edge, ...]]

    def governs(self, outer: str, inner: str, on: date) -> bool:
        """Return whether ``inner`` is ``outer`` or is part of it on that day."""
        if outer not in self.known or inner not in self.known:
            return False
        if outer in (inner, GLOBAL):
            return True
        todo, seen = [inner], {inner}
        while todo:
            for edge in self.parts.get(todo.pop(), ()):
                if edge.parent in seen or not edge.holds(on):
                    continue
                if edge.parent == outer:
                    return True
                seen.add(edge.parent)
                todo.append(edge.parent)
        return False


def administrative_tree(atlas: Atlas) -> AdministrativeTree:
    """Return the tree of an atlas: its edges between countries and subdivisions."""
    kinds = {code: atlas.kind(code) for code in atlas}
    inside = (e for e in atlas.edges if Kind.BLOC not in (kinds[e.child], kinds[e.parent]) and e.parent != GLOBAL)
    return AdministrativeTree(frozenset(str(code) for code in kinds), _by_child(inside))


def _by_child(edges: Iterable[Edge]) -> Mapping[str, tuple[Edge, ...]]:
    found: dict[str, tuple[Edge, ...]] = {}
    for edge in edges:
        found[edge.child] = (*found.get(edge.child, ()), edge)
    return found
