"""Fakes for our tests and for those of users: the real seams, without weights, deterministic and fast."""

import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt


class FakeEmbedder:
    """An encoder that hashes character trigrams: texts that share many letters are near, nothing is learned.

    Attributes:
        encoded: Every text encoded as a record, in order; tests read it to see what was encoded again.
    """

    def __init__(self, dim: int = 64, salt: str = "") -> None:
        self._dim, self._salt = dim, salt
        self.encoded: list[str] = []

    @property
    def digest(self) -> str:
        """Return a name that tells fakes of other dimensions or salts apart."""
        return f"sha256:{hashlib.sha256(f'fake-trigrams:{self._dim}:{self._salt}'.encode()).hexdigest()}"

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._dim

    def encode(
        self, texts: Sequence[str], *, kind: Literal["query", "record"], progress: Callable[[int], None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return one unit vector a text, (n, dim) float32: signed counts of hashed trigrams."""
        out = np.zeros((len(texts), self._dim), dtype=np.float32)
        for row, text in enumerate(texts):
            padded = f"  {text.casefold()} "
            for start in range(len(padded) - 2):
                code = zlib.crc32(f"{self._salt}{padded[start : start + 3]}".encode("utf-8", "surrogatepass"))
                out[row, code % self._dim] += 1.0 if code & 0x10000 else -1.0
            norm = float(np.linalg.norm(out[row]))
            if norm == 0.0:  # every count cancelled
                out[row, 0] = norm = 1.0
            out[row] /= norm
        if kind == "record":
            self.encoded.extend(texts)
        if progress is not None:
            progress(len(texts))
        return out
