"""The edit log, as every store keeps it: which edits it admits, how its lines are chained, and its form in a file.

Each line's chain digest covers the line and the chain digest before it: a line that was changed, dropped or moved, by
whomever, no longer fits. The file form is JSON Lines: a header with position and last chain digest, then one line an edit
with the record's canonical JSON. It holds no time, path or host of its own, so equal logs are equal files, and a
log written by one store can be read into another. This module knows no database.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Final

from rag_edit.core.digest import Digest, canonical_json, digest_bytes, digest_file
from rag_edit.core.errors import RagEditError, RetractedRecordError, StaleVersionError, StoreCorruptError
from rag_edit.core.record import Record, RecordVersion, Status, record_from_json
from rag_edit.records.durable import replacing
from rag_edit.records.store import Act, Edit, check_key

FORMAT: Final = "rag-edit edit log 1"
GENESIS: Final[Digest] = digest_bytes(FORMAT.encode())  # the chain before its first line

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Newest:
    """Where one record id stands: its newest version, the line that made it, by which act, with which content."""

    version: int
    seq: int
    act: Act
    digest: Digest


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the log ends: number and chain digest of its last line."""

    seq: int = 0
    chain: Digest = GENESIS


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    Attributes:
        seq: Its number.
        previous: Number of the line that made the id's version before; 0 for the first.
        content: Canonical JSON of ``record``; ``digest`` is its digest.
        recorded_at: In UTC.
        chain: Digest over this line and the chain before it.
    """

    seq: int
    previous: int
    act: Act
    record: Record
    version: int
    content: str
    digest: Digest
    batch: str
    recorded_at: datetime
    reason: str
    author: str
    institution: str
    chain: Digest

    def as_version(self, status: Status) -> RecordVersion:
        """Return the record version that the line appended, standing as ``status``."""
        return RecordVersion(self.record, self.version, self.seq, status, self.recorded_at, self.digest)

    @property
    def newest(self) -> Newest:
        """Return where the line leaves its id."""
        return Newest(self.version, self.seq, self.act, self.digest)


@dataclass(frozen=True, slots=True)
class Batch:
    """Edits ready to be admitted: contents encoded once, and a digest of all that the idempotency key stands for."""

    key: str
    edits: tuple[Edit, ...]
    contents: tuple[str, ...]
    digests: tuple[Digest, ...]
    recorded_at: datetime
    digest: Digest


def make_batch(edits: Sequence[Edit], *, key: str, recorded_at: datetime) -> Batch:
    """Encode the edits of one append.

    Raises:
        ValueError: a bad key, or a time without zone.
    """
    check_key(key)
    if recorded_at.tzinfo is None:
        raise ValueError(f"recorded_at needs a time zone, found {recorded_at!r}")
    encoded = [canonical_json(edit.record.to_json()) for edit in edits]
    digests = tuple(map(digest_bytes, encoded))
    named = [
        edit_line(edit.act, digest, edit.expected_version, edit.reason, edit.author, edit.institution)
        for edit, digest in zip(edits, digests, strict=True)
    ]
    contents = tuple(content.decode() for content in encoded)
    return Batch(key, tuple(edits), contents, digests, recorded_at.astimezone(UTC), digest_edits(named))


def edit_line(act: str, digest: Digest, expected_version: int, *who: str) -> str:
    """Return what an idempotency key stands for in one edit; ``who`` is reason, author, institution."""
    return _encode([act, digest, expected_version, *who])


def digest_edits(lines: Sequence[str]) -> Digest:
    """Return the digest of a batch, of the `edit_line` of each of its edits."""
    return digest_bytes("\n".join(lines).encode())


def admit(batch: Batch, newest: Mapping[str, Newest], tail: Tail) -> tuple[Entry, ...]:
    """Return the lines that the batch adds after ``tail``, or refuse all of it.

    Args:
        batch: The edits.
        newest: Where each id that the batch touches stands; ids it lacks are new. Not modified.
        tail: Where the log ends.

    Raises:
        StaleVersionError, RetractedRecordError, ValueError: as `RecordStore.append` says.
    """
    touched: dict[str, Newest] = {}
    entries: list[Entry] = []
    seq, chain, at = tail.seq, tail.chain, batch.recorded_at.isoformat()
    for edit, content, digest in zip(batch.edits, batch.contents, batch.digests, strict=True):
        record_id = edit.record.id
        found = touched.get(record_id) or newest.get(record_id)
        version = found.version if found else 0
        if edit.expected_version != version:
            raise StaleVersionError(record_id, edit.expected_version, version)
        if found is not None:
            _refuse_misfit(edit, found, digest)
        seq += 1
        who = (edit.reason, edit.author, edit.institution)
        chain = link(chain, (seq, edit.act, record_id, version + 1, digest, batch.key, at, *who))
        previous = found.seq if found else 0
        touched[record_id] = Newest(version + 1, seq, edit.act, digest)
        entries.append(
            Entry(
                seq, previous, edit.act, edit.record, version + 1, content, digest, batch.key,
                batch.recorded_at, edit.reason, edit.author, edit.institution, chain,
            )
        )  # fmt: skip
    return tuple(entries)


def _refuse_misfit(edit: Edit, found: Newest, digest: Digest) -> None:
    """Refuse an act that does not fit where the id stands."""
    name, status = edit.record.id, found.act.status
    if edit.act is Act.ADD and status is Status.LIVE:
        raise ValueError(f"record {name!r} is live at version {found.version}: CHANGE it")
    if edit.act in (Act.SUPERSEDE, Act.RETRACT):
        if status is Status.RETRACTED:
            raise RetractedRecordError(name)
        if edit.act is Act.SUPERSEDE and status is Status.SUPERSEDED:
            raise ValueError(f"record {name!r} is superseded already, at version {found.version}")
        if digest != found.digest:
            raise ValueError(f"{edit.act.name} of {name!r} repeats the content of version {found.version}, found other content")


def link(chain: Digest, line: Sequence[int | str]) -> Digest:
    """Return the chain digest of a line that follows ``chain``.

    Args:
        chain: Of the line before; `GENESIS` before the first.
        line: seq, act, record id, version, digest, batch key, recorded_at (ISO 8601 in UTC), reason, author, institution.
    """
    return digest_bytes(_encode([chain, *line]).encode())


def write_log(path: Path, entries: Iterable[Entry], tail: Tail) -> Digest:
    """Write a log to a file, whole or not at all, and return the file's digest."""
    with replacing(path) as file:
        file.write(f"{_encode({'chain': tail.chain, 'format': FORMAT, 'position': tail.seq})}\n".encode())
        for entry in entries:
            file.write(f"{_line(entry)}\n".encode())
    return digest_file(path)


def _line(entry: Entry) -> str:
    plain: dict[str, object] = {
        "act": entry.act,
        "author": entry.author,
        "batch": entry.batch,
        "institution": entry.institution,
        "reason": entry.reason,
        "record": None,
        "recorded_at": entry.recorded_at.isoformat(),
        "version": entry.version,
    }
    head, _, rest = _encode(plain).partition('"record":null')  # a quote inside a text is escaped, so this is the key
    return f'{head}"record":{entry.content}{rest}'


def read_log(path: Path, expected: Digest | None = None) -> Iterator[tuple[Batch, tuple[Entry, ...]]]:
    """Yield the batches of a log file, each admitted anew after the one before.

    The last batch may be trusted only when the iterator has ended: the header is compared with what came.

    Args:
        path: What `write_log` wrote.
        expected: The file's digest, where it is known.

    Raises:
        StoreCorruptError: it is not such a file, is cut, was changed, or has another digest.
    """
    try:
        found = None if expected is None else digest_file(path)
    except OSError as error:
        raise StoreCorruptError(str(path), f"not readable ({error})") from error
    if found != expected:
        raise StoreCorruptError(str(path), f"its digest is {found}, wanted {expected}")
    try:
        with path.open("rb") as file:
            yield from _replay(path, file)
    except StoreCorruptError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RagEditError) as error:
        raise StoreCorruptError(str(path), f"not a readable log ({type(error).__name__}: {error})") from error


def _replay(path: Path, file: IO[bytes]) -> Iterator[tuple[Batch, tuple[Entry, ...]]]:
    header = json.loads(file.readline() or "null")
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise StoreCorruptError(str(path), f"its first line does not say {FORMAT!r}")
    tail, newest = Tail(), dict[str, Newest]()
    for key, lines in groupby(map(json.loads, file), key=itemgetter("batch")):
        group = list(lines)
        edits = [
            Edit(
                Act(line["act"]), record_from_json(line["record"]), line["version"] - 1,
                line["reason"], line["author"], line["institution"],
            )
            for line in group
        ]  # fmt: skip
        batch = make_batch(edits, key=key, recorded_at=datetime.fromisoformat(group[0]["recorded_at"]))
        entries = admit(batch, newest, tail)
        newest.update((entry.record.id, entry.newest) for entry in entries)
        tail = Tail(entries[-1].seq, entries[-1].chain)
        yield batch, entries
    if (tail.seq, tail.chain) != (header["position"], header["chain"]):
        raise StoreCorruptError(str(path), f"it ends at line {tail.seq} of {header['position']} with another chain digest")
