"""Answering a question over HTTP, in numbered steps: read, address, decide, then serve the record or pass the request on.

(1) The body is read once, as bytes, and as an object. (2) Deployment, day and place are settled; what is not allowed is
refused. (3) What a record cannot give (tools, JSON, images) is left to the base model without deciding. (4) The engine
decides. (5) The deployment's mode, languages and topics have the last word (`settled`, pure). (6) A record's answer is shaped
and served; everything else goes to the upstream as it came, a model suffix aside.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from rag_edit.core.decision import Answer, Decision, Query, Reason, Route
from rag_edit.core.errors import RagEditError
from rag_edit.core.record import RecordVersion, Serve
from rag_edit.engine import Answering
from rag_edit.gateway import headers as h
from rag_edit.gateway.address import Chosen, choose_day, choose_deployment, choose_place, split_model
from rag_edit.gateway.asked import Api, Asked, read_asked
from rag_edit.gateway.config import LOCAL
from rag_edit.gateway.deployments import DeploymentSpec, Mode
from rag_edit.gateway.exchange import EVENTS, JSON, Exchange
from rag_edit.gateway.keys import Key
from rag_edit.gateway.lane import Decided, LaneClosedError
from rag_edit.gateway.local import answer_locally
from rag_edit.gateway.lora import UpstreamAdapters
from rag_edit.gateway.passing import Upstream, pass_on, unless_gone
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.settling import answering_versions, is_sampled, settled
from rag_edit.gateway.shapes import Served, cited, events, whole
from rag_edit.gateway.spans import Document, read_object
from rag_edit.gateway.state import LOG, Snapshot, State
from rag_edit.gateway.writing import Asking, UpstreamChat
from rag_edit.opening import make_answering
from rag_edit.verify.evidence import EvidenceFile

GROUND_WAIT_S: Final = 60.0
PASSED: Final = "passed"  # the rung of words that are an upstream's own
NO_CACHE: Final = (b"cache-control", b"no-cache")


@dataclass(slots=True)
class Call:
    """One request on its way: what was found out about it so far, for log and metrics.

    Attributes:
        key: Who asks, and what they may; None where no key is asked for.
        api, model: The call of OpenAI's API, and the model as the caller wrote it, without its suffix.
        params, fields: Of the control plane's routes: parameters and body, held to what the route declares.
    """

    exchange: Exchange
    state: State
    snapshot: Snapshot
    key: Key | None
    path_deployment: str = ""
    api: str = ""
    model: str = ""
    spec: DeploymentSpec | None = None
    route: str = ""
    reason: str = ""
    record: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def principal(self) -> str:
        """Return who asks, for the ledger."""
        return self.key.principal if self.key else "somebody on this machine"


@dataclass(frozen=True, slots=True)
class Addressed:
    """A request with its deployment and place.

    Attributes:
        document: What came.
        body: What is passed on: the same, without the model's suffix.
        place: Where the question stands.
        query: Place and day as the engine wants them; the question is filled in later.
    """

    spec: DeploymentSpec
    document: Document
    body: bytes
    place: str
    query: Query


async def address(call: Call) -> Addressed:
    """Read the body and settle deployment, day and place: steps (1) and (2).

    Raises:
        Refusal: it cannot be read, or asks for what is not allowed.
    """
    server = call.snapshot.config.server
    body = await call.exchange.body(max_bytes=server.max_body_bytes, timeout_s=server.body_timeout_s)
    return _addressed(call, choose(call), body)


def _addressed(call: Call, spec: DeploymentSpec, body: bytes) -> Addressed:
    exchange, document = call.exchange, read_object(body)
    model = document.fields.get("model")
    bare, suffix = split_model(model, call.state.atlas) if isinstance(model, str) else ("", "")
    call.model = bare[:200]
    place, day = _place(call, spec, suffix)
    return Addressed(
        spec,
        document,
        document.with_values({"model": bare}) if suffix else body,
        place,
        Query("", place, day, id=exchange.trace_id, risk=spec.risk),
    )


def _place(call: Call, spec: DeploymentSpec, suffix: str) -> tuple[str, date]:
    """Return where and when a question stands, and note the place on the answer."""
    exchange, state = call.exchange, call.state
    day = choose_day(spec, exchange.header(h.AS_OF), state.today())
    chosen = Chosen(exchange.header(h.JURISDICTION), call.key.jurisdiction if call.key else "", suffix)
    place = exchange.own[h.JURISDICTION] = choose_place(spec, state.atlas, day, chosen)
    return place, day


def _owner(call: Call) -> tuple[str, str]:
    return call.spec.name if call.spec else "", call.key.name if call.key else ""


async def _resumed(call: Call, addressed: Addressed) -> Addressed:
    """Return the request with the turns put back that an answer of ours stands for."""
    suffixed = addressed.body is not addressed.document.body
    document = read_object(addressed.body) if suffixed else addressed.document
    resumed = await call.state.kept.resumed(_owner(call), document)
    return addressed if resumed is document else replace(addressed, document=resumed, body=resumed.body)


def choose(call: Call) -> DeploymentSpec:
    """Return the deployment that a request is for, and note it."""
    found = choose_deployment(
        call.snapshot.config.deployments, call.key, call.path_deployment, call.exchange.header(h.DEPLOYMENT)
    )
    call.spec = found
    return found


async def answer(call: Call, api: Api) -> None:
    """Answer ``/chat/completions``, ``/completions`` or ``/responses``."""
    exchange, state = call.exchange, call.state
    call.api = str(api)
    spec = choose(call)
    if spec.mode is Mode.OFF and spec.upstream != LOCAL and api is not Api.RESPONSES:
        await _pass_unread(call, spec)
        return
    addressed = await address(call)
    named = addressed.document.fields.get("previous_response_id")
    if api is Api.RESPONSES:
        addressed = await _resumed(call, addressed)
    if spec.mode is Mode.OFF:
        await _base(call, addressed, Reason.SWITCHED_OFF, read_asked(api, addressed.document.fields), api)
        return
    asked = read_asked(api, addressed.document.fields)
    if asked.echo is not None:  # what the client sent, not what was put in its place
        asked = replace(asked, echo={**asked.echo, "previous_response_id": named})
    aside = asked.aside or (Reason.TOOLS_ASKED if asked.tools and spec.tools_step_back else None)  # (3)
    if aside is not None:
        await _base(call, addressed, aside, asked, api)
        return
    decided = await _decide(call, addressed, asked)  # (4)
    if decided is None:
        await _base(call, addressed, Reason.UNDECIDED, asked, api)
        return
    exchange.own[h.REVISION] = str(decided.revision)
    sampled = is_sampled(spec, _sticky(call, asked))
    route, reason = settled(spec, decided.decision, asked.excluded, sampled=sampled)  # (5)
    _debug(call, decided)
    if route is Route.BASE:
        if decided.decision.route is not Route.BASE:
            state.metrics.count("rag_edit_shadowed_total", deployment=spec.name, reason=str(reason))
        await _base(call, addressed, reason, asked, api, decided.decision)
        return
    said = await _say(call, addressed, decided, asked)  # (6)
    await _serve(call, api, addressed, asked, decided, reason, said)


async def _pass_unread(call: Call, spec: DeploymentSpec) -> None:
    """Pass a request on where nothing is decided: its place is checked, its body is not read, unless a suffix may stand in it."""
    exchange, state, server = call.exchange, call.state, call.snapshot.config.server
    body = await exchange.body(max_bytes=server.max_body_bytes, timeout_s=server.body_timeout_s)
    if b"@" in body or b"\\u0040" in body:
        addressed = _addressed(call, spec, body)
        body = addressed.body
    else:
        _place(call, spec, "")
    exchange.own[h.REVISION] = str(state.lane.revision)
    _note(call, Route.BASE, Reason.SWITCHED_OFF)
    await pass_on(exchange, call.snapshot.upstreams[spec.upstream], body, own={})


def _sticky(call: Call, asked: Asked) -> str:
    who = call.key.name if call.key else ""
    return f"{who}\0{call.exchange.header(h.STICKY) or asked.conversation}"


async def _decide(call: Call, addressed: Addressed, asked: Asked) -> Decided | None:
    """Return the decision; None where there is none and the deployment lets the base model answer then."""
    exchange, state, spec = call.exchange, call.state, addressed.spec
    query = replace(addressed.query, question=asked.question, messages=asked.messages)
    try:
        began = exchange.overhead_ms()
        decided = await state.lane.decide(query)
        state.metrics.observe("rag_edit_decision_seconds", (exchange.overhead_ms() - began) / 1000)
    except LaneClosedError:
        raise Refusal(503, "shutting_down", "the server is shutting down", headers={"retry-after": "1"}) from None
    except Exception as error:
        LOG.exception("trace %s: could not be decided", exchange.trace_id)
        state.metrics.count("rag_edit_undecided_total", deployment=spec.name)
        if spec.refuse_on_fault:
            raise Refusal(503, "undecided", "it could not be decided whether a record applies") from error
        return None
    return decided


async def _say(call: Call, addressed: Addressed, decided: Decided, asked: Asked) -> Answer:
    """Return the words to serve: by rule, or by a model that is given the record, checked, with the record's own as the floor."""
    state, spec, decision = call.state, addressed.spec, decided.decision
    winner, by_rule, local = decision.winner, decided.answer, addressed.spec.upstream == LOCAL
    if by_rule is None:  # ADAPTER: the words are the model's
        return await _written(call, decided)
    if winner is None or winner.record.serve is Serve.VERBATIM:
        return by_rule
    if spec.mode is Mode.GROUND:
        forced = replace(winner, record=replace(winner.record, serve=Serve.GROUNDED))
        decided = replace(decided, decision=replace(decision, winner=forced))
        if local:
            return await _written(call, decided)
        upstream = call.snapshot.upstreams[spec.upstream]
        credentials = upstream.credentials(call.exchange.header("authorization").encode())
        bare = split_model(asked.model, state.atlas)[0]
        asking = Asking(asyncio.get_running_loop(), GROUND_WAIT_S)
        chat = UpstreamChat(upstream, bare, credentials, asking, asked.messages)
        return await _written(call, decided, make_answering(chat)[Route.OVERRIDE], asking)
    if decided.wants_writer and local:
        return await _written(call, decided)
    if decided.wants_writer and call.snapshot.upstreams[spec.upstream].spec.lora_dir:
        asking = Asking(asyncio.get_running_loop(), GROUND_WAIT_S)
        adapted = _by_adapter(call, winner, call.snapshot.upstreams[spec.upstream], asking)
        return await _written(call, decided, adapted, asking) if adapted is not None else by_rule
    return by_rule


def _by_adapter(call: Call, winner: RecordVersion, upstream: Upstream, asking: Asking) -> Answering | None:
    """Return who answers by the record's adapter behind the upstream; None where no adapter was found to be its rung."""
    if EvidenceFile(call.state.home).rung_of(winner, lambda: upstream.spec.lora_base) != "adapter":
        return None
    credentials = upstream.credentials(call.exchange.header("authorization").encode())
    obey = UpstreamAdapters(upstream, call.state.home, credentials, asking)
    silent = UpstreamChat(upstream, "", credentials, asking)  # never asked: the rung is the adapter's
    return make_answering(silent, obey=obey, rung_of=lambda _: "adapter")[Route.OVERRIDE]


async def _written(call: Call, decided: Decided, answering: Answering | None = None, asking: Asking | None = None) -> Answer:
    """Return what a model writes; its time is not the gateway's, and where the client leaves, an upstream that writes is cut."""
    began = call.exchange.overhead_ms()
    try:
        return await unless_gone(call.exchange, call.state.lane.write(decided, answering, elsewhere=asking is not None))
    finally:
        if asking is not None:
            asking.give_up()
        call.exchange.waited_s += (call.exchange.overhead_ms() - began) / 1000


async def _serve(
    call: Call, api: Api, addressed: Addressed, asked: Asked, decided: Decided, reason: Reason, said: Answer
) -> None:
    """Serve an answer of records. It is kept for its next turn first: a client may ask that at once, at another worker."""
    exchange, decision = call.exchange, decided.decision
    assert call.spec is not None
    versions = answering_versions(decision)
    text, citations = cited(said.text, versions, call.spec.cite)
    await _seal(call, decided, replace(said, text=text))
    _note(call, decision.route, reason, ",".join(version.name for version in versions))
    if exchange.header(h.DEBUG):
        exchange.own["rag-edit-rung"] = said.rung
    served = Served(
        exchange.trace_id,
        asked.model,
        int(call.state.now_s()),
        text,
        citations,
        asked="\n".join((*(message.content for message in asked.messages), asked.question)),
        choices=asked.choices,
        with_usage=asked.with_usage,
        echo=asked.echo or {},
    )
    if api is Api.RESPONSES:
        await call.state.kept.keep(_owner(call), f"resp_{exchange.trace_id}", addressed.document.fields, text)
    await send(exchange, api, served, stream=asked.stream)


async def send(exchange: Exchange, api: Api, served: Served, *, stream: bool) -> None:
    """Send an answer of ours, whole or as events."""
    if not stream:
        await exchange.reply(200, whole(api, served), [JSON])
        return
    await exchange.begin(200, [EVENTS, NO_CACHE])
    for event in events(api, served):
        await exchange.write(event)
    await exchange.end()


async def _seal(call: Call, decided: Decided, said: Answer) -> None:
    """Make the receipt of an answer that is about to be served, and name it on the answer; without it nothing is served."""
    try:
        call.exchange.own[h.RECEIPT] = await call.state.lane.seal(decided, said)
    except Exception as error:
        LOG.exception("trace %s: no receipt could be made", call.exchange.trace_id)
        raise Refusal(503, "no_receipt", "no receipt of the answer could be made, so it is not served") from error


async def _base(
    call: Call, addressed: Addressed, reason: Reason, asked: Asked, api: Api, found: Decision | None = None
) -> None:
    """Let the base model answer: the upstream, by pass-through, or the home's own model.

    Its receipt says what was asked and why no record answered. Of an upstream it is made while that thinks and commits to no words: they
    pass, and are not ours. A deployment that is switched off decides nothing, so there is nothing to sign.
    """
    exchange, state, spec = call.exchange, call.state, addressed.spec
    exchange.own.setdefault(h.REVISION, str(state.lane.revision))
    _note(call, Route.BASE, reason)
    query = replace(addressed.query, question=asked.question, messages=asked.messages)
    found = found or Decision(Route.BASE, reason)
    decision = Decision(Route.BASE, reason, score=found.score, verdicts=found.verdicts, form=found.form)
    decided = Decided(query, decision, state.lane.revision)
    if spec.upstream == LOCAL:
        try:
            said = await unless_gone(exchange, answer_locally(state, asked, query, decision, exchange))
        except RagEditError as error:
            LOG.error("trace %s: the home's model: %s", exchange.trace_id, error.message)
            raise Refusal(503, "model_unavailable", "the model of this server is not available") from error
        if reason is not Reason.SWITCHED_OFF:
            await _seal(call, decided, Answer(said.text, "base"))
        await send(exchange, api, said, stream=asked.stream)
        return
    ready = _seal(call, decided, Answer("", PASSED)) if reason is not Reason.SWITCHED_OFF else None
    await pass_on(exchange, call.snapshot.upstreams[spec.upstream], addressed.body, own={}, ready=ready)


def _note(call: Call, route: Route, reason: Reason, record: str = "") -> None:
    """Put route, reason and record on the answer and into the log."""
    call.route, call.reason, call.record = str(route), str(reason), record
    call.exchange.own |= {h.ROUTE: call.route, h.REASON: call.reason, h.RECORD: record}


def _debug(call: Call, decided: Decided) -> None:
    """Put more on the answer where the caller asks for it."""
    exchange, decision, spec = call.exchange, decided.decision, call.spec
    if not exchange.header(h.DEBUG) or spec is None:
        return
    names = ",".join(version.name for version in answering_versions(decision))
    more: Mapping[str, str] = {
        "rag-edit-deployment": spec.name,
        "rag-edit-mode": str(spec.mode),
        "rag-edit-as-of": decided.query.as_of.isoformat(),
        "rag-edit-form": str(decision.form),
        "rag-edit-score": f"{decision.score:.4f}",
        "rag-edit-decided": f"{decision.route} {decision.reason} {names}".strip(),
    }
    exchange.own.update(more)
