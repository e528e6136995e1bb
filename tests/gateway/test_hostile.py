"""Hostile requests: nothing of ours fails with 5xx, hangs, lets somebody by, or reaches the upstream where it must not."""

import asyncio
import json
import logging
import os
import random
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rag_edit.gateway.exchange import Exchange
from rag_edit.gateway.keys import digest_of
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.spans import read_object
from tests.gateway.hostile import OPERATOR, Hostile, requests
from tests.gateway.house import ASKED, House, house
from tests.gateway.upstream import FakeUpstream, Script

CHAT = "/d/germany/v1/chat/completions"


def raw(gate: House, request: bytes, *, wait_s: float = 5.0) -> bytes:
    """Send bytes as they are and return everything that comes back until the server closes or answers."""
    parts = urlsplit(gate.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=wait_s) as connection:
        found = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                found += piece
        except TimeoutError:
            pytest.fail(f"hung after {found[:80]!r} on {request[:80]!r}")
        except OSError:  # the server had enough before everything was sent
            found = found or b"HTTP/1.1 400 reset"
        return found


def post(body: bytes, *lines: bytes, path: bytes = CHAT.encode()) -> bytes:
    head = [b"POST " + path + b" HTTP/1.1", b"Host: localhost", b"Content-Length: %d" % len(body), b"Connection: close", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


GOOD = b'{"model":"gpt","messages":[{"role":"user","content":"Who wrote Faust?"}]}'
SMUGGLED = b"GET /api/v1/deployments HTTP/1.1\r\nHost: localhost\r\n\r\n"
REQUESTS: dict[str, tuple[bytes, bytes]] = {
    "no JSON": (post(b"{"), b" 400 "),
    "a list": (post(b"[]"), b" 400 "),
    "a number": (post(b"7"), b" 400 "),
    "nothing": (post(b""), b" 400 "),
    "not UTF-8": (post(b'{"model":"\xff"}'), b" 400 "),
    "UTF-16": (post(GOOD.decode().encode("utf-16")), b" 400 "),
    "a byte order mark": (post(b"\xef\xbb\xbf" + GOOD), b" 400 "),
    "two objects": (post(GOOD + GOOD), b" 400 "),
    "a field twice": (post(b'{"model":"a","messages":[],"model":"b"}'), b" 400 "),
    "a field twice by escape": (post(b'{"model":"a","m\\u006fdel":"b"}'), b" 400 "),
    "deep nesting": (post(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), b" 400 "),
    "a number of many digits": (post(b'{"a":' + b"9" * 10_000 + b"}"), b" 400 "),
    "a packed body": (post(GOOD, b"Content-Encoding: gzip"), b" 415 "),
    "a header of ours twice": (post(GOOD, b"rag-edit-jurisdiction: DE", b"rag-edit-jurisdiction: AT"), b" 400 "),
    "two authorizations": (post(GOOD, b"Authorization: Bearer a", b"Authorization: Bearer b"), b" 400 "),
    "a place in Greek": (post(GOOD, "rag-edit-jurisdiction: ΔE".encode()), b" 400 "),
    "a place that climbs": (post(GOOD, b"rag-edit-jurisdiction: ../../DE"), b" 400 "),
    "an endless place": (post(GOOD, b"rag-edit-jurisdiction: " + b"D" * 20_000), b" 400 "),
    "a foreign host": (post(GOOD.replace(b"Faust", b"Faust")).replace(b"localhost", b"evil.example"), b" 421 "),
    "a path that climbs": (post(GOOD, path=b"/v1/../api/v1/reload"), b" 400 "),
    "a path that climbs in disguise": (post(GOOD, path=b"/v1/models/%2e%2e/%2e%2e/secret"), b" 400 "),
    "a path with a line break": (post(GOOD, path=b"/v1/models/a%0d%0aX: y"), b" 400 "),
    "a path with a zero": (post(GOOD, path=b"/v1/models/%00"), b" 400 "),
    "a path that is not UTF-8": (post(GOOD, path=b"/v1/models/%ff%fe"), b" 405 "),
    "an absolute target": (post(GOOD, path=b"http://evil.example/v1/models"), b" 400 "),
    "doubled slashes": (post(GOOD, path=b"//v1/chat/completions"), b" 400 "),
    "another method": (b"TRACE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", b" 405 "),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", b" 404 "),
    "an unknown path": (b"GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n", b" 404 "),
    "no host": (b"GET /v1/models HTTP/1.1\r\n\r\n", b" 400 "),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01", b" 400 "),
    "an endless head": (b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000, b" 400 "),
    "a length and chunks": (
        b"POST "
        + CHAT.encode()
        + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        + SMUGGLED,
        b" 400 ",
    ),
    "two lengths": (post(GOOD, b"Content-Length: 3"), b" 400 "),
    "a length that is too large": (
        b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        b" 413 ",
    ),
    "a length that is no number": (
        b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b" 400 ",
    ),
    "a chunk that is none": (
        b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b" 400 ",
    ),
    "a web socket": (
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n",
        b" 400 ",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_hostile_request_gets_a_clean_refusal(gate: House, upstream: FakeUpstream, name: str) -> None:
    request, status = REQUESTS[name]
    before = len(upstream.sent)
    found = raw(gate, request)
    assert status in found.split(b"\r\n")[0] + b" ", found[:200]
    assert found.count(b"HTTP/1.1 ") == 1 or b" 400 " in found  # nothing that was smuggled in is answered
    assert b"deployments" not in found
    assert len(upstream.sent) == before
    assert b"Traceback" not in found


def test_a_body_that_stops_half_way_reaches_nobody(gate: House, upstream: FakeUpstream) -> None:
    before = len(upstream.sent)
    raw(gate, post(GOOD)[:-10])
    assert len(upstream.sent) == before
    assert gate.chat(ASKED, path=CHAT).status == 200


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "x",
    "\ud800",
    "\x00",
    [],
    {},
    [[]],
    [None],
    {"type": []},
    {"type": "text"},
    {"role": []},
]
FIELDS = [
    "messages",
    "model",
    "stream",
    "stream_options",
    "n",
    "tools",
    "tool_choice",
    "response_format",
    "input",
    "prompt",
    "text",
    "user",
]
INSIDE = ["role", "content", "type", "tool_calls", "name"]


def mutants(seed: int, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield calls whose fields hold what they should not."""
    chance = random.Random(seed)
    for _ in range(count):
        path = chance.choice(["chat/completions", "completions", "responses", "embeddings"])
        body: dict[str, Any] = {
            "model": "gpt",
            "messages": [{"role": "user", "content": ASKED}],
            "input": ASKED,
            "prompt": ASKED,
        }
        for _ in range(chance.randint(1, 4)):
            if chance.random() < 0.6:
                body[chance.choice(FIELDS)] = chance.choice(ODD)
            else:
                body["messages"] = body["input"] = [
                    {chance.choice(INSIDE): chance.choice(ODD), "content": chance.choice([ASKED, *ODD])}
                ]
        yield path, body


@pytest.mark.parametrize("deployment", ["germany", "home"])
def test_odd_values_in_known_fields_never_fail_the_gateway(gate: House, upstream: FakeUpstream, deployment: str) -> None:
    """The fake upstream's own failures are told apart: it drops the connection on what it cannot read."""
    wrong = []
    for number, (path, body) in enumerate(mutants(7, 150)):
        found = gate.ask(f"/d/{deployment}/v1/{path}", body)
        if found.status >= 500 and not (deployment == "germany" and found.json["error"]["code"] == "upstream_unreachable"):
            wrong.append(f"{number} {path} {found.status}: {json.dumps(body)[:200]} {found.body[:200]!r}")
    assert wrong == []


def exchange(headers: list[tuple[bytes, bytes]], pieces: list[bytes]) -> Exchange:
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(_: Any) -> None:
        raise AssertionError("nothing is sent")

    return Exchange({"method": "POST", "path": "/", "headers": headers}, receive, send)


def test_a_body_is_counted_as_it_comes_whatever_its_length_says() -> None:
    with pytest.raises(Refusal) as caught:
        asyncio.run(exchange([(b"content-length", b"10")], [b"a" * 60, b"a" * 60]).body(max_bytes=100, timeout_s=1))
    assert caught.value.status == 413


def test_a_reader_of_objects_reads_what_json_reads_or_refuses() -> None:
    chance = random.Random(3)
    for _ in range(300):
        document = {chance.choice("abcäß\u2028"): chance.choice(ODD[:13]) for _ in range(chance.randint(0, 4))}
        text = json.dumps(
            document, indent=chance.choice([None, 1]), ensure_ascii=chance.random() < 0.5 or "\\ud800" in json.dumps(document)
        )
        found = read_object(text.encode("utf-8"))
        assert dict(found.fields) == document
        for name, (start, end) in found.spans.items():
            assert json.loads(found.text[start:end]) == document[name]
        for name in document:
            assert json.loads(found.with_values({name: "put"})) == {**document, name: "put"}
        cut = text[: chance.randint(0, len(text) - 1)]
        with pytest.raises(Refusal):
            read_object(cut.encode("utf-8"))


SECRETS = {"OUR_KEY": "sk-planted-upstream-key", "RAG_EDIT_PASSPHRASE": "planted passphrase"}


def storm(tmp_path: Path, upstream: FakeUpstream, seed: int, count: int) -> tuple[list[str], list[int]]:
    """Send hostile requests, eight at a time; return what went wrong, and the memory in use after each tenth."""
    config: dict[str, Any] = {"upstream": {"fake": {"url": upstream.url, "key_env": "OUR_KEY"}}, "deployment": {}}
    config["deployment"] = {
        name: {"upstream": "fake", "mode": "off" if name == "off" else "serve"} for name in ("default", "one", "off")
    }
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "passphrase").write_text(SECRETS["RAG_EDIT_PASSPHRASE"])
    wrong: list[str] = []
    memory: list[int] = []
    with house(tmp_path, config, environment=SECRETS, trusted=True) as running:
        running.state.operator_digest = digest_of(OPERATOR)  # some of them come with the key to everything
        secrets = [text.encode() for text in (*SECRETS.values(), OPERATOR, digest_of(OPERATOR), str(tmp_path))]

        def send(each: Hostile) -> None:
            found = answered(running.url, each)
            status = re.match(rb"HTTP/1\.1 (\d{3}) ", found)
            if (status and status[1] >= b"500" and b"upstream_" not in found) or any(s in found for s in secrets):
                wrong.append(f"{found[:300]!r} to {each.data[:300]!r}")
            elif b"Traceback" in found or found == b"hung":
                wrong.append(f"{found[:80]!r} to {each.data[:300]!r}")

        with ThreadPoolExecutor(8) as pool, unrecorded():
            part = max(1, count // 10)
            for start in range(0, count, part):
                upstream.scripts.extend(
                    Script((b'data: {"id": "x"}\n\n',), cut=True) for _ in range(part // 50)
                )  # broken streams
                list(pool.map(send, requests(seed + start, part)))
                upstream.sent.clear()
                running.lines.clear()
                memory.append(resident())
        upstream.scripts.clear()
        good = running.ask(CHAT.replace("germany", "one"), json.loads(GOOD))
        wrong += [] if good.status == 200 else [f"after it: {good.status} {good.body[:200]!r}"]
        until = time.monotonic() + 10
        while running.state.in_flight and time.monotonic() < until:  # a slow client's request ends after its client
            time.sleep(0.05)
        assert running.state.in_flight == 0
    return wrong, memory


@contextmanager
def unrecorded() -> Iterator[None]:
    """Let nothing be logged: what the test runner keeps of tens of thousands of lines is not the server's memory."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def answered(url: str, each: Hostile) -> bytes:
    """Return all that comes back; ``hung`` where nothing ends within ten seconds."""
    parts = urlsplit(url)
    found = b""
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
            data = each.data[: each.stop]
            half = len(data) // 2 if each.pause_s else 0
            connection.sendall(data[:half])
            time.sleep(each.pause_s)
            connection.sendall(data[half:])
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                found += piece
    except TimeoutError:
        return b"hung"
    except OSError:
        pass
    return found


def resident() -> int:
    """Return the bytes of memory in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_few_hundred_hostile_requests_leave_everything_as_it_was(upstream: FakeUpstream, tmp_path: Path) -> None:
    wrong, _ = storm(tmp_path, upstream, 11, 300)
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(14_400)
def test_thousands_of_hostile_requests_leave_everything_as_it_was(upstream: FakeUpstream, tmp_path: Path) -> None:
    """``make hostile`` sends 50,000."""
    wrong, memory = storm(tmp_path, upstream, 1_000, int(os.environ.get("HOSTILE", "2000")))
    assert wrong == []
    assert memory[-1] < memory[1] * 1.05 + 8 * 2**20  # what is held after the first fifth is all that is ever held


@pytest.mark.parametrize("path", ["/nope", CHAT, "/v1/models"], ids=["refused at once", "waits for the body", "passed on"])
def test_a_body_that_is_no_http_is_answered_once_and_fills_no_log(
    gate: House, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
    for n in range(20):
        method = b"HEAD" if n == 7 else b"POST"
        found = raw(gate, head.encode().replace(b"POST", method) + b"ZZ\r\n{}")
        if method == b"HEAD" and not found:
            continue  # cut: there is no answer to it that fits
        assert re.match(rb"HTTP/1\.1 4\d\d ", found)
        assert found.count(b"HTTP/1.1 ") == 1
    assert [record.levelname for record in caplog.records if record.exc_info] == []
