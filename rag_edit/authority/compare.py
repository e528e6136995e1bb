"""Drafts side by side: what two changes of one record do to it, field by field, against the version both were made from.

Works on plain record JSON (`Record.to_json`); knows no content store, and decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag_edit.core.digest import Json, canonical_json


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on which base, left and right are not all the same. None: the field is absent.

    Attributes:
        field: Its name.
        base, left, right: Its values.
    """

    field: str
    base: Json
    left: Json
    right: Json

    @property
    def clashes(self) -> bool:
        """Return whether both sides changed the field, and not to the same value: a person has to choose."""
        left, right, base = (canonical_json(value) for value in (self.left, self.right, self.base))
        return left not in (right, base) and right != base


def compare(base: Mapping[str, Json] | None, left: Mapping[str, Json], right: Mapping[str, Json]) -> tuple[Difference, ...]:
    """Return the fields that either draft changed, in the order of their names.

    Args:
        base: The version that both were made from; None for a new record.
        left: One draft.
        right: The other.
    """
    before = base or {}
    names = sorted({*before, *left, *right})
    every = (Difference(name, before.get(name), left.get(name), right.get(name)) for name in names)
    return tuple(d for d in every if len({canonical_json(value) for value in (d.base, d.left, d.right)}) > 1)


def merged(base: Mapping[str, Json] | None, differences: Sequence[Difference]) -> dict[str, Json] | None:
    """Return the record with both drafts' fields, or None where they clash: nothing is chosen by a machine."""
    if any(d.clashes for d in differences):
        return None
    plain = dict(base or {})
    for d in differences:
        value = d.left if canonical_json(d.left) != canonical_json(d.base) else d.right
        if value is None:
            plain.pop(d.field, None)
        else:
            plain[d.field] = value
    return plain


def show(differences: Sequence[Difference], *, left: str, right: str) -> str:
    """Return the differences as lines for people.

    Args:
        differences: As `compare` gives them.
        left: What the one draft is called.
        right: What the other is called.
    """
    lines = []
    for d in differences:
        lines.append(f"{d.field}{': both changed it' if d.clashes else ''}")
        lines.append(f"  - {_text(d.base)}")
        if canonical_json(d.left) == canonical_json(d.right):
            lines.append(f"  + {_text(d.left)} ({left}, {right})")
            continue
        for value, name in ((d.left, left), (d.right, right)):
            if canonical_json(value) != canonical_json(d.base):
                lines.append(f"  + {_text(value)} ({name})")
    return "\n".join(lines)


def _text(value: Json) -> str:
    return "(nothing)" if value is None else value if isinstance(value, str) else canonical_json(value).decode()
