"""Fit the first scorer's weights and choose its cut, on training data only.

usage: python scripts/fit_overlap.py --data ../shared/data [--limit 3000] [--seed 7]
Prints the weights for rag_edit/scope/overlap.py and the entry for rag_edit/scope/calibration.json.
"""

import argparse
import json
import random
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from rag_edit.config import Settings
from rag_edit.core.decision import Query
from rag_edit.core.record import FaultyRecordError, Record, RecordVersion, Status
from rag_edit.index.faiss_partition import FaissShelf
from rag_edit.index.retriever import Retriever
from rag_edit.opening import open_readers, place_reader
from rag_edit.scope.overlap import WEIGHTS, OverlapScorer
from rag_edit.scope.reading import read
from rag_edit.scope.scorer import ScopeItem

NAMES = ("subject", "relation", "similarity", "lexical")


def cases(data: Path, limit: int, seed: int) -> list[tuple[Record, str, list[str]]]:
    """Return (record, question in scope, questions out of scope): half CounterFact, half zsRE, train sets."""
    found = []
    for name, fields in (
        ("counterfact", ("prompt", "target_new", "rephrase_prompt", "locality_prompt")),
        ("zsre", ("src", "alt", "rephrase", "loc")),
    ):
        rows = [json.loads(line) for line in (data / name / "train.jsonl").open(encoding="utf-8")]
        random.Random(seed).shuffle(rows)
        for row in rows[: limit // 2]:
            question, answer, inside, outside = (row[f].removeprefix("nq question: ") for f in fields)
            try:
                record = Record(
                    id=f"{name}-{row['case_id']}",
                    jurisdiction="GLOBAL",
                    subject=row["subject"],
                    question=question,
                    answer=answer,
                )
            except FaultyRecordError:
                continue
            found.append((record, inside, [outside]))
    shift = len(found) // 3  # the same subject with another record's relation
    others = [found[(n + shift) % len(found)][0] for n in range(len(found))]
    swapped = [
        o.question.replace(o.subject, r.subject) if o.subject in o.question else ""
        for (r, _, _), o in zip(found, others, strict=True)
    ]
    return [
        (r, inside, [*outside, swap] if swap else outside) for (r, inside, outside), swap in zip(found, swapped, strict=True)
    ]


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--limit", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    these = cases(options.data, options.limit, options.seed)
    readers = open_readers(Settings(encoder="minilm", scorer="overlap"))
    embedder, scorer = readers.embedder, readers.scorer
    assert isinstance(scorer, OverlapScorer)
    with tempfile.TemporaryDirectory() as directory:
        retriever = Retriever(FaissShelf(Path(directory)), embedder)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        retriever.refresh("GLOBAL", [RecordVersion(r, 1, n, Status.LIVE, now) for n, (r, _, _) in enumerate(these, start=1)])
        asked = [
            (q, record.id if n == 0 else "") for record, inside, outside in these for n, q in enumerate([inside, *outside])
        ]
        readings = [read(Query(q, "GLOBAL", date(2026, 1, 1)), place_reader()) for q, _ in asked]
        vectors = embedder.encode([r.text for r in readings], kind="query")
        found = retriever.search(["GLOBAL"], [r.text for r in readings], vectors, k=24)
    scores = scorer.score([ScopeItem(r, c) for r, c in zip(readings, found, strict=True)])
    x, y, group = [], [], []
    for n, ((_, right), candidates, own) in enumerate(zip(asked, found, scores, strict=True)):
        for candidate, score in zip(candidates, own, strict=True):
            x.append([1.0, *(score.features[name] for name in NAMES)])
            y.append(candidate.version.record.id == right)
            group.append(n)
    features, labels, groups = np.array(x), np.array(y, float), np.array(group)
    weights = fit(features, labels)
    logits = features @ weights
    best = np.full(len(asked), -99.0)
    np.maximum.at(best, groups, logits)
    right = np.array([bool(r) for _, r in asked])
    cut = float(np.quantile(best[~right], 0.99))
    hit = np.zeros(len(asked), bool)
    top = np.full(len(asked), -1)
    for row in np.argsort(logits):
        top[groups[row]] = row
    hit[right] = [labels[top[n]] == 1 and best[n] >= cut for n in np.flatnonzero(right)]
    print(
        json.dumps(
            {"weights": dict(zip(("bias", *NAMES), (round(float(w), 2) for w in weights), strict=True)), "was": dict(WEIGHTS)}
        )
    )
    print(
        json.dumps(
            {
                "in_scope": round(float(1 / (1 + np.exp(-cut))), 4),
                "right": float(hit[right].mean()),
                "records": len(these),
                "seed": options.seed,
            }
        )
    )


def fit(x: np.ndarray, y: np.ndarray, *, ridge: float = 1.0, steps: int = 30) -> np.ndarray:
    """Return logistic weights (d,) by Newton's method; rows of each class weigh the same in sum."""
    w, mass = np.zeros(x.shape[1]), np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        hessian = (x * (mass * p * (1 - p))[:, None]).T @ x + ridge * np.eye(x.shape[1])
        w -= np.linalg.solve(hessian, x.T @ (mass * (p - y)) + ridge * w)
    return w


if __name__ == "__main__":
    main()
