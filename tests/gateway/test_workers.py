"""Several processes answer from one home: they agree on the revision, an edit counts for all at once, and nothing is guessed."""

import asyncio
import itertools
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag_edit.core.errors import StoreError
from rag_edit.core.record import RecordVersion, Status
from rag_edit.engine import Engine
from rag_edit.gateway.crew import Crew
from rag_edit.gateway.keys import KeyBook, digest_of
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.shared import Gathered, SharedRate
from rag_edit.gateway.wire import Line, LineServer, OwnerGoneError, OwnerRefusedError, Page, receive, send
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.receipt import Models
from rag_edit.records.store import Change
from rag_edit.replica import (
    FollowedCounting,
    FollowedStore,
    change_from_json,
    change_to_json,
    version_from_json,
    version_to_json,
)
from rag_edit.testing import FakeHsm
from rag_edit.trust.office import Office
from rag_edit.trust.receipting import Receipts
from rag_edit.trust.trusting import Drafter, Sealer, territory
from rag_edit.verify.watch import Count, Watch, read_counts
from tests.gateway.house import ASKED, OTHER, RECORDS, house, vat
from tests.gateway.shared_house import Shared, shared_house
from tests.gateway.test_live import MOON, NEW
from tests.gateway.upstream import FakeUpstream

ALL = ("answer", "apply", "reload", "metrics", "decide", "deployments")


def toml(upstream: FakeUpstream, more: str = "", server: str = "") -> str:
    served = '[deployment.one]\nupstream = "fake"\njurisdiction = "DE"\n'
    return f'[server]\nport = 0\n{server}\n[upstream.fake]\nurl = "{upstream.url}"\n{served}{more}'


@pytest.fixture
def shared(upstream: FakeUpstream, tmp_path: Path) -> Iterator[Shared]:
    with shared_house(tmp_path, toml(upstream)) as running:
        yield running


def test_an_edit_through_one_worker_counts_for_the_next_question_of_every_worker(shared: Shared) -> None:
    key = shared.key(*ALL)
    assert [shared.chat(n, MOON, **key).headers["rag-edit-revision"] for n in (0, 1)] == ["3", "3"]
    done = shared.ask(0, "/api/v1/apply", {"records": [NEW]}, **key)
    assert (done.status, done.headers["rag-edit-revision"]) == (200, "4")
    for worker in (1, 0):
        found = shared.chat(worker, MOON, **key).headers
        assert (found["rag-edit-record"], found["rag-edit-revision"]) == ("DE/moon@1", "4")
        assert shared.chat(worker, OTHER, **key).headers["rag-edit-revision"] == "4"


@pytest.mark.slow
def test_no_worker_answers_by_less_than_anybody_was_shown_before_the_question(shared: Shared) -> None:
    key = shared.key(*ALL)
    shown, ended, older = [3], threading.Event(), []

    def go_on_asking(worker: int) -> None:
        while not ended.is_set():
            least = shown[0]
            found = int(shared.chat(worker, ASKED, **key).headers["rag-edit-revision"])
            if found < least:
                older.append((least, found))
            shown[0] = max(shown[0], found)

    asking = [threading.Thread(target=go_on_asking, args=(n % 2,)) for n in range(4)]
    for thread in asking:
        thread.start()
    for n in range(6):
        new = {**NEW, "id": f"DE/moon{n}", "question": f"What is the fee for moon {n}?", "subject": f"fee for moon {n}"}
        done = shared.ask(n % 2, "/api/v1/apply", {"records": [new]}, **key)
        assert done.status == 200, done.body
        shown[0] = max(shown[0], done.json["revision"])
    ended.set()
    for thread in asking:
        thread.join()
    assert older == []
    assert shown[0] == 9


@pytest.mark.slow
def test_what_concerns_the_home_is_answered_by_its_owner_as_if_asked_there(shared: Shared) -> None:
    key = shared.key(*ALL)
    found = shared.ask(1, "/api/v1/decide", {"question": ASKED}, **key)
    assert (found.json["decision"]["record"], found.headers["rag-edit-revision"]) == ("DE/vat@1", "3")
    assert shared.ask(1, "/api/v1/decide", {"question": ASKED}).status == 401
    assert shared.ask(0, "/api/v1/nothing", **key).status == 404
    trace = "a1" * 16
    traced = shared.ask(0, "/api/v1/deployments", **key, traceparent=f"00-{trace}-{'b' * 16}-01")
    assert (traced.status, traced.headers["rag-edit-trace-id"]) == (200, trace)


@pytest.mark.slow
def test_a_record_that_is_switched_off_is_served_by_no_worker_from_the_next_question_on(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    off: list[str] = []

    class Switches(Office):
        def is_off(self, version: RecordVersion) -> bool:
            return version.record.id in off

        def keep_up(self) -> None:
            """Nothing is due."""

    def prepare(engine: Engine) -> None:
        engine.office = Switches(engine.store, MemoryAnchor(), FakeHsm, territory, lambda: datetime.now(UTC))

    with shared_house(tmp_path, toml(upstream), prepare=prepare) as running:
        for _ in range(2):
            off.clear()
            assert [running.chat(n, ASKED).headers["rag-edit-route"] for n in (0, 1)] == ["OVERRIDE"] * 2
            off.append("DE/vat")
            assert [running.chat(n, ASKED).headers["rag-edit-reason"] for n in (0, 1)] == ["SUSPENDED"] * 2


@pytest.mark.slow
def test_receipts_of_all_workers_stand_in_one_log_and_hold_no_text(upstream: FakeUpstream, tmp_path: Path) -> None:
    def prepare(engine: Engine) -> None:
        office = Office(engine.store, MemoryAnchor(), FakeHsm, territory, lambda: datetime.now(UTC))
        receipts = Receipts(office, engine.thresholds, lambda _: Models(), "GLOBAL", lambda: datetime.now(UTC))
        engine.sealing = Sealer(receipts, Drafter(engine.thresholds, lambda _: Models(), "GLOBAL"))

    with shared_house(tmp_path, toml(upstream), prepare=prepare) as running:
        names = [running.chat(n % 2, ASKED).headers["rag-edit-receipt"] for n in range(4)]
        kept = [running.engine.store.receipts.get(name) for name in names]
        assert [each.index for each in kept if each is not None] == [0, 1, 2, 3]
        assert all(each is not None and b"VAT" not in each.body for each in kept)


@pytest.mark.slow
def test_a_reload_through_one_worker_counts_for_all_and_one_that_does_not_hold_for_none(
    shared: Shared, upstream: FakeUpstream
) -> None:
    key = shared.key(*ALL)
    (shared.home / "gateway.toml").write_text(toml(upstream, 'mode = "off"\n'))
    assert shared.ask(0, "/api/v1/reload", {}, **key).status == 200
    for worker in (0, 1):
        eventually(lambda n=worker: shared.chat(n, ASKED, **key).headers["rag-edit-reason"] == "SWITCHED_OFF")
    (shared.home / "gateway.toml").write_text(toml(upstream, 'mode = "sometimes"\n'))
    refused = shared.ask(1, "/api/v1/reload", {}, **key)
    assert (refused.status, "stays" in refused.json["error"]["message"]) == (409, True)
    assert [shared.chat(n, ASKED, **key).headers["rag-edit-reason"] for n in (0, 1)] == ["SWITCHED_OFF"] * 2
    assert {worker._configuration for worker in shared.workers} == {shared.page.configuration}


@pytest.mark.slow
def test_a_callers_limit_is_one_for_all_workers(upstream: FakeUpstream, tmp_path: Path) -> None:
    with shared_house(tmp_path, toml(upstream, server="requests_per_minute = 5")) as running:
        assert [running.chat(n % 2, OTHER).status for n in range(6)] == [200] * 5 + [429]


@pytest.mark.slow
def test_a_response_goes_on_at_another_worker(shared: Shared, upstream: FakeUpstream) -> None:
    first = shared.ask(0, "/v1/responses", {"model": "gpt", "input": ASKED}).json
    shared.ask(1, "/v1/responses", {"model": "gpt", "input": OTHER, "previous_response_id": first["id"]})
    sent = upstream.sent[-1].json
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]


@pytest.mark.slow
def test_a_response_is_kept_before_its_client_can_go_on_from_it(shared: Shared, upstream: FakeUpstream) -> None:
    kept = shared.workers[0].state.kept
    keep = kept.keep

    async def keep_slowly(*about: Any) -> None:
        await asyncio.sleep(0.5)
        await keep(*about)

    kept.keep = keep_slowly  # type: ignore[method-assign, assignment]
    first = shared.ask(0, "/v1/responses", {"model": "gpt", "input": ASKED}).json
    shared.ask(1, "/v1/responses", {"model": "gpt", "input": OTHER, "previous_response_id": first["id"]})
    assert [item["role"] for item in upstream.sent[-1].json["input"]] == ["user", "assistant", "user"]


@pytest.mark.slow
def test_metrics_are_those_of_all_workers_together(shared: Shared) -> None:
    key = shared.key(*ALL)
    for worker in (0, 1, 1):
        shared.chat(worker, ASKED, **key)
    counted = b'rag_edit_requests_total{deployment="one",reason="IN_SCOPE",route="OVERRIDE",status="200"} 3\n'
    eventually(lambda: counted in shared.ask(0, "/metrics", **key).body)
    text = shared.ask(1, "/metrics", **key).body
    assert b"rag_edit_revision 3\n" in text
    assert b"rag_edit_lag 0\n" in text


@pytest.mark.slow
def test_what_workers_served_is_counted_in_one_file_by_record(upstream: FakeUpstream, tmp_path: Path) -> None:
    watch = Watch(tmp_path)

    def prepare(engine: Engine) -> None:
        engine.counting = watch

    with shared_house(tmp_path, toml(upstream), prepare=prepare) as running:
        for worker in (0, 1, 1):
            running.chat(worker, ASKED)
        running.chat(0, OTHER)

        def counted() -> bool:
            watch.flush()
            return [(each.record, each.served) for each in read_counts(watch.path)] == [("DE/vat@1", 3)]

        eventually(counted)


def test_counts_that_the_owner_could_not_be_told_are_told_the_next_time() -> None:
    told: list[Count] = []

    class Deaf:
        gone = True

        def count(self, counts: list[Count]) -> None:
            if self.gone:
                raise StoreError("gone")
            told.extend(counts)

    source: Any = Deaf()
    counting = FollowedCounting(source)
    counting.add([Count("a@1", 2, 1), Count("a@1", 1, 1, 1)])
    counting.flush()
    source.gone = False
    counting.flush()
    counting.flush()
    assert told == [Count("a@1", 3, 2, 1)]


@pytest.mark.slow
def test_after_an_erasure_every_worker_is_another_process_and_one_always_answers() -> None:
    async def run() -> None:
        sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
        crew = Crew(2, sleeper, (), Gathered(), lambda: 0)
        crew.start()
        least = 2

        async def until(done: Callable[[], bool]) -> None:
            nonlocal least
            async with asyncio.timeout(20):
                while not done():
                    for pid in crew.pids:
                        crew.told(pid, 0)
                    least = min(least, len(crew.pids))
                    await asyncio.sleep(0.01)

        await until(lambda: len(crew.pids) == 2)
        before, least = set(crew.pids), 2
        crew.renew()
        crew.renew()  # a second erasure while the first is being forgotten
        await until(lambda: len(crew.pids) == 2 and not before & set(crew.pids))
        assert least >= 1
        assert b"workers_lost" not in crew.numbers.render()
        await crew.end(5)

    asyncio.run(run())


@pytest.mark.slow
def test_an_erasure_lets_other_processes_and_kept_responses_forget(upstream: FakeUpstream, tmp_path: Path) -> None:
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": {"one": {"upstream": "fake", "jurisdiction": "DE"}}}
    with house(tmp_path, config, trusted=True) as running:
        forgotten: list[bool] = []
        running.state.forget, running.state.operator_digest = lambda: forgotten.append(True), digest_of("rek_operator")
        first = running.ask("/v1/responses", {"model": "gpt", "input": ASKED}).json
        erase = {"reason": "a test", "confirm": "DE/vat"}
        done = running.ask("/api/v1/records/DE%2Fvat/erase", erase, authorization="Bearer rek_operator")
        assert (done.status, done.json["takes_effect"], forgotten) == (200, True, [True])
        running.ask("/v1/responses", {"model": "gpt", "input": OTHER, "previous_response_id": first["id"]})
        assert upstream.sent[-1].json["previous_response_id"] == first["id"]  # nothing of ours is put in its place


@pytest.mark.slow
def test_without_its_owner_a_worker_serves_no_record_and_passes_everything_on(
    upstream: FakeUpstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    more = '[deployment.strict]\nupstream = "fake"\njurisdiction = "DE"\non_fault = "refuse"\n'
    with shared_house(tmp_path, toml(upstream, more)) as running:
        body = {"model": "gpt", "messages": [{"role": "user", "content": ASKED}]}
        assert running.ask(0, "/d/one/v1/chat/completions", body).headers["rag-edit-route"] == "OVERRIDE"
        with caplog.at_level(logging.CRITICAL):
            running.close_line()
            lax = running.ask(0, "/d/one/v1/chat/completions", body)
            strict = running.ask(0, "/d/strict/v1/chat/completions", body)
        assert (lax.status, lax.headers["rag-edit-reason"]) == (200, "UNDECIDED")
        assert (strict.status, strict.json["error"]["code"]) == (503, "undecided")


@pytest.mark.slow
def test_a_worker_whose_owner_does_not_answer_is_not_ready(upstream: FakeUpstream, tmp_path: Path) -> None:
    def ready() -> int:
        return running.ask(0, "/readyz").status

    with shared_house(tmp_path, toml(upstream)) as running:
        assert waited(lambda: ready() == 200)
        running.close_line()
        assert waited(lambda: ready() == 503)
        with LineServer(running.home / "run" / "line2", running.handlers):
            (running.home / "run" / "line").unlink()
            (running.home / "run" / "line2").rename(running.home / "run" / "line")
            assert waited(lambda: ready() == 200)  # it answers again


def waited(done: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not done() and time.monotonic() < until:
        time.sleep(0.02)
    return done()


@pytest.mark.slow
def test_a_revoked_key_is_refused_by_every_worker_at_its_next_request(shared: Shared) -> None:
    key = shared.key("models")
    assert [shared.ask(worker, "/v1/models", **key).status for worker in (0, 1)] == [200, 200]
    KeyBook(shared.home).revoke("all", now=datetime.now(UTC))
    assert [shared.ask(worker, "/v1/models", **key).status for worker in (0, 1)] == [401, 401]


# the parts


class Log:
    """A source over a store in this process; notes what it was asked."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def position(self) -> int:
        return self.engine.store.position()

    def live(self, jurisdictions: Any, at: int) -> Iterator[RecordVersion]:
        return self.engine.store.as_of(known_at=at, jurisdictions=jurisdictions)

    def changes(self, after: int, limit: int) -> Iterator[Change]:
        return self.engine.store.changes(after, limit)

    def is_off(self, version: RecordVersion) -> bool:
        return False

    def seal(self, drafts: Any) -> list[str]:
        return []


def test_a_followed_store_stands_still_between_two_looks_and_never_goes_back() -> None:
    from rag_edit.testing import fake_engine
    from tests.gateway.house import fill

    engine = fill(fake_engine(), RECORDS)
    store = FollowedStore(Log(engine))
    assert store.position() == 0
    store.sync()
    fill(engine, [vat("FR", "20 %")])
    assert (store.position(), [v.record.id for v in store.live(("DE", "FR"))]) == (3, ["DE/vat"])
    assert [change.seq for change in store.changes(1)] == [2, 3]
    store.sync()
    assert [v.record.id for v in store.live(("DE", "FR"))] == ["DE/vat", "FR/vat"]
    for act in (lambda: store.append([]), lambda: store.ledger, lambda: store.live(), lambda: store.health()):
        with pytest.raises(StoreError, match="only answers for it"):
            act()


def test_versions_and_changes_come_over_the_line_as_they_were() -> None:
    from rag_edit.testing import fake_engine
    from tests.gateway.house import fill

    engine = fill(fake_engine(), RECORDS)
    for version in engine.store.live():
        assert version_from_json(version_to_json(version)) == version
        assert version.status is Status.LIVE
    for change in engine.store.changes(0):
        assert change_from_json(change_to_json(change)) == change


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    def fail(_: object) -> None:
        raise KeyError("unforeseen")

    def refuse(_: object) -> None:
        raise StoreError("not now", retryable=True)

    handlers = {"echo": lambda asked: asked["x"], "count": lambda _: iter(range(1201)), "fail": fail, "refuse": refuse}
    with LineServer(tmp_path / "line", handlers):
        client = Line(tmp_path / "line", wait_s=5)
        yield client
        client.close()


def test_a_line_carries_values_long_answers_and_refusals(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    assert line.call("echo", x={"ä": [1, None, "\ud800"]}) == {"ä": [1, None, "\ud800"]}
    assert list(line.stream("count")) == list(range(1201))
    with pytest.raises(OwnerRefusedError, match="not now") as refused:
        line.call("refuse")
    assert refused.value.retryable
    with caplog.at_level(logging.CRITICAL), pytest.raises(OwnerRefusedError, match="KeyError"):
        line.call("fail")
    with caplog.at_level(logging.CRITICAL), pytest.raises(OwnerRefusedError):
        line.call("no such thing")
    assert line.call("echo", x=1) == 1  # a refusal costs no connection


def test_many_threads_share_a_line(line: Line) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda n=n: found.append(line.call("echo", x=n))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(20))


def test_an_owner_that_is_gone_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(OwnerGoneError, match="does not answer"):
        Line(tmp_path / "nobody").call("hello")


@pytest.mark.parametrize(
    "sent",
    [b"", b"\0\0", b"\0\0\0\x05[1]", b"\xff\xff\xff\xff", b"\0\0\0\x03[1]"],
    ids=["nothing", "half", "cut", "huge", "a list"],
)
def test_what_is_no_frame_ends_its_connection_and_no_other(tmp_path: Path, line: Line, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as odd:
        odd.settimeout(5)
        odd.connect(str(tmp_path / "line"))
        odd.sendall(sent)
        odd.shutdown(socket.SHUT_WR)
        assert odd.recv(10) == b""
    assert line.call("echo", x=2) == 2


def test_a_frame_comes_back_whole() -> None:
    left, right = socket.socketpair()
    with left, right:
        send(left, {"a": "x" * 50_000})
        assert receive(right) == {"a": "x" * 50_000}
        left.close()
        assert receive(right) is None


def test_a_page_shows_its_numbers_to_whoever_maps_it(tmp_path: Path) -> None:
    mine = Page(tmp_path / "page", create=True)
    other = Page(tmp_path / "page")
    assert (other.position, other.configuration) == (0, 0)
    mine.position, mine.configuration = 2**40 + 7, 3
    assert (other.position, other.configuration) == (2**40 + 7, 3)
    with pytest.raises(FileExistsError):
        Page(tmp_path / "page", create=True)


@pytest.mark.slow
def test_buckets_are_shared_by_all_who_map_them(tmp_path: Path) -> None:
    now = [1000.0]
    rates = [SharedRate(lambda: now[0], tmp_path / "rates") for _ in range(3)]

    def taken(caller: str, count: int) -> int:
        done = 0
        for _, rate in zip(range(count), itertools.cycle(rates)):
            try:
                rate.take(caller, 60)
                done += 1
            except Refusal:
                pass
        return done

    assert (taken("a", 100), taken("b", 100), taken("", 100)) == (60, 60, 60)
    now[0] += 10
    assert taken("a", 100) == 10
    for n in range(6000):  # more callers than places: the oldest give way, and nobody is refused for it
        rates[n % 3].take(f"caller {n}", 60)


def eventually(holds: Any, within_s: float = 10.0) -> None:
    """Wait until something holds."""
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)
