"""Figures from questions and what each was given: counts by kind, cuts chosen on the tuning part, random re-splits. Pure.

A question in scope is right when it gets its own record; one out of scope is wrong when it gets any. Whatever is chosen is
chosen on the tuning part (`rag_edit.scope.training.suites.is_tune`) and reported on the rest. A record's own question is counted, but nothing is
chosen, drawn or calibrated on it: word for word it is no estimate. It knows no engine and no file.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rag_edit.bench.suites import Goal
from rag_edit.scope.risk import LEAST_CUT, NEVER, Point, allowed_confident, allowed_expected, risk_coverage, risk_cut, wilson
from rag_edit.scope.training.suites import Asked

Allowed = Callable[[float, int], int]
OWN: Final = "own"  # the kind that repeats the record's question
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
    right, wrong = scores_of(pairs)
    return share_at(right, cut) - share_at(wrong, cut)


def best_cut(pairs: Sequence[tuple[Asked, Choice]]) -> float:
    """Return the cut with the largest `gain`, midway to the next score below; `NEVER` where no override helps."""
    points = risk_coverage(*scores_of(pairs))
    best = max(range(len(points)), key=lambda k: points[k].coverage - points[k].risk, default=-1)
    if best < 0 or points[best].coverage <= points[best].risk:
        return NEVER
    below = points[best + 1].cut if best + 1 < len(points) else LEAST_CUT
    return (points[best].cut + below) / 2


def scores_of(pairs: Sequence[tuple[Asked, Choice]]) -> tuple[list[float], list[float]]:
    """Return the scores of questions in scope (0 where another record was chosen; own ones left out) and of the others."""
    right = [c.score if c.record == q.record else LEAST_CUT for q, c in pairs if q.is_in_scope and q.kind != OWN]
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
    questions: Sequence[Asked],
    choices: Sequence[Choice],
    *,
    shipped: Sequence[str] = (),
    risk: float,
    rounds: int,
    seed: int,
) -> dict[str, dict[str, float | int | None]]:
    """Choose the cut on a random half of the records and measure on the other, again and again.

    Questions out of scope are pooled; those of one record stay together, since they depend on one another.

    Args:
        questions: What was asked.
        choices: What each would get.
        shipped: What each got at the product's own cuts: measured on the same halves, nothing chosen; may be empty.
        risk: Largest share of out-of-scope questions wrongly overridden.
        rounds: How many splits.
        seed: Of the splits.

    Returns:
        By rule of `RULES`, and ``shipped``: in how many splits a cut could be chosen, and of those the share that kept the
        risk on the measured half, and means of risk and share right. Nothing where no question is out of scope.
    """
    members = _by_record(questions, choices)
    if not any(wrong for _, wrong in members.values()):
        return {}
    served = _by_record(questions, [Choice(got, 1.0) if got else NOTHING for got in shipped]) if shipped else {}
    names, rng = sorted(members), random.Random(seed)
    found: dict[str, list[tuple[float, float]]] = {rule: [] for rule in (*RULES, *(["shipped"] if served else []))}
    for _ in range(rounds):
        rng.shuffle(names)
        half = len(names) // 2
        fitted = [s for name in names[:half] for s in members[name][1]]
        right = [s for name in names[half:] for s in members[name][0]]
        wrong = [s for name in names[half:] for s in members[name][1]]
        for rule, allowed in RULES.items():
            cut = risk_cut(fitted, allowed(risk, len(fitted)))
            if cut < NEVER:
                found[rule].append((share_at(wrong, cut), share_at(right, cut)))
        if served:
            right, wrong = ([s for name in names[half:] for s in served[name][k]] for k in (0, 1))
            found["shipped"].append((share_at(wrong, 1.0), share_at(right, 1.0)))
    return {rule: _resplit_json(rows, risk, rounds) for rule, rows in found.items()}


def _by_record(questions: Sequence[Asked], choices: Sequence[Choice]) -> dict[str, tuple[list[float], list[float]]]:
    """Return `scores_of` by the record that each question was written for."""
    members: dict[str, tuple[list[float], list[float]]] = {}
    for asked, choice in zip(questions, choices, strict=True):
        right, wrong = members.setdefault(asked.record or asked.id, ([], []))
        one = scores_of([(asked, choice)])
        right += one[0]
        wrong += one[1]
    return members


def share_at(scores: Sequence[float], cut: float) -> float:
    """Return the share of scores that pass a cut; 0 where there are none."""
    return sum(s >= cut and s > LEAST_CUT for s in scores) / max(1, len(scores))


def _resplit_json(rows: Sequence[tuple[float, float]], risk: float, rounds: int) -> dict[str, float | int | None]:
    """Return the figures of the splits in which a cut was chosen: one that overrides nothing keeps every risk, and says nothing."""
    plain: dict[str, float | int | None] = {"rounds": rounds, "risk": risk, "chosen": len(rows)}
    if not rows:
        return plain | dict.fromkeys(("kept", "mean_risk", "worst_risk", "mean_right"))
    risks = [r for r, _ in rows]
    return plain | {
        "kept": round(sum(r <= risk for r in risks) / len(rows), 4),
        "mean_risk": round(sum(risks) / len(rows), 5),
        "worst_risk": round(max(risks), 5),
        "mean_right": round(sum(c for _, c in rows) / len(rows), 5),
    }
