"""Fakes for our tests and for those of users: the real seams, without weights, deterministic and fast."""

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from rag_edit.core.atlas import default_atlas
from rag_edit.core.decision import Message
from rag_edit.core.pair import Pair
from rag_edit.engine import Engine
from rag_edit.index.brute import BruteShelf
from rag_edit.index.retriever import Retriever
from rag_edit.lm.model import Completion
from rag_edit.opening import make_answering, place_reader
from rag_edit.provenance.errors import KeyFileError
from rag_edit.provenance.signer import KeyName, SeedSigner
from rag_edit.records.memory_store import MemoryStore
from rag_edit.scope.calibration import Thresholds
from rag_edit.scope.cosines import Cosines
from rag_edit.scope.overlap import OverlapScorer


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


class FakeLanguageModel:
    """A language model that answers from a table, and else with a sentence made of its input; nothing is learned.

    A prompt or last turn is looked up whole, then by the longest key that occurs in it. What it says depends on its own
    input alone, so that two askers get the same.

    Attributes:
        asked: Every prompt and every conversation's last turn, in order; tests read it to see that nobody asked.
    """

    def __init__(self, answers: Mapping[str, str] | None = None, *, name: str = "fake") -> None:
        self._answers, self._name = dict(answers or {}), name
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        """Return the name given."""
        return self._name

    @property
    def digest(self) -> str:
        """Return a name that tells fakes with other names or answers apart."""
        table = "\0".join(f"{key}\1{value}" for key, value in sorted(self._answers.items()))
        return f"sha256:{hashlib.sha256(f'fake-model:{self._name}:{table}'.encode('utf-8', 'replace')).hexdigest()}"

    def complete(self, prompts: Sequence[str], *, max_new_tokens: int = 64, stop: Sequence[str] = ()) -> list[Completion]:
        """Return one continuation a prompt; a token is a word."""
        return [self._say(prompt, max_new_tokens, stop) for prompt in prompts]

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int = 64) -> list[Completion]:
        """Return one assistant turn a conversation; only the last turn is heard."""
        if not all(conversations):
            raise ValueError("a conversation needs a message")
        return [self._say(messages[-1].content, max_new_tokens, ()) for messages in conversations]

    def _say(self, text: str, max_new_tokens: int, stop: Sequence[str]) -> Completion:
        self.asked.append(text)
        keys = sorted((key for key in self._answers if key in text), key=lambda key: (-len(key), key))
        said = self._answers[keys[0]] if keys else f"I was asked: {' '.join(text.split()[-8:])}"
        words = said.split(" ")
        cut = " ".join(words[:max_new_tokens])
        ends = [at for mark in stop if (at := cut.find(mark)) >= 0]
        finished = bool(ends) or len(words) <= max_new_tokens
        shown = cut[: min(ends)] if ends else cut
        return Completion(shown, "stop" if finished else "length", len(text.split()), min(len(words), max_new_tokens))


class FakeHsm:
    """A hardware module's signer: the key stays inside, and the module can be pulled out.

    Attributes:
        signed: Every message that it signed, in order.
        present: Set to False to pull it out.
    """

    def __init__(self, name: str = "fake") -> None:
        self._inside = SeedSigner(hashlib.sha256(f"fake-hsm:{name}".encode()).digest())
        self.signed: list[bytes] = []
        self.present = True

    @property
    def key(self) -> KeyName:
        """Return the name of the key inside."""
        return self._inside.key

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``.

        Raises:
            KeyFileError: the module was pulled out.
        """
        if not self.present:
            raise KeyFileError("hardware module", "a module", "none")
        self.signed.append(message)
        return self._inside.sign(message)


def fake_engine(model: FakeLanguageModel | None = None, *, cut: float = 0.5, today: date = date(2026, 11, 22)) -> Engine:
    """Return an empty engine whose stages are real and whose encoder and language model are fakes; all in memory.

    Args:
        model: The language model; one without a table by default.
        cut: Least scope score of an override.
        today: The day on which questions stand that name none.
    """
    embedder = FakeEmbedder()
    scorer = OverlapScorer(Cosines(lambda texts: embedder.encode(texts, kind="query")), embedder.digest)
    return Engine(
        store=MemoryStore(),
        retriever=Retriever(BruteShelf(), embedder),
        embedder=embedder,
        scorer=scorer,
        thresholds=Thresholds(cut, 0.0, scorer.digest, "nothing: a fake"),
        answering=make_answering(model or FakeLanguageModel()),
        atlas=default_atlas(),
        read_places=place_reader(),
        jurisdiction="GLOBAL",
        today=lambda: today,
    )


def overlap_of_pairs(pairs: Sequence[Pair]) -> list[float]:
    """Return, in place of the joint head's logits, 8 times the Jaccard overlap of each pair's words, less 4."""
    return overlap_of_texts([(pair.question, pair.record) for pair in pairs])


def overlap_of_texts(texts: Sequence[tuple[str, str]]) -> list[float]:
    """Return the same of plain texts, in place of the pair encoder's logits."""
    logits = []
    for question, record in texts:
        left, right = set(question.casefold().split()), set(record.casefold().split())
        logits.append(8.0 * len(left & right) / max(1, len(left | right)) - 4.0)
    return logits
