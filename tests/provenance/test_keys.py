"""Keys at rest, and the keyring: which key may sign what at which position."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_edit.provenance.errors import (
    KeyFileError,
    KeyRefusedError,
    MalformedError,
    ProvenanceError,
    UnknownKeyError,
    VerificationError,
)
from rag_edit.provenance.keyfile import (
    create_key_file,
    key_of_file,
    local_passphrase,
    open_key_file,
    signer_from_environment,
)
from rag_edit.provenance.keyring import KeyUse, compromise, enrolment, read_entries, revocation, rotation, suspects
from rag_edit.provenance.signer import SeedSigner, verify
from rag_edit.provenance.statement import Statement, Subject, sign_statement
from rag_edit.testing import FakeHsm

LIGHT = 10
DIGEST = "sha256:" + "0" * 64


def act(name: str, *signers: Any) -> bytes:
    return sign_statement(Statement("publish", (Subject(name, DIGEST),), {}), signers)


def test_a_key_file_gives_back_the_key_that_was_sealed(tmp_path: Path) -> None:
    made = create_key_file(tmp_path / "a.key", b"correct horse", work=LIGHT)
    opened = open_key_file(tmp_path / "a.key", b"correct horse")
    assert opened.key == made.key == key_of_file(tmp_path / "a.key")
    assert opened.sign(b"m") == made.sign(b"m")
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600


def test_a_key_file_holds_no_byte_run_of_the_private_key(tmp_path: Path) -> None:
    seed = bytes(range(7, 39))
    drawn = iter([seed, bytes(16), bytes(12)])
    create_key_file(tmp_path / "a.key", b"pass", work=LIGHT, random=lambda _count: next(drawn))
    written = (tmp_path / "a.key").read_bytes()
    for shown in (seed, seed.hex().encode(), base64.b64encode(seed)):
        assert all(shown[k : k + 8] not in written for k in range(len(shown) - 8))


def test_another_passphrase_and_every_changed_byte_of_a_key_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    create_key_file(path, b"correct", work=LIGHT)
    with pytest.raises(KeyFileError, match="passphrase"):
        open_key_file(path, b"wrong")
    good = path.read_bytes()
    for at in range(0, len(good) - 1, 23):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(KeyFileError):
            open_key_file(path, b"correct")


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        pytest.param(b"{}", 0o600, id="another form"),
        pytest.param(b"not json", 0o600, id="no JSON"),
        pytest.param(None, 0o644, id="a file that others can read"),
    ],
)
def test_a_file_that_is_no_key_file_is_refused(content: bytes | None, mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    create_key_file(path, b"p", work=LIGHT)
    path.write_bytes(content if content is not None else path.read_bytes())
    path.chmod(mode)
    with pytest.raises(KeyFileError):
        open_key_file(path, b"p")


def test_a_key_file_that_asks_for_all_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    create_key_file(path, b"p", work=LIGHT)
    path.write_bytes(path.read_bytes().replace(b'"work":10', b'"work":40'))
    with pytest.raises(KeyFileError, match="work from 10 to 20"):
        open_key_file(path, b"p")


def test_a_key_is_never_written_over_another_nor_without_a_passphrase(tmp_path: Path) -> None:
    create_key_file(tmp_path / "a.key", b"p", work=LIGHT)
    with pytest.raises(KeyFileError, match="nothing yet"):
        create_key_file(tmp_path / "a.key", b"p", work=LIGHT)
    with pytest.raises(KeyFileError, match="a passphrase"):
        create_key_file(tmp_path / "b.key", b"", work=LIGHT)
    with pytest.raises(KeyFileError, match="no such file"):
        open_key_file(tmp_path / "c.key", b"p")


def test_a_machines_passphrase_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "passphrase"
    made = local_passphrase(path)
    assert len(made) == 32
    assert local_passphrase(path) == made
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        local_passphrase(path)


def test_the_environment_gives_a_key_for_ci_and_its_errors_do_not_quote_it() -> None:
    seed = bytes(range(32))
    name = "RAG_EDIT_SIGNING_KEY"
    assert signer_from_environment({name: base64.b64encode(seed).decode()}).key == SeedSigner(seed).key
    with pytest.raises(KeyFileError, match="nothing"):
        signer_from_environment({})
    with pytest.raises(KeyFileError) as caught:
        signer_from_environment({name: "c2VjcmV0IQ=="})
    assert "c2Vj" not in f"{caught.value}{caught.value.__cause__}"


def test_a_hardware_module_signs_like_a_file_and_says_when_it_is_gone() -> None:
    hsm = FakeHsm()
    assert verify(hsm.key, b"m", hsm.sign(b"m"))
    hsm.present = False
    with pytest.raises(KeyFileError, match="hardware"):
        hsm.sign(b"m")


# --- the keyring -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(signer_of: Callable[[str], SeedSigner]) -> tuple[SeedSigner, SeedSigner, SeedSigner]:
    return signer_of("root"), signer_of("ann"), signer_of("eve")


def start(root: SeedSigner, *others: SeedSigner) -> list[bytes]:
    """Return a ledger whose first entry enrols a key that may manage keys, then ``others`` for acts."""
    first = sign_statement(enrolment(root.key, "root", [KeyUse.KEYS, KeyUse.ACTS]), [root])
    return [first, *(sign_statement(enrolment(o.key, f"p-{n}", [KeyUse.ACTS]), [o, root]) for n, o in enumerate(others))]


def test_what_a_key_signed_before_it_was_revoked_stays_signed_and_later_acts_are_refused(people: Any) -> None:
    root, ann, _ = people
    leaves = [*start(root, ann), act("a@1", ann), sign_statement(revocation(ann.key, "left"), [root])]
    entries, keyring = read_entries(leaves)
    assert entries[2].signers == {ann.key}
    assert keyring.lines[ann.key].until == 4
    with pytest.raises(UnknownKeyError, match="entry 4"):
        read_entries([*leaves, act("b@1", ann)])


def test_a_rotation_passes_holder_and_uses_on_and_ends_the_old_key(people: Any) -> None:
    root, ann, eve = people
    leaves = [*start(root, ann), sign_statement(rotation(ann.key, eve.key), [ann, eve]), act("a@1", eve)]
    _, keyring = read_entries(leaves)
    assert (keyring.lines[eve.key].holder, keyring.lines[eve.key].uses) == ("p-0", {KeyUse.ACTS})
    with pytest.raises(UnknownKeyError):
        read_entries([*leaves, act("b@1", ann)])


def test_a_compromised_key_names_what_it_touched_since(people: Any) -> None:
    root, ann, _ = people
    leaves = [*start(root, ann), act("a@1", ann), act("b@1", ann), act("c@1", root), act("d@1", ann)]
    leaves.append(sign_statement(compromise(ann.key, 3, "laptop stolen"), [root]))
    entries, keyring = read_entries(leaves)
    assert suspects(entries, keyring) == (3, 5)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(lambda r, a, e: act("x@1", e), UnknownKeyError, id="an act of a key that nobody enrolled"),
        pytest.param(
            lambda r, a, e: sign_statement(enrolment(e.key, "e", [KeyUse.ACTS]), [e]), KeyRefusedError, id="a key enrols itself"
        ),
        pytest.param(
            lambda r, a, e: sign_statement(enrolment(e.key, "e", [KeyUse.ACTS]), [e, a]),
            KeyRefusedError,
            id="a key enrolled by one that may not manage keys",
        ),
        pytest.param(
            lambda r, a, e: sign_statement(enrolment(e.key, "e", [KeyUse.ACTS]), [r]),
            KeyRefusedError,
            id="a key enrolled without its own signature",
        ),
        pytest.param(
            lambda r, a, e: sign_statement(enrolment(a.key, "a", [KeyUse.KEYS]), [a, r]),
            KeyRefusedError,
            id="a key enrolled twice",
        ),
        pytest.param(
            lambda r, a, e: sign_statement(rotation(a.key, e.key), [e]),
            KeyRefusedError,
            id="a rotation that the old key did not sign",
        ),
        pytest.param(
            lambda r, a, e: sign_statement(rotation(a.key, e.key), [a]),
            KeyRefusedError,
            id="a rotation that the new key did not sign",
        ),
        pytest.param(
            lambda r, a, e: sign_statement(revocation(r.key, "coup"), [a]),
            KeyRefusedError,
            id="a revocation by one who may not",
        ),
        pytest.param(lambda r, a, e: sign_statement(revocation(e.key, "?"), [r]), KeyRefusedError, id="a stranger is revoked"),
        pytest.param(
            lambda r, a, e: sign_statement(compromise(a.key, 99, "?"), [r]), MalformedError, id="compromised since the future"
        ),
        pytest.param(
            lambda r, a, e: sign_statement(Statement("key", (Subject("x", DIGEST),), {"act": "bless"}), [r]),
            MalformedError,
            id="an act on keys that there is not",
        ),
    ],
)
def test_a_key_statement_is_refused(make: Any, error: type[ProvenanceError], people: Any) -> None:
    root, ann, eve = people
    with pytest.raises(error):
        read_entries([*start(root, ann), make(root, ann, eve)])


def test_a_ledger_begins_with_a_key(people: Any) -> None:
    root, ann, _ = people
    with pytest.raises(UnknownKeyError):
        read_entries([act("a@1", root), *start(root, ann)])


def test_a_forged_signature_of_a_known_key_spoils_the_entry(people: Any) -> None:
    root, ann, _ = people
    leaf = act("a@1", ann)
    forged = leaf.replace(ann.key.encode(), root.key.encode())
    with pytest.raises(VerificationError, match="entry 2"):
        read_entries([*start(root, ann), forged])
