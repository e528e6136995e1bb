"""Serving: the application on a socket, until it is told to stop.

``SIGTERM`` and ``SIGINT`` stop it: no new connection, what was begun may end within ``shutdown_s``, then the store is closed.
``SIGHUP`` reads the configuration anew. A connection that does not bring its request's head in time is closed.
"""

import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rag_edit.core.decision import Query
from rag_edit.core.errors import ConfigError, MissingExtraError, RagEditError
from rag_edit.gateway.announced import announcing, new_token
from rag_edit.gateway.app import CutShort, Gateway
from rag_edit.gateway.config import GatewayConfig
from rag_edit.gateway.keys import KeyBook, digest_of
from rag_edit.gateway.lane import Lane
from rag_edit.gateway.state import LOG, State, make_snapshot
from rag_edit.gateway.tracing import tracing_of

if TYPE_CHECKING:
    import uvicorn

    from rag_edit.engine import Engine

MAX_HEAD_BYTES: Final = 64 * 1024
SWITCH_S: Final = 0.001  # the engine's thread hands the interpreter back sooner than the default of 5 ms: streams go on


def make_state(
    engine: "Engine",
    home: Path,
    load: Callable[[], GatewayConfig],
    *,
    environment: Mapping[str, str],
    model: str = "local",
    today: Callable[[], date] | None = None,
    log: Callable[[Mapping[str, Any]], None] = lambda _: None,
    lane: Lane | None = None,
) -> State:
    """Return the state of a gateway over an open engine, which it owns from then on.

    Args:
        engine: Open.
        home: Its home's directory.
        load: Reads the configuration.
        environment: Where keys of upstreams come from.
        model: What the home's own model is called.
        today: The clock for questions that name no day; the engine's by default.
        log: Gets one mapping a request.
        lane: Of this engine, where it is not alone with its records.

    Raises:
        ConfigError: the configuration does not hold, or would let anybody in.
    """
    snapshot = make_snapshot(load(), environment, home=home)
    state = State(
        lane=lane or Lane(engine),
        atlas=engine.atlas,
        keys=KeyBook(home),
        snapshot=snapshot,
        load=load,
        model=model,
        today=today or engine.today,
        environment=environment,
        log=log,
        thresholds=engine.thresholds,
        trace=tracing_of(environment),
    )
    try:
        state.check_risks(snapshot.config)
        state.check_open()
    except ConfigError:
        state.lane.close()
        raise
    return state


def check_installed() -> None:
    """Check that the gateway's packages are there, before anything costly is opened.

    Raises:
        MissingExtraError: one is not.
    """
    from importlib.util import find_spec

    for package in ("httpcore2", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "gateway")


def make_server(
    gateway: Gateway, *, app: Callable[..., Any] | None = None, kind: "type[uvicorn.Server] | None" = None
) -> "uvicorn.Server":
    """Return the server for a gateway, not started.

    Args:
        gateway: Its configuration counts.
        app: What is served; the gateway itself by default.
        kind: Of server.
    """
    import uvicorn

    from rag_edit.gateway.connection import PatientProtocol

    server = gateway.state.snapshot.config.server
    config = uvicorn.Config(
        app or gateway,
        host=server.host,
        port=server.port,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_graceful_shutdown=max(1, round(server.shutdown_s)),
    )
    logging.getLogger("uvicorn.error").addFilter(_unless_cut)
    return (kind or uvicorn.Server)(config)


def _unless_cut(record: logging.LogRecord) -> bool:
    """Return whether a line of the server's log says anything new: answers that were cut are counted and logged already."""
    return not (record.exc_info and isinstance(record.exc_info[1], CutShort))


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        ConfigError: the address is taken or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # else the second piece of an answer waits 40 ms for the first's receipt
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
        listening.setblocking(False)
    except (OSError, OverflowError) as error:
        listening.close()
        raise ConfigError(f"serve: cannot listen on {host}:{port}: {error}", hint="rag-edit serve --port ANOTHER") from error
    return listening


def url_of(host: str, listening: socket.socket) -> str:
    """Return the base URL of a listening socket."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/v1"


def run(state: State, *, ready: Callable[[str], None]) -> None:
    """Serve until told to stop; close the engine then.

    Args:
        state: From `make_state`.
        ready: Called with the base URL when connections are accepted.

    Raises:
        ConfigError: the address cannot be had.
    """
    address = state.snapshot.config.server
    try:
        listening = bind(address.host, address.port)
    except ConfigError:
        state.lane.close()
        raise
    url = url_of(address.host, listening)
    tasks: set[asyncio.Task[None]] = set()

    def started() -> None:
        tasks.add(asyncio.get_running_loop().create_task(warm(state)))
        reload_at_hang_up(state, tasks)
        ready(url)  # the socket listens: who connects now waits a moment

    state.warm = False
    sys.setswitchinterval(SWITCH_S)
    with listening, announced(state, listening):
        make_server(Gateway(state, on_start=started)).run(sockets=[listening])


@contextmanager
def announced(state: State, listening: socket.socket) -> Iterator[None]:
    """Let programs of the same user find this server until the block ends, by a key that only it and they know."""
    token = new_token()
    state.operator_digest = digest_of(token)
    host = state.snapshot.config.server.host
    with announcing(state.home, host, listening.getsockname()[1], token):
        yield


async def warm(state: State) -> None:
    """Open what the first question of each deployment would have to wait for; until then the server is not ready."""
    places = sorted({each.jurisdiction for each in state.snapshot.config.deployments.values()})
    try:
        for place in places:
            await state.lane.decide(Query("Is anybody there?", place, state.today()))
    except Exception:  # noqa: BLE001 - told to the log; a server that cannot decide still passes on
        LOG.exception("the records could not be opened; each question will try again")
    state.warm = True


def reload_at_hang_up(state: State, tasks: set[asyncio.Task[None]]) -> None:
    """Read the configuration anew at every ``SIGHUP`` from now on. Call in the event loop.

    Args:
        state: Whose configuration.
        tasks: Holds what is being done.
    """
    loop = asyncio.get_running_loop()

    def hang_up() -> None:
        task = loop.create_task(_reload(state))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    with suppress(NotImplementedError, RuntimeError):  # not on this system, or not in this thread
        loop.add_signal_handler(signal.SIGHUP, hang_up)


async def _reload(state: State) -> None:
    with suppress(RagEditError):  # told to the log and counted
        await state.reload()


def log_line(fields: Mapping[str, Any]) -> None:
    """Write one request's line to standard error."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **{name: value for name, value in fields.items() if value not in ("", 0)},
    }
    sys.stderr.write(json.dumps(line, ensure_ascii=True) + "\n")
