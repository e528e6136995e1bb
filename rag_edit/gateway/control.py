"""The part of the control plane that a running gateway needs: decide without answering, apply records, list deployments, reload.

The gateway holds the store's lock; an edit therefore comes through it, in turn with the questions, and counts for the next one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rag_edit.core.decision import Decision, Verdict
from rag_edit.core.errors import ConflictError, RagEditError
from rag_edit.deployment import Deployment
from rag_edit.engine import Engine
from rag_edit.gateway import headers as h
from rag_edit.gateway.answering import Call, address, settled
from rag_edit.gateway.asked import Api, read_asked
from rag_edit.gateway.keys import ANY
from rag_edit.gateway.problems import Refusal, bad_request
from rag_edit.gateway.spans import read_object
from rag_edit.records.plan_view import plan_to_json


async def deployments(call: Call) -> None:
    """List the deployments that the caller reaches."""
    found = call.snapshot.config.deployments.values()
    reached = [each.to_json() for each in found if call.key is None or call.key.reaches(each.name)]
    await call.exchange.reply_json({"deployments": reached, "revision": call.state.lane.revision})


async def decide(call: Call) -> None:
    """Decide a chat request, or ``{"question": ...}``, and explain it; nobody answers."""
    addressed = await address(call)
    fields = addressed.document.fields
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


async def apply(call: Call) -> None:
    """Put records into force: ``{"records": [...], "on_conflict": "refuse", "on_collision": "warn", "dry_run": false}``."""
    exchange, server = call.exchange, call.snapshot.config.server
    only_whole(call)
    body = await exchange.body(max_bytes=server.max_body_bytes, timeout_s=server.body_timeout_s)
    fields = read_object(body).fields
    records = fields.get("records")
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        raise bad_request("wanted a list of records", param="records")
    on_conflict = _word(fields, "on_conflict", ("refuse", "newest", "skip"))
    on_collision = _word(fields, "on_collision", ("warn", "refuse", "ignore"))
    dry = fields.get("dry_run", False)
    if not isinstance(dry, bool):
        raise bad_request("wanted true or false", param="dry_run")

    def act(engine: Engine) -> tuple[Any, int]:
        deployment = Deployment(engine)
        if dry:
            return deployment.plan(records, on_conflict=on_conflict), engine.store.position()
        return deployment.apply(records, on_conflict=on_conflict, on_collision=on_collision), engine.store.position()

    try:
        plan, revision = await call.state.lane.run(act)
    except ConflictError as error:
        raise Refusal(409, "conflict", error.message) from error
    except RagEditError as error:
        raise Refusal(409 if error.retryable else 400, "not_applied", error.message) from error
    exchange.own[h.REVISION] = str(revision)
    call.state.metrics.gauge("rag_edit_revision", revision)
    done = {"applied": not dry, "applied_at": datetime.now(UTC).isoformat(), "revision": revision}
    await exchange.reply_json({**done, "plan": plan_to_json(plan)})


async def reload(call: Call) -> None:
    """Read the configuration anew; one that does not hold changes nothing and is answered with its faults."""
    only_whole(call)
    try:
        config = await call.state.reload()
    except RagEditError as error:
        raise Refusal(409, "reload_refused", f"the configuration in force stays: {error.message}") from error
    await call.exchange.reply_json({"reloaded": True, "deployments": sorted(config.deployments)})


def only_whole(call: Call) -> None:
    """Refuse a key of some deployments: what is asked for concerns all of them."""
    if call.key is not None and ANY not in call.key.deployments:
        raise Refusal(403, "key_too_narrow", "this concerns all deployments, the key is for some")


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


def _word(fields: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Any:
    found = fields.get(name, known[0])
    if found not in known:
        raise bad_request(f"wanted one of {', '.join(known)}", param=name)
    return found
