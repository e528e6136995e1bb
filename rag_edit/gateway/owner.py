"""The owner of a home and its workers: one process has the store and makes every edit, others answer from what it tells them.

The owner binds the public socket and hands it to its workers, who accept on it; it listens on a Unix socket itself, where they
forward what concerns the home. `Desk` answers their other questions over the line of `rag_edit.gateway.wire`. A position is on the
page before whoever made the edit is told of it, and every worker looks there before it decides: no answer is decided on less than
anybody was shown before its question came. A worker that ends is started again; when the owner ends, so do they.
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn

from rag_edit.config import Settings
from rag_edit.core.errors import StoreError
from rag_edit.engine import Engine
from rag_edit.gateway.app import Gateway
from rag_edit.gateway.config import GatewayConfig
from rag_edit.gateway.crew import Crew
from rag_edit.gateway.declared import Declared
from rag_edit.gateway.kept import KeptResponses, Turns
from rag_edit.gateway.lane import Lane
from rag_edit.gateway.serving import announced, bind, make_server, make_state, reload_at_hang_up, url_of, warm
from rag_edit.gateway.shared import Gathered
from rag_edit.gateway.state import LOG, Snapshot, State
from rag_edit.gateway.wire import Handler, LineServer, Page
from rag_edit.provenance.receipt import read_body
from rag_edit.replica import change_to_json, decides_with, version_from_json, version_to_json
from rag_edit.trust.trusting import Sealer
from rag_edit.verify.watch import Count, Tally

LINE, HTTP, PAGE, RATES = "line", "http", "page", "rates"
LOOK_S: Final = 0.02
MARGIN_S: Final = 2.0


@dataclass(slots=True)
class Desk:
    """What the owner does for its workers. Its handlers run in threads of their own.

    Attributes:
        engine: The owner's. Its store may be read from any thread; nothing else of it is used here.
        declared: Where the configuration comes from.
        page: Where numbers are shown.
        crew: Told who answers.
    """

    engine: Engine
    declared: Declared
    page: Page
    crew: Crew | None = None
    numbers: Gathered = field(default_factory=Gathered)
    kept: KeptResponses = field(default_factory=KeptResponses)
    model: str = "local"
    _loaded: tuple[GatewayConfig, str | None] | None = None
    _text: str | None = None
    _shown: Snapshot | None = None

    def load(self) -> GatewayConfig:
        """Return the configuration as it is declared now, and remember its text until it is in force."""
        text = self.declared.text()
        self._loaded = self.declared.config(text), text
        return self._loaded[0]

    def show(self, snapshot: Snapshot) -> None:
        """Show a configuration to the workers when it is another one than before."""
        if snapshot is self._shown:
            return
        if self._loaded is not None and self._loaded[0].deployments is snapshot.config.deployments:
            self._text = self._loaded[1]
        self._shown = snapshot
        self.page.configuration += 1

    def handlers(self) -> dict[str, Handler]:
        """Return what can be asked."""
        return {
            "hello": self._hello,
            "config": self._config,
            "live": self._live,
            "changes": self._changes,
            "off": self._off,
            "seal": self._seal,
            "count": self._count,
            "find": self._find,
            "keep": self._keep,
            "beat": self._beat,
        }

    def _hello(self, _: Mapping[str, Any]) -> dict[str, Any]:
        declared = {"upstream": self.declared.upstream, "jurisdiction": self.declared.jurisdiction}
        settings = {name: value for name, value in asdict(self.declared.settings).items() if name != "upstream_key"}
        conditions = decides_with(self.engine)
        return {"settings": settings, "declared": declared, "conditions": conditions, "model": self.model}

    def _config(self, _: Mapping[str, Any]) -> dict[str, Any]:
        number, shown = self.page.configuration, self._shown
        server = (shown.config if shown is not None else self.load()).server
        return {"number": number, "text": self._text, "host": server.host, "port": server.port}

    def _live(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        found = self.engine.store.as_of(known_at=int(asked["at"]), jurisdictions=tuple(asked["jurisdictions"]))
        return (version_to_json(version) for version in found)

    def _changes(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        return (change_to_json(change) for change in self.engine.store.changes(int(asked["after"]), int(asked["limit"])))

    def _off(self, asked: Mapping[str, Any]) -> bool:
        return self.engine.office is not None and self.engine.office.is_off(version_from_json(asked["version"]))

    def _seal(self, asked: Mapping[str, Any]) -> list[str]:
        sealing = self.engine.sealing
        if not isinstance(sealing, Sealer):
            raise StoreError("receipts are not made here", hint='receipts = "on" in config.toml')
        return sealing.receipts.enter([(read_body(body.encode()), bytes.fromhex(salts)) for body, salts in asked["drafts"]])

    def _count(self, asked: Mapping[str, Any]) -> None:
        if isinstance(self.engine.counting, Tally):
            self.engine.counting.add(Count(*each) for each in asked["counts"])

    def _find(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        found = self.kept.find(_owner(asked), str(asked["id"]))
        return {"previous": found.previous, "items": found.items} if found is not None else None

    def _keep(self, asked: Mapping[str, Any]) -> None:
        self.kept.put(_owner(asked), str(asked["id"]), Turns(asked["previous"], tuple(asked["items"])))

    def _beat(self, asked: Mapping[str, Any]) -> None:
        self.numbers.tell(int(asked["pid"]), asked["numbers"])
        if self.crew is not None and asked["warm"]:
            self.crew.told(int(asked["pid"]), int(asked["configuration"]))


def _owner(asked: Mapping[str, Any]) -> tuple[str, str]:
    deployment, key = asked["owner"]
    return str(deployment), str(key)


class OwnerServer(uvicorn.Server):
    """The owner's own server. It ends after its workers, who need it to end what they have begun."""

    crew: Crew
    within_s = 10.0
    _ending: "asyncio.Task[None] | None" = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the workers first; at a second signal, at once."""
        if self.crew.ending:
            super().handle_exit(sig, frame)
        self.crew.ending = True

    async def on_tick(self, counter: int) -> bool:
        """Look whether the workers have ended."""
        if self.crew.ending and self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self.crew.end(self.within_s + MARGIN_S))
        if self._ending is not None and self._ending.done():
            self.should_exit = True
        return await super().on_tick(counter)


def run_owner(
    engine: Engine,
    declared: Declared,
    *,
    workers: int,
    environment: Mapping[str, str],
    model: str = "local",
    log: Callable[[Mapping[str, Any]], None] = lambda _: None,
    quiet: bool = False,
    ready: Callable[[State, str], None],
) -> None:
    """Serve a home by ``workers`` processes until told to stop; close the engine then.

    Args:
        engine: Open; owned from then on.
        declared: Where the configuration comes from.
        workers: Processes that answer.
        environment: For keys of upstreams; the workers inherit this process's own.
        model: What the home's own model is called.
        log: Gets one mapping a request of the control plane.
        quiet: Whether workers write no line a request.
        ready: Called with the base URL when all of them answer.

    Raises:
        ConfigError: the configuration does not hold, or the address cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="rag-edit-") as name:  # only this user may enter
        folder = Path(name)
        desk = Desk(engine, declared, Page(folder / PAGE, create=True), model=model)

        def publish(position: int) -> None:
            desk.page.position = position

        lane = Lane(engine, publish=publish)
        state = make_state(engine, declared.home, desk.load, environment=environment, model=model, log=log, lane=lane)
        state.metrics, state.kept = desk.numbers, desk.kept
        desk.show(state.snapshot)
        address = state.snapshot.config.server
        try:
            listening = bind(address.host, address.port)
        except BaseException:
            state.lane.close()
            raise
        command = [sys.executable, "-m", "rag_edit.gateway.worker", str(folder), str(declared.home), str(listening.fileno())]
        crew = desk.crew = Crew(
            workers,
            [*command, "quiet" if quiet else "log"],
            (listening.fileno(),),
            desk.numbers,
            lambda: desk.page.configuration,
            lambda: ready(state, url_of(address.host, listening)),
        )
        state.forget = crew.renew
        tasks: set[asyncio.Task[None]] = set()

        def started() -> None:
            loop = asyncio.get_running_loop()
            tasks.update((loop.create_task(warm(state)), loop.create_task(_look(state, desk, crew))))
            reload_at_hang_up(state, tasks)
            crew.start()

        own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with own, listening, LineServer(folder / LINE, desk.handlers()):
            own.bind(str(folder / HTTP))
            own.listen(512)
            own.setblocking(False)
            server = make_server(Gateway(state, on_start=started), kind=OwnerServer)
            assert isinstance(server, OwnerServer)
            server.crew, server.within_s = crew, address.shutdown_s
            with announced(state, listening):
                server.run(sockets=[own])


async def _look(state: State, desk: Desk, crew: Crew) -> None:
    """Show what is in force, and let what is due come about, for as long as the process runs."""
    looks = 0
    while True:
        await asyncio.sleep(LOOK_S)
        desk.show(state.snapshot)
        crew.check()
        looks += 1
        if looks % 3 == 0 and state.lane.depth == 0 and not state.draining:
            try:
                await state.lane.run(_keep_up)
            except Exception:  # noqa: BLE001 - told to the log; the next look tries again
                LOG.exception("what is due could not be looked for")
                await asyncio.sleep(1)


def _keep_up(engine: Engine) -> None:
    engine.open_partitions(())


def settings_of(plain: Mapping[str, Any]) -> Settings:
    """Return the settings that the owner told, with the key of this process's own environment."""
    return replace(Settings(**plain), upstream_key=os.environ.get("RAG_EDIT_UPSTREAM_KEY", ""))
