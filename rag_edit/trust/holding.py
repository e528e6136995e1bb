"""Holding a home against what was signed of it: its ledger, its receipts, the heads kept beside the store, and those that an auditor brings.

Both logs are computed anew from what is stored. Which log an auditor's checkpoint is of is said by its name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag_edit.authority.book import Book
from rag_edit.core.digest import Json
from rag_edit.core.errors import UsageError
from rag_edit.provenance.anchor import Anchor
from rag_edit.provenance.audit import audit_ledger, audit_log
from rag_edit.provenance.errors import RolledBackError, VerificationError
from rag_edit.provenance.receipt import read_body
from rag_edit.trust.adopting import is_on_record
from rag_edit.trust.entries import read_book
from rag_edit.trust.office import Office
from rag_edit.trust.receipting import RECEIPTS


@dataclass(frozen=True, slots=True)
class Held:
    """What was looked at, all of which holds.

    Attributes:
        name: Of the ledger.
        entries: Of the ledger.
        heads: Signed heads of the ledger that it was held against, those of the auditor among them.
        live_records: As the ledger says.
        receipts: That were looked at, or None: they were not.
        receipt_heads: Signed heads that they were held against.
    """

    name: str
    entries: int
    heads: int
    live_records: int
    receipts: int | None = None
    receipt_heads: int = 0

    def to_json(self) -> dict[str, Json]:
        """Return plain values."""
        found: dict[str, Json] = {
            "name": self.name,
            "entries": self.entries,
            "heads": self.heads,
            "live_records": self.live_records,
        }
        if self.receipts is not None:
            found |= {"receipts": self.receipts, "receipt_heads": self.receipt_heads}
        return {"ok": True, **found}


def hold(office: Office, *, old: Sequence[str] = (), receipts: Anchor | None = None) -> Held:
    """Return what a home was found to hold, or raise at the first thing that does not.

    Args:
        office: Of its open store.
        old: Checkpoints that somebody kept elsewhere, of either log.
        receipts: Keeps the heads of the receipts; then they are looked at as well, every one. None: the ledger alone, unless an old
            checkpoint is of receipts.

    Raises:
        RolledBackError: entries or receipts that were signed for are gone, or others.
        ProvenanceError: something is not signed as it has to be, or was not permitted.
        UsageError: an old checkpoint is of neither log.
    """
    office.ready()
    origin, leaves = office.ledger.origin, list(office.store.ledger.leaves())
    below = f"/{RECEIPTS}"
    first = [note.partition("\n")[0] for note in old]
    known = {key.name for key in office.note_keys()}
    for name in first:
        if name.removesuffix(below) not in known:
            raise UsageError(
                f"--old: wanted a checkpoint of {origin} or {origin}{below}, found one of {name!r}",
                hint="rag-edit ledger checkpoint",
            )
    brought = [note for note, name in zip(old, first, strict=True) if not name.endswith(below)]
    others = [note for note, name in zip(old, first, strict=True) if name.endswith(below)]
    kept = [*_of(office.anchor, origin), *brought]
    audited = audit_ledger(leaves, office.ledger.seal(), office.note_keys(), old=kept)
    book = read_book(leaves, office.territory())
    book.tick(office.book.state.clock)
    live = _agreed(office, book, audited.replay.brought)
    if receipts is None and not others:
        return Held(origin, audited.tree.size, len(kept), live)
    heads = [*(_of(receipts, f"{origin}{below}") if receipts is not None else ()), *others]
    return Held(origin, audited.tree.size, len(kept), live, _receipts(office, heads), len(heads))


def signed_heads(office: Office) -> dict[str, Json]:
    """Return the signed heads of both logs, to be kept elsewhere, with the keys that sign them; of receipts where there are any."""
    office.ready()
    head, trust = office.store.receipts.head(), office.trust(RECEIPTS)
    receipts: dict[str, Json] = {"checkpoint": head[0], "keys": [str(key) for key in trust.receipts]} if head else {}
    return {"checkpoint": office.ledger.seal(), "keys": [str(key) for key in office.note_keys()], "receipts": receipts}


def _agreed(office: Office, book: Book, brought: Mapping[str, str]) -> int:
    """Return how many records are live by the acts; the entries that name versions must say the same.

    A change that says again what was live already is named by no entry; the store has what both commit to.

    Raises:
        VerificationError: they say of some record that another change brought what is live, or that something is.
    """
    acts = {line.record: line.live for line in book.state.records.values() if line.live}
    for record in sorted({*acts, *brought}):
        found = brought.get(record)
        if found in ("", acts.get(record)):
            continue
        if found is None or record not in acts or not is_on_record(office.writer, office.store.get(record)):
            wanted = f"what change {acts[record]} brought" if record in acts else "nothing live"
            raise VerificationError(f"record {record}", f"{wanted}, by the acts", f"by the entries that name versions: {found}")
    return len(acts)


def _receipts(office: Office, heads: Sequence[str]) -> int:
    """Return how many receipts there are; all of them stand under their head and under those that were kept."""
    head = office.store.receipts.head()
    if head is None:
        if heads:
            raise RolledBackError(heads[-1].partition("\n")[0], "the receipts that were signed", "none")
        return 0
    bodies = (kept.body for kept in office.store.receipts.all())
    return audit_log(_read(bodies), head[0], office.trust(RECEIPTS).receipts, old=heads)[1].size


def _read(bodies: Iterable[bytes]) -> Iterable[bytes]:
    for body in bodies:
        read_body(body)
        yield body


def _of(anchor: Anchor, origin: str) -> list[str]:
    return [note for note in anchor.notes() if note.startswith(f"{origin}\n")]
