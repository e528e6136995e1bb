"""Route labelled questions and count: right, another record, missed; out of scope overridden. Raw outputs are kept.

usage: python -m rag_edit.bench.labelled HOME QUESTIONS.jsonl --out DIR [--skip-every 3]
A question is ``{"id", "question", "jurisdiction", "as_of", "language", "expect": record id or null}``, a follow-up has its earlier
turns in ``"messages": [{"role", "content"}]``; HOME holds the records.
``--skip-every N`` leaves out rows 0, N, 2N, ...: those that were looked at while building.
"""

import argparse
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from rag_edit.core.decision import Message
from rag_edit.opening import open_engine


def measure(home: Path, rows: list[dict[str, Any]], out: Path) -> dict[str, dict[str, int]]:
    """Route every row, write one line each to ``out/labelled.jsonl``, and return counts by language."""
    with open_engine(home) as engine:
        queries = [
            engine.query(
                r["question"],
                jurisdiction=r["jurisdiction"],
                as_of=date.fromisoformat(r["as_of"]),
                messages=[Message(turn["role"], turn["content"]) for turn in r.get("messages", ())],
                id=r["id"],
            )
            for r in rows
        ]
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
