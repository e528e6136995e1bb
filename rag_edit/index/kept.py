"""An encoder that can keep the vectors of records it has made, so that what is rehearsed is not encoded twice.

While keeping, vectors of records are remembered by text; afterwards each is handed out once more and let go. Vectors of
questions are passed through. The encoder behind it is unchanged: same digest, same vectors.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np

from rag_edit.index.embedder import Embedder, Kind, Vectors

MAX_KEPT: Final = 50_000  # vectors: 75 MB at 384 numbers each; what is beyond is encoded again


class KeptVectors:
    """An `Embedder` over another."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: dict[str, Vectors] = {}
        self._is_keeping = False

    @property
    def digest(self) -> str:
        """Return the digest of the encoder behind it."""
        return self._embedder.digest

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._embedder.dim

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep what is encoded as a record inside; what was kept before is let go."""
        self._kept.clear()
        self._is_keeping = True
        try:
            yield
        finally:
            self._is_keeping = False

    def encode(self, texts: Sequence[str], *, kind: Kind, progress: Callable[[int], None] | None = None) -> Vectors:
        """Return one unit vector a text, in order; see `Embedder.encode`."""
        if kind == "query" or not (self._kept or self._is_keeping):
            return self._embedder.encode(texts, kind=kind, progress=progress)
        known = {text: self._kept[text] for text in texts if text in self._kept}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if progress is not None and len(missing) < len(texts):
            progress(len(texts) - len(missing))
        made = self._embedder.encode(missing, kind=kind, progress=progress)
        found = {**known, **dict(zip(missing, made, strict=True))}
        if self._is_keeping:
            room = MAX_KEPT - len(self._kept)
            self._kept |= {text: found[text] for text in missing[:room]}
        else:
            for text in known:
                self._kept.pop(text, None)
        return np.stack([found[text] for text in texts]) if texts else made
