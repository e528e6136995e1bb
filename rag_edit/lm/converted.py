"""Directories that are made once from something else and kept: filled aside, renamed into place, checked by their own list.

Safe in several processes and at any kill: what is there is whole, or is made again. Knows nothing about what is in them.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_MARKER: Final = "converted.json"


def convert_once(
    target: Path, about: dict[str, str], convert: Callable[[Path], None], *, before: Callable[[], None] | None = None
) -> Path:
    """Fill ``target`` by ``convert``, unless it is there and whole; safe in several processes, and at any kill.

    Args:
        target: The directory wanted.
        about: What it is made from; a directory made from something else is made again.
        convert: Called with an empty directory on the same file system.
        before: Called just before ``convert``.
    """
    if _is_whole(target, about):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.parent / f".{target.name}.lock"):
        if _is_whole(target, about):
            return target
        if before is not None:
            before()
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            convert(aside)
            sizes = {str(file.relative_to(aside)): file.stat().st_size for file in sorted(aside.rglob("*")) if file.is_file()}
            (aside / _MARKER).write_text(json.dumps({**about, "sizes": sizes}, sort_keys=True), encoding="utf-8")
            _make_readable(aside)
            if target.exists():
                shutil.rmtree(target)
            aside.rename(target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return target


def _is_whole(target: Path, about: dict[str, str]) -> bool:
    with suppress(OSError, ValueError, AttributeError):
        marker = json.loads((target / _MARKER).read_text(encoding="utf-8"))
        sizes = marker.pop("sizes")
        return bool(marker == about and all((target / name).stat().st_size == size for name, size in sizes.items()))
    return False


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold ``path`` against other processes; the system lets go when the process ends, however it ends."""
    with path.open("a") as file:
        try:
            import fcntl
        except ImportError:  # not on this system: two processes may convert at once, the rename keeps that harmless
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_readable(directory: Path) -> None:
    """Let other users read what was made: weights are no secret, and a shared cache is made by one of them."""
    directory.chmod(0o755)
    for path in directory.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
