"""The ASGI application: a table of routes, each with its action; who may, how often, how large; and one place for what goes wrong.

Plain ASGI: the paths are few and fixed, bodies must be read within limits and answers streamed unbuffered, which a framework
would only stand in front of. A path may start with ``/d/NAME`` to name a deployment.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rag_edit.core.errors import MissingExtraError, RagEditError
from rag_edit.gateway import headers as h
from rag_edit.gateway.actions import OPEN_ACTIONS, WHOLE_ACTIONS, Action
from rag_edit.gateway.answering import Call
from rag_edit.gateway.control import control
from rag_edit.gateway.exchange import ClientGoneError, ClientStalledError, Exchange, Receive, Scope, Send
from rag_edit.gateway.keys import ANY, OPERATOR, PREFIX, Key, KeyFileUnreadableError
from rag_edit.gateway.lane import LaneClosedError
from rag_edit.gateway.passing import BrokenOffError, UpstreamFailure
from rag_edit.gateway.problems import Refusal, bad_request
from rag_edit.gateway.route import Route, check_routes
from rag_edit.gateway.state import State
from rag_edit.gateway.table import ROUTES
from rag_edit.gateway.tracing import Told, no_tracing

LOG = logging.getLogger("rag_edit.gateway")
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", re.ASCII)
_ORIGIN: Final = re.compile(rf"https?://{_HOST.pattern}", re.ASCII)
_DEPLOYMENT: Final = re.compile(rb"/d/([a-z0-9][a-z0-9-]{0,62})(/v1/.*|/api/v1/.*)")


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
        self._exact: dict[str, list[Route]] = {}
        for route in self.routes:
            if not route.has_parts:
                self._exact.setdefault(route.path, []).append(route)
        self._patterns = [route for route in self.routes if route.has_parts]

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
        except ClientGoneError as error:
            state.metrics.count("rag_edit_clients_gone_total")
            failed = "client_stalled" if isinstance(error, ClientStalledError) else "client_gone"
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
        route, params = self._route(
            method, path, tuple(exchange.raw_path.removeprefix(b"/d/" + call.path_deployment.encode()).split(b"/"))
        )
        if route.action is not Action.HEALTH:
            await self._admit(call, route)
            exchange.own[h.REVISION] = str(self.state.lane.revision)  # until it is decided, or changed
        await (control(call, route, params) if route.is_control else route.handle(call))

    def _route(self, method: str, path: str, segments: tuple[bytes, ...]) -> tuple[Route, Mapping[str, str]]:
        """Return the route of a request and the parameters in its path.

        Raises:
            Refusal: there is none, or none for this method.
        """
        found: list[tuple[Route, Mapping[str, str]]] = [(route, {}) for route in self._exact.get(path, ())]
        found = found or [(each, params) for each in self._patterns if (params := each.match(path, segments)) is not None]
        if not found:
            raise Refusal(404, "unknown_path", "no such path here")
        chosen = next(((route, params) for route, params in found if route.method == method), None)
        if chosen is None:
            allowed = ", ".join(sorted({route.method for route, _ in found}))
            raise Refusal(405, "method_not_allowed", f"wanted {allowed}", headers={"allow": allowed})
        return chosen

    async def _admit(self, call: Call, route: Route) -> None:
        """Settle who asks and whether they may.

        Raises:
            Refusal: no key or an unknown one, an action that it does not hold, too many requests, or a full house.
        """
        exchange, state, server, action = call.exchange, self.state, call.snapshot.config.server, route.action
        for name in h.READ_ONCE:
            exchange.header(name)
        keyed = state.keys.in_force
        bearer = exchange.header("authorization")
        token = exchange.header(h.KEY) or (bearer[7:].strip() if bearer[:7].casefold() == "bearer " else "")
        call.key = await self._who(call, route, token)
        _check_origin(exchange, server.hosts, keyed=keyed or call.key is not None)
        if call.key is not None:
            if action not in call.key.actions:
                raise Refusal(403, "action_not_allowed", f"this key is not made for {action}")
            if action in WHOLE_ACTIONS and ANY not in call.key.deployments:
                raise Refusal(403, "key_too_narrow", "this concerns all deployments, the key is for some")
        elif keyed or token.startswith(PREFIX):
            words = "wanted an API key of this server" if keyed else "no such API key"
            raise Refusal(401, "invalid_api_key", words, headers={"www-authenticate": "Bearer"})
        elif action not in OPEN_ACTIONS:
            raise Refusal(403, "key_needed", f"{action} needs an API key: rag-edit key create NAME --action {action}")
        if state.in_flight > server.concurrent:
            raise Refusal(503, "too_busy", "too many requests at a time", headers={"retry-after": "1"})
        if call.key is None or call.key.kind != OPERATOR:  # whoever can read the home could as well stop the server
            state.rate.take(call.key.name if call.key else "", server.requests_per_minute)

    async def _who(self, call: Call, route: Route, token: str) -> Key | None:
        """Return who asks: the holder of a key, or of a token of the identity provider where that counts; None: nobody in particular.

        Raises:
            Refusal: a token that does not hold.
        """
        state, issuer = self.state, call.snapshot.issuer
        if token.startswith(PREFIX):
            return state.operator(token) or (state.keys.find(token) if state.keys.in_force else None)
        if issuer is not None and token and (route.is_control or route.action is Action.METRICS):
            return await issuer.holder(token)
        return None

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
        total_ms = 1000 * (time.perf_counter() - exchange.started)
        line = {
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
            "total_ms": round(total_ms, 2),
            "failed": failed,
        }
        state.log(line)
        if state.trace is not no_tracing:
            ended = time.time_ns()
            parent = exchange.trace_id, exchange.parent_id
            state.trace(Told(line, call.api, call.model, parent, ended - int(total_ms * 1e6), ended))


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
