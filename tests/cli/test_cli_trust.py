"""`rag-edit ledger | receipt | who | suspend | resume`: on a home whose edits were made without an encoder."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag_edit.cli.main import app
from rag_edit.config import Settings
from rag_edit.core.atlas import default_atlas
from rag_edit.core.errors import RagEditError, UsageError
from rag_edit.opening import create_store, open_store
from rag_edit.provenance.errors import KeyFileError, RolledBackError, VerificationError
from rag_edit.records.files import read_mappings
from rag_edit.records.plan import make_plan
from rag_edit.trust.refusal import RefusedActError
from rag_edit.trust.trusting import open_office

pytestmark = pytest.mark.slow  # whole commands, one after another

VERIFIER = Path(__file__).parents[2] / "verifier" / "verify_map.py"
T = datetime(2026, 11, 23, 9, tzinfo=UTC)


def run(home: Path, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["--home", str(home), *arguments])
    if isinstance(done.exception, RagEditError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def apply(home: Path, **answers: str) -> None:
    facts = [{"id": n, "jurisdiction": "DE", "question": f"What is {n}?", "answer": a} for n, a in answers.items()]
    with open_store(home) as store:
        read = read_mappings(facts, default_atlas())
        plan = make_plan(read, [*store.live()], default_atlas(), on_conflict="refuse", today=date(2026, 11, 23))
        open_office(home, Settings(), store).carry_out(plan, recorded_at=T)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template")
    create_store(home)
    apply(home, vat="19 %")
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "home"))


def test_the_ledger_lists_verifies_and_exports_what_was_done(home: Path, tmp_path: Path) -> None:
    log = json.loads(run(home, "ledger", "log", "--json"))
    assert [each["kind"] for each in log["entries"]] == ["found", "propose", "publish", "edits"]
    found = json.loads(run(home, "ledger", "verify", "--json"))
    assert (found["ok"], found["entries"], found["live_records"]) == (True, 4, 1)
    assert json.loads(run(home, "ledger", "show", "3"))["statement"]["subject"][0]["name"] == "vat@1"
    assert json.loads(run(home, "ledger", "export", str(tmp_path / "tiles"), "--json"))["entries"] == 4
    head = json.loads(run(home, "ledger", "checkpoint", "--json"))
    assert (tmp_path / "tiles" / "checkpoint").read_text("utf-8") == head["checkpoint"]


def test_what_is_live_in_a_place_and_that_nothing_is_is_proved_to_whoever_has_the_keys(home: Path, tmp_path: Path) -> None:
    claim, kept = str(tmp_path / "claim.json"), tmp_path / "kept"
    said = run(home, "ledger", "prove", "-j", "DE-BY", "-j", "DE", "--out", claim)
    assert said.splitlines()[:3] == ["when the ledger had 4 entries:", "DE-BY: nothing is live", "DE: vat@1"]
    document = json.loads(run(home, "ledger", "prove", "-j", "DE-BY", "-j", "DE", "--json"))
    assert document == json.loads((tmp_path / "claim.json").read_text("utf-8"))
    assert [[live["name"] for live in each["live"]] for each in document["about"]] == [[], ["vat@1"]]
    run(home, "ledger", "checkpoint", "--out", str(kept))
    checked = ["ledger", "check", claim, "--keys", str(kept / "ledger.keys")]
    assert "DE-BY: nothing is live" in run(tmp_path / "no-home", *checked)
    assert json.loads(run(home, "ledger", "check", claim, "--json")) == {
        "about": [{"live": [], "parts": ["DE-BY"]}, {"live": ["vat@1"], "parts": ["DE"]}], "ok": True, "position": 4,
    }  # fmt: skip
    alone = [sys.executable, str(VERIFIER), "claim", claim, "--ledger-key", str(kept / "ledger.keys")]
    done = subprocess.run(alone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (0, ["ok    DE: vat@1", "holds"])
    (tmp_path / "claim.json").write_text(json.dumps(document).replace('"vat@1"', '"vat@2"'))
    with pytest.raises(VerificationError, match="what is proved of DE"):
        run(home, *checked)


def test_what_was_live_earlier_is_proved_at_its_position(home: Path) -> None:
    apply(home, tea="hot")
    assert run(home, "ledger", "prove", "-j", "DE", "--known-at", "4").splitlines()[-1] == "DE: vat@1"
    assert run(home, "ledger", "prove", "-j", "DE").splitlines()[-1] == "DE: tea@1, vat@1"
    assert (
        run(home, "ledger", "prove", "-j", "DE", "--topic", "", "--record", "tea").splitlines()[-1]
        == "DE / (no topic) / tea: tea@1"
    )
    for wrong, words in (
        (("-j", "DE", "--known-at", "99"), "up to 7, found 99"),
        (("-j", "XX"), "XX"),
        ((), "wanted a jurisdiction"),
        (("-j", "DE", "--record", "tea"), "--topic"),
        (("--receipt", "r-1"), "wanted a receipt"),
        (("-j", "DE", "--receipt", "r-1", "--known-at", "1"), "--known-at"),
    ):
        with pytest.raises(RagEditError, match=words):
            run(home, "ledger", "prove", *wrong)


def test_who_names_the_person_of_this_machine_with_every_power(home: Path) -> None:
    found = json.loads(run(home, "who", "-j", "DE-BY", "--json"))["may"]
    assert {each["person"] for each in found} == {"person:local"}
    assert len(found) == 11
    with pytest.raises(UsageError, match="--power"):
        run(home, "who", "--power", "rule")


def test_a_record_is_suspended_and_resumed_and_both_are_on_record(home: Path) -> None:
    run(home, "suspend", "vat", "--reason", "under review")
    run(home, "resume", "vat", "--reason", "checked")
    assert [e["kind"] for e in json.loads(run(home, "ledger", "log", "--json"))["entries"]][-2:] == ["suspend", "resume"]
    with pytest.raises(RefusedActError, match="NOT_SUSPENDED"):
        run(home, "resume", "vat", "--reason", "again")
    with pytest.raises(RefusedActError, match="UNKNOWN_RECORD"):
        run(home, "suspend", "nothing", "--reason", "?")
    with pytest.raises(UsageError, match="wanted one of"):
        run(home, "suspend", "vat", "--all", "--reason", "?")


def test_a_store_put_back_from_an_older_copy_starts_only_after_somebody_says_so(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "store", tmp_path / "backup")
    apply(home, tea="hot")
    shutil.rmtree(home / "store")
    shutil.copytree(tmp_path / "backup", home / "store")
    with pytest.raises(RolledBackError, match="ledger succeed --reason"):
        run(home, "ledger", "verify")
    assert run(home, "ledger", "succeed", "--reason", "the disk was lost").strip().endswith("/2")
    assert json.loads(run(home, "ledger", "verify", "--json"))["live_records"] == 1
    apply(home, tea="cold")
    assert json.loads(run(home, "ledger", "verify", "--json"))["live_records"] == 2


def test_restoring_a_snapshot_is_put_on_record(home: Path, tmp_path: Path) -> None:
    run(home, "snapshot", str(tmp_path / "snapshot"))
    apply(home, tea="hot")
    run(home, "restore", str(tmp_path / "snapshot"))
    assert json.loads(run(home, "ledger", "verify", "--json"))["live_records"] == 1
    assert [e["kind"] for e in json.loads(run(home, "ledger", "log", "--json"))["entries"]][-2:] == ["retract", "edits"]
    assert run(home, "ledger", "prove", "-j", "DE").splitlines()[-1] == "DE: vat@1"


@pytest.mark.parametrize("lost", ["keys/local.key", "keys/passphrase"])
def test_a_home_whose_key_is_gone_says_which_file(home: Path, lost: str) -> None:
    (home / lost).unlink()
    with pytest.raises(KeyFileError, match=lost):
        run(home, "ledger", "verify")


def test_only_the_owner_can_read_the_key(home: Path) -> None:
    assert [(home / "keys" / name).stat().st_mode & 0o777 for name in ("local.key", "passphrase")] == [0o600, 0o600]


def test_an_unknown_receipt_is_said_to_be_one(home: Path) -> None:
    assert json.loads(run(home, "receipt", "list", "--json")) == {"receipts": []}
    with pytest.raises(UsageError, match="a receipt of this home"):
        run(home, "receipt", "show", "r-0")
