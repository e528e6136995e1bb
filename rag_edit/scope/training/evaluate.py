"""Candidates, evidence and figures for whole suites, without store or engine: what the training script measures itself by.

The search here is plain (names, words, dense vectors, all records of a suite at once); the product has its own index.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_edit.core.pair import Pair
from rag_edit.scope.mentions import fold_words, is_light, read_name
from rag_edit.scope.risk import wilson
from rag_edit.scope.trained import LastStage, PairEvidence, grey, is_repeat, probability, read, shortlist
from rag_edit.scope.training.suites import Asked, Live, Suite

Score = Callable[[Sequence[Pair]], Sequence[float]]
Look = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class Search:
    """Records of one suite by name, by rare word and by vector."""

    def __init__(self, records: Sequence[Live], vectors: NDArray[np.float32]) -> None:
        """Take records and their questions' unit vectors (records, 384)."""
        self.vectors = vectors
        self.names: dict[str, list[int]] = defaultdict(list)
        self.words: dict[str, list[int]] = defaultdict(list)
        for i, record in enumerate(records):
            name = fold_words(record.subject or read_name(record.question))
            if name:
                self.names[name.removeprefix("the ")].append(i)
            for word in {w for w in name.split() if not is_light(w)}:
                self.words[word].append(i)

    def find(self, question: str, vector: NDArray[np.float32], dense: int = 12, worded: int = 6) -> list[tuple[int, float]]:
        """Return (record, cosine) of the candidates of one question."""
        words = fold_words(question).split()
        spans = (" ".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, min(len(words), a + 14) + 1))
        found = dict.fromkeys(i for span in spans for i in self.names.get(span, ()))
        cosines = self.vectors @ vector  # (records,)
        found |= dict.fromkeys(int(i) for i in np.argsort(-cosines)[:dense])
        shared: Counter[int] = Counter()
        for word in set(words):
            if 0 < len(self.words.get(word, ())) < 60:
                for i in self.words[word]:
                    shared[i] += 1
        found |= dict.fromkeys(i for i, _ in shared.most_common(worded))
        return [(i, float(cosines[i])) for i in found]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question with the evidence of its shortlisted records: (record id, evidence) pairs."""

    suite: str
    asked: Asked
    evidence: tuple[tuple[str, PairEvidence], ...]


def gather(
    suite: Suite, embed: Embed, score: Score, *, scale: Callable[[float], float] = float, with_subject: bool = True
) -> list[Outcome]:
    """Return the evidence of every question of a suite; each distinct pair is read once, cosines are put on one ``scale``."""
    records = [r if with_subject else replace(r, subject="") for r in suite.records]
    search, vectors = Search(records, embed([r.question for r in records])), embed([q.text for q in suite.questions])
    listed: list[list[tuple[str, PairEvidence]]] = []
    for asked, vector in zip(suite.questions, vectors, strict=True):
        found = [(records[i], scale(cosine)) for i, cosine in search.find(asked.text, vector)]
        evidence = [PairEvidence(asked.text, r.subject, record_question=r.question, dense=cosine) for r, cosine in found]
        chosen = sorted({*shortlist(evidence), *(k for k, e in enumerate(evidence) if is_repeat(e))})
        listed.append([(found[k][0].id, evidence[k]) for k in chosen])
    pairs = list(dict.fromkeys(read(e).pair for row in listed for _, e in row))
    logits = dict(zip(pairs, score(pairs), strict=True))
    return [
        Outcome(suite.name, asked, tuple((name, replace(e, logit=logits[read(e).pair])) for name, e in row))
        for asked, row in zip(suite.questions, listed, strict=True)
    ]


def looked_again(outcomes: Sequence[Outcome], last: LastStage, look: Look) -> list[Outcome]:
    """Return the outcomes with the second look of every pair that ``last`` is in doubt about; each pair of texts is read once."""
    places = [(n, k) for n, o in enumerate(outcomes) for k in grey([e for _, e in o.evidence], last)]
    texts = [(r.question, r.record) for n, k in places for r in [read(outcomes[n].evidence[k][1])]]
    distinct = list(dict.fromkeys(texts))
    logits = dict(zip(distinct, look(distinct), strict=True)) if distinct else {}
    found = [list(outcome.evidence) for outcome in outcomes]
    for (n, k), text in zip(places, texts, strict=True):
        name, evidence = found[n][k]
        found[n][k] = (name, replace(evidence, pair_logit=logits[text]))
    return [replace(outcome, evidence=tuple(own)) for outcome, own in zip(outcomes, found, strict=True)]


def best(outcome: Outcome, last: LastStage) -> tuple[float, str]:
    """Return the highest probability among the candidates, and its record; (0, "") where there is none."""
    return max(((probability(e, last).value, name) for name, e in outcome.evidence), default=(0.0, ""))


def is_right(outcome: Outcome, value: float, name: str, threshold: float) -> bool:
    """Return whether the decision is right: its own record for a question in scope, none for the others."""
    return (value >= threshold and name == outcome.asked.record) if outcome.asked.is_in_scope else value < threshold


def figures(outcomes: Sequence[Outcome], last: LastStage, threshold: float) -> dict[str, dict[str, float | int | list[float]]]:
    """Return by kind of question: share right (in scope) or wrongly overridden (out of scope), n, interval."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for outcome in outcomes:
        value, name = best(outcome, last)
        right = is_right(outcome, value, name, threshold)
        kind = outcome.asked.kind
        counts[kind][0] += right if outcome.asked.is_in_scope else not right
        counts[kind][1] += 1
    return {
        kind: {"share": round(hits / total, 5), "n": total, "wilson": [round(x, 5) for x in wilson(hits, total)]}
        for kind, (hits, total) in sorted(counts.items())
    }


def write_raw(path: Path, outcomes: Sequence[Outcome], last: LastStage) -> None:
    """Write one JSON line a question: what was asked, what won, and the features of every candidate."""
    with path.open("w", encoding="utf-8") as lines:
        for outcome in outcomes:
            scored = [(name, probability(e, last)) for name, e in outcome.evidence]
            trace = [
                {"record": name, "probability": round(s.value, 5), "features": {k: round(v, 4) for k, v in s.features.items()}}
                for name, s in scored
            ]
            body: Mapping[str, object] = {
                "suite": outcome.suite,
                "kind": outcome.asked.kind,
                "question": outcome.asked.text,
                "record": outcome.asked.record,
                "tune": outcome.asked.is_tune,
                "candidates": trace,
            }
            lines.write(json.dumps(body, ensure_ascii=False) + "\n")
