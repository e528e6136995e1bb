"""The DuckDB file of a record store: its tables, how it is opened, written and read, and the full check of what it holds.

Tables are append-only. ``record_versions`` has the contents, ``edit_log`` who, why and the chain, ``batches`` one row an
append. A version is current until a row names it as its ``previous``; so what was live at any line is one anti-join on
integers. Times are UTC without a zone. Every statement is a constant; values are bound. Locks and the head are not known here.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rag_edit.core.digest import Digest, digest_bytes
from rag_edit.core.errors import StoreCorruptError, StoreError, StoreLockedError
from rag_edit.core.record import Record, record_from_json
from rag_edit.records.duckdb_ledger import insert_leaves
from rag_edit.records.leaves import Leaves
from rag_edit.records.log import GENESIS, Batch, Entry, Tail, digest_edits, edit_line, link
from rag_edit.records.store import Act, closed_store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT: Final = "1GB"
THREADS: Final = 2
MAX_PROBLEMS: Final = 20
FETCH_ROWS: Final = 2_000
_ACTS: Final = frozenset(Act)

TABLES: Final = """
CREATE TABLE record_versions (
    seq BIGINT NOT NULL, previous BIGINT NOT NULL, id_key BIGINT NOT NULL, record_id VARCHAR NOT NULL, version BIGINT NOT NULL,
    act VARCHAR NOT NULL, jurisdiction VARCHAR NOT NULL, valid_from DATE, valid_to DATE, recorded_at TIMESTAMP NOT NULL,
    digest VARCHAR NOT NULL, content VARCHAR NOT NULL);
CREATE TABLE edit_log (
    seq BIGINT NOT NULL, batch BIGINT NOT NULL, reason VARCHAR NOT NULL, author VARCHAR NOT NULL, institution VARCHAR NOT NULL,
    chain VARCHAR NOT NULL);
CREATE TABLE batches (
    batch BIGINT NOT NULL, key VARCHAR NOT NULL, digest VARCHAR NOT NULL, first_seq BIGINT NOT NULL, last_seq BIGINT NOT NULL);
"""
INSERT_VERSIONS: Final = "INSERT INTO record_versions BY NAME SELECT * FROM new_versions"
INSERT_LINES: Final = "INSERT INTO edit_log BY NAME SELECT * FROM new_lines"
INSERT_BATCHES: Final = "INSERT INTO batches BY NAME SELECT * FROM new_batches"
EXTENT: Final = """
SELECT (SELECT count(*) FROM record_versions), (SELECT count(*) FROM edit_log), (SELECT coalesce(max(seq), 0) FROM edit_log),
    (SELECT coalesce(max(seq), 0) FROM record_versions), (SELECT count(*) FROM batches),
    (SELECT coalesce(max(last_seq), 0) FROM batches)"""
CHAIN_AT: Final = "SELECT chain FROM edit_log WHERE seq = $seq"
LOG_AFTER: Final = """
SELECT v.seq, v.act, v.record_id, v.version, v.digest, b.key, v.recorded_at, l.reason, l.author, l.institution, l.chain,
    v.content, v.jurisdiction, v.previous, v.id_key, v.valid_from, v.valid_to, l.batch, b.first_seq, b.last_seq, b.digest
FROM record_versions v JOIN edit_log l ON l.seq = v.seq LEFT JOIN batches b ON b.batch = l.batch
WHERE v.seq > $after AND v.seq <= $until AND l.seq > $after AND l.seq <= $until ORDER BY v.seq"""


def connect(path: Path) -> "DuckDBPyConnection":
    """Open a database file, made where it is missing, with nothing loaded from anywhere and nothing else readable.

    Raises:
        StoreLockedError: another program has it open.
        StoreCorruptError: DuckDB cannot read it.
    """
    import duckdb

    settings: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "enable_external_access": False,
        "lock_configuration": True,
        "memory_limit": MEMORY_LIMIT,
        "python_enable_replacements": False,
        "threads": THREADS,
    }
    try:
        return duckdb.connect(str(path), config=settings)
    except duckdb.Error as error:
        said = " ".join(str(error).split())
        if "onflicting lock" in said:
            raise StoreLockedError(str(path), said.partition("held in ")[2].partition(". ")[0] or "another program") from error
        raise StoreCorruptError(str(path), said) from error


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the errors of DuckDB and of the file system into ours."""
    import duckdb

    try:
        yield
    except duckdb.ConnectionException as error:
        raise closed_store(str(path)) from error
    except duckdb.OutOfMemoryException as error:
        raise StoreError(f"{path}: out of memory ({error})", hint="free memory or disk space", retryable=True) from error
    except duckdb.Error as error:
        raise StoreCorruptError(str(path), " ".join(str(error).split())) from error
    except OSError as error:
        hint = "check free space and permissions, then do the same again"
        raise StoreError(f"{path}: {error}", hint=hint, retryable=True) from error


def close_untouched(con: "DuckDBPyConnection") -> None:
    """Close a database that was refused without letting DuckDB tidy its files: they are evidence."""
    import duckdb

    with suppress(duckdb.Error):
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
    con.close()


def id_key(record_id: str) -> int:
    """Return the integer that rows of an id are found by. Two ids may share one: the id itself is compared as well."""
    return int.from_bytes(sha256(record_id.encode()).digest()[:8], "big") >> 1


def insert(con: "DuckDBPyConnection", number: int, batches: Sequence[tuple[Batch, Sequence[Entry]]]) -> None:
    """Insert batches in the open transaction; the first gets the number ``number``.

    Columns go in as arrays: 200,000 rows a second, where ``executemany`` does 1,300.
    """
    import numpy as np

    rows = [(entry, number + offset) for offset, (_, entries) in enumerate(batches) for entry in entries]
    entries = [entry for entry, _ in rows]

    def texts(values: list[str]) -> Any:
        return np.array(values, dtype=object)

    def whole(values: list[int]) -> Any:
        return np.array(values, dtype=np.int64)

    def times(values: list[Any]) -> Any:
        return np.array(values, dtype="datetime64[us]")

    new_versions = {
        "seq": whole([e.seq for e in entries]),
        "previous": whole([e.previous for e in entries]),
        "id_key": whole([id_key(e.record.id) for e in entries]),
        "record_id": texts([e.record.id for e in entries]),
        "version": whole([e.version for e in entries]),
        "act": texts([e.act.value for e in entries]),
        "jurisdiction": texts([e.record.jurisdiction for e in entries]),
        "valid_from": times([e.record.valid_from for e in entries]),
        "valid_to": times([e.record.valid_to for e in entries]),
        "recorded_at": times([e.recorded_at.replace(tzinfo=None) for e in entries]),
        "digest": texts([e.digest for e in entries]),
        "content": texts([e.content for e in entries]),
    }
    new_lines = {
        "seq": new_versions["seq"],
        "batch": whole([batch for _, batch in rows]),
        "reason": texts([e.reason for e in entries]),
        "author": texts([e.author for e in entries]),
        "institution": texts([e.institution for e in entries]),
        "chain": texts([e.chain for e in entries]),
    }
    new_batches = {
        "batch": whole([number + offset for offset in range(len(batches))]),
        "key": texts([batch.key for batch, _ in batches]),
        "digest": texts([batch.digest for batch, _ in batches]),
        "first_seq": whole([entries[0].seq for _, entries in batches]),
        "last_seq": whole([entries[-1].seq for _, entries in batches]),
    }
    for name, table in (("new_versions", new_versions), ("new_lines", new_lines), ("new_batches", new_batches)):
        con.register(name, table)
    try:
        con.execute(INSERT_VERSIONS)
        con.execute(INSERT_LINES)
        con.execute(INSERT_BATCHES)
    finally:
        for name in ("new_versions", "new_lines", "new_batches"):
            con.unregister(name)


def write(
    con: "DuckDBPyConnection", number: int, batches: Sequence[tuple[Batch, Sequence[Entry]]], leaves: Leaves | None = None
) -> None:
    """Insert batches in one transaction of their own, with the ledger's entries that cover them."""
    con.execute("BEGIN TRANSACTION")
    try:
        insert(con, number, batches)
        if leaves is not None:
            insert_leaves(con, leaves, batches[-1][1][-1].seq, where="the store")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")


def record_of(content: str, digest: Digest, record_id: str, jurisdiction: str, *, where: str) -> Record:
    """Return the record of a row, checked against the row's digest, id and jurisdiction.

    Raises:
        StoreCorruptError: it does not fit them.
    """
    if (found := digest_bytes(content.encode())) != digest:
        raise StoreCorruptError(where, f"record {record_id!r} has the digest {found}, wanted {digest}")
    try:
        record = record_from_json(json.loads(content))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreCorruptError(where, f"record {record_id!r} cannot be read ({error})") from error
    if (record.id, record.jurisdiction) != (record_id, jurisdiction):
        raise StoreCorruptError(where, f"row {record_id!r} in {jurisdiction} holds {record.id!r} in {record.jurisdiction}")
    return record


def utc(naive: datetime) -> datetime:
    """Return a stored time with its zone."""
    return naive.replace(tzinfo=UTC)


def read_tail(con: "DuckDBPyConnection", acknowledged: Tail, *, where: str) -> tuple[Tail, int]:
    """Return where the log ends and how many batches it has, after comparing it with what was acknowledged.

    Raises:
        StoreCorruptError: rows are missing, the log is shorter than acknowledged, or its chain is another one.
    """
    versions, lines, last_line, last_version, batches, last_batched = con.execute(EXTENT).fetchone() or (0,) * 6
    if len({versions, lines, last_line, last_version, last_batched}) != 1:
        raise StoreCorruptError(
            where,
            f"its tables do not fit: {versions} versions, {lines} log lines up to {last_line}, batches up to {last_batched}",
        )
    if lines < acknowledged.seq:
        raise StoreCorruptError(where, f"{acknowledged.seq} edits were acknowledged, the log ends at line {lines}")
    at_head = con.execute(CHAIN_AT, {"seq": acknowledged.seq}).fetchone() if acknowledged.seq else (GENESIS,)
    if at_head is None or at_head[0] != acknowledged.chain:
        raise StoreCorruptError(where, f"log line {acknowledged.seq} has another chain digest than was acknowledged")
    chain = acknowledged.chain
    for row in rows_after(con, acknowledged.seq, lines):
        chain = link(chain, (*row[:6], utc(row[6]).isoformat(), *row[7:10]))
        if row[10] != chain:
            raise StoreCorruptError(where, f"log line {row[0]} does not fit the chain")
    return Tail(lines, chain), batches


def rows_after(con: "DuckDBPyConnection", after: int, until: int) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of ``LOG_AFTER`` for the lines after ``after``, up to ``until``."""
    con.execute(LOG_AFTER, {"after": after, "until": until})
    while rows := con.fetchmany(FETCH_ROWS):
        yield from rows


def find_problems(con: "DuckDBPyConnection", position: int) -> Iterator[str]:
    """Yield a line for each thing that does not hold, reading the whole log: digests, chain, succession, columns, batches."""
    chain, number, last, before = GENESIS, 0, 0, 0
    newest: dict[str, tuple[int, int]] = {}
    named: list[str] = []  # the edits of the batch being read
    for row in rows_after(con, 0, position):
        seq, act, record_id, version, digest, key, at, reason, author, institution, chained, content = row[:12]
        jurisdiction, previous, hashed, valid_from, valid_to, batch, first_seq, last_seq, promised = row[12:]
        chain = link(chain, (seq, act, record_id, version, digest, key or "", utc(at).isoformat(), reason, author, institution))
        if chained != chain:
            yield f"log line {seq} does not fit the chain"
            chain = chained  # one report a break
        if batch != number:
            if batch != number + 1 or seq != first_seq or before != last:
                yield f"log line {seq} is in batch {batch}, after one in batch {number}"
            number, last, named = batch, last_seq, []
        if seq != before + 1 or last is None or seq > last:
            yield f"log line {seq} follows line {before}, its batch ends at {last}"
        before = seq
        named.append(edit_line(act, digest, version - 1, reason, author, institution))
        if seq == last and digest_edits(named) != promised:
            yield f"batch {batch} does not hold the edits that its key stands for"
        if act not in _ACTS or newest.get(record_id, (0, 0)) != (version - 1, previous) or hashed != id_key(record_id):
            yield f"log line {seq}: version {version} of {record_id!r} does not follow the one before it"
        newest[record_id] = version, seq
        try:
            record = record_of(content, digest, record_id, jurisdiction, where=f"log line {seq}")
        except StoreError as error:
            yield error.message
            continue
        if (record.valid_from, record.valid_to) != (valid_from, valid_to):
            yield f"log line {seq}: its validity columns are not those of the record {record_id!r}"
    if not before == last == position:
        yield f"the log was read up to line {before}, its last batch ends at {last}, it should end at {position}"


def size_bytes(paths: Sequence[Path]) -> int:
    """Return the bytes that files take, missing ones counting nothing."""
    return sum(path.stat().st_size for path in paths if path.exists())
