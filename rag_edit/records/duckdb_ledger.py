"""The ledger's entries and the receipts in the DuckDB file of a record store: tables of bytes, beside those of the records.

Entries are written by whoever writes the edits that they cover, in that transaction (`insert_leaves`). Stores that were made
before these tables get them empty when they are opened. A restore of the records takes them along: what was signed does not
go back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rag_edit.core.digest import Digest
from rag_edit.core.errors import StoreCorruptError, StoreError
from rag_edit.records.leaves import KeptReceipt, Leaves

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HASH_BYTES: Final = 32
FETCH_ROWS: Final = 200
TABLES: Final = """
CREATE TABLE IF NOT EXISTS ledger_leaves (idx BIGINT NOT NULL, leaf BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_salts (commitment VARCHAR NOT NULL, salt BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_head (note VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger_covered (position BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (idx BIGINT NOT NULL, id VARCHAR NOT NULL, body BLOB NOT NULL, path BLOB NOT NULL,
    secret BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS receipt_heads (start BIGINT NOT NULL, size BIGINT NOT NULL, note VARCHAR NOT NULL, edge BLOB NOT NULL);
"""
HAS_TABLES: Final = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'receipt_heads'"
SIZE: Final = "SELECT count(*), coalesce(max(idx) + 1, 0) FROM ledger_leaves"
INSERT_LEAVES: Final = "INSERT INTO ledger_leaves SELECT unnest($idx::BIGINT[]), unnest($leaf::BLOB[])"
INSERT_SALTS: Final = "INSERT INTO ledger_salts SELECT unnest($commitment::VARCHAR[]), unnest($salt::BLOB[])"
LEAVES: Final = "SELECT idx, leaf FROM ledger_leaves WHERE idx >= $start AND idx < $end ORDER BY idx"
SALTS: Final = "SELECT commitment, salt FROM ledger_salts WHERE commitment IN (SELECT unnest($commitments::VARCHAR[]))"
COVERED: Final = "SELECT coalesce(max(position), 0) FROM ledger_covered"
FORGET_COVERED: Final = "DELETE FROM ledger_covered"
COVER: Final = "INSERT INTO ledger_covered VALUES ($position)"
FORGET_HEAD: Final = "DELETE FROM ledger_head"
KEEP_HEAD: Final = "INSERT INTO ledger_head VALUES ($note)"
HEAD: Final = "SELECT note FROM ledger_head"
RECEIPT_HEAD: Final = "SELECT note, edge, size FROM receipt_heads ORDER BY size DESC LIMIT 1"
INSERT_RECEIPTS: Final = """
INSERT INTO receipts SELECT unnest($idx::BIGINT[]), unnest($id::VARCHAR[]), unnest($body::BLOB[]), unnest($path::BLOB[]),
    unnest($secret::BLOB[])"""
INSERT_RECEIPT_HEAD: Final = "INSERT INTO receipt_heads VALUES ($start, $size, $note, $edge)"
RECEIPT: Final = """
SELECT r.idx, r.id, r.body, r.path, h.note, r.secret FROM receipts r JOIN receipt_heads h ON h.start <= r.idx AND r.idx < h.size
WHERE r.id = $id"""
NEWEST_RECEIPTS: Final = """
SELECT r.idx, r.id, r.body, r.path, h.note, r.secret FROM receipts r JOIN receipt_heads h ON h.start <= r.idx AND r.idx < h.size
WHERE r.idx >= $after ORDER BY r.idx DESC"""
COPIED: Final = {
    "SELECT idx, leaf FROM ledger_leaves": "INSERT INTO ledger_leaves VALUES (?, ?)",
    "SELECT commitment, salt FROM ledger_salts": "INSERT INTO ledger_salts VALUES (?, ?)",
    "SELECT note FROM ledger_head": "INSERT INTO ledger_head VALUES (?)",
    "SELECT idx, id, body, path, secret FROM receipts": "INSERT INTO receipts VALUES (?, ?, ?, ?, ?)",
    "SELECT start, size, note, edge FROM receipt_heads": "INSERT INTO receipt_heads VALUES (?, ?, ?, ?)",
}

Reading = Callable[[], AbstractContextManager["DuckDBPyConnection"]]
Writing = Callable[[Callable[["DuckDBPyConnection"], None]], None]


def ensure_tables(con: "DuckDBPyConnection") -> None:
    """Make the tables where a store was made before there were any."""
    if not (con.execute(HAS_TABLES).fetchone() or (0,))[0]:
        con.execute(TABLES)


def insert_leaves(con: "DuckDBPyConnection", leaves: Leaves, covers: int | None, *, where: str) -> None:
    """Insert entries in the open transaction, and note up to which line of the edit log edits have one.

    Raises:
        StoreError: the ledger has another size than the caller thought.
        StoreCorruptError: an entry is missing.
    """
    size = _size(con, where)
    if leaves.start != size:
        raise StoreError(
            f"{where}: the ledger has {size} entries, {leaves.start} were expected", hint="do the same again", retryable=True
        )
    if leaves.entries:
        numbers = list(range(size, size + len(leaves.entries)))
        con.execute(INSERT_LEAVES, {"idx": numbers, "leaf": list(leaves.entries)})
    if leaves.salts:
        con.execute(INSERT_SALTS, {"commitment": list(leaves.salts), "salt": list(leaves.salts.values())})
    if covers is not None:
        con.execute(FORGET_COVERED)
        con.execute(COVER, {"position": covers})


def _size(con: "DuckDBPyConnection", where: str) -> int:
    count, after = con.execute(SIZE).fetchone() or (0, 0)
    if count != after:
        raise StoreCorruptError(where, f"its ledger has {count} entries, the last is number {after - 1}")
    return int(count)


def carry_over(old: "DuckDBPyConnection", new: "DuckDBPyConnection") -> None:
    """Copy everything but the note of what is covered: which edits have an entry is to be found out anew."""
    ensure_tables(old)
    new.execute("BEGIN TRANSACTION")
    for read, write in COPIED.items():
        rows = old.execute(read).fetchall()
        if rows:
            new.executemany(write, rows)
    new.execute("COMMIT")


class DuckDBLeaves:
    """`LeafTable` in the database of a store."""

    def __init__(self, reading: Reading, writing: Writing, path: Path) -> None:
        self._reading, self._writing, self._where = reading, writing, str(path)

    def append(self, leaf: bytes) -> int:
        """See `LeafTable.append`."""
        start = self.size()
        self.extend(Leaves(start, (leaf,)))
        return start

    def extend(self, leaves: Leaves, *, covers: int | None = None) -> None:
        """See `LeafTable.extend`."""
        self._writing(lambda con: insert_leaves(con, leaves, covers, where=self._where))

    def covered(self) -> int:
        """See `LeafTable.covered`."""
        with self._reading() as con:
            return int((con.execute(COVERED).fetchone() or (0,))[0])

    def size(self) -> int:
        """See `LeafTable.size`."""
        with self._reading() as con:
            return _size(con, self._where)

    def leaves(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `LeafTable.leaves`.

        Raises:
            StoreCorruptError: an entry is missing.
        """
        with self._reading() as con:
            con.execute(LEAVES, {"start": start, "end": 2**62 if end is None else end})
            wanted = start
            while rows := con.fetchmany(FETCH_ROWS):
                for index, leaf in rows:
                    if index != wanted:
                        raise StoreCorruptError(self._where, f"entry {wanted} of the ledger is missing")
                    yield leaf
                    wanted += 1

    def salts(self, commitments: Sequence[Digest]) -> Mapping[Digest, bytes]:
        """See `LeafTable.salts`."""
        with self._reading() as con:
            return dict(con.execute(SALTS, {"commitments": list(commitments)}).fetchall())

    def keep_checkpoint(self, note: str) -> None:
        """See `LeafTable.keep_checkpoint`."""

        def replace(con: "DuckDBPyConnection") -> None:
            con.execute(FORGET_HEAD)
            con.execute(KEEP_HEAD, {"note": note})

        self._writing(replace)

    def checkpoint(self) -> str | None:
        """See `LeafTable.checkpoint`."""
        with self._reading() as con:
            row = con.execute(HEAD).fetchone()
        return None if row is None else str(row[0])


class DuckDBReceipts:
    """`ReceiptTable` in the database of a store."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._reading, self._writing = reading, writing

    def append(self, start: int, receipts: Sequence[KeptReceipt], note: str, edge: bytes) -> None:
        """See `ReceiptTable.append`."""
        if (size := self.size()) != start:
            raise ValueError(f"the batch starts at {start}, the store ends at {size}")

        def insert(con: "DuckDBPyConnection") -> None:
            if receipts:
                columns: dict[str, list[Any]] = {
                    "idx": [each.index for each in receipts],
                    "id": [each.id for each in receipts],
                    "body": [each.body for each in receipts],
                    "path": [b"".join(each.path) for each in receipts],
                    "secret": [each.secret for each in receipts],
                }
                con.execute(INSERT_RECEIPTS, columns)
            con.execute(INSERT_RECEIPT_HEAD, {"start": start, "size": start + len(receipts), "note": note, "edge": edge})

        self._writing(insert)

    def head(self) -> tuple[str, bytes] | None:
        """See `ReceiptTable.head`."""
        with self._reading() as con:
            row = con.execute(RECEIPT_HEAD).fetchone()
        return None if row is None else (row[0], row[1])

    def size(self) -> int:
        """See `ReceiptTable.size`."""
        with self._reading() as con:
            row = con.execute(RECEIPT_HEAD).fetchone()
        return 0 if row is None else int(row[2])

    def get(self, name: str) -> KeptReceipt | None:
        """See `ReceiptTable.get`."""
        with self._reading() as con:
            row = con.execute(RECEIPT, {"id": name}).fetchone()
        return None if row is None else _kept(row)

    def newest(self, count: int) -> list[KeptReceipt]:
        """See `ReceiptTable.newest`."""
        after = max(0, self.size() - count)
        with self._reading() as con:
            return [_kept(row) for row in con.execute(NEWEST_RECEIPTS, {"after": after}).fetchall()]


def _kept(row: tuple[Any, ...]) -> KeptReceipt:
    index, name, body, path, note, secret = row
    hashes = tuple(path[at : at + HASH_BYTES] for at in range(0, len(path), HASH_BYTES))
    return KeptReceipt(index, name, body, hashes, note, secret)


def copy_between(old: Path, new: Path, connect: Callable[[Path], "DuckDBPyConnection"]) -> None:
    """Copy ledger and receipts from one closed database file into another."""
    with closing(connect(old)) as source, closing(connect(new)) as target:
        carry_over(source, target)
