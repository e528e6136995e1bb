"""The last stage fitted: logistic weights on named features, thresholds by risk control, reliability bins.

Fitted on the tuning part of the development suites only. Suites count alike, whatever their size.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_edit.scope.trained import Calibration, features, is_repeat
from rag_edit.scope.training.evaluate import Outcome, best

# Weights that must not change sign, whatever the data say: a better match may not lower the score.
SIGNS: Final[Mapping[str, int]] = {
    "logit": 1,
    "logit_unnamed": 1,
    "dense_unnamed": 1,
    "overlap": 1,
    "overlap_unnamed": 1,
    "absent": -1,
    "dense_plain": 1,
    "missing": -1,
    "fuzzy": -1,
    "longer": -1,
    "number": -1,
}


def rows_of(
    outcomes: Sequence[Outcome], *, skip: frozenset[str] = frozenset()
) -> tuple[list[dict[str, float]], NDArray[np.float64], NDArray[np.float64]]:
    """Return features, labels (n,) and weights (n,) of all candidates of the questions; repeats of a record's words left out."""
    named: list[dict[str, float]] = []
    labels: list[float] = []
    groups: list[tuple[str, bool]] = []
    for outcome in outcomes:
        if outcome.asked.kind in skip:
            continue
        for name, evidence in outcome.evidence:
            if is_repeat(evidence):
                continue
            label = outcome.asked.is_in_scope and name == outcome.asked.record
            named.append(features(evidence))
            labels.append(float(label))
            groups.append((outcome.suite, label))
    sizes = Counter(groups)
    return named, np.array(labels), np.array([len(groups) / len(sizes) / sizes[g] for g in groups])


def fit(
    outcomes: Sequence[Outcome],
    *,
    skip: frozenset[str] = frozenset(),
    ridge: float = 1.0,
    rounds: int = 4000,
    rate: float = 0.05,
) -> Calibration:
    """Return weights that minimise the weighted log loss with a ridge, each sign kept as `SIGNS` says (projected gradient).

    Deterministic: full batches, no random start.
    """
    named, y, weight = rows_of(outcomes, skip=skip)
    names = sorted(named[0])
    x = np.array([[row[n] for n in names] for row in named])  # (n, features)
    spread = np.maximum(x.std(axis=0), 1e-6)
    x = np.column_stack([x / spread, np.ones(len(x))])
    signs = np.array([SIGNS.get(n, 0) for n in names] + [0])
    w = np.zeros(x.shape[1])
    step, square = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, rounds + 1):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ w, -40, 40)))
        gradient = x.T @ (weight * (p - y)) / weight.sum() + ridge * np.append(w[:-1], 0.0) / len(y)
        step, square = 0.9 * step + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        w -= rate * (step / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-9)
        w = np.where(signs > 0, np.maximum(w, 0), np.where(signs < 0, np.minimum(w, 0), w))
    return Calibration(
        {n: round(float(v / s), 6) for n, v, s in zip(names, w[:-1], spread, strict=True)}, round(float(w[-1]), 6)
    )


def risk_threshold(outcomes: Sequence[Outcome], calibration: Calibration, risk: float) -> float:
    """Return the lowest threshold whose share of wrong overrides, one added to the count, stays within ``risk``.

    A wrong override is any override of a question out of scope, or by another record of one in scope. The one that is added
    makes the bound hold for the next question. Source: Angelopoulos et al. 2022 (arXiv:2208.02814), eq. 4.
    """
    losses = []
    for outcome in outcomes:
        value, name = best(outcome, calibration)
        losses.append(value if not outcome.asked.is_in_scope or name != outcome.asked.record else -1.0)
    ordered = np.sort(np.array(losses))[::-1]
    allowed = int(np.floor(risk * (len(ordered) + 1) - 1))  # wrong overrides that may stay
    if allowed < 0:
        return 1.0
    return float(min(1.0, max(ordered[allowed] + 1e-6, 0.05))) if allowed < len(ordered) else 0.05


def reliability(outcomes: Sequence[Outcome], calibration: Calibration, bins: int = 10) -> tuple[list[dict[str, float]], float]:
    """Return for each tenth of the winner's probability the mean probability and the share right, and the expected calibration error."""
    pairs = [
        (value, outcome.asked.is_in_scope and name == outcome.asked.record)
        for outcome in outcomes
        for value, name in [best(outcome, calibration)]
        if name
    ]
    values, hits = np.array([v for v, _ in pairs]), np.array([h for _, h in pairs], dtype=float)
    which = np.minimum((values * bins).astype(int), bins - 1)
    table, error = [], 0.0
    for b in range(bins):
        inside = which == b
        if inside.any():
            gap = abs(float(values[inside].mean()) - float(hits[inside].mean()))
            error += gap * float(inside.mean())
            table.append(
                {
                    "from": b / bins,
                    "n": int(inside.sum()),
                    "probability": round(float(values[inside].mean()), 4),
                    "right": round(float(hits[inside].mean()), 4),
                }
            )
    return table, round(error, 5)
