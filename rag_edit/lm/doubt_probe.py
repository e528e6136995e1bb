"""A small reader of turns: whether what a person says after an answer doubts it. For doubts in words that no rule knows.

A network of one hidden layer on the means, over a turn's tokens, of the encoder's states behind a middle layer and of its last ones: the
last layer was trained to tell topics apart, the middle one still holds in what tone and to whom something is said. Then a logistic
function and a cut. `rag_edit.scope.training.doubts` makes the files: ``doubts.safetensors`` (weights) and ``doubts.json`` (the
encoders that they were made for, by digest, the middle layer, the cut, and what they were trained and measured on). It sees the turn
alone: neither the answer nor any record. NumPy; inference only.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from safetensors.numpy import load_file

from rag_edit.core.digest import Digest, digest_bytes
from rag_edit.lm.bert import Floats, gelu

FILE: Final = "doubts.safetensors"
MANIFEST: Final = "doubts.json"
_REMEMBERED: Final = 4096  # turns: a conversation is read anew with each


@dataclass(frozen=True, slots=True)
class DoubtProbe:
    """The opened reader.

    Attributes:
        inner, inner_bias: (2 * dim, hidden) and (hidden,) float32, for means as they are.
        outer, bias: (hidden,) float32 and what is added.
        layer: The middle layer.
        cut: Least chance of a doubt.
        nearly: The same for a turn between an answer and a doubt.
        digest: The name of weights and manifest.
    """

    inner: Floats
    inner_bias: Floats
    outer: Floats
    bias: float
    layer: int
    cut: float
    nearly: float
    digest: Digest

    @classmethod
    def open(cls, directory: Path, encoder: str) -> Self | None:
        """Return the reader of a scope model's folder; None where it has none for this encoder.

        Args:
            directory: With both files, or without.
            encoder: The digest of the encoder whose states will be read.

        Raises:
            KeyError: the manifest or the file lacks a part.
            SafetensorError: it is no safetensors file.
        """
        path = directory / MANIFEST
        if not path.exists():
            return None
        manifest: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        if encoder not in manifest["encoders"].values():
            return None
        held = {name: array.astype(np.float32) for name, array in load_file(directory / FILE).items()}
        digest = digest_bytes((directory / FILE).read_bytes() + path.read_bytes())
        weights = (held["inner"], held["inner_bias"], held["outer"], float(held["bias"][0]))
        return cls(*weights, int(manifest["layer"]), float(manifest["cut"]), float(manifest["nearly"]), digest)

    def chances(self, means: Floats) -> Floats:
        """Return (n,) chances of a doubt of (n, 2 * dim) means of turns."""
        found: Floats = 1 / (1 + np.exp(-(gelu(means @ self.inner + self.inner_bias) @ self.outer + np.float32(self.bias))))
        return found


class DoubtReader:
    """A probe behind an encoder. Safe to use from several threads: what is remembered changes time alone."""

    def __init__(self, means_of: Callable[[Sequence[str], int], Floats], probe: DoubtProbe) -> None:
        """Take what gives texts' means, (n, 2 * dim), by text and middle layer, and a probe made for that encoder."""
        self._means_of, self._probe = means_of, probe
        self._known: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def digest(self) -> Digest:
        """Return the name of the probe; whose encoder is named elsewhere."""
        return self._probe.digest

    def __call__(self, turns: Sequence[str]) -> list[bool]:
        """Return of each turn, said after an answer, whether it doubts it."""
        return [chance >= self._probe.cut for chance in self._chances(turns)]

    def nearly(self, turns: Sequence[str]) -> list[bool]:
        """Return of each turn between an answer and a doubt whether it doubts that answer too."""
        return [chance >= self._probe.nearly for chance in self._chances(turns)]

    def _chances(self, turns: Sequence[str]) -> list[float]:
        with self._lock:
            found = {turn: self._known[turn] for turn in turns if turn in self._known}
        missing = [turn for turn in dict.fromkeys(turns) if turn not in found]
        if missing:
            chances = self._probe.chances(self._means_of(missing, self._probe.layer))
            found |= {turn: float(chance) for turn, chance in zip(missing, chances, strict=True)}
        with self._lock:
            self._known |= found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return [found[turn] for turn in turns]
