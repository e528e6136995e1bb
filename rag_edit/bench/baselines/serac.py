"""SERAC-style scope classifier: a small network on the sentence vectors of a question and a record's wording.

Two layers on [u * v, |u - v|], trained on the train sets only, without cutting names out. Positives are two wordings of one edit;
negatives are the same question with the wording of another edit, one drawn at random and the two nearest by cosine. At test time
the 32 nearest records by cosine are judged (the original judges all) and the most probable one is chosen.

Source: Mitchell et al. 2022 (arXiv:2206.06520), section 3; its classifier is a fine-tuned language model, this one is what the
same idea gives on a frozen encoder in seconds.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from rag_edit.bench.baselines.memory import CHUNK, Memory, Vectors, cosines
from rag_edit.bench.figures import NOTHING, Choice
from rag_edit.core.digest import Digest, digest_file, digest_json
from rag_edit.scope.training.relations import read_relations
from rag_edit.scope.training.sources import Row, counterfact, pokemqa, zsre

TRAIN: Final = ("counterfact/train", "pokemqa_scope/train", "zsre/train")
HELD_OUT: Final = ("counterfact_hard", "counterfact", "halluedit", "qaedit", "mcounterfact_de", "bizsre")  # their dev halves
SHORTLIST: Final = 32
HARD: Final = 2
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network of one hidden layer.

    Attributes:
        w1, b1: (2 d, hidden) and (hidden,) float32.
        w2, b2: (hidden,) and () float32.
    """

    w1: Floats
    b1: Floats
    w2: Floats
    b2: Floats

    def probability(self, u: Floats, v: Floats) -> Floats:
        """Return the probability (n,) that question ``u`` (n, d) asks for what wording ``v`` (n, d) asks."""
        hidden = np.maximum(0.0, _pair(u, v) @ self.w1 + self.b1)
        logit = np.clip(hidden @ self.w2 + self.b2, -30, 30)
        return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the arrays."""
        np.savez(path, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what `save` wrote."""
        with np.load(path) as found:
            return cls(*(found[f.name] for f in fields(cls)))


def _pair(u: Floats, v: Floats) -> Floats:
    return np.concatenate([u * v, np.abs(u - v)], axis=-1)


def data_digest(data: Path) -> Digest:
    """Return one digest over the files that the rows come from.

    Raises:
        OSError: one is not there.
    """
    names = (*TRAIN, *(f"{name}/dev" for name in HELD_OUT))
    return digest_json({name: digest_file(data / f"{name}.jsonl") for name in names})


def train_rows(data: Path, each: int, seed: int) -> list[Row]:
    """Return up to ``each`` rows of every train set, drawn by ``seed``; what stands in a development half is dropped.

    Raises:
        OSError: a train set is not there.
    """
    rng, dropped = np.random.default_rng(seed), Counter[str]()
    kept: list[Row] = []
    for source in (counterfact(data, read_relations(), dropped), pokemqa(data, dropped), zsre(data, dropped)):
        rows = [row for row in source if len(row.asks) > 1]
        kept += [rows[i] for i in sorted(rng.permutation(len(rows))[:each])]
    return kept


def train(
    rows: Sequence[Row],
    encode: Callable[[Sequence[str]], Floats],
    *,
    seed: int,
    hidden: int = 64,
    epochs: int = 20,
    rate: float = 1e-3,
) -> Classifier:
    """Return a classifier fitted by Adam on the log loss, positives and negatives counted alike.

    Args:
        rows: From `train_rows`; at least four.
        encode: Texts to unit vectors (n, d).
        seed: Of the random negatives, the start and the batches.
        hidden: Units of the hidden layer.
        epochs: Passes over the pairs.
        rate: Of Adam.
    """
    rng = np.random.default_rng(seed)
    asked, said = (encode([row.asks[k].replace("{}", row.subject) for row in rows]) for k in (1, 0))
    left, right, label = _pairs(asked, said, rng)
    x, y = _pair(asked[left], said[right]), label
    weight = np.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean())).astype(np.float32)
    wide = x.shape[1]
    values = [
        rng.normal(0, np.sqrt(2 / wide), (wide, hidden)).astype(np.float32),
        np.zeros(hidden, np.float32),
        rng.normal(0, np.sqrt(1 / hidden), hidden).astype(np.float32),
        np.zeros((), np.float32),
    ]
    step, square = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    t = 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(order), 256):
            t += 1
            at = order[start : start + 256]
            for k, gradient in enumerate(_gradients(values, x[at], y[at], weight[at])):
                step[k] = 0.9 * step[k] + 0.1 * gradient
                square[k] = 0.999 * square[k] + 0.001 * gradient**2
                move = (step[k] / (1 - 0.9**t)) / (np.sqrt(square[k] / (1 - 0.999**t)) + 1e-8)
                values[k] = (values[k] - rate * move).astype(np.float32)
    return Classifier(*(np.asarray(v, dtype=np.float32) for v in values))


def _pairs(asked: Floats, said: Floats, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return question rows, wording rows and labels of all pairs."""
    count = len(asked)
    left, right, label = [np.arange(count)], [np.arange(count)], [np.ones(count)]
    left.append(np.arange(count))
    right.append((np.arange(count) + rng.integers(1, count, count)) % count)
    near = min(HARD, count - 1)
    for start in range(0, count, CHUNK):
        rows = np.arange(start, min(count, start + CHUNK))
        found = asked[rows] @ said.T
        found[np.arange(len(rows)), rows] = -np.inf
        best = np.argpartition(-found, near - 1, axis=1)[:, :near]
        left.append(np.repeat(rows, near))
        right.append(best.ravel())
    label.append(np.zeros(sum(map(len, left)) - count))
    return np.concatenate(left), np.concatenate(right).astype(np.int64), np.concatenate(label).astype(np.float32)


def _gradients(values: Sequence[Floats], x: Floats, y: Floats, weight: Floats) -> list[Floats]:
    w1, b1, w2, b2 = values
    before = x @ w1 + b1
    after = np.maximum(0.0, before)
    p = 1.0 / (1.0 + np.exp(-np.clip(after @ w2 + b2, -30, 30)))
    off = weight * (p - y) / len(y)  # (n,)
    back = np.outer(off, w2) * (before > 0)
    return [x.T @ back, back.sum(axis=0), after.T @ off, np.asarray(off.sum())]


def choices(classifier: Classifier, memory: Memory, vectors: Vectors) -> list[Choice]:
    """Return for each question the most probable of the nearest records, with its probability."""
    if not memory.ids:
        return [NOTHING] * len(vectors)
    found, some = [], min(SHORTLIST, len(memory.keys))
    for vector, row in zip(vectors, cosines(memory, vectors), strict=True):
        rows = np.sort(np.argpartition(-row, some - 1)[:some])
        said = classifier.probability(np.broadcast_to(vector, (some, len(vector))), memory.keys[rows])
        best = int(said.argmax())
        found.append(Choice(memory.ids[int(memory.owner[rows[best]])], float(said[best])))
    return found
