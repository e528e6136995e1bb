"""The bank of known topics: the vectors of all hand-written wordings under the trained encoder, small enough to ship."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from rag_edit.scope.training.topics import Family, fill

DIMS: Final = 54
SLOTS: Final = {  # for wordings that cannot do without
    "en": {"place": "Malta", "year": "2024", "date": "6 January"},
    "de": {"place": "Polen", "year": "2024", "date": "6. Januar"},
    "fr": {"place": "Belgique", "year": "2024", "date": "6 janvier"},
    "es": {"place": "México", "year": "2024", "date": "6 de enero"},
}


def wordings(families: Sequence[Family]) -> Iterator[tuple[str, str]]:
    """Yield (topic, wording) once each, by topic, without place and year where a wording can do without."""
    found: dict[str, dict[str, None]] = {}
    for topic in (topic for family in families for topic in family.topics):
        for language, wording in topic.all_wordings():
            text = fill(wording, {}) or fill(wording, SLOTS.get(language, SLOTS["en"]))
            if text:
                found.setdefault(topic.name, {})[text] = None
    for name in sorted(found):
        yield from ((name, text) for text in found[name])


def write_bank(
    families: Sequence[Family], embed: Callable[[Sequence[str]], NDArray[np.float32]], path: Path, dims: int = DIMS
) -> int:
    """Write the bank of all wordings and return how many there are.

    Args:
        families: of topics.
        embed: unit vectors of texts, (n, dim), by the encoder that the bank is for.
        path: of the file.
        dims: that are kept, the ones in which wordings vary most (principal components).
    """
    rows = list(wordings(families))
    vectors = embed([text for _, text in rows])
    mean = vectors.mean(0)
    centred = vectors - mean
    _, directions = np.linalg.eigh(centred.T @ centred)
    basis = directions[:, ::-1][:, :dims]
    short = centred @ basis
    codes = np.rint(short / np.abs(short).max(1, keepdims=True) * 127).astype(np.int8)
    starts = [n for n, (name, _) in enumerate(rows) if n == 0 or rows[n - 1][0] != name]
    tensors = {
        "codes": codes,
        "starts": np.array(starts, np.int32),
        "mean": mean.astype(np.float16),
        "basis": np.ascontiguousarray(basis).astype(np.float16),
    }
    save_file(tensors, path)
    return len(rows)
