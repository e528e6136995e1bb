"""The ladder on the command line: what asks for a model's words is probed before it is live, or says why not."""

import json
from pathlib import Path

import pytest

from rag_edit.verify.evidence import EvidenceFile
from tests.cli.test_cli_records import VAT, cli, encoder, home, records
from tests.lm.tiny import write_language_model

__all__ = ["encoder", "home"]
PLAIN: dict[str, object] = {**VAT}
GROUNDED: dict[str, object] = {**VAT, "serve": "grounded"}


def live(home: Path) -> int:
    total: int = json.loads(cli(home, "record", "list", "--json")[1])["total"]
    return total


def test_the_records_own_words_need_no_model_and_no_evidence(home: Path, tmp_path: Path) -> None:
    assert cli(home, "apply", str(records(tmp_path / "r.jsonl", PLAIN)), "--no-probes")[0] == 0
    assert EvidenceFile(home).all() == {}
    code, out = cli(home, "record", "verify", "vat", "--json")
    assert (code, json.loads(out)["rung"]) == (0, "verbatim")


def test_skipping_verification_needs_a_reason_which_is_kept(home: Path, tmp_path: Path) -> None:
    path = records(tmp_path / "r.jsonl", GROUNDED)
    assert cli(home, "apply", str(path), "--no-probes", "--no-verify", "moved from the old system")[0] == 0
    evidence = EvidenceFile(home).all()["vat@1"]
    assert (evidence.ok, evidence.note) == (False, "unverified: moved from the old system")
    assert live(home) == 1


@pytest.mark.slow
def test_a_record_that_holds_on_no_rung_is_not_live(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_EDIT_MODEL", str(write_language_model(tmp_path / "model")))  # random, and reads 128 tokens
    code, out = cli(home, "apply", str(records(tmp_path / "r.jsonl", GROUNDED)), "--no-probes")
    assert (code, live(home)) == (1, 0)
    assert "1 record held on no rung, nothing applied" in out
    assert EvidenceFile(home).all() == {}
