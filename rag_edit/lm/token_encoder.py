"""An encoder that keeps the token states of what it has read, and compares a question with a record over them.

To the index it is an `Embedder` like any other, with the same vectors and the same digest. From the pass that makes a vector it also
keeps vector and tokens of the text in memory, and the tokens of records in a file too. So a pair costs the joint head alone. A text that is
not at hand is encoded: what is kept changes time, never a score.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np

from rag_edit.core.pair import Pair, Span
from rag_edit.lm.bert import Floats
from rag_edit.lm.encoder import Kind, TransformerEncoder
from rag_edit.lm.joint_head import MAX_TOKENS, JointHead, Side
from rag_edit.lm.token_file import TokenFile
from rag_edit.lm.tokens import Tokens

REMEMBERED: Final = 8_192  # texts in memory: about 20 MB
_CHUNK: Final = 4096  # texts encoded at a time: bounds what waits to be written


class TokenEncoder:
    """An `Embedder` that scores pairs too. Safe to use from several threads."""

    def __init__(
        self, encoder: TransformerEncoder, head: JointHead, file: TokenFile | None = None, *, remembered: int = REMEMBERED
    ) -> None:
        """Take an encoder and the head that was trained on its states.

        Args:
            encoder: Whose passes serve vectors and tokens.
            head: Trained on this encoder.
            file: Where the tokens of records are kept, if anywhere.
            remembered: Texts whose tokens are kept in memory.
        """
        self._encoder, self._head, self._file, self._remembered = encoder, head, file, remembered
        self._near: OrderedDict[str, Tokens] = OrderedDict()
        self._seen: OrderedDict[str, Floats] = OrderedDict()  # vectors
        self._lock = threading.Lock()

    @property
    def digest(self) -> str:
        """Return the digest of the encoder: vectors are the same with and without tokens."""
        return self._encoder.digest

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._encoder.dim

    def encode(self, texts: Sequence[str], *, kind: Kind, progress: Callable[[int], None] | None = None) -> Floats:
        """Return one unit vector a text, in order, and keep the tokens of what was read."""
        parts = []
        for start in range(0, len(texts), _CHUNK):
            part = texts[start : start + _CHUNK]
            vectors, tokens = self._encoder.encode_tokens(part, kind=kind, projection=self._head, progress=progress)
            found = dict(zip(part, tokens, strict=True))
            if kind == "record" and self._file is not None:
                self._file.write(found)
            self._remember(found, zip(part, vectors, strict=True))
            parts.append(vectors)
        return np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Return the (n, dim) vectors of texts, most of which were read lately: from memory, or by a pass."""
        with self._lock:
            found = {text: self._seen[text] for text in texts if text in self._seen}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found |= zip(missing, self.encode(missing, kind="query"), strict=True)
        return np.stack([found[text] for text in texts]) if texts else np.empty((0, self.dim), np.float32)

    def means(self, texts: Sequence[str], layer: int) -> Floats:
        """Return the (n, 2 * dim) means of texts' states; see `TransformerEncoder.encode_means`. Nothing is remembered."""
        return self._encoder.encode_means(texts, layer)

    def score(self, pairs: Sequence[Pair]) -> list[float]:
        """Return one logit for each pair, in order; above 0 leans to the same fact."""
        if not pairs:
            return []
        tokens = self.tokens(dict.fromkeys(text for pair in pairs for text in (pair.question, pair.record)))

        @cache  # a question is read once, beside however many records
        def side(text: str, start: int, name: Span | None, skipped: tuple[Span, ...], last: bool) -> Side:
            return _side(tokens[text], start, name, skipped, last=last)

        return self._head.score(
            [
                (
                    side(pair.question, pair.start, pair.question_name, pair.skipped, True),
                    side(pair.record, 0, pair.record_name, (), False),
                )
                for pair in pairs
            ]
        )

    def tokens(self, texts: Mapping[str, None]) -> dict[str, Tokens]:
        """Return the tokens of each text: from memory, from the file, or by a pass."""
        found: dict[str, Tokens] = {}
        with self._lock:
            for text in texts:
                if (near := self._near.get(text)) is not None:
                    self._near.move_to_end(text)
                    found[text] = near
        missing = []
        fetched: dict[str, Tokens] = {}
        for text in texts:
            if text not in found:
                kept = self._file.read(text) if self._file is not None else None
                if kept is None:
                    missing.append(text)
                else:
                    fetched[text] = kept
        vectors: Iterable[tuple[str, Floats]] = ()
        if missing:
            passed, read = self._encoder.encode_tokens(missing, kind="query", projection=self._head)
            fetched |= zip(missing, read, strict=True)
            vectors = zip(missing, passed, strict=True)
        self._remember(fetched, vectors)
        return found | fetched

    def _remember(self, found: Mapping[str, Tokens], vectors: Iterable[tuple[str, Floats]]) -> None:
        with self._lock:
            self._near |= found
            self._seen |= vectors
            for kept in (self._near, self._seen):
                while len(kept) > self._remembered:
                    kept.popitem(last=False)


def _side(tokens: Tokens, start: int, name: Span | None, skipped: Sequence[Span], *, last: bool) -> Side:
    """Return what is read of a text: its tokens from character ``start`` on, at most `MAX_TOKENS`, the name's marked."""
    kept = tokens
    if start or skipped:
        read = tokens.spans[:, 1] > start
        for a, b in skipped:
            read &= (tokens.spans[:, 0] >= b) | (tokens.spans[:, 1] <= a)
        if bool(read.any()):
            kept = Tokens(tokens.codes[read], tokens.scales[read], tokens.spans[read])
    part = slice(-MAX_TOKENS, None) if last else slice(MAX_TOKENS)
    spans = kept.spans[part]
    if not len(spans):  # a text without a token: nothing to read, which is like nothing
        return Side(np.zeros((1, tokens.codes.shape[1]), np.float32), np.zeros(1, np.float32))
    named = np.zeros(len(spans), np.float32)
    if name is not None:
        named[(spans[:, 0] < name[1]) & (spans[:, 1] > name[0])] = 1
    return Side(Tokens(kept.codes[part], kept.scales[part], spans).states(), named)
