"""The directory of a DuckDB store: ``records-<n>.duckdb``, of which the head names the one that counts, made and changed safely.

A database file gets its name only when it is complete and closed, and counts only when the head names it. So a kill at any
instant leaves the store as it was, or as it was to be. Nothing is deleted but what a restore replaced before the last one.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rag_edit.core.errors import StoreCorruptError, StoreMissingError
from rag_edit.records import duckdb_file as db
from rag_edit.records import duckdb_ledger as side
from rag_edit.records.durable import flush_directory
from rag_edit.records.head import Head, read_head
from rag_edit.records.log import Batch, Entry, Tail

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RESTORE_ENTRIES: Final = 20_000  # lines written at a time by a restore


def make_directory(directory: Path) -> None:
    """Make the directory where it is missing, for its owner only; one that is there keeps its permissions."""
    if not directory.is_dir():
        with db.translated(directory):
            directory.mkdir(mode=0o700, parents=True)
            flush_directory(directory.parent)


def head_of(directory: Path, *, create: bool) -> Head:
    """Return the directory's head; write a first one where there is no store and one may be made."""
    head = read_head(directory)
    if head is None:
        left = sorted(path.name for path in directory.glob("records-*.duckdb"))
        if left:
            raise StoreCorruptError(str(directory), f"head.json is missing beside {', '.join(left)}")
        if not create:
            raise StoreMissingError(str(directory))
        head = Head(file_name(1), Tail())
        with db.translated(directory):
            head.write(directory)
    return head


def open_checked(path: Path, acknowledged: Tail) -> tuple["DuckDBPyConnection", Tail, int]:
    """Open a database file and return it with the end of its log and the number of its batches."""
    if not path.exists():
        if acknowledged.seq:
            raise StoreCorruptError(str(path), f"the file is missing, {acknowledged.seq} edits were acknowledged")
        make(path, iter(()))  # the store is new, or a kill came between its head and its file
    con = db.connect(path)
    try:
        with db.translated(path):
            tail, batches = db.read_tail(con, acknowledged, where=str(path))
            side.ensure_tables(con)
    except BaseException:
        db.close_untouched(con)
        raise
    return con, tail, batches


def make(path: Path, log: Iterator[tuple[Batch, tuple[Entry, ...]]]) -> Tail:
    """Make a database file that holds ``log``, and return where that ends. The file has its name only when it is complete."""
    fresh = path.with_name(f"{path.name}.new")
    for stale in (fresh, wal_of(fresh)):
        stale.unlink(missing_ok=True)
    tail, number = Tail(), 1
    try:
        with closing(db.connect(fresh)) as con, db.translated(fresh):
            con.execute(db.TABLES)
            con.execute(side.TABLES)
            chunk: list[tuple[Batch, tuple[Entry, ...]]] = []
            waiting = 0
            for batch, entries in log:
                chunk.append((batch, entries))
                waiting += len(entries)
                tail = Tail(entries[-1].seq, entries[-1].chain)
                if waiting >= RESTORE_ENTRIES:
                    db.write(con, number, chunk)
                    number, chunk, waiting = number + len(chunk), [], 0
            if chunk:
                db.write(con, number, chunk)
            con.execute("CHECKPOINT")
        fresh.chmod(0o600)
        fresh.replace(path)
    except BaseException:
        for stale in (fresh, wal_of(fresh)):
            stale.unlink(missing_ok=True)
        raise
    flush_directory(path.parent)
    return tail


def tidy(directory: Path, *, keep: tuple[str, ...]) -> None:
    """Remove the database files but those named: what a restore replaced before the last one, or left unfinished."""
    for path in directory.glob("records-*.duckdb*"):
        if not path.name.startswith(keep):
            path.unlink()


def file_name(number: int) -> str:
    """Return the name of the directory's database file of that number, from 1."""
    return f"records-{number:06d}.duckdb"


def wal_of(path: Path) -> Path:
    """Return where DuckDB keeps the write-ahead log of a database."""
    return path.with_name(f"{path.name}.wal")
