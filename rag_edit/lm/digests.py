"""Digests of model files and of loaded weights, without costing seconds at every start.

A file's digest is remembered under the cache directory by (path, size, modification time); ``verify=True`` reads the file
again. Weights are digested as they lie in memory, so that any change after loading shows. Knows nothing about what the
weights are for.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag_edit.core.digest import Digest, digest_file

if TYPE_CHECKING:
    import torch


def file_digest(path: Path, cache: Path, *, verify: bool = False) -> Digest:
    """Return the tagged SHA-256 of a file, from memory when its size and modification time are as they were.

    Args:
        path: The file.
        cache: Directory for the memory; created. One that cannot be written costs time, nothing else.
        verify: Read the file even when it is remembered.
    """
    path = path.resolve()
    stat = path.stat()
    memory = cache / "digests" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:24]}.json"
    key = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    if not verify:
        with suppress(OSError, ValueError):
            held = json.loads(memory.read_text(encoding="utf-8"))
            if isinstance(held, dict) and {k: held.get(k) for k in key} == key and _is_digest(held.get("digest")):
                return str(held["digest"])
    digest = digest_file(path)
    with suppress(OSError):
        write_atomically(memory, json.dumps({**key, "digest": digest}).encode())
    return digest


def weight_digest(tensors: Iterable[tuple[str, "torch.Tensor"]]) -> Digest:
    """Return the digest of named tensors: name, dtype, shape and bytes of each, in the order of their names.

    Args:
        tensors: Name and tensor pairs on any device; read in pieces of one tensor, never copied as a whole.
    """
    import torch

    total = hashlib.sha256(b"rag-edit-weights-v1\n")
    for name, tensor in sorted(tensors, key=lambda pair: pair[0]):
        total.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        plain = tensor.detach().cpu().contiguous()
        if plain.numel():
            total.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return f"sha256:{total.hexdigest()}"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and value.startswith("sha256:") and len(value) == len("sha256:") + 64
