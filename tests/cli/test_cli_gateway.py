"""The command line around the gateway: deployments listed, checked and explained; keys made, listed and revoked."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag_edit.cli.main import app
from rag_edit.core.errors import RagEditError
from rag_edit.gateway.config import GatewayConfigError

TOML = """
[upstream.ours]
url = "http://127.0.0.1:11434/v1"

[deployment.germany]
upstream = "ours"
jurisdiction = "DE"

[deployment.dach]
upstream = "ours"
jurisdiction = "DE"
allowed = ["DE/*", "AT"]
languages = ["de"]
exclude_topics = ["work"]
date = "caller"
mode = "canary"
canary_percent = 12.5
"""


def run(home: Path, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["--home", str(home), *arguments])
    if isinstance(done.exception, RagEditError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "gateway.toml").write_text(TOML, "utf-8")
    return tmp_path


def test_deployments_are_listed_for_people_and_for_programs(home: Path) -> None:
    assert run(home, "deployment", "list").splitlines() == [
        "germany: serve at DE, in front of ours",
        "dach: canary at DE, callers may choose DE/*, AT, in front of ours",
    ]
    found = json.loads(run(home, "deployment", "list", "--json"))["deployments"]
    assert [each["name"] for each in found] == ["germany", "dach"]


def test_check_says_what_is_wrong_and_where(home: Path) -> None:
    assert run(home, "deployment", "check") == "ok: 2 deployments, 1 upstreams\n"
    (home / "gateway.toml").write_text(TOML.replace('"canary"', '"often"'), "utf-8")
    with pytest.raises(GatewayConfigError, match=r"deployment\.dach\.mode"):
        run(home, "deployment", "check")


def test_explain_says_where_a_request_would_stand(home: Path) -> None:
    assert run(home, "deployment", "explain", "dach", "--model", "gpt@DE-BY", "--as-of", "2026-11-22").splitlines() == [
        "dach: questions stand in DE-BY on 2026-11-22; records of DE-BY, DE, EUROZONE, EU, SCHENGEN, EEA, COE, NATO, GLOBAL may answer",
        "mode canary (12.5 %); in front of ours as model gpt; cited by annotation",
        "records in de may answer, and those that state no language",
        "records on work never answer",
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["dach", "--model", "gpt@FR"], "jurisdiction_not_allowed"),
        (["germany", "-j", "AT"], "jurisdiction_not_allowed"),
        (["dach", "-j", "Bavaria"], "unknown_jurisdiction"),
        (["germany", "--as-of", "2026-01-01"], "day_not_allowed"),
    ],
    ids=["outside the set", "a fixed place", "no code", "a fixed day"],
)
def test_explain_says_why_a_request_would_be_refused(home: Path, arguments: list[str], code: str) -> None:
    assert code in run(home, "deployment", "explain", *arguments, code=1)
    assert json.loads(run(home, "deployment", "explain", *arguments, "--json", code=1))["refused"]["code"] == code


def test_an_unknown_deployment_names_those_there_are(home: Path) -> None:
    with pytest.raises(RagEditError, match="germany, dach"):
        run(home, "deployment", "explain", "france")


def test_a_key_is_shown_once_and_listed_without_itself(home: Path) -> None:
    token = run(home, "key", "create", "bot", "--deployment", "germany").strip()
    made: Any = json.loads(run(home, "key", "create", "editor", "--action", "apply", "-j", "DE", "--json"))
    assert token.startswith("rek_")
    assert (made["actions"], made["deployments"], made["jurisdiction"]) == (["apply"], ["*"], "DE")
    listed = run(home, "key", "list") + run(home, "key", "list", "--json")
    assert token not in listed
    assert made["key"] not in listed
    assert "bot: in force; answer, embed, models in germany\n" in listed
    run(home, "key", "revoke", "bot")
    assert "bot: revoked" in run(home, "key", "list")
    with pytest.raises(RagEditError, match="no key in force"):
        run(home, "key", "revoke", "bot")


def test_serve_refuses_options_beside_a_file(home: Path) -> None:
    with pytest.raises(RagEditError, match="alone"):
        run(home, "serve", "--upstream", "http://127.0.0.1:1/v1")


def test_serve_says_what_is_wrong_before_it_opens_anything(tmp_path: Path) -> None:
    with pytest.raises(GatewayConfigError, match="--upstream"):
        run(tmp_path, "serve", "--upstream", "ftp://nowhere")
    with pytest.raises(RagEditError, match="jurisdiction"):
        run(tmp_path, "serve", "-j", "Germany")
