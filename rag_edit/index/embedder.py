"""The seam to an encoder: texts in, unit vectors out.

The real ones live in `rag_edit.lm`; `rag_edit.testing.FakeEmbedder` is the shipped fake. Nothing here knows a model.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from rag_edit.core.errors import PartitionError

Vectors = npt.NDArray[np.float32]
Kind = Literal["query", "record"]

_NORM_TOLERANCE = 1e-2


class Embedder(Protocol):
    """An encoder of short texts.

    Attributes:
        digest: Names everything that changes the output: weights, pooling, prefixes, precision, length limit.
        dim: Length of a vector.
    """

    @property
    def digest(self) -> str:
        """Return the name of everything that changes the output."""

    @property
    def dim(self) -> int:
        """Return the length of a vector."""

    def encode(self, texts: Sequence[str], *, kind: Kind, progress: Callable[[int], None] | None = None) -> Vectors:
        """Return one unit vector a text, in the order given.

        Args:
            texts: Any number of texts, none included; the encoder batches and sorts as it likes.
            kind: Whether they are questions asked or texts of records; some encoders prefix them differently.
            progress: Called with the number of texts done since the last call.

        Returns:
            (len(texts), dim) float32, rows of norm 1.
        """


def encode_checked(
    embedder: Embedder, texts: Sequence[str], *, kind: Kind, progress: Callable[[int], None] | None = None
) -> Vectors:
    """Return ``embedder.encode(...)`` after checking what the index relies on.

    Raises:
        PartitionError: wrong shape, a value that is not finite, or rows that are not of norm 1.
    """
    if not texts:
        return np.empty((0, embedder.dim), dtype=np.float32)
    vectors = np.ascontiguousarray(embedder.encode(texts, kind=kind, progress=progress), dtype=np.float32)
    if vectors.shape != (len(texts), embedder.dim):
        raise PartitionError(f"encoder {embedder.digest}: wanted shape {(len(texts), embedder.dim)}, found {vectors.shape}")
    off = np.abs(np.linalg.norm(vectors, axis=1) - 1.0)
    if not bool(np.all(off <= _NORM_TOLERANCE)):  # NaN compares false, so it is caught too
        worst = int(np.argmax(np.nan_to_num(off, nan=np.inf)))
        raise PartitionError(
            f"encoder {embedder.digest}: wanted finite vectors of norm 1, found norm {float(np.linalg.norm(vectors[worst]))}"
            f" for {texts[worst][:40]!r}"
        )
    return vectors
