"""The joint head: one logit for a question and a record, read together over the encoder's own token states.

The encoder's pass over a question is paid for the search already, and a record's states are kept from the day it was indexed. What
is left for a pair is a narrow transformer over the tokens of both, a small share of a pass. NumPy; inference only. The forward
pass is that of `rag_edit.scope.training.joint`, of which it keeps the names.

A text's states, (tokens, 2 * dim), are two layers of the encoder side by side, without special tokens and prefix. They are
standardised layer by layer, projected to the head's width, and kept as int8 with one scale a token: that form is what both
sides of a pair are read from, so a text says the same whether it comes from a file or from a pass just made.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from rag_edit.core.digest import Digest, digest_bytes
from rag_edit.lm.bert import Floats, gelu
from rag_edit.lm.blas import one_thread, processors
from rag_edit.lm.tokens import Tokens

_EPS: Final = np.float32(1e-5)
_BATCH: Final = 32  # pairs of like length: larger ones fall out of the processor's cache
_FAR: Final = np.float32(-1e4)
MAX_TOKENS: Final = 40  # of each side; of a longer question the last ones are read, of a longer record the first


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a pair: the tokens that are read, and which of them name the subject that both sides name.

    Attributes:
        states: (tokens, width) float32, at least one row.
        named: (tokens,) float32, 1 for a token of the name.
    """

    states: Floats
    named: Floats


class JointHead:
    """The opened head. Safe to share between threads: calls do not change it."""

    def __init__(self, weights: dict[str, Floats], shape: dict[str, int], digest: Digest) -> None:
        """Take float32 weights by their names in training, and the shape: ``d``, ``h``, ``layers``, ``dim``, ``simdim``, and the encoder's ``layer``."""
        self.weights, self._digest = weights, digest
        self.width, self._heads, self._layers, self._dim = shape["d"], shape["h"], shape["layers"], shape["dim"]
        self.layer = shape["layer"]

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Return the head stored in ``directory`` (``head.safetensors``, ``head.json``).

        Raises:
            FileNotFoundError: one of the files is missing.
        """
        weights = {name: tensor.astype(np.float32) for name, tensor in load_file(directory / "head.safetensors").items()}
        shape: dict[str, Any] = json.loads((directory / "head.json").read_text("utf-8"))["shape"]
        return cls(weights, {k: int(v) for k, v in shape.items()}, digest_bytes((directory / "head.safetensors").read_bytes()))

    @property
    def digest(self) -> Digest:
        """Return the name of the weights."""
        return self._digest

    def project(self, states: Floats, spans: NDArray[np.int32]) -> Tokens:
        """Return (tokens, 2 * dim) states of one text, or of many one after another, in the form that pairs are read from."""
        parts = states.reshape(len(states), 2, self._dim)
        centred = parts - parts.mean(-1, keepdims=True)
        centred /= np.sqrt((centred * centred).mean(-1, keepdims=True) + _EPS)
        found = centred.reshape(len(states), -1) @ self.weights["proj.weight"].T + self.weights["proj.bias"]
        scales = np.maximum(np.abs(found).max(-1), np.float32(1e-6)) / np.float32(127)
        return Tokens(np.rint(found / scales[:, None]).astype(np.int8), scales.astype(np.float32), spans)

    def score(self, pairs: Sequence[tuple[Side, Side]]) -> list[float]:
        """Return one logit for each (question, record), in order; above 0 leans to the same fact.

        Rounded to a thousandth: what a pair's batch mates change lies far below.
        """
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0].named) + len(pairs[i][1].named))
        parts = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
        logits = [0.0] * len(pairs)
        with one_thread() as held:
            if not held or len(parts) < 2:
                found = [self._logits([pairs[i] for i in part]) for part in parts]
            else:  # batches side by side, each on one thread
                with ThreadPoolExecutor(processors()) as pool:
                    found = list(pool.map(lambda part: self._logits([pairs[i] for i in part]), parts))
        for part, values in zip(parts, found, strict=True):
            for i, value in zip(part, values, strict=True):
                logits[i] = round(float(value), 3)
        return logits

    def _logits(self, pairs: Sequence[tuple[Side, Side]]) -> Floats:
        w, n = self.weights, len(pairs)
        q, q_named, q_real = _padded([left for left, _ in pairs])
        r, r_named, r_real = _padded([right for _, right in pairs])
        a, b = _unit(q @ w["sim.weight"].T), _unit(r @ w["sim.weight"].T)  # (n, tokens, simdim)
        alike = a @ b.transpose(0, 2, 1)
        alike = np.where(q_real[:, :, None] & r_real[:, None, :], alike, np.float32(-1))
        x = np.empty((n, 1 + q.shape[1] + r.shape[1], self.width), np.float32)
        x[:, 0] = w["cls"]
        middle = 1 + q.shape[1]
        x[:, 1:middle] = q + w["side"][0] + q_named[..., None] * w["flag"] + alike.max(2)[..., None] * w["best"][0]
        x[:, middle:] = r + w["side"][1] + r_named[..., None] * w["flag"] + alike.max(1)[..., None] * w["best"][1]
        real = np.concatenate([np.ones((n, 1), bool), q_real, r_real], 1)
        bias = None if bool(real.all()) else np.where(real, np.float32(0), _FAR)[:, None, None, :]
        for i in range(self._layers):
            x = self._layer(x, bias, f"layers.{i}.", only_first=i == self._layers - 1)
        first = _norm(x[:, 0], w["norm.weight"], w["norm.bias"])
        out: Floats = first @ w["out.weight"][0] + w["out.bias"][0]
        return out

    def _layer(self, x: Floats, bias: Floats | None, name: str, *, only_first: bool) -> Floats:
        """Return a layer's output; with ``only_first`` that of the first token alone, (n, 1, width)."""
        w, (n, t, d), heads = self.weights, x.shape, self._heads
        size = d // heads
        seen = _norm(x.reshape(-1, d), w[f"{name}n1.weight"], w[f"{name}n1.bias"])
        weight, offset = w[f"{name}qkv.weight"], w[f"{name}qkv.bias"]
        asking = seen.reshape(n, t, d)[:, :1].reshape(-1, d) if only_first else seen
        q = (asking @ weight[:d].T + offset[:d]).reshape(n, -1, heads, size).transpose(0, 2, 1, 3)
        k, v = (seen @ weight[d:].T + offset[d:]).reshape(n, t, 2, heads, size).transpose(2, 0, 3, 1, 4)
        scores = q @ k.transpose(0, 1, 3, 2) * np.float32(size**-0.5)
        if bias is not None:
            scores += bias
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ v).transpose(0, 2, 1, 3).reshape(-1, d)
        kept = x[:, :1].reshape(-1, d) if only_first else x.reshape(-1, d)
        kept = kept + mixed @ w[f"{name}o.weight"].T + w[f"{name}o.bias"]
        up = gelu(_norm(kept, w[f"{name}n2.weight"], w[f"{name}n2.bias"]) @ w[f"{name}up.weight"].T + w[f"{name}up.bias"])
        out: Floats = (kept + up @ w[f"{name}down.weight"].T + w[f"{name}down.bias"]).reshape(n, -1, d)
        return out


def _padded(sides: Sequence[Side]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return states (n, t, width), marks of the name (n, t) and which rows are real (n, t)."""
    longest = max(len(side.named) for side in sides)
    states = np.zeros((len(sides), longest, sides[0].states.shape[1]), np.float32)
    named = np.zeros((len(sides), longest), np.float32)
    real = np.zeros((len(sides), longest), bool)
    for row, side in enumerate(sides):
        count = len(side.named)
        states[row, :count], named[row, :count], real[row, :count] = side.states, side.named, True
    return states, named, real


def _unit(x: Floats) -> Floats:
    unit: Floats = x / np.maximum(np.sqrt(np.einsum("ntd,ntd->nt", x, x))[..., None], np.float32(1e-12))
    return unit


def _norm(x: Floats, weight: Floats, bias: Floats) -> Floats:
    centred: Floats = x - x.mean(-1, keepdims=True)
    centred *= 1 / np.sqrt((centred * centred).mean(-1, keepdims=True) + _EPS)
    centred *= weight
    centred += bias
    return centred
