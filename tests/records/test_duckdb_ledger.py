"""The tables of ledger and receipts in a DuckDB store: upgraded in place, kept through a restore."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from rag_edit.core.errors import StoreCorruptError
from rag_edit.core.record import Record
from rag_edit.records.duckdb_store import DuckDBStore
from rag_edit.records.leaves import KeptReceipt, Leaves
from rag_edit.records.store import Act, Edit

T = datetime(2026, 3, 1, tzinfo=UTC)
EDIT = Edit(Act.ADD, Record("vat", "DE", "How high is VAT?", "19 %"), 0)


def database(home: Path) -> Path:
    return max(home.glob("records-*.duckdb"))


def test_a_store_made_before_there_was_a_ledger_opens_with_an_empty_one(tmp_path: Path) -> None:
    with DuckDBStore(tmp_path, create=True) as store:
        store.append([EDIT], idempotency_key="k", recorded_at=T)
    with duckdb.connect(str(database(tmp_path))) as con:
        for table in ("ledger_leaves", "ledger_salts", "ledger_head", "ledger_covered", "receipts", "receipt_heads"):
            con.execute(f"DROP TABLE {table}")
    with DuckDBStore(tmp_path) as store:
        assert (store.position(), store.ledger.size(), store.ledger.covered(), store.receipts.size()) == (1, 0, 0, 0)
        assert store.ledger.checkpoint() is None


def test_entries_and_receipts_are_there_after_closing_and_opening(tmp_path: Path) -> None:
    kept = KeptReceipt(0, "r1", b"{}", (b"h" * 32,), "note", b"salt")
    with DuckDBStore(tmp_path, create=True) as store:
        store.append([EDIT], idempotency_key="k", recorded_at=T, leaves=Leaves(0, (b"one",)))
        store.receipts.append(0, [kept], "note", b"e" * 32)
    with DuckDBStore(tmp_path) as store:
        assert list(store.ledger.leaves()) == [b"one"]
        assert store.receipts.get("r1") == kept == store.receipts.newest(5)[0]
        assert store.receipts.get("r2") is None


def test_a_restore_of_the_records_takes_the_ledger_along_and_leaves_open_what_it_covers(tmp_path: Path) -> None:
    home, snapshot = tmp_path / "home", tmp_path / "snapshot"
    with DuckDBStore(home, create=True) as store:
        store.snapshot(snapshot)
        store.append([EDIT], idempotency_key="k", recorded_at=T, leaves=Leaves(0, (b"one",), {"sha256:a": b"s"}))
        store.ledger.keep_checkpoint("head\n")
        store.receipts.append(0, [KeptReceipt(0, "r1", b"{}", (), "note")], "note", b"")
    DuckDBStore.restore(home, snapshot)
    with DuckDBStore(home) as store:
        assert (store.position(), store.ledger.covered()) == (0, 0)
        assert list(store.ledger.leaves()) == [b"one"]
        assert (store.ledger.checkpoint(), store.receipts.size()) == ("head\n", 1)


def test_a_missing_entry_is_noticed(tmp_path: Path) -> None:
    with DuckDBStore(tmp_path, create=True) as store:
        store.ledger.extend(Leaves(0, (b"one", b"two", b"three")))
    with duckdb.connect(str(database(tmp_path))) as con:
        con.execute("DELETE FROM ledger_leaves WHERE idx = 1")
    with DuckDBStore(tmp_path) as store:
        with pytest.raises(StoreCorruptError, match="entry 1 of the ledger is missing"):
            list(store.ledger.leaves())
        with pytest.raises(StoreCorruptError, match="2 entries, the last is number 2"):
            store.ledger.size()
