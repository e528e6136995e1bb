"""Signed notes and the keys that verify them, in the text format of C2SP: lines for people, signatures beneath.

A verifier's key is one line, ``name+hash+base64``. Signatures of keys that are not known are ignored; one by a known key
that does not hold spoils the whole note; a note that no known key signed is not read. Ed25519 only.

Source: c2sp.org/signed-note@v1.0.0.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.provenance.canonical import from_base64, to_base64
from rag_edit.provenance.errors import MalformedError, UnknownKeyError, VerificationError
from rag_edit.provenance.signer import SIGNATURE_BYTES, KeyName, Signer, name_key, public_bytes, verify

MAX_SIGNATURES: Final = 16
MAX_NOTE_BYTES: Final = 64 * 1024
ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """Whose signature on a note counts: a name and a public key."""

    name: str
    key: KeyName

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise MalformedError("note key", "a name without spaces and plus", repr(self.name))

    @property
    def hash(self) -> bytes:
        """Return the 4 bytes that announce the key in a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + public_bytes(self.key)).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{to_base64(ED25519 + public_bytes(self.key))}"


def is_key_name(name: str) -> bool:
    """Return whether a note may be signed under ``name``."""
    return bool(name) and "+" not in name and name.isprintable() and not any(char.isspace() for char in name)


def read_note_key(text: str) -> NoteKey:
    """Return the key of a line ``name+hash+base64``.

    Raises:
        MalformedError: another form, another algorithm, or a hash that is not the key's.
    """
    name, _, rest = text.partition("+")
    digest, _, blob = rest.partition("+")
    data = from_base64(blob, where="note key", length=33)
    if data[:1] != ED25519:
        raise MalformedError("note key", "an Ed25519 key (type 1)", f"type {data[0]}")
    key = NoteKey(name, name_key(data[1:]))
    if digest != key.hash.hex():
        raise MalformedError("note key", f"the hash {key.hash.hex()}", repr(digest))
    return key


def sign_note(text: str, name: str, signer: Signer) -> str:
    """Return ``text`` as a note signed under ``name``.

    Raises:
        MalformedError: text that does not end its last line, holds control characters, or a name that cannot sign.
    """
    _check_text(text)
    key = NoteKey(name, signer.key)
    return f"{text}\n{_line(name, key.hash + signer.sign(text.encode()))}"


def open_note(note: str | bytes, keys: Sequence[NoteKey], *, where: str = "note") -> tuple[str, tuple[NoteKey, ...]]:
    """Return the text of a note and which of ``keys`` signed it.

    Args:
        note: The note, as stored.
        keys: Those that are trusted.
        where: Named in errors.

    Raises:
        MalformedError: not a note.
        UnknownKeyError: none of ``keys`` signed it.
        VerificationError: a signature that claims to be of one of ``keys`` does not hold.
    """
    text, lines = split_note(note, where=where)
    signed: list[NoteKey] = []
    for name, blob in lines:
        known = next((key for key in keys if key.name == name and key.hash == blob[:4]), None)
        if known is None:
            continue
        if len(blob) != 4 + SIGNATURE_BYTES or not verify(known.key, text.encode(), blob[4:]):
            raise VerificationError(where, f"a signature of {known}", "one that does not hold")
        if known not in signed:
            signed.append(known)
    if not signed:
        raise UnknownKeyError(where, ", ".join(f"{name}+{blob[:4].hex()}" for name, blob in lines))
    return text, tuple(signed)


def split_note(note: str | bytes, *, where: str = "note") -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """Return a note's text and its signatures (name; 4 bytes of key hash and the signature). Nothing is verified.

    Raises:
        MalformedError: not a note.
    """
    try:
        data = note if isinstance(note, bytes) else note.encode()
        whole = data.decode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise MalformedError(where, "UTF-8", f"a stray byte at {error.start}") from error
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedError(where, f"at most {MAX_NOTE_BYTES} bytes", f"{len(data)}")
    text, blank, rest = whole.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise MalformedError(where, "a text, a blank line and signature lines", "no such lines")
    text += "\n"
    _check_text(text, where)
    lines = rest[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError(where, f"at most {MAX_SIGNATURES} signatures", f"{len(lines)}")
    signatures: list[tuple[str, bytes]] = []
    for line in lines:
        name, space, blob = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space or not is_key_name(name):
            raise MalformedError(where, "lines of a dash, a key name and base64", repr(line[:60]))
        signed = from_base64(blob, where=f"{where}: signature")
        if len(signed) < 5:
            raise MalformedError(where, "a signature", f"{len(signed)} bytes")
        signatures.append((name, signed))
    return text, tuple(signatures)


def _line(name: str, signature: bytes) -> str:
    return f"{_DASH}{name} {to_base64(signature)}\n"


def _check_text(text: str, where: str = "note") -> None:
    if not text.endswith("\n"):
        raise MalformedError(where, "text whose last line ends", repr(text[-20:]))
    if any(char < " " and char != "\n" for char in text):
        raise MalformedError(where, "no control characters but the end of a line", ascii(text[:60]))
