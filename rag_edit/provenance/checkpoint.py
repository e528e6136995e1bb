"""Checkpoints and proofs as text: the signed head of a log, and the evidence that one entry stands under it (C2SP).

A checkpoint is a signed note of three lines: the log's name (origin), how many entries it has, their root. Extension lines
are allowed by the format and refused here: nobody could audit them. A log signs under its origin as the key's name.

Source: c2sp.org/tlog-checkpoint, c2sp.org/tlog-proof@v1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.provenance.canonical import MAX_INTEGER, from_base64, to_base64
from rag_edit.provenance.errors import MalformedError
from rag_edit.provenance.merkle import HASH_BYTES
from rag_edit.provenance.note import NoteKey, is_key_name, open_note, sign_note, split_note
from rag_edit.provenance.signer import Signer

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_PATH: Final = 63
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log.

    Attributes:
        origin: The log's name; also the name of the key that signs it.
        size: Entries.
        root: Root hash over them (32 bytes).
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.origin) or not 0 <= self.size <= MAX_INTEGER or len(self.root) != HASH_BYTES:
            raise MalformedError(
                "checkpoint", "a name without spaces and plus, a size and a root of 32 bytes", f"{self.origin!r}, {self.size}"
            )

    def to_text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    def sign(self, signer: Signer) -> str:
        """Return the signed checkpoint."""
        return sign_note(self.to_text(), self.origin, signer)


def read_checkpoint_text(text: str, *, where: str = "checkpoint") -> Checkpoint:
    """Return the checkpoint of three lines. Nothing is verified.

    Raises:
        MalformedError: another form.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedError(where, "three lines: origin, size, root", f"{text.count(chr(10))} lines")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise MalformedError(where, "a size in decimal", repr(size[:24]))
    return Checkpoint(origin, int(size), from_base64(root, where=f"{where}: root", length=HASH_BYTES))


def open_checkpoint(note: str | bytes, keys: Sequence[NoteKey], *, where: str = "checkpoint") -> Checkpoint:
    """Return a signed checkpoint, verified: a trusted key signed it under the log's own name.

    Raises:
        MalformedError, VerificationError, UnknownKeyError: as `open_note` and `read_checkpoint_text` say.
    """
    origin = split_note(note, where=where)[0].partition("\n")[0]
    text, _ = open_note(note, [key for key in keys if key.name == origin], where=where)
    return read_checkpoint_text(text, where=where)


@dataclass(frozen=True, slots=True)
class Proof:
    """That one entry stands at ``index`` of a signed log.

    Attributes:
        index: The entry's position.
        path: Sibling hashes, lowest first.
        checkpoint: The signed checkpoint, as text.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def to_text(self) -> str:
        """Return the proof as lines."""
        return "\n".join([PROOF_HEADER, f"index {self.index}", *map(to_base64, self.path), "", self.checkpoint])


def read_proof(text: str, *, where: str = "proof") -> Proof:
    """Return the proof that `Proof.to_text` wrote; extra data, which nothing signs, is refused. Nothing is verified.

    Raises:
        MalformedError: another form.
    """
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != PROOF_HEADER or not blank:
        raise MalformedError(where, f"{PROOF_HEADER}, an index, hashes, a blank line and a checkpoint", repr(head[:60]))
    index = lines[1].removeprefix("index ") if len(lines) > 1 else ""
    if not _SIZE.fullmatch(index) or lines[1] != f"index {index}":
        raise MalformedError(where, "a line: index NUMBER", repr(lines[1][:40]) if len(lines) > 1 else "nothing")
    if len(lines) - 2 > MAX_PATH:
        raise MalformedError(where, f"at most {MAX_PATH} hashes", f"{len(lines) - 2}")
    path = tuple(from_base64(line, where=f"{where}: hash", length=HASH_BYTES) for line in lines[2:])
    return Proof(int(index), path, checkpoint)
