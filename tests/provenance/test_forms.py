"""Bytes that are signed have one spelling: JSON, base64, envelopes, notes, checkpoints, proofs."""

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_edit.core.digest import canonical_json
from rag_edit.provenance.canonical import from_base64, read_json, to_base64
from rag_edit.provenance.checkpoint import Checkpoint, Proof, open_checkpoint, read_checkpoint_text, read_proof
from rag_edit.provenance.dsse import encode_for_signing, read_envelope, seal, verified_keys
from rag_edit.provenance.errors import MalformedError, ProvenanceError, UnknownKeyError, VerificationError
from rag_edit.provenance.note import NoteKey, open_note, read_note_key, sign_note, split_note
from rag_edit.provenance.signer import SeedSigner, name_key, public_bytes, verify

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other work may slow it


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":1,"a":2}', id="a key twice"),
        pytest.param(b'{"a":{"b":1,"b":1}}', id="a key twice, inside"),
        pytest.param(b'{"a":1.0}', id="a float"),
        pytest.param(b'{"a":1e3}', id="an exponent"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":-Infinity}', id="an infinity"),
        pytest.param(b'{"a":9007199254740992}', id="an integer that some readers round"),
        pytest.param(b'"\\ud800"', id="a lone surrogate"),
        pytest.param(b'"a\\u0000b"', id="a NUL"),
        pytest.param(b'"\xff"', id="no UTF-8"),
        pytest.param(b"[" * 17 + b"]" * 17, id="17 levels"),
        pytest.param(b"[" * 50_000, id="50,000 levels"),
        pytest.param(b"{} {}", id="two values"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'"' + b"a" * 61_441 + b'"', id="too long"),
    ],
)
def test_json_that_readers_may_disagree_about_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_json(data, where="test")


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@quick
@given(plain)
def test_what_is_written_canonically_is_read_back(value: Any) -> None:
    assert read_json(canonical_json(value), where="test") == value


@pytest.mark.parametrize("text", ["QQ", "QQ=", "QR==", "QQ==\n", "Q Q==", "-_==", "QQ===", "ÄQ=="])
def test_another_spelling_of_base64_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        from_base64(text, where="test")


@quick
@given(st.binary(max_size=40))
def test_base64_goes_there_and_back(data: bytes) -> None:
    assert from_base64(to_base64(data), where="test", length=len(data)) == data


def test_ed25519_signs_and_verifies_as_rfc_8032_says(vectors: dict[str, Any]) -> None:
    for case in vectors["ed25519"]["vectors"]:
        signer, message, signature = (
            SeedSigner(bytes.fromhex(case["seed"])),
            bytes.fromhex(case["message"]),
            bytes.fromhex(case["signature"]),
        )
        assert signer.key == name_key(bytes.fromhex(case["public"]))
        assert signer.sign(message) == signature
        assert verify(signer.key, message, signature)
        assert not verify(signer.key, message + b"x", signature)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("ed25519:" + "00" * 32, id="a point of order 4"),
        pytest.param("ed25519:01" + "00" * 31, id="the neutral element"),
        pytest.param("ed25519:ec" + "ff" * 30 + "7f", id="the point of order 2"),
        pytest.param("ed25519:c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", id="a point of order 8"),
        pytest.param("ed25519:" + "ff" * 32, id="a coordinate beyond the field"),
        pytest.param("ed25519:" + "AB" * 32, id="upper case"),
        pytest.param("ed25519:" + "ab" * 31, id="too short"),
        pytest.param("rsa:" + "ab" * 32, id="another algorithm"),
    ],
)
def test_a_key_that_would_sign_anything_or_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(MalformedError):
        public_bytes(key)


def test_a_signer_does_not_show_its_private_key(signer_of: Any) -> None:
    assert repr(signer_of("a")) == f"SeedSigner({signer_of('a').key[:24]}...)"


def test_envelopes_encode_and_verify_as_the_published_vectors(vectors: dict[str, Any]) -> None:
    for case in vectors["dsse"]["vectors"]:
        message = encode_for_signing(case["type"], base64.b64decode(case["payload"]))
        assert message.hex() == case["pae"], case["id"]
        assert verify(f"ed25519:{vectors['dsse']['keys'][case['key']]}", message, base64.b64decode(case["sig"])), case["id"]


def test_an_envelope_is_read_as_it_was_written_and_counts_each_key_once(signer_of: Any) -> None:
    a, b, c = signer_of("a"), signer_of("b"), signer_of("c")
    envelope = read_envelope(seal("text/plain", b"hello", [a, b]).to_bytes())
    assert verified_keys(envelope, "text/plain", lambda key: key != c.key) == {a.key, b.key}
    assert verified_keys(envelope, "text/plain", lambda key: key == b.key) == {b.key}
    with pytest.raises(UnknownKeyError):
        verified_keys(envelope, "text/plain", lambda key: key == c.key)
    with pytest.raises(VerificationError, match="the type"):
        verified_keys(envelope, "text/html", lambda _key: True)
    with pytest.raises(ValueError, match="different keys"):
        seal("text/plain", b"hello", [a, a])


def test_the_same_signature_under_another_type_does_not_hold(signer_of: Any) -> None:
    envelope = seal("text/plain", b"hello", [signer_of("a")])
    swapped = read_envelope(envelope.to_bytes().replace(b"text/plain", b"text/other"))
    with pytest.raises(VerificationError, match="does not hold"):
        verified_keys(swapped, "text/other", lambda _key: True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: b" " + d, id="a space before"),
        pytest.param(lambda d: d.replace(b'"sig":', b'"sig": '), id="a space inside"),
        pytest.param(lambda d: d.replace(b'"keyid"', b'"key\\u0069d"'), id="an escape"),
        pytest.param(lambda d: d.replace(b"}]}", b'}],"x":1}'), id="a field more"),
        pytest.param(lambda d: d.replace(b'"signatures":[', b'"signatures":[],"s":['), id="no signatures"),
        pytest.param(lambda d: d.replace(b"ed25519:", b"ed448:"), id="another algorithm"),
    ],
)
def test_an_envelope_in_another_spelling_is_refused(change: Any, signer_of: Any) -> None:
    data = seal("text/plain", b"hello", [signer_of("a")]).to_bytes()
    with pytest.raises(MalformedError):
        read_envelope(change(data))


def test_notes_sign_and_open_as_in_the_published_tests(vectors: dict[str, Any]) -> None:
    case = vectors["note"]
    key, other = read_note_key(case["key"]), read_note_key(case["other_key"])
    seed = base64.b64decode(case["seed_key"].split("+", 4)[4])[1:]
    note = sign_note(case["text"], "PeterNeumann", SeedSigner(seed))
    assert note == f"{case['text']}\n{case['signature']}"
    assert str(key) == case["key"]
    assert open_note(note, [other, key]) == (case["text"], (key,))
    both = note + case["other_signature"]
    assert open_note(both, [key]) == (case["text"], (key,))
    assert open_note(both, [key, other]) == (case["text"], (key, other))
    with pytest.raises(UnknownKeyError):
        open_note(both, [])
    with pytest.raises(VerificationError):
        open_note(both.replace("cryptography", "cryptographY"), [key])


def test_the_example_of_the_signed_note_format_opens(vectors: dict[str, Any]) -> None:
    case = vectors["signed_note"]
    assert open_note(case["note"], [read_note_key(case["key"])])[0] == "This is an example message.\n"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda n: n[:-1], id="the last line does not end"),
        pytest.param(lambda n: "\x01" + n, id="a control character"),
        pytest.param(lambda n: n + "Unexpected line.\n", id="a line that is no signature"),
        pytest.param(lambda n: n.replace("— Peter", "— Peter "), id="a space in a key's name"),
        pytest.param(lambda n: n.replace("\n\n", "\n"), id="no blank line"),
        pytest.param(lambda n: n + n.rsplit("\n", 2)[1].join(["", "\n"]) * 16, id="17 signatures"),
        pytest.param(lambda n: n.replace("— P", "- P"), id="another dash"),
        pytest.param(lambda n: n.encode() + b"\xff\n", id="no UTF-8"),
    ],
)
def test_what_is_not_a_note_is_refused(change: Any, vectors: dict[str, Any]) -> None:
    case = vectors["note"]
    with pytest.raises(MalformedError):
        open_note(change(f"{case['text']}\n{case['signature']}"), [read_note_key(case["key"])])


def test_no_part_or_change_of_a_note_key_is_a_note_key(vectors: dict[str, Any]) -> None:
    text = vectors["note"]["key"]
    changed = [text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :] for at in range(len(text))]
    for bad in [*changed, *(text[:at] for at in range(len(text))), *(text[at:] for at in range(1, len(text)))]:
        with pytest.raises(MalformedError):
            read_note_key(bad)


def test_the_example_checkpoint_is_read_and_written_byte_for_byte(vectors: dict[str, Any]) -> None:
    text, _ = split_note(vectors["checkpoint"]["note"])
    head = read_checkpoint_text(text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert head.to_text() == text


@pytest.mark.parametrize("size", ["01", "+1", "-1", "1.0", "", " 1", "１", "99999999999999999"])
def test_a_size_in_another_spelling_is_refused(size: str) -> None:
    with pytest.raises(MalformedError):
        read_checkpoint_text(f"example.org/log\n{size}\n{to_base64(bytes(32))}\n")


def test_extension_lines_are_refused() -> None:
    with pytest.raises(MalformedError):
        read_checkpoint_text(f"example.org/log\n1\n{to_base64(bytes(32))}\nextra\n")


def test_a_checkpoint_is_signed_under_its_own_name_only(signer_of: Any) -> None:
    signer = signer_of("a")
    head = Checkpoint("example.org/a", 1, bytes(32))
    keys = [NoteKey("example.org/a", signer.key), NoteKey("example.org/b", signer.key)]
    assert open_checkpoint(head.sign(signer), keys) == head
    with pytest.raises(UnknownKeyError):
        open_checkpoint(sign_note(head.to_text(), "example.org/b", signer), keys)


@quick
@given(st.integers(0, 2**40), st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_a_proof_goes_there_and_back(index: int, path: list[bytes]) -> None:
    proof = Proof(index, tuple(path), "origin\n1\nroot\n\nsignature\n")
    assert read_proof(proof.to_text()) == proof


@quick
@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda b: b.decode("latin-1")))
def test_no_text_brings_a_reader_down(text: str) -> None:
    for reader in (
        read_proof,
        read_checkpoint_text,
        split_note,
        read_note_key,
        lambda t: read_envelope(t.encode("utf-8", "replace")),
    ):
        with contextlib.suppress(ProvenanceError):
            reader(text)
