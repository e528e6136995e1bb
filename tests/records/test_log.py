"""The file form of an edit log refuses whatever was not written by it, and says where."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag_edit.core.digest import canonical_json, digest_file
from rag_edit.core.errors import StoreCorruptError
from rag_edit.core.record import Record
from rag_edit.records.log import FORMAT, Tail, admit, make_batch, read_log, write_log
from rag_edit.records.store import Act, Edit

T = datetime(2026, 3, 1, tzinfo=UTC)


def fact(name: str) -> Record:
    return Record(id=name, jurisdiction="DE", question="q", answer=f"the answer of {name}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    newest, tail, log = {}, Tail(), []
    for key, edits in {
        "first": [Edit(Act.ADD, fact("a"), 0), Edit(Act.ADD, fact("b"), 0, reason='so "record":null it is')],
        "second": [Edit(Act.RETRACT, fact("a"), 1), Edit(Act.ADD, fact("c"), 0)],
    }.items():
        entries = admit(make_batch(edits, key=key, recorded_at=T), newest, tail)
        newest |= {entry.record.id: entry.newest for entry in entries}
        tail = Tail(entries[-1].seq, entries[-1].chain)
        log += entries
    write_log(tmp_path / "log.jsonl", log, tail)
    return tmp_path / "log.jsonl"


def edited(text: str, line: int, **values: object) -> str:
    lines = text.splitlines()
    lines[line] = json.dumps(json.loads(lines[line]) | values)
    return "\n".join(lines) + "\n"


def test_a_log_is_read_as_it_was_written(path: Path) -> None:
    batches = list(read_log(path, digest_file(path)))
    assert [(batch.key, [entry.record.id for entry in entries]) for batch, entries in batches] == [
        ("first", ["a", "b"]),
        ("second", ["a", "c"]),
    ]
    assert batches[0][1][1].reason == 'so "record":null it is'


def test_every_line_is_canonical_json(path: Path) -> None:
    for line in path.read_bytes().splitlines():
        assert canonical_json(json.loads(line)) == line


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "hello\n", id="no JSON"),
        pytest.param(lambda _: "[]\n", id="another JSON"),
        pytest.param(lambda text: text.replace(FORMAT, "rag-edit edit log 2"), id="another format"),
        pytest.param(lambda text: "".join(text.splitlines(keepends=True)[:-1]), id="its last line missing"),
        pytest.param(lambda text: "".join(text.splitlines(keepends=True)[:1]), id="its header alone"),
        pytest.param(lambda text: text[:-40], id="cut within a line"),
        pytest.param(lambda text: "".join(text.splitlines(keepends=True)[i] for i in (0, 2, 3, 4)), id="a line left out"),
        pytest.param(lambda text: "".join(text.splitlines(keepends=True)[i] for i in (0, 2, 1, 3, 4)), id="lines exchanged"),
        pytest.param(lambda text: text + text.splitlines(keepends=True)[-1], id="a line twice"),
        pytest.param(lambda text: text.replace("answer of c", "answer of d"), id="an answer changed"),
        pytest.param(lambda text: text.replace("answer of a", "answer of x", 1), id="a closed version changed"),
        pytest.param(lambda text: edited(text, 2, author="somebody"), id="an author changed"),
        pytest.param(lambda text: edited(text, 2, batch="other"), id="a batch divided"),
        pytest.param(lambda text: edited(text, 1, recorded_at="2020-01-01T00:00:00+00:00"), id="a time changed"),
        pytest.param(lambda text: edited(text, 1, recorded_at="yesterday"), id="a time that is none"),
        pytest.param(lambda text: edited(text, 2, record={"id": "x"}), id="a record that breaks the format"),
        pytest.param(lambda text: edited(text, 2, record="x"), id="a record that is none"),
        pytest.param(lambda text: edited(text, 2, act="forget"), id="an unknown act"),
        pytest.param(lambda text: edited(text, 2, version=2), id="a version skipped"),
        pytest.param(lambda text: edited(text, 2, version="1"), id="a version that is a text"),
        pytest.param(lambda text: edited(text, 0, position=5), id="a header that promises more"),
        pytest.param(lambda text: f"{text}[]\n", id="a line that is a list"),
        pytest.param(lambda text: f"{text}\n{{}}\n", id="a line that says nothing"),
    ],
)
def test_a_log_that_was_changed_is_refused(path: Path, spoil: Callable[[str], str]) -> None:
    path.write_text(spoil(path.read_text()))
    with pytest.raises(StoreCorruptError) as caught:
        list(read_log(path))
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_bytes_that_are_no_text_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"answer of c", b"answer \xff of c"))
    with pytest.raises(StoreCorruptError):
        list(read_log(path))


def test_a_log_with_another_digest_than_expected_is_refused_before_its_first_line(path: Path) -> None:
    with pytest.raises(StoreCorruptError, match="wanted sha256:0"):
        next(read_log(path, f"sha256:{'0' * 64}"))


def test_a_write_that_fails_leaves_the_file_that_was_there(path: Path) -> None:
    before = path.read_bytes()

    def broken() -> object:
        raise RuntimeError("the disk is full")
        yield

    with pytest.raises(RuntimeError):
        write_log(path, broken(), Tail())  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
