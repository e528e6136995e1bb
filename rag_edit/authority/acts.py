"""Acts: what is said by whom, one frozen value a kind. What the ledger signs and stores (`rag_edit.authority.statement`).

Every act names the key that says it (``by``) and the time that the speaker gives (``at``). Who the key speaks for, and
whether they may say so, is decided against the ledger as it stood before the act.

Acts on one change carry ``expected``, the change's revision as the speaker saw it (0: there is none yet); acts that bind
content carry its digest. Suspending carries neither: it must not fail because somebody else was faster.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

from rag_edit.authority.mandate import Mandate, Remit
from rag_edit.authority.names import (
    PERSON,
    check_digest,
    check_name,
    check_order,
    check_party,
    check_reason,
    check_time,
)
from rag_edit.authority.people import Institution, Key, Person, Service
from rag_edit.authority.policy import Kind, Policy
from rag_edit.core.digest import Digest
from rag_edit.core.jurisdiction import GLOBAL

MAX_ITEMS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Item:
    """One record in a change.

    Attributes:
        record: Its id.
        remit: Its jurisdiction and topic in this version.
        content: Digest of, or commitment to, the version's content: every field counts.
        base: The change whose version of the record this one replaces; empty where the record is new or closed.
        kind: Text or parameters.
        affects: Ids of other records that this version supersedes or derogates from; it takes competence for those as well.
        supersedes: Of them, those that are closed when it is published.
    """

    record: str
    remit: Remit
    content: Digest
    base: str = ""
    kind: Kind = Kind.RECORD
    affects: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.record)
        check_digest(self.content)
        if self.base:
            check_name(self.base)
        if self.remit.subtree:
            raise ValueError("wanted one jurisdiction for a record, found one with its parts")
        for what, values in (("affects", self.affects), ("supersedes", self.supersedes)):
            check_order(what, values)
            for value in values:
                check_name(value)
        if self.record in self.affects or not set(self.supersedes) <= set(self.affects):
            raise ValueError("wanted affects with other records only, and supersedes among them")


class Reach(StrEnum):
    """How much a kill switch switches off."""

    ALL = "all"
    PARTITION = "partition"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Target:
    """What is suspended: one record, the partition of one jurisdiction, or everything. ``id`` is empty for everything."""

    reach: Reach
    id: str = ""

    def __post_init__(self) -> None:
        if (self.reach is Reach.ALL) != (self.id == ""):
            raise ValueError(f"wanted an id for a record or a partition, none for all, found {self.reach} {self.id!r}")
        if self.id:
            check_name(self.id)

    def __str__(self) -> str:
        return f"{self.reach}:{self.id}" if self.id else "all"


EVERYTHING: Final = Target(Reach.ALL)
EVERYWHERE: Final = Remit(GLOBAL, "", subtree=True)


@dataclass(frozen=True, slots=True)
class Said:
    """What every act has."""

    KIND: ClassVar[str] = ""
    by: str
    at: datetime
    reason: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.by)
        check_time(self.at)
        check_reason(self.reason)
        self.check()

    def check(self) -> None:
        """Refuse values that no act of this kind has.

        Raises:
            ValueError: such a value.
        """


@dataclass(frozen=True, slots=True)
class Found(Said):
    """The charter: the first act, on which all others rest. It is trusted because it is the first, by nobody's leave.

    Attributes:
        parties: Everybody who is there from the start, with their keys.
        custodians: The persons who enrol others, grant mandates that rest on no other, and change policy.
        threshold: How many of them that takes.
        mandates: Granted by the charter itself.
        policy: In force from the start.
    """

    KIND: ClassVar[str] = "found"
    people: tuple[Person, ...]
    institutions: tuple[Institution, ...]
    services: tuple[Service, ...]
    keys: tuple[Key, ...]
    custodians: tuple[str, ...]
    threshold: int
    mandates: tuple[Mandate, ...]
    policy: Policy

    def check(self) -> None:
        """Refuse a charter that speaks of parties it does not name."""
        _check_custody(self.custodians, self.threshold)
        for what, ids in (
            ("people", [p.id for p in self.people]),
            ("institutions", [i.id for i in self.institutions]),
            ("services", [s.id for s in self.services]),
            ("keys", [k.id for k in self.keys]),
            ("mandates", [m.id for m in self.mandates]),
        ):
            check_order(what, ids)
        there = {each.id for group in (self.people, self.institutions, self.services) for each in group}
        named = {
            *self.custodians,
            *(s.answers for s in self.services),
            *(party for k in self.keys for party in (k.holder, k.institution)),
            *(m.holder for m in self.mandates),
        }
        if not named <= there:
            raise ValueError(f"wanted parties that the charter names, found {sorted(named - there)[:4]}")
        if any(m.under for m in self.mandates):
            raise ValueError("wanted mandates that rest on the charter, found one under another")
        speaker = next((k for k in self.keys if k.id == self.by), None)
        if speaker is None or speaker.holder not in self.custodians:
            raise ValueError(f"wanted a charter by the key of a custodian, found {self.by[:80]}")


@dataclass(frozen=True, slots=True)
class Enrol(Said):
    """Custodians make a person, an institution, a service or a key known."""

    KIND: ClassVar[str] = "enrol"
    party: Person | Institution | Service | Key


@dataclass(frozen=True, slots=True)
class Remove(Said):
    """A party or a key is no longer in use. What it said before stands, unless a key is compromised since a position.

    Attributes:
        id: The party, or the key.
        compromised_since: Ledger position from which on nothing that the key said is believed; None: it was only retired.
    """

    KIND: ClassVar[str] = "remove"
    id: str
    compromised_since: int | None = None

    def check(self) -> None:
        """Refuse what names no party and no key."""
        check_name(self.id)
        if self.compromised_since is not None and self.compromised_since < 0:
            raise ValueError(f"wanted a position of 0 or more, found {self.compromised_since}")


@dataclass(frozen=True, slots=True)
class Entrust(Said):
    """Custodians hand custody on. It takes the old threshold, and each of the new custodians has a key enrolled already."""

    KIND: ClassVar[str] = "entrust"
    custodians: tuple[str, ...]
    threshold: int

    def check(self) -> None:
        """Refuse thresholds that cannot be met."""
        _check_custody(self.custodians, self.threshold)


@dataclass(frozen=True, slots=True)
class Enact(Said):
    """Custodians put a policy in force."""

    KIND: ClassVar[str] = "enact"
    policy: Policy


@dataclass(frozen=True, slots=True)
class Grant(Said):
    """A mandate is granted: under another one that the speaker holds, or by custodians under none."""

    KIND: ClassVar[str] = "grant"
    mandate: Mandate


@dataclass(frozen=True, slots=True)
class Revoke(Said):
    """A mandate is taken back, and with it all that were granted under it."""

    KIND: ClassVar[str] = "revoke"
    mandate: str

    def check(self) -> None:
        """Refuse what names no mandate."""
        check_name(self.mandate)


@dataclass(frozen=True, slots=True)
class ChangeAct(Said):
    """An act on one change, as its speaker saw it."""

    change: str
    expected: int

    def check(self) -> None:
        """Refuse what names no change."""
        check_name(self.change)
        if self.expected < 0:
            raise ValueError(f"wanted a revision of 0 or more, found {self.expected}")
        self.check_more()

    def check_more(self) -> None:
        """Refuse values that no act of this kind has.

        Raises:
            ValueError: such a value.
        """


@dataclass(frozen=True, slots=True)
class Draft(ChangeAct):
    """A draft is written, or a change goes back to being one. Whatever was approved is void."""

    KIND: ClassVar[str] = "draft"
    items: tuple[Item, ...]

    def check_more(self) -> None:
        """Refuse no items, too many, or a record twice."""
        if not 1 <= len(self.items) <= MAX_ITEMS:
            raise ValueError(f"wanted 1 to {MAX_ITEMS} items, found {len(self.items)}")
        check_order("items by record", [item.record for item in self.items])
        closed = [record for item in self.items for record in item.supersedes]
        if len(set(closed)) != len(closed) or set(closed) & {item.record for item in self.items}:
            raise ValueError("wanted each record once in a change, found one that is closed twice, or changed and closed")


@dataclass(frozen=True, slots=True)
class Propose(Draft):
    """A change is put forward as it stands. Whatever was approved before is void."""

    KIND: ClassVar[str] = "propose"


@dataclass(frozen=True, slots=True)
class Verify(ChangeAct):
    """A report says what was measured of the content.

    Attributes:
        content: Digest of the change's items.
        report: Digest of the report.
        conditions: Digest of what it was measured with: base model, encoder, index, policies.
        passed: Whether all of it held.
    """

    KIND: ClassVar[str] = "verify"
    content: Digest
    report: Digest
    conditions: Digest
    passed: bool

    def check_more(self) -> None:
        """Refuse what are no digests."""
        for value in (self.content, self.report, self.conditions):
            check_digest(value)


@dataclass(frozen=True, slots=True)
class Approve(ChangeAct):
    """A person agrees to exactly this content, on exactly this report (empty where there is none)."""

    KIND: ClassVar[str] = "approve"
    content: Digest
    report: Digest = ""

    def check_more(self) -> None:
        """Refuse what are no digests."""
        check_digest(self.content)
        check_digest(self.report, optional=True)


@dataclass(frozen=True, slots=True)
class SendBack(ChangeAct):
    """A person who might approve does not: the change is a draft again."""

    KIND: ClassVar[str] = "send-back"


@dataclass(frozen=True, slots=True)
class Publish(ChangeAct):
    """A change goes live, now or at a time; one that is live by break-glass is ratified.

    Attributes:
        content, report: As approved.
        conditions: What the service runs with now; has to be what the report was measured with.
        not_before: When it goes live; None: at once.
    """

    KIND: ClassVar[str] = "publish"
    content: Digest
    report: Digest = ""
    conditions: Digest = ""
    not_before: datetime | None = None

    def check_more(self) -> None:
        """Refuse what are no digests and no times."""
        check_digest(self.content)
        check_digest(self.report, optional=True)
        check_digest(self.conditions, optional=True)
        if self.not_before is not None:
            check_time(self.not_before)


@dataclass(frozen=True, slots=True)
class BreakGlass(ChangeAct):
    """One of two people says that a change has to go live now, without its approvals. It ends by itself.

    Attributes:
        content: Digest of the change's items.
        hours: For how long; both say the same.
    """

    KIND: ClassVar[str] = "breakglass"
    content: Digest
    hours: int

    def check_more(self) -> None:
        """Refuse one without reason or end."""
        check_digest(self.content)
        if not self.reason.strip():
            raise ValueError("wanted a reason, found none")
        if self.hours < 1:
            raise ValueError(f"wanted 1 hour or more, found {self.hours}")


@dataclass(frozen=True, slots=True)
class Suspend(Said):
    """One person switches a record, a partition or everything off, at once. Then the base model answers."""

    KIND: ClassVar[str] = "suspend"
    target: Target


@dataclass(frozen=True, slots=True)
class Resume(Said):
    """What was suspended is served again. ``expected`` is the ledger position of the suspension that is lifted."""

    KIND: ClassVar[str] = "resume"
    target: Target
    expected: int

    def check(self) -> None:
        """Refuse what is no position."""
        if self.expected < 0:
            raise ValueError(f"wanted a position of 0 or more, found {self.expected}")


@dataclass(frozen=True, slots=True)
class Retract(Said):
    """A record is withdrawn. ``expected`` is its revision."""

    KIND: ClassVar[str] = "retract"
    record: str
    expected: int

    def check(self) -> None:
        """Refuse what names no record."""
        check_name(self.record)
        if self.expected < 0:
            raise ValueError(f"wanted a revision of 0 or more, found {self.expected}")


@dataclass(frozen=True, slots=True)
class Erase(Retract):
    """All versions of a record are destroyed, for ever. ``expected`` is its revision."""

    KIND: ClassVar[str] = "erase"


Act: TypeAlias = (
    Found
    | Enrol
    | Remove
    | Entrust
    | Enact
    | Grant
    | Revoke
    | Draft
    | Propose
    | Verify
    | Approve
    | SendBack
    | Publish
    | BreakGlass
    | Suspend
    | Resume
    | Retract
    | Erase
)


def _check_custody(custodians: tuple[str, ...], threshold: int) -> None:
    check_order("custodians", custodians)
    for custodian in custodians:
        check_party(custodian, PERSON)
    if not 1 <= threshold <= len(custodians):
        raise ValueError(f"wanted a threshold from 1 to {len(custodians)}, found {threshold}")
