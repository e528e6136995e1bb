"""Subject string and nearest vector: only records whose subject or alias stands in the question, the nearest of them.

Source: the entity gate of retrieval by subject (as in MeLLo and PokeMQA's key lookup, here by plain strings). Strings are compared by
folded words; a record without a subject is never found, nor is one that a question in another script names.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from rag_edit.bench.baselines.memory import Memory, Vectors, cosines
from rag_edit.bench.figures import NOTHING, Choice
from rag_edit.scope.mentions import fold_words


def choices(memory: Memory, texts: Sequence[str], vectors: Vectors) -> list[Choice]:
    """Return for each question the nearest of the records that it names, with the cosine; none where it names none."""
    if not memory.ids:
        return [NOTHING] * len(texts)
    rows_of: dict[str, list[int]] = defaultdict(list)
    rows_by_owner: dict[int, list[int]] = defaultdict(list)
    for row, owner in enumerate(memory.owner.tolist()):
        rows_by_owner[owner].append(row)
    for owner, names in enumerate(memory.names):
        for name in {folded for n in names if (folded := fold_words(n))}:
            rows_of[name].extend(rows_by_owner[owner])
    longest = max((name.count(" ") + 1 for name in rows_of), default=0)
    found = []
    for text, near in zip(texts, cosines(memory, vectors), strict=True):
        words = fold_words(text).split()
        spans = {" ".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, min(len(words), a + longest) + 1)}
        rows = np.array(sorted({r for span in spans for r in rows_of.get(span, ())}), dtype=np.int64)
        if not len(rows):
            found.append(NOTHING)
            continue
        at = int(rows[int(near[rows].argmax())])
        found.append(Choice(memory.ids[int(memory.owner[at])], max(0.0, float(near[at]))))
    return found
