import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from rag_edit.core.decision import Message
from rag_edit.core.errors import ConfigError, UpstreamError
from rag_edit.lm.remote import UpstreamEncoder, UpstreamModel
from rag_edit.lm.secret import Secret
from rag_edit.lm.upstream import Patience, Upstream, _retry_after
from tests.lm.upstream_server import SAID, Quirk, UpstreamServer, as_json, as_stream, chat_answer, event, serving

KEY = Secret("sk-very-secret")
QUICK = Patience(connect_s=5, read_s=10, total_s=20, backoff_s=0.001, max_bytes=100_000)
HASTY = Patience(connect_s=5, read_s=0.25, total_s=0.5, backoff_s=0.001, max_bytes=100_000)
ASK = [[Message("user", "hello")]]
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@pytest.fixture(scope="module")
def shared_server() -> Iterator[UpstreamServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(shared_server: UpstreamServer) -> UpstreamServer:
    shared_server.queue.clear()
    shared_server.requests.clear()
    return shared_server


@pytest.fixture
def model(server: UpstreamServer) -> Iterator[UpstreamModel]:
    opened = UpstreamModel(server.url, "m", api_key=KEY, patience=QUICK)
    yield opened
    opened.upstream.close()


def fault(model: UpstreamModel) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        model.chat(ASK)
    return caught.value


def test_a_chat_sends_the_turns_greedily_and_reads_the_answer(model: UpstreamModel, server: UpstreamServer) -> None:
    (said,) = model.chat([[Message("system", "be brief"), Message("user", "hello")]], max_new_tokens=9)
    path, headers, body = server.requests[0]
    assert said.text == "You said: hello"
    assert said.finish_reason == "stop"
    assert (said.prompt_tokens, said.completion_tokens) == (7, 3)
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sk-very-secret"
    turns = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
    assert body == {"model": "m", "max_tokens": 9, "temperature": 0, "seed": 0, "messages": turns}


def test_no_key_sends_no_authorization(server: UpstreamServer) -> None:
    upstream = UpstreamModel(server.url, "m", patience=QUICK)
    upstream.chat(ASK)
    upstream.upstream.close()
    assert "Authorization" not in server.requests[0][1]


AGAIN = {
    "429 with Retry-After": Quirk(429, (b"{}",), {"Retry-After": "0"}),
    "502 with a page": Quirk(502, (HTML,), {"Content-Type": "text/html"}),
    "503": Quirk(503),
    "504": Quirk(504),
}


@pytest.mark.parametrize("quirk", AGAIN.values(), ids=AGAIN)
def test_what_was_surely_not_served_is_asked_again(model: UpstreamModel, server: UpstreamServer, quirk: Quirk) -> None:
    server.next(quirk, quirk)
    assert model.chat(ASK)[0].text == "You said: hello"
    assert len(server.requests) == 3


ONCE = {
    "500": (Quirk(500, (b'{"error": {"message": "boom"}}',)), 500, "boom"),
    "401": (Quirk(401, (b'{"error": {"message": "bad key sk-very-secret"}}',)), 401, "bad key ***"),
    "400": (Quirk(400, (b"no",)), 400, "no"),
    "a redirect": (Quirk(302, (), {"Location": "http://127.0.0.1:1/"}), 302, "status 302"),
    "a page under 200": (Quirk(200, (HTML,), {"Content-Type": "text/html"}), 200, "Bad Gateway"),
    "truncated JSON": (Quirk(200, (b'{"choices": [{"mess',)), 200, "wanted JSON"),
    "an empty body": (Quirk(200), 200, "empty body"),
    "a list": (as_json([]), 200, "JSON object"),
    "an error under 200": (as_json({"error": {"message": "overloaded"}}), 200, "overloaded"),
    "no choices": (as_json({"choices": []}), 200, "found none"),
    "choices that are none": (as_json({"choices": ["x"]}), 200, "found none"),
    "no content": (as_json(chat_answer(None)), 200, "NoneType"),
    "filtered": (as_json(chat_answer("half", "content_filter")), 200, "content_filter"),
    "a huge body": (Quirk(200, (b"[" + b" " * 200_000,)), 200, "more than 100000 bytes"),
    "a body shorter than its length": (Quirk(200, (b'{"choices"',), length=500), 200, ""),
    "a pause that is too long to wait": (Quirk(503, (), {"Retry-After": "3600"}), 503, "status 503"),
}


@pytest.mark.parametrize("quirk,status,words", ONCE.values(), ids=ONCE)
def test_everything_else_fails_at_once_and_says_why(
    model: UpstreamModel, server: UpstreamServer, quirk: Quirk, status: int | None, words: str
) -> None:
    server.next(quirk)
    error = fault(model)
    assert error.status == status
    assert words in str(error)
    assert "secret" not in str(error)
    assert len(server.requests) == 1


SLOW = {
    "headers": (Quirk(before_s=0.5), None, "ReadTimeout"),
    "a pause in the body": (Quirk(200, (b"{", 0.5, b"}")), 200, "ReadTimeout"),
    "a body that trickles": (Quirk(200, (b" ", 0.1) * 8), 200, "not done after 0.5 s"),
}


@pytest.mark.parametrize("quirk,status,words", SLOW.values(), ids=SLOW)
def test_a_slow_answer_is_given_up_and_not_asked_for_again(
    server: UpstreamServer, quirk: Quirk, status: int | None, words: str
) -> None:
    server.next(quirk)
    hasty = UpstreamModel(server.url, "m", patience=HASTY)
    error = fault(hasty)
    hasty.upstream.close()
    assert (error.status, error.retryable, len(server.requests)) == (status, True, 1)
    assert words in str(error)


def test_after_a_failure_the_next_question_is_answered(model: UpstreamModel, server: UpstreamServer) -> None:
    server.next(Quirk(500))
    assert fault(model).retryable
    assert model.chat(ASK)[0].text == "You said: hello"


def test_retries_end(model: UpstreamModel, server: UpstreamServer) -> None:
    server.next(*[Quirk(503)] * 5)
    error = fault(model)
    assert (error.status, error.retryable, len(server.requests)) == (503, True, 3)


def test_the_server_is_left_alone_as_long_as_it_wants(server: UpstreamServer) -> None:
    waits: list[float] = []
    server.next(Quirk(429, (), {"Retry-After": "7"}), Quirk(503, (), {"Retry-After": "nonsense"}), as_json({}))
    patient = Patience(total_s=60, backoff_s=0.5)
    upstream = Upstream(server.url, patience=patient, clock=lambda: 0.0, sleep=waits.append)
    upstream.post("/chat/completions", {})
    upstream.close()
    assert waits == [7.0, 1.0]


PAUSES = {
    "seconds": ({"retry-after": " 12 "}, 12.0),
    "nothing": ({}, 0.0),
    "negative": ({"retry-after": "-5"}, 0.0),
    "a date, by the server's clock": (
        {"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 10:00:04 GMT"},
        4.0,
    ),
    "a date gone by": ({"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT"}, 0.0),
    "a date without the server's clock": ({"retry-after": "Sun, 22 Nov 2026 10:00:04 GMT"}, 0.0),
    "a date with and one without a zone": ({"date": "22 Nov 2026 10:00:00", "retry-after": "22 Nov 2026 10:00:04 GMT"}, 0.0),
}


@pytest.mark.parametrize("headers,seconds", PAUSES.values(), ids=PAUSES)
def test_retry_after_is_read_without_our_clock(headers: dict[str, str], seconds: float) -> None:
    assert _retry_after(headers) == seconds


def test_no_connection_is_tried_again_and_then_told() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        waits: list[float] = []
        upstream = Upstream(url, patience=QUICK, sleep=waits.append)
        with pytest.raises(UpstreamError, match="no connection") as caught:
            upstream.post("/embeddings", {})
        upstream.close()
    assert caught.value.retryable
    assert len(waits) == 2


def test_a_wrong_content_type_of_right_json_is_read(model: UpstreamModel, server: UpstreamServer) -> None:
    server.next(Quirk(200, (json.dumps(chat_answer("fine")).encode(),), {"Content-Type": "text/plain"}))
    assert model.chat(ASK)[0].text == "fine"


@pytest.mark.parametrize("bad", ["ftp://x/v1", "nothing", "http://me:pw@host/v1", "http://host/v1?key=1"])
def test_an_address_that_is_none_or_holds_credentials_is_refused_without_showing_them(bad: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Upstream(bad)
    assert "pw" not in str(caught.value)


def test_a_key_shows_nowhere() -> None:
    upstream = Upstream("http://h", api_key=KEY)
    assert "secret" not in f"{upstream!r} {KEY!r} {KEY} {[KEY]}"
    upstream.close()


# --- streams


def streamed(model: UpstreamModel) -> list[str]:
    return list(model.stream(ASK[0]))


def test_a_stream_gives_the_pieces(model: UpstreamModel) -> None:
    assert "".join(streamed(model)) == "You said: hello"


def test_letters_split_over_chunks_arrive_whole(model: UpstreamModel, server: UpstreamServer) -> None:
    body = event(SAID) + event(finish="stop") + b"data: [DONE]\n\n"
    server.next(as_stream(*(body[i : i + 3] for i in range(0, len(body), 3))))
    assert "".join(streamed(model)) == SAID


def test_a_finished_stream_needs_no_done(model: UpstreamModel, server: UpstreamServer) -> None:
    server.next(as_stream(b": hello\r\n\r\n", event("a").replace(b"\n", b"\r\n"), event("b"), event(finish="length")))
    assert streamed(model) == ["a", "b"]


BROKEN: dict[str, tuple[Quirk, str]] = {
    "cut between events": (as_stream(event("a")), "before the answer did"),
    "cut in an event": (as_stream(event("a"), event("b")[:20]), "before the answer did"),
    "done without a finish": (as_stream(event("a"), b"data: [DONE]\n\n"), "before the answer did"),
    "an error event": (as_stream(event("a"), b'data: {"error": {"message": "out of memory"}}\n\n'), "out of memory"),
    "an event that is no JSON": (as_stream(event("a"), b"data: {oops\n\n"), "wanted JSON"),
    "not UTF-8": (as_stream(event("a"), b"data: \xff\n\n"), "wanted JSON in UTF-8"),
    "filtered": (as_stream(event("a"), event(finish="content_filter")), "content_filter"),
}


@pytest.mark.parametrize("quirk,words", BROKEN.values(), ids=BROKEN)
def test_a_broken_stream_is_an_error_after_its_pieces(
    model: UpstreamModel, server: UpstreamServer, quirk: Quirk, words: str
) -> None:
    server.next(quirk)
    pieces = model.stream(ASK[0])
    assert next(pieces) == "a"
    with pytest.raises(UpstreamError, match=words):
        list(pieces)


def test_a_stream_that_falls_silent_is_an_error(server: UpstreamServer) -> None:
    server.next(as_stream(event("a"), 0.5, event("b")))
    hasty = UpstreamModel(server.url, "m", patience=HASTY)
    with pytest.raises(UpstreamError, match="ReadTimeout"):
        streamed(hasty)
    hasty.upstream.close()


def test_a_dropped_connection_in_a_stream_is_an_error(model: UpstreamModel, server: UpstreamServer) -> None:
    server.next(Quirk(200, (event("a"),), {"Content-Type": "text/event-stream"}, length=10_000))
    with pytest.raises(UpstreamError):
        streamed(model)


def test_json_where_a_stream_was_asked_for_is_an_error(model: UpstreamModel, server: UpstreamServer) -> None:
    server.next(as_json(chat_answer()))
    with pytest.raises(UpstreamError, match="event stream"):
        streamed(model)


# --- vectors

VECTORS: dict[str, Any] = {
    "one too few": [{"index": 0, "embedding": [1.0]}],
    "of two lengths": [{"index": 0, "embedding": [1.0, 2.0]}, {"index": 1, "embedding": [1.0]}],
    "twice the same index": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
    "zero": [{"index": 0, "embedding": [0.0]}, {"index": 1, "embedding": [1.0]}],
    "no numbers": [{"index": 0, "embedding": ["x"]}, {"index": 1, "embedding": [1.0]}],
    "numbers that are none": [{"index": 0, "embedding": [float("nan")]}, {"index": 1, "embedding": [1.0]}],
    "no vector": [{"index": 0}, {"index": 1}],
    "nothing": None,
}


@pytest.mark.parametrize("data", VECTORS.values(), ids=VECTORS)
def test_vectors_that_do_not_fit_the_texts_are_refused(server: UpstreamServer, data: Any) -> None:
    encoder = UpstreamEncoder(server.url, "e", patience=QUICK)
    server.next(as_json({"data": [{"index": 0, "embedding": [1.0]}]}), as_json({"data": data}))
    with pytest.raises(UpstreamError):
        encoder.encode(["a", "b"], kind="query")
    encoder.upstream.close()
