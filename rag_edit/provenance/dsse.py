"""DSSE envelopes: some bytes, what they are, and who signed both.

The signature covers type and bytes with their lengths, so neither can be exchanged. Verification looks at the bytes as
stored, first; parsing comes after. A key counts once, however often it signs. Narrower than the protocol, so that an
envelope has one spelling: key names are required, base64 is the standard alphabet only, the type is ASCII, and bytes that
are not this module's own writing are refused.

Source: secure-systems-lab/dsse, protocol.md (PAE) and envelope.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.digest import canonical_json
from rag_edit.provenance.canonical import MAX_ENTRY_BYTES, from_base64, read_json, to_base64
from rag_edit.provenance.errors import MalformedError, UnknownKeyError, VerificationError
from rag_edit.provenance.signer import SIGNATURE_BYTES, KeyName, Signer, public_bytes, verify

MAX_SIGNATURES: Final = 16


@dataclass(frozen=True, slots=True)
class Envelope:
    """Signed bytes.

    Attributes:
        payload_type: What the bytes are (a media type, ASCII).
        payload: The bytes.
        signatures: Key names with their signatures.
    """

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[KeyName, bytes], ...]

    def to_bytes(self) -> bytes:
        """Return the envelope's one spelling: canonical JSON.

        Raises:
            MalformedError: longer than an entry of the ledger may be.
        """
        data = canonical_json(
            {
                "payload": to_base64(self.payload),
                "payloadType": self.payload_type,
                "signatures": [{"keyid": key, "sig": to_base64(signature)} for key, signature in self.signatures],
            }
        )
        if len(data) > MAX_ENTRY_BYTES:
            raise MalformedError("statement", f"at most {MAX_ENTRY_BYTES} bytes with its signatures", f"{len(data)}")
        return data


def encode_for_signing(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed (PAE): both parts with their lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, signers: Sequence[Signer]) -> Envelope:
    """Return ``payload`` signed by each of ``signers``, at least one and each key once."""
    if not signers or len({signer.key for signer in signers}) != len(signers):
        raise ValueError(f"one or more signers of different keys, found {[signer.key for signer in signers]}")
    if not payload_type.isascii() or not payload_type:
        raise ValueError(f"an ASCII media type, found {payload_type!r}")
    message = encode_for_signing(payload_type, payload)
    return Envelope(payload_type, payload, tuple((signer.key, signer.sign(message)) for signer in signers))


def read_envelope(data: bytes, *, where: str = "envelope") -> Envelope:
    """Return the envelope that `Envelope.to_bytes` wrote. Nothing is verified yet.

    Raises:
        MalformedError: another form.
    """
    plain = read_json(data, where=where)
    if not isinstance(plain, dict) or set(plain) != {"payload", "payloadType", "signatures"}:
        raise MalformedError(where, "payload, payloadType and signatures", _shown(plain))
    kind, payload, found = plain["payloadType"], plain["payload"], plain["signatures"]
    if not (isinstance(kind, str) and kind and kind.isascii() and isinstance(payload, str) and isinstance(found, list)):
        raise MalformedError(where, "an ASCII payloadType, a payload in base64 and a list of signatures", "other types")
    if not 1 <= len(found) <= MAX_SIGNATURES:
        raise MalformedError(where, f"1 to {MAX_SIGNATURES} signatures", f"{len(found)}")
    signatures: list[tuple[KeyName, bytes]] = []
    for each in found:
        if not isinstance(each, dict) or set(each) != {"keyid", "sig"}:
            raise MalformedError(where, "keyid and sig", _shown(each))
        key = str(each["keyid"])
        public_bytes(key)
        signatures.append((key, from_base64(str(each["sig"]), where=f"{where}: signature", length=SIGNATURE_BYTES)))
    if len({key for key, _ in signatures}) != len(signatures):
        raise MalformedError(where, "each key once", "a key twice")
    envelope = Envelope(kind, from_base64(payload, where=f"{where}: payload"), tuple(signatures))
    if envelope.to_bytes() != data:
        raise MalformedError(where, "canonical JSON", "another spelling of the same envelope")
    return envelope


def verified_keys(
    envelope: Envelope, payload_type: str, accepts: Callable[[KeyName], bool], *, where: str = "envelope"
) -> frozenset[KeyName]:
    """Return the accepted keys that signed the envelope; at least one.

    Args:
        envelope: From `read_envelope`.
        payload_type: The type that the caller will read the bytes as.
        accepts: Whether a key may sign this, here. Signatures of others count for nothing.
        where: Named in errors.

    Raises:
        VerificationError: another type, or a signature of an accepted key that does not hold.
        UnknownKeyError: no accepted key signed.
    """
    if envelope.payload_type != payload_type:
        raise VerificationError(where, f"the type {payload_type}", envelope.payload_type)
    message = encode_for_signing(envelope.payload_type, envelope.payload)
    counted = [(key, signature) for key, signature in envelope.signatures if accepts(key)]
    for key, signature in counted:
        if not verify(key, message, signature):
            raise VerificationError(where, f"a signature of {key}", "one that does not hold")
    if not counted:
        raise UnknownKeyError(where, ", ".join(key for key, _ in envelope.signatures))
    return frozenset(key for key, _ in counted)


def _shown(value: object) -> str:
    return ", ".join(map(str, value))[:120] if isinstance(value, dict) else type(value).__name__
