"""Outcomes of questions as plain values: what was decided, what is answered, and why each candidate won or lost. Pure.

The command line and the control plane both show these, so that a question has one account whoever asks it.
"""

from collections.abc import Mapping
from typing import Any

from rag_edit.core.decision import Verdict
from rag_edit.engine import Engine, Outcome
from rag_edit.scope.explain import features_in_words, gates, heading, sentences


def outcome_to_json(outcome: Outcome, *, explain: bool = False) -> dict[str, Any]:
    """Return one outcome in the schema of a batch's lines; with ``explain``, with its trace."""
    decision = outcome.decision
    winner = decision.winner
    line: dict[str, Any] = {
        "id": outcome.query.id,
        "question": outcome.query.question,
        "jurisdiction": str(outcome.query.jurisdiction),
        "as_of": outcome.query.as_of.isoformat(),
        "route": str(decision.route),
        "reason": str(decision.reason),
        "form": str(decision.form),
        "record_id": winner.record.id if winner else None,
        "record_version": winner.version if winner else None,
        "record_jurisdiction": winner.record.jurisdiction if winner else None,
        "scope_score": round(decision.score, 6),
        "answer": outcome.answer.text if outcome.answer else None,
        "rung": outcome.answer.rung if outcome.answer else None,
        "source": str(winner.record.source) if winner and winner.record.source else None,
    }
    if decision.contenders:
        line["contenders"] = [
            {
                "record_id": v.record.id,
                "record_version": v.version,
                "record_jurisdiction": v.record.jurisdiction,
                "answer": v.record.answer,
            }
            for v in decision.contenders
        ]
    if outcome.base is not None:
        line["base_answer"] = outcome.base.text
        if outcome.base.remembered:
            line["base_remembered"] = True
    if explain:
        line["trace"] = [verdict_to_json(v) for v in decision.verdicts]
    if outcome.receipt:
        line["receipt"] = outcome.receipt
    line["timings_ms"] = dict(outcome.timings_ms)
    return line


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """Return one candidate's fate."""
    candidate = verdict.candidate
    return {
        "record_id": candidate.version.record.id,
        "record_version": candidate.version.version,
        "partition": candidate.partition,
        "reason": str(verdict.reason),
        "note": verdict.note,
        "gates": gates(verdict),
        "scope_score": round(verdict.score.probability, 6),
        "similarity": round(candidate.similarity, 4),
        "view": candidate.view,
        "alias": candidate.alias,
        "features": {name: round(float(value), 4) for name, value in verdict.score.features.items()},
    }


def explained(engine: Engine, outcome: Outcome) -> Mapping[str, Any]:
    """Return an outcome's decision, explained: what was read and searched, where the cut is, how far each candidate came."""
    decision, query = outcome.decision, outcome.query
    reading = engine.reading(query, decision)
    chain = engine.atlas.chain(query.jurisdiction, query.as_of)
    place = engine.crossing.elsewhere(reading, engine.atlas.chain)
    outside = any(v.candidate.partition not in chain for v in decision.verdicts)
    crossed = engine.atlas.chain(place, query.as_of) if place is not None and outside else ()
    head = heading(reading, decision, engine.thresholds.at(query.risk), chain, crossed)
    return {
        "summary": head.summary,
        "read_as": head.asked,
        "follows": head.follows,
        "form": str(head.form),
        "places": list(head.places),
        "dates": list(head.dates),
        "chain": list(head.chain),
        "crossed_to": list(head.crossed),
        "cut": head.cut,
        "cut_is_for_form": head.cut_is_for_form,
        "cut_chosen_on": head.chosen_on,
        "candidates": [
            {
                "record": v.candidate.version.name,
                "partition": v.candidate.partition,
                "scope_score": round(v.score.probability, 6),
                "reason": str(v.reason),
                "gates": gates(v),
                "sentences": sentences(v, head.cut),
                "features": [{"name": n, "words": w, "value": round(x, 4)} for n, w, x in features_in_words(v)],
            }
            for v in decision.verdicts
        ],
    }
