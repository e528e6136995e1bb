"""The control plane's routes about changes: draft, propose, measure, approve, send back, publish. Each is one signed act."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

from rag_edit.authority.verdict import Permit
from rag_edit.checks.putting import conditions_in_force, text_of
from rag_edit.checks.putting import measure as measured
from rag_edit.deployment import Deployment
from rag_edit.engine import Engine
from rag_edit.gateway.answering import Call
from rag_edit.gateway.control import in_office, reason_of, turns
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.views import act_to_json, change_line, change_to_json, comparison_to_json, time_of
from rag_edit.records.plan import Plan
from rag_edit.trust import changing
from rag_edit.trust.grounds import REPORT_PAPER
from rag_edit.trust.office import Office

LOG = logging.getLogger("rag_edit.gateway")
Step = Callable[[Office, Engine], Permit]


async def list_changes(call: Call) -> None:
    """List the changes of which something may still become."""

    def act(office: Office, _engine: Engine) -> list[dict[str, Any]]:
        office.ready()
        return [change_line(office.book, change) for change in changing.unfinished(office.book)]

    await call.exchange.reply_json({"changes": await in_office(call, act)})


async def show_change(call: Call) -> None:
    """Show what a change would do, where it stands, who said what, and what it lacks."""
    name = call.params["change"]

    def act(office: Office, _engine: Engine) -> dict[str, Any]:
        seen = _look(office, name)
        return change_to_json(seen, _read(office.store.ledger.paper(REPORT_PAPER + name)))

    await call.exchange.reply_json(await in_office(call, act))


async def compare(call: Call) -> None:
    """Show two changes of the same records side by side, against what is live."""
    left, right = call.params["change"], call.params["other"]

    def act(office: Office, _engine: Engine) -> dict[str, Any]:
        _look(office, left)
        _look(office, right)
        return comparison_to_json(changing.compared(office, left, right))

    await call.exchange.reply_json(await in_office(call, act))


async def draft(call: Call) -> None:
    """Write a draft, or write it anew, or put it forward with new contents. Whatever was said of it before is void."""
    fields, name = call.fields, call.params["change"]

    def step(office: Office, engine: Engine) -> Permit:
        plan = Deployment(engine).plan(fields["records"], on_conflict=fields.get("on_conflict", "newest"))
        propose, reason = fields.get("propose", False), reason_of(call)
        return changing.draft(office, plan, name, propose=propose, reason=reason, revision=_revision(call))

    await _step(call, step, known=False)


async def propose(call: Call) -> None:
    """Put a draft forward as it stands."""
    name = call.params["change"]
    await _step(call, lambda office, _e: changing.put_forward(office, name, reason=reason_of(call), revision=_revision(call)))


async def measure(call: Call) -> None:
    """Try a change on a shadow of the live records, and sign what was found; questions go on meanwhile."""
    name, state, given = call.params["change"], call.state, _revision(call)

    def prepare(office: Office, engine: Engine) -> tuple[Plan, int, Engine]:
        seen = _look(office, name)
        if given not in (None, seen.change.revision):
            raise Refusal(409, "stale", f"the change is at revision {seen.change.revision}, not {given}", param="revision")
        return changing.plan_of(office, seen), seen.change.revision, engine

    async with state.measuring:  # one model at a time
        plan, revision, engine = await in_office(call, prepare)
        turn, told = turns(call), LOG.info
        found = await asyncio.to_thread(measured, state.home, state.settings, engine, plan, name, told, turn=turn)

    def step(office: Office, engine: Engine) -> Permit:
        conditions = conditions_in_force(state.home, state.settings, engine)
        return changing.report(office, name, text_of(found), conditions, passed=found.ok, revision=revision)

    await _step(call, step)


async def report(call: Call) -> None:
    """Sign for a report that was made elsewhere."""
    name, state, fields = call.params["change"], call.state, call.fields

    def step(office: Office, engine: Engine) -> Permit:
        text = json.dumps(fields["report"], ensure_ascii=False, sort_keys=True).encode()
        return changing.report(
            office,
            name,
            text,
            conditions_in_force(state.home, state.settings, engine),
            passed=fields["passed"],
            revision=_revision(call),
        )

    await _step(call, step)


async def approve(call: Call) -> None:
    """Agree to a change exactly as it is, with the report on it. Nobody approves what they wrote."""
    name = call.params["change"]
    await _step(call, lambda office, _e: changing.approve(office, name, reason=reason_of(call), revision=_revision(call)))


async def reject(call: Call) -> None:
    """Send a change back: it is a draft again, and every approval is void."""
    name = call.params["change"]
    await _step(call, lambda office, _e: changing.reject(office, name, reason_of(call), revision=_revision(call)))


async def publish(call: Call) -> None:
    """Make a change live, now or at a time; or ratify one that is live by break-glass."""
    name, state, when = call.params["change"], call.state, call.fields.get("not_before")

    def step(office: Office, engine: Engine) -> Permit:
        measured = _look(office, name).change.report is not None
        conditions = conditions_in_force(state.home, state.settings, engine) if measured else ""
        not_before = time_of(when) if when else None
        return changing.publish(
            office, name, conditions, not_before=not_before, reason=reason_of(call), revision=_revision(call)
        )

    await _step(call, step)


async def break_glass(call: Call) -> None:
    """Say, as one of two, that a change has to be live now, unapproved. It ends by itself, and every receipt it touches says so."""
    name, hours = call.params["change"], int(call.fields.get("hours", 24))
    await _step(call, lambda office, _e: changing.break_glass(office, name, hours, reason_of(call)))


async def _step(call: Call, step: Step, *, known: bool = True) -> None:
    name = call.params["change"]

    def act(office: Office, engine: Engine) -> dict[str, Any]:
        office.ready()
        if known:
            _look(office, name)
        permit = step(office, engine)
        change = office.book.change(name)
        assert change is not None
        return act_to_json(permit, engine.store.position(), change=change_line(office.book, change))

    await call.exchange.reply_json(await in_office(call, act))


def _look(office: Office, name: str) -> changing.Seen:
    office.ready()
    if office.book.change(name) is None:
        raise Refusal(404, "unknown_change", "there is no such change", param="change")
    return changing.look(office, name)


def _revision(call: Call) -> int | None:
    found = call.fields.get("revision")
    return None if found is None else int(found)


def _read(text: bytes | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text.decode("utf-8", "replace")
