"""Nearest vector: override with the record whose wording is nearest to the question, if it is near enough.

Source: the retrieval gate of memory-based editors and of plain retrieval-augmented generation, with one threshold on the cosine,
which the caller chooses.
"""

from collections.abc import Sequence

from rag_edit.bench.baselines.memory import Memory, Vectors, cosines
from rag_edit.bench.figures import NOTHING, Choice


def choices(memory: Memory, texts: Sequence[str], vectors: Vectors) -> list[Choice]:
    """Return the nearest record of each question with its cosine, cut off below 0."""
    if not memory.ids:
        return [NOTHING] * len(texts)
    found = []
    for row in cosines(memory, vectors):
        at = int(row.argmax())
        found.append(Choice(memory.ids[int(memory.owner[at])], max(0.0, float(row[at]))))
    return found
