"""Who may: every route against every kind of key, held to an oracle; keys made, scoped and revoked; start-up fails closed."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag_edit.core.errors import ConfigError, UsageError
from rag_edit.gateway.actions import Action
from rag_edit.gateway.keys import KeyBook, KeyFileUnreadableError, digest_of
from rag_edit.gateway.route import Route, check_routes
from rag_edit.gateway.table import ROUTES
from tests.gateway.house import ASKED, RECORDS, House, house
from tests.gateway.test_issuer import AUDIENCE, ISSUER, jwks
from tests.gateway.test_issuer import token as of_provider
from tests.gateway.upstream import FakeUpstream

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CONFIG: dict[str, Any] = {
    "deployment": {
        "one": {"upstream": "fake", "jurisdiction": "DE"},
        "two": {"upstream": "fake", "jurisdiction": "AT", "allowed": ["AT", "DE"]},
    }
}
GRANTS = {
    "chat": ("answer", "embed", "models"),
    "reader": ("metrics", "describe", "deployments", "decide", "ask", "records", "changes", "receipts", "ledger"),
    "author": ("plan", "draft", "changes"),
    "approver": ("changes", "verify", "approve", "publish"),
    "editor": ("plan", "apply", "retract", "reload"),
    "guard": ("suspend",),
    "eraser": ("erase",),
    "everything": tuple(str(a) for a in Action if a is not Action.HEALTH),
}
HOME_WIDE = (  # by hand: what a key of some deployments has no business with
    "ask", "records", "plan", "apply", "retract", "erase", "changes", "draft", "approve", "publish", "verify", "receipts", "ledger",
    "suspend", "reload", "backup", "metrics",
)  # fmt: skip
CHAT = ("answer", "embed", "models")
OPEN = ("answer", "embed", "models", "metrics", "describe", "deployments", "decide")
TURNS = [{"role": "user", "content": ASKED}]
REASON = {"reason": "a test"}
BODIES: dict[str, Any] = {
    "/v1/chat/completions": {"model": "gpt", "messages": TURNS},
    "/v1/completions": {"model": "gpt", "prompt": ASKED},
    "/v1/responses": {"model": "gpt", "input": ASKED},
    "/v1/embeddings": {"model": "gpt", "input": ASKED},
    "/api/v1/decide": {"question": ASKED},
    "/api/v1/ask": {"question": ASKED},
    "/api/v1/plan": {"records": []},
    "/api/v1/apply": {"records": [], "dry_run": True},
    "/api/v1/records/{id}/retract": REASON,
    "/api/v1/records/{id}/erase": {**REASON, "confirm": "DE/none"},
    "/api/v1/changes/{change}": {"records": []},
    "/api/v1/changes/{change}/reject": REASON,
    "/api/v1/changes/{change}/break-glass": REASON,
    "/api/v1/changes/{change}/report": {"report": {}, "passed": True},
    "/api/v1/receipts/{receipt}/replay": {"question": ASKED},
    "/api/v1/suspensions": {"reach": "record", "id": "", **REASON},
    "/api/v1/resumptions": {"reach": "record", "id": "", **REASON},
    "/api/v1/verifications": {"records": ["DE/none"]},
}
NAMES = {"id": "DE%2Fnone", "change": "none", "other": "none", "receipt": "r-none", "job": "none", "index": "0"}
DONE = {200, 400, 404, 409}  # let in; whether there is such a thing is another question


def path_of(route: Route) -> str:
    path = route.path.replace("{rest}", "gpt" if "models" in route.path else "resp_1")
    for name, value in NAMES.items():
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.fixture(scope="module")
def keyed(upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, dict[str, str]]]:
    home = tmp_path_factory.mktemp("keyed")
    (home / "jwks.json").write_bytes(jwks("ES256"))
    roles = {name: {"actions": list(actions)} for name, actions in GRANTS.items() if not {*CHAT} & {*actions}}
    issuer = {"issuer": ISSUER, "audience": AUDIENCE, "keys_file": "jwks.json", "role": roles}
    config = {"upstream": {"fake": {"url": upstream.url}}, **CONFIG, "oidc": issuer}
    with house(home, config, trusted=True) as running:
        tokens = {name: running.key(name, *actions) for name, actions in GRANTS.items()}
        tokens |= {f"role {name}": of_provider(roles=[name]) for name in roles}
        tokens |= {"role nobody has": of_provider(roles=["boss"]), "role ended": of_provider(roles=["reader"], exp=1)}
        tokens["operator"] = "rek_operator"
        running.state.operator_digest = digest_of(tokens["operator"])
        tokens["narrow"] = running.key("narrow", *GRANTS["everything"], deployments=["one"])
        tokens["revoked"] = running.key("revoked", *GRANTS["everything"])
        KeyBook(running.home).revoke("revoked", now=NOW)
        tokens |= {"none": "", "foreign": "sk-not-ours", "guessed": "rek_" + "A" * 43}
        yield running, tokens


def oracle(action: str, caller: str) -> set[int]:
    """What the table has to say, written out by hand."""
    if action == "health":
        return {200}
    if caller in ("none", "foreign", "guessed", "revoked"):
        return {401}
    if caller == "operator":
        return DONE
    if caller.startswith("role "):  # tokens of the identity provider open the control plane, never the chat
        granted = GRANTS.get(caller.removeprefix("role "), ())
        return {401} if action in CHAT or caller == "role ended" else DONE if action in granted else {403}
    if caller == "narrow":
        return {403} if action in HOME_WIDE else DONE
    return DONE if action in GRANTS[caller] else {403}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_route_answers_every_key_as_the_oracle_says(keyed: tuple[House, dict[str, str]]) -> None:
    running, tokens = keyed
    wrong = []
    for route, (caller, token) in itertools.product(ROUTES, tokens.items()):
        path = path_of(route)
        path = path if route.action in ("health", "metrics") else f"/d/one{path}"
        body = BODIES.get(route.path, {}) if route.method in ("POST", "PUT") else None
        headers = {"authorization": f"Bearer {token}"} if token else {}
        status = running.ask(path, body, method=route.method, **headers).status
        if status not in oracle(route.action, caller):
            wrong.append(f"{caller}: {route.method} {path}: {status}")
    assert wrong == []
    assert running.engine.store.position() == len(RECORDS)


def test_without_keys_every_route_is_as_the_oracle_says(gate: House) -> None:
    wrong = []
    for route in ROUTES:
        path = path_of(route)
        path = path if route.action in ("health", "metrics") else f"/d/germany{path}"
        body = BODIES.get(route.path, {}) if route.method in ("POST", "PUT") else None
        status = gate.ask(path, body, method=route.method).status
        if status not in (DONE if route.action in ("health", *OPEN) else {403}):
            wrong.append(f"{route.method} {path}: {status}")
    assert wrong == []


def test_the_table_names_every_action_that_there_is() -> None:
    assert {route.action for route in ROUTES} == set(Action)


def test_start_up_fails_where_a_route_declares_no_action() -> None:
    bad: Any = Route("GET", "/v1/new", "", ROUTES[0].handle)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="wanted an action"):
        check_routes([*ROUTES, bad])
    silent = Route("GET", "/api/v1/new/{id}", Action.RECORDS, ROUTES[0].handle)
    with pytest.raises(ConfigError, match="declared"):
        check_routes([*ROUTES, silent])
    with pytest.raises(ConfigError, match="twice"):
        check_routes([*ROUTES, ROUTES[0]])


def test_a_key_reaches_its_deployments_and_others_do_not_exist_for_it(keyed: tuple[House, dict[str, str]]) -> None:
    running, tokens = keyed
    bearer = f"Bearer {tokens['narrow']}"
    assert running.chat(ASKED, authorization=bearer).headers["rag-edit-record"] == "DE/vat@1"  # its only one needs no name
    hidden = running.chat(ASKED, path="/d/two/v1/chat/completions", authorization=bearer)
    absent = running.chat(ASKED, path="/d/six/v1/chat/completions", authorization=bearer)
    assert (hidden.status, absent.status) == (404, 404)
    assert hidden.body == absent.body.replace(b"six", b"two")
    listed = running.ask("/api/v1/deployments", authorization=bearer).json["deployments"]
    assert [each["name"] for each in listed] == ["one"]


def test_a_key_may_choose_the_place(keyed: tuple[House, dict[str, str]]) -> None:
    running, _ = keyed
    token = running.key("german", "answer", deployments=["two"], jurisdiction="DE")
    found = running.chat(ASKED, authorization=f"Bearer {token}")
    assert (found.headers["rag-edit-jurisdiction"], found.headers["rag-edit-record"]) == ("DE", "DE/vat@1")
    assert running.chat(ASKED, authorization=f"Bearer {token}", rag_edit_jurisdiction="AT").status == 400


def test_a_key_of_ours_is_never_passed_on(keyed: tuple[House, dict[str, str]], upstream: FakeUpstream) -> None:
    running, tokens = keyed
    running.chat("Who wrote Faust?", path="/d/one/v1/chat/completions", authorization=f"Bearer {tokens['chat']}")
    assert "authorization" not in {name.casefold() for name in upstream.sent[-1].headers}
    running.chat(
        "Who wrote Faust?", path="/d/one/v1/chat/completions", rag_edit_key=tokens["chat"], authorization="Bearer sk-theirs"
    )
    sent = {name.casefold(): value for name, value in upstream.sent[-1].headers.items()}
    assert (sent["authorization"], "rag-edit-key" in sent) == ("Bearer sk-theirs", False)


def test_a_revoked_key_is_refused_at_its_next_request(keyed: tuple[House, dict[str, str]]) -> None:
    running, _ = keyed
    token = running.key("short-lived", "models")
    before = running.ask("/d/one/v1/models", authorization=f"Bearer {token}").status
    KeyBook(running.home).revoke("short-lived", now=NOW)
    assert (before, running.ask("/d/one/v1/models", authorization=f"Bearer {token}").status) == (200, 401)


def test_without_keys_only_what_changes_nothing_is_open(gate: House) -> None:
    assert gate.ask("/d/germany/v1/models").status == 200
    assert gate.ask("/metrics").status == 200
    for path in ("/api/v1/apply", "/api/v1/reload"):
        assert (gate.ask(path, {}).status, gate.ask(path, {}).json["error"]["code"]) == (403, "key_needed")


def test_a_page_of_another_origin_gets_nothing_where_no_key_is_in_force(gate: House) -> None:
    path = "/d/germany/v1/chat/completions"
    assert gate.chat(ASKED, path=path, origin="https://evil.example").status == 403
    assert gate.chat(ASKED, path=path, host="evil.example").status == 421
    assert gate.chat(ASKED, path=path, host="evil.example:80@localhost").status == 421
    assert gate.chat(ASKED, path=path, origin="http://localhost:3000", host="LOCALHOST:1").status == 200


def test_beyond_loopback_nothing_starts_without_a_key(tmp_path: Path) -> None:
    config = {"server": {"host": "0.0.0.0"}, "deployment": {"one": {}}}
    with pytest.raises(ConfigError, match="wanted an API key"), house(tmp_path, config):
        pass


def test_a_key_is_kept_as_its_digest_alone_and_by_its_owner_alone(tmp_path: Path) -> None:
    book = KeyBook(tmp_path)
    token, key = book.make("a", deployments=["*"], actions=["answer"], now=NOW)
    text = book.path.read_text("utf-8")
    assert token.startswith("rek_")
    assert len(token) == 4 + 43  # 256 bits
    assert token[4:] not in text
    assert key.digest in text
    assert book.path.stat().st_mode & 0o077 == 0
    assert KeyBook(tmp_path).find(token) == key
    assert KeyBook(tmp_path).find(token[:-1]) is None


@pytest.mark.parametrize(
    ("name", "actions"),
    [("a b", ["answer"]), ("", ["answer"]), ("a", ["fly"]), ("a", [])],
    ids=["space", "none", "unknown", "no action"],
)
def test_a_key_that_makes_no_sense_is_not_made(tmp_path: Path, name: str, actions: list[str]) -> None:
    with pytest.raises(UsageError):
        KeyBook(tmp_path).make(name, deployments=["*"], actions=actions, now=NOW)
    assert not (tmp_path / "keys.json").exists()


def test_a_name_is_given_once_and_again_after_it_was_revoked(tmp_path: Path) -> None:
    book = KeyBook(tmp_path)
    book.make("a", deployments=["*"], actions=["answer"], now=NOW)
    with pytest.raises(UsageError, match="in force already"):
        book.make("a", deployments=["*"], actions=["answer"], now=NOW)
    book.revoke("a", now=NOW)
    book.make("a", deployments=["*"], actions=["answer"], now=NOW)
    assert [bool(key.revoked_at) for key in KeyBook.keys(book)] == [True, False]
    with pytest.raises(UsageError, match="no key in force"):
        book.revoke("b", now=NOW)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"format": "rag-edit-keys-v1", "keys": [{}]}', '{"format": "x", "keys": []}']
)
def test_a_file_of_keys_that_cannot_be_read_lets_nobody_in(tmp_path: Path, content: str) -> None:
    book = KeyBook(tmp_path)
    token, _ = book.make("a", deployments=["*"], actions=["answer"], now=NOW)
    assert book.find(token) is not None
    book.path.write_text(content, "utf-8")
    for _ in range(2):
        with pytest.raises(KeyFileUnreadableError):
            book.find(token)
    book.path.unlink()
    assert (book.in_force, book.find(token)) == (True, None)  # once keyed, always keyed


def test_a_house_without_its_keys_file_answers_503_and_not_openly(upstream: FakeUpstream, tmp_path: Path) -> None:
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": {"one": {"upstream": "fake"}}}
    with house(tmp_path, config) as running:
        token = running.key("a", "models")
        assert running.ask("/v1/models", authorization=f"Bearer {token}").status == 200
        (tmp_path / "keys.json").write_text("{", "utf-8")
        assert running.ask("/v1/models", authorization=f"Bearer {token}").status == 503
        (tmp_path / "keys.json").unlink()
        assert running.ask("/v1/models").status == 401


def test_too_many_requests_of_one_key_are_refused_and_of_another_are_not(upstream: FakeUpstream, tmp_path: Path) -> None:
    config = {
        "server": {"requests_per_minute": 3},
        "upstream": {"fake": {"url": upstream.url}},
        "deployment": {"one": {"upstream": "fake"}},
    }
    with house(tmp_path, config) as running:
        a, b = running.key("a", "models"), running.key("b", "models")
        found = [running.ask("/v1/models", authorization=f"Bearer {a}") for _ in range(4)]
        assert [each.status for each in found] == [200, 200, 200, 429]
        assert 1 <= int(found[-1].headers["retry-after"]) <= 21
        assert found[-1].json["error"]["type"] == "rate_limit_error"
        assert running.ask("/v1/models", authorization=f"Bearer {b}").status == 200


def test_secrets_of_the_configuration_are_told_to_nobody(upstream: FakeUpstream, tmp_path: Path) -> None:
    planted = "sk-planted-secret"
    config = {
        "upstream": {
            "fake": {"url": upstream.url, "key_env": "PLANTED"},
            "away": {"url": "http://127.0.0.1:9/v1", "key_env": "PLANTED"},
        },
        "deployment": {"one": {"upstream": "fake"}, "two": {"upstream": "away"}},
    }
    with house(tmp_path, config, environment={"PLANTED": planted}) as running:
        told = [
            running.ask(path) for path in ("/metrics", "/api/v1/deployments", "/d/one/v1/models", "/d/two/v1/models", "/nope")
        ]
        sent = {name.casefold(): value for name, value in upstream.sent[-1].headers.items()}
        assert sent["authorization"] == f"Bearer {planted}"
        assert [each.status for each in told] == [200, 200, 200, 502, 404]
        shown = (
            json.dumps([[each.headers, each.body.decode()] for each in told]) + json.dumps(running.lines) + repr(running.state)
        )
        assert planted not in shown
        assert "127.0.0.1:9" not in json.dumps([each.body.decode() for each in told])
    with pytest.raises(ConfigError, match="PLANTED"), house(tmp_path / "b", config):
        pass
