"""Deployments: what a file may declare, where a request stands, who may choose, and that two of them never meet."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag_edit.config import Settings
from rag_edit.core.atlas import default_atlas
from rag_edit.gateway.address import Chosen, choose_place, split_model
from rag_edit.gateway.config import GatewayConfigError, implied, load_gateway
from rag_edit.gateway.deployments import DeploymentSpec, Mode
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.settling import is_sampled
from tests.gateway.house import ASKED, OTHER, RECORDS, House, house, read_config, vat
from tests.gateway.upstream import FakeUpstream

GOOD: dict[str, Any] = {"upstream": {"a": {"url": "http://127.0.0.1:1/v1"}}, "deployment": {"x": {"upstream": "a"}}}


def with_deployment(**fields: Any) -> dict[str, Any]:
    return {**GOOD, "deployment": {"x": {"upstream": "a", **fields}}}


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no deployment": ({"upstream": GOOD["upstream"]}, "at least one [deployment.NAME]"),
    "unknown table": ({**GOOD, "sever": {}}, "sever"),
    "unknown field": (with_deployment(jurisdicton="DE"), "deployment.x.jurisdicton"),
    "unknown place": (with_deployment(jurisdiction="DEU"), "deployment.x.jurisdiction"),
    "unknown allowed place": (with_deployment(allowed=["DE", "XX/*"]), "deployment.x.allowed"),
    "a way to choose without a set": (with_deployment(choose_by=["header"]), "deployment.x.choose_by"),
    "unknown way": (with_deployment(allowed=["DE"], choose_by=["cookie"]), "deployment.x.choose_by"),
    "unknown upstream": (with_deployment(upstream="b"), "deployment.x.upstream"),
    "unknown mode": (with_deployment(mode="on"), "deployment.x.mode"),
    "canary without a share": (with_deployment(mode="canary"), "deployment.x.canary_percent"),
    "a share without canary": (with_deployment(canary_percent=5), "deployment.x.canary_percent"),
    "a share above all": (with_deployment(mode="canary", canary_percent=101), "deployment.x.canary_percent"),
    "no language tag": (with_deployment(languages=["german"]), "deployment.x.languages"),
    "no day": (with_deployment(date="soon"), "deployment.x.date"),
    "a name with a slash": ({**GOOD, "deployment": {"a/b": {}}}, "deployment.a/b"),
    "an upstream without address": ({**GOOD, "upstream": {"a": {}}}, "upstream.a.url"),
    "an upstream by another protocol": ({**GOOD, "upstream": {"a": {"url": "file:///etc/passwd"}}}, "upstream.a.url"),
    "a secret in an address": ({**GOOD, "upstream": {"a": {"url": "http://u:p@h/v1"}}}, "key_env"),
    "a header that must not pass": (
        {**GOOD, "upstream": {"a": {"url": "http://h/v1", "request_headers": ["Cookie"]}}},
        "upstream.a.request_headers",
    ),
    "a port that is none": ({**GOOD, "server": {"port": 70_000}}, "server.port"),
    "truth for a number": ({**GOOD, "server": {"concurrent": True}}, "server.concurrent"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_does_not_hold_is_refused_at_its_place(name: str) -> None:
    raw, where = FAULTS[name]
    with pytest.raises(GatewayConfigError) as caught:
        read_config(raw)
    assert where in str(caught.value)


def test_all_faults_of_a_file_come_at_once() -> None:
    with pytest.raises(GatewayConfigError) as caught:
        read_config(with_deployment(mode="on", jurisdiction="nowhere", cite="loudly"))
    assert len(caught.value.faults) == 3


def test_without_a_file_the_home_itself_is_the_deployment(tmp_path: Path) -> None:
    config = load_gateway(tmp_path, Settings(jurisdiction="DE"), default_atlas())
    assert {name: (d.jurisdiction, d.upstream) for name, d in config.deployments.items()} == {"default": ("DE", "local")}
    assert implied(Settings(model="http://h:1/v1#m"), default_atlas()).upstreams["upstream"].url == "http://h:1/v1"
    assert implied(Settings(), default_atlas(), "http://h:1").upstreams["upstream"].url == "http://h:1/v1"


def test_a_file_that_is_no_toml_says_so(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("[deployment", "utf-8")
    with pytest.raises(GatewayConfigError, match="not readable as TOML"):
        load_gateway(tmp_path, Settings(), default_atlas())


ATLAS, DAY = default_atlas(), date(2026, 11, 22)
FIXED = DeploymentSpec("fixed", jurisdiction="DE")
CHOSEN = DeploymentSpec(
    "chosen",
    jurisdiction="DE",
    allowed=("DE/*", "AT"),
    choose_by=frozenset({"header", "model", "key"}),  # type: ignore[arg-type]
)
BY_HEADER = DeploymentSpec("by-header", jurisdiction="DE", allowed=("EU/*",), choose_by=frozenset({"header"}))  # type: ignore[arg-type]
PLACES: dict[str, tuple[DeploymentSpec, Chosen, str]] = {
    "nothing said is the deployment's own place": (FIXED, Chosen(), "DE"),
    "a fixed place may be named": (FIXED, Chosen(header="DE"), "DE"),
    "a fixed place is not moved": (FIXED, Chosen(header="AT"), "403 jurisdiction_not_allowed"),
    "a fixed place is not moved by a suffix": (FIXED, Chosen(suffix="AT"), "403 jurisdiction_not_allowed"),
    "a fixed place is not moved by a key": (FIXED, Chosen(key="AT"), "DE"),
    "a place below an allowed one": (CHOSEN, Chosen(header="DE-BY"), "DE-BY"),
    "an allowed place": (CHOSEN, Chosen(suffix="AT"), "AT"),
    "a place below one that is allowed alone": (CHOSEN, Chosen(suffix="AT-9"), "403 jurisdiction_not_allowed"),
    "a place above the allowed ones": (CHOSEN, Chosen(header="EU"), "403 jurisdiction_not_allowed"),
    "no place at all is not asked for": (CHOSEN, Chosen(header="GLOBAL"), "403 jurisdiction_not_allowed"),
    "by key": (CHOSEN, Chosen(key="AT"), "AT"),
    "two that agree": (CHOSEN, Chosen(header="AT", key="AT", suffix="AT"), "AT"),
    "two that differ": (CHOSEN, Chosen(header="DE-BY", suffix="DE"), "400 two_jurisdictions"),
    "a key is not overruled by a header": (CHOSEN, Chosen(header="DE", key="AT"), "400 two_jurisdictions"),
    "a misspelt place": (CHOSEN, Chosen(header="de"), "400 unknown_jurisdiction"),
    "a place that is none": (CHOSEN, Chosen(suffix="QX"), "400 unknown_jurisdiction"),
    "a way that is not offered": (BY_HEADER, Chosen(suffix="FR"), "403 jurisdiction_not_allowed"),
    "a member of a bloc": (BY_HEADER, Chosen(header="FR"), "FR"),
    "a state that left the bloc": (BY_HEADER, Chosen(header="GB"), "403 jurisdiction_not_allowed"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_question_stands_where_its_deployment_allows_or_nowhere(name: str) -> None:
    spec, chosen, wanted = PLACES[name]
    try:
        found = choose_place(spec, ATLAS, DAY, chosen)
    except Refusal as refusal:
        found = f"{refusal.status} {refusal.code}"
    assert found == wanted


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("gpt", ("gpt", "")),
        ("gpt@DE-BY", ("gpt", "DE-BY")),
        ("gpt@GLOBAL", ("gpt", "GLOBAL")),
        ("gpt@EUROZONE", ("gpt", "EUROZONE")),
        ("gpt@de", ("gpt", "de")),
        ("gpt@eurozone", ("gpt", "eurozone")),
        ("a@b@AT", ("a@b", "AT")),
        ("@cf/meta/llama", ("@cf/meta/llama", "")),
        ("claude@20240620", ("claude@20240620", "")),
        ("llama@latest", ("llama@latest", "")),
        ("@DE", ("@DE", "")),
        ("gpt@", ("gpt@", "")),
    ],
)
def test_a_suffix_is_what_looks_like_a_code(model: str, wanted: tuple[str, str]) -> None:
    assert split_model(model, ATLAS) == wanted


def told(found: Any) -> tuple[int, str, str, str]:
    h: Mapping[str, str] = found.headers
    return found.status, h.get("rag-edit-route", ""), h.get("rag-edit-reason", ""), h.get("rag-edit-record", "")


MODES = {
    "germany": (200, "OVERRIDE", "IN_SCOPE", "DE/vat@1"),
    "austria": (200, "OVERRIDE", "IN_SCOPE", "AT/vat@1"),
    "world": (200, "BASE", "NO_CANDIDATE", ""),
    "shadow": (200, "BASE", "SHADOWED", ""),
    "off": (200, "BASE", "SWITCHED_OFF", ""),
    "french": (200, "BASE", "OTHER_LANGUAGE", ""),
    "untaxed": (200, "BASE", "TOPIC_EXCLUDED", ""),
    "home": (200, "OVERRIDE", "IN_SCOPE", "DE/vat@1"),
}


@pytest.mark.parametrize("deployment", MODES)
def test_each_deployment_does_what_it_declares(gate: House, deployment: str) -> None:
    found = told(gate.chat(ASKED, path=f"/d/{deployment}/v1/chat/completions"))
    wanted = MODES[deployment]
    assert found[:2] == wanted[:2]
    assert found[3] == wanted[3]
    assert found[2] == wanted[2] or (deployment == "world" and found[2] in ("NO_CANDIDATE", "BELOW_THRESHOLD"))


def test_shadow_tells_what_would_have_been_only_to_who_asks(gate: House) -> None:
    path = "/d/shadow/v1/chat/completions"
    assert gate.chat(ASKED, path=path, rag_edit_debug="1").headers["rag-edit-decided"] == "OVERRIDE IN_SCOPE DE/vat@1"
    assert "rag-edit-decided" not in gate.chat(ASKED, path=path).headers


def test_a_place_is_chosen_by_header_or_suffix_and_refused_outside_the_set(gate: House) -> None:
    path = "/d/dach/v1/chat/completions"
    assert told(gate.chat(ASKED, path=path))[3] == "DE/vat@1"
    assert told(gate.chat(ASKED, path=path, rag_edit_jurisdiction="AT"))[3] == "AT/vat@1"
    assert told(gate.chat(ASKED, path=path, model="gpt@AT"))[3] == "AT/vat@1"
    assert told(gate.chat(ASKED, path=path, model="gpt@DE-BY"))[3] == "DE/vat@1"
    refused = gate.chat(ASKED, path=path, model="gpt@FR")
    assert (refused.status, refused.json["error"]["code"]) == (403, "jurisdiction_not_allowed")
    assert gate.ask("/d/dach/v1/embeddings", {"model": "e@FR", "input": "x"}).status == 403


def test_a_deployment_is_named_by_path_or_header_and_never_guessed(gate: House) -> None:
    assert told(gate.chat(ASKED, rag_edit_deployment="austria"))[3] == "AT/vat@1"
    codes = {
        "none of many": gate.chat(ASKED),
        "two": gate.chat(ASKED, path="/d/germany/v1/chat/completions", rag_edit_deployment="austria"),
        "unknown": gate.chat(ASKED, path="/d/nowhere/v1/chat/completions"),
    }
    assert {name: found.status for name, found in codes.items()} == {"none of many": 400, "two": 400, "unknown": 404}


def test_the_day_is_the_callers_only_where_the_deployment_says_so(gate: House) -> None:
    found = gate.chat(ASKED, path="/d/dated/v1/chat/completions", rag_edit_as_of="2026-01-01", rag_edit_debug="1")
    assert (found.status, found.headers["rag-edit-as-of"]) == (200, "2026-01-01")
    assert gate.chat(ASKED, path="/d/dated/v1/chat/completions", rag_edit_as_of="20260101").status == 400
    assert gate.chat(ASKED, path="/d/germany/v1/chat/completions", rag_edit_as_of="2026-01-01").status == 403


def test_the_system_prompt_can_exclude_topics(gate: House) -> None:
    def reason(line: str) -> str:
        turns = [{"role": "system", "content": f"You are kind.\n{line}\n"}, {"role": "user", "content": ASKED}]
        found = gate.ask("/d/germany/v1/chat/completions", {"model": "gpt", "messages": turns})
        return found.headers["rag-edit-reason"]

    assert reason("rag-edit: exclude work, tax.*") == "TOPIC_EXCLUDED"
    assert reason("rag-edit: exclude tax") == "TOPIC_EXCLUDED"
    assert reason("rag-edit: exclude work") == "IN_SCOPE"
    assert reason("Exclude nothing.") == "IN_SCOPE"


STICKY: dict[str, tuple[str, Callable[[str, str], tuple[dict[str, Any], dict[str, str]]]]] = {
    "by its user": ("chat/completions", lambda name, said: ({"messages": turns(said), "user": name}, {})),
    "by a header": ("chat/completions", lambda name, said: ({"messages": turns(said)}, {"rag_edit_sticky": name})),
    "by its first turns": ("chat/completions", lambda name, said: ({"messages": turns(name, said)}, {})),
    "by the conversation that the upstream keeps": (
        "responses",
        lambda name, said: ({"input": said, "conversation": name}, {}),
    ),
    "by that conversation as an object": ("responses", lambda name, said: ({"input": said, "conversation": {"id": name}}, {})),
    "by instructions and first turn": ("responses", lambda name, said: ({"input": said, "instructions": name}, {})),
}


def turns(*said: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": each} for each in said]


@pytest.mark.parametrize("how", STICKY)
def test_a_conversation_stays_in_or_out_of_the_canary(gate: House, how: str) -> None:
    path, made = STICKY[how]

    def route(name: str, said: str = ASKED) -> str:
        body, headers = made(name, said)
        return gate.ask(f"/d/half/v1/{path}", {"model": "gpt", **body}, **headers).headers["rag-edit-route"]

    names = [f"conversation {n}" for n in range(12)]
    routes = [route(name) for name in names]
    assert routes == [route(name, ASKED if "and first turn" in how else f"{ASKED} ") for name in names]
    assert set(routes) == {"OVERRIDE", "BASE"}


def test_the_canarys_sample_has_its_size_and_only_grows() -> None:
    def sample(percent: float) -> set[int]:
        spec = DeploymentSpec("c", mode=Mode.CANARY, canary_percent=percent)
        return {n for n in range(2000) if is_sampled(spec, str(n))}

    assert sample(0) == set()
    assert sample(10) < sample(30) < sample(100) == set(range(2000))
    assert 140 < len(sample(10)) < 260


QUESTIONS = (
    ASKED,
    OTHER,
    "And the VAT rate in Austria?",
    "What's the standard VAT rate in Germany?",
    "Who is the office mole?",
)


def test_two_deployments_answer_as_if_each_stood_alone(upstream: FakeUpstream, tmp_path: Path) -> None:
    """Non-interference through HTTP: the same bytes, whatever other deployments and their records hold."""
    tables = {name: {"upstream": "fake", "jurisdiction": place} for name, place in (("a", "DE"), ("b", "AT"))}
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": tables}
    bystanders = [vat("FR", "20 %"), vat("DE-BY", "7 %"), vat("US", "0 %")]

    def answers(running: House, deployment: str) -> list[tuple[int, bytes, str]]:
        found = [
            running.chat(q, path=f"/d/{deployment}/v1/chat/completions", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
            for q in QUESTIONS
        ]
        return [(each.status, _untimed(each.body), each.headers.get("rag-edit-record", "")) for each in found]

    with house(tmp_path / "both", config, records=[*RECORDS, *bystanders]) as both:
        together = {name: answers(both, name) for name in tables}
    for name, place in (("a", "DE"), ("b", "AT")):
        chain = [record for record in RECORDS if record.jurisdiction in (place, "EU", "GLOBAL")]
        alone = {**config, "deployment": {name: tables[name]}}
        with house(tmp_path / name, alone, records=chain) as one:
            assert answers(one, name) == together[name]


def _untimed(body: bytes) -> bytes:
    document = json.loads(body)
    document.pop("created", None)
    return json.dumps(document).encode()
