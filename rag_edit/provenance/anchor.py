"""Signed checkpoints kept outside the database: what a store that was cut, changed or restored from an older copy is held against.

An anchor only grows, and is a witness as far as it can be one alone: of one log it keeps no head that is smaller than the one before,
and never two roots for one size, whoever signed them. That a larger head extends the one before is for whoever has the entries to
check; `rag_edit.provenance.ledger` does before it signs. `FileAnchor` is a file of JSON Lines, best on another disk, or where another person can read it; a
line is on disk before `keep` returns, and a last line that was torn by a crash was never acknowledged and is passed over.
Whoever can change both the store and every anchor can hide a roll-back from this machine; not from an auditor who holds one
old checkpoint.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from rag_edit.core.digest import canonical_json
from rag_edit.provenance.canonical import read_json
from rag_edit.provenance.checkpoint import read_checkpoint_text
from rag_edit.provenance.errors import MalformedError, RolledBackError
from rag_edit.provenance.note import split_note

MAX_LINE_BYTES = 128 * 1024


class Anchor(Protocol):
    """A place outside the database that keeps checkpoints."""

    def keep(self, note: str) -> None:
        """Keep a signed checkpoint; it is durable on return.

        Raises:
            RolledBackError: it contradicts the one kept last: of the same log, but smaller, or as large with another root.
        """
        ...

    def newest(self) -> str | None:
        """Return the checkpoint kept last; None where there is none."""
        ...

    def notes(self) -> Iterator[str]:
        """Yield every checkpoint kept, oldest first."""
        ...


def check_follows(newest: str | None, note: str) -> None:
    """Refuse a checkpoint that cannot follow the one kept last.

    Raises:
        RolledBackError: it contradicts it.
        MalformedError: it is no checkpoint.
    """
    head = read_checkpoint_text(split_note(note)[0])
    before = read_checkpoint_text(split_note(newest)[0]) if newest is not None else head
    same_log = head.origin == before.origin
    if same_log and (head.size < before.size or (head.size == before.size and head.root != before.root)):
        found = f"{head.size} entries with root {head.root.hex()[:16]}..."
        raise RolledBackError(head.origin, f"{before.size} entries with root {before.root.hex()[:16]}..., or more", found)


class MemoryAnchor:
    """An anchor for tests, and for a store that lives in memory itself."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def keep(self, note: str) -> None:
        """Keep a signed checkpoint. See `Anchor.keep`."""
        check_follows(self.newest(), note)
        self._notes.append(note)

    def newest(self) -> str | None:
        """Return the checkpoint kept last."""
        return self._notes[-1] if self._notes else None

    def notes(self) -> Iterator[str]:
        """Yield every checkpoint kept, oldest first."""
        yield from self._notes


class FileAnchor:
    """An anchor in one file, a line a checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = -1  # bytes of whole lines; -1 before the file was read
        self._newest: str | None = None

    def keep(self, note: str) -> None:
        """Append a signed checkpoint and flush it to disk.

        Raises:
            RolledBackError: it contradicts the one kept last.
            MalformedError: the file holds something else.
            OSError: it cannot be written.
        """
        check_follows(self.newest(), note)
        line = canonical_json({"checkpoint": note}) + b"\n"
        fresh = not self.path.exists()
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
            file.truncate(self._size)  # a torn last line
            file.seek(self._size)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            _flush_directory(self.path.parent)
        self._size += len(line)
        self._newest = note

    def newest(self) -> str | None:
        """Return the checkpoint kept last.

        Raises:
            MalformedError: a line is not a checkpoint's.
        """
        if self._size < 0:
            self._size, self._newest = 0, None
            for note in self.notes():
                self._newest = note
        return self._newest

    def notes(self) -> Iterator[str]:
        """Yield every checkpoint kept, oldest first.

        Raises:
            MalformedError: a line is not a checkpoint's.
        """
        if not self.path.exists():
            return
        size = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                size += len(line)
                yield _note(line, f"{self.path}:{number}")
        self._size = size


def _note(line: bytes, where: str) -> str:
    plain = read_json(line, where=where, max_bytes=MAX_LINE_BYTES)
    if not isinstance(plain, dict) or set(plain) != {"checkpoint"} or not isinstance(plain["checkpoint"], str):
        raise MalformedError(where, "a line with a checkpoint", "another form")
    return plain["checkpoint"]


def _flush_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
