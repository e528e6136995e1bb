"""The life of one change as people lead it: contents are drafted beside the ledger, measured, agreed to, and published.

`rag_edit.authority` decides who may and when; here the acts are made from what people mean. What somebody agrees to is what the draft
holds: it is compared with the commitments that the ledger has before anyone signs for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rag_edit.authority import acts
from rag_edit.authority.acts import Act
from rag_edit.authority.book import Book
from rag_edit.authority.change import Change, Stage, lacking, quorum_of
from rag_edit.authority.compare import Difference, compare
from rag_edit.authority.verdict import Permit
from rag_edit.core.digest import Digest, Json, canonical_json
from rag_edit.core.errors import ConflictError, UsageError
from rag_edit.core.record import Record, Status
from rag_edit.provenance.commitment import commit
from rag_edit.records.conflicts import Rivals, Statement
from rag_edit.records.planned import Addition, Alteration, Closing, Plan
from rag_edit.records.store import Act as EditAct
from rag_edit.trust.following import DRAFT_PAPER, content_of, history_of
from rag_edit.trust.governed import commit_record, item_of, paper_of
from rag_edit.trust.grounds import REPORT_PAPER
from rag_edit.trust.office import Office

MAX_ITEMS: Final = 120  # what one signed entry of 60 KiB surely holds


@dataclass(frozen=True, slots=True)
class Seen:
    """A change as somebody looks at it.

    Attributes:
        change: Where it stands.
        records: Its contents, which are those that it committed to.
        before: For each record its live content; None where there is none.
        lacks: What its approvals lack; empty where they suffice.
        rivals: Other unfinished changes that edit one of its records.
        stale: Records that have another live version now than it was made from.
    """

    change: Change
    records: tuple[Record, ...]
    before: tuple[Record | None, ...]
    lacks: str
    rivals: tuple[str, ...]
    stale: tuple[str, ...]


def draft(office: Office, plan: Plan, name: str, *, propose: bool, reason: str = "", revision: int | None = None) -> Permit:
    """Write a plan's new and changed records as a draft, or put them forward; whatever was said of the change before is void.

    Args:
        office: Of the home.
        plan: Not refused; withdrawals are acts of their own and not part of a change.
        name: Of the change.
        propose: Whether it is put forward.
        reason: Why; for all to see.
        revision: Of the change, as the speaker saw it; None: as it is.

    Raises:
        UsageError: the plan withdraws records, changes nothing, or is too large.
        RefusedActError: it is not permitted; nothing was changed.
    """
    records = [each.record for each in plan.adds] + [each.record for each in plan.changes]
    closing: dict[str, list[str]] = {}
    for each in plan.supersessions:
        closing.setdefault(each.by, []).append(each.version.record.id)
    if plan.retractions or not set(closing) <= {record.id for record in records}:
        raise UsageError("a change holds new and changed records", hint="withdraw others by: rag-edit record retract ID")
    if not records:
        raise UsageError("what the files say is live already", hint="rag-edit plan PATH")
    if len(records) > MAX_ITEMS:
        raise UsageError(f"a change holds at most {MAX_ITEMS} records, found {len(records)}", hint="split the files")
    records.sort(key=lambda record: record.id)
    commitments = [commit_record(record) for record in records]
    kind = acts.Propose if propose else acts.Draft

    def make(book: Book, key: str, at: datetime) -> Act:
        change = book.change(name)
        items = tuple(
            item_of(record, commitment, tuple(sorted(closing.get(record.id, ()))), book)
            for record, commitment in zip(records, commitments, strict=True)
        )
        expected = revision if revision is not None else change.revision if change is not None else 0
        return kind(key, at, name, expected, items, reason=reason)

    salts = {commitment.digest: commitment.salt for commitment in commitments}
    papers: dict[str, bytes | None] = {DRAFT_PAPER + name: paper_of(records), REPORT_PAPER + name: None}
    return office.act(make, salts=salts, papers=papers)


def put_forward(office: Office, name: str, *, reason: str = "", revision: int | None = None) -> Permit:
    """Put a draft forward as it stands.

    Raises:
        UsageError: no such change.
        VerificationError: its contents are not those that it committed to.
        RefusedActError: it is not permitted.
    """
    seen = look(office, name)

    def make(_book: Book, key: str, at: datetime) -> Act:
        return acts.Propose(key, at, name, _expected(seen, revision), seen.change.items, reason=reason)

    return office.act(make)


def look(office: Office, name: str) -> Seen:
    """Return a change with its contents, checked against what it committed to.

    Raises:
        UsageError: no such change.
        VerificationError: its contents are not here, or are others.
    """
    office.ready()
    book, store = office.book, office.store
    change = book.change(name)
    if change is None:
        raise UsageError(f"there is no change {name!r}", hint="rag-edit change list")
    records, before, stale = [], [], []
    for item in change.items:
        history = history_of(store, item.record)
        records.append(content_of(store, change, item.content, history))
        before.append(history[-1].record if history and history[-1].status is Status.LIVE else None)
        line = book.line(item.record)
        if change.is_open and change.emergency is None and (line.live if line is not None else "") != item.base:
            stale.append(item.record)
    lack = lacking(
        quorum_of(change, book.state.register.policy_before(book.state.position + 1)), change.approvals, change.authors
    )
    lacks = f"{lack[0]}: {lack[1]}" if lack is not None and change.is_open else ""
    return Seen(change, tuple(records), tuple(before), lacks, book.rivals(name), tuple(stale))


def compared(office: Office, left: str, right: str) -> dict[str, tuple[Difference, ...]]:
    """Return, for each record that two changes both edit, what they do to it, against what is live.

    Raises:
        UsageError: no such change.
    """
    one, two = look(office, left), look(office, right)
    before = {record.id: old for record, old in zip(one.records, one.before, strict=True)}
    other = {record.id: record for record in two.records}
    found = {}
    for record in one.records:
        if record.id in other:
            old = before[record.id]
            found[record.id] = compare(old.to_json() if old else None, record.to_json(), other[record.id].to_json())
    return found


def report(office: Office, name: str, text: bytes, conditions: Digest, *, passed: bool, revision: int | None = None) -> Permit:
    """Sign what was measured of a change; the report is kept beside the ledger, which holds a commitment to it.

    Args:
        office: Of the home.
        name: Of the change.
        text: The report.
        conditions: Digest of what it was measured with.
        passed: Whether all of it held.
        revision: As the speaker saw it.
    """
    seen, commitment = look(office, name), commit("report", text)

    def make(_book: Book, key: str, at: datetime) -> Act:
        expected = _expected(seen, revision)
        return acts.Verify(key, at, name, expected, seen.change.content, commitment.digest, conditions, passed)

    return office.act(make, salts={commitment.digest: commitment.salt}, papers={REPORT_PAPER + name: text})


def approve(office: Office, name: str, *, reason: str = "", revision: int | None = None) -> Permit:
    """Agree to a change's contents and report, as they are."""
    seen = look(office, name)

    def make(_book: Book, key: str, at: datetime) -> Act:
        return acts.Approve(key, at, name, _expected(seen, revision), seen.change.content, _report(seen), reason=reason)

    return office.act(make)


def reject(office: Office, name: str, reason: str, *, revision: int | None = None) -> Permit:
    """Send a change back: it is a draft again."""
    seen = look(office, name)
    return office.act(lambda _book, key, at: acts.SendBack(key, at, name, _expected(seen, revision), reason=reason))


def publish(
    office: Office,
    name: str,
    conditions: Digest,
    *,
    not_before: datetime | None = None,
    reason: str = "",
    revision: int | None = None,
) -> Permit:
    """Make a change live, now or at a time; one that is live by break-glass is ratified.

    Args:
        office: Of the home.
        name: Of the change.
        conditions: Digest of what the home runs with; counts where there is a report.
        not_before: When it goes live; None: at once.
        reason: Why.
        revision: As the speaker saw it.

    Raises:
        UsageError: no such change.
        ConflictError: a record of it contradicts another that is live by now, and neither gives way.
        RefusedActError: it is not permitted.
    """
    seen = look(office, name)
    if found := contradictions(office, seen):
        raise ConflictError(found, hint=f"rag-edit change draft PATH --as {name}: made anew, it closes what it contradicts")

    def make(_book: Book, key: str, at: datetime) -> Act:
        digest = conditions if seen.change.report is not None else ""
        expected, content = _expected(seen, revision), seen.change.content
        return acts.Publish(key, at, name, expected, content, _report(seen), digest, not_before, reason=reason)

    return office.act(make)


def contradictions(office: Office, seen: Seen) -> tuple[str, ...]:
    """Return, in words, which live records a change would contradict: what it closes, and what gives way by its own words, does not count."""
    ids = {item.record for item in seen.change.items} | {other for item in seen.change.items for other in item.supersedes}
    rivals = Rivals()
    for version in office.store.live({record.jurisdiction for record in seen.records}):
        if version.record.id not in ids:
            rivals.add(Statement(version.record, version.name))
    return tuple(
        f"{record.id} contradicts {rivalry.found.where}, which is live, on {rivalry.about!r}"
        for record in seen.records
        for rivalry in rivals.of(Statement(record, f"change {seen.change.id}"))
        if not rivalry.same_answer
    )


def break_glass(office: Office, name: str, hours: int, reason: str) -> Permit:
    """Say, as one of two, that a change has to be live now without its approvals; it ends by itself."""
    seen = look(office, name)

    def make(_book: Book, key: str, at: datetime) -> Act:
        return acts.BreakGlass(key, at, name, seen.change.revision, seen.change.content, hours, reason=reason)

    return office.act(make)


def plan_of(office: Office, seen: Seen) -> Plan:
    """Return a change as a plan, to be rehearsed and verified before it is live. It is held to the policy as it stands."""
    adds, changes, closings = list[Addition](), list[Alteration](), list[Closing]()
    where = f"change {seen.change.id}"
    for item in seen.change.items:
        for other in item.supersedes:
            history = history_of(office.store, other)
            if history and history[-1].status is Status.LIVE:
                closings.append(Closing(EditAct.SUPERSEDE, history[-1], where, item.record))
    for record in seen.records:
        history = history_of(office.store, record.id)
        newest = history[-1] if history else None
        if newest is not None and newest.status is Status.LIVE:
            changes.append(Alteration(record, where, newest))
        else:
            adds.append(Addition(record, where, newest.version if newest is not None else 0))
    return Plan("refuse", tuple(adds), tuple(changes), tuple(sorted(closings, key=lambda each: each.version.record.id)))


def report_text(plain: Json) -> bytes:
    """Return a report as it is kept."""
    return canonical_json(plain)


def stage_of(change: Change) -> str:
    """Return where a change stands, in a word."""
    if change.emergency is not None:
        return "break-glass"
    return str(Stage.PUBLISHED) if not change.is_open else str(change.stage)


def unfinished(book: Book) -> Sequence[Change]:
    """Return the changes of which something may still become."""
    return [book.state.changes[name] for name in book.state.unfinished]


def _expected(seen: Seen, revision: int | None) -> int:
    return seen.change.revision if revision is None else revision


def _report(seen: Seen) -> Digest:
    return seen.change.report.digest if seen.change.report is not None else ""
