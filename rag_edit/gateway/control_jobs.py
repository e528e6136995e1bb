"""The control plane's routes about verification: start one, look at it, end it."""

from typing import Any, Final

from rag_edit.checks.gating import policy_of
from rag_edit.checks.verifying_live import Job as Verification
from rag_edit.checks.verifying_live import run_job, unverified
from rag_edit.core.errors import UnknownRecordError
from rag_edit.core.record import RecordVersion, Status
from rag_edit.deployment import Deployment
from rag_edit.engine import Engine
from rag_edit.gateway.answering import Call
from rag_edit.gateway.control import in_lane, turns
from rag_edit.gateway.jobs import Job
from rag_edit.verify.budget import Budget

BATCH: Final = 8  # questions in one turn: about a tenth of a second in which answers wait


async def start(call: Call) -> None:
    """Begin to measure what records do, or what a change to them would: their questions, paraphrases, neighbours, other places."""
    fields, state = call.fields, call.state
    names, proposed = [str(name) for name in fields.get("records", ())], fields.get("proposed")

    def prepare(engine: Engine) -> tuple[Engine, Verification]:
        if proposed is not None:
            plan = Deployment(engine).plan(proposed)
            return engine, Verification(f"{len(proposed)} records, not applied yet", plan=plan)
        live = sorted(engine.store.live(), key=lambda version: version.record.id)
        if names:
            return engine, Verification(f"{len(names)} records", versions=tuple(_live(engine, name) for name in names))
        if fields.get("everything"):
            return engine, Verification("all records", versions=tuple(live))
        return engine, Verification("changed records", versions=tuple(unverified(state.home, engine, live)), compare=True)

    engine, verification = await in_lane(call, prepare)
    budget = Budget(
        trials=int(fields.get("trials", 6_000)),
        seconds=float(fields.get("seconds", 600)),
        texts=int(fields.get("texts", 0)),
        reworded=int(fields.get("reworded", 0)),
    )
    turn = turns(call)

    def work(job: Job) -> Any:
        report, folder = run_job(
            state.home, state.settings, engine, verification, policy_of(state.home), budget,
            progress=job.progress, turn=turn, batch=BATCH,
        )  # fmt: skip
        return {**report.to_json(), "digest": report.digest(), "folder": folder.name}

    await call.exchange.reply_json(state.jobs.start(verification.title, work).to_json())


async def list_jobs(call: Call) -> None:
    """List verifications, the newest last."""
    await call.exchange.reply_json({"jobs": [{**job.to_json(), "report": None} for job in call.state.jobs.all()]})


async def show_job(call: Call) -> None:
    """Show how far a verification has come, and its report once it is done."""
    await call.exchange.reply_json(call.state.jobs.get(call.params["job"]).to_json())


async def cancel_job(call: Call) -> None:
    """End a verification at its next piece; the same one goes on from there when it is started again."""
    job = call.state.jobs.get(call.params["job"])
    job.cancel()
    await call.exchange.reply_json(job.to_json())


def _live(engine: Engine, name: str) -> RecordVersion:
    found = engine.store.get(name)
    if found.status is not Status.LIVE:
        raise UnknownRecordError(name)
    return found
