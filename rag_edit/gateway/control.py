"""The control plane over an open home: how its routes read a request and reach the engine, and the routes about the gateway itself.

The gateway holds the store's lock; an edit therefore comes through it, in turn with the questions, and counts for the next one.
What is done is done in the caller's name: signed by the signer that a key is bound to, else by the home, with the caller in the reason.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from rag_edit.backing import BACKUPS, Backup, back_up_beside
from rag_edit.checks.assessing import Turn
from rag_edit.core.decision import Decision, Verdict
from rag_edit.core.errors import RagEditError
from rag_edit.engine import Engine
from rag_edit.gateway import headers as h
from rag_edit.gateway.answering import Call, address
from rag_edit.gateway.asked import Api, read_asked
from rag_edit.gateway.checking import check_value, read_query, read_text
from rag_edit.gateway.problems import Refusal, bad_request, refusal_of
from rag_edit.gateway.route import Route
from rag_edit.gateway.schemas import SCHEMAS
from rag_edit.gateway.settling import settled
from rag_edit.gateway.spans import read_object
from rag_edit.records.duckdb_store import DuckDBStore
from rag_edit.records.store import RecordStore
from rag_edit.trust.office import Office

T = TypeVar("T")


async def control(call: Call, route: Route, path: Mapping[str, str]) -> None:
    """Do what a route of the control plane is for.

    Raises:
        Refusal: something does not hold, or cannot be done as it was asked for.
        RagEditError: the home failed.
    """
    await read_call(call, route, path)
    try:
        await route.handle(call)
    except RagEditError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


async def read_call(call: Call, route: Route, path: Mapping[str, str]) -> None:
    """Read a request's parameters and body as its route declares them.

    Raises:
        Refusal: something does not hold.
    """
    params: dict[str, Any] = {p.name: read_text(path[p.name], p) for p in route.params if p.where == "path"}
    call.params = params | read_query(call.exchange.query, route.params)
    if not route.takes or route.takes == "DecideRequest":  # that one is read as a chat request is
        return
    server, schema = call.snapshot.config.server, SCHEMAS[route.takes]
    kind = call.exchange.header("content-type").partition(";")[0].strip().casefold()
    body = await call.exchange.body(max_bytes=server.max_body_bytes, timeout_s=server.body_timeout_s)
    if body and kind not in ("application/json", ""):
        raise Refusal(415, "unsupported_media_type", "wanted application/json", param="content-type")
    if not body and not schema.get("required"):
        return
    call.fields = read_object(body).fields
    check_value(call.fields, schema, SCHEMAS, "")


async def in_lane(call: Call, act: Callable[[Engine], T]) -> T:
    """Return what ``act`` makes of the engine, in its turn; the answer will carry the revision after it."""
    found, revision = await call.state.lane.run(lambda engine: (act(engine), engine.store.position()))
    call.exchange.own[h.REVISION] = str(revision)
    call.state.metrics.gauge("rag_edit_revision", revision)
    return found


async def in_office(call: Call, act: Callable[[Office, Engine], T]) -> T:
    """Return what ``act`` makes of the home's office, in its turn and in the caller's name.

    Raises:
        Refusal: the home has no ledger, or an act cannot be made of these words.
    """
    signer = await asyncio.to_thread(call.state.signer_of, call.key.signer) if call.key and call.key.signer else None

    def run(engine: Engine) -> T:
        with office_of(engine).speaking(signer, f"asked by {call.principal}"):
            try:
                return act(office_of(engine), engine)
            except ValueError as error:  # an act that cannot be made of these words
                raise bad_request(str(error)) from error

    return await in_lane(call, run)


async def reading(call: Call, act: Callable[[RecordStore], T]) -> T:
    """Return what ``act`` reads from the store, beside the questions and not in their way."""
    store = await in_lane(call, lambda engine: engine.store)
    return await asyncio.to_thread(act, store)


def turns(call: Call) -> Turn:
    """Return who does pieces of long work that need the engine, each in its turn; call it from another thread than the event loop's."""
    loop, lane = asyncio.get_running_loop(), call.state.lane

    def turn(act: Callable[[], T], /) -> T:
        return asyncio.run_coroutine_threadsafe(lane.run(lambda _engine: act()), loop).result()

    return turn


def office_of(engine: Engine) -> Office:
    """Return the home's office.

    Raises:
        Refusal: edits of this home are nobody's.
    """
    if not isinstance(engine.office, Office):
        raise Refusal(409, "no_ledger", "this home keeps no ledger")
    return engine.office


def reason_of(call: Call) -> str:
    """Return the reason that the caller gives, with the caller where no signer of their own signs."""
    given = str(call.fields.get("reason", ""))
    if call.key is not None and call.key.signer:
        return given
    return f"{given} (asked by {call.principal})".strip()


async def deployments(call: Call) -> None:
    """List the deployments that the caller reaches."""
    found = call.snapshot.config.deployments.values()
    reached = [each.to_json() for each in found if call.key is None or call.key.reaches(each.name)]
    await call.exchange.reply_json({"deployments": reached, "revision": call.state.lane.revision})


async def decide(call: Call) -> None:
    """Decide a chat request, or ``{"question": ...}``, and explain it; nobody answers."""
    addressed = await address(call)
    fields = addressed.document.fields
    check_value(fields, SCHEMAS["DecideRequest"], SCHEMAS, "")
    if isinstance(fields.get("question"), str):
        fields = {"messages": [{"role": "user", "content": fields["question"]}]}
    asked = read_asked(Api.CHAT, fields)
    query = replace(addressed.query, question=asked.question, messages=asked.messages)
    decided = await call.state.lane.decide(query)
    route, reason = settled(addressed.spec, decided.decision, asked.excluded, sampled=True)
    call.exchange.own[h.REVISION] = str(decided.revision)
    await call.exchange.reply_json(
        {
            "deployment": addressed.spec.name,
            "jurisdiction": addressed.place,
            "as_of": query.as_of.isoformat(),
            "question": query.question,
            "route": str(route),
            "reason": str(reason),
            "revision": decided.revision,
            "aside": str(asked.aside) if asked.aside else None,
            "decision": decision_to_json(decided.decision),
            "answer": decided.answer.text if decided.answer else None,
        }
    )


async def reload(call: Call) -> None:
    """Read the configuration anew; one that does not hold changes nothing and is answered with its faults."""
    try:
        config = await call.state.reload()
    except RagEditError as error:
        raise Refusal(409, "reload_refused", f"the configuration in force stays: {error.message}") from error
    await call.exchange.reply_json({"reloaded": True, "deployments": sorted(config.deployments)})


async def backup(call: Call) -> None:
    """Write the home into an archive on the server's own disk, below `backups/` of the home; questions wait meanwhile."""
    home, taken_at = call.state.home, datetime.now(UTC).isoformat(timespec="seconds")
    name = f"{taken_at[:19].replace(':', '')}-{secrets.token_hex(4)}.tar"

    def act(engine: Engine) -> Backup:
        store, office = engine.store, engine.office
        if not isinstance(store, DuckDBStore) or not isinstance(office, Office):
            raise Refusal(409, "no_files", "this home is not kept in files")
        (home / BACKUPS).mkdir(mode=0o700, exist_ok=True)
        if engine.counting is not None:
            engine.counting.flush()
        with office.turn, store.at_rest():
            return back_up_beside(home, home / BACKUPS / name, taken_at)

    found = await in_lane(call, act)
    await call.exchange.reply_json({"name": name, "files": found.files, "bytes": found.bytes, "taken_at": taken_at})


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """Return a decision with the fate of each candidate."""
    winner = decision.winner
    return {
        "route": str(decision.route),
        "reason": str(decision.reason),
        "form": str(decision.form),
        "score": round(decision.score, 6),
        "record": winner.name if winner else None,
        "contenders": [version.name for version in decision.contenders],
        "trace": [_verdict(verdict) for verdict in decision.verdicts],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "record": verdict.candidate.version.name,
        "partition": verdict.candidate.partition,
        "reason": str(verdict.reason),
        "note": verdict.note,
        "score": round(verdict.score.probability, 6),
        "similarity": round(verdict.candidate.similarity, 4),
    }
