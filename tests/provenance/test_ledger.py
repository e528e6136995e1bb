"""The ledger: sealing, proving, crashes between commit and seal, roll-backs, succession; the anchor; tiles; erasure."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_edit.provenance.anchor import Anchor, FileAnchor, MemoryAnchor
from rag_edit.provenance.audit import audit_ledger
from rag_edit.provenance.checkpoint import Checkpoint, open_checkpoint
from rag_edit.provenance.commitment import commit, committed, opens
from rag_edit.provenance.errors import MalformedError, RolledBackError, UnknownKeyError, VerificationError
from rag_edit.provenance.ledger import MemoryLedgerLog, open_ledger, succeed
from rag_edit.provenance.merkle import hash_leaf, verify_inclusion
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.signer import SeedSigner
from rag_edit.provenance.statement import Statement, Subject, sign_statement
from rag_edit.provenance.tiles import export_tiles, read_tiles, tile_path, tiles_of

NAME = "example.org/rag-edit/ledger"


def test_a_sealed_entry_is_proved_under_the_signed_head(make_world: Any) -> None:
    world = make_world(20)
    proof = world.ledger.prove(7)
    head = open_checkpoint(proof.checkpoint, world.keys)
    verify_inclusion(hash_leaf(next(world.log.leaves(7))), 7, head.size, proof.path, head.root)
    assert head.size == 22


def test_one_size_is_never_signed_twice(make_world: Any) -> None:
    world = make_world(3)
    assert world.ledger.seal() == world.ledger.seal()
    assert len(list(world.anchor.notes())) == 1


def test_a_signed_entry_handed_in_again_is_known(make_world: Any) -> None:
    world = make_world(3)
    again, other = next(world.log.leaves(3)), b"other"
    assert world.ledger.has(again)
    assert not world.ledger.has(other)
    world.log.append(other)
    assert not world.ledger.has(other)
    world.ledger.seal()
    assert world.ledger.has(other)


def test_entries_that_vanish_under_an_open_ledger_are_not_signed_away(make_world: Any) -> None:
    world = make_world(3)
    world.ledger.log = MemoryLedgerLog(list(world.log.leaves())[:-1])
    with pytest.raises(RolledBackError):
        world.ledger.seal()


def test_entries_committed_before_a_kill_are_sealed_at_the_next_start(make_world: Any) -> None:
    world = make_world(3)
    world.log.append(sign_statement(Statement("publish", (Subject("late@1", world.content(9)),), {}), [world.person]))
    again = open_ledger(world.log, world.anchor, world.service, NAME)
    assert open_checkpoint(again.seal(), world.keys).size == 6


def test_a_kill_between_anchor_and_store_is_no_roll_back(make_world: Any) -> None:
    world = make_world(3)
    behind = MemoryLedgerLog(world.log.leaves(), None)
    assert open_ledger(behind, world.anchor, world.service, NAME).seal() == world.ledger.note


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda leaves: leaves[:-1], id="cut by one"),
        pytest.param(lambda leaves: leaves[:2], id="an older backup"),
        pytest.param(lambda leaves: [], id="emptied"),
        pytest.param(lambda leaves: [*leaves[:3], leaves[4], leaves[3], *leaves[5:]], id="two exchanged"),
        pytest.param(lambda leaves: [*leaves[:3], *leaves[4:], leaves[3]], id="one moved to the end"),
        pytest.param(lambda leaves: [*leaves[:-1], leaves[-2]], id="one doubled over another"),
        pytest.param(lambda leaves: [*leaves[:-1], leaves[-1] + b" "], id="a byte more"),
    ],
)
def test_a_store_that_is_not_what_was_signed_does_not_start(
    change: Callable[[list[bytes]], list[bytes]], make_world: Any
) -> None:
    world = make_world(5)
    with pytest.raises(RolledBackError, match="rag-edit ledger succeed"):
        open_ledger(MemoryLedgerLog(change(list(world.log.leaves())), None), world.anchor, world.service, NAME)


def test_the_store_own_head_is_held_against_it_too(make_world: Any) -> None:
    world = make_world(5)
    with pytest.raises(RolledBackError):
        open_ledger(MemoryLedgerLog(list(world.log.leaves())[:-1], world.ledger.note), MemoryAnchor(), world.service, NAME)


def test_a_head_of_another_key_or_log_is_not_believed(make_world: Any, signer_of: Any) -> None:
    world = make_world(2)
    with pytest.raises(UnknownKeyError):
        open_ledger(world.log, world.anchor, signer_of("other"), NAME)
    with pytest.raises(UnknownKeyError):
        open_ledger(world.log, world.anchor, world.service, "example.org/other")


def test_after_a_rotation_heads_of_the_old_key_are_trusted_where_it_is_named(make_world: Any, signer_of: Any) -> None:
    world = make_world(2)
    again = open_ledger(world.log, world.anchor, signer_of("new"), NAME, trusted=world.keys)
    assert again.tree.size == 4


def test_going_on_from_an_older_store_is_an_act_that_the_ledger_tells(make_world: Any) -> None:
    world = make_world(5)
    given_up = world.ledger.note
    backup = MemoryLedgerLog(list(world.log.leaves())[:4], None)
    ledger = succeed(backup, world.anchor, world.service, NAME, reason="disk lost", at="2026-11-22T10:00:00Z")
    assert ledger.origin == f"{NAME}/2"
    keys = [*world.keys, NoteKey(ledger.origin, world.service.key)]
    audited = audit_ledger(backup.leaves(), ledger.seal(), keys)
    assert audited.entries[-1].statement.kind == "succession"
    assert audited.entries[-1].statement.predicate["given_up"] == given_up
    again = open_ledger(backup, world.anchor, world.service, NAME)
    assert (again.origin, again.note) == (ledger.origin, ledger.note)
    with pytest.raises(RolledBackError):
        audit_ledger(backup.leaves(), ledger.seal(), keys, old=[str(given_up)])


@pytest.fixture(params=["memory", "file"])
def anchor(request: pytest.FixtureRequest, tmp_path: Path) -> Anchor:
    return MemoryAnchor() if request.param == "memory" else FileAnchor(tmp_path / "anchor.jsonl")


def head(size: int, root: int = 0, name: str = NAME) -> str:
    return Checkpoint(name, size, bytes([root]) * 32).sign(SeedSigner(bytes(32)))


ONE, TWO, THREE = (head(size) for size in (1, 2, 3))


def test_an_anchor_gives_back_what_was_kept_in_order(anchor: Anchor) -> None:
    assert anchor.newest() is None
    for note in (ONE, TWO, THREE):
        anchor.keep(note)
        assert anchor.newest() == note
    assert list(anchor.notes()) == [ONE, TWO, THREE]


@pytest.mark.parametrize(
    ("after", "is_kept"),
    [
        (head(2), True),
        (head(3, 1), True),
        (head(1, 0, f"{NAME}/2"), True),
        (head(2, 1), False),
        (head(1), False),
        (head(0), False),
    ],
    ids=["the same again", "a larger one", "another log's", "another root for its size", "a smaller one", "an empty one"],
)
def test_an_anchor_keeps_one_root_for_one_size_and_none_that_is_smaller(anchor: Anchor, after: str, is_kept: bool) -> None:
    anchor.keep(TWO)
    if is_kept:
        anchor.keep(after)
        assert list(anchor.notes()) == [TWO, after]
    else:
        with pytest.raises(RolledBackError):
            anchor.keep(after)
        assert list(anchor.notes()) == [TWO]


def test_what_is_no_checkpoint_is_not_kept(anchor: Anchor) -> None:
    with pytest.raises(MalformedError):
        anchor.keep("one\n")


def test_a_line_that_a_crash_tore_is_passed_over_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "anchor.jsonl"
    FileAnchor(path).keep(ONE)
    with path.open("ab") as file:
        file.write(b'{"checkpoint":"tw')
    again = FileAnchor(path)
    assert again.newest() == ONE
    again.keep(TWO)
    assert list(FileAnchor(path).notes()) == [ONE, TWO]


def test_an_anchor_cut_at_any_byte_gives_back_what_was_kept_whole(tmp_path: Path) -> None:
    path, cut = tmp_path / "anchor.jsonl", tmp_path / "cut.jsonl"
    for note in (ONE, TWO, THREE):
        FileAnchor(path).keep(note)
    whole = path.read_bytes()
    for at in range(len(whole) + 1):
        cut.write_bytes(whole[:at])
        assert list(FileAnchor(cut).notes()) == [ONE, TWO, THREE][: whole[:at].count(b"\n")]


def test_a_whole_line_of_something_else_in_an_anchor_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "anchor.jsonl").write_text('{"x":1}\n')
    with pytest.raises(MalformedError, match=r"anchor\.jsonl:1"):
        FileAnchor(tmp_path / "anchor.jsonl").newest()


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        pytest.param((0, 1234067), "tile/0/x001/x234/067", id="the format's own example"),
        pytest.param((0, 0), "tile/0/000", id="the first"),
        pytest.param((1, 999, 17), "tile/1/999.p/17", id="a partial one"),
        pytest.param(("entries", 1000), "tile/entries/x001/000", id="entries, beyond 999"),
    ],
)
def test_tiles_have_the_paths_of_the_format(arguments: Any, path: str) -> None:
    assert tile_path(*arguments) == path


def test_tiles_of_70000_entries_are_those_that_the_format_counts(vectors: dict[str, Any]) -> None:
    assert "70,000" in vectors["tiles"]["source"]
    paths = [path for path, _ in tiles_of(b"" for _ in range(70_000)) if "entries" not in path]
    assert len([p for p in paths if p.startswith("tile/0/") and ".p/" not in p]) == 273
    assert [p for p in paths if ".p/" in p] == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert [p for p, _ in tiles_of(b"" for _ in range(256))] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]


def test_an_export_is_read_back_and_audited(make_world: Any, tmp_path: Path) -> None:
    world = make_world(257)
    assert export_tiles(tmp_path / "out", world.log.leaves(), world.ledger.seal()) == 259
    leaves, note = read_tiles(tmp_path / "out")
    assert leaves == list(world.log.leaves())
    assert audit_ledger(leaves, note, world.keys).checkpoint.size == 259
    with pytest.raises(MalformedError, match="empty directory"):
        export_tiles(tmp_path / "out", leaves, note)
    with pytest.raises(VerificationError):
        export_tiles(tmp_path / "other", leaves[:-1], note)
    (tmp_path / "out/tile/entries/000").write_bytes(b"\xff\xff")
    with pytest.raises(MalformedError):
        read_tiles(tmp_path / "out")


def test_a_commitment_opens_for_its_text_salt_and_label_alone() -> None:
    kept = commit("record", b"Ann Example, 42")
    assert opens(kept.digest, "record", kept.salt, b"Ann Example, 42")
    assert not opens(kept.digest, "answer", kept.salt, b"Ann Example, 42")
    assert not opens(kept.digest, "record", kept.salt, b"Ann Example, 43")
    assert not opens(kept.digest, "record", bytes(32), b"Ann Example, 42")
    assert kept.salt.hex() not in repr(kept)
    with pytest.raises(MalformedError):
        committed("record", b"short", b"")


def test_guessing_contents_finds_no_commitment_whose_salt_was_erased() -> None:
    chance = random.Random(7)
    guesses = [f"born {1900 + k % 100}-{k % 12 + 1:02d}".encode() for k in range(1200)]
    kept = {commit("record", chance.choice(guesses), random=chance.randbytes).digest for _ in range(300)}
    tried = {
        f"sha256:{hashlib.sha256(head + guess).hexdigest()}" for guess in guesses for head in (b"", b"rag-edit/record/v1\0")
    }
    tried |= {committed("record", bytes(32), guess) for guess in guesses}
    assert kept.isdisjoint(tried)


def test_proofs_hold_after_the_content_and_its_salt_are_erased(make_world: Any) -> None:
    world = make_world(2)
    vault = {"ann": (commit("record", b"Ann Example lives in Bonn"), b"Ann Example lives in Bonn")}
    subject = Subject("ann@1", vault["ann"][0].digest)
    index = world.log.append(sign_statement(Statement("publish", (subject,), {}), [world.person]))
    world.ledger.seal()
    proof = world.ledger.prove(index)
    vault.clear()
    tombstone = Statement("erase", (subject,), {"reason": "asked by the person"})
    world.log.append(sign_statement(tombstone, [world.person]))
    audited = audit_ledger(world.log.leaves(), world.ledger.seal(), world.keys, old=[proof.checkpoint])
    head = open_checkpoint(proof.checkpoint, world.keys)
    verify_inclusion(audited.tree.leaf_hash(index), index, head.size, proof.path, head.root)
    assert b"Ann" not in b"".join(world.log.leaves())
