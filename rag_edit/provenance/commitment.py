"""Salted commitments: the ledger and the receipts name what was said without holding it.

The digest covers a label, 32 random bytes of salt and the content. Whoever is given salt and content can check that they
are the ones; without the salt nothing can be guessed, however few contents are possible. Salt and content live in a store
that can be erased: once both are gone the digest is noise, and every proof over it stays valid.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rag_edit.core.digest import Digest
from rag_edit.provenance.errors import MalformedError

SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Commitment:
    """A digest to publish, and the salt to keep. The salt is not shown."""

    digest: Digest
    salt: bytes = field(repr=False)


def commit(label: str, content: bytes, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Commitment:
    """Return a commitment to ``content`` under a fresh salt.

    Args:
        label: What it is ("question", "answer", "record"), so that one kind cannot pass for another. No NUL.
        content: Any bytes.
        random: Source of randomness.
    """
    salt = random(SALT_BYTES)
    return Commitment(committed(label, salt, content), salt)


def committed(label: str, salt: bytes, content: bytes) -> Digest:
    """Return SHA-256 over ``rag-edit/LABEL/v1``, a NUL, the salt and the content, tagged.

    Raises:
        MalformedError: a salt of another length.
    """
    if len(salt) != SALT_BYTES:
        raise MalformedError("salt", f"{SALT_BYTES} bytes", f"{len(salt)}")
    if "\0" in label:
        raise ValueError(f"a label without NUL, found {label!r}")
    head = f"rag-edit/{label}/v1\0".encode()
    return f"sha256:{hashlib.sha256(head + salt + content).hexdigest()}"


def opens(digest: Digest, label: str, salt: bytes, content: bytes) -> bool:
    """Return whether ``digest`` is the commitment to ``content`` under ``salt``."""
    return hmac.compare_digest(digest, committed(label, salt, content))
