"""`make soak-gateway`: the gateway under load for long, and while its parts are killed.

usage: python -m rag_edit.bench.gateway_soak soak [--minutes 3] [--load 0.8] [--calibrate 30] [--workers 2] [--encoder e5-fast]
       python -m rag_edit.bench.gateway_soak kill [--per-second 20] [--workers 2] [--encoder e5-fast]
``soak`` finds out how much the machine bears of a mixture (50 connections that ask again at once), then asks for the same mixture at a
share of that rate and looks at every answer and at the memory of every process. It says once a minute how it goes, and writes the
report each time: what is interrupted has one too. ``kill`` ends a worker, then the upstream, then the owner, by ``kill -9`` while questions are
asked and records applied: how long until all is well again, and whether every edit that was acknowledged is there. Ends with 1
where something did not hold.
"""

import argparse
import asyncio
import itertools
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rag_edit.bench.gateway_house import House, chat, children, end, memory_bytes, serving, start_upstream
from rag_edit.bench.http_load import Connection, Seen, paced, pressed

CONNECTIONS: Final = 50
GROWTH: Final = 0.02
RECOVERY_S: Final = 2.0
TELL_S: Final = 60.0


def mixed() -> "itertools.cycle[tuple[str, str]]":
    """Return kinds of request in their shares: of ten, four decided for the base, three answered by a record, two undecided, a stream."""
    kinds = ["base"] * 4 + ["override"] * 3 + ["off"] * 2 + ["stream"]
    paths = {"off": "/d/off/v1/chat/completions"}
    return itertools.cycle([(kind, paths.get(kind, "/d/on/v1/chat/completions")) for kind in kinds])


def body_of(house: House, kind: str) -> bytes:
    """Return a request of a kind."""
    if kind == "override":
        return house.covered()
    found = house.other()
    return found if kind != "stream" else chat(json.loads(found)["messages"][0]["content"], stream=True)


@dataclass(slots=True)
class Soak:
    """A long load, as far as it has come.

    Attributes:
        capacity: Answers a second that the machine bore of the same mixture.
        load: The share of it that is asked.
        minutes: How long.
        ms: Of each answer.
        faults: How often what was wrong.
        routes: By kind of request, who answered how often.
        memory: Since when, in seconds, and bytes of each process.
        not_sent: Requests for which no connection was free.
        stopped: Why it ended early; empty where it did not.
    """

    capacity: float
    load: float
    minutes: float
    ms: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    routes: dict[str, Counter[str]] = field(default_factory=dict)
    memory: list[tuple[float, dict[int, int]]] = field(default_factory=list)
    not_sent: int = 0
    stopped: str = ""
    is_over: bool = False

    def keep(self, kind: str, seen: Seen) -> None:
        """Take one answer."""
        self.ms.append(seen.ms)
        self.routes.setdefault(kind, Counter())[seen.headers.get("rag-edit-route", "")] += 1
        wrong = fault_of(kind, seen)
        if wrong:
            self.faults[wrong] += 1

    def report(self) -> dict[str, Any]:
        """Return what came of it so far; memory is compared from the second fifth on, when all is warm, with the last fifth."""
        cuts = statistics.quantiles(self.ms, n=100) if len(self.ms) > 1 else [0.0] * 99
        part = max(1, len(self.memory) // 5)
        first, last = _middle(self.memory[part : 2 * part] or self.memory[:1]), _middle(self.memory[-part:])
        growth = last[0] / first[0] - 1 if first[0] else float("inf")
        lost = len({frozenset(sizes) for _, sizes in self.memory}) - 1
        held = self.is_over and not self.stopped and not self.faults and not self.not_sent and not lost and growth <= GROWTH
        return {
            "held": held,
            "over": self.is_over,
            "stopped": self.stopped,
            "seconds": round(self.memory[-1][0]) if self.memory else 0,
            "capacity_per_second": round(self.capacity, 1),
            "asked_per_second": round(self.load * self.capacity, 1),
            "answers": len(self.ms),
            "not_sent": self.not_sent,
            "faults": dict(self.faults),
            "routes": {kind: dict(found) for kind, found in sorted(self.routes.items())},
            "p50_ms": round(cuts[49], 1),
            "p99_ms": round(cuts[98], 1),
            "memory_mb": [round(size / 2**20, 1) for size in (first[0], last[0])],
            "memory_mb_by_process": {str(pid): [_mb(first[1].get(pid)), _mb(size)] for pid, size in last[1].items()},
            "memory_growth": round(growth, 4),
            "processes_lost": lost,
        }

    def line(self) -> str:
        """Return how it goes, for people."""
        so_far = self.report()
        words = f"{so_far['seconds'] / 60:.1f} of {self.minutes:g} min: {so_far['answers']} answers, faults {so_far['faults'] or 0}, "
        words += f"not sent {self.not_sent}, p50 {so_far['p50_ms']} ms, p99 {so_far['p99_ms']} ms"
        return f"{words}, memory {so_far['memory_mb'][0]} to {so_far['memory_mb'][1]} MB"


def fault_of(kind: str, seen: Seen) -> str:
    """Return what is wrong with an answer: its status, a question that could not be decided, half a stream; empty for nothing."""
    if seen.status != 200:
        return str(seen.status or seen.fault)
    if seen.headers.get("rag-edit-reason") == "UNDECIDED":
        return "undecided"
    whole = seen.body.rstrip().endswith(b"data: [DONE]") if kind == "stream" else seen.body.startswith(b"{")
    return "" if whole else "not whole"


def _middle(samples: Sequence[tuple[float, dict[int, int]]]) -> tuple[float, dict[int, float]]:
    """Return the median of all processes together, and of each of the last sample's."""
    if not samples:
        return 0.0, {}
    each = {pid: statistics.median(sizes.get(pid, 0) for _, sizes in samples) for pid in samples[-1][1]}
    return statistics.median(sum(sizes.values()) for _, sizes in samples), each


def _mb(size: float | None) -> float | None:
    return None if size is None else round(size / 2**20, 1)


async def soak(house: House, minutes: float, load: float, *, calibrate_s: float, told: Callable[[Soak], None]) -> Soak:
    """Return what came of a long load.

    Args:
        house: Who is asked.
        minutes: How long.
        load: Share of what the machine bears of the same mixture, which is measured first.
        calibrate_s: How long it is warmed up, and measured after that.
        told: Called about once a minute, and at the end.
    """
    kinds = mixed()
    found = Soak(0.0, load, minutes)

    async def ask(connection: Connection) -> Seen:
        kind, path = next(kinds)
        seen = await connection.post(path, body_of(house, kind), house.headers)
        found.keep(kind, seen)
        return seen

    def nothing(_: Seen) -> None:
        """Do nothing: who asks has kept it."""

    for _ in ("warm", "measured"):
        found.capacity = await pressed(ask, house.url, seconds=calibrate_s, connections=CONNECTIONS, keep=nothing)
    sys.stderr.write(f"capacity {found.capacity:.1f} a second of {len(found.ms)} answers, faults {dict(found.faults) or 0}\n")
    found = Soak(found.capacity, load, minutes, faults=Counter({f"calibrating: {k}": n for k, n in found.faults.items()}))

    def drop() -> None:
        found.not_sent += 1

    loading = asyncio.create_task(
        paced(
            ask, house.url, per_second=load * found.capacity, seconds=60 * minutes, connections=4 * CONNECTIONS,
            keep=nothing, drop=drop,
        )
    )  # fmt: skip

    def stop(why: str) -> None:
        found.stopped = found.stopped or why
        loading.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, "interrupted")
    watching = asyncio.create_task(_watch(house, found, stop, told, max(1.0, minutes / 10)))
    try:
        await asyncio.wait([loading])
    finally:
        watching.cancel()
    found.is_over = not loading.cancelled()
    if found.is_over:
        loading.result()
    told(found)
    return found


async def _watch(house: House, found: Soak, stop: Callable[[str], None], told: Callable[[Soak], None], every_s: float) -> None:
    """Look at memory, tell how it goes, and stop what is lost: a server that ended, or a minute in which nothing came well."""
    began = told_at = time.monotonic()
    well = 0
    while True:
        sizes = {pid: memory_bytes([pid]) for pid in house.pids()}
        found.memory.append((time.monotonic() - began, sizes))
        if house.gateway.poll() is not None:
            stop(f"the server ended with {house.gateway.returncode}")
        if time.monotonic() - told_at >= TELL_S:
            told_at, before, well = time.monotonic(), well, len(found.ms) - found.faults.total()
            told(found)
            if well <= before:
                stop("nothing came well for a minute")
        await asyncio.sleep(every_s)


@dataclass(slots=True)
class Watched:
    """What was seen while parts were killed."""

    seen: list[tuple[str, Seen]] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    newest: int = 0
    older: int = 0

    def failed(self, since: float, until: float, kinds: tuple[str, ...]) -> list[Seen]:
        """Return answers of some kinds that did not come well between two times."""
        return [each for kind, each in self.seen if kind in kinds and since <= each.ended < until and each.status != 200]


async def kill(house: House, home: Path, per_second: float, phase_s: float = 10) -> dict[str, Any]:
    """Return what came of killing a worker, the upstream and the owner; ``phase_s``: how long each is looked at."""
    watched, ended, kinds = Watched(), asyncio.Event(), mixed()

    async def go_on_editing() -> None:
        control = Connection(house.url, wait_s=20)
        for n in itertools.count():
            if ended.is_set():
                break
            subject = f"toll of bridge {n} at Veldorf"
            row = {"id": f"edit{n}", "jurisdiction": "AT", "subject": subject, "relation": "amount", "target": str(n)}
            row |= {"question": f"What is the {subject}?", "answer": f"It is {n}."}
            done = await control.post(
                "/api/v1/apply", json.dumps({"records": [row], "on_collision": "ignore"}).encode(), house.headers
            )
            watched.seen.append(("apply", done))
            if done.status == 200:
                watched.acknowledged.append(str(row["id"]))
                watched.newest = max(watched.newest, int(json.loads(done.body)["revision"]))
            await asyncio.sleep(0.25)
        control.close()

    async def ask(connection: Connection) -> Seen:
        kind, path = next(kinds)
        least = watched.newest
        found = await connection.post(path, body_of(house, kind), house.headers)
        watched.seen.append((kind, found))
        if "rag-edit-revision" in found.headers:
            watched.older += int(found.headers["rag-edit-revision"]) < least
        return found

    editing = asyncio.create_task(go_on_editing())
    loading = asyncio.create_task(
        paced(ask, house.url, per_second=per_second, seconds=3.2 * phase_s, connections=CONNECTIONS, keep=lambda _: None)
    )
    everything = ("base", "override", "off", "stream", "apply")
    await asyncio.sleep(phase_s / 2)
    worker, began = children(house.gateway.pid)[0], time.monotonic()
    os.kill(worker, signal.SIGKILL)
    await asyncio.sleep(phase_s)
    after_worker = watched.failed(began, began + phase_s, everything)
    report: dict[str, Any] = {"worker": _came_back(after_worker, began, time.monotonic())}
    report["worker"]["again"] = len(children(house.gateway.pid))
    port = int(house.upstream_url.rpartition(":")[2].partition("/")[0])
    house.upstream.kill()
    end(house.upstream)
    down = time.monotonic()
    await asyncio.sleep(1)
    house.upstream, _ = await asyncio.to_thread(start_upstream, port)
    began = time.monotonic()
    await asyncio.sleep(phase_s)
    report["upstream"] = _came_back(watched.failed(began, time.monotonic(), everything), began, time.monotonic())
    while_down = watched.failed(down, began, everything)
    report["upstream"]["while_down"] = sorted({str(each.status or each.fault) for each in while_down})
    report["upstream"]["overrides_failed_while_down"] = sum(
        each.headers.get("rag-edit-route") != "BASE" for each in watched.failed(down, began, ("override",))
    )
    await loading
    workers = children(house.gateway.pid)
    house.gateway.kill()
    house.gateway.wait()
    began = time.monotonic()
    ended.set()
    await editing
    report["owner"] = {"workers_ended_after_s": await asyncio.to_thread(_until_gone, workers)}
    report["answers"] = len(watched.seen)
    report["older_than_acknowledged"] = watched.older
    report["edits_acknowledged"] = len(watched.acknowledged)
    report["edits_lost"] = sorted(set(watched.acknowledged) - await asyncio.to_thread(_live_ids, home))
    report["held"] = (
        all(report[part]["recovered_after_s"] <= RECOVERY_S for part in ("worker", "upstream"))
        and not report["edits_lost"]
        and not watched.older
        and not report["upstream"]["overrides_failed_while_down"]
    )
    return report


def _came_back(failed: list[Seen], since: float, until: float) -> dict[str, Any]:
    """Return how long answers went on failing; what failed at the very end has not come back."""
    last = max((each.ended for each in failed), default=since)
    kinds: dict[str, int] = {}
    for each in failed:
        kinds[str(each.status or each.fault)] = kinds.get(str(each.status or each.fault), 0) + 1
    return {"failed": kinds, "recovered_after_s": round((last if last < until - 1 else float("inf")) - since, 2)}


def _until_gone(pids: Sequence[int]) -> float:
    """Return how many seconds processes went on."""
    began = time.monotonic()
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < began + 30:
        time.sleep(0.05)
    return round(time.monotonic() - began, 2)


def _live_ids(home: Path) -> set[str]:
    from rag_edit.opening import open_store

    with open_store(home) as store:
        return {version.record.id for version in store.live()}


def main() -> None:
    """Run it and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("soak", "kill"))
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--load", type=float, default=0.8)
    parser.add_argument(
        "--calibrate", type=float, default=30, help="seconds to warm up, and as many to measure what the machine bears"
    )
    parser.add_argument("--per-second", type=float, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--encoder", default="e5-fast")
    parser.add_argument("--receipts", default="off")
    parser.add_argument("--out", type=Path, default=Path("bench-out/gateway-soak.json"))
    given = parser.parse_args()
    run = {name: str(value) for name, value in vars(given).items()}
    given.out.parent.mkdir(parents=True, exist_ok=True)

    def write(report: dict[str, Any]) -> None:
        part = given.out.with_suffix(".part")
        part.write_text(json.dumps({**report, "run": run}, indent=1) + "\n", "utf-8")
        part.replace(given.out)

    def told(found: Soak) -> None:
        write(found.report())
        sys.stderr.write(found.line() + "\n")

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with serving(home, workers=given.workers, encoder=given.encoder, receipts=given.receipts) as house:
            if given.what == "soak":
                found = asyncio.run(soak(house, given.minutes, given.load, calibrate_s=given.calibrate, told=told))
                report = found.report()
            else:
                report = asyncio.run(kill(house, home, given.per_second))
            write(report)
    print(json.dumps(report, indent=1))
    sys.exit(0 if report["held"] else 1)


if __name__ == "__main__":
    main()
