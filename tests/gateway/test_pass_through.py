"""BASE is the upstream itself: the same bytes, objects, events and errors, whether asked directly or through the gateway."""

import gzip
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gateway.house import ASKED, OTHER, House, ask, house
from tests.gateway.upstream import FakeUpstream, Script, data

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
IMAGE = [{"type": "text", "text": OTHER}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
TURNS = [{"role": "user", "content": OTHER}]
CALLS: dict[str, tuple[str, Any]] = {
    "chat": ("/v1/chat/completions", {"model": "gpt", "messages": TURNS}),
    "chat with fields that nobody knows": (
        "/v1/chat/completions",
        {"model": "gpt", "messages": TURNS, "x_new": {"deep": [1, 2.50, None]}, "temperature": 1e-3, "seed": 7},
    ),
    "chat stream": ("/v1/chat/completions", {"model": "gpt", "messages": TURNS, "stream": True}),
    "chat stream with usage": (
        "/v1/chat/completions",
        {"model": "gpt", "messages": TURNS, "stream": True, "stream_options": {"include_usage": True}},
    ),
    "tools": ("/v1/chat/completions", {"model": "gpt", "messages": TURNS, "tools": TOOLS}),
    "tools stream": ("/v1/chat/completions", {"model": "gpt", "messages": TURNS, "tools": TOOLS, "stream": True}),
    "tool results": (
        "/v1/chat/completions",
        {
            "model": "gpt",
            "tools": TOOLS,
            "messages": [
                *TURNS,
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {}}]},
                {"role": "tool", "tool_call_id": "c", "content": ASKED},
            ],
        },
    ),
    "image": ("/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": IMAGE}]}),
    "json mode": (
        "/v1/chat/completions",
        {"model": "gpt", "messages": [{"role": "user", "content": ASKED}], "response_format": {"type": "json_object"}},
    ),
    "logprobs": ("/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": ASKED}], "logprobs": True}),
    "several choices": ("/v1/chat/completions", {"model": "gpt", "messages": TURNS, "n": 3}),
    "no messages at all": ("/v1/chat/completions", {"model": "gpt", "messages": []}),
    "completions": ("/v1/completions", {"model": "gpt", "prompt": OTHER}),
    "completions of tokens": ("/v1/completions", {"model": "gpt", "prompt": [1, 2, 3]}),
    "completions stream": ("/v1/completions", {"model": "gpt", "prompt": OTHER, "stream": True}),
    "responses": ("/v1/responses", {"model": "gpt", "input": OTHER}),
    "responses of items": (
        "/v1/responses",
        {"model": "gpt", "input": [{"role": "user", "content": [{"type": "input_text", "text": OTHER}]}]},
    ),
    "responses stream": ("/v1/responses", {"model": "gpt", "input": OTHER, "stream": True}),
    "embeddings": ("/v1/embeddings", {"model": "gpt", "input": [OTHER, ASKED]}),
    "embeddings base64": ("/v1/embeddings", {"model": "gpt", "input": ASKED, "encoding_format": "base64"}),
    "models": ("/v1/models", None),
    "model": ("/v1/models/vendor%2Fsmall-model", None),
    "model that is missing": ("/v1/models/nobody?x=%20y", None),
    "kept response": ("/v1/responses/resp_9?include[]=x", None),
    "error 404": ("/v1/chat/completions", {"model": "missing", "messages": TURNS}),
    "error 429": ("/v1/chat/completions", {"model": "limited", "messages": TURNS}),
    "error 500": ("/v1/chat/completions", {"model": "broken", "messages": TURNS}),
    "error 400 of a stream": ("/v1/chat/completions", {"model": "unsaid", "messages": TURNS, "stream": True}),
    "embedding error": ("/v1/embeddings", {"model": "limited", "input": OTHER}),
}
OURS_ASIDE = ("rag-edit-", "set-cookie", "server", "date", "transfer-encoding", "connection", "content-length")


@pytest.mark.parametrize("name", CALLS)
def test_base_answers_with_the_upstreams_own_bytes(gate: House, upstream: FakeUpstream, name: str) -> None:
    path, body = CALLS[name]
    direct = ask(upstream.url.removesuffix("/v1"), path, body)
    through = gate.ask(f"/d/germany{path}", body)
    assert (through.status, through.body) == (direct.status, direct.body)
    kept = {n: v for n, v in direct.headers.items() if not n.startswith(OURS_ASIDE)}
    assert {n: v for n, v in through.headers.items() if not n.startswith(OURS_ASIDE)} == kept
    sent_direct, sent_through = upstream.sent[-2:]
    assert (sent_through.method, sent_through.target, sent_through.body) == (
        sent_direct.method,
        sent_direct.target,
        sent_direct.body,
    )


@pytest.mark.parametrize("name", [name for name, (path, _) in CALLS.items() if path.endswith(("completions", "responses"))])
def test_base_says_why_no_record_answered(gate: House, name: str) -> None:
    path, body = CALLS[name]
    headers = gate.ask(f"/d/germany{path}", body).headers
    assert headers["rag-edit-route"] == "BASE"
    assert headers["rag-edit-reason"] != ""
    assert "rag-edit-record" not in headers


def test_a_body_passes_byte_for_byte_with_its_spaces_and_escapes(gate: House, upstream: FakeUpstream) -> None:
    body = b'{ "model" :"gpt",\n\t"messages":[{"role":"user","content":"Wer schrieb \\u0046aust? \xc3\xa4"}] , "x_big":1.0e+2 }'
    assert gate.ask("/d/germany/v1/chat/completions", body).status == 200
    assert upstream.sent[-1].body == body


def test_a_models_suffix_is_the_only_thing_taken_out(gate: House, upstream: FakeUpstream) -> None:
    body = b'{"x_model":"gpt@AT", "messages":[{"role":"user","content":"gpt@AT?"}],  "model" : "gpt@AT"  }'
    answered = gate.ask("/d/dach/v1/chat/completions", body)
    assert (answered.status, answered.headers["rag-edit-jurisdiction"]) == (200, "AT")
    assert upstream.sent[-1].body == body.replace(b'"model" : "gpt@AT"', b'"model" : "gpt"')


def test_headers_pass_by_list_in_both_directions(gate: House, upstream: FakeUpstream) -> None:
    answered = gate.chat(
        OTHER,
        path="/d/germany/v1/chat/completions",
        authorization="Bearer sk-theirs",
        cookie="secret=1",
        x_forwarded_for="1.2.3.4",
        openai_beta="assistants=v2",
        x_stainless_lang="python",
        rag_edit_debug="1",
    )
    sent = {name.casefold(): value for name, value in upstream.sent[-1].headers.items()}
    assert (sent["authorization"], sent["openai-beta"], sent["x-stainless-lang"]) == (
        "Bearer sk-theirs",
        "assistants=v2",
        "python",
    )
    assert not {"cookie", "x-forwarded-for"} & set(sent)
    assert not [name for name in sent if name.startswith("rag-edit-")]
    assert sent["host"] == urlsplit(upstream.url).netloc
    assert sent["traceparent"].split("-")[1] == answered.headers["rag-edit-trace-id"]
    assert answered.headers["x-request-id"] == "req_fake"
    assert "set-cookie" not in answered.headers
    assert answered.headers["rag-edit-route"] == "BASE"


def test_headers_that_an_upstreams_table_adds_pass_too(upstream: FakeUpstream, tmp_path: Path) -> None:
    table = {"url": upstream.url, "request_headers": ["X-Tenant"], "response_headers": ["X-Cost"]}
    with house(tmp_path, {"upstream": {"fake": table}, "deployment": {"one": {"upstream": "fake"}}}) as running:
        upstream.scripts.append(Script((b"{}",), headers={"X-Cost": "7", "X-Secret": "8", "Content-Type": "application/json"}))
        answered = running.chat(OTHER, x_tenant="acme", x_other="9")
    sent = {name.casefold(): value for name, value in upstream.sent[-1].headers.items()}
    assert (sent["x-tenant"], "x-other" in sent) == ("acme", False)
    assert (answered.headers["x-cost"], "x-secret" in answered.headers) == ("7", False)


def test_a_packed_answer_stays_packed(gate: House, upstream: FakeUpstream) -> None:
    packed = gzip.compress(b'{"id": "x"}', mtime=0)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    upstream.scripts.append(Script((packed,), headers=headers))
    answered = gate.chat(OTHER, path="/d/germany/v1/chat/completions", accept_encoding="gzip")
    assert (answered.body, answered.headers["content-encoding"]) == (packed, "gzip")


def raw_stream(gate: House, body: bytes) -> socket.socket:
    parts = urlsplit(gate.url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
    head = f"POST /d/germany/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    found = b""
    while mark not in found:
        piece = connection.recv(65_536)
        if not piece:
            break
        found += piece
    return found


BODY = b'{"model":"gpt","stream":true,"messages":[{"role":"user","content":"Who wrote Faust?"}]}'


def test_a_stream_is_passed_on_piece_by_piece_as_it_comes(gate: House, upstream: FakeUpstream) -> None:
    upstream.scripts.append(Script((data({"n": 1}), 0.4, data({"n": 2}))))
    with raw_stream(gate, BODY) as connection:
        read_until(connection, b'{"n": 1}')
        first = time.monotonic()
        read_until(connection, b"0\r\n\r\n")
        assert time.monotonic() - first > 0.25


def test_a_client_that_leaves_ends_the_upstreams_work_at_once(gate: House, upstream: FakeUpstream) -> None:
    upstream.hung_up.clear()
    upstream.scripts.append(Script((data({"n": 1}), 20.0, data({"n": 2}))))
    with raw_stream(gate, BODY) as connection:
        read_until(connection, b'{"n": 1}')
    assert upstream.hung_up.wait(2)


def test_a_client_that_leaves_while_the_upstream_still_thinks_ends_its_work_too(gate: House, upstream: FakeUpstream) -> None:
    upstream.hung_up.clear()
    upstream.scripts.append(Script((b"{}",), before_s=20.0))
    before = len(upstream.sent)
    with raw_stream(gate, BODY):
        until = time.monotonic() + 5
        while len(upstream.sent) == before and time.monotonic() < until:
            time.sleep(0.01)
    assert upstream.hung_up.wait(2)


def test_a_stream_that_the_upstream_cuts_never_looks_whole(gate: House, upstream: FakeUpstream) -> None:
    upstream.scripts.append(Script((data({"n": 1}),), cut=True))
    with raw_stream(gate, BODY) as connection:
        found = read_until(connection, b"0\r\n\r\n")
    assert b'{"n": 1}' in found
    assert not found.endswith(b"0\r\n\r\n")


CLIENT_CALLS: dict[str, Any] = {
    "chat": lambda c: c.chat.completions.create(model="gpt", messages=TURNS),
    "tools": lambda c: c.chat.completions.create(model="gpt", messages=TURNS, tools=TOOLS),
    "chat stream": lambda c: list(c.chat.completions.create(model="gpt", messages=TURNS, stream=True)),
    "tools stream": lambda c: list(c.chat.completions.create(model="gpt", messages=TURNS, tools=TOOLS, stream=True)),
    "usage stream": lambda c: list(
        c.chat.completions.create(model="gpt", messages=TURNS, stream=True, stream_options={"include_usage": True})
    ),
    "completions": lambda c: c.completions.create(model="gpt", prompt=OTHER),
    "completions stream": lambda c: list(c.completions.create(model="gpt", prompt=OTHER, stream=True)),
    "responses": lambda c: c.responses.create(model="gpt", input=OTHER),
    "responses stream": lambda c: list(c.responses.create(model="gpt", input=OTHER, stream=True)),
    "embeddings": lambda c: c.embeddings.create(model="gpt", input=OTHER),
    "image": lambda c: c.chat.completions.create(model="gpt", messages=[{"role": "user", "content": IMAGE}]),
    "JSON mode": lambda c: c.chat.completions.create(model="gpt", messages=TURNS, response_format={"type": "json_object"}),
    "structured output": lambda c: c.chat.completions.parse(model="gpt", messages=TURNS, response_format=answer_type()),
    "stream helper": lambda c: helped(c.chat.completions.stream(model="gpt", messages=TURNS), "get_final_completion"),
    "responses of items with tools": lambda c: c.responses.create(
        model="gpt", input=[{"role": "user", "content": OTHER}], tools=[{"type": "web_search"}], previous_response_id="resp_1"
    ),
    "responses stream helper": lambda c: helped(c.responses.stream(model="gpt", input=OTHER), "get_final_response"),
    "response kept": lambda c: c.responses.retrieve("resp_9"),
    "response deleted": lambda c: c.responses.delete("resp_9"),
    "response cancelled": lambda c: c.responses.cancel("resp_9"),
    "embeddings as floats": lambda c: c.embeddings.create(model="gpt", input=[OTHER, ASKED], encoding_format="float"),
    "model": lambda c: c.models.retrieve("gpt"),
    "model not found": lambda c: c.models.retrieve("nobody"),
    "stream refused": lambda c: list(c.chat.completions.create(model="unsaid", messages=TURNS, stream=True)),
    "models": lambda c: list(c.models.list()),
    "extra body": lambda c: c.chat.completions.create(model="gpt", messages=TURNS, extra_body={"x_odd": [1, {"a": "ä"}]}),
    "not found": lambda c: c.chat.completions.create(model="missing", messages=TURNS),
    "rate limit": lambda c: c.chat.completions.create(model="limited", messages=TURNS),
    "server error": lambda c: c.responses.create(model="broken", input=OTHER),
}


def answer_type() -> Any:
    from pydantic import BaseModel

    class Answer(BaseModel):
        answer: int

    return Answer


def helped(stream: Any, final: str) -> list[Any]:
    """Return the events of one of the client's stream helpers, and what it makes of them in the end."""
    with stream as events:
        return [*events, getattr(events, final)()]


def outcome(call: Any, client: Any) -> Any:
    import openai

    try:
        found = call(client)
    except openai.APIStatusError as error:
        return type(error).__name__, error.status_code, error.body, error.request_id
    if isinstance(found, list):
        return [each.model_dump(warnings=False) for each in found]
    return found if found is None else found.model_dump(warnings=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIENT_CALLS)
def test_the_official_client_sees_the_same_through_the_gateway(
    gate: House, upstream: FakeUpstream, client_at: Callable[[str], Any], name: str
) -> None:
    call = CLIENT_CALLS[name]
    assert outcome(call, client_at(f"{gate.url}/d/germany/v1")) == outcome(call, client_at(upstream.url))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chat stream", "responses stream"])
def test_the_official_client_sees_a_broken_stream_as_broken_through_the_gateway_too(
    gate: House, upstream: FakeUpstream, client_at: Callable[[str], Any], name: str
) -> None:
    def broken(url: str) -> str:
        upstream.scripts.append(Script((data({"id": "x", "choices": [], "type": "response.created"}),), cut=True))
        with pytest.raises(Exception) as caught:
            CLIENT_CALLS[name](client_at(url))
        return type(caught.value).__name__

    assert broken(f"{gate.url}/d/germany/v1") == broken(upstream.url)


@pytest.mark.parametrize(
    ("body", "passed", "status"),
    [
        (b'{"model": "gpt", "model": "other"', b'{"model": "gpt", "model": "other"', 200),
        (
            b'{"model": "gpt", "messages": [{"content": "write to a@b"}]}',
            b'{"model": "gpt", "messages": [{"content": "write to a@b"}]}',
            200,
        ),
        (b'{ "model": "gpt@DE", "x": 1.50}', b'{ "model": "gpt", "x": 1.50}', 200),
        (b'{"model": "gpt\\u0040DE"}', b'{"model": "gpt"}', 200),
        (b'{"model": "gpt@AT"}', b"", 403),
        (b'{"model": "gpt\\u0040AT"}', b"", 403),
    ],
    ids=["no JSON", "a sign that is no suffix", "a suffix", "an escaped suffix", "a place not allowed", "the same, escaped"],
)
def test_where_nothing_is_decided_bodies_pass_unread_and_a_place_is_checked_all_the_same(
    gate: House, upstream: FakeUpstream, body: bytes, passed: bytes, status: int
) -> None:
    before = len(upstream.sent)
    if status == 200:
        upstream.scripts.append(Script((b"{}",), headers={"Content-Type": "application/json"}))
    found = gate.ask("/d/off/v1/chat/completions", body)
    assert (found.status, [sent.body for sent in upstream.sent[before:]]) == (status, [passed] if status == 200 else [])
    if status == 200:
        assert (found.headers["rag-edit-route"], found.headers["rag-edit-reason"]) == ("BASE", "SWITCHED_OFF")
        assert (found.headers["rag-edit-jurisdiction"], found.headers["rag-edit-revision"]) == ("DE", "3")
