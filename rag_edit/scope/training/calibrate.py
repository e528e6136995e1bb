"""The last stage fitted: logistic weights on named features, thresholds by risk control, reliability bins.

Fitted on the tuning part of the development suites only. Suites count alike, whatever their size.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rag_edit.scope.risk import allowed_confident, allowed_expected, reliability, risk_cut
from rag_edit.scope.trained import FEATURES, SECOND, Calibration, LastStage, features, is_repeat, probability, second_features
from rag_edit.scope.training.evaluate import Outcome, best

# Weights that must not change sign, whatever the data say: a better match may not lower the score.
SIGNS: Final[Mapping[str, int]] = {
    **{name: 1 for name in FEATURES if name.startswith(("logit_", "dense_", "overlap_", "agree_"))},
    **dict.fromkeys(SECOND, 1),
    "abroad_named": 1,
    "absent": -1,
    "missing": -1,
    "longer": -1,
}


LOWEST: Final = 0.05  # no threshold lies below


@dataclass(frozen=True, slots=True)
class Example:
    """One candidate of one question: its features, whether it is right, and what its group counts together."""

    named: Mapping[str, float]
    is_right: bool
    group: tuple[str, str]


def examples_of(outcomes: Sequence[Outcome], last: LastStage | None, skip: frozenset[str]) -> list[Example]:
    """Return of each question the right candidate and the wrong one that ``last`` holds likeliest; all wrong ones without it.

    A question is lost to its likeliest wrong candidate: that is what has to be told apart. Repeats of a record's words are left out.
    """
    found = []
    for outcome in outcomes:
        if outcome.asked.kind in skip:
            continue
        seen = [
            (name == outcome.asked.record and outcome.asked.is_in_scope, e) for name, e in outcome.evidence if not is_repeat(e)
        ]
        wrong = [evidence for is_right, evidence in seen if not is_right]
        if last is not None:
            wrong = sorted(wrong, key=lambda evidence: -probability(evidence, last).value)[:1]
        group = (outcome.suite, outcome.asked.kind)
        found += [Example(features(evidence), True, group) for is_right, evidence in seen if is_right]
        found += [Example(features(evidence), False, group) for evidence in wrong]
    return found


def fit(
    outcomes: Sequence[Outcome], *, skip: frozenset[str] = frozenset(), further: Sequence[Example] = (), rounds: int = 3
) -> LastStage:
    """Return weights for the first sight, fitted again and again on what the fit before finds hardest.

    Args:
        outcomes: questions to fit on.
        skip: kinds of question left out.
        further: examples from elsewhere, in every round.
        rounds: how often.
    """
    last: LastStage | None = None
    for _ in range(rounds):
        last = LastStage(logistic([*examples_of(outcomes, last, skip), *further]))
    assert last is not None
    return last


def fit_second(outcomes: Sequence[Outcome], *, skip: frozenset[str] = frozenset()) -> Calibration:
    """Return weights for the second look, fitted on the pairs that got one.

    Only suites in English count: where the language of a question is not told, an English pair encoder is not to be trusted.
    """
    return logistic(
        [
            Example(second_features(e), o.asked.is_in_scope and name == o.asked.record, (o.suite, o.asked.kind))
            for o in outcomes
            if o.asked.kind not in skip and (not o.suite.startswith("language_") or o.suite == "language_en")
            for name, e in o.evidence
            if e.pair_logit is not None
        ]
    )


def logistic(examples: Sequence[Example], *, ridge: float = 1.0, steps: int = 3000, rate: float = 0.05) -> Calibration:
    """Return weights that minimise the weighted log loss with a ridge, each sign kept as `SIGNS` says (projected gradient).

    A group counts by the root of its size, so that a large suite does not drown a small one. Deterministic: full batches, no
    random start.
    """
    names = sorted(examples[0].named)
    x = np.array([[example.named[n] for n in names] for example in examples])  # (n, features)
    y = np.array([float(example.is_right) for example in examples])
    sizes = Counter((example.group, example.is_right) for example in examples)
    weight = np.array([sizes[example.group, example.is_right] ** -0.5 for example in examples])
    spread = np.maximum(x.std(axis=0), 1e-6)
    x = np.column_stack([x / spread, np.ones(len(x))])
    signs = np.array([SIGNS.get(n, 0) for n in names] + [0])
    w = np.zeros(x.shape[1])
    step, square = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, steps + 1):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ w, -40, 40)))
        gradient = x.T @ (weight * (p - y)) / weight.sum() + ridge * np.append(w[:-1], 0.0) / len(y)
        step, square = 0.9 * step + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        w -= rate * (step / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-9)
        w = np.where(signs > 0, np.maximum(w, 0), np.where(signs < 0, np.minimum(w, 0), w))
    return Calibration(
        {n: round(float(v / s), 6) for n, v, s in zip(names, w[:-1], spread, strict=True)}, round(float(w[-1]), 6)
    )


def with_local(last: LastStage, examples: Sequence[Example], cut: float, risk: float) -> LastStage:
    """Return the last stage with the weights of the regime ``local`` fitted on examples of their own.

    Its intercept is set so that, at ``cut``, the share of questions whose likeliest wrong candidate would win just keeps the risk: what
    other regimes need for a cut is not their business.

    Args:
        last: fitted for the other regimes.
        examples: of questions to records of jurisdictions; a group a question.
        cut: the common threshold.
        risk: share of wrong overrides, one added to the count.
    """
    names = ["logit_local", "agree_local"]
    own = [Example({name: example.named[name] for name in names}, example.is_right, ("local", "")) for example in examples]
    found = logistic(own)
    weights = {**last.first.weights, **found.weights}
    weights["local"] = round(found.bias - last.first.bias, 6)
    best: dict[tuple[str, str], list[float]] = {}  # of each question: its likeliest wrong candidate, its right one
    for example in examples:
        total = found.bias + sum(weights[name] * example.named[name] for name in names)
        pair = best.setdefault(example.group, [0.0, 0.0])
        pair[example.is_right] = max(pair[example.is_right], 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, total)))))
    worst = [wrong if wrong > right else 0.0 for wrong, right in best.values()]
    needed = max(LOWEST, min(0.999, risk_cut(worst, allowed_expected(risk, len(worst)))))
    weights["local"] = round(weights["local"] - math.log(needed / (1 - needed)) + math.log(cut / (1 - cut)), 6)
    return replace(last, first=Calibration(weights, last.first.bias))


def held_back(last: LastStage, outcomes: Sequence[Outcome], regime: str, cut: float, risk: float) -> LastStage:
    """Return the last stage with one regime's intercept lowered until its wrong overrides keep the risk at ``cut``.

    Args:
        last: fitted.
        outcomes: questions out of scope in that regime.
        regime: the feature that is 1 there and 0 elsewhere.
        cut: the common threshold.
        risk: share of wrong overrides, in expectation: one question stands there in many languages, so that its errors come together.
    """
    own = risk_threshold(outcomes, last, risk, confident=False)
    if own <= cut:
        return last
    shift = math.log(own / (1 - own)) - math.log(cut / (1 - cut))
    weights = {**last.first.weights, regime: round(last.first.weights[regime] - shift, 6)}
    return replace(last, first=Calibration(weights, last.first.bias))


def risk_threshold(outcomes: Sequence[Outcome], last: LastStage, risk: float, *, confident: bool = True) -> float:
    """Return the lowest threshold at which the wrong overrides of ``outcomes`` show a risk below ``risk``, with 95 % confidence or in expectation.

    A wrong override is any override of a question out of scope, or by another record of one in scope. 1.0 where no threshold does.
    """
    wrong = []
    for outcome in outcomes:
        value, name = best(outcome, last)
        wrong.append(value if not outcome.asked.is_in_scope or name != outcome.asked.record else 0.0)
    allowed = allowed_confident if confident else allowed_expected
    return min(1.0, max(LOWEST, risk_cut(wrong, allowed(risk, len(wrong)))))


def reliability_of(outcomes: Sequence[Outcome], last: LastStage) -> tuple[list[dict[str, float]], float]:
    """Return for each tenth of the winner's probability the mean probability and the share right, and the expected calibration error."""
    scored = [
        (value, outcome.asked.is_in_scope and name == outcome.asked.record)
        for outcome in outcomes
        for value, name in [best(outcome, last)]
        if name
    ]
    table, error = reliability(scored)
    rows = [{"from": b.start, "n": b.n, "probability": round(b.said, 4), "right": round(b.right, 4)} for b in table]
    return rows, round(error, 5)
