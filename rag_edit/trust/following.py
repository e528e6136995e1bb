"""The store follows the book: what the book says is live is what the store serves, and the edits that are owed where it is not.

Contents are in the store alone; the book knows commitments. So a content is looked for among the drafts that are kept beside
the ledger and in the record's history, and taken only if it opens the commitment that people agreed to.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from rag_edit.authority import acts
from rag_edit.authority.acts import Act
from rag_edit.authority.book import Book
from rag_edit.authority.change import Change
from rag_edit.authority.state import Standing
from rag_edit.core.digest import Digest, canonical_json
from rag_edit.core.errors import UnknownRecordError
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.provenance.commitment import Commitment, committed
from rag_edit.provenance.errors import VerificationError
from rag_edit.records.erased import tombstone
from rag_edit.records.store import Act as EditAct
from rag_edit.records.store import Edit, RecordStore
from rag_edit.trust.governed import LABEL, commit_record, noted, records_of

DRAFT_PAPER: Final = "draft:"


def touched_by(book: Book, act: Act) -> set[str]:
    """Return the records whose standing an act may alter."""
    match act:
        case acts.Retract():
            return {act.record}
        case acts.Publish() | acts.BreakGlass():
            return records_in(book, [act.change])
        case _:
            return set()


def records_in(book: Book, changes: Iterable[str]) -> set[str]:
    """Return the records that changes edit or close."""
    items = (item for name in changes for item in book.state.changes[name].items)
    return {record for item in items for record in (item.record, *item.supersedes)}


def owed(book: Book, store: RecordStore, records: Iterable[str]) -> list[tuple[Edit, Commitment]]:
    """Return the edits by which the store says of records what the book says, with commitments to their contents.

    What goes live is named by the very commitment that its change made, so that whoever reads the ledger sees that what is served is
    what people agreed to; what ends, by a fresh one.

    Raises:
        VerificationError: a content that the book says is live is not here, or is another one.
    """
    found: list[tuple[Edit, Commitment]] = []
    for record_id in sorted(records):
        line, history = book.line(record_id), history_of(store, record_id)
        newest = history[-1] if history else None
        live = newest if newest is not None and newest.status is Status.LIVE else None
        change = book.change(line.live) if line is not None and line.live else None
        if change is not None:
            wanted = change.item(record_id).content
            if live is not None and opens(store, wanted, live.record):
                continue
            record = content_of(store, change, wanted, history)
            act = EditAct.ADD if live is None else EditAct.CHANGE
            commitment = Commitment(wanted, store.ledger.salts([wanted])[wanted])
            found.append((Edit(act, record, newest.version if newest else 0, *noted(record)), commitment))
        elif live is not None:
            superseded = line is not None and bool(line.versions) and line.versions[-1][1] is Standing.SUPERSEDED
            act = EditAct.SUPERSEDE if superseded else EditAct.RETRACT
            found.append((Edit(act, live.record, live.version), commit_record(live.record)))
    return found


def content_of(store: RecordStore, change: Change, wanted: Digest, history: Sequence[RecordVersion]) -> Record:
    """Return the content of a record that a change committed to: from its draft, or from the record's history.

    Raises:
        VerificationError: it is in neither.
    """
    paper = store.ledger.paper(DRAFT_PAPER + change.id)
    drafted = records_of(paper) if paper is not None else ()
    for record in (*drafted, *(version.record for version in history)):
        if opens(store, wanted, record):
            return record
    raise VerificationError(f"change {change.id}", f"the content {wanted[:23]}... that it committed to", "none or another")


def opens(store: RecordStore, digest: Digest, record: Record) -> bool:
    """Return whether a commitment of the ledger is to this content."""
    salt = store.ledger.salts([digest]).get(digest)
    return salt is not None and committed(LABEL, salt, canonical_json(record.to_json())) == digest


def is_there(store: RecordStore, record: str) -> bool:
    """Return whether the store holds any content of a record, and not only what an erasure leaves."""
    return any(version.record != tombstone(version.record) for version in history_of(store, record))


def history_of(store: RecordStore, record: str) -> tuple[RecordVersion, ...]:
    """Return a record's versions, oldest first; none where there is no such record."""
    try:
        return store.history(record)
    except UnknownRecordError:
        return ()
