"""The command line on records: what needs no encoder. Real processes of the real entry point, in the cases that matter."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag_edit.cli.main import app
from rag_edit.core.errors import RagEditError
from rag_edit.opening import open_store
from tests.lm.tiny import write_encoder

VAT = {
    "id": "vat",
    "jurisdiction": "DE",
    "question": "What is the standard VAT rate?",
    "answer": "It is 19 %.",
    "target": "19 %",
}


def cli(home: Path, *arguments: str) -> tuple[int, str]:
    """Run in this process; return the exit code and stdout."""
    found = CliRunner().invoke(app, ["--home", str(home), *arguments], catch_exceptions=True)
    if isinstance(found.exception, RagEditError):
        return found.exception.exit_code, str(found.exception)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.stdout


def records(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture
def home(tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home that needs no weights from packages."""
    monkeypatch.setenv("RAG_EDIT_ENCODER", str(encoder))
    monkeypatch.setenv("RAG_EDIT_SCORER", "overlap")
    monkeypatch.setenv("RAG_EDIT_CACHE", str(encoder.parent / "cache"))
    assert cli(tmp_path / "home", "init")[0] == 0
    return tmp_path / "home"


def test_init_twice_keeps_what_is_there(home: Path) -> None:
    code, out = cli(home, "init", "--json")
    assert (code, json.loads(out)["created"]) == (0, False)


def test_plan_shows_what_apply_would_do_and_changes_nothing(home: Path, tmp_path: Path) -> None:
    code, out = cli(home, "plan", str(records(tmp_path / "r.jsonl", VAT)), "--json")
    assert (code, json.loads(out)["counts"]["added"]) == (0, 1)
    assert json.loads(cli(home, "record", "list", "--json")[1])["total"] == 0


def test_a_bad_file_names_every_fault_and_exits_with_1(home: Path, tmp_path: Path) -> None:
    path = records(tmp_path / "r.jsonl", {**VAT, "jurisdiction": "ZZ"}, {**VAT, "id": "b", "valid_from": "2026-02-30"})
    code, out = cli(home, "plan", str(path))
    assert code == 1
    assert f"{path}:1:jurisdiction" in out
    assert f"{path}:2:valid_from" in out


def test_records_that_contradict_one_another_are_refused_and_listed(home: Path, tmp_path: Path) -> None:
    path = records(tmp_path / "r.jsonl", VAT, {**VAT, "id": "other", "answer": "It is 20 %.", "target": "20 %"})
    code, out = cli(home, "apply", str(path))
    assert code == 1
    assert "vat" in out
    assert "other" in out


REFUSED = {
    "a missing home": (["record", "list"], 3, "rag-edit --home"),
    "an unknown record": (["record", "show", "nix"], 3, "nix"),
    "a day that is none": (["ask", "--as-of", "2026-02-30", "x"], 2, "YYYY-MM-DD"),
    "neither question nor batch": (["ask"], 2, "--batch"),
    "a batch without an output": (["ask", "--batch", "in.jsonl"], 2, "--out"),
}


@pytest.mark.parametrize(("arguments", "code", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_have_their_exit_code_and_say_what_to_do(
    tmp_path: Path, arguments: Sequence[str], code: int, says: str
) -> None:
    home = tmp_path / "home"
    if says != "rag-edit --home":
        cli(home, "init")
    found, out = cli(home, *arguments)
    assert found == code
    assert says in out


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rag_edit.cli", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})


def test_errors_go_to_stderr_without_a_traceback(home: Path) -> None:
    done = run(home, "record", "show", "nix")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("rag-edit: no record has the id 'nix'")
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_a_usage_error(home: Path) -> None:
    assert cli(home, "bogus")[0] == 2


def test_a_locked_store_says_who_holds_it(home: Path) -> None:
    with open_store(home):
        done = run(home, "record", "list")
    assert done.returncode == 3
    assert f"process {os.getpid()} (" in done.stderr


def test_settings_come_from_file_and_environment_and_unknown_ones_are_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag_edit.config import load_settings
    from rag_edit.core.errors import ConfigError

    (home / "config.toml").write_text('jurisdiction = "DE"\ncandidates = 10\n', "utf-8")
    assert (load_settings(home, {}).jurisdiction, load_settings(home, {}).candidates) == ("DE", 10)
    assert load_settings(home, {"RAG_EDIT_JURISDICTION": "FR"}).jurisdiction == "FR"
    for bad in ("colour = 1\n", "candidates = 0\n", "jurisdiction = 3\n", "not toml"):
        (home / "config.toml").write_text(bad, "utf-8")
        with pytest.raises(ConfigError):
            load_settings(home, {})


def test_a_secret_setting_never_shows() -> None:
    from rag_edit.config import Settings

    assert "hush" not in repr(Settings(upstream_key="hush"))


def test_a_retraction_is_not_undone_by_applying_the_old_file_again(home: Path, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from rag_edit.core.record import Record
    from rag_edit.opening import open_store
    from rag_edit.records.store import Act, Edit

    record = Record(**VAT)
    with open_store(home) as store:
        store.append([Edit(Act.ADD, record, 0)], idempotency_key="1", recorded_at=datetime.now(UTC))
        store.append([Edit(Act.RETRACT, record, 1)], idempotency_key="2", recorded_at=datetime.now(UTC))
    path = records(tmp_path / "r.jsonl", VAT)
    code, out = cli(home, "apply", str(path), "--json")
    assert (code, json.loads(out)["added"], json.loads(out)["position"]) == (0, 0, None)
    changed = records(tmp_path / "r.jsonl", {**VAT, "answer": "It is 20 %.", "target": "20 %"})
    code, out = cli(home, "plan", str(changed), "--json")
    assert (code, json.loads(out)["counts"]["added"]) == (0, 1)


def test_a_snapshot_restores_the_whole_history(home: Path, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from rag_edit.core.record import Record
    from rag_edit.opening import open_store
    from rag_edit.records.store import Act, Edit

    with open_store(home) as store:
        store.append([Edit(Act.ADD, Record(**VAT), 0)], idempotency_key="1", recorded_at=datetime.now(UTC))
    assert cli(home, "snapshot", str(tmp_path / "s.jsonl"))[0] == 0
    assert cli(tmp_path / "other", "restore", str(tmp_path / "s.jsonl"))[0] == 0
    assert json.loads(cli(tmp_path / "other", "record", "show", "vat", "--json")[1])["answer"] == "It is 19 %."
    (tmp_path / "s.jsonl").write_text("not a snapshot", "utf-8")
    assert cli(tmp_path / "other", "restore", str(tmp_path / "s.jsonl"))[0] == 3
    assert json.loads(cli(tmp_path / "other", "record", "show", "vat", "--json")[1])["answer"] == "It is 19 %."
