"""The pair encoder: one logit for (what is asked, what a record answers), from the packaged scope model: the second look.

A 6-layer BERT (MiniLM) with a score on its first token, stored as int8 rows with one float scale a row and widened at
load. It knows texts only: what to cut out of them and what a logit is worth is `rag_edit.scope.trained`'s. The forward
pass is `rag_edit.lm.bert`'s, in NumPy, with both texts in segment 0.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from rag_edit.lm.bert import Bert, BertShape
from rag_edit.lm.blas import one_thread, processors

PAIR_DIRECTORY: Final = Path(__file__).resolve().parent.parent / "scope" / "model" / "pair"
MAX_TOKENS: Final = 96  # both texts together; the longer one is cut
_BATCH: Final = 16  # pairs of like length: larger ones fall out of the processor's cache
_HEADS: Final = 12


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return all tensors of an artefact in float32; ``NAME.scale`` (rows,) widens the int8 tensor ``NAME`` (rows, columns)."""
    stored = load_file(path)
    return {
        name: tensor.astype(np.float32) * stored[f"{name}.scale"][:, None]
        if tensor.dtype == np.int8
        else tensor.astype(np.float32)
        for name, tensor in stored.items()
        if not name.endswith(".scale")
    }


class PairEncoder:
    """The opened model. Safe to share between threads: calls do not change it."""

    def __init__(self, weights: dict[str, NDArray[np.float32]], tokenizer: Tokenizer) -> None:
        """Take widened weights under BERT's names, as `read_weights` returns them, and a tokenizer with a pair template."""
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        layers = 1 + max(int(name.split(".")[3]) for name in weights if name.startswith("bert.encoder.layer."))
        positions = weights["bert.embeddings.position_embeddings.weight"].shape[0]
        self._bert = Bert(BertShape(_HEADS, layers, 1e-12, positions), weights)
        self._pool = (weights["bert.pooler.dense.weight"], weights["bert.pooler.dense.bias"])  # (384, 384), (384,)
        self._score = (weights["classifier.weight"][0], float(weights["classifier.bias"][0]))  # (384,), ()

    @classmethod
    def open(cls, directory: Path = PAIR_DIRECTORY) -> Self:
        """Return the model stored in ``directory`` (``model.safetensors``, ``tokenizer.json``).

        Raises:
            FileNotFoundError: one of the files is missing.
        """
        return cls(read_weights(directory / "model.safetensors"), Tokenizer.from_file(str(directory / "tokenizer.json")))

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return one logit for each (question text, record text), in order; above 0 leans to the same fact.

        Rounded to a thousandth: what a pair's batch mates change lies far below.
        """
        if not pairs:
            return []
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(pairs))]
        order = sorted(range(len(pairs)), key=lambda i: len(ids[i]))
        parts = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
        with (
            one_thread()
        ):  # batches side by side, each on one thread: splitting one product over threads costs more than it gives
            if len(parts) == 1:
                found = [self._logits([ids[i] for i in parts[0]])]
            else:
                with ThreadPoolExecutor(processors()) as pool:
                    found = list(pool.map(lambda part: self._logits([ids[i] for i in part]), parts))
        logits = [0.0] * len(pairs)
        for part, values in zip(parts, found, strict=True):
            for i, value in zip(part, values, strict=True):
                logits[i] = round(float(value), 3)
        return logits

    def _logits(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the (n,) logits of one batch of token ids, padded to its longest."""
        lengths = np.array([len(own) for own in ids], np.int64)
        padded = np.zeros((len(ids), int(lengths.max())), np.int64)
        for row, own in enumerate(ids):
            padded[row, : len(own)] = own
        first = self._bert.hidden(padded, lengths)[:, 0]  # (n, 384)
        pooled = np.tanh(first @ self._pool[0].T + self._pool[1])
        logits: NDArray[np.float32] = pooled @ self._score[0] + self._score[1]
        return logits
