"""The soak's judgement: what is a fault, when a long load has held, and that one which was interrupted says so."""

import asyncio
from collections import Counter

import pytest

from rag_edit.bench.gateway_soak import Soak, fault_of
from rag_edit.bench.http_load import Connection, Seen, paced, pressed

JSON, STREAM = b'{"id": "x"}', b'data: {"n": 1}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("kind", "seen", "fault"),
    [
        ("base", Seen(1.0, 200, body=JSON), ""),
        ("stream", Seen(1.0, 200, body=STREAM), ""),
        ("stream", Seen(1.0, 200, body=STREAM[:-14]), "not whole"),
        ("override", Seen(1.0, 200, {"rag-edit-reason": "UNDECIDED"}, JSON), "undecided"),
        ("base", Seen(1.0, 503, body=JSON), "503"),
        ("base", Seen(1.0, 0, fault="TimeoutError"), "TimeoutError"),
    ],
    ids=["an answer", "a stream", "half a stream", "an answer that nobody decided on", "a refusal", "none at all"],
)
def test_an_answer_counts_as_well_only_where_it_is_whole_and_decided(kind: str, seen: Seen, fault: str) -> None:
    assert fault_of(kind, seen) == fault


def soaked(*totals: int, pids: tuple[int, ...] = (1, 2)) -> Soak:
    """Return a soak that is over, with so many megabytes in each process at each look."""
    found = Soak(100.0, 0.8, 1.0, is_over=True)
    found.memory = [(float(at), dict.fromkeys(pids, mb * 2**20)) for at, mb in enumerate(totals)]
    for _ in range(5):
        found.keep("override", Seen(2.0, 200, {"rag-edit-route": "OVERRIDE"}, JSON))
    return found


@pytest.mark.parametrize(
    ("looks", "growth", "held"),
    [
        ((100, 200, 300, 300, *[303] * 6), 0.01, True),
        ((*[300] * 5, 302, 304, 306, 309, 312), 0.035, False),
    ],
    ids=["while it gets warm is no growth", "afterwards is growth"],
)
def test_what_memory_grows(looks: tuple[int, ...], growth: float, held: bool) -> None:
    report = soaked(*looks).report()
    assert (report["memory_growth"], report["held"]) == (growth, held)
    assert report["routes"] == {"override": {"OVERRIDE": 5}}


def test_faults_requests_not_sent_lost_processes_and_an_early_end_are_each_told_and_do_not_hold() -> None:
    found = {name: soaked(*[300] * 10) for name in ("fault", "not sent", "lost", "stopped", "not over")}
    found["fault"].keep("base", Seen(1.0, 502))
    found["not sent"].not_sent = 1
    found["lost"].memory.append((10.0, {1: 300 * 2**20, 3: 300 * 2**20}))
    found["stopped"].stopped = "interrupted"
    found["not over"].is_over = False
    assert [name for name, each in found.items() if each.report()["held"]] == []
    assert (found["fault"].report()["faults"], found["lost"].report()["processes_lost"]) == ({"502": 1}, 1)
    assert "faults {'502': 1}" in found["fault"].line()


def test_a_report_can_be_made_before_anything_came() -> None:
    assert Soak(10.0, 0.8, 1.0).report()["held"] is False


def test_the_load_asks_again_at_once_or_at_its_rate_and_says_what_it_could_not_send() -> None:
    async def ask(_: Connection) -> Seen:
        await asyncio.sleep(0.005)
        return Seen(5.0, 200)

    async def run() -> tuple[float, Counter[str], int]:
        seen: Counter[str] = Counter()
        url = "http://127.0.0.1:9"
        rate = await pressed(ask, url, seconds=0.05, connections=3, keep=lambda _: seen.update(["pressed"]))
        dropped = await paced(
            ask, url, per_second=1000, seconds=0.04, connections=2,
            keep=lambda _: seen.update(["paced"]), drop=lambda: seen.update(["dropped"]),
        )  # fmt: skip
        return rate, seen, dropped

    rate, seen, dropped = asyncio.run(run())
    assert rate > 0
    assert seen["pressed"] >= 3
    assert (dropped, seen["paced"] + seen["dropped"]) == (seen["dropped"], 40)
