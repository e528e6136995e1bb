"""The seam between candidates and decisions: who says how likely a question is in a record's scope."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag_edit.core.decision import Candidate, ScopeScore
from rag_edit.core.record import Record
from rag_edit.scope.reading import Reading
from rag_edit.scope.text import fold

Relate = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""How close two short texts are in meaning, a pair at a time; larger is closer. Made by an encoder, injected by the engine."""


@dataclass(frozen=True, slots=True)
class ScopeItem:
    """One question with its candidates."""

    reading: Reading
    candidates: tuple[Candidate, ...]


def asks_verbatim(text: str, record: Record) -> bool:
    """Return whether ``text`` is the record's own question or one of its paraphrases; case, accents and marks aside.

    What an editor wrote down as a wording of the question is in scope by definition; nothing has to be estimated.
    """
    asked = fold(text)
    return asked != "" and any(asked == fold(question) for question in record.questions())


class ScopeScorer(Protocol):
    """Turns candidates into calibrated probabilities. Sees the question and the records, never an expected output."""

    @property
    def kind(self) -> str:
        """Name of the method, without its encoder and weights."""
        ...

    @property
    def digest(self) -> str:
        """Name of everything that changes a score."""
        ...

    def score(self, items: Sequence[ScopeItem]) -> list[tuple[ScopeScore, ...]]:
        """Return one score a candidate, in order, for each item. A batch gives what its items give alone."""
        ...
