"""A linear reader of turns: whether what a person says after an answer doubts it. For doubts in words that no rule knows.

One weight for each number of the encoder's vector of the turn, on a scale where each number varies alike; a logistic function; a
cut. `rag_edit.scope.training.doubts` makes the files: ``doubts.safetensors`` (weights) and ``doubts.json`` (the encoders that they
were made for, by digest, the cut, and what they were trained and measured on). It sees the turn alone: neither the answer nor any
record. NumPy; inference only.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from safetensors.numpy import load_file

from rag_edit.core.digest import Digest, digest_bytes
from rag_edit.lm.bert import Floats

FILE: Final = "doubts.safetensors"
MANIFEST: Final = "doubts.json"


@dataclass(frozen=True, slots=True)
class DoubtProbe:
    """The opened reader.

    Attributes:
        weights: (dim,) float32, for a unit vector as it is.
        bias: Added to the product.
        cut: Least chance of a doubt.
        digest: The name of weights and cut.
    """

    weights: Floats
    bias: float
    cut: float
    digest: Digest

    @classmethod
    def open(cls, directory: Path, encoder: str) -> Self | None:
        """Return the reader of a scope model's folder; None where it has none for this encoder.

        Args:
            directory: With both files, or without.
            encoder: The digest of the encoder whose vectors will be read.

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
        held = load_file(directory / FILE)
        digest = digest_bytes((directory / FILE).read_bytes() + path.read_bytes())
        return cls(held["weights"].astype(np.float32), float(held["bias"][0]), float(manifest["cut"]), digest)

    def chances(self, vectors: Floats) -> Floats:
        """Return (n,) chances of a doubt of (n, dim) unit vectors of turns."""
        found: Floats = 1 / (1 + np.exp(-(vectors @ self.weights + np.float32(self.bias))))
        return found


@dataclass(frozen=True, slots=True)
class DoubtReader:
    """A probe behind an encoder.

    Attributes:
        vectors_of: Gives texts' unit vectors, (n, dim).
        probe: Made for that encoder.
    """

    vectors_of: Callable[[Sequence[str]], Floats]
    probe: DoubtProbe

    @property
    def digest(self) -> Digest:
        """Return the name of the probe; whose encoder is named elsewhere."""
        return self.probe.digest

    def __call__(self, turns: Sequence[str]) -> list[bool]:
        """Return of each turn, said after an answer, whether it doubts it."""
        return [bool(chance >= self.probe.cut) for chance in self.probe.chances(self.vectors_of(turns))] if turns else []
