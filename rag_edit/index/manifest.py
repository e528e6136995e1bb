"""The manifest of a partition on disk: which files it is made of and what they were made from.

    indexes/<partition>/manifest.json              replaced last; what it does not name does not exist
    indexes/<partition>/base-<serial>.faiss        immutable
    indexes/<partition>/delta-<serial>.faiss       rows added since the base; immutable too

Every file name is new, every file is complete and on disk before the manifest that names it, so a crash at any point
leaves the old partition or the new one. The manifest carries its own digest.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rag_edit.core.digest import Digest, canonical_json, digest_bytes, digest_file
from rag_edit.core.errors import CorruptPartitionError, PartitionError
from rag_edit.index.partition import Ids

FORMAT: Final = "rag-edit partition 1"
METRIC: Final = "inner product"
MANIFEST: Final = "manifest.json"
_PLAIN_NAME: Final = re.compile(r"[A-Z0-9]([A-Z0-9-]{0,30}[A-Z0-9])?")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a partition: its name, tagged SHA-256 and number of rows."""

    name: str
    digest: Digest
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a partition's files are.

    Attributes:
        partition: The jurisdiction; a directory copied under another name is refused.
        serial: Rises by one with every manifest written.
        generation: Rises by one with every base.
        embedder, dim: Whose vectors they are.
        rows: Digest of the live row ids, see `digest_rows`.
        dead: Row ids masked in the base.
        base, delta: The files; None where there is none.
    """

    partition: str
    serial: int
    generation: int
    embedder: str
    dim: int
    rows: Digest
    dead: tuple[int, ...] = ()
    base: StoredFile | None = None
    delta: StoredFile | None = None

    def files(self) -> tuple[StoredFile, ...]:
        """Return the files named."""
        return tuple(file for file in (self.base, self.delta) if file is not None)


def digest_rows(ids: Ids) -> Digest:
    """Return the digest of a set of row ids: SHA-256 over the sorted ids as big-endian 64-bit integers."""
    return f"sha256:{hashlib.sha256(np.sort(ids).astype('>i8').tobytes()).hexdigest()}"


def directory_name(partition: str) -> str:
    """Return a directory name for any jurisdiction code: the code itself where it is plain, else a digest."""
    if _PLAIN_NAME.fullmatch(partition):
        return partition
    return f"x-{hashlib.sha256(partition.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def read_manifest(directory: Path) -> Manifest | None:
    """Return the manifest in ``directory``; None where there is none.

    Raises:
        CorruptPartitionError: it cannot be read, or fails its own digest.
    """
    path = directory / MANIFEST
    where = f"{directory.name}/{MANIFEST}"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CorruptPartitionError(where, "a readable file", str(error)) from error
    try:
        plain = json.loads(data)
        found = plain.pop("digest")
        wanted = digest_bytes(canonical_json(plain))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise CorruptPartitionError(where, "a manifest", f"{type(error).__name__}: {error}") from error
    if found != wanted:
        raise CorruptPartitionError(where, f"digest {wanted:.19}", f"{found!s:.19}")
    if (plain.pop("format", None), plain.pop("metric", None)) != (FORMAT, METRIC):
        raise CorruptPartitionError(where, f"format {FORMAT!r}, metric {METRIC!r}", "another")
    try:
        plain["dead"] = tuple(plain["dead"])
        for name in ("base", "delta"):
            plain[name] = None if plain[name] is None else StoredFile(**plain[name])
        return Manifest(**plain)
    except (TypeError, KeyError) as error:
        raise CorruptPartitionError(where, "the fields of a manifest", str(error)) from error


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Put ``manifest`` in place of the one before; all or nothing, on disk when this returns.

    Raises:
        PartitionError: the disk refuses.
    """
    plain = {**asdict(manifest), "format": FORMAT, "metric": METRIC, "dead": list(manifest.dead)}
    data = canonical_json({**plain, "digest": digest_bytes(canonical_json(plain))})
    write_file(directory / MANIFEST, lambda path: path.write_bytes(data))


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file all or nothing: beside it, synced, renamed over it, the directory synced.

    Raises:
        PartitionError: the disk refuses; what was there before is still there.
    """
    beside = path.with_name(f"{path.name}.tmp")
    try:
        write(beside)
        _sync(beside)
        beside.replace(path)
        _sync(path.parent)
    except (OSError, RuntimeError) as error:  # FAISS raises RuntimeError when a write fails
        beside.unlink(missing_ok=True)
        raise PartitionError(
            f"{path.parent.name}/{path.name} cannot be written: {error}",
            hint="free some disk space; then: rag-edit index build",
        ) from error


def check_file(directory: Path, file: StoredFile) -> Path:
    """Return the path of a file that is bit-equal to what was written.

    Raises:
        CorruptPartitionError: it is missing, unreadable or changed.
    """
    path = directory / file.name
    where = f"{directory.name}/{file.name}"
    if Path(file.name).name != file.name:
        raise CorruptPartitionError(where, "a file name", repr(file.name))
    try:
        found = digest_file(path)
    except OSError as error:
        raise CorruptPartitionError(where, "a readable file", error.strerror or str(error)) from error
    if found != file.digest:
        raise CorruptPartitionError(where, f"{file.digest:.19}", f"{found:.19}")
    return path


def sweep(directory: Path, manifest: Manifest | None) -> None:
    """Delete what a crash left behind and what the manifest no longer names."""
    named = {MANIFEST, *(file.name for file in manifest.files())} if manifest else set()
    for path in directory.glob("*"):
        if path.name not in named and (path.suffix == ".tmp" or path.name.startswith(("base-", "delta-"))):
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
