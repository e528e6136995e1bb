"""Wordings of known topics as short vectors: how far a question and a record ask about one and the same topic.

Questions that depend on a place ("How fast may I drive in town?") name no subject, and each has near misses ("... with a trailer?") that
differ by a word. The bank holds, for each of some two thousand topics, many wordings in several languages, as the encoder sees them. A
text stands nearer to some topics than to others; where question and record stand by the same one, and by no other, they ask the same. It
tells topics apart that a comparison of two texts does not, since it has seen the near misses. Of a topic that it does not hold it knows nothing.

NumPy; inference only. `rag_edit.scope.training.bank` makes the file: vectors of wordings, less their mean, turned into the directions in
which they vary most, as int8 rows whose length says nothing.

Source: memory of labelled examples beside a network, Khandelwal et al. 2020 (arXiv:1911.00172); here over topics, by the nearest wording of each.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from rag_edit.core.digest import Digest, digest_bytes
from rag_edit.lm.bert import Floats

FILE: Final = "topics.safetensors"
_SHARPNESS: Final = np.float32(0.05)  # likeness by which a topic counts a third as much
_REMEMBERED: Final = 2048  # records' texts
_DECIMALS: Final = 5  # what batch mates change lies below


class TopicBank:
    """The opened bank. Calls do not change it."""

    def __init__(self, codes: NDArray[np.int8], starts: NDArray[np.int32], mean: Floats, basis: Floats, digest: Digest) -> None:
        """Take (wordings, dims) codes, where each topic's begin, and (dim,) mean and (dim, dims) basis of the encoder's vectors."""
        self._rows = _unit(codes.astype(np.float32))
        self._starts, self._mean, self._basis, self._digest = starts, mean, basis, digest

    @classmethod
    def open(cls, directory: Path) -> Self | None:
        """Return the bank of a scope model's folder; None where it has none.

        Raises:
            KeyError: the file lacks a tensor.
            SafetensorError: it is no safetensors file.
        """
        path = directory / FILE
        if not path.exists():
            return None
        held = load_file(path)
        mean, basis = held["mean"].astype(np.float32), held["basis"].astype(np.float32)
        return cls(held["codes"], held["starts"], mean, basis, digest_bytes(path.read_bytes()))

    @property
    def digest(self) -> Digest:
        """Return the name of the file."""
        return self._digest

    def likeness(self, vectors: Floats) -> Floats:
        """Return (n, topics) cosines of (n, dim) vectors with the nearest wording of each topic."""
        short: Floats = ((vectors - self._mean) @ self._basis).astype(np.float32)
        near = _unit(short) @ self._rows.T
        found: Floats = np.maximum.reduceat(near, self._starts, axis=1)
        return found

    def shares(self, vectors: Floats) -> Floats:
        """Return (n, topics) chances that (n, dim) texts stand for each topic, from their likeness to its nearest wording."""
        found = self.likeness(vectors)
        shares = np.exp((found - found.max(axis=1, keepdims=True)) / _SHARPNESS)
        chances: Floats = shares / shares.sum(axis=1, keepdims=True)
        return chances


class TopicReader:
    """A bank behind an encoder: reads pairs of texts. Safe to use from several threads: what is remembered changes time alone."""

    def __init__(self, vectors_of: Callable[[Sequence[str]], Floats], bank: TopicBank) -> None:
        """Take what gives texts' unit vectors, (n, dim), and a bank made from such vectors."""
        self._vectors_of, self._bank = vectors_of, bank
        self._known: OrderedDict[str, Floats] = OrderedDict()  # shares of records' texts
        self._lock = threading.Lock()

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return for each (question, record's wording), in order, how far the one stands where the other does, 0 to 1; see `agreement`."""
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        missing = [text for text in texts if text not in found]
        if missing:
            found |= zip(missing, self._bank.shares(self._vectors_of(missing)), strict=True)
        with self._lock:
            self._known |= {text: found[text] for _, text in pairs}
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return [agreement(found[question], found[record]) for question, record in pairs]


def agreement(asked: Floats, recorded: Floats) -> float:
    """Return how far a question stands for the topics that a record's text stands for, by their (topics,) chances.

    The chance that both stand for one topic, beside the chance that the record's text and itself do: 1 for a text and itself, also where it
    stands nowhere in particular, so that a topic which the bank does not hold costs nothing.
    """
    return round(min(1.0, float(asked @ recorded / (recorded @ recorded))), _DECIMALS)


def _unit(rows: Floats) -> Floats:
    found: Floats = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.float32(1e-6))
    return found
