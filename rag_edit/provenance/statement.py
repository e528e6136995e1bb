"""Statements: what was done to what, said in one form (in-toto Statement v1) and signed as one entry of the ledger.

A statement has subjects (names with a SHA-256: a record's version is ``id@version`` with the commitment to its content), a
kind and a predicate: plain JSON whose meaning belongs to whoever acts on the kind. This module reads and signs; it does
not know who may say what.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.digest import Digest, Json, canonical_json
from rag_edit.provenance.canonical import read_json
from rag_edit.provenance.dsse import read_envelope, seal, verified_keys
from rag_edit.provenance.errors import MalformedError
from rag_edit.provenance.signer import KeyName, Signer

PAYLOAD_TYPE: Final = "application/vnd.rag-edit.statement+json"
TYPE: Final = "https://in-toto.io/Statement/v1"
KIND_PREFIX, KIND_SUFFIX = "urn:rag-edit:", ":v1"
KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about: a name, and the digest or commitment of the thing."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Statement:
    """One act.

    Attributes:
        kind: The act's name: ``publish``, ``approve``, ``key``...; lower case.
        subjects: At least one.
        predicate: The rest, as plain JSON without floats.
    """

    kind: str
    subjects: tuple[Subject, ...]
    predicate: Mapping[str, Json]

    def to_bytes(self) -> bytes:
        """Return the bytes to sign."""
        if not KIND.fullmatch(self.kind) or not self.subjects:
            raise ValueError(f"a kind in lower case and one or more subjects, found {self.kind!r} of {len(self.subjects)}")
        for subject in self.subjects:
            if not DIGEST.fullmatch(subject.digest):
                raise ValueError(f"a digest sha256:<64 hex>, found {subject.digest!r}")
        subjects: list[Json] = [{"name": s.name, "digest": {"sha256": s.digest.removeprefix("sha256:")}} for s in self.subjects]
        return canonical_json(
            {
                "_type": TYPE,
                "predicate": self.predicate,
                "predicateType": f"{KIND_PREFIX}{self.kind}{KIND_SUFFIX}",
                "subject": subjects,
            }
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger, verified and read.

    Attributes:
        index: Its position, from 0.
        statement: What it says.
        signers: The keys that said it: those whose signatures were accepted and hold.
    """

    index: int
    statement: Statement
    signers: frozenset[KeyName]


def statement_of(plain: Json) -> Statement:
    """Return a statement that another part wrote as plain JSON (`rag_edit.authority` writes acts so).

    Raises:
        MalformedError: another form.
    """
    return read_statement(canonical_json(plain))


def sign_statement(statement: Statement, signers: Sequence[Signer]) -> bytes:
    """Return the ledger entry of a statement: these bytes are stored, and verified as stored.

    Raises:
        MalformedError: too long, or a predicate that a strict reader refuses (depth, large integers, U+0000).
    """
    payload = statement.to_bytes()
    read_statement(payload)
    return seal(PAYLOAD_TYPE, payload, signers).to_bytes()


def read_entry(leaf: bytes, index: int, accepts: Callable[[KeyName], bool]) -> Entry:
    """Return the statement of a ledger entry, verified before it is parsed.

    Args:
        leaf: As stored.
        index: Its position.
        accepts: Whether a key may sign at this position.

    Raises:
        MalformedError, VerificationError, UnknownKeyError: as `read_envelope` and `verified_keys` say.
    """
    where = f"entry {index}"
    envelope = read_envelope(leaf, where=where)
    signers = verified_keys(envelope, PAYLOAD_TYPE, accepts, where=where)
    return Entry(index, read_statement(envelope.payload, where=where), signers)


def read_statement(payload: bytes, *, where: str = "statement") -> Statement:
    """Return the statement that `Statement.to_bytes` wrote. Nothing is verified.

    Raises:
        MalformedError: another form.
    """
    plain = read_json(payload, where=where)
    if (
        not isinstance(plain, dict)
        or set(plain) != {"_type", "predicate", "predicateType", "subject"}
        or plain["_type"] != TYPE
    ):
        raise MalformedError(where, f"a statement of type {TYPE}", "another form")
    predicate, kind, found = plain["predicate"], str(plain["predicateType"]), plain["subject"]
    name = kind.removeprefix(KIND_PREFIX).removesuffix(KIND_SUFFIX)
    if kind != f"{KIND_PREFIX}{name}{KIND_SUFFIX}" or not KIND.fullmatch(name):
        raise MalformedError(where, f"a predicateType {KIND_PREFIX}NAME{KIND_SUFFIX}", repr(kind[:80]))
    if not isinstance(predicate, dict) or not isinstance(found, list) or not found:
        raise MalformedError(where, "a predicate and one or more subjects", "other types")
    return Statement(name, tuple(_subject(each, where) for each in found), predicate)


def _subject(plain: Json, where: str) -> Subject:
    if isinstance(plain, dict) and set(plain) == {"name", "digest"}:
        name, digest = plain["name"], plain["digest"]
        if isinstance(name, str) and isinstance(digest, dict) and set(digest) == {"sha256"}:
            tagged = f"sha256:{digest['sha256']}"
            if DIGEST.fullmatch(tagged):
                return Subject(name, tagged)
    raise MalformedError(where, "subjects of a name and a digest {sha256: 64 hex digits}", "another form")
