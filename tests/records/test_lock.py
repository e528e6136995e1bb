"""One owner per store; whoever comes second is told who the first is, and a dead owner is in nobody's way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag_edit.core.errors import StoreLockedError
from rag_edit.records.lock import LOCK_NAME, OwnerLock

HOLD = """
import sys
from pathlib import Path
from rag_edit.records.lock import OwnerLock
lock = OwnerLock.acquire(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_told_the_number_and_command_of_the_first_and_succeeds_once_that_is_killed(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        with pytest.raises(StoreLockedError) as caught:
            OwnerLock.acquire(tmp_path)
        assert f"process {process.pid} (" in caught.value.holder
        assert "-c import sys from pathlib import Path" in caught.value.holder
        assert caught.value.retryable
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == process.pid
        with OwnerLock.acquire(tmp_path) as lock:
            assert lock.is_held


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        '{"pid": 1, "started": "1", "command": "somebody who lived before"}',
        '{"pid": 99999999, "started": "5", "command": "somebody who is dead"}',
    ],
    ids=["nothing", "half a line", "another value", "a number that was given away again", "a number nobody has"],
)
def test_a_file_that_does_not_say_the_holder_is_not_believed(tmp_path: Path, said: str) -> None:
    with OwnerLock.acquire(tmp_path):
        (tmp_path / LOCK_NAME).write_text(said)
        with pytest.raises(StoreLockedError) as caught:
            OwnerLock.acquire(tmp_path)
    # The system's own list names the holder where it can be read, else the holder stays unnamed.
    assert caught.value.holder.startswith("this process (") or caught.value.holder == "another process"


def test_one_process_cannot_take_it_twice(tmp_path: Path) -> None:
    with OwnerLock.acquire(tmp_path), pytest.raises(StoreLockedError, match="this process"):
        OwnerLock.acquire(tmp_path)
    OwnerLock.acquire(tmp_path).release()


def test_letting_go_twice_does_nothing(tmp_path: Path) -> None:
    lock = OwnerLock.acquire(tmp_path)
    lock.release()
    lock.release()
    assert not lock.is_held


def test_the_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        OwnerLock.acquire(tmp_path).release()
    finally:
        os.umask(before)
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600
