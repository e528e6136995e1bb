"""From a plan to acts: what has to be said, by the one who applies it, so that each edit of the store is somebody's act.

New and changed records become changes that are proposed and published; withdrawals become retractions. Beside the acts stands
an entry of kind ``edits``, which says the names and versions that the store gives them (``id@version``) with the commitments
to their contents: what a receipt points to. Pure: no store, no key, no clock.

An entry holds 60 KiB at most, so that a large plan becomes several changes; they are judged and written together.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rag_edit.authority.acts import Act, Item, Propose, Publish, Retract, Verify
from rag_edit.authority.book import Book
from rag_edit.authority.mandate import Power, Remit
from rag_edit.authority.statement import content_digest
from rag_edit.authority.verdict import Denial, Permit, Verdict
from rag_edit.core.digest import Json, canonical_json, digest_json
from rag_edit.core.record import Record, record_from_json
from rag_edit.provenance.commitment import Commitment, commit
from rag_edit.provenance.replay import EDITS
from rag_edit.provenance.statement import Statement, Subject
from rag_edit.records.store import MAX_NOTE_CHARS, Edit
from rag_edit.records.store import Act as EditAct
from rag_edit.trust.grounds import NOTHING_FILED, Filed

MAX_CHUNK_BYTES: Final = 30_000
LABEL: Final = "record"

Commit = Callable[[Record], Commitment]


def commit_record(record: Record) -> Commitment:
    """Return a fresh commitment to a record's content."""
    return commit(LABEL, canonical_json(record.to_json()))


@dataclass(frozen=True, slots=True)
class Said:
    """What one chunk of a plan takes.

    Attributes:
        edits: The store's edits, with the commitments to their contents.
        items: New and changed records; empty for a chunk of withdrawals.
        retractions: Ids of live records to withdraw, with the reason.
    """

    edits: list[tuple[Edit, Commitment]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    retractions: list[tuple[str, str]] = field(default_factory=list)
    bytes: int = 0


def chunks(edits: Sequence[Edit], by: Mapping[str, str], book: Book, commits: Commit = commit_record) -> Iterator[Said]:
    """Yield a plan's chunks, in the order in which they are to be said.

    Args:
        edits: Of the plan.
        by: For each superseded record the one that supersedes it.
        book: As it stands before the plan.
        commits: Commits to contents.
    """
    new = {e.record.id: e for e in edits if e.act in (EditAct.ADD, EditAct.CHANGE)}
    closings: dict[str, list[Edit]] = {}
    withdrawn: list[Edit] = []
    for edit in edits:
        if edit.act in (EditAct.ADD, EditAct.CHANGE):
            continue
        winner = by.get(edit.record.id, "")
        line = book.line(edit.record.id)
        if edit.act is EditAct.SUPERSEDE and winner in new and line is not None and line.live:
            closings.setdefault(winner, []).append(edit)
        else:
            withdrawn.append(edit)
    for start in range(0, len(withdrawn), 100):
        yield _withdrawals(withdrawn[start : start + 100], by, book, commits)
    edited, items, size = list[tuple[Edit, Commitment]](), list[Item](), 0
    for record_id in sorted(new):
        record, closed = new[record_id].record, closings.get(record_id, [])
        commitment = commits(record)
        item = item_of(record, commitment, tuple(sorted(e.record.id for e in closed)), book)
        cost = 260 + 3 * len(record_id) + len(record.topic.encode()) + 2 * sum(len(each) + 100 for each in item.affects)
        if items and size + cost > MAX_CHUNK_BYTES:
            yield Said(edited, items)
            edited, items, size = [], [], 0
        items.append(item)
        edited += [(new[record_id], commitment), *((e, commits(e.record)) for e in closed)]
        size += cost
    if items:
        yield Said(edited, items)


def _withdrawals(edits: Sequence[Edit], by: Mapping[str, str], book: Book, commits: Commit) -> Said:
    said = Said([(edit, commits(edit.record)) for edit in edits])
    for edit in edits:
        line = book.line(edit.record.id)
        if line is not None and line.live:
            winner = by.get(edit.record.id, "")
            said.retractions.append((edit.record.id, edit.reason or (f"superseded by {winner}" if winner else "")))
    return said


def item_of(record: Record, commitment: Commitment, closes: tuple[str, ...], book: Book) -> Item:
    """Return what a change says of one record. Other records count as far as there are any."""
    others = {*record.derogates, *record.supersedes, *closes} - {record.id}
    line = book.line(record.id)
    return Item(
        record=record.id,
        remit=Remit(record.jurisdiction, record.topic),
        content=commitment.digest,
        base=line.live if line is not None else "",
        affects=tuple(sorted(other for other in others if book.line(other) is not None)),
        supersedes=closes,
    )


def acts_of(
    said: Said, book: Book, key: str, at: datetime, name: str, reason: str = "", filed: Filed = NOTHING_FILED
) -> Iterator[Act]:
    """Yield the acts of a chunk; each is to be judged and done before the next is made.

    A report that holds is signed for by whoever may verify; where the speaker may not, publication goes without it, and the
    policy says whether it may.

    Args:
        said: The chunk.
        book: As it stands after the act before.
        key: Who says it.
        at: When.
        name: Of the change, if it makes one.
        reason: Why, where the edits do not say it.
        filed: What was measured of it, and what was waived.
    """
    for record_id, why in said.retractions:
        line = book.line(record_id)
        yield Retract(key, at, record_id, line.revision if line is not None else 0, reason=why or reason)
    if said.items:
        items = tuple(said.items)
        content, revision, report = content_digest(items), 1, ""
        yield Propose(key, at, name, 0, items, reason=reason)
        if filed.report and filed.holds:
            measured = Verify(key, at, name, revision, content, filed.report, filed.conditions, passed=True)
            if isinstance(book.judge(measured, position=book.state.position + 1, now=at), Permit):
                yield measured
                revision, report = revision + 1, filed.report
        conditions = filed.conditions if report else ""
        yield Publish(key, at, name, revision, content, report, conditions, waived=filed.waived, reason=reason)


def may_close(said: Said, book: Book, key: str, now: datetime) -> Verdict | None:
    """Return a denial where the key may not withdraw a record that is not live, which takes no act of its own; else None."""
    spoken = {record for record, _ in said.retractions}
    for edit, _ in said.edits:
        if edit.act is EditAct.RETRACT and edit.record.id not in spoken:
            verdict = book.may(Power.RETRACT, key, Remit(edit.record.jurisdiction, edit.record.topic), now=now)
            if isinstance(verdict, Denial):
                return verdict
    return None


def noted(record: Record) -> tuple[str, str, str]:
    """Return reason, author and institution of an edit, as far as the edit log keeps them."""
    return record.rationale[:MAX_NOTE_CHARS], record.author[:MAX_NOTE_CHARS], record.institution[:MAX_NOTE_CHARS]


def paper_of(records: Iterable[Record]) -> bytes:
    """Return the contents of a draft as they are kept beside the ledger."""
    return canonical_json({"records": [record.to_json() for record in records]})


def records_of(paper: bytes) -> tuple[Record, ...]:
    """Return what `paper_of` wrote."""
    return tuple(record_from_json(plain) for plain in json.loads(paper)["records"])


def edits_statement(edits: Sequence[tuple[Edit, Commitment]], key: str, at: str, change: str, line: int) -> Statement:
    """Return the entry that names the store's versions: ``id@version`` with the commitment to its content.

    Args:
        edits: In their order; each makes the version after the one that it expects.
        key: Who applies them.
        at: When (RFC 3339, UTC).
        change: The change that they carry out; empty for withdrawals.
        line: Of the edit log, after them.
    """
    acts: list[Json] = [edit.act.value for edit, _ in edits]
    subjects = tuple(Subject(f"{e.record.id}@{e.expected_version + 1}", c.digest) for e, c in edits)
    return Statement(EDITS, subjects, {"acts": acts, "at": at, "by": key, "change": change, "line": line})


def gone_statement(names: Sequence[str], key: str, at: str, line: int) -> Statement:
    """Return the entry that says of versions that they are live no more, where the store has no content of them to name.

    Args:
        names: ``id@version`` of what ends.
        key: Of the home.
        at: When (RFC 3339, UTC).
        line: Of the edit log.
    """
    acts: list[Json] = [EditAct.RETRACT.value] * len(names)
    ended = ((name.rpartition("@"), digest_json(["gone", name])) for name in names)
    subjects = tuple(Subject(f"{record}@{int(version) + 1}", digest) for (record, _, version), digest in ended)
    return Statement(EDITS, subjects, {"acts": acts, "at": at, "by": key, "change": "", "line": line})
