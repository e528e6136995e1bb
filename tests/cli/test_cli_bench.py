"""`rag-edit bench scope`, on a fake engine."""

import json
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from rag_edit.cli import bench
from rag_edit.cli.main import app
from rag_edit.config import Settings
from rag_edit.core.errors import RagEditError
from rag_edit.engine import Engine, Progress
from rag_edit.testing import fake_engine

ROW = {
    "case_id": 1,
    "subject": "Ada Lovelace",
    "src": "Where was Ada Lovelace born?",
    "rephrase": "Where was Ada Lovelace born, please?",
    "alt": "Oslo",
    "loc": "nq question: how do magnets work",
}


def opener(home: Path, settings: Settings, progress: Progress, as_of: date) -> Engine:
    home.mkdir(parents=True, exist_ok=True)
    return fake_engine(today=as_of)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data/zsre").mkdir(parents=True)
    (tmp_path / "data/zsre/train.jsonl").write_text(json.dumps(ROW) + "\n", "utf-8")
    return tmp_path / "data"


def cli(*arguments: str) -> Result:
    program = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    program.add_typer(bench.make_app(opener), name="bench")
    return CliRunner().invoke(program, ["bench", "scope", *arguments])


def test_the_table_shows_systems_shares_and_intervals(data: Path, tmp_path: Path) -> None:
    done = cli("--data", str(data), "--suite", "zsre", "--half", "train", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.exception
    for word in ("1 records live", "product, shipped", "nearest, best", "100.00 %", "calibration error", "re-splits"):
        assert word in done.stdout


def test_json_is_the_summary_and_nothing_else(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = cli("--data", str(data), "--suite", "zsre", "--half", "train", "--out", str(out), "--baselines", "none", "--json")
    summary = json.loads(done.stdout)
    assert summary == json.loads((out / "zsre/summary.json").read_text("utf-8"))
    assert (summary["suite"], summary["half"], list(summary["systems"])) == ("zsre", "train", ["product"])


def test_several_suites_give_a_list(data: Path, tmp_path: Path) -> None:
    (data / "qaedit").mkdir()
    (data / "qaedit/train.jsonl").write_text("", "utf-8")
    out = str(tmp_path / "out")
    both = ("--suite", "zsre", "--suite", "qaedit")
    done = cli("--data", str(data), *both, "--half", "train", "--out", out, "--baselines", "none", "--json")
    assert [summary["suite"] for summary in json.loads(done.stdout)] == ["zsre", "qaedit"]


REFUSED = {
    "an unknown suite": (["--suite", "nix"], "wanted one of"),
    "an unknown baseline": (["--suite", "zsre", "--baselines", "nearest,nix"], "found 'nix'"),
    "a risk that is no share": (["--suite", "zsre", "--risk", "2"], "between 0 and 1"),
    "a half that is not there": (["--suite", "zsre"], "wanted a suite's file"),
}


@pytest.mark.parametrize("arguments, message", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_run_says_why_and_what_to_try(arguments: list[str], message: str, data: Path, tmp_path: Path) -> None:
    done = cli("--data", str(data), "--out", str(tmp_path / "out"), *arguments)
    assert isinstance(done.exception, RagEditError)
    assert message in done.exception.message
    assert done.exception.hint


def test_the_command_is_part_of_the_program() -> None:
    assert "--suite" in CliRunner().invoke(app, ["bench", "scope", "--help"]).stdout


@pytest.mark.model
@pytest.mark.timeout(180)
def test_the_real_product_is_measured_and_its_home_removed(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [
        "--data",
        str(data),
        "--suite",
        "zsre",
        "--half",
        "train",
        "--out",
        str(out),
        "--baselines",
        "nearest",
        "--json",
    ]
    done = CliRunner().invoke(app, ["bench", "scope", *arguments])
    assert done.exit_code == 0, done.exception
    summary = json.loads(done.stdout)
    assert summary["systems"]["product"]["shipped"]["all"]["own"]["hits"] == 1
    assert summary["scorer"]["kind"] != "overlap"
    assert not (out / "zsre/home").exists()
