"""A worker: a process that answers from a home which its owner has open. Started by `rag_edit.gateway.owner` alone.

usage: python -m rag_edit.gateway.worker FOLDER HOME HANDLE log|quiet
It follows the owner's log by itself, so that an edit is there before it is asked about; and it looks at the page before it decides, so
that it is never behind. When the owner ends, seen by the end of standard input, it lets end what it has begun and ends too.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from rag_edit.core.errors import ConfigError, RagEditError
from rag_edit.core.record import RecordVersion
from rag_edit.engine import Engine
from rag_edit.gateway.app import Gateway
from rag_edit.gateway.declared import Declared
from rag_edit.gateway.forwarding import OWNERS, Forwarding
from rag_edit.gateway.lane import Lane
from rag_edit.gateway.serving import SWITCH_S, log_line, make_server, make_state, warm
from rag_edit.gateway.shared import SharedKept, SharedRate
from rag_edit.gateway.state import LOG, State
from rag_edit.gateway.table import ROUTES
from rag_edit.gateway.wire import Line, OwnerGoneError, Page
from rag_edit.records.store import Change
from rag_edit.replica import FollowedStore, change_from_json, decides_with, version_from_json, version_to_json
from rag_edit.trust.receipting import Draft
from rag_edit.verify.watch import Count

if TYPE_CHECKING:
    import uvicorn

    from rag_edit.gateway.config import GatewayConfig

LOOK_S: Final = 0.01
BEAT_S: Final = 1.0


class LineSource:
    """`rag_edit.replica.Source` over the line and the page."""

    def __init__(self, line: Line, page: Page) -> None:
        self._line, self._page = line, page

    def position(self) -> int:
        """Return what the page shows."""
        return self._page.position

    def live(self, jurisdictions: Collection[str], at: int) -> Iterator[RecordVersion]:
        """See `Source.live`."""
        return map(version_from_json, self._line.stream("live", jurisdictions=sorted(jurisdictions), at=at))

    def changes(self, after: int, limit: int) -> Iterator[Change]:
        """See `Source.changes`."""
        return map(change_from_json, self._line.stream("changes", after=after, limit=limit))

    def is_off(self, version: RecordVersion) -> bool:
        """See `Source.is_off`. Anything but a plain no is a yes."""
        return self._line.call("off", version=version_to_json(version)) is not False

    def seal(self, drafts: Sequence[Draft]) -> list[str]:
        """See `Source.seal`."""
        plain = [[body.to_bytes().decode(), salts.hex()] for body, salts in drafts]
        return list(self._line.call("seal", drafts=plain))

    def count(self, counts: Sequence[Count]) -> None:
        """See `Source.count`."""
        self._line.call("count", counts=[count.to_json() for count in counts])


class Worker:
    """One worker over an engine that is open.

    Args:
        folder: Where the owner can be reached.
        home: The home's directory.
        engine: From `rag_edit.opening.open_replica`.
        hello: What the owner said first.
        log: As of `make_state`.
    """

    def __init__(self, folder: Path, home: Path, engine: Engine, hello: dict[str, Any], *, log: Any) -> None:
        from rag_edit.gateway.owner import HTTP, LINE, PAGE, RATES, settings_of

        self.line, self.page = Line(folder / LINE), Page(folder / PAGE)
        self._declared = Declared(home, settings_of(hello["settings"]), **hello["declared"])
        self._configuration, self._followed, self.pid = 0, self.page.position, os.getpid()
        self._counting = engine.counting
        store = cast(FollowedStore, engine.store)
        store.sync()
        lane = Lane(engine, sync=store.sync, standing=lambda: self.page.position)
        self.state: State = make_state(
            engine, home, self._load, environment=os.environ, model=hello["model"], log=log, lane=lane
        )
        self.state.rate = SharedRate(time.monotonic, folder / RATES)
        self.state.kept = SharedKept(self.line)
        self.state.warm = False
        gateway = Gateway(self.state, [route for route in ROUTES if not OWNERS.fullmatch(route.path)], on_start=self._start)
        self.server: uvicorn.Server = make_server(gateway, app=Forwarding(gateway, folder / HTTP))
        self._tasks: set[asyncio.Task[None]] = set()

    def _load(self) -> "GatewayConfig":
        found = self.line.call("config")
        self._configuration = int(found["number"])
        return self._declared.config(found["text"]).with_server(host=found["host"], port=found["port"])

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks.update((loop.create_task(warm(self.state)), loop.create_task(self._follow())))

    async def _follow(self) -> None:
        """Follow log and configuration, and tell the owner how it goes, for as long as the process runs."""
        told_at, told, lost = 0.0, (0, False), False
        while True:
            try:
                if self.page.position > self._followed:
                    reached = self.page.position
                    await self.state.lane.run(lambda engine: engine.open_partitions(()))
                    self._followed = reached
                if self.page.configuration != self._configuration:
                    await self.state.reload()
                now, tell = time.monotonic(), (self._configuration, self.state.warm)
                if now - told_at >= BEAT_S or tell != told:
                    await asyncio.to_thread(self._beat)
                    told_at, told = now, tell
                    if lost:
                        lost, self.state.warm = False, True
            except RagEditError as error:
                if isinstance(error, OwnerGoneError):
                    lost, self.state.warm = True, False
                LOG.error("the owner cannot be followed: %s", error.message)
                await asyncio.sleep(BEAT_S)
            except Exception:  # noqa: BLE001 - told to the log; questions try for themselves
                LOG.exception("the owner cannot be followed")
                await asyncio.sleep(BEAT_S)
            await asyncio.sleep(LOOK_S)

    def _beat(self) -> None:
        lag = max(0, self.page.position - self._followed)
        gauges = {"rag_edit_in_flight": float(self.state.in_flight), "rag_edit_lag": float(lag)}
        numbers = {**self.state.metrics.totals(), "gauges": gauges}
        if self._counting is not None:
            self._counting.flush()
        self.line.call("beat", pid=self.pid, numbers=numbers, configuration=self._configuration, warm=self.state.warm)


def main(arguments: Sequence[str]) -> None:
    """Run one worker until it is told to stop, or its owner ends."""
    import logging

    from rag_edit.gateway.owner import LINE, PAGE, settings_of
    from rag_edit.opening import open_replica

    folder, home, handle, quiet = Path(arguments[0]), Path(arguments[1]), int(arguments[2]), arguments[3] == "quiet"
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    line = Line(folder / LINE)
    hello = line.call("hello")
    engine = open_replica(home, settings_of(hello["settings"]), LineSource(line, Page(folder / PAGE)))
    if decides_with(engine) != hello["conditions"]:
        raise ConfigError(
            "worker: wanted the encoder, scorer and thresholds that the server was started with, found others",
            hint="restart rag-edit serve",
        )
    worker = Worker(folder, home, engine, hello, log=(lambda _: None) if quiet else log_line)
    sys.setswitchinterval(SWITCH_S)

    async def run() -> None:
        asyncio.get_running_loop().add_reader(0, owner_ended)
        await worker.server.serve(sockets=[socket.socket(fileno=handle)])

    def owner_ended() -> None:
        if not os.read(0, 4096):
            asyncio.get_running_loop().remove_reader(0)
            worker.server.should_exit = True

    asyncio.run(run())


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        try:
            main(sys.argv[1:])
        except RagEditError as error:
            sys.exit(f"rag-edit worker: {error}")
