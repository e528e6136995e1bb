"""What was live is replayed from the entries, and proved from one signed head: by the package, and by the verifier that stands alone."""

import importlib.util
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_edit.core.digest import Json, canonical_json
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.audit import audit_ledger
from rag_edit.provenance.canonical import to_base64
from rag_edit.provenance.claim import check_claim, make_claim
from rag_edit.provenance.errors import ProvenanceError, VerificationError
from rag_edit.provenance.ledger import MemoryLedgerLog, open_ledger
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.replay import Replay, replay, root_named
from rag_edit.provenance.statement import Statement, Subject, sign_statement
from rag_edit.provenance.tiles import export_tiles

ORIGIN = "example.org/rag-edit/ledger"
MAP_FILE = Path(__file__).parents[2] / "verifier/verify_map.py"


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def propose(change: str, **places: tuple[str, str, int]) -> Statement:
    items: list[Json] = [
        {"record": r, "remit": {"jurisdiction": j, "topic": t}, "content": digest(c)} for r, (j, t, c) in places.items()
    ]
    return Statement("propose", (Subject(f"change:{change}", digest(9)),), {"change": change, "items": items})


def edits(change: str, *acts: tuple[str, str, int]) -> Statement:
    subjects = tuple(Subject(name, digest(content)) for _, name, content in acts)
    return Statement("edits", subjects, {"acts": [act for act, _, _ in acts], "change": change})


STORY = (
    propose("c1", vat=("DE", "tax.vat", 1), mask=("DE", "health", 2)),
    edits("c1", ("add", "vat@1", 1), ("add", "mask@1", 2)),
    propose("c2", vat=("DE", "tax", 5), moon=("GLOBAL", "", 6)),
    propose("c3", vat=("DE", "tax.vat", 3)),
    edits("c3", ("change", "vat@2", 3)),
    edits("", ("retract", "mask@2", 4)),
    edits("c2", ("change", "vat@3", 5), ("add", "moon@1", 6)),
    Statement("note", (Subject("note", digest(7)),), {"text": "nothing"}),
)


def rooted(story: tuple[Statement, ...]) -> list[Statement]:
    """The story as a ledger has it: each entry that names versions gives the root after it."""
    heard, found = Replay(), []
    for each in story:
        heard.hear(each)
        found.append(
            Statement(each.kind, each.subjects, {**each.predicate, "map": heard.root}) if each.kind == "edits" else each
        )
    return found


class House:
    """A ledger of the story."""

    def __init__(self, signer: Any, found: bytes, statements: list[Statement]) -> None:
        self.log = MemoryLedgerLog([found])
        for each in statements:
            self.log.append(sign_statement(each, [signer]))
        self.ledger = open_ledger(self.log, MemoryAnchor(), signer, ORIGIN)
        self.note, self.keys = self.ledger.seal(), [NoteKey(ORIGIN, signer.key)]

    def claim(self, *asked: tuple[str, ...], position: int | None = None) -> bytes:
        leaves = list(self.log.leaves())
        audited = audit_ledger(leaves, self.note, self.keys)
        return canonical_json(make_claim(audited, leaves, self.note, len(leaves) if position is None else position, asked))


@pytest.fixture
def house(signer_of: Any, make_found: Any) -> House:
    signer = signer_of("service")
    return House(signer, make_found(signer, {signer.key: "service:a"}), rooted(STORY))


@pytest.fixture(scope="module")
def alone(verifier: Any) -> Any:
    """The verifier of maps that stands alone, beside the other one."""
    sys.modules.setdefault("verify_rag_edit", verifier)
    spec = importlib.util.spec_from_file_location("verify_map", MAP_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(data: bytes, house: House) -> dict[tuple[str, ...], list[str]]:
    return {each.parts: [live.name for live in each.live or ()] for each in check_claim(data, house.keys)[1]}


def holds_alone(alone: Any, verifier: Any, data: bytes, house: House) -> bool:
    try:
        alone.check_claim(data, [verifier.read_note_key(str(key)) for key in house.keys], lambda *_: None)
    except (verifier.Refused, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def test_what_is_live_is_what_the_entries_say_where_the_change_that_brought_it_says() -> None:
    found = replay(STORY)
    assert {r: (each.jurisdiction, each.topic, each.name) for r, each in found.live.items()} == {
        "vat": ("DE", "tax", "vat@3"),
        "moon": ("GLOBAL", "", "moon@1"),
    }


def test_an_entry_that_names_no_change_speaks_of_the_place_that_the_record_had_last() -> None:
    found = replay([*STORY, edits("", ("change", "vat@4", 8))])
    assert (found.live["vat"].topic, found.live["vat"].name) == ("tax.vat", "vat@4")


def test_the_root_is_the_same_however_the_ledger_came_to_what_is_live() -> None:
    short = [propose("c", vat=("DE", "tax", 5), moon=("GLOBAL", "", 6)), edits("c", ("add", "moon@1", 6), ("add", "vat@3", 5))]
    assert replay(short).root == replay(STORY).root != replay(STORY[:-2]).root


@pytest.mark.parametrize(
    "entry",
    [
        edits("c1", ("add", "stranger@1", 1)),
        Statement("edits", (Subject("vat@2", digest(1)),), {"acts": [], "change": "c1"}),
        Statement("edits", (Subject("vat@2", digest(1)),), {"acts": "add", "change": "c1"}),
        Statement("edits", (Subject("vat@2", digest(1)),), {"acts": ["change"], "change": "c1", "map": digest(1)}),
        Statement("propose", (Subject("c", digest(1)),), {"change": "c", "items": [{"record": "x"}]}),
        Statement("propose", (Subject("c", digest(1)),), {"change": "c"}),
    ],
    ids=["of no change", "an act too few", "no list", "another root", "no place", "no items"],
)
def test_entries_that_do_not_fit_are_refused(entry: Statement) -> None:
    with pytest.raises(ProvenanceError):
        replay([STORY[0], STORY[1], entry])


@pytest.mark.parametrize("change", ["c1", "c2", ""], ids=["another content", "a change of others", "no change"])
def test_from_the_first_root_on_nothing_goes_live_but_what_its_change_commits_to(
    signer_of: Any, make_found: Any, alone: Any, tmp_path: Path, change: str
) -> None:
    story = [*rooted(STORY[:2]), edits(change, ("change", "mask@2", 9))]
    with pytest.raises(VerificationError, match="mask@2 with the content that change"):
        replay(story)
    assert replay([*STORY[:2], story[-1]]).live["mask"].name == "mask@2"  # as ledgers from before have it
    signer = signer_of("service")
    house = House(signer, make_found(signer, {signer.key: "service:a"}), story)
    export_tiles(tmp_path / "ledger", house.log.leaves(), house.note)
    assert alone.main(["ledger", str(tmp_path / "ledger"), "--ledger-key", str(house.keys[0])]) == 1


def test_an_auditor_refuses_a_ledger_that_gives_another_root(signer_of: Any, make_found: Any) -> None:
    signer, story = signer_of("service"), rooted(STORY)
    lie = Statement("edits", story[4].subjects, {**story[4].predicate, "map": digest(1)})
    house = House(signer, make_found(signer, {signer.key: "service:a"}), [*story[:4], lie, *story[5:]])
    with pytest.raises(VerificationError, match="entry 5: wanted sha256"):
        audit_ledger(house.log.leaves(), house.note, house.keys)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (0, {("DE",): [], ("DE", "tax.vat"): [], ("GLOBAL", "", "moon"): [], ("FR",): []}),
        (2, {("DE",): [], ("DE", "tax.vat"): [], ("GLOBAL", "", "moon"): [], ("FR",): []}),
        (3, {("DE",): ["mask@1", "vat@1"], ("DE", "tax.vat"): ["vat@1"], ("GLOBAL", "", "moon"): [], ("FR",): []}),
        (6, {("DE",): ["mask@1", "vat@2"], ("DE", "tax.vat"): ["vat@2"], ("GLOBAL", "", "moon"): [], ("FR",): []}),
        (9, {("DE",): ["vat@3"], ("DE", "tax.vat"): [], ("GLOBAL", "", "moon"): ["moon@1"], ("FR",): []}),
    ],
    ids=["an empty ledger", "before the first", "the first", "two", "the last"],
)
def test_a_claim_shows_what_was_live_at_its_position_and_what_was_not(
    house: House, alone: Any, verifier: Any, position: int, expected: dict[tuple[str, ...], list[str]]
) -> None:
    data = house.claim(*expected, position=position)
    assert {parts: sorted(found) for parts, found in names(data, house).items()} == expected
    assert check_claim(data, house.keys)[0] == position
    assert holds_alone(alone, verifier, data, house)


def test_a_claim_of_which_a_byte_was_changed_does_not_hold(house: House, alone: Any, verifier: Any, flip: Any) -> None:
    data, chance = house.claim(("DE",), ("AT",), ("GLOBAL", "", "moon")), random.Random(5)
    for at in range(0, len(data), 40):
        changed = flip(data, at, chance)
        with pytest.raises(ProvenanceError):
            check_claim(changed, house.keys)
        assert not holds_alone(alone, verifier, changed, house)


def forged(house: House, change: Callable[[Any], None]) -> bytes:
    plain = json.loads(house.claim(("DE",), ("AT",), ("GLOBAL",)))
    change(plain)
    return canonical_json(plain)


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain.update(position=8, entries=plain["entries"][:-1]) or plain["about"][0].update(live=[]),
        lambda plain: plain["about"][0].update(live=[]),
        lambda plain: plain["about"][0].update(live=None),
        lambda plain: plain["about"][0].update(proof=plain["about"][2]["proof"]),
        lambda plain: plain["about"][1].update(parts=["DE"]),
        lambda plain: plain.update(entries=plain["entries"][1:]),
        lambda plain: plain.update(entries=[]),
        lambda plain: plain.update(position=True),
        lambda plain: plain.update(v=2),
        lambda plain: plain["entries"][0].update(index=0),
    ],
    ids=["fewer entries and no records", "a record hidden", "a list hidden", "another's proof", "another's name",
         "no root", "no entries", "no position", "another version", "another place"],
)  # fmt: skip
def test_a_claim_that_was_put_together_otherwise_does_not_hold(
    house: House, alone: Any, verifier: Any, change: Callable[[Any], None]
) -> None:
    data = forged(house, change)
    with pytest.raises(ProvenanceError):
        check_claim(data, house.keys)
    assert not holds_alone(alone, verifier, data, house)


def test_a_claim_cannot_pass_over_an_entry_that_names_versions(house: House, alone: Any, verifier: Any) -> None:
    """An older root is shown with all entries after it: one of them names versions, so the older root counts no more."""
    old, leaves, tree = json.loads(house.claim(("GLOBAL",), position=7)), list(house.log.leaves()), house.ledger.tree
    entries: list[Json] = [
        {"index": n, "leaf": leaves[n].decode(), "path": list(map(to_base64, tree.inclusion_proof(n)))} for n in range(6, 9)
    ]
    data = canonical_json({**old, "entries": entries, "position": 9})
    with pytest.raises(VerificationError, match="none after it that names versions"):
        check_claim(data, house.keys)
    assert not holds_alone(alone, verifier, data, house)


def test_nothing_is_claimed_of_a_ledger_from_before_there_was_a_map(signer_of: Any, make_found: Any) -> None:
    signer = signer_of("service")
    house = House(signer, make_found(signer, {signer.key: "service:a"}), list(STORY))
    with pytest.raises(VerificationError, match="before there were any"):
        house.claim(("DE",))


def test_many_records_are_proved_to_be_there_without_a_list(signer_of: Any, make_found: Any, alone: Any, verifier: Any) -> None:
    many = {f"r{n}": ("DE", f"t{n % 3}", n) for n in range(250)}
    story = rooted((propose("c", **many), edits("c", *(("add", f"{name}@1", n) for n, name in enumerate(many)))))
    signer = signer_of("service")
    house = House(signer, make_found(signer, {signer.key: "service:a"}), story)
    data = house.claim(("DE",), ("DE", "t1"), ("FR",))
    whole, part, none = check_claim(data, house.keys)[1]
    assert (whole.live, len(part.live or ()), none.live) == (None, 83, ())
    assert holds_alone(alone, verifier, data, house)


def test_the_verifier_alone_replays_an_export_and_finds_every_root(
    house: House, alone: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_tiles(tmp_path / "ledger", house.log.leaves(), house.note)
    (tmp_path / "claim").write_bytes(house.claim(("FR",)))
    key = ["--ledger-key", str(house.keys[0])]
    assert alone.main(["ledger", str(tmp_path / "ledger"), *key]) == 0
    said = capsys.readouterr().out
    assert "ok    map: 4 roots as the entries lead to, 2 records live after 9 entries" in said
    assert f"live  DE tax vat@3 {digest(5)}" in said
    assert alone.main(["ledger", str(tmp_path / "ledger"), *key, "--at", "6"]) == 0
    assert "vat@2" in capsys.readouterr().out
    assert alone.main(["claim", str(tmp_path / "claim"), *key]) == 0
    assert "ok    FR: nothing was live" in capsys.readouterr().out
    assert alone.main(["claim", str(tmp_path / "nowhere"), *key]) == 1


def test_the_verifier_alone_refuses_another_root(
    signer_of: Any, make_found: Any, alone: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signer, story = signer_of("service"), rooted(STORY)
    lie = Statement("edits", story[4].subjects, {**story[4].predicate, "map": digest(1)})
    house = House(signer, make_found(signer, {signer.key: "service:a"}), [*story[:4], lie, *story[5:]])
    export_tiles(tmp_path / "ledger", house.log.leaves(), house.note)
    assert alone.main(["ledger", str(tmp_path / "ledger"), "--ledger-key", str(house.keys[0])]) == 1
    assert "entry 5 gives another root" in capsys.readouterr().out
    assert root_named(lie) == digest(1)
