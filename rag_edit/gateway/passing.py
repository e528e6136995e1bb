"""Pass-through: a request to an upstream and its answer back, byte for byte, in the pieces in which it comes.

Bodies are not decoded, re-encoded, buffered or measured; a packed answer stays packed. Headers pass by list. Nothing is
followed, retried or read from the environment. When the client leaves, the upstream's connection is closed at once; when
the upstream breaks off, so does the answer: a cut answer never looks whole. Knows HTTP only, below `httpcore2`.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rag_edit.core.errors import MissingExtraError
from rag_edit.gateway import headers as h
from rag_edit.gateway.config import UpstreamSpec
from rag_edit.gateway.exchange import JSON, ClientGoneError, Exchange
from rag_edit.gateway.keys import PREFIX
from rag_edit.gateway.problems import Refusal

if TYPE_CHECKING:
    import httpcore2

T = TypeVar("T")
_IDLE_S: Final = 4.0  # below the five seconds after which common servers close an idle connection themselves
_MAX_JSON_BYTES: Final = 8 * 2**20


class UpstreamFailure(Refusal):
    """The upstream did not answer. Nothing of its address is told to clients."""

    def __init__(self, upstream: str, kind: str) -> None:
        self.upstream, self.kind = upstream, kind
        status, words = (504, "did not answer in time") if kind == "timeout" else (502, "could not be reached, or broke off")
        super().__init__(status, f"upstream_{kind}", f"the model server {words}")


class BrokenOffError(Exception):
    """The upstream broke off in the middle of its answer."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.upstream = upstream


@dataclass(slots=True)
class Upstream:
    """A client of one upstream server; one pool of connections.

    Attributes:
        spec: Its address and limits.
        key: Its key; empty: the client's ``Authorization`` is passed on.
        adapters: Names of those that it is known to have loaded.
        handing: Held while an adapter's files are put where it looks.
    """

    spec: UpstreamSpec
    key: str = field(default="", repr=False)
    adapters: set[str] = field(default_factory=set)
    handing: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _pool: "httpcore2.AsyncConnectionPool | None" = field(default=None, repr=False)
    _address: "tuple[httpcore2.URL, bytes, bytes] | None" = field(default=None, repr=False)
    _in_use: int = 0
    _retired: bool = False

    def _open(self) -> "httpcore2.AsyncConnectionPool":
        if self._pool is None:
            try:
                import httpcore2
            except ImportError as error:
                raise MissingExtraError("httpcore2", "gateway") from error
            self._pool = httpcore2.AsyncConnectionPool(
                max_connections=1_000, max_keepalive_connections=100, keepalive_expiry=_IDLE_S
            )
        return self._pool

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.aclose()

    async def retire(self) -> None:
        """Close once nothing is passed through any more: another configuration has taken its place."""
        self._retired = True
        if not self._in_use:
            await self.close()

    @asynccontextmanager
    async def answering(
        self, method: str, target: bytes, headers: h.Headers, body: bytes
    ) -> AsyncIterator["httpcore2.Response"]:
        """Give the open response to a request, and close it; see `send`."""
        self._in_use += 1
        try:
            response = await self.send(method, target, headers, body)
            try:
                yield response
            finally:
                await response.aclose()
        finally:
            self._in_use -= 1
            if self._retired and not self._in_use:
                await self.close()

    async def send(self, method: str, target: bytes, headers: h.Headers, body: bytes) -> "httpcore2.Response":
        """Return the open response to a request.

        Args:
            method: HTTP method.
            target: Path below the base URL, with its query.
            headers: Sent as they are, after ``Host``.
            body: Sent as it is.

        Raises:
            UpstreamFailure: no answer came.
        """
        import httpcore2

        if self._address is None:
            url = httpcore2.URL(self.spec.url)
            self._address = url, url.target.rstrip(b"/"), _host(url)
        url, start, host = self._address
        whole = httpcore2.URL(scheme=url.scheme, host=url.host, port=url.port, target=start + target)
        sent = [(b"Host", host), *headers]
        if body or method not in ("GET", "HEAD", "DELETE"):
            sent.append((b"Content-Length", str(len(body)).encode()))
        waits = {
            "connect": self.spec.connect_s,
            "read": self.spec.read_s,
            "write": self.spec.read_s,
            "pool": self.spec.connect_s,
        }
        request = httpcore2.Request(method, whole, headers=sent, content=body, extensions={"timeout": waits})
        try:
            return await self._open().handle_async_request(request)
        except httpcore2.TimeoutException as error:
            raise UpstreamFailure(self.spec.name, "timeout") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            raise UpstreamFailure(self.spec.name, "unreachable") from error

    def credentials(self, client: bytes) -> h.Headers:
        """Return the ``Authorization`` to send: the upstream's key, else the client's own, never a key of ours."""
        if self.key:
            return [(b"Authorization", f"Bearer {self.key}".encode("latin-1", "replace"))]
        if client and f"{PREFIX}".encode() not in client:
            return [(b"Authorization", client)]
        return []

    async def post_json(self, path: str, document: Mapping[str, Any], headers: h.Headers) -> Any:
        """Return the JSON answered to a JSON document.

        Raises:
            UpstreamFailure: no answer, another status than 200, or no JSON.
        """
        import httpcore2

        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        try:
            async with self.answering("POST", path.encode(), [JSON, *headers], body) as response:
                pieces = bytearray()
                async for piece in response.aiter_stream():
                    pieces += piece
                    if len(pieces) > _MAX_JSON_BYTES:
                        raise UpstreamFailure(self.spec.name, "unreadable")
                if response.status != 200:
                    raise UpstreamFailure(self.spec.name, "status")
                return json.loads(bytes(pieces))
        except (ValueError, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise UpstreamFailure(self.spec.name, "unreadable") from error


def _host(url: "httpcore2.URL") -> bytes:
    host: bytes = url.host if b":" not in url.host else b"[" + url.host + b"]"
    default = {b"http": 80, b"https": 443}.get(url.scheme)
    return host if url.port in (None, default) else host + f":{url.port}".encode()


async def pass_on(
    exchange: Exchange,
    upstream: Upstream,
    body: bytes,
    *,
    own: dict[str, str],
    ready: Coroutine[Any, Any, None] | None = None,
) -> None:
    """Answer a request with what the upstream answers to it.

    Args:
        exchange: The request; its path below ``/v1`` and its query are passed on as they were sent.
        upstream: Who is asked.
        body: What is sent, byte for byte.
        own: Our headers on the answer.
        ready: Done while the upstream thinks, and before anything is answered; where it fails, nothing is.

    Raises:
        UpstreamFailure: no answer came; nothing was sent to the client.
        BrokenOffError: the upstream broke off; the answer to the client is cut.
        ClientGoneError: the client left; the upstream was told.
    """
    exchange.own |= own
    preparing = asyncio.ensure_future(ready) if ready is not None else None
    try:
        await unless_gone(exchange, _relay(exchange, upstream, body, preparing))
    finally:
        if preparing is not None:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)


async def unless_gone(exchange: Exchange, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of ``work``, which is cancelled when the client leaves first.

    Raises:
        ClientGoneError: the client left.
    """
    task, has_left, is_done = asyncio.current_task(), False, False
    assert task is not None

    async def watch() -> None:
        nonlocal has_left
        await exchange.gone()
        if not is_done and not exchange.is_over:  # the server also says so when the answer is whole
            has_left = True
            task.cancel()

    watching = asyncio.ensure_future(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if has_left and task.uncancel() == 0:
            raise ClientGoneError from None
        raise
    finally:
        is_done = True
        watching.cancel()


async def _relay(exchange: Exchange, upstream: Upstream, body: bytes, preparing: "asyncio.Future[None] | None") -> None:
    import httpcore2

    spec = upstream.spec
    sent = h.passed(exchange.headers, h.TO_UPSTREAM, h.TO_UPSTREAM_PREFIXES, spec.request_headers)
    client = next((value for name, value in exchange.headers if name == b"authorization"), b"")
    if not any(name == b"traceparent" for name, _ in sent):
        sent.append((b"traceparent", f"00-{exchange.trace_id}-{exchange.parent_id}-01".encode()))
    target = exchange.below + (b"?" + exchange.query if exchange.query else b"")
    began = time.perf_counter()
    async with upstream.answering(exchange.method, target, [*sent, *upstream.credentials(client)], body) as response:
        exchange.waited_s += time.perf_counter() - began
        back = h.passed(response.headers, h.FROM_UPSTREAM, h.FROM_UPSTREAM_PREFIXES, spec.response_headers)
        if preparing is not None:
            await preparing
        await exchange.begin(response.status, back)
        try:
            async for piece in response.aiter_stream():
                await exchange.write(piece)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise BrokenOffError(spec.name) from error
        await exchange.end()
