"""Lines that a later run goes on with."""

from pathlib import Path

import pytest

from rag_edit.bench.resumable import ResumableLines

DUE = ["a", "b", "c"]
A, B = {"id": "a", "n": 1}, {"id": "b", "n": 2}


def test_lines_of_the_same_state_are_kept(tmp_path: Path) -> None:
    file = ResumableLines(tmp_path / "deep" / "raw.jsonl", "state 1")
    assert file.resume(DUE) == []
    file.append([A])
    file.append([B])
    assert ResumableLines(file.path, "state 1").resume(DUE) == [A, B]


def test_another_state_starts_anew(tmp_path: Path) -> None:
    file = ResumableLines(tmp_path / "raw.jsonl", "state 1")
    file.resume(DUE)
    file.append([A])
    assert ResumableLines(file.path, "state 2").resume(DUE) == []
    assert not file.path.exists()


TORN = {
    "a line cut off": b'{"id": "b", "n"',
    "a whole line without its end": b'{"id": "b", "n": 2}',
    "a line that is no JSON": b"{]\n",
    "a line that is no object": b"[1]\n",
    "a line that is not due": b'{"id": "x"}\n',
    "bytes that are no text": b"\xff\xfe\n",
}


@pytest.mark.parametrize("tail", TORN.values(), ids=TORN)
def test_the_file_is_cut_after_the_last_line_that_is_whole_and_due(tail: bytes, tmp_path: Path) -> None:
    file = ResumableLines(tmp_path / "raw.jsonl", "s")
    file.resume(DUE)
    file.append([A])
    with file.path.open("ab") as raw:
        raw.write(tail)
    assert file.resume(DUE) == [A]
    file.append([B])
    assert file.resume(DUE) == [A, B]


def test_lines_past_the_last_one_due_are_dropped(tmp_path: Path) -> None:
    file = ResumableLines(tmp_path / "raw.jsonl", "s")
    file.resume(DUE)
    file.append([A, B])
    assert file.resume(["a"]) == [A]
