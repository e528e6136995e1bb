"""Keys at rest, and the keyring: which key may sign what at which position."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag_edit.authority import acts
from rag_edit.authority.people import Institution, Key, Person
from rag_edit.authority.policy import PERMISSIVE
from rag_edit.authority.statement import to_statement
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
from rag_edit.provenance.keyring import read_entries, suspects
from rag_edit.provenance.signer import SeedSigner, verify
from rag_edit.provenance.statement import sign_statement, statement_of
from rag_edit.testing import FakeHsm

LIGHT = 10


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


def test_what_a_kill_left_beside_a_key_is_no_way_into_the_key_that_took_another_name(tmp_path: Path) -> None:
    following, home = tmp_path / "next.key", tmp_path / "local.key"
    create_key_file(following, b"p", work=LIGHT)
    following.with_name("next.key.new").hardlink_to(following)  # killed before the second name was taken away
    following.replace(home)
    before = home.read_bytes()
    made = create_key_file(following, b"p", work=LIGHT)
    assert (home.read_bytes(), key_of_file(following)) == (before, made.key)
    assert not home.samefile(following)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["local.key", "next.key"]


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
    """A custodian, a person with a key, and a stranger."""
    return signer_of("root"), signer_of("ann"), signer_of("eve")


@pytest.fixture
def begin(make_found: Any) -> Callable[[SeedSigner, SeedSigner], list[bytes]]:
    def make(root: SeedSigner, ann: SeedSigner) -> list[bytes]:
        return [make_found(root, {root.key: "person:root", ann.key: "person:ann"}, ("person:root",))]

    return make


def party(signer: SeedSigner, holder: str = "person:ann") -> dict[str, Any]:
    return {"party": {"kind": "key", "id": signer.key, "holder": holder, "institution": "inst:a"}}


def test_what_a_key_signed_before_it_was_removed_stays_signed_and_later_acts_are_refused(
    people: Any, begin: Any, make_act: Any
) -> None:
    root, ann, _ = people
    leaves = [*begin(root, ann), make_act("approve", {}, ann), make_act("remove", {"id": ann.key}, root)]
    entries, keyring = read_entries(leaves)
    assert entries[1].signers == {ann.key}
    assert keyring.lines[ann.key].until == 3
    with pytest.raises(UnknownKeyError, match="entry 3"):
        read_entries([*leaves, make_act("approve", {}, ann)])


def test_a_rotation_is_an_enrolment_and_a_removal(people: Any, begin: Any, make_act: Any) -> None:
    root, ann, new = people
    leaves = [
        *begin(root, ann),
        make_act("enrol", party(new), root),
        make_act("remove", {"id": ann.key}, ann),
        make_act("approve", {}, new),
    ]
    _, keyring = read_entries(leaves)
    assert (keyring.lines[new.key].holder, keyring.lines[new.key].since) == ("person:ann", 2)
    with pytest.raises(UnknownKeyError):
        read_entries([*leaves, make_act("approve", {}, ann)])


def test_custody_passes_on(people: Any, begin: Any, make_act: Any, signer_of: Any) -> None:
    root, ann, new = people
    enrol = make_act("enrol", party(new, "person:new"), ann)
    with pytest.raises(KeyRefusedError, match="custodian"):
        read_entries([*begin(root, ann), enrol])
    _, keyring = read_entries(
        [*begin(root, ann), make_act("entrust", {"custodians": ["person:ann"], "threshold": 1}, root), enrol]
    )
    assert new.key in keyring.lines


def test_an_enrolment_said_by_several_custodians_counts_from_the_first(people: Any, begin: Any, make_act: Any) -> None:
    root, ann, new = people
    leaves = [*begin(root, ann), make_act("entrust", {"custodians": ["person:ann", "person:root"], "threshold": 2}, root)]
    leaves += [make_act("enrol", party(new), root), make_act("enrol", party(new), ann)]
    assert read_entries(leaves)[1].lines[new.key].since == 3


def test_a_compromised_key_names_what_it_touched_since(people: Any, begin: Any, make_act: Any) -> None:
    root, ann, _ = people
    leaves = [*begin(root, ann), *(make_act("approve", {"n": n}, signer) for n, signer in enumerate((ann, ann, root, ann)))]
    leaves.append(make_act("remove", {"id": ann.key, "compromised_since": 2}, root))
    entries, keyring = read_entries(leaves)
    assert suspects(entries, keyring) == (2, 4)


def test_services_keys_may_have_signed_heads_also_after_they_were_removed(people: Any, make_found: Any, make_act: Any) -> None:
    root, service, _ = people
    leaves = [make_found(root, {root.key: "person:root", service.key: "service:a"}, ("person:root",))]
    leaves.append(make_act("remove", {"id": service.key}, root))
    assert [key.key for key in read_entries(leaves)[1].note_keys("example.org/log")] == [service.key]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(lambda act, r, a, e: act("approve", {}, e), UnknownKeyError, id="an act of a key that nobody enrolled"),
        pytest.param(lambda act, r, a, e: act("enrol", party(e), e), UnknownKeyError, id="a key enrols itself"),
        pytest.param(
            lambda act, r, a, e: act("enrol", party(e), a), KeyRefusedError, id="a key enrolled by one who is no custodian"
        ),
        pytest.param(lambda act, r, a, e: act("approve", {"by": a.key}, r), KeyRefusedError, id="an act in another's name"),
        pytest.param(
            lambda act, r, a, e: act("approve", {"by": a.key}, e, r), KeyRefusedError, id="the same beside a stranger"
        ),
        pytest.param(
            lambda act, r, a, e: act("entrust", {"custodians": ["person:ann"]}, a),
            KeyRefusedError,
            id="custody taken by oneself",
        ),
        pytest.param(
            lambda act, r, a, e: act("found", {"keys": [], "custodians": []}, r), KeyRefusedError, id="a second founding"
        ),
        pytest.param(
            lambda act, r, a, e: act("remove", {"id": a.key, "compromised_since": 9}, r),
            MalformedError,
            id="compromised since the future",
        ),
        pytest.param(
            lambda act, r, a, e: act("enrol", {"party": {"kind": "key", "id": "x", "holder": "h"}}, r),
            MalformedError,
            id="no key",
        ),
    ],
)
def test_an_entry_is_refused(make: Any, error: type[ProvenanceError], people: Any, begin: Any, make_act: Any) -> None:
    root, ann, eve = people
    with pytest.raises(error):
        read_entries([*begin(root, ann), make(make_act, root, ann, eve)])


def test_a_ledger_begins_with_a_founding_entry_by_a_key_that_it_names(
    people: Any, begin: Any, make_act: Any, make_found: Any
) -> None:
    root, ann, eve = people
    with pytest.raises(UnknownKeyError):
        read_entries([make_act("approve", {}, root), *begin(root, ann)])
    with pytest.raises(KeyRefusedError):
        read_entries([make_found(eve, {root.key: "person:root"}, ("person:root",))])


def test_a_forged_signature_of_a_known_key_spoils_the_entry(people: Any, begin: Any, make_act: Any) -> None:
    root, ann, _ = people
    forged = make_act("approve", {}, ann).replace(b'"keyid":"' + ann.key.encode(), b'"keyid":"' + root.key.encode())
    with pytest.raises(VerificationError, match="entry 1"):
        read_entries([*begin(root, ann), forged])


def test_acts_of_authority_are_understood(people: Any) -> None:
    """The two rooms meet as plain JSON: what one writes about keys, the other reads."""
    root, ann, new = people
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    key = Key(root.key, "person:root", "inst:a")
    charter = acts.Found(
        root.key, at, people=(Person("person:ann"), Person("person:root")), institutions=(Institution("inst:a"),), services=(),
        keys=tuple(sorted((key, Key(ann.key, "person:ann", "inst:a")), key=lambda k: k.id)),
        custodians=("person:root",), threshold=1, mandates=(), policy=PERMISSIVE,
    )  # fmt: skip
    said = [
        (charter, root),
        (acts.Enrol(root.key, at, Key(new.key, "person:ann", "inst:a")), root),
        (acts.Remove(ann.key, at, ann.key, 2), ann),
    ]
    leaves = [sign_statement(statement_of(to_statement(each)), [signer]) for each, signer in said]
    entries, keyring = read_entries(leaves)
    assert [entry.statement.kind for entry in entries] == ["found", "enrol", "remove"]
    assert (keyring.lines[new.key].since, keyring.lines[ann.key].until, keyring.lines[ann.key].compromised_since) == (2, 3, 2)
