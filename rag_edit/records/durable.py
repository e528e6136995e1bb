"""Files that are replaced whole or not at all, and stay so when the power goes.

New content goes to a neighbour of the target, is flushed to disk, and takes the target's name in one step; then the
directory is flushed. Files are readable by their owner alone unless asked otherwise. Nothing here knows what the files hold.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of ``path`` when the block ends without an error; else nothing changes.

    Args:
        path: The file to replace or make.
        mode: Its permissions, less the process's umask.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    flush_directory(path.parent)


def flush_directory(directory: Path) -> None:
    """Make renames, creations and removals in ``directory`` durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
