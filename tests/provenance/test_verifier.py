"""The verifier that stands alone: one file, the standard library, and the same verdicts as the package's."""

import ast
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag_edit.provenance.audit import audit_ledger
from rag_edit.provenance.checkpoint import Checkpoint
from rag_edit.provenance.errors import ProvenanceError
from rag_edit.provenance.merkle import root_of
from rag_edit.provenance.signer import public_bytes
from rag_edit.provenance.tiles import export_tiles
from rag_edit.provenance.verify import verify_receipt

FILE = Path(__file__).parents[2] / "verifier/verify_rag_edit.py"


def quiet(_step: str, _found: str) -> None:
    pass


def note_key(verifier: Any, key: Any) -> Any:
    return verifier.read_note_key(str(key))


def holds_alone(verifier: Any, data: bytes, world: Any, ledger: Any = None) -> bool:
    receipts, keys = ([note_key(verifier, k) for k in group] for group in (world.trust.receipts, world.trust.ledger))
    try:
        verifier.verify_receipt(data, receipts, keys, quiet, ledger)
    except verifier.Refused:
        return False
    return True


def audits(leaves: list[bytes], note: str, world: Any) -> bool:
    try:
        audit_ledger(leaves, note, world.keys)
    except ProvenanceError:
        return False
    return True


def audits_alone(verifier: Any, leaves: list[bytes], note: str, world: Any) -> bool:
    try:
        verifier.Ledger(leaves, note, [note_key(verifier, k) for k in world.keys], quiet)
    except verifier.Refused:
        return False
    return True


def test_it_is_one_file_of_at_most_600_lines_that_needs_the_standard_library_alone() -> None:
    text = FILE.read_text("utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [str(getattr(node, "module", ""))])
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= sys.stdlib_module_names
    assert len(text.splitlines()) <= 600


def test_its_ed25519_is_that_of_rfc_8032(verifier: Any, vectors: dict[str, Any]) -> None:
    for case in vectors["ed25519"]["vectors"]:
        public, message, signature = (bytes.fromhex(case[name]) for name in ("public", "message", "signature"))
        assert verifier.verify_ed25519(public, message, signature)
        assert not verifier.verify_ed25519(public, message + b"x", signature)
        above = (int.from_bytes(signature[32:], "little") + verifier.L).to_bytes(33, "little")[:32]
        assert not verifier.verify_ed25519(public, message, signature[:32] + above)


def test_it_refuses_the_same_keys_as_the_package(verifier: Any) -> None:
    """The eight points of small order, found by multiplying points of the curve by its order."""
    chance, found = random.Random(1), set[bytes]()
    while len(found) < 8:
        point = verifier.decode_point(chance.randbytes(32))
        if point is None:
            continue
        multiple = verifier.NEUTRAL
        for bit in f"{verifier.L:b}":
            multiple = verifier.double(multiple)
            multiple = verifier.add(multiple, point) if bit == "1" else multiple
        found.add(verifier.encode_point(multiple))
    for public in found:
        assert not verifier.verify_ed25519(public, b"m", public + bytes(32))
        with pytest.raises(ProvenanceError):
            public_bytes(f"ed25519:{public.hex()}")


def test_its_tree_is_that_of_the_reference(verifier: Any, vectors: dict[str, Any]) -> None:
    hashes = [verifier.hash_leaf(bytes.fromhex(each)) for each in vectors["merkle"]["leaves"]]
    assert [verifier.root_of(hashes[:size]).hex() for size in range(9)] == vectors["merkle"]["roots"]


def test_it_reads_the_example_notes(verifier: Any, vectors: dict[str, Any]) -> None:
    text, signatures = verifier.split_note(vectors["signed_note"]["note"])
    _, announced, public = verifier.read_note_key(vectors["signed_note"]["key"])
    assert signatures[0][1][:4] == announced
    assert verifier.verify_ed25519(public, text.encode(), signatures[0][1][4:])
    assert verifier.read_checkpoint(verifier.split_note(vectors["checkpoint"]["note"])[0])[1] == 20852163


def test_it_agrees_on_good_and_changed_receipts(verifier: Any, make_world: Any, flip: Any) -> None:
    world, chance = make_world(6), random.Random(9)
    receipts = [
        r.to_bytes()
        for r in world.receipts.seal([world.body(n, route=("OVERRIDE", "BASE")[n % 2]).to_bytes() for n in range(4)])
    ]
    for data in receipts:
        assert holds_alone(verifier, data, world)
    for _ in range(60):
        data = chance.choice(receipts)
        changed = flip(data, chance.randrange(len(data)), chance)
        assert holds_alone(verifier, changed, world) == verify_receipt(changed, world.trust).holds is False


def test_it_agrees_on_good_and_changed_ledgers(
    verifier: Any, make_world: Any, signer_of: Any, make_act: Any, flip: Any
) -> None:
    world, chance = make_world(4), random.Random(10)
    new = {"party": {"kind": "key", "id": signer_of("next").key, "holder": "person:p1"}}
    world.log.append(make_act("enrol", new, world.service))
    world.log.append(make_act("remove", {"id": world.person.key, "compromised_since": 3}, world.service))
    world.log.append(make_act("entrust", {"custodians": ["person:p1"]}, world.service))
    world.log.append(make_act("approve", {}, signer_of("next")))
    note, leaves = world.ledger.seal(), list(world.log.leaves())
    assert audits(leaves, note, world)
    assert audits_alone(verifier, leaves, note, world)
    for _ in range(5):  # the insider signs what was changed, so that only the statements tell
        shown = [*leaves]
        at = chance.randrange(len(leaves))
        shown[at] = flip(leaves[at], chance.randrange(len(leaves[at])), chance)
        head = Checkpoint("example.org/rag-edit/ledger", len(shown), root_of(shown)).sign(world.service)
        assert audits_alone(verifier, shown, head, world) == audits(shown, head, world) is False
    bad = [
        make_act("approve", {}, world.person),
        make_act("approve", {}, signer_of("stranger")),
        make_act("approve", {"by": world.service.key}, signer_of("next")),
        make_act("found", {"keys": [], "custodians": []}, world.service),
        make_act("remove", {"id": world.service.key, "compromised_since": 99}, world.service),
        make_act("enrol", {"party": {"kind": "key", "id": "x", "holder": "person:p1"}}, world.service),
    ]
    for late in bad:
        shown = [*leaves, late]
        head = Checkpoint("example.org/rag-edit/ledger", len(shown), root_of(shown)).sign(world.service)
        assert audits_alone(verifier, shown, head, world) == audits(shown, head, world) is False


def test_the_command_says_what_holds_and_exits_by_it(make_world: Any, tmp_path: Path, verifier: Any, capsys: Any) -> None:
    world = make_world(5)
    old = tmp_path / "old.txt"
    old.write_text(str(world.ledger.note), "utf-8")
    (tmp_path / "a.receipt").write_bytes(world.receipt(1).to_bytes())
    world.publish(3)
    export_tiles(tmp_path / "ledger", world.log.leaves(), world.ledger.seal())
    keys = tmp_path / "ledger.keys"
    keys.write_text("".join(f"{key}\n" for key in world.keys))
    (tmp_path / "q.txt").write_bytes(b"q")
    receipt = [
        "receipt",
        str(tmp_path / "a.receipt"),
        "--receipts-key",
        str(world.trust.receipts[0]),
        "--ledger-key",
        str(keys),
    ]
    with_ledger = [
        *receipt,
        "--ledger",
        str(tmp_path / "ledger"),
        "--old",
        str(old),
        "--text",
        "question",
        "00" * 32,
        str(tmp_path / "q.txt"),
    ]
    assert verifier.main(with_ledger) == 0
    said = capsys.readouterr().out
    assert "ok    old checkpoint: example.org/rag-edit/ledger at 7: extended" in said
    assert "ok    ledger: r1@1: publish" in said
    assert said.endswith("holds\n")
    assert (
        verifier.main(["ledger", str(tmp_path / "ledger"), "--ledger-key", str(keys), "--first-key", str(world.keys[0])]) == 0
    )
    assert verifier.main(["ledger", str(tmp_path / "nowhere"), "--ledger-key", str(keys)]) == 1
    assert verifier.main([*receipt[:3], str(world.keys[0]), *receipt[4:]]) == 1
    assert "FAIL  " in capsys.readouterr().out


def test_it_runs_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(FILE), "ledger", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("FAIL  ")


@pytest.mark.slow
def test_it_agrees_on_every_tenth_byte_of_twenty_receipts(verifier: Any, make_world: Any, flip: Any) -> None:
    world, chance = make_world(30), random.Random(11)
    for receipt in world.receipts.seal([world.body(n).to_bytes() for n in range(20)]):
        data = receipt.to_bytes()
        for at in range(0, len(data), 10):
            assert not holds_alone(verifier, flip(data, at, chance), world)
