"""The ASGI application: a table of routes, each with its action; who may, how often, how large; and one place for what goes wrong.

Plain ASGI: the paths are few and fixed, bodies must be read within limits and answers streamed unbuffered, which a framework
would only stand in front of. A path may start with ``/d/NAME`` to name a deployment.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rag_edit.core.errors import ConfigError, MissingExtraError, RagEditError
from rag_edit.gateway import control, local
from rag_edit.gateway import headers as h
from rag_edit.gateway.actions import OPEN_ACTIONS, Action
from rag_edit.gateway.answering import Call, address, answer, choose
from rag_edit.gateway.asked import Api
from rag_edit.gateway.config import LOCAL
from rag_edit.gateway.exchange import ClientGoneError, Exchange, Receive, Scope, Send
from rag_edit.gateway.keys import PREFIX, KeyFileUnreadableError
from rag_edit.gateway.lane import LaneClosedError
from rag_edit.gateway.metrics import CONTENT_TYPE
from rag_edit.gateway.passing import BrokenOffError, UpstreamFailure, pass_on
from rag_edit.gateway.problems import Refusal, bad_request
from rag_edit.gateway.spans import read_object
from rag_edit.gateway.state import State

LOG = logging.getLogger("rag_edit.gateway")
Handler = Callable[[Call], Awaitable[None]]
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
REST: Final = "{rest}"
_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
_ORIGIN: Final = re.compile(rf"https?://{_HOST.pattern}", re.ASCII)
_DEPLOYMENT: Final = re.compile(rb"/d/([a-z0-9][a-z0-9-]{0,62})(/v1/.*|/api/v1/.*)")


@dataclass(frozen=True, slots=True)
class Route:
    """One route: what is answered, and which action it is.

    Attributes:
        path: Exact, or ending in ``{rest}``, which stands for one or more segments.
    """

    method: str
    path: str
    action: Action
    handle: Handler

    def matches(self, path: str) -> bool:
        """Return whether ``path`` is this route's."""
        if self.path.endswith(REST):
            start = self.path.removesuffix(REST)
            return path.startswith(start) and len(path) > len(start)
        return path == self.path


async def _healthz(call: Call) -> None:
    await call.exchange.reply_json({"status": "ok"})


async def _readyz(call: Call) -> None:
    status = "draining" if call.state.draining else "ready" if call.state.warm else "opening"
    await call.exchange.reply_json({"status": status}, 200 if status == "ready" else 503)


async def _metrics(call: Call) -> None:
    state = call.state
    state.metrics.gauge("rag_edit_in_flight", state.in_flight)
    state.metrics.gauge("rag_edit_revision", state.lane.revision)
    await call.exchange.reply(200, state.metrics.render(), [(b"content-type", CONTENT_TYPE)])


async def _chat(call: Call) -> None:
    await answer(call, Api.CHAT)


async def _completions(call: Call) -> None:
    await answer(call, Api.COMPLETIONS)


async def _responses(call: Call) -> None:
    await answer(call, Api.RESPONSES)


async def _embeddings(call: Call) -> None:
    addressed = await address(call)
    if addressed.spec.upstream == LOCAL:
        await call.exchange.reply_json(await local.embed(call.state, addressed.document.fields))
        return
    await pass_on(call.exchange, call.snapshot.upstreams[addressed.spec.upstream], addressed.body, own={})


async def _models(call: Call) -> None:
    spec = choose(call)
    if spec.upstream != LOCAL:
        await pass_on(call.exchange, call.snapshot.upstreams[spec.upstream], b"", own={})
        return
    name = call.exchange.path.partition("/v1/models/")[2]
    if name and name != call.state.model:
        raise Refusal(404, "model_not_found", "no such model", param="model")
    await call.exchange.reply_json(local.model_entry(call.state) if name else local.model_list(call.state))


async def _stored(call: Call) -> None:
    """Pass on what concerns responses that an upstream keeps."""
    spec, server = choose(call), call.snapshot.config.server
    if spec.upstream == LOCAL:
        raise Refusal(404, "not_kept", "responses are not kept here")
    body = b""
    if call.exchange.method == "POST":
        body = await call.exchange.body(max_bytes=server.max_body_bytes, timeout_s=server.body_timeout_s)
        if body:
            read_object(body)
    await pass_on(call.exchange, call.snapshot.upstreams[spec.upstream], body, own={})


ROUTES: Final = (
    Route("GET", "/healthz", Action.HEALTH, _healthz),
    Route("GET", "/readyz", Action.HEALTH, _readyz),
    Route("GET", "/metrics", Action.METRICS, _metrics),
    Route("POST", "/v1/chat/completions", Action.ANSWER, _chat),
    Route("POST", "/v1/completions", Action.ANSWER, _completions),
    Route("POST", "/v1/responses", Action.ANSWER, _responses),
    Route("GET", "/v1/responses/{rest}", Action.ANSWER, _stored),
    Route("POST", "/v1/responses/{rest}", Action.ANSWER, _stored),
    Route("DELETE", "/v1/responses/{rest}", Action.ANSWER, _stored),
    Route("POST", "/v1/embeddings", Action.EMBED, _embeddings),
    Route("GET", "/v1/models", Action.MODELS, _models),
    Route("GET", "/v1/models/{rest}", Action.MODELS, _models),
    Route("GET", "/api/v1/deployments", Action.DEPLOYMENTS, control.deployments),
    Route("POST", "/api/v1/decide", Action.DECIDE, control.decide),
    Route("POST", "/api/v1/apply", Action.APPLY, control.apply),
    Route("POST", "/api/v1/reload", Action.RELOAD, control.reload),
)


def check_routes(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return the routes after checking that each declares its action and none stands twice.

    Raises:
        ConfigError: otherwise; the server does not start.
    """
    found = tuple(routes)
    for route in found:
        if not isinstance(route.action, Action):
            raise ConfigError(f"route {route.method} {route.path}: wanted an action, found {route.action!r}")
    twice = {
        (route.method, route.path)
        for route in found
        if sum((r.method, r.path) == (route.method, route.path) for r in found) > 1
    }
    if twice:
        raise ConfigError(f"routes: wanted each once, found {sorted(twice)} twice")
    return found


class Gateway:
    """The application. One state; as many requests at a time as the configuration bears."""

    def __init__(self, state: State, routes: Sequence[Route] = ROUTES, *, on_start: Callable[[], None] = lambda: None) -> None:
        """Check the routes.

        Args:
            state: What requests share.
            routes: The table.
            on_start: Called in the event loop when requests are about to be taken.

        Raises:
            ConfigError: a route declares no action, or stands twice.
        """
        self.state, self.routes, self._on_start = state, check_routes(routes), on_start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(Exchange(scope, receive, send))
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._on_start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.state.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, exchange: Exchange) -> None:
        state = self.state
        call = Call(exchange, state, state.snapshot, None)
        state.in_flight += 1
        failed = ""
        try:
            await self._answer(call)
        except ClientGoneError:
            state.metrics.count("rag_edit_clients_gone_total")
            failed = "client_gone"
        except BrokenOffError as error:
            state.metrics.count("rag_edit_upstream_failures_total", upstream=error.upstream, kind="broken_off")
            failed = "upstream_broken_off"
        except Refusal as refusal:
            if isinstance(refusal, UpstreamFailure):
                state.metrics.count("rag_edit_upstream_failures_total", upstream=refusal.upstream, kind=refusal.kind)
            failed = refusal.code
            await self._refuse(exchange, refusal)
        except (LaneClosedError, KeyFileUnreadableError, MissingExtraError) as error:
            LOG.error("trace %s: %s", exchange.trace_id, error)  # noqa: TRY400 - its words say all
            failed = "unavailable"
            await self._refuse(exchange, Refusal(503, "unavailable", "the server cannot answer now"))
        except RagEditError as error:
            LOG.error("trace %s: %s", exchange.trace_id, error.message)  # noqa: TRY400
            failed = "failed"
            await self._refuse(exchange, Refusal(500, "failed", "the server failed to answer; its log says why"))
        except Exception:
            LOG.exception("trace %s", exchange.trace_id)
            failed = "failed"
            await self._refuse(exchange, Refusal(500, "failed", "the server failed to answer; its log says why"))
        finally:
            state.in_flight -= 1
            self._tell(call, failed)
        if exchange.was_cut and failed != "client_gone":
            raise CutShort(failed)

    async def _answer(self, call: Call) -> None:
        exchange = call.exchange
        method = "GET" if exchange.method == "HEAD" else exchange.method
        names = {name for name, _ in exchange.headers}
        if {b"content-length", b"transfer-encoding"} <= names:  # who stands before this server may read another end of the body
            raise bad_request("wanted content-length or transfer-encoding, found both", code="two_lengths")
        path = _readable(exchange.path)
        named = _DEPLOYMENT.fullmatch(exchange.raw_path)
        if named:
            call.path_deployment = named[1].decode()
            path = path[len("/d/") + len(call.path_deployment) :]
        exchange.below = (named[2] if named else exchange.raw_path).removeprefix(b"/v1")
        found = [route for route in self.routes if route.matches(path)]
        route = next((each for each in found if each.method == method), None)
        if not found:
            raise Refusal(404, "unknown_path", "no such path here")
        if route is None:
            allowed = ", ".join(sorted({each.method for each in found}))
            raise Refusal(405, "method_not_allowed", f"wanted {allowed}", headers={"allow": allowed})
        if route.action is not Action.HEALTH:
            self._admit(call, route.action)
        await route.handle(call)

    def _admit(self, call: Call, action: Action) -> None:
        """Settle who asks and whether they may.

        Raises:
            Refusal: no key or an unknown one, an action that it does not hold, too many requests, or a full house.
        """
        exchange, state, server = call.exchange, self.state, call.snapshot.config.server
        for name in h.READ_ONCE:
            exchange.header(name)
        keyed = state.keys.in_force
        _check_origin(exchange, server.hosts, keyed=keyed)
        bearer = exchange.header("authorization")
        token = exchange.header(h.KEY) or (bearer[7:].strip() if bearer[:7].casefold() == "bearer " else "")
        if keyed:
            call.key = state.keys.find(token) if token.startswith(PREFIX) else None
            if call.key is None:
                raise Refusal(
                    401, "invalid_api_key", "wanted an API key of this server", headers={"www-authenticate": "Bearer"}
                )
            if action not in call.key.actions:
                raise Refusal(403, "action_not_allowed", f"this key is not made for {action}")
        elif token.startswith(PREFIX):
            raise Refusal(401, "invalid_api_key", "no such API key", headers={"www-authenticate": "Bearer"})
        elif action not in OPEN_ACTIONS:
            raise Refusal(403, "key_needed", f"{action} needs an API key: rag-edit key create NAME --action {action}")
        if state.in_flight > server.concurrent:
            raise Refusal(503, "too_busy", "too many requests at a time", headers={"retry-after": "1"})
        state.rate.take(call.key.name if call.key else "", server.requests_per_minute)

    async def _refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        self.state.metrics.count("rag_edit_refusals_total", code=refusal.code)
        await exchange.refuse(refusal)

    def _tell(self, call: Call, failed: str) -> None:
        exchange, state = call.exchange, self.state
        deployment = call.spec.name if call.spec else ""
        if call.route:
            labels = {"deployment": deployment, "route": call.route, "reason": call.reason, "status": str(exchange.status)}
            state.metrics.count("rag_edit_requests_total", **labels)
            state.metrics.observe("rag_edit_overhead_seconds", float(exchange.own.get(h.OVERHEAD, "0")) / 1000)
        state.log(
            {
                "trace_id": exchange.trace_id,
                "method": exchange.method,
                "status": exchange.status,
                "deployment": deployment,
                "key": call.key.name if call.key else "",
                "jurisdiction": exchange.own.get(h.JURISDICTION, ""),
                "route": call.route,
                "reason": call.reason,
                "record": call.record,
                "revision": exchange.own.get(h.REVISION, ""),
                "overhead_ms": float(exchange.own.get(h.OVERHEAD, "0")),
                "total_ms": round(1000 * (time.perf_counter() - exchange.started), 2),
                "failed": failed,
            }
        )


class CutShort(Exception):  # noqa: N818 - told to the server, which then cuts the connection
    """An answer was begun and cannot be ended: the connection must be cut, so that it never looks whole."""


def _readable(path: str) -> str:
    """Return the path after checking that it means what it looks like.

    Raises:
        Refusal: it climbs, doubles slashes or holds control characters.
    """
    segments = path.split("/")
    if any(segment in (".", "..") for segment in segments) or "" in segments[1:] or not path.isprintable() or "\\" in path:
        raise bad_request("wanted a plain path", code="invalid_path")
    return path


def _check_origin(exchange: Exchange, hosts: Sequence[str], *, keyed: bool) -> None:
    """Refuse what a web page makes a browser send, where no key would stop it.

    Raises:
        Refusal: another host name than this server's, or a page of another origin.
    """
    if keyed and not hosts:
        return
    known = {*LOOPBACK, *hosts}
    if _name(_HOST, exchange.header("host")) not in known:
        raise Refusal(421, "unknown_host", "wanted a host name of this server: server.hosts lists more", param="host")
    origin = exchange.header("origin")
    if origin and not keyed and _name(_ORIGIN, origin) not in LOOPBACK:
        raise Refusal(403, "foreign_origin", "a page of another origin asks, and no API key is in force", param="origin")


def _name(pattern: re.Pattern[str], address: str) -> str:
    found = pattern.fullmatch(address)
    return found["host"].strip("[]").casefold() if found else ""


def route_table(routes: Iterable[Route] = ROUTES) -> list[dict[str, Any]]:
    """Return the routes for documents and tests."""
    return [{"method": route.method, "path": route.path, "action": str(route.action)} for route in routes]
