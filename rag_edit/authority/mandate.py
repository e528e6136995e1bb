"""A mandate: who may do what, where, about what, from when to when, and how far it may be passed on.

Values only. What a mandate is worth (who granted it, under which other one, whether it was revoked) is decided in
`rag_edit.authority.decide`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from rag_edit.authority.names import (
    PERSON,
    SERVICE,
    check_name,
    check_order,
    check_party,
    check_text,
    check_time,
    check_topic,
    kind_of,
)
from rag_edit.authority.territory import Territory

MAX_DEPTH: Final = 3


class Power(StrEnum):
    """What a mandate may allow."""

    APPROVE = "approve"
    AUDIT = "audit"
    BREAKGLASS = "breakglass"
    ERASE = "erase"
    GRANT = "grant"
    PROPOSE = "propose"
    PUBLISH = "publish"
    RESUME = "resume"
    RETRACT = "retract"
    SUSPEND = "suspend"
    VERIFY = "verify"


ALL_POWERS: Final = tuple(sorted(Power))
SERVICE_POWERS: Final = frozenset({Power.AUDIT, Power.PUBLISH, Power.VERIFY})  # the rest takes a person
WRITE_POWERS: Final = frozenset(ALL_POWERS) - {Power.AUDIT}


@dataclass(frozen=True, slots=True)
class Remit:
    """An area of competence, or the place of one record.

    Attributes:
        jurisdiction: A code of the atlas.
        topic: Of a competence: a dotted path, and everything below it; empty: every topic, also none. Of a record: as the
            record has it.
        subtree: Whether the territories that are part of the jurisdiction are meant too. Never for one record.
    """

    jurisdiction: str
    topic: str = ""
    subtree: bool = False

    def __post_init__(self) -> None:
        check_name(self.jurisdiction)
        check_text(self.topic)

    def __str__(self) -> str:
        return f"{self.jurisdiction}{' and its parts' if self.subtree else ''}, {self.topic or 'every topic'}"


def covers(outer: Remit, inner: Remit, territory: Territory, when: datetime) -> bool:
    """Return whether all of ``inner`` lies in ``outer`` at that time."""
    if outer.topic not in {"", inner.topic} and not inner.topic.startswith(f"{outer.topic}."):
        return False
    if not outer.subtree:
        return (
            not inner.subtree
            and outer.jurisdiction == inner.jurisdiction
            and territory.governs(outer.jurisdiction, inner.jurisdiction, when.date())
        )
    return territory.governs(outer.jurisdiction, inner.jurisdiction, when.date())


@dataclass(frozen=True, slots=True)
class Mandate:
    """What one party may do.

    Attributes:
        id: Its name; never used again.
        holder: A person, a service, or an institution: then every person who acts with a key of that institution.
        powers: In alphabetical order.
        remit: Where and about what.
        start, end: Half-open term, in UTC; None is unbounded.
        depth: How many times it may be passed on: 0 to 3; more than 0 exactly when GRANT is among the powers.
        under: The mandate that it is granted under; empty for one that custodians or the charter grant.
    """

    id: str
    holder: str
    powers: tuple[Power, ...]
    remit: Remit
    start: datetime | None = None
    end: datetime | None = None
    depth: int = 0
    under: str = ""

    def __post_init__(self) -> None:
        check_name(self.id)
        check_party(self.holder)
        if not self.powers:
            raise ValueError("wanted one power or more, found none")
        check_order("powers", self.powers)
        check_topic(self.remit.topic)
        if self.under:
            check_name(self.under)
        for moment in (self.start, self.end):
            if moment is not None:
                check_time(moment)
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"wanted a term that ends after it starts, found {self.start} to {self.end}")
        if not 0 <= self.depth <= MAX_DEPTH or (self.depth > 0) != (Power.GRANT in self.powers):
            raise ValueError(f"wanted a depth from 1 to {MAX_DEPTH} with grant, 0 without, found {self.depth}")
        if kind_of(self.holder) == SERVICE and not SERVICE_POWERS.issuperset(self.powers):
            raise ValueError(f"a service may be given {', '.join(sorted(SERVICE_POWERS))}, found {', '.join(self.powers)}")

    def in_term(self, when: datetime) -> bool:
        """Return whether ``start <= when < end``."""
        return (self.start is None or self.start <= when) and (self.end is None or when < self.end)

    def is_personal(self) -> bool:
        """Return whether one person holds it."""
        return kind_of(self.holder) == PERSON


def is_narrower(inner: Mandate, outer: Mandate, territory: Territory, when: datetime) -> bool:
    """Return whether ``inner`` gives nothing that ``outer`` does not give, and may be passed on less far."""
    return (
        inner.depth < outer.depth
        and set(inner.powers) <= set(outer.powers)
        and covers(outer.remit, inner.remit, territory, when)
        and (outer.start is None or (inner.start is not None and inner.start >= outer.start))
        and (outer.end is None or (inner.end is not None and inner.end <= outer.end))
    )
