"""The first scorer: words and two cosines, combined by a logistic function. No training beyond five numbers.

Features of a question and a record, each in [0, 1] or a cosine:
  subject     how much of the record's subject (or an alias) stands in the question; without a subject, the share of the
              record's rarer words that do
  relation    cosine of both texts with the subject masked out: what is asked of it
  similarity  best cosine of the question with a view of the record
  lexical     share of character n-grams found
The weights and the cut come from `calibration.json`, which names the data that they were fitted on. The trained scorer
replaces this one by default; it stays as the baseline, and for encoders that the trained one was not made for.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from rapidfuzz import fuzz

from rag_edit.core.decision import Candidate, ScopeScore
from rag_edit.core.digest import digest_json
from rag_edit.core.record import Record
from rag_edit.scope.adjuncts import text_for
from rag_edit.scope.reading import Reading
from rag_edit.scope.scorer import Relate, ScopeItem, asks_verbatim
from rag_edit.scope.text import fold, mask, words

LOOKED_AT: Final = 8  # candidates whose relation is compared, best similarity first: the rest score by the other features
QUESTIONS_COMPARED: Final = 4
# Fitted by scripts/fit_overlap.py; see calibration.json for data, seed and figures.
WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"bias": -15.2, "subject": 11.42, "relation": 4.55, "similarity": 2.32, "lexical": 4.49}
)


@dataclass(frozen=True, slots=True)
class OverlapScorer:
    """The first scorer, over an injected comparison of meanings (cosine of an encoder).

    Attributes:
        relate: Cosine of two texts, pairwise.
        encoder: Digest of the encoder behind ``relate``: part of this scorer's name.
        weights: Logistic weights by feature, with ``bias``.
    """

    relate: Relate
    encoder: str
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)

    @property
    def kind(self) -> str:
        """Return the method's name, whatever encoder it runs on."""
        return "overlap-1"

    @property
    def digest(self) -> str:
        """Return the scorer's name: method, weights and encoder."""
        return digest_json(
            {"scorer": self.kind, "encoder": self.encoder, "weights": {k: f"{v:.6f}" for k, v in sorted(self.weights.items())}}
        )

    def score(self, items: Sequence[ScopeItem]) -> list[tuple[ScopeScore, ...]]:
        """Return the scores; all comparisons of the batch go to the encoder in one call."""
        pairs: list[tuple[str, str]] = []
        slots: dict[tuple[int, int], range] = {}
        for i, item in enumerate(items):
            ranks = [(-c.similarity, c.version.record.id, j) for j, c in enumerate(item.candidates)]
            for _, _, j in sorted(ranks)[:LOOKED_AT]:
                record = item.candidates[j].version.record
                found = relation_pairs(text_for(item.reading, record), record)
                slots[i, j] = range(len(pairs), len(pairs) + len(found))
                pairs += found
        cosines = self.relate(pairs) if pairs else ()
        return [
            tuple(
                self._score(item.reading, candidate, max((cosines[k] for k in slots.get((i, j), ())), default=0.0))
                for j, candidate in enumerate(item.candidates)
            )
            for i, item in enumerate(items)
        ]

    def _score(self, reading: Reading, candidate: Candidate, relation: float) -> ScopeScore:
        text = text_for(reading, candidate.version.record)
        features = {
            "subject": subject_coverage(text, candidate.version.record),
            "relation": relation,
            "similarity": candidate.similarity,
            "lexical": candidate.lexical,
        }
        if asks_verbatim(text, candidate.version.record):
            return ScopeScore(1.0, MappingProxyType({**features, "verbatim": 1.0}))
        logit = self.weights["bias"] + sum(self.weights[name] * value for name, value in features.items())
        return ScopeScore(1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit)))), MappingProxyType(features))


def relation_pairs(text: str, record: Record) -> list[tuple[str, str]]:
    """Return the pairs to compare for the relation: question and record's questions, the record's names masked in both."""
    names = record.names()
    asked = mask(text, names)
    return [(asked, mask(question, names)) for question in record.questions()[:QUESTIONS_COMPARED]]


def subject_coverage(text: str, record: Record) -> float:
    """Return in [0, 1] how much of a record's subject stands in ``text``; 1.0 for the name itself, typos allowed."""
    asked = fold(text)
    names = [fold(name) for name in record.names()]
    if names:
        return (
            max(1.0 if f" {name} " in f" {asked} " else 0.9 * fuzz.partial_ratio(name, asked) / 100.0 for name in names if name)
            if any(names)
            else 0.0
        )
    known = [set(words(question)) for question in record.questions()]
    said = set(asked.split())
    return max((sum(len(w) for w in k & said) / max(1, sum(map(len, k))) for k in known), default=0.0)
