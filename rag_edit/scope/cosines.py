"""Cosines of pairs of short texts, over an injected encoder; texts seen lately are not encoded again.

This is what makes a `Relate` out of an encoder. The memory is a plain table of the newest texts: results never depend on it.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
"""Texts to L2-normalised rows, float32 (n, dim)."""
KEPT: Final = 20_000  # texts; 30 MB at 384 dimensions


class Cosines:
    """Cosine of each pair of texts."""

    __slots__ = ("_encode", "_kept", "_rows")

    def __init__(self, encode: Encode, kept: int = KEPT) -> None:
        self._encode, self._kept = encode, kept
        self._rows: OrderedDict[str, Vectors] = OrderedDict()

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the cosines, in order. All new texts go to the encoder in one call."""
        wanted = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = {text: self._rows[text] for text in wanted if text in self._rows}
        new = [text for text in wanted if text not in rows]
        if new:
            rows |= zip(new, self._encode(new), strict=True)
        for text in wanted:
            self._rows[text] = rows[text]
            self._rows.move_to_end(text)
        while len(self._rows) > self._kept:
            self._rows.popitem(last=False)
        return [float(rows[a] @ rows[b]) for a, b in pairs]
