"""Policy: how many people a change takes. Values only; `rag_edit.authority.policy_file` reads them from TOML.

What no policy can change is not here but in `rag_edit.authority.decide` and `rag_edit.authority.book`: nobody approves
their own proposal, nobody uses a mandate that they granted, break-glass takes two people and expires, one person suspends.
A policy of one person (`PERMISSIVE`) asks for no approval at all; it does not let that person approve.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rag_edit.authority.names import check_name, check_order, check_topic

MAX_PEOPLE: Final = 16
MAX_BREAKGLASS_HOURS: Final = 24


class Risk(StrEnum):
    """How much may go wrong."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Kind(StrEnum):
    """What a change edits: the text of a record, or parameters of a model."""

    ADAPTER = "adapter"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Quorum:
    """Who has to agree.

    Attributes:
        approvals: Natural persons, none of whom wrote the change.
        institutions: Different institutions among them.
        outside: Of them, from institutions that none of the authors acted for.
    """

    approvals: int = 0
    institutions: int = 0
    outside: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.approvals <= MAX_PEOPLE or not 0 <= max(self.institutions, self.outside) <= self.approvals:
            raise ValueError(
                f"wanted 0 to {MAX_PEOPLE} approvals, and at most as many institutions and outside ones, found "
                f"{self.approvals}, {self.institutions}, {self.outside}"
            )
        if min(self.institutions, self.outside) < 0:
            raise ValueError("wanted 0 or more institutions and outside approvals")

    def joined(self, other: "Quorum") -> "Quorum":
        """Return the quorum that satisfies both."""
        return Quorum(
            max(self.approvals, other.approvals), max(self.institutions, other.institutions), max(self.outside, other.outside)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """How many people a change takes.

    Attributes:
        name: For people.
        low, normal, high: Quorum by risk class.
        adapter: Quorum of changes to parameters, on top of their risk class.
        low_topics, high_topics: Dotted paths whose records, and all below them, are of that class; high precedes low.
        default_risk: Class of the rest.
        verification: Whether a passing report has to stand before anyone approves or publishes.
        separate_offices: Whether custodians hold no mandate of their own and auditors do nothing else.
        retract_people, erase_people: Natural persons that retracting and erasing a record take.
        breakglass_jurisdictions: Where break-glass is armed, each by itself, without its parts; empty: nowhere.
        breakglass_hours: After so many hours it ends by itself; at most 24.
        review_hours: After so many hours the review of a break-glass is overdue.
    """

    name: str
    low: Quorum = Quorum()
    normal: Quorum = Quorum()
    high: Quorum = Quorum()
    adapter: Quorum = Quorum()
    low_topics: tuple[str, ...] = ()
    high_topics: tuple[str, ...] = ()
    default_risk: Risk = Risk.NORMAL
    verification: bool = False
    separate_offices: bool = False
    retract_people: int = 1
    erase_people: int = 1
    breakglass_jurisdictions: tuple[str, ...] = ()
    breakglass_hours: int = MAX_BREAKGLASS_HOURS
    review_hours: int = 72

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 200 or not self.name.isprintable():
            raise ValueError(f"wanted a name of 1 to 200 characters, found {self.name[:80]!r}")
        for what in ("low_topics", "high_topics", "breakglass_jurisdictions"):
            values = getattr(self, what)
            check_order(what, values)
            for value in values:
                (check_name if what == "breakglass_jurisdictions" else check_topic)(value)
                if not value:
                    raise ValueError(f"wanted {what} with text, found an empty one")
        for what, least, most in (
            ("retract_people", 1, MAX_PEOPLE),
            ("erase_people", 1, MAX_PEOPLE),
            ("breakglass_hours", 1, MAX_BREAKGLASS_HOURS),
            ("review_hours", 1, 24 * 365),
        ):
            if not least <= getattr(self, what) <= most:
                raise ValueError(f"wanted {what} from {least} to {most}, found {getattr(self, what)}")

    def risk(self, topic: str) -> Risk:
        """Return the risk class of a record on ``topic``."""
        if any(_below(topic, each) for each in self.high_topics):
            return Risk.HIGH
        return Risk.LOW if any(_below(topic, each) for each in self.low_topics) else self.default_risk

    def quorum(self, topic: str, kind: Kind = Kind.RECORD) -> Quorum:
        """Return who has to agree to a change of that kind on ``topic``."""
        base = self.of_risk(self.risk(topic))
        return base.joined(self.adapter) if kind is Kind.ADAPTER else base

    def of_risk(self, risk: Risk) -> Quorum:
        """Return the quorum of a risk class."""
        return {Risk.LOW: self.low, Risk.NORMAL: self.normal, Risk.HIGH: self.high}[risk]


PERMISSIVE: Final = Policy("one person")


def _below(topic: str, prefix: str) -> bool:
    return topic == prefix or topic.startswith(f"{prefix}.")
