"""A light HTTP/1.1 client for load: kept connections, requests as ready bytes, the time of each answer and whether it came whole.

It is in the measurement, so it does as little as it can: no redirects, no cookies, no JSON. Its own cost is in every target alike.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

KEPT_S: Final = 3.0  # a connection idle for longer is not used: servers close them after five


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer.

    Attributes:
        ms: From the first byte sent to the last received.
        status: 0 where none came whole; ``fault`` says why.
        headers: In lower case.
        ended: When it had come, by `time.monotonic`.
    """

    ms: float
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    fault: str = ""
    ended: float = 0.0


class Connection:
    """One kept connection; opened again after a fault."""

    def __init__(self, url: str, *, wait_s: float = 30.0) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "127.0.0.1", parts.port or 80, parts.path.rstrip("/")
        self._wait_s = wait_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def post(self, path: str, body: bytes, headers: str = "") -> Seen:
        """Return what is answered to a JSON body; a fault is a value."""
        return await self._ask(
            f"POST {self._path}{path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{headers}\r\n".encode()
            + body
        )

    async def get(self, path: str, headers: str = "") -> Seen:
        """Return what is answered."""
        return await self._ask(f"GET {self._path}{path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}\r\n".encode())

    async def _ask(self, request: bytes) -> Seen:
        began = time.perf_counter()
        if began - self._used > KEPT_S:
            self.close()
        try:
            async with asyncio.timeout(self._wait_s):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self._host, self._port)
                reader, writer = self._streams
                writer.write(request)
                status, headers, body = await _answer(reader)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.close()
            return Seen(1000 * (time.perf_counter() - began), 0, fault=type(error).__name__, ended=time.monotonic())
        self._used = time.perf_counter()
        if headers.get("connection", "") == "close":
            self.close()
        return Seen(1000 * (time.perf_counter() - began), status, headers, body, ended=time.monotonic())

    def close(self) -> None:
        """Let the connection go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {name.casefold(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    if headers.get("transfer-encoding") != "chunked":
        return status, headers, await reader.readexactly(int(headers.get("content-length", "0")))
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).strip(), 16)
        piece = await reader.readexactly(size + 2)
        if not size:
            return status, headers, bytes(body)
        body += piece[:-2]


async def closed_loop(
    url: str,
    bodies: Callable[[], bytes],
    *,
    connections: int,
    requests: int,
    headers: str = "",
    path: str = "/chat/completions",
) -> list[Seen]:
    """Return the answers to ``requests`` requests over ``connections`` connections, each of which asks again when it was answered."""
    left = [requests]
    seen: list[Seen] = []

    async def go_on() -> None:
        connection = Connection(url)
        while left[0] > 0:
            left[0] -= 1
            seen.append(await connection.post(path, bodies(), headers))
        connection.close()

    await asyncio.gather(*(go_on() for _ in range(connections)))
    return seen


async def pressed(
    ask: Callable[[Connection], Awaitable[Seen]], url: str, *, seconds: float, connections: int, keep: Callable[[Seen], None]
) -> float:
    """Ask over ``connections`` connections, each again when it was answered, for ``seconds``; return answers a second.

    Args:
        ask: Sends one request on a connection.
        url: Where.
        seconds: How long; what was begun ends.
        connections: So many.
        keep: Gets every answer.
    """
    began, count = time.monotonic(), 0

    async def go_on() -> None:
        nonlocal count
        connection = Connection(url)
        while time.monotonic() < began + seconds:
            keep(await ask(connection))
            count += 1
        connection.close()

    await asyncio.gather(*(go_on() for _ in range(connections)))
    return count / (time.monotonic() - began)


async def paced(
    ask: Callable[[Connection], Awaitable[Seen]],
    url: str,
    *,
    per_second: float,
    seconds: float,
    connections: int,
    keep: Callable[[Seen], None],
    drop: Callable[[], None] = lambda: None,
) -> int:
    """Send at a fixed rate, whether answers come or not; return how many were not sent because every connection waited.

    Args:
        ask: Sends one request on a connection.
        url: Where.
        per_second: Rate.
        seconds: How long.
        connections: At most so many.
        keep: Gets every answer.
        drop: Called for each that is not sent.
    """
    idle: list[Connection] = [Connection(url) for _ in range(connections)]
    tasks: set[asyncio.Task[None]] = set()
    dropped = 0

    async def one(connection: Connection) -> None:
        keep(await ask(connection))
        idle.append(connection)

    began = time.monotonic()
    for n in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + n / per_second - time.monotonic()))
        if not idle:
            dropped += 1
            drop()
            continue
        task = asyncio.create_task(one(idle.pop()))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    for connection in idle:
        connection.close()
    return dropped
