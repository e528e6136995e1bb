"""What the DuckDB store adds to the contract: files, crashes between two steps, damage, locks, speed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from rag_edit.core.errors import StoreCorruptError, StoreError, StoreLockedError, StoreMissingError
from rag_edit.core.record import Record
from rag_edit.records.duckdb_store import DuckDBStore
from rag_edit.records.head import Head, read_head
from rag_edit.records.log import Tail
from rag_edit.records.store import Act, Change, Edit

T = datetime(2026, 3, 1, tzinfo=UTC)
DATABASE, WAL, HEAD = "records-000001.duckdb", "records-000001.duckdb.wal", "head.json"

KILLED_AFTER_TWENTY = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from rag_edit.core.record import Record
from rag_edit.records.duckdb_store import DuckDBStore
from rag_edit.records.store import Act, Edit
store = DuckDBStore(Path(sys.argv[1]), create=True)
for i in range(20):
    edits = [Edit(Act.ADD, Record(id=f"r-{i}-{k}", jurisdiction="DE", question="q" * 300, answer="a"), 0) for k in range(10)]
    store.append(edits, idempotency_key=f"b{i}", recorded_at=datetime(2026, 3, 1, tzinfo=UTC))
os.kill(os.getpid(), signal.SIGKILL)
"""


def fact(name: str, answer: str = "a") -> Record:
    return Record(id=name, jurisdiction="DE", question="q", answer=answer)


def put(store: DuckDBStore, *names: str, key: str = "") -> None:
    edits = [Edit(Act.ADD, fact(name), 0) for name in names]
    store.append(edits, idempotency_key=key or names[0], recorded_at=T)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store of 200 records in 20 batches whose owner was killed: all of it is still in the write-ahead log."""
    place = tmp_path_factory.mktemp("killed") / "store"
    done = subprocess.run([sys.executable, "-c", KILLED_AFTER_TWENTY, str(place)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (place / WAL).stat().st_size > 100_000
    return place


@pytest.fixture(scope="module")
def settled(killed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the same store after it was opened and closed: all of it is in the database file."""
    place = tmp_path_factory.mktemp("settled") / "store"
    shutil.copytree(killed, place)
    with DuckDBStore(place) as store:
        assert store.health().ok
    assert not (place / WAL).exists()
    return place


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    return lambda source: shutil.copytree(source, tmp_path / "copy")


# --- making and opening ---


def test_there_is_no_store_where_none_was_made(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(StoreMissingError) as caught:
            DuckDBStore(place)
        assert str(place) in caught.value.message
        assert not (place / HEAD).exists()


def test_a_place_where_nothing_can_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        DuckDBStore(tmp_path / "file" / "store", create=True)
    (tmp_path / "store" / "owner.lock").mkdir(parents=True)
    with pytest.raises(StoreError, match="wanted a file to lock"):
        DuckDBStore(tmp_path / "store", create=True)
    shutil.rmtree(tmp_path / "store")
    with DuckDBStore(tmp_path / "store", create=True) as store, pytest.raises(StoreError, match="none"):
        store.snapshot(tmp_path / "none" / "snapshot")


def test_what_was_put_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    with DuckDBStore(tmp_path / "home" / "store", create=True) as store:
        put(store, "a", "b")
    with DuckDBStore(tmp_path / "home" / "store", create=True) as store:
        assert [version.name for version in store.live()] == ["a@1", "b@1"]
        put(store, "c")
        assert store.position() == 3


def test_files_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with DuckDBStore(tmp_path / "store", create=True) as store:
            put(store, "a")
            store.snapshot(tmp_path / "store" / "snapshot")
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "store").iterdir()}
    finally:
        os.umask(before)
    assert set(modes) == {DATABASE, WAL, HEAD, "owner.lock", "snapshot"}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "left",
    [[], [HEAD], [HEAD, f"{DATABASE}.new"], [f"{HEAD}.new"]],
    ids=["nothing", "the head without its database", "the head and half a database", "half a head"],
)
def test_a_store_whose_making_was_killed_is_made_by_the_next_opening(tmp_path: Path, left: list[str]) -> None:
    if HEAD in left:
        Head(DATABASE, Tail()).write(tmp_path)
    for name in left:
        if name != HEAD:
            (tmp_path / name).write_bytes(b"half of it")
    with DuckDBStore(tmp_path, create=True) as store:
        put(store, "a")
    with DuckDBStore(tmp_path) as store:
        assert store.position() == 1


def test_nothing_can_be_loaded_from_or_read_from_elsewhere_by_sql(settled: Path, copied: Callable[[Path], Path]) -> None:
    with DuckDBStore(copied(settled)) as store:
        for sql in ("SELECT * FROM read_csv('/etc/passwd')", "INSTALL vss", "LOAD vss", "SET enable_external_access = true"):
            with pytest.raises(duckdb.Error):
                store._con.execute(sql)


# --- one owner ---


def test_another_opening_is_refused_and_names_the_owner(tmp_path: Path) -> None:
    with DuckDBStore(tmp_path / "store", create=True) as store:
        put(store, "a")
        with pytest.raises(StoreLockedError, match="this process"):
            DuckDBStore(tmp_path / "store")
        with pytest.raises(StoreLockedError, match="this process"):
            DuckDBStore.restore(tmp_path / "store", tmp_path / "none")
        put(store, "b")
    DuckDBStore(tmp_path / "store").close()


def test_a_program_that_opened_the_database_file_itself_is_named(settled: Path, copied: Callable[[Path], Path]) -> None:
    place = copied(settled)
    hold = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(place / DATABASE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StoreLockedError, match=rf"PID {process.pid}"):
            DuckDBStore(place)
        process.kill()
    DuckDBStore(place).close()


def test_a_reader_that_is_still_reading_does_not_keep_a_closed_store_open(
    settled: Path, copied: Callable[[Path], Path]
) -> None:
    place = copied(settled)
    store = DuckDBStore(place)
    reader = store.live()
    next(reader)
    store.close()
    with DuckDBStore(place) as again:
        assert again.position() == 200
        with pytest.raises(StoreError, match="closed"):
            list(store.live())


# --- between commit and head ---


def test_a_store_that_is_longer_than_its_head_was_killed_between_the_two_and_heals(
    settled: Path, copied: Callable[[Path], Path]
) -> None:
    place = copied(settled)
    with DuckDBStore(place) as store:
        head = (place / HEAD).read_bytes()
        put(store, "x", "y")
        put(store, "z")
    (place / HEAD).write_bytes(head)
    with DuckDBStore(place) as store:
        assert store.position() == 203
        assert store.health().ok
    healed = read_head(place)
    assert healed is not None
    assert healed.tail.seq == 203


def test_an_append_whose_head_could_not_be_written_is_an_error_and_can_be_repeated(tmp_path: Path) -> None:
    with DuckDBStore(tmp_path / "store", create=True) as store:
        put(store, "a")
        (tmp_path / "store" / f"{HEAD}.new").mkdir()  # stands in the way of the head
        with pytest.raises(StoreError, match="head") as caught:
            put(store, "b")
        assert caught.value.retryable
        (tmp_path / "store" / f"{HEAD}.new").rmdir()
        put(store, "b")
        assert store.position() == 2
    assert read_head(tmp_path / "store") == Head(DATABASE, store._tail)


# --- damage ---


def cut(name: str, count: int) -> Callable[[Path], None]:
    return lambda place: os.truncate(place / name, (place / name).stat().st_size - count)


def flip(name: str, share: float) -> Callable[[Path], None]:
    def spoil(place: Path) -> None:
        content = bytearray((place / name).read_bytes())
        content[int(len(content) * share)] ^= 0b100
        (place / name).write_bytes(content)

    return spoil


def rehead(old: str, new: str) -> Callable[[Path], None]:
    def spoil(place: Path) -> None:
        text = (place / HEAD).read_text()
        assert old in text
        (place / HEAD).write_text(text.replace(old, new))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        pytest.param(
            cut(WAL, 1),
            "200 edits were acknowledged, the log ends at line 190",
            id="one byte of the log's tail",
            marks=pytest.mark.slow,
        ),
        pytest.param(cut(WAL, 3000), "200 edits were acknowledged, the log ends at line 190", id="3 kB of the log's tail"),
        pytest.param(
            cut(WAL, 20_000),
            "200 edits were acknowledged, the log ends at",
            id="20 kB of the log's tail",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda place: (place / WAL).unlink(), "the log ends at line 0", id="the whole log", marks=pytest.mark.slow
        ),
        pytest.param(flip(WAL, 0.0), "the log ends at line 0", id="a bit in the log's first byte"),
        pytest.param(flip(WAL, 0.5), "orrupt", id="a bit in the middle of the log", marks=pytest.mark.slow),
        pytest.param(flip(WAL, 0.999), "orrupt", id="a bit at the end of the log"),
    ],
)
def test_a_damaged_write_ahead_log_is_refused(
    killed: Path, copied: Callable[[Path], Path], spoil: Callable[[Path], None], found: str
) -> None:
    place = copied(killed)
    spoil(place)
    for _ in range(2):  # the first refusal must not make the second opening pass
        with pytest.raises(StoreCorruptError, match=found) as caught:
            DuckDBStore(place)
        assert "rag-edit restore" in caught.value.hint


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        pytest.param(lambda place: os.truncate(place / DATABASE, 0), "not a valid DuckDB", id="an empty file"),
        pytest.param(
            lambda place: os.truncate(place / DATABASE, 4096),
            "Could not read enough",
            id="a file cut to its header",
            marks=pytest.mark.slow,
        ),
        pytest.param(lambda place: os.truncate(place / DATABASE, 200_000), "Could not read enough", id="half a file"),
        pytest.param(flip(DATABASE, 0.0), "checksum", id="a bit in the file's header"),
        pytest.param(lambda place: (place / DATABASE).unlink(), "the file is missing, 200 edits", id="no database file"),
        pytest.param(lambda place: (place / HEAD).unlink(), "head.json is missing beside", id="no head"),
        pytest.param(lambda place: (place / HEAD).write_text(""), "not a head file", id="an empty head"),
        pytest.param(
            lambda place: (place / HEAD).write_text("[]"), "not a head file", id="a head that is a list", marks=pytest.mark.slow
        ),
        pytest.param(rehead("store 1", "store 2"), "format", id="a head of another format"),
        pytest.param(rehead(DATABASE, "../" + DATABASE), "same directory", id="a head that points elsewhere"),
        pytest.param(rehead('"position":200', '"position":201'), "201 edits were acknowledged", id="a head that knows more"),
        pytest.param(
            rehead('"position":200', '"position":199'), "another chain digest", id="a head that knows less, chain kept"
        ),
        pytest.param(
            rehead("sha256:", "sha256:0"), "another chain digest", id="a head with another chain", marks=pytest.mark.slow
        ),
    ],
)
def test_a_damaged_store_is_refused(
    settled: Path, copied: Callable[[Path], Path], spoil: Callable[[Path], None], found: str
) -> None:
    place = copied(settled)
    spoil(place)
    with pytest.raises(StoreCorruptError, match=found) as caught:
        DuckDBStore(place, create=True)  # even where a store may be made
    assert "rag-edit restore" in caught.value.hint


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, *(pytest.param(n / 40, marks=pytest.mark.slow) for n in range(40))])
def test_a_flipped_bit_anywhere_is_found_and_never_read_over(
    settled: Path, copied: Callable[[Path], Path], share: float
) -> None:
    place = copied(settled)
    with DuckDBStore(place) as sound:
        expected = list(sound.changes(0))
    flip(DATABASE, share)(place)
    problems, read = opened_and_read(place)
    assert any("checksum" in problem for problem in problems)
    assert read in (expected, None)


def opened_and_read(place: Path) -> tuple[tuple[str, ...], list[Change] | None]:
    """Return what opening or the full check complains of, and what is read without a complaint."""
    problems: tuple[str, ...] = ()
    try:
        with DuckDBStore(place) as store:
            problems = store.health().problems
            return problems, list(store.changes(0))
    except StoreCorruptError as error:
        return (*problems, error.message), None


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        pytest.param("UPDATE record_versions SET content = replace(content, '\"a\"', '\"b\"') WHERE seq = 7", "digest", id="a content"),
        pytest.param("UPDATE record_versions SET digest = 'sha256:0' WHERE seq = 7", "chain", id="a digest"),
        pytest.param("UPDATE record_versions SET jurisdiction = 'AT' WHERE seq = 7", "in AT holds", id="a place"),
        pytest.param("UPDATE record_versions SET valid_to = '2020-01-01' WHERE seq = 7", "validity", id="a validity"),
        pytest.param("UPDATE record_versions SET act = 'retract' WHERE seq = 7", "chain", id="an act"),
        pytest.param("UPDATE record_versions SET previous = 3 WHERE seq = 7", "does not follow", id="a succession"),
        pytest.param("UPDATE record_versions SET id_key = 3 WHERE seq = 7", "does not follow", id="a key"),
        pytest.param("UPDATE record_versions SET recorded_at = '2020-01-01' WHERE seq = 7", "chain", id="a time"),
        pytest.param("UPDATE edit_log SET author = 'x' WHERE seq = 7", "chain", id="an author"),
        pytest.param("UPDATE edit_log SET batch = 2 WHERE seq = 10", "batch", id="a line's batch"),
        pytest.param("UPDATE batches SET key = 'x' WHERE batch = 1", "chain", id="a batch's key"),
        pytest.param("UPDATE batches SET first_seq = 2 WHERE batch = 1", "batch", id="a batch's first line"),
        pytest.param("UPDATE batches SET last_seq = 9 WHERE batch = 1", "batch", id="a batch's last line"),
        pytest.param("UPDATE batches SET digest = 'x' WHERE batch = 1", "edits", id="a batch's digest"),
    ],
)  # fmt: skip
def test_a_row_that_somebody_changed_is_found(edited: Callable[[str], contextmanager], sql: str, problem: str) -> None:
    with edited(sql) as store:
        health = store.health()
        assert not health.ok
        assert any(problem in each for each in health.problems), health.problems


@pytest.fixture(scope="module")
def edited(settled: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], object]:
    """Lend the settled store, changed by a statement that is undone afterwards."""
    place = tmp_path_factory.mktemp("edited") / "store"
    shutil.copytree(settled, place)
    shared = DuckDBStore(place)

    @contextmanager
    def change(sql: str) -> Iterator[DuckDBStore]:
        tables = ("record_versions", "edit_log", "batches")
        for table in tables:
            shared._con.execute(f"CREATE TEMP TABLE kept_{table} AS FROM {table}")
        shared._con.execute(sql)
        try:
            yield shared
        finally:
            for table in tables:
                shared._con.execute(f"DELETE FROM {table}")
                shared._con.execute(f"INSERT INTO {table} FROM kept_{table}")
                shared._con.execute(f"DROP TABLE kept_{table}")

    return change


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("DELETE FROM record_versions WHERE seq = 7", "tables do not fit"),
        ("DELETE FROM edit_log WHERE seq > 190", "tables do not fit"),
        ("DELETE FROM batches WHERE batch = 20", "tables do not fit"),
        ("DROP TABLE batches", "does not exist"),
    ],
    ids=["a version is gone", "the log's end is gone", "the last batch is gone", "a table is gone"],
)
def test_missing_rows_are_found_at_opening(settled: Path, copied: Callable[[Path], Path], sql: str, found: str) -> None:
    place = copied(settled)
    with duckdb.connect(str(place / DATABASE)) as con:
        con.execute(sql)
    with pytest.raises(StoreCorruptError, match=found):
        DuckDBStore(place)


def test_a_content_that_somebody_changed_is_not_served(settled: Path, copied: Callable[[Path], Path]) -> None:
    place = copied(settled)
    with duckdb.connect(str(place / DATABASE)) as con:
        con.execute("UPDATE record_versions SET content = replace(content, '\"a\"', '\"b\"') WHERE seq = 7")
    with DuckDBStore(place) as store:
        assert store.get("r-0-5").record.answer == "a"
        for read in (lambda: store.get("r-0-6"), lambda: list(store.live()), lambda: store.snapshot(place / "s")):
            with pytest.raises(StoreCorruptError, match="r-0-6"):
                read()
        assert not (place / "s").exists()


# --- restoring ---


def test_a_restore_replaces_a_damaged_store_and_keeps_what_it_replaced(
    settled: Path, copied: Callable[[Path], Path], tmp_path: Path
) -> None:
    place, snapshot = copied(settled), tmp_path / "log.jsonl"
    with DuckDBStore(place) as store:
        digest = store.snapshot(snapshot)
    flip(DATABASE, 0.1)(place)
    damaged = (place / DATABASE).read_bytes()
    assert DuckDBStore.restore(place, snapshot, expected=digest) == 200
    with DuckDBStore(place) as store:
        assert store.snapshot(tmp_path / "again") == digest
        assert store.health().ok
    assert (place / DATABASE).read_bytes() == damaged
    DuckDBStore.restore(place, snapshot)
    assert sorted(path.name for path in place.glob("records*")) == ["records-000002.duckdb", "records-000003.duckdb"]


def test_a_snapshot_that_fails_its_check_leaves_a_good_store_as_it_is(
    settled: Path, copied: Callable[[Path], Path], tmp_path: Path
) -> None:
    place, snapshot = copied(settled), tmp_path / "log.jsonl"
    (place / "records-000000.duckdb").write_text("what an earlier restore replaced")
    with DuckDBStore(place) as store:
        store.snapshot(snapshot)
        put(store, "since")
    snapshot.write_bytes(snapshot.read_bytes()[:-100])
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    with pytest.raises(StoreCorruptError):
        DuckDBStore.restore(place, snapshot)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    with DuckDBStore(place) as store:
        assert store.position() == 201


def test_a_restore_that_was_killed_before_the_head_changes_nothing(settled: Path, copied: Callable[[Path], Path]) -> None:
    place = copied(settled)
    shutil.copy(place / DATABASE, place / "records-000002.duckdb")
    with DuckDBStore(place) as store:
        put(store, "since")
        store.snapshot(place / "s")
    DuckDBStore.restore(place, place / "s")
    assert sorted(path.name for path in place.glob("records*")) == [DATABASE, "records-000003.duckdb"]


# --- speed (limits are several times what was measured) ---


@pytest.mark.slow
def test_ten_thousand_records_are_put_within_a_second_and_three_places_read_from_a_hundred_thousand_in_150_ms(
    tmp_path: Path,
) -> None:
    records = [
        Record(
            id=f"r-{i}", jurisdiction=f"P{i % 250}", question=f"What is the rate of thing {i}?", answer=f"It is {i} %.",
            subject=f"thing {i}", paraphrases=(f"rate of thing {i}", f"thing {i}: which rate?"), target=f"{i} %",
        )
        for i in range(100_000)
    ]  # fmt: skip
    with DuckDBStore(tmp_path / "store", create=True) as store:
        put_s, read_s = [], []
        for start in range(0, 100_000, 10_000):
            edits = [Edit(Act.ADD, record, 0) for record in records[start : start + 10_000]]
            began = time.perf_counter()
            store.append(edits, idempotency_key=f"k{start}", recorded_at=T)
            put_s.append(time.perf_counter() - began)
        for _ in range(5):
            began = time.perf_counter()
            assert len(list(store.live(["P1", "P2", "P3"]))) == 1200
            read_s.append(time.perf_counter() - began)
    assert min(put_s) < 10
    assert min(read_s) < 2
