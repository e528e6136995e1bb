"""Signing and verifying Ed25519: the seam behind which private keys live.

A key is named by what it is: ``ed25519:`` and the public key in hex. So a name cannot point at another key, two names
cannot be one key, and verifying needs no table. A `Signer` signs bytes and shows its public name; where the private key
is (an encrypted file, a variable of the environment, a hardware module) is its own business.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from rag_edit.provenance.errors import MalformedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KeyName: TypeAlias = str
PREFIX: Final = "ed25519:"
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_PRIME: Final = 2**255 - 19
# y of the points whose eightfold is the neutral element: under such a key, one signature fits many messages
_Y8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _PRIME - 1, _Y8, _PRIME - _Y8})


class Signer(Protocol):
    """Whoever can sign for one key."""

    @property
    def key(self) -> KeyName:
        """Return the name of the key, which is its public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) of ``message``, as given."""
        ...


class SeedSigner:
    """A signer whose private key is in this process's memory. Never shown."""

    __slots__ = ("_private", "key")

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if len(seed) != SEED_BYTES:
            raise MalformedError("private key", f"{SEED_BYTES} bytes", f"{len(seed)}")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = name_key(self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"SeedSigner({self.key[:24]}...)"


def name_key(public: bytes) -> KeyName:
    """Return the name of a public key."""
    return PREFIX + public.hex()


def public_bytes(key: KeyName) -> bytes:
    """Return the public key (32 bytes) that ``key`` names.

    Raises:
        MalformedError: not such a name, or a key that would sign anything.
    """
    digits = key.removeprefix(PREFIX)
    if not key.startswith(PREFIX) or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise MalformedError("key", f"{PREFIX} and 64 lower-case hex digits", repr(key[:80]))
    public = bytes.fromhex(digits)
    y = int.from_bytes(public, "little") & (2**255 - 1)
    if y >= _PRIME or y in _SMALL_ORDER:
        raise MalformedError("key", "a point of the curve, in its one spelling and not of small order", repr(key))
    return public


def verify(key: KeyName, message: bytes, signature: bytes) -> bool:
    """Return whether ``signature`` is the key's over ``message``.

    Raises:
        MalformedError: ``key`` is not the name of a key.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        _public(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=256)
def _public(key: KeyName) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(public_bytes(key))
    except ValueError as error:
        raise MalformedError("key", "a point of the curve", repr(key)) from error
