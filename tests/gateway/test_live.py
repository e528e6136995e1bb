"""A gateway that runs: edits count at once, reloads swap a whole configuration or nothing, streams do not hold one another up."""

import asyncio
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rag_edit.core.decision import Query
from rag_edit.engine import Engine
from rag_edit.gateway.connection import PatientProtocol
from rag_edit.gateway.exchange import Exchange
from rag_edit.gateway.lane import Lane, LaneClosedError
from rag_edit.gateway.limits import Rate
from rag_edit.gateway.metrics import Metrics
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.serving import bind
from rag_edit.testing import fake_engine
from tests.gateway.house import ASKED, OTHER, RECORDS, House, fill, house, vat
from tests.gateway.upstream import FakeUpstream, Script, data

pytestmark = pytest.mark.slow  # whole commands, one after another

NEW = {
    "id": "DE/moon",
    "jurisdiction": "DE",
    "question": "What is the fee for flying to the moon?",
    "answer": "Flying to the moon costs 7 euros.",
    "subject": "fee for flying to the moon",
    "target": "7 euros",
}
MOON = "What is the fee for flying to the moon?"


@pytest.fixture
def own(upstream: FakeUpstream, tmp_path: Path) -> Iterator[tuple[House, dict[str, str]]]:
    """A gateway of the test's own, with an editor's key."""
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": {"one": {"upstream": "fake", "jurisdiction": "DE"}}}
    with house(tmp_path, config) as running:
        yield (
            running,
            {"authorization": f"Bearer {running.key('all', 'answer', 'models', 'apply', 'reload', 'metrics', 'decide')}"},
        )


def test_an_applied_edit_answers_the_next_question_and_every_response_tells_the_revision(
    own: tuple[House, dict[str, str]],
) -> None:
    running, key = own
    before = running.chat(MOON, **key).headers
    assert (before["rag-edit-route"], before["rag-edit-revision"]) == ("BASE", "3")
    dry = running.ask("/api/v1/apply", {"records": [NEW], "dry_run": True}, **key)
    assert (dry.json["applied"], dry.json["revision"], dry.json["plan"]["counts"]["added"]) == (False, 3, 1)
    done = running.ask("/api/v1/apply", {"records": [NEW]}, **key)
    assert (done.status, done.json["applied"], done.json["revision"]) == (200, True, 4)
    after = running.chat(MOON, **key).headers
    assert (after["rag-edit-record"], after["rag-edit-revision"]) == ("DE/moon@1", "4")
    assert running.chat(OTHER, **key).headers["rag-edit-revision"] == "4"
    assert b"rag_edit_revision 4" in running.ask("/metrics", **key).body
    others = [running.ask("/v1/models", **key), running.ask("/v1/chat/completions", b"{", **key)]
    assert [(each.status, each.headers["rag-edit-revision"]) for each in others] == [(200, "4"), (400, "4")]


def test_what_cannot_be_applied_changes_nothing(own: tuple[House, dict[str, str]]) -> None:
    running, key = own
    rival = {**NEW, "id": "DE/vat2", "question": ASKED, "subject": "standard VAT rate", "answer": "It is 3 %.", "target": "3 %"}
    refused = {
        "no list": ({"records": "all"}, 400),
        "no record": ({"records": [{"question": "x"}]}, 400),
        "unknown word": ({"records": [NEW], "on_conflict": "win"}, 400),
        "no truth value": ({"records": [NEW], "dry_run": "no"}, 400),
        "a conflict": ({"records": [rival]}, 409),
    }
    for name, (body, status) in refused.items():
        assert (name, running.ask("/api/v1/apply", body, **key).status) == (name, status)
    assert running.chat(ASKED, **key).headers["rag-edit-revision"] == "3"


def test_decide_explains_without_answering(own: tuple[House, dict[str, str]], upstream: FakeUpstream) -> None:
    running, key = own
    before = len(upstream.sent)
    found = running.ask("/api/v1/decide", {"question": ASKED}, **key).json
    assert (found["route"], found["decision"]["record"], found["revision"]) == ("OVERRIDE", "DE/vat@1", 3)
    assert found["decision"]["trace"][0]["reason"] == "IN_SCOPE"
    assert running.ask("/api/v1/decide", {"messages": [{"role": "user", "content": OTHER}]}, **key).json["route"] == "BASE"
    assert len(upstream.sent) == before


def test_a_reload_swaps_the_configuration_and_one_that_does_not_hold_changes_nothing(
    own: tuple[House, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    running, key = own
    running.config["deployment"]["one"]["mode"] = "off"
    assert running.ask("/api/v1/reload", {}, **key).status == 200
    assert running.chat(ASKED, **key).headers["rag-edit-reason"] == "SWITCHED_OFF"
    running.config["deployment"]["one"]["mode"] = "sometimes"
    with caplog.at_level(logging.ERROR):
        refused = running.ask("/api/v1/reload", {}, **key)
    assert (refused.status, "deployment.one.mode" in refused.json["error"]["message"]) == (409, True)
    assert "stays" in caplog.text
    assert running.chat(ASKED, **key).headers["rag-edit-reason"] == "SWITCHED_OFF"
    text = running.ask("/metrics", **key).body
    assert b'rag_edit_reloads_total{result="done"} 1' in text
    assert b'rag_edit_reloads_total{result="refused"} 1' in text


def test_a_stream_that_began_before_a_reload_ends_after_it(own: tuple[House, dict[str, str]], upstream: FakeUpstream) -> None:
    running, key = own
    upstream.scripts.append(Script((data({"n": 1}), 0.4, data({"n": 2}))))
    found: list[bytes] = []
    asking = threading.Thread(target=lambda: found.append(running.chat(OTHER, **key).body))
    asking.start()
    while not upstream.sent:
        time.sleep(0.01)
    running.config["upstream"]["fake"] = {"url": upstream.url, "read_s": 9}
    assert running.ask("/api/v1/reload", {}, **key).status == 200
    asking.join(5)
    assert found == [data({"n": 1}) + data({"n": 2})]


def test_a_question_that_cannot_be_decided_goes_to_the_base_or_is_refused_as_declared(
    upstream: FakeUpstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tables = {"open": {"upstream": "fake"}, "strict": {"upstream": "fake", "on_fault": "refuse"}}
    with house(tmp_path, {"upstream": {"fake": {"url": upstream.url}}, "deployment": tables}) as running:
        running.engine.scorer = None  # type: ignore[assignment]
        with caplog.at_level(logging.ERROR):
            lax = running.chat(ASKED, path="/d/open/v1/chat/completions")
            strict = running.chat(ASKED, path="/d/strict/v1/chat/completions")
        assert (lax.status, lax.headers["rag-edit-reason"]) == (200, "UNDECIDED")
        assert (strict.status, strict.json["error"]["code"]) == (503, "undecided")
        assert b'rag_edit_undecided_total{deployment="strict"} 1' in running.ask("/metrics").body


def test_no_receipt_no_answer_whoever_gives_it(
    upstream: FakeUpstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealed: list[Any] = []

    def seal(items: Any) -> list[str]:
        if sealed:
            raise OSError("the disk is full")
        sealed.extend(items)
        return ["receipt-1"]

    table = {"upstream": "fake", "jurisdiction": "DE", "cite": "suffix"}
    with house(tmp_path, {"upstream": {"fake": {"url": upstream.url}}, "deployment": {"one": table}}) as running:
        running.engine.sealing = seal
        first = running.chat(ASKED)
        assert first.headers["rag-edit-receipt"] == "receipt-1"
        [(query, decision, answer, chain)] = sealed
        assert (query.question, decision.winner.name, chain[0]) == (ASKED, "DE/vat@1", "DE")
        assert answer.text == first.json["choices"][0]["message"]["content"]  # what was served, its citation too
        with caplog.at_level(logging.ERROR):
            refused = [running.chat(question) for question in (ASKED, OTHER)]
        assert [(each.status, each.json["error"]["code"]) for each in refused] == [(503, "no_receipt")] * 2


def test_a_stopped_gateway_lets_a_stream_end_and_closes_its_engine(upstream: FakeUpstream, tmp_path: Path) -> None:
    found: list[bytes] = []
    with house(tmp_path, {"upstream": {"fake": {"url": upstream.url}}, "deployment": {"one": {"upstream": "fake"}}}) as running:
        upstream.scripts.append(Script((data({"n": 1}), 0.3, data({"n": 2}))))
        before = len(upstream.sent)
        asking = threading.Thread(target=lambda: found.append(running.chat(OTHER).body))
        asking.start()
        while len(upstream.sent) == before:
            time.sleep(0.01)
    asking.join(5)
    assert found == [data({"n": 1}) + data({"n": 2})]
    with pytest.raises(LaneClosedError):
        asyncio.run(running.state.lane.decide(Query(ASKED, "DE", running.engine.today())))


def test_health_needs_nothing_and_a_head_is_a_get_without_its_body(gate: House) -> None:
    assert (gate.ask("/healthz").json, gate.ask("/readyz").json) == ({"status": "ok"}, {"status": "ready"})
    head = gate.ask("/healthz", method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "16")


def test_a_server_is_ready_when_its_records_are_open(gate: House) -> None:
    found = {}
    for warm, draining in ((True, False), (False, False), (True, True)):
        gate.state.warm, gate.state.draining = warm, draining
        answered = gate.ask("/readyz")
        found[warm, draining] = (answered.status, answered.json["status"])
    gate.state.draining = False
    assert list(found.values()) == [(200, "ready"), (503, "opening"), (503, "draining")]


def test_a_line_a_request_tells_everything_but_the_content(gate: House) -> None:
    trace = gate.chat(ASKED, path="/d/germany/v1/chat/completions").headers["rag-edit-trace-id"]
    for _ in range(200):  # it is written when the answer is out
        if gate.lines and gate.lines[-1]["trace_id"] == trace:
            break
        time.sleep(0.01)
    line = gate.lines[-1]
    wanted = {
        "deployment": "germany",
        "route": "OVERRIDE",
        "reason": "IN_SCOPE",
        "record": "DE/vat@1",
        "jurisdiction": "DE",
        "status": 200,
    }
    assert {name: line[name] for name in wanted} == wanted
    assert ASKED not in json.dumps(gate.lines)


def test_no_piece_of_an_answer_waits_for_the_receipt_of_the_one_before() -> None:
    """Nagle's algorithm held each answer on a kept connection back by 40 ms; asyncio turns it off only where the protocol is named."""
    with bind("127.0.0.1", 0) as listening:
        client = socket.create_connection(listening.getsockname())
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with client, accepted:
            assert (accepted.proto, accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) == (socket.IPPROTO_TCP, 1)


# the lane


def queries(engine: Engine, count: int) -> list[Query]:
    return [engine.query(ASKED if n % 2 else OTHER, jurisdiction="DE" if n % 3 else "AT") for n in range(count)]


def test_questions_decided_together_get_what_each_would_get_alone() -> None:
    engine = fill(fake_engine(), RECORDS)
    asked = queries(engine, 40)
    alone = [engine.decide_many([query])[0][0] for query in asked]

    async def together() -> list[Any]:
        return list(await asyncio.gather(*(lane.decide(query) for query in asked)))

    lane = Lane(engine)
    try:
        found = asyncio.run(together())
    finally:
        lane.close()
    assert [(d.query, d.decision.route, d.decision.winner) for d in found] == [
        (q, d.route, d.winner) for q, d in zip(asked, alone, strict=True)
    ]


def test_one_question_that_fails_fails_no_other() -> None:
    engine = fill(fake_engine(), RECORDS)
    lane = Lane(engine)
    bad = Query(ASKED, "NOWHERE", engine.today())

    async def together() -> list[Any]:
        good = queries(engine, 6)
        return list(await asyncio.gather(*(lane.decide(q) for q in (*good[:3], bad, *good[3:])), return_exceptions=True))

    try:
        found = asyncio.run(together())
    finally:
        lane.close()
    assert [isinstance(each, Exception) for each in found] == [False] * 3 + [True] + [False] * 3


def test_an_act_takes_its_turn_between_the_questions_before_and_after_it() -> None:
    engine = fill(fake_engine(), RECORDS[1:])
    lane = Lane(engine)

    def act(its: Engine) -> None:
        fill(its, [vat("DE", "19 %")])

    async def story() -> list[Any]:
        query = engine.query(ASKED, jurisdiction="DE")
        waiting = [
            asyncio.ensure_future(each) for each in (lane.decide(query), lane.decide(query), lane.run(act), lane.decide(query))
        ]
        return [await each for each in waiting]

    try:
        first, second, _, third = asyncio.run(story())
    finally:
        lane.close()
    assert [each.decision.winner is not None for each in (first, second, third)] == [False, False, True]
    assert (first.revision, third.revision) == (2, 3)


# small parts


def test_a_bucket_refills_by_the_minute() -> None:
    now = [0.0]
    rate = Rate(lambda: now[0])

    def taken(count: int) -> int:
        done = 0
        for _ in range(count):
            try:
                rate.take("a", 60)
                done += 1
            except Refusal:
                pass
        return done

    assert taken(100) == 60
    now[0] = 10.0
    assert taken(100) == 10
    now[0] = 10_000.0
    assert taken(100) == 60
    rate.take("b", 0)


def test_metrics_are_text_that_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.count("rag_edit_refusals_total", code='odd"\\\n')
    metrics.observe("rag_edit_overhead_seconds", 0.0015)
    metrics.observe("rag_edit_overhead_seconds", 99.0)
    lines = metrics.render().decode().splitlines()
    assert 'rag_edit_refusals_total{code="odd\\"\\\\\\n"} 1' in lines
    assert 'rag_edit_overhead_seconds_bucket{le="0.001"} 0' in lines
    assert 'rag_edit_overhead_seconds_bucket{le="0.002"} 1' in lines
    assert 'rag_edit_overhead_seconds_bucket{le="+Inf"} 2' in lines
    assert "rag_edit_overhead_seconds_count 2" in lines


def test_a_trace_is_the_callers_where_it_is_one() -> None:
    def trace(value: bytes) -> str:
        async def nothing(*_: Any) -> Any:
            return {}

        return Exchange({"method": "GET", "path": "/", "headers": [(b"traceparent", value)]}, nothing, nothing).trace_id

    good = b"00-" + b"a1" * 16 + b"-" + b"b" * 16 + b"-01"
    assert trace(good) == "a1" * 16
    for bad in (b"", b"00-" + b"0" * 32 + b"-" + b"b" * 16 + b"-01", good.upper(), good + b"\r\nX: y"):
        assert trace(bad) not in ("a1" * 16, "0" * 32)
        assert len(trace(bad)) == 32


def test_streams_go_on_while_the_engine_is_busy(gate: House, upstream: FakeUpstream) -> None:
    """A decision that takes long holds up questions, never a stream that has begun."""
    pieces = [data({"n": n}) for n in range(6)]
    upstream.scripts.append(Script(tuple(part for piece in pieces for part in (piece, 0.02))))
    arrived: list[float] = []
    connection = http.client.HTTPConnection(*_address(gate), timeout=10)
    body = json.dumps({"model": "gpt", "stream": True, "messages": [{"role": "user", "content": OTHER}]})
    connection.request("POST", "/d/germany/v1/chat/completions", body, {"content-type": "application/json"})
    response = connection.getresponse()

    async def busy() -> None:
        await gate.state.lane.run(lambda _: time.sleep(0.7))

    holding = threading.Thread(target=lambda: asyncio.run(busy()))
    holding.start()
    while response.readline():
        arrived.append(time.monotonic())
    ended = time.monotonic()
    connection.close()
    assert holding.is_alive()
    holding.join()
    assert len(arrived) == 12  # a line of data and an empty one each
    assert time.monotonic() - ended > 0.1


def _address(running: House) -> tuple[str, int]:
    parts = urlsplit(running.url)
    return parts.hostname or "", parts.port or 0


def test_a_body_that_does_not_arrive_in_time_is_refused_and_reaches_nobody(upstream: FakeUpstream, tmp_path: Path) -> None:
    config = {
        "server": {"body_timeout_s": 0.1},
        "upstream": {"fake": {"url": upstream.url}},
        "deployment": {"one": {"upstream": "fake"}},
    }
    with house(tmp_path, config) as running, socket.create_connection(_address(running), timeout=5) as slow:
        slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        found = b""
        while piece := slow.recv(65_536):  # until the connection is closed: what would follow is no request
            found += piece
        assert found.startswith(b"HTTP/1.1 408 ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ids=["nothing", "half a head", "a first request"],
)
def test_a_connection_that_brings_no_head_in_time_is_closed(
    upstream: FakeUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_timeout_s", 0.15)
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": {"one": {"upstream": "fake"}}}
    with house(tmp_path, config) as running, socket.create_connection(_address(running), timeout=5) as idle:
        idle.sendall(sent)
        if sent.endswith(b"\r\n\r\n"):
            assert b" 200 " in idle.recv(65_536)
            idle.sendall(b"GET /heal")  # the second one never comes whole
        while idle.recv(65_536):
            pass


def test_a_client_that_takes_nothing_of_its_answer_is_cut_and_so_is_the_upstream(
    upstream: FakeUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Exchange, "stalled_s", 0.3)
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": {"one": {"upstream": "fake"}}}
    upstream.hung_up.clear()
    upstream.scripts.append(Script((b"x" * 2**20,) * 64))
    body = json.dumps({"model": "gpt", "stream": True, "messages": [{"role": "user", "content": OTHER}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with house(tmp_path, config) as running, socket.create_connection(_address(running), timeout=5) as idle:
        idle.sendall(head.encode() + body)
        assert upstream.hung_up.wait(10)
        until = time.monotonic() + 10
        while running.state.in_flight and time.monotonic() < until:
            time.sleep(0.01)
        assert (running.state.in_flight, running.lines[-1]["failed"]) == (0, "client_stalled")


def test_a_full_house_says_so_and_when_to_come_again(upstream: FakeUpstream, tmp_path: Path) -> None:
    config = {
        "server": {"concurrent": 1},
        "upstream": {"fake": {"url": upstream.url}},
        "deployment": {"one": {"upstream": "fake"}},
    }
    with house(tmp_path, config) as running:
        upstream.scripts.append(Script((data({"n": 1}), 0.3, data({"n": 2}))))
        before = len(upstream.sent)
        asking = threading.Thread(target=lambda: running.chat(OTHER))
        asking.start()
        while len(upstream.sent) == before:
            time.sleep(0.01)
        refused = running.chat(OTHER)
        assert (refused.status, refused.headers["retry-after"], running.ask("/healthz").status) == (503, "1", 200)
        asking.join()
        until = time.monotonic() + 10
        while running.state.in_flight and time.monotonic() < until:  # a request ends a moment after its client has all
            time.sleep(0.01)
        assert running.chat(OTHER).status == 200
