"""A plan for eyes and for programs. The JSON is a stable schema: names are added, never changed or taken away."""

from collections.abc import Iterator
from typing import Any, Final

from rag_edit.core.digest import Json
from rag_edit.records.planned import Closing, Plan, Side

SCHEMA: Final = "rag-edit plan 1"
_WIDTH: Final = 76


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain values.

    ``idempotency_key`` is null where the plan is refused. A field's ``old`` or ``new`` is null at its default.
    """
    return {
        "schema": SCHEMA,
        "on_conflict": plan.on_conflict,
        "refused": plan.refused,
        "idempotency_key": None if plan.refused else plan.key,
        "counts": {name.replace(" ", "_"): count for name, count in plan.counts().items()},
        "adds": [
            {"id": a.record.id, "where": a.where, "expected_version": a.expected_version, "record": a.record.to_json()}
            for a in plan.adds
        ],
        "changes": [
            {
                "id": c.record.id,
                "where": c.where,
                "expected_version": c.live.version,
                "fields": [{"field": f.name, "old": f.old, "new": f.new} for f in c.fields()],
            }
            for c in plan.changes
        ],
        "supersessions": [{**_closing(c), "by": c.by} for c in plan.supersessions],
        "retractions": [_closing(c) for c in plan.retractions],
        "unchanged": list(plan.unchanged),
        "left_out": [{"id": left.id, "where": left.where, "why": left.why} for left in plan.left_out],
        "conflicts": [
            {
                "jurisdiction": c.jurisdiction,
                "about": c.about,
                "first": _side(c.first),
                "second": _side(c.second),
                "outcome": c.outcome,
            }
            for c in plan.conflicts
        ],
        "warnings": list(plan.warnings),
    }


def describe_plan(plan: Plan) -> Iterator[str]:
    """Yield the lines of a diff for a terminal: ``+`` added, ``~`` changed, ``-`` closed, ``!`` to be looked at.

    Texts are quoted, so that no control character reaches the terminal, and cut to the width of a line.
    """
    for closing in plan.retractions:
        yield f"- {closing.version.record.jurisdiction} {closing.version.name} retracted ({closing.where}): {_cut(closing.reason)}"
    for closing in plan.supersessions:
        record = closing.version.record
        yield f"- {record.jurisdiction} {closing.version.name} superseded by {closing.by} ({closing.where})"
        yield f"    {_cut(record.question)} -> {_cut(record.answer)}"
    for change in plan.changes:
        yield f"~ {change.record.jurisdiction} {change.live.name} ({change.where})"
        for each in change.fields():
            yield f"    {each.name}:"
            yield from (f"      {mark} {line}" for mark, value in (("-", each.old), ("+", each.new)) for line in _shown(value))
    for addition in plan.adds:
        record = addition.record
        days = f" [{record.valid_from or ''}..{record.valid_to or ''})" if record.valid_from or record.valid_to else ""
        yield f"+ {record.jurisdiction} {record.id}{days} ({addition.where})"
        yield f"    {_cut(record.question)} -> {_cut(record.answer)}"
    for conflict in plan.conflicts:
        yield f"! conflict: {conflict.jurisdiction}: {_cut(conflict.about)}"
        yield from (f"      {s.id} ({s.where}): {_cut(s.answer)}" for s in (conflict.first, conflict.second))
        if conflict.outcome:
            yield f"      {conflict.outcome}"
    for left in plan.left_out:
        yield f"! left out: {left.id} ({left.where}): {left.why}"
    for warning in plan.warnings:
        yield f"! warning: {warning}"
    counts = ", ".join(f"{count} {name}" for name, count in plan.counts().items() if count)
    verdict = "refused: " if plan.refused else "" if counts else "nothing to do"
    yield f"{verdict}{counts}"


def _closing(closing: Closing) -> dict[str, Json]:
    return {
        "id": closing.version.record.id,
        "where": closing.where,
        "expected_version": closing.version.version,
        "reason": closing.reason,
    }


def _side(side: Side) -> dict[str, Json]:
    return {"id": side.id, "where": side.where, "answer": side.answer}


def _shown(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        yield from (_cut(str(item)) for item in value)
    elif isinstance(value, dict):
        yield from (f"{name}: {_cut(str(part))}" for name, part in value.items())
    elif value is not None:
        yield _cut(str(value))


def _cut(text: str) -> str:
    return repr(text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}...")
