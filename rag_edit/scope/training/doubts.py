"""Training of the linear reader of doubts: logistic regression on vectors of turns, its cut, and the files that ship.

Newton's method with a ridge, on numbers of mean 0 and variance 1; all seeds are arguments, no step depends on order. The cut is chosen
on chances that each turn gets from weights trained without it (five folds by turn as written, so that no two fillings of one turn stand on both
sides). This module knows no encoder and makes no vectors.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from rag_edit.core.digest import digest_file
from rag_edit.scope.training.turns import Example

Floats = NDArray[np.float64]
FILE: Final = "doubts.safetensors"
MANIFEST: Final = "doubts.json"
RIDGE: Final = 30.0
RISK: Final = 0.01  # share of turns of another kind that may be taken for a doubt
FOLDS: Final = 5
_STEPS: Final = 30
_FLOOR: Final = 1e-3  # standard deviation below which a number says nothing


def fit(vectors: Floats, doubts: Floats, weights: Floats, ridge: float = RIDGE) -> tuple[Floats, float]:
    """Return (dim,) weights and bias of the logistic regression, for vectors as they are.

    Args:
        vectors: (n, dim).
        doubts: (n,) ones and zeros.
        weights: (n,) how much each counts.
        ridge: Penalty on the squares of weights, on numbers of variance 1.

    Source: iteratively reweighted least squares, e.g. Bishop 2006, section 4.3.3.
    """
    mean = np.average(vectors, axis=0, weights=weights)
    scale = np.sqrt(np.average((vectors - mean) ** 2, axis=0, weights=weights))
    scale[scale < _FLOOR] = math.inf
    inputs = np.hstack([(vectors - mean) / scale, np.ones((len(vectors), 1))])  # (n, dim + 1)
    penalty = np.full(inputs.shape[1], ridge)
    penalty[-1] = 0.0  # the bias is free
    beta = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(inputs @ beta)))
        gradient = inputs.T @ (weights * (doubts - chance)) - penalty * beta
        curvature = (inputs * (weights * chance * (1 - chance))[:, None]).T @ inputs + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        beta += step
        if float(np.abs(step).max()) < 1e-6:
            break
    own = beta[:-1] / scale
    return own, float(beta[-1] - own @ mean)


def chances(vectors: Floats, own: Floats, bias: float) -> Floats:
    """Return (n,) chances of a doubt."""
    found: Floats = 1 / (1 + np.exp(-(vectors @ own + bias)))
    return found


def unseen_chances(examples: Sequence[Example], vectors: Floats, ridge: float = RIDGE) -> Floats:
    """Return (n,) chances by weights that were trained without the turn that an example was made of."""
    doubts, weights, groups = as_arrays(examples)
    found = np.zeros(len(examples))
    for fold in range(FOLDS):
        held = groups % FOLDS == fold
        own, bias = fit(vectors[~held], doubts[~held], weights[~held], ridge)
        found[held] = chances(vectors[held], own, bias)
    return found


def as_arrays(examples: Sequence[Example]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return labels, weights and groups, (n,) each."""
    return (
        np.array([float(each.doubts) for each in examples]),
        np.array([each.weight for each in examples]),
        np.array([each.group for each in examples], np.int64),
    )


def choose_cut(examples: Sequence[Example], unseen: Floats, risk: float = RISK) -> float:
    """Return the lowest cut, to the thousandth above, at which written and banked turns each keep the risk of a false alarm."""
    cuts = []
    for banked in (False, True):
        own = [(c, e.weight) for c, e in zip(unseen, examples, strict=True) if not e.doubts and (e.kind == "bank") is banked]
        least, left = 0.5, risk * sum(weight for _, weight in own)
        for chance, weight in sorted(own, reverse=True):
            left -= weight
            if left < 0:
                least = chance
                break
        cuts.append(least)
    return math.floor(max(cuts) * 1000 + 1) / 1000


def shares(examples: Sequence[Example], unseen: Floats, cut: float) -> dict[str, float]:
    """Return by kind the share of turns that are taken for doubts, weighted."""
    found: dict[str, list[float]] = {}
    for each, chance in zip(examples, unseen, strict=True):
        kind = f"{'doubt' if each.doubts else 'other'}/{each.kind}"
        sums = found.setdefault(kind, [0.0, 0.0])
        sums[0] += each.weight * float(chance >= cut)
        sums[1] += each.weight
    return {kind: round(taken / whole, 4) for kind, (taken, whole) in sorted(found.items())}


def train(
    examples: Sequence[Example], encode: Callable[[Sequence[str]], NDArray[np.float32]], target: Path, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Write weights and manifest into ``target`` and return the manifest.

    Args:
        examples: From `rag_edit.scope.training.turns`.
        encode: Unit vectors of texts, (n, dim), by the encoder that the reader is for.
        target: The folder of that encoder's scope model.
        facts: What else the manifest says: ``encoders`` (names to digests), seed, commit.
    """
    vectors = encode([each.text for each in examples]).astype(np.float64)
    doubts, weights, _ = as_arrays(examples)
    unseen = unseen_chances(examples, vectors)
    cut = choose_cut(examples, unseen)
    own, bias = fit(vectors, doubts, weights)
    save_file({"weights": own.astype(np.float32), "bias": np.array([bias], np.float32)}, target / FILE)
    manifest = {
        "format": 1,
        **facts,
        "files": {FILE: digest_file(target / FILE)},
        "examples": len(examples),
        "ridge": RIDGE,
        "cut": cut,
        "cut_chosen_on": f"{RISK} false alarms on written and on banked turns each, by weights trained without them, {FOLDS} folds",
        "taken_for_doubts_unseen": shares(examples, unseen, cut),
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    return manifest
