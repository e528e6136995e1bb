"""Route labelled questions and count: right, another record, missed; out of scope overridden. Raw outputs are kept.

usage: python -m rag_edit.bench.labelled HOME QUESTIONS.jsonl --out DIR [--skip-every 3]
A question is ``{"id", "question", "jurisdiction", "as_of", "language", "expect": record id or null}``, a follow-up has its earlier
turns in ``"messages": [{"role", "content"}]``; HOME holds the records.
``--skip-every N`` leaves out rows 0, N, 2N, ...: those that were looked at while building.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from rag_edit.core.decision import Message, Query, Reason
from rag_edit.core.errors import UsageError
from rag_edit.engine import Engine
from rag_edit.opening import open_engine
from rag_edit.scope.calibration import Thresholds
from rag_edit.scope.form_scorer import FormScorer
from rag_edit.scope.trained import LastStage
from rag_edit.scope.trained_scorer import TrainedScorer
from rag_edit.scope.training.calibrate import Example

LIKELIEST: Final = 3  # wrong candidates of a row that are learnt from
VETOED: Final = frozenset(
    (Reason.OTHER_PLACE, Reason.OTHER_DATE, Reason.OTHER_NUMBER, Reason.OTHER_SUBJECT, Reason.NOT_YET_VALID, Reason.EXPIRED)
)


def measure(home: Path, rows: list[dict[str, Any]], out: Path) -> dict[str, dict[str, int]]:
    """Route every row, write one line each to ``out/labelled.jsonl``, and return counts by language."""
    with open_engine(home) as engine:
        queries = [query_of(engine, row) for row in rows]
        outcomes = engine.ask_many(queries, route_only=True)
        scorer = engine.scorer.digest
    counts: dict[str, Counter[str]] = {}
    out.mkdir(parents=True, exist_ok=True)
    with (out / "labelled.jsonl").open("w", encoding="utf-8") as file:
        for row, outcome in zip(rows, outcomes, strict=True):
            winner = outcome.decision.winner.record.id if outcome.decision.winner else None
            fate = (
                "right"
                if winner == row["expect"]
                else "missed"
                if winner is None
                else "another record"
                if row["expect"]
                else "overridden"
            )
            counts.setdefault(row["language"], Counter())[f"{'in' if row['expect'] else 'out of'} scope: {fate}"] += 1
            line = {
                **row,
                "record_id": winner,
                "reason": str(outcome.decision.reason),
                "score": outcome.decision.score,
                "scorer": scorer,
                "fate": fate,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return {language: dict(sorted(found.items())) for language, found in sorted(counts.items())}


def examples(home: Path, rows: list[dict[str, Any]], last: LastStage) -> list[Example]:
    """Return, for fitting the regime of located topics, the candidates of every row that ``last`` leaves in sight and no veto stops; a group a row.

    Of the wrong ones those that the joint head likes best, and those that agree best on a topic. Records that read alike share their features: where the expected record
    is among them, they count as right.
    """
    found = []
    with open_engine(home) as engine:
        scorer = engine.scorer
        if not isinstance(scorer, FormScorer) or not isinstance(scorer.inner, TrainedScorer):
            raise UsageError(f"{home}: wanted scorer trained, found {scorer.kind}", hint="rag-edit doctor")
        engine.scorer = replace(scorer, inner=replace(scorer.inner, last=last))
        engine.thresholds = Thresholds(1e-9, 0.0, engine.scorer.digest, "no cut")
        outcomes = engine.ask_many([query_of(engine, row) for row in rows], route_only=True)
    for row, outcome in zip(rows, outcomes, strict=True):
        seen = [v for v in outcome.decision.verdicts if v.reason not in VETOED and v.score.features.get("local")]
        own = next((v.score.features for v in seen if v.candidate.version.record.id == row["expect"]), None)
        wrong = {tuple(sorted(v.score.features.items())): v.score.features for v in seen if v.score.features != own}
        if own is not None:
            found.append(Example(own, True, (row["id"], "")))
        likely = [*_most(wrong, "logit_local"), *_most(wrong, "agree_local")]
        found += [Example(wrong[key], False, (row["id"], "")) for key in dict.fromkeys(likely)]
    return found


def _most(wrong: Mapping[Any, Mapping[str, float]], feature: str) -> list[Any]:
    """Return the keys of the candidates that have most of a feature, the most first."""
    return sorted(wrong, key=lambda key: -wrong[key][feature])[:LIKELIEST]


def query_of(engine: Engine, row: Mapping[str, Any]) -> Query:
    """Return a row as the engine is asked it."""
    return engine.query(
        row["question"],
        jurisdiction=row["jurisdiction"],
        as_of=date.fromisoformat(row["as_of"]),
        messages=[Message(turn["role"], turn["content"]) for turn in row.get("messages", ())],
        id=row["id"],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--skip-every", type=int, default=0)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.questions.read_text("utf-8").splitlines()]
    kept = [row for n, row in enumerate(rows) if not options.skip_every or n % options.skip_every]
    print(json.dumps(measure(options.home, kept, options.out), indent=2))


if __name__ == "__main__":
    main()
