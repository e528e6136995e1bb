"""GRACE-style codebook: each edit is a key with a deferral radius; a question inside the nearest key's radius gets its edit.

Edits are added one after another. One that falls where an earlier key reaches (its own initial radius counted) makes both
radii half their distance, so that neither reaches past the middle. Keys are sentence vectors of the record's wordings, not activations of a
layer, and labels are records: two edits with the same target are still two facts, so keys of different records are never merged. The
initial radius is the method's one dial.

Source: Hartvigsen et al. 2023 (arXiv:2211.11031), algorithm 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from rag_edit.bench.baselines.memory import CHUNK, Memory, Vectors, cosines
from rag_edit.bench.figures import NOTHING, Choice

RADII: Final = tuple(round(0.05 * n, 2) for n in range(1, 27))  # Euclidean, between unit vectors: 0.05 to 1.3


def _distance(cosine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the Euclidean distance of unit vectors."""
    return np.asarray(np.sqrt(np.maximum(0.0, 2.0 - 2.0 * cosine)), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Codebook:
    """Keys in the order of the edits, with the nearest key of another record before each.

    Attributes:
        memory: The keys.
        near: (rows,) the nearest earlier row of another record, -1 for none.
        apart: (rows,) the distance to it.
    """

    memory: Memory
    near: NDArray[np.int64]
    apart: NDArray[np.float32]

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """Return the codebook of a memory."""
        count = len(memory.keys)
        near, apart = np.full(count, -1, np.int64), np.full(count, np.inf, np.float32)
        for start in range(0, count, CHUNK):
            rows = np.arange(start, min(count, start + CHUNK))
            found = _distance(memory.keys[rows] @ memory.keys[: rows[-1] + 1].T)
            later = np.arange(found.shape[1])[None, :] >= rows[:, None]
            own = memory.owner[: found.shape[1]][None, :] == memory.owner[rows][:, None]
            found[later | own] = np.inf
            best = found.argmin(axis=1)
            apart[rows] = found[np.arange(len(rows)), best]
            near[rows] = np.where(np.isfinite(apart[rows]), best, -1)
        return cls(memory, near, apart)

    def radii(self, initial: float) -> NDArray[np.float32]:
        """Return the radius of each row after all edits; a radius never grows."""
        out = np.full(len(self.near), initial, np.float32)
        for row, (other, distance) in enumerate(zip(self.near.tolist(), self.apart.tolist(), strict=True)):
            if other >= 0 and distance <= initial + out[other]:
                out[other], out[row] = min(out[other], distance / 2), min(initial, distance / 2)
        return out

    def nearest(self, vectors: Vectors) -> list[tuple[int, float]]:
        """Return for each question the nearest row and its distance."""
        return [(at := int(row.argmax()), float(_distance(row[at]))) for row in cosines(self.memory, vectors)]

    def choices(self, nearest: Sequence[tuple[int, float]], initial: float) -> list[Choice]:
        """Return for each question the record whose radius it lies in, with score 1; none outside.

        Args:
            nearest: From `nearest`.
            initial: The radius that a key is born with.
        """
        radii, memory = self.radii(initial), self.memory
        return [
            Choice(memory.ids[int(memory.owner[at])], 1.0) if distance <= radii[at] else NOTHING for at, distance in nearest
        ]


def sweep(memory: Memory, vectors: Vectors) -> dict[float, list[Choice]]:
    """Return the choices at every radius of `RADII`."""
    if not memory.ids:
        return {radius: [NOTHING] * len(vectors) for radius in RADII}
    book = Codebook.of(memory)
    nearest = book.nearest(vectors)
    return {radius: book.choices(nearest, radius) for radius in RADII}
