"""An owner and its workers in one process, each on a real socket and over the real line: fake engines, threads in place of processes."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvicorn

from rag_edit.config import Settings
from rag_edit.core.record import Record
from rag_edit.engine import Engine
from rag_edit.gateway.app import Gateway
from rag_edit.gateway.crew import Crew
from rag_edit.gateway.declared import Declared
from rag_edit.gateway.lane import Lane
from rag_edit.gateway.owner import HTTP, LINE, PAGE, Desk, _look
from rag_edit.gateway.serving import bind, make_server, make_state
from rag_edit.gateway.state import State
from rag_edit.gateway.wire import Handler, Line, LineServer, Page
from rag_edit.gateway.worker import LineSource, Worker
from rag_edit.records.store import RecordStore
from rag_edit.replica import FollowedCounting, FollowedOffice, FollowedSealing, FollowedStore
from rag_edit.testing import fake_engine
from rag_edit.trust.trusting import Sealer
from tests.gateway.house import NOW, RECORDS, Answered, KeyBook, ask, fill


@dataclass
class Shared:
    """An owner with its workers.

    Attributes:
        urls: One a worker.
    """

    home: Path
    owner: State
    engine: Engine
    page: Page
    urls: list[str] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    close_line: Callable[[], None] = lambda: None
    handlers: dict[str, Handler] = field(default_factory=dict)

    def ask(self, worker: int, path: str, body: Any = None, **headers: str) -> Answered:
        return ask(self.urls[worker], path, body, **headers)

    def chat(self, worker: int, content: str, **headers: str) -> Answered:
        body = {"model": "gpt", "messages": [{"role": "user", "content": content}]}
        return self.ask(worker, "/v1/chat/completions", body, **headers)

    def key(self, *actions: str) -> dict[str, str]:
        token = KeyBook(self.home).make("all", deployments=("*",), actions=actions, jurisdiction="", now=NOW)[0]
        return {"authorization": f"Bearer {token}"}


def replica_engine(source: LineSource, like: Engine) -> Engine:
    """Return a fake engine that follows another."""
    engine = fake_engine()
    engine.store = cast(RecordStore, FollowedStore(source))
    engine.office = FollowedOffice(source)
    engine.counting = FollowedCounting(source)
    if isinstance(like.sealing, Sealer):
        engine.sealing = FollowedSealing(source, like.sealing.drafter)
    return engine


@contextmanager
def shared_house(
    home: Path,
    toml: str,
    *,
    records: Sequence[Record] = RECORDS,
    workers: int = 2,
    prepare: Callable[[Engine], None] = lambda _: None,
) -> Iterator[Shared]:
    """Run an owner and its workers until the block ends."""
    (home / "gateway.toml").write_text(toml, "utf-8")
    folder = home / "run"
    folder.mkdir()
    engine = fill(fake_engine(), records)
    prepare(engine)
    desk = Desk(engine, Declared(home, Settings()), Page(folder / PAGE, create=True))

    def publish(position: int) -> None:
        desk.page.position = position

    state = make_state(engine, home, desk.load, environment={}, lane=Lane(engine, publish=publish))
    state.metrics, state.kept = desk.numbers, desk.kept
    desk.show(state.snapshot)
    crew = desk.crew = Crew(0, (), (), desk.numbers, lambda: desk.page.configuration)
    tasks: list[asyncio.Task[None]] = []

    def started() -> None:
        tasks.append(asyncio.get_running_loop().create_task(_look(state, desk, crew)))

    with ExitStack() as stack:
        line = LineServer(folder / LINE, desk.handlers())
        line.__enter__()
        closed = threading.Event()

        def close_line() -> None:
            if not closed.is_set():
                closed.set()
                line.__exit__()

        shared = Shared(home, state, engine, desk.page, close_line=close_line, handlers=desk.handlers())
        stack.callback(close_line)
        stack.enter_context(running(make_server(Gateway(state, on_start=started)), uds=folder / HTTP))
        for _ in range(workers):
            own = Line(folder / LINE)
            stack.callback(own.close)
            hello, source = own.call("hello"), LineSource(own, desk.page)
            worker = Worker(folder, home, replica_engine(source, engine), hello, log=lambda _: None)
            shared.workers.append(worker)
            worker.pid = len(shared.workers)  # all are one process here
            stack.callback(worker.line.close)
            shared.urls.append(stack.enter_context(running(worker.server)))
        yield shared


@contextmanager
def running(server: uvicorn.Server, *, uds: Path | None = None) -> Iterator[str]:
    """Run a server in a thread; yield its URL."""
    if uds is None:
        listening = bind("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    else:
        listening, url = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), ""
        listening.bind(str(uds))
        listening.listen(64)
        listening.setblocking(False)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(60)
        listening.close()
        assert not thread.is_alive()
