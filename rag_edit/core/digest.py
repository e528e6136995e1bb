"""Canonical JSON and tagged digests: the one form in which a stored thing is named.

The canonical form is part of the documented contract: UTF-8, keys sorted by code point, no white space, no floats
(a float has several spellings; use integers or decimal strings), every string in the form given. It agrees with RFC 8785
on every value admitted here. Digests carry their algorithm: ``sha256:<64 hex digits>``.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
Digest: TypeAlias = str


def canonical_json(value: Json) -> bytes:
    """Return the one canonical encoding of ``value``.

    Raises:
        TypeError: a float, a non-string key or a type that JSON lacks.
        UnicodeEncodeError: a lone surrogate.
    """
    _refuse_floats(value)
    # Python sorts str by code point and RFC 8785 by UTF-16 unit; they differ only beyond U+FFFF, and keys here are ASCII.
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest_bytes(data: bytes) -> Digest:
    """Return the tagged SHA-256 of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_json(value: Json) -> Digest:
    """Return the tagged digest of the canonical form of ``value``."""
    return digest_bytes(canonical_json(value))


def digest_file(path: Path) -> Digest:
    """Return the tagged SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_set(members: Iterable[str]) -> Digest:
    """Return the digest of a set of strings: the order of ``members`` and repeats do not matter."""
    return digest_json(sorted(set(members)))


def _refuse_floats(value: object) -> None:
    if value is None or isinstance(value, (str, int)):  # most values: the checks below are slow
        return
    if isinstance(value, float):
        raise TypeError(f"no floats in digested JSON: {value!r}")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys are strings, found {key!r}")
            _refuse_floats(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            _refuse_floats(inner)
