"""The life of one change: draft, proposed, verified, approved, scheduled, published. Pure: a change and an act give a change.

Approvals and reports hold for exactly one content: whatever alters the content leaves none of them. What becomes of the
records afterwards (superseded, retracted, suspended, erased) is the life of a record: `rag_edit.authority.state`.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from rag_edit.authority import acts
from rag_edit.authority.acts import Item
from rag_edit.authority.mandate import Remit
from rag_edit.authority.policy import Policy, Quorum
from rag_edit.authority.register import Signed
from rag_edit.authority.statement import content_digest
from rag_edit.authority.verdict import Condition
from rag_edit.core.digest import Digest


class Stage(StrEnum):
    """Where a change stands."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    VERIFIED = "verified"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"


_OPEN: Final = frozenset({Stage.PROPOSED, Stage.VERIFIED, Stage.APPROVED})
MAY_FOLLOW: Final[Mapping[str, frozenset[Stage]]] = {
    acts.Draft.KIND: _OPEN | {Stage.DRAFT, Stage.SCHEDULED},
    acts.Propose.KIND: _OPEN | {Stage.DRAFT, Stage.SCHEDULED},
    acts.Verify.KIND: _OPEN,
    acts.Approve.KIND: _OPEN,
    acts.SendBack.KIND: _OPEN | {Stage.SCHEDULED},
    acts.Publish.KIND: _OPEN,
    acts.BreakGlass.KIND: _OPEN,
}


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured of a content, by whom."""

    digest: Digest
    conditions: Digest
    passed: bool
    signed: Signed


@dataclass(frozen=True, slots=True)
class Emergency:
    """A change is live by break-glass.

    Attributes:
        until: When it ends by itself.
        signed: The two who said so.
        displaced: For each of its records, the change that was live before; empty: none.
    """

    until: datetime
    signed: tuple[Signed, ...]
    displaced: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change as it stands.

    Attributes:
        id: Its name.
        revision: How many acts and events it has seen; what the next act has to expect.
        items, content: The records, and the digest of all of them.
        authors: Everybody who ever wrote in it, with the institution they wrote for. None of them may approve it.
        proposal: Who put the present content forward.
        report: The last one on the present content.
        approvals: On the present content and report.
        publication, not_before: Who published it, and when it goes live.
        emergency: While it is live by break-glass.
        touched: The places that it touched when it went live, for which everybody had to be competent.
        lapsed: Why it did not go live when its time came.
    """

    id: str
    revision: int
    stage: Stage
    items: tuple[Item, ...]
    content: Digest
    authors: frozenset[tuple[str, str]]
    proposal: Signed | None = None
    report: Report | None = None
    approvals: tuple[Signed, ...] = ()
    publication: Signed | None = None
    not_before: datetime | None = None
    emergency: Emergency | None = None
    touched: tuple[Remit, ...] = ()
    lapsed: Condition | None = None

    @property
    def is_open(self) -> bool:
        """Return whether anything may still become of it."""
        return self.stage is not Stage.PUBLISHED

    def is_author(self, person: str) -> bool:
        """Return whether a natural person ever wrote in it."""
        return any(person == author for author, _ in self.authors)

    def item(self, record: str) -> Item:
        """Return what it says of one record.

        Raises:
            KeyError: nothing.
        """
        at = bisect_left(self.items, record, key=lambda item: item.record)
        if at == len(self.items) or self.items[at].record != record:
            raise KeyError(record)
        return self.items[at]


def written(change: Change | None, act: acts.Draft, signed: Signed) -> Change:
    """Return the change with other content: nothing that was said of the old one is left, but who wrote it."""
    proposed = isinstance(act, acts.Propose)
    return Change(
        id=act.change,
        revision=act.expected + 1,
        stage=Stage.PROPOSED if proposed else Stage.DRAFT,
        items=act.items,
        content=content_digest(act.items),
        authors=(change.authors if change else frozenset()) | {(signed.person, signed.institution)},
        proposal=signed if proposed else None,
    )


def verified(change: Change, act: acts.Verify, signed: Signed) -> Change:
    """Return the change with a report; approvals were given on another one, and are void."""
    return replace(
        change,
        revision=change.revision + 1,
        stage=Stage.VERIFIED if act.passed else Stage.PROPOSED,
        report=Report(act.report, act.conditions, act.passed, signed),
        approvals=(),
        lapsed=None,
    )


def approved(change: Change, approvals: tuple[Signed, ...], *, enough: bool) -> Change:
    """Return the change with the approvals that count, the new one among them."""
    stage = Stage.APPROVED if enough else Stage.VERIFIED if change.report else Stage.PROPOSED
    return replace(change, revision=change.revision + 1, stage=stage, approvals=approvals, lapsed=None)


def sent_back(change: Change) -> Change:
    """Return the change as a draft that nobody has approved."""
    return replace(
        change,
        revision=change.revision + 1,
        stage=Stage.DRAFT,
        proposal=None,
        report=None,
        approvals=(),
        publication=None,
        not_before=None,
    )


def published(change: Change, publication: Signed, approvals: tuple[Signed, ...], touched: tuple[Remit, ...]) -> Change:
    """Return the change, live, with the approvals that it rests on and the places for which they had to be competent."""
    return replace(
        change,
        revision=change.revision + 1,
        stage=Stage.PUBLISHED,
        approvals=approvals,
        publication=publication,
        emergency=None,
        touched=touched,
        lapsed=None,
    )


def scheduled(change: Change, publication: Signed, not_before: datetime) -> Change:
    """Return the change, to go live by itself."""
    return replace(
        change, revision=change.revision + 1, stage=Stage.SCHEDULED, publication=publication, not_before=not_before, lapsed=None
    )


def not_gone_live(change: Change, why: Condition) -> Change:
    """Return the change whose time came when it might no longer go live: it has to be approved and published again."""
    return replace(change, revision=change.revision + 1, stage=Stage.PROPOSED, publication=None, not_before=None, lapsed=why)


def broken_glass(change: Change, emergency: Emergency, touched: tuple[Remit, ...]) -> Change:
    """Return the change, live by break-glass; its stage stays what it was, so that it can still be approved."""
    return replace(change, revision=change.revision + 1, emergency=emergency, touched=touched)


def emergency_over(change: Change) -> Change:
    """Return the change, no longer live."""
    return replace(change, revision=change.revision + 1, emergency=None)


def quorum_of(change: Change, policy: Policy) -> Quorum:
    """Return who has to agree to all of a change: the strictest of its items, in each respect."""
    joined = Quorum()
    for topic, kind in dict.fromkeys((item.remit.topic, item.kind) for item in change.items):
        joined = joined.joined(policy.quorum(topic, kind))
    return joined


def lacking(quorum: Quorum, approvals: tuple[Signed, ...], authors: frozenset[tuple[str, str]]) -> tuple[Condition, str] | None:
    """Return what approvals lack of a quorum, counted by natural persons other than the authors; None where they suffice.

    Args:
        quorum: Who has to agree.
        approvals: Those that count.
        authors: Persons and the institutions they wrote for.
    """
    writers, houses = {person for person, _ in authors}, {institution for _, institution in authors}
    counted = {signed.person: signed.institution for signed in approvals if signed.person not in writers}
    places = set(counted.values())
    outside = sum(institution not in houses for institution in counted.values())
    for condition, wanted, found in (
        (Condition.TOO_FEW_APPROVALS, quorum.approvals, len(counted)),
        (Condition.TOO_FEW_INSTITUTIONS, quorum.institutions, len(places)),
        (Condition.TOO_FEW_OUTSIDE, quorum.outside, outside),
    ):
        if found < wanted:
            return condition, f"wanted {wanted}, found {found}"
    return None
