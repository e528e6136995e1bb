"""OVERRIDE: a record's answer is a valid object and a valid stream to the official client, with usage and the record cited."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gateway.house import ASKED, OTHER, House
from tests.gateway.upstream import FakeUpstream, Script, whole

SAYS = "The standard VAT rate is 19 %."
TURNS: Any = [{"role": "user", "content": ASKED}]
SOURCE = "https://example.org/ustg"


@pytest.fixture
def client(gate: House, client_at: Callable[[str], Any]) -> Any:
    return client_at(f"{gate.url}/d/germany/v1")


@pytest.mark.slow
def test_chat_gets_the_record_with_usage_and_annotation(client: Any, upstream: FakeUpstream) -> None:
    before = len(upstream.sent)
    raw = client.chat.completions.with_raw_response.create(model="gpt", messages=TURNS)
    found = raw.parse()
    choice = found.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", SAYS, "stop")
    assert found.usage is not None
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens > 0
    assert (found.object, found.model) == ("chat.completion", "gpt")
    citation = (choice.message.annotations or [])[0].url_citation
    assert (citation.url, citation.start_index, citation.end_index) == (SOURCE, 0, len(SAYS))
    assert citation.title == "DE/vat@1: Umsatzsteuergesetz"
    headers = raw.headers
    wanted = {"route": "OVERRIDE", "reason": "IN_SCOPE", "record": "DE/vat@1", "revision": "3", "jurisdiction": "DE"}
    assert {name: headers[f"rag-edit-{name}"] for name in wanted} == wanted
    assert len(headers["rag-edit-trace-id"]) == 32
    assert float(headers["rag-edit-overhead-ms"]) > 0
    assert len(upstream.sent) == before


@pytest.mark.slow
def test_a_chat_stream_is_framed_as_the_upstreams_and_ends_with_usage(client: Any) -> None:
    chunks = list(
        client.chat.completions.create(model="gpt", messages=TURNS, stream=True, stream_options={"include_usage": True})
    )
    *said, last = chunks
    assert said[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in said) == SAYS
    assert [chunk.choices[0].finish_reason for chunk in said][-1] == "stop"
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens > 0
    annotations = [a for chunk in said for a in (chunk.choices[0].delta.model_dump().get("annotations") or [])]
    assert [a["url_citation"]["url"] for a in annotations] == [SOURCE]
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.slow
def test_a_stream_without_include_usage_has_none(client: Any) -> None:
    assert all(chunk.usage is None for chunk in client.chat.completions.create(model="gpt", messages=TURNS, stream=True))


@pytest.mark.slow
def test_as_many_choices_as_asked_for(client: Any) -> None:
    found = client.chat.completions.create(model="gpt", messages=TURNS, n=3)
    assert [(c.index, c.message.content) for c in found.choices] == [(i, SAYS) for i in range(3)]


@pytest.mark.slow
def test_the_clients_stream_helper_accumulates_the_record(client: Any) -> None:
    with client.chat.completions.stream(model="gpt", messages=TURNS) as stream:
        assert stream.get_final_completion().choices[0].message.content == SAYS


@pytest.mark.slow
def test_completions_get_the_record(client: Any) -> None:
    found = client.completions.create(model="gpt", prompt=ASKED)
    assert (found.choices[0].text, found.choices[0].finish_reason, found.object) == (SAYS, "stop", "text_completion")
    pieces = list(client.completions.create(model="gpt", prompt=ASKED, stream=True))
    assert "".join(piece.choices[0].text for piece in pieces) == SAYS


@pytest.mark.slow
def test_responses_get_the_record_as_an_object_and_as_events(client: Any) -> None:
    found = client.responses.create(model="gpt", input=ASKED, instructions="Be brief.", metadata={"a": "b"})
    assert (found.output_text, found.status, found.instructions, found.metadata) == (SAYS, "completed", "Be brief.", {"a": "b"})
    assert found.usage is not None
    assert found.usage.total_tokens > 0
    events = list(client.responses.create(model="gpt", input=ASKED, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == SAYS
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert events[-1].response.output_text == SAYS
    assert [event.annotation.url for event in events if event.type == "response.output_text.annotation.added"] == [SOURCE]
    with client.responses.stream(model="gpt", input=ASKED) as stream:
        assert stream.get_final_response().output_text == SAYS


BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"model": "gpt", "messages": TURNS, "n": 2}),
    "completions": ("/v1/completions", {"model": "gpt", "prompt": ASKED}),
    "responses": ("/v1/responses", {"model": "gpt", "input": ASKED, "tools": [], "temperature": 0.5}),
}


@pytest.mark.slow
@pytest.mark.parametrize("api", BODIES)
@pytest.mark.parametrize("deployment", ["germany", "suffix", "bare"])
def test_a_records_answer_holds_to_the_clients_own_types_whole_and_as_events(gate: House, api: str, deployment: str) -> None:
    """The client itself takes what it gets: here every object and event is held to its declared type."""
    from openai.types import Completion
    from openai.types.chat import ChatCompletion, ChatCompletionChunk
    from openai.types.responses import Response, ResponseStreamEvent
    from pydantic import TypeAdapter

    kinds: dict[str, tuple[Any, Any]] = {
        "chat": (ChatCompletion, ChatCompletionChunk),
        "completions": (Completion, Completion),
        "responses": (Response, ResponseStreamEvent),
    }
    (path, body), (kind, event_kind) = BODIES[api], kinds[api]
    found = gate.ask(f"/d/{deployment}{path}", body)
    assert found.headers["rag-edit-route"] == "OVERRIDE"
    TypeAdapter(kind).validate_python(found.json)
    more = {"stream": True} | ({} if api == "responses" else {"stream_options": {"include_usage": True}})
    events = gate.ask(f"/d/{deployment}{path}", {**body, **more}).body.decode().split("\n\n")[:-1]
    lines = [line.removeprefix("data: ") for event in events for line in event.splitlines() if line.startswith("data: ")]
    if api != "responses":
        assert lines.pop() == "[DONE]"
    if api == "completions":  # its type is that of whole answers: pieces before the last have no reason yet, at OpenAI's too
        assert all('"finish_reason":null' in line for line in lines[:-2])
        lines = [line.replace('"finish_reason":null', '"finish_reason":"stop"') for line in lines]
    for line in lines:
        TypeAdapter(event_kind).validate_json(line)
    last = json.loads(lines[-1])
    assert (last["response"]["usage"] if api == "responses" else last["usage"])["total_tokens"] > 0


CITED = f"[DE/vat@1: Umsatzsteuergesetz <{SOURCE}>]"


@pytest.mark.parametrize(
    ("deployment", "api", "text", "annotations"),
    [
        ("germany", "completions", SAYS, None),
        ("suffix", "completions", f"{SAYS}\n\n{CITED}", None),
        ("germany", "responses", SAYS, 1),
        ("suffix", "responses", f"{SAYS}\n\n{CITED}", 0),
        ("bare", "responses", SAYS, 0),
    ],
)
def test_each_call_cites_in_the_way_that_it_has(
    gate: House, deployment: str, api: str, text: str, annotations: int | None
) -> None:
    path, body = BODIES[api]
    found = gate.ask(f"/d/{deployment}{path}", body)
    assert found.headers["rag-edit-record"] == "DE/vat@1"  # whatever the words do
    said = found.json["choices"][0] if api == "completions" else found.json["output"][0]["content"][0]
    assert said["text"] == text
    assert annotations is None or len(said["annotations"]) == annotations


def test_a_bare_event_stream_is_data_lines_and_done(gate: House) -> None:
    body = {"model": "gpt", "messages": TURNS, "stream": True}
    found = gate.ask("/d/germany/v1/chat/completions", body)
    assert found.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = found.body.decode().split("\n\n")
    assert (events[-2], events[-1]) == ("data: [DONE]", "")
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events[:-2])


def test_the_record_is_cited_where_the_deployment_says(gate: House) -> None:
    def message(deployment: str) -> Any:
        return gate.chat(ASKED, path=f"/d/{deployment}/v1/chat/completions").json["choices"][0]["message"]

    assert message("suffix")["content"] == f"{SAYS}\n\n[DE/vat@1: Umsatzsteuergesetz <{SOURCE}>]"
    assert "annotations" not in message("suffix")
    assert message("bare") == {"role": "assistant", "content": SAYS, "refusal": None}
    assert message("austria")["annotations"][0]["url_citation"]["url"] == "urn:rag-edit:record:AT%2Fvat:1"


def test_a_follow_up_is_decided_by_the_turns_before_it(gate: House) -> None:
    turns = [
        {"role": "user", "content": "What is the standard VAT rate in France?"},
        {"role": "assistant", "content": "20 %"},
        {"role": "user", "content": "And in Germany?"},
    ]
    found = gate.ask("/d/germany/v1/chat/completions", {"model": "gpt", "messages": turns})
    assert found.headers["rag-edit-record"] == "DE/vat@1"


def test_a_turn_that_is_not_the_users_is_never_answered(gate: House) -> None:
    turns = [*TURNS, {"role": "assistant", "content": "It is"}]
    found = gate.ask("/d/germany/v1/chat/completions", {"model": "gpt", "messages": turns})
    assert (found.headers["rag-edit-route"], found.headers["rag-edit-reason"]) == ("BASE", "NOTHING_ASKED")


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
ASIDE: dict[str, tuple[dict[str, Any], str]] = {
    "tools": ({"tools": [TOOL]}, "TOOLS_ASKED"),
    "a tool that must be used": ({"tools": [TOOL], "tool_choice": "required"}, "TOOLS_ASKED"),
    "functions of old": ({"functions": [{"name": "f"}]}, "TOOLS_ASKED"),
    "JSON mode": ({"response_format": {"type": "json_object"}}, "FORM_ASKED"),
    "structured output": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
        "FORM_ASKED",
    ),
    "guided decoding": ({"guided_choice": ["a", "b"]}, "FORM_ASKED"),
    "log probabilities": ({"logprobs": True}, "FORM_ASKED"),
    "audio": ({"modalities": ["text", "audio"], "audio": {"voice": "x", "format": "wav"}}, "FORM_ASKED"),
}


@pytest.mark.parametrize("name", ASIDE)
def test_a_record_steps_back_where_it_cannot_give_the_form(gate: House, name: str) -> None:
    more, reason = ASIDE[name]
    found = gate.ask("/d/germany/v1/chat/completions", {"model": "gpt", "messages": TURNS, **more})
    assert (found.headers["rag-edit-route"], found.headers["rag-edit-reason"]) == ("BASE", reason)


ELSEWHERE: dict[str, tuple[str, dict[str, Any], str]] = {
    "structured output of responses": (
        "responses", {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}}, "FORM_ASKED",
    ),
    "JSON mode of responses": ("responses", {"text": {"format": {"type": "json_object"}}}, "FORM_ASKED"),
    "tools of responses": ("responses", {"tools": [{"type": "web_search"}]}, "TOOLS_ASKED"),
    "a response in the background": ("responses", {"background": True}, "FORM_ASKED"),
    "a file in responses": (
        "responses", {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "FORM_ASKED",
    ),
    "the output of a tool": (
        "responses", {"input": [{"type": "function_call_output", "call_id": "c", "output": ASKED}]}, "NOTHING_ASKED",
    ),
    "text to be filled in": ("completions", {"suffix": " is a tax."}, "FORM_ASKED"),
    "the prompt repeated": ("completions", {"echo": True}, "FORM_ASKED"),
    "log probabilities of completions": ("completions", {"logprobs": 3}, "FORM_ASKED"),
    "several prompts": ("completions", {"prompt": [ASKED, OTHER]}, "FORM_ASKED"),
    "a grammar": ("completions", {"guided_regex": "a+"}, "FORM_ASKED"),
}  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_record_steps_back_in_the_other_calls_too(gate: House, upstream: FakeUpstream, name: str) -> None:
    api, more, reason = ELSEWHERE[name]
    path, body = BODIES[api]
    before = len(upstream.sent)
    found = gate.ask(f"/d/germany{path}", {**body, "tools": [], **more})
    assert (found.headers["rag-edit-route"], found.headers["rag-edit-reason"]) == ("BASE", reason)
    assert len(upstream.sent) == before + 1


def test_instructions_of_a_response_can_exclude_topics(gate: House) -> None:
    body = {"model": "gpt", "input": ASKED, "instructions": "Be kind.\nrag-edit: exclude tax.*"}
    assert gate.ask("/d/germany/v1/responses", body).headers["rag-edit-reason"] == "TOPIC_EXCLUDED"


@pytest.mark.parametrize(
    ("more", "route"),
    [
        ({"tools": [TOOL], "tool_choice": "none"}, "OVERRIDE"),
        ({"response_format": {"type": "text"}}, "OVERRIDE"),
        ({"tools": []}, "OVERRIDE"),
    ],
    ids=["tools that may not be used", "plain text", "no tools"],
)
def test_a_record_answers_where_nothing_is_asked_that_it_cannot_give(gate: House, more: dict[str, Any], route: str) -> None:
    found = gate.ask("/d/germany/v1/chat/completions", {"model": "gpt", "messages": TURNS, **more})
    assert found.headers["rag-edit-route"] == route


def test_a_deployment_for_agents_answers_beside_tools_but_not_in_their_place(gate: House) -> None:
    def route(**more: Any) -> str:
        body = {"model": "gpt", "messages": TURNS, "tools": [TOOL], **more}
        return gate.ask("/d/agents/v1/chat/completions", body).headers["rag-edit-route"]

    assert (route(), route(tool_choice="auto"), route(tool_choice="required")) == ("OVERRIDE", "OVERRIDE", "BASE")


def test_an_image_beside_the_question_is_left_to_the_base(gate: House) -> None:
    parts = [{"type": "text", "text": ASKED}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    found = gate.ask("/d/germany/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": parts}]})
    assert found.headers["rag-edit-reason"] == "FORM_ASKED"


def test_text_in_parts_is_a_question(gate: House) -> None:
    parts = [{"type": "text", "text": ASKED}]
    found = gate.ask("/d/germany/v1/chat/completions", {"model": "gpt", "messages": [{"role": "user", "content": parts}]})
    assert found.headers["rag-edit-route"] == "OVERRIDE"


GROUNDED = "In Germany the standard VAT rate is 19 %."


def written(text: str) -> Any:
    return whole({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})


def test_ground_puts_the_record_into_the_upstreams_context_and_checks_the_answer(gate: House, upstream: FakeUpstream) -> None:
    upstream.scripts.append(written(GROUNDED))
    found = gate.chat(ASKED, path="/d/ground/v1/chat/completions", rag_edit_debug="1", authorization="Bearer sk-theirs")
    assert (found.json["choices"][0]["message"]["content"], found.headers["rag-edit-rung"]) == (GROUNDED, "grounded")
    sent = upstream.sent[-1]
    assert "<fact>" in sent.json["messages"][-1]["content"]
    assert sent.json["model"] == "gpt"
    assert {n.casefold(): v for n, v in sent.headers.items()}["authorization"] == "Bearer sk-theirs"


@pytest.mark.parametrize("answers", [["It is 16 %.", "No idea."], []], ids=["it does not hold to the record", "it fails"])
def test_ground_gives_the_record_verbatim_where_the_upstream(gate: House, upstream: FakeUpstream, answers: list[str]) -> None:
    upstream.scripts.extend([written(text) for text in answers] or [whole({"error": {}}, 500), whole({}, 200)])
    found = gate.chat(ASKED, path="/d/ground/v1/chat/completions", rag_edit_debug="1")
    assert (found.json["choices"][0]["message"]["content"], found.headers["rag-edit-rung"]) == (SAYS, "verbatim")


def test_ground_asks_in_the_clients_own_conversation_and_then_without_it(gate: House, upstream: FakeUpstream) -> None:
    upstream.scripts.extend([written("Aye, 16 % it be."), written(GROUNDED)])
    turns = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Hello!"},
        {"role": "assistant", "content": "Ahoy!"},
        *TURNS,
    ]
    found = gate.ask("/d/ground/v1/chat/completions", {"model": "gpt", "messages": turns})
    assert found.json["choices"][0]["message"]["content"] == GROUNDED
    first, second = ([(m["role"], m["content"]) for m in sent.json["messages"]] for sent in upstream.sent[-2:])
    assert [role for role, _ in first] == ["system", "user", "assistant", "user"]
    assert first[0][1].startswith("You are a pirate.\n\nAnswer from the fact")
    assert (first[1][1], first[2][1], "<fact>" in first[3][1]) == ("Hello!", "Ahoy!", True)
    assert [role for role, _ in second] == ["system", "user"]
    assert "pirate" not in str(second)


def opened(gate: House, upstream: FakeUpstream, script: Script) -> socket.socket:
    """Ask the grounding deployment, and return the connection once the upstream was asked."""
    upstream.scripts.append(script)
    before, parts = len(upstream.sent), urlsplit(gate.url)
    body = json.dumps({"model": "gpt", "messages": TURNS}).encode()
    head = f"POST /d/ground/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
    connection.sendall(head.encode() + body)
    until = time.monotonic() + 5
    while len(upstream.sent) == before and time.monotonic() < until:
        time.sleep(0.01)
    return connection


def test_ground_ends_the_upstreams_work_when_the_client_leaves(gate: House, upstream: FakeUpstream) -> None:
    upstream.hung_up.clear()
    opened(gate, upstream, Script((b"{", 20.0, b"}"))).close()
    assert upstream.hung_up.wait(2)
    assert not upstream.scripts


def test_a_slow_upstream_that_writes_from_a_record_holds_up_nobody_else(gate: House, upstream: FakeUpstream) -> None:
    with opened(gate, upstream, Script((b"{", 20.0, b"}"))):
        upstream.scripts.append(written(GROUNDED))
        found = gate.chat(ASKED, path="/d/ground/v1/chat/completions", rag_edit_debug="1")
        assert (found.status, found.headers["rag-edit-rung"]) == (200, "grounded")


@pytest.mark.slow
def test_the_homes_own_model_answers_where_there_is_no_upstream(gate: House, client_at: Callable[[str], Any]) -> None:
    import openai

    client = client_at(f"{gate.url}/d/home/v1")
    assert client.chat.completions.create(model="x", messages=TURNS).choices[0].message.content == SAYS
    asked: Any = [{"role": "user", "content": OTHER}]
    assert client.chat.completions.create(model="x", messages=asked).choices[0].message.content == f"I was asked: {OTHER}"
    pieces = client.chat.completions.create(model="x", messages=asked, stream=True)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == f"I was asked: {OTHER}"
    assert [model.id for model in client.models.list()] == ["fake"]
    assert client.models.retrieve("fake").owned_by == "rag-edit"
    assert len(client.embeddings.create(model="e", input=[OTHER, ASKED]).data[1].embedding) == 64
    with pytest.raises(openai.BadRequestError, match="takes text and gives text"):
        client.chat.completions.create(model="x", messages=asked, tools=[TOOL])
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_a_response_of_ours_can_be_gone_on_from_though_the_upstream_does_not_know_it(
    gate: House, upstream: FakeUpstream
) -> None:
    def respond(content: str, **more: Any) -> Any:
        found = gate.ask("/d/germany/v1/responses", {"model": "gpt", "input": content, **more})
        return found.headers.get("rag-edit-record", ""), found.json["id"]

    first = respond(ASKED, previous_response_id="resp_of_upstream")
    assert first[0] == "DE/vat@1"
    second = gate.ask("/d/germany/v1/responses", {"model": "gpt", "input": ASKED, "previous_response_id": first[1]}).json
    assert second["previous_response_id"] == first[1]
    respond(OTHER, previous_response_id=second["id"])
    sent = upstream.sent[-1].json
    assert sent["previous_response_id"] == "resp_of_upstream"
    assert [item["role"] for item in sent["input"]][:3] == ["user", "assistant", "user"]
    assert sent["input"][1]["content"][0]["text"] == SAYS
    assert sent["input"][-1]["content"] == OTHER


def test_a_response_of_another_deployment_is_not_put_back(gate: House, upstream: FakeUpstream) -> None:
    ours = gate.ask("/d/germany/v1/responses", {"model": "gpt", "input": ASKED}).json["id"]
    body = {"model": "gpt", "input": OTHER, "previous_response_id": ours}
    gate.ask("/d/world/v1/responses", body)
    assert upstream.sent[-1].json == body
