"""One request and its response, over plain ASGI: a body read within limits, a reply whole or in pieces, a client that leaves.

Knows HTTP as ASGI hands it on, and nothing of what is asked.
"""

import asyncio
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from rag_edit.gateway import headers as h
from rag_edit.gateway.problems import Refusal, bad_request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TRACE: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
JSON: Final = (b"content-type", b"application/json")
EVENTS: Final = (b"content-type", b"text/event-stream; charset=utf-8")


class ClientGoneError(Exception):
    """The client left; there is nobody to answer."""


class ClientStalledError(ClientGoneError):
    """The client takes nothing of its answer any more, and holds on all the same."""


class Exchange:
    """One request and its response.

    Attributes:
        method, path, query: As asked; the path decoded, the query as bytes.
        raw_path: The path as it was sent.
        below: Its part behind ``/v1``, as sent; set by whoever routes.
        headers: Names in lower case.
        trace_id: The client's, or a fresh one.
        parent_id: The span that it was asked under: the client's, or one that stands for the client.
        own: Our headers, sent with whatever is answered.
        waited_s: Time spent waiting for others: it does not count as ours.
        status: What was answered; 0 before.
        stalled_s: How long a client may take nothing of its answer.
    """

    stalled_s = 120.0

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_path: bytes = scope.get("raw_path") or self.path.encode("utf-8", "replace")
        self.below = b""
        self.query: bytes = scope.get("query_string", b"")
        self.headers: h.Headers = list(scope["headers"])
        self.own: dict[str, str] = {}
        self.status, self.waited_s = 0, 0.0
        self.started = time.perf_counter()
        self._receive, self._send = receive, send
        self._more = True
        self._finished = False
        parent = next((value for name, value in self.headers if name == b"traceparent"), b"")
        found = _TRACE.fullmatch(parent)
        known = found is not None and set(found[1]) != {0x30} and set(found[2]) != {0x30}
        self.trace_id = found[1].decode() if found and known else secrets.token_hex(16)
        self.parent_id = found[2].decode() if found and known else self.trace_id[:16]

    def header(self, name: str) -> str:
        """Return a header's value, empty where there is none.

        Raises:
            Refusal: it stands twice, or is not ASCII.
        """
        key = name.encode("ascii")
        found = [value for each, value in self.headers if each == key]
        if len(found) > 1:
            raise bad_request(f"the header {name} stands twice", param=name)
        try:
            return found[0].decode("ascii").strip() if found else ""
        except UnicodeDecodeError:
            raise bad_request(f"the header {name} is not ASCII", param=name) from None

    async def body(self, *, max_bytes: int, timeout_s: float) -> bytes:
        """Return the request's body.

        Raises:
            Refusal: too large, too slow, or packed.
            ClientGoneError: the client left.
        """
        if self.header("content-encoding").casefold() not in ("", "identity"):
            raise Refusal(415, "unsupported_encoding", "wanted a body without content-encoding", param="content-encoding")
        length = self.header("content-length")
        if length.isdigit() and (len(length) > 12 or int(length) > max_bytes):
            raise _too_large(max_bytes)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._read(max_bytes)
        except TimeoutError:
            raise Refusal(408, "slow_body", f"the body did not arrive within {timeout_s:g} s") from None
        finally:
            self.waited_s += time.perf_counter() - began

    async def _read(self, max_bytes: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while self._more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            piece = message.get("body", b"")
            size += len(piece)
            if size > max_bytes:
                raise _too_large(max_bytes)
            pieces.append(piece)
            self._more = bool(message.get("more_body", False))
        return b"".join(pieces)

    async def gone(self) -> None:
        """Return when the client has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def overhead_ms(self) -> float:
        """Return the milliseconds that the gateway itself has spent so far."""
        return max(0.0, 1000 * (time.perf_counter() - self.started - self.waited_s))

    async def begin(self, status: int, headers: h.Headers) -> None:
        """Send status and headers, ours included."""
        self.own[h.TRACE_ID] = self.trace_id
        self.own[h.OVERHEAD] = f"{self.overhead_ms():.2f}"
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *h.encoded(self.own)]})

    async def write(self, piece: bytes) -> None:
        """Send one piece of the body, at once.

        Raises:
            ClientStalledError: the client does not take it.
        """
        try:
            async with asyncio.timeout(self.stalled_s):
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            raise ClientStalledError from None

    async def end(self, piece: bytes = b"") -> None:
        """Send the last piece."""
        self._finished = True
        await self._send({"type": "http.response.body", "body": piece, "more_body": False})

    async def reply(self, status: int, body: bytes, headers: h.Headers) -> None:
        """Send a whole response."""
        await self.begin(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self.end(b"" if self.method == "HEAD" else body)

    async def reply_json(self, document: Any, status: int = 200) -> None:
        """Send a JSON document."""
        await self.reply(status, json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"), [JSON])

    async def refuse(self, refusal: Refusal) -> None:
        """Send a refusal, unless something was sent already: then the connection is cut by whoever called."""
        if self.status:
            return
        more = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
        if self._more and self.method not in (
            "GET",
            "HEAD",
        ):  # the body was not read: what follows on this connection is not a request
            more.append((b"connection", b"close"))
        await self.reply(refusal.status, refusal.body(), [JSON, *more])

    @property
    def is_over(self) -> bool:
        """Return whether a whole response was sent."""
        return self._finished

    @property
    def was_cut(self) -> bool:
        """Return whether a response was begun and not ended."""
        return bool(self.status) and not self._finished


def _too_large(max_bytes: int) -> Refusal:
    return Refusal(413, "body_too_large", f"wanted a body of at most {max_bytes} bytes")
