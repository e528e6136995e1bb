"""Evidence that was issued once verifies for ever: a receipt and a ledger of format 1, as files."""

from pathlib import Path
from typing import Any

from rag_edit.provenance.audit import audit_ledger
from rag_edit.provenance.note import read_note_key
from rag_edit.provenance.tiles import read_tiles
from rag_edit.provenance.verify import trust_of, verify_receipt

V1 = Path(__file__).parent / "data/v1"
LEDGER, RECEIPTS = "example.org/rag-edit/ledger", "example.org/rag-edit/receipts"


def test_a_receipt_and_a_ledger_of_format_1_still_hold(verifier: Any, capsys: Any) -> None:
    keys = [read_note_key(line) for line in (V1 / "keys.txt").read_text("utf-8").splitlines()]
    leaves, note = read_tiles(V1 / "ledger")
    audited = audit_ledger(leaves, note, [key for key in keys if key.name == LEDGER])
    trust = trust_of(keys, ledger=LEDGER, receipts=RECEIPTS)
    verified = verify_receipt((V1 / "answer.receipt").read_bytes(), trust, ledger=audited)
    assert verified.holds, verified.checks
    given = ["--receipts-key", str(V1 / "keys.txt"), "--ledger-key", str(V1 / "keys.txt"), "--ledger", str(V1 / "ledger")]
    assert verifier.main(["receipt", str(V1 / "answer.receipt"), *given]) == 0
    assert capsys.readouterr().out.endswith("holds\n")


def test_the_same_acts_and_answer_still_make_the_same_bytes(make_world: Any) -> None:
    world = make_world(3)
    assert world.receipt(1).to_bytes() == (V1 / "answer.receipt").read_bytes()
    assert list(world.log.leaves()) == read_tiles(V1 / "ledger")[0]
