"""Bytes that are signed have one spelling: strict readers of JSON and base64.

Writing is `rag_edit.core.digest.canonical_json`. Bytes are signed once and verified as they are stored; nothing is
serialised again to be verified. Readers refuse what another reader might read differently: duplicate keys, floats, NaN,
integers beyond 2^53 - 1, lone surrogates, U+0000, deep nesting, a second base64 spelling of the same bytes.
"""

import base64
import binascii
import json
from typing import Final, NoReturn

from rag_edit.core.digest import Json
from rag_edit.provenance.errors import MalformedError

MAX_ENTRY_BYTES: Final = 60 * 1024  # C2SP entry bundles count an entry's bytes in 16 bits
MAX_DEPTH: Final = 16
MAX_INTEGER: Final = 2**53 - 1


def read_json(data: bytes, *, where: str, max_bytes: int = MAX_ENTRY_BYTES) -> Json:
    """Return the value of JSON that has one meaning.

    Raises:
        MalformedError: longer than ``max_bytes``, not UTF-8, not JSON, or JSON that readers may disagree about.
    """
    if len(data) > max_bytes:
        raise MalformedError(where, f"at most {max_bytes} bytes", f"{len(data)}")

    def pairs(items: list[tuple[str, Json]]) -> dict[str, Json]:
        plain = dict(items)
        if len(plain) != len(items):
            names = [name for name, _ in items]
            raise MalformedError(where, "each key once", f"{next(n for n in names if names.count(n) > 1)!r} twice")
        return plain

    def refuse(found: str) -> NoReturn:
        raise MalformedError(where, "integers and no other numbers", found)

    def integer(digits: str) -> int:
        if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
            raise MalformedError(where, "integers up to 2^53 - 1", digits[:24])
        return int(digits)

    try:
        text = data.decode("utf-8")
        value: Json = json.loads(text, object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse, parse_int=integer)
    except UnicodeDecodeError as error:
        raise MalformedError(where, "UTF-8", f"byte {data[error.start]:#04x} at {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise MalformedError(where, "JSON", f"{type(error).__name__}: {error}") from error
    _check(value, where, MAX_DEPTH)
    return value


def _check(value: Json, where: str, depth: int) -> None:
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
            raise MalformedError(where, "text without U+0000 and lone surrogates", ascii(value[:40]))
    elif isinstance(value, (dict, list)):
        if depth == 0:
            raise MalformedError(where, f"at most {MAX_DEPTH} levels", "more")
        if isinstance(value, dict):
            for key, inner in value.items():
                _check(key, where, depth)
                _check(inner, where, depth - 1)
        else:
            for inner in value:
                _check(inner, where, depth - 1)


def to_base64(data: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, *, where: str, length: int | None = None) -> bytes:
    """Return the bytes of standard base64 in its one spelling.

    Args:
        text: With padding, without white space, with zero bits at the end.
        where: Named in the error.
        length: Bytes wanted; None for any.

    Raises:
        MalformedError: another alphabet, padding, trailing bits or length.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise MalformedError(where, "base64", repr(text[:60])) from error
    if to_base64(data) != text:
        raise MalformedError(where, "base64 in its one spelling", repr(text[-24:]))
    if length is not None and len(data) != length:
        raise MalformedError(where, f"{length} bytes in base64", f"{len(data)}")
    return data
