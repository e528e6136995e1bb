"""What every vector baseline sees: the live records of a question's chain as keys, one row a wording. NumPy only.

A baseline takes a memory and questions as texts and unit vectors, and says for each which record it would override with
and how sure it is. It never sees an expected output, nor a record outside the chain or the day: the comparison is about scope alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
CHUNK = 512  # questions compared at once: bounds the memory of the products


@dataclass(frozen=True, slots=True)
class Memory:
    """Records as rows.

    Attributes:
        ids: Name of each record.
        names: Subject and aliases of each record.
        keys: (rows, d) unit vectors of the records' wordings.
        owner: (rows,) which record each row belongs to.
    """

    ids: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    keys: Vectors
    owner: NDArray[np.int64]

    def only(self, kept: NDArray[np.bool_]) -> "Memory":
        """Return the memory of the records for which ``kept`` (records,) is set."""
        place = np.cumsum(kept) - 1
        rows = kept[self.owner]
        at = np.flatnonzero(kept)
        return Memory(
            tuple(self.ids[i] for i in at),
            tuple(self.names[i] for i in at),
            self.keys[rows],
            place[self.owner[rows]].astype(np.int64),
        )


def cosines(memory: Memory, vectors: Vectors) -> Iterator[Vectors]:
    """Yield the cosines of each question with every row, (rows,) float32, in order."""
    for start in range(0, len(vectors), CHUNK):
        yield from vectors[start : start + CHUNK] @ memory.keys.T
