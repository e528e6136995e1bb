"""Figures from questions and what each was given: counts by kind, cuts chosen on the tuning part, random re-splits. Pure.

A question in scope is right when it gets its own record; one out of scope is wrong when it gets any. Whatever is chosen is
chosen on the tuning part (`rag_edit.scope.training.suites.is_tune`) and reported on the rest. It knows no engine and no file.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rag_edit.bench.suites import Goal
from rag_edit.scope.risk import LEAST_CUT, NEVER, Point, allowed_confident, allowed_expected, risk_coverage, risk_cut, wilson
from rag_edit.scope.training.suites import Asked

Allowed = Callable[[float, int], int]
RULES: Final[dict[str, Allowed]] = {"expected": allowed_expected, "confident": allowed_confident}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a system would override a question with, and how sure it is; "" and 0 where it has nothing."""

    record: str = ""
    score: float = 0.0


NOTHING: Final = Choice()


@dataclass(frozen=True, slots=True)
class KindFigure:
    """One kind of question, counted.

    Attributes:
        is_in_scope: Whether ``hits`` are right (in scope) or wrong (overridden, out of scope).
        hits, n: How many of how many.
        another: In scope: how many got another record; the rest got none.
    """

    is_in_scope: bool
    hits: int
    n: int
    another: int = 0

    @property
    def share(self) -> float:
        """Return the share of hits; 0 where nothing was counted."""
        return self.hits / self.n if self.n else 0.0

    def meets(self, goal: Goal, base: float = 1.0) -> bool:
        """Return whether the share keeps a goal; ``base`` is what ``goal.least`` is a part of."""
        least_kept = goal.least is None or self.share >= goal.least * base
        return least_kept and (goal.most is None or self.share <= goal.most)

    def to_json(self) -> dict[str, Any]:
        """Return the figure with its Wilson 95 % interval."""
        low, high = wilson(self.hits, self.n)
        plain: dict[str, Any] = {"measure": "right" if self.is_in_scope else "overridden", "hits": self.hits, "n": self.n}
        plain |= {"share": round(self.share, 5), "wilson": [round(low, 5), round(high, 5)]}
        return plain | ({"another_record": self.another} if self.is_in_scope else {})


def count(questions: Sequence[Asked], got: Sequence[str]) -> dict[str, KindFigure]:
    """Return the figures by kind, kinds in scope first.

    Args:
        questions: What was asked.
        got: The record that each got, in order; "" for none.
    """
    cells: dict[str, list[int]] = {}
    in_scope: dict[str, bool] = {}
    for asked, record in zip(questions, got, strict=True):
        in_scope[asked.kind] = asked.is_in_scope
        cell = cells.setdefault(asked.kind, [0, 0, 0])
        is_right = record == asked.record
        cell[0] += is_right if asked.is_in_scope else record != ""
        cell[1] += 1
        cell[2] += asked.is_in_scope and record not in ("", asked.record)
    return {kind: KindFigure(in_scope[kind], *cells[kind]) for kind in sorted(cells, key=lambda k: (not in_scope[k], k))}


def at_cut(choices: Sequence[Choice], cut: float) -> tuple[str, ...]:
    """Return what each question gets when overrides need a score of ``cut``."""
    return tuple(choice.record if choice.record and choice.score >= cut else "" for choice in choices)


def tuning(questions: Sequence[Asked], choices: Sequence[Choice]) -> list[tuple[Asked, Choice]]:
    """Return the pairs of the tuning part."""
    return [(q, c) for q, c in zip(questions, choices, strict=True) if q.is_tune]


def gain(pairs: Sequence[tuple[Asked, Choice]], cut: float) -> float:
    """Return the share right less the share wrongly overridden at a cut: what "best" makes largest."""
    figures = count([q for q, _ in pairs], at_cut([c for _, c in pairs], cut)).values()
    right = [f for f in figures if f.is_in_scope]
    wrong = [f for f in figures if not f.is_in_scope]
    return _pooled(right) - _pooled(wrong)


def _pooled(figures: Sequence[KindFigure]) -> float:
    return sum(f.hits for f in figures) / max(1, sum(f.n for f in figures))


def best_cut(pairs: Sequence[tuple[Asked, Choice]]) -> float:
    """Return the cut with the largest `gain`, of equal ones the strictest; `NEVER` where no override helps."""
    right, wrong = scores_of(pairs)
    points = risk_coverage(right, wrong)
    best = max(points, key=lambda p: (p.coverage - p.risk, p.cut), default=None)
    return best.cut if best is not None and best.coverage > best.risk else NEVER


def scores_of(pairs: Sequence[tuple[Asked, Choice]]) -> tuple[list[float], list[float]]:
    """Return the scores of questions in scope (0 where another record was chosen) and of the others."""
    right = [c.score if c.record == q.record else LEAST_CUT for q, c in pairs if q.is_in_scope]
    wrong = [c.score if c.record else LEAST_CUT for q, c in pairs if not q.is_in_scope]
    return right, wrong


def kept_cut(pairs: Sequence[tuple[Asked, Choice]], risk: float, allowed: Allowed = allowed_expected) -> float:
    """Return the lowest cut that keeps ``risk`` on every out-of-scope kind; `NEVER` where there are too few questions to say."""
    kinds: dict[str, list[float]] = {}
    for asked, choice in pairs:
        if not asked.is_in_scope:
            kinds.setdefault(asked.kind, []).append(choice.score if choice.record else LEAST_CUT)
    return max((risk_cut(scores, allowed(risk, len(scores))) for scores in kinds.values()), default=NEVER)


def curve(questions: Sequence[Asked], choices: Sequence[Choice]) -> tuple[Point, ...]:
    """Return risk against coverage on the reported part."""
    return risk_coverage(*scores_of([(q, c) for q, c in zip(questions, choices, strict=True) if not q.is_tune]))


def resplit(
    questions: Sequence[Asked], choices: Sequence[Choice], *, risk: float, rounds: int, seed: int
) -> dict[str, dict[str, float | int]]:
    """Choose the cut on a random half of the records and measure on the other, again and again.

    Questions out of scope are pooled; those of one record stay together, since they depend on one another.

    Args:
        questions: What was asked.
        choices: What each would get.
        risk: Largest share of out-of-scope questions wrongly overridden.
        rounds: How many splits.
        seed: Of the splits.

    Returns:
        By rule of `RULES`: the share of splits that kept the risk on the measured half, and means of risk and share right.
    """
    members: dict[str, tuple[list[float], list[float]]] = {}
    for asked, choice in zip(questions, choices, strict=True):
        right, wrong = members.setdefault(asked.record or asked.id, ([], []))
        one = scores_of([(asked, choice)])
        right += one[0]
        wrong += one[1]
    names, rng = sorted(members), random.Random(seed)
    found: dict[str, list[tuple[float, float]]] = {rule: [] for rule in RULES}
    for _ in range(rounds):
        rng.shuffle(names)
        half = len(names) // 2
        fitted = [s for name in names[:half] for s in members[name][1]]
        right = [s for name in names[half:] for s in members[name][0]]
        wrong = [s for name in names[half:] for s in members[name][1]]
        for rule, allowed in RULES.items():
            cut = risk_cut(fitted, allowed(risk, len(fitted)))
            found[rule].append((_share(wrong, cut), _share(right, cut)))
    return {rule: _resplit_json(rows, risk) for rule, rows in found.items()}


def _share(scores: Sequence[float], cut: float) -> float:
    return sum(s >= cut and s > LEAST_CUT for s in scores) / max(1, len(scores))


def _resplit_json(rows: Sequence[tuple[float, float]], risk: float) -> dict[str, float | int]:
    kept, rounds = sum(r <= risk for r, _ in rows), len(rows)
    return {
        "rounds": rounds,
        "risk": risk,
        "kept": round(kept / max(1, rounds), 4),
        "mean_risk": round(sum(r for r, _ in rows) / max(1, rounds), 5),
        "worst_risk": round(max((r for r, _ in rows), default=0.0), 5),
        "mean_right": round(sum(c for _, c in rows) / max(1, rounds), 5),
    }
