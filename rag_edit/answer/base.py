"""Who answers, as a seam; and the plainest of them: the frozen model, untouched.

`Base` hands over the conversation as it came and returns what the model wrote, byte for byte: nothing is put before it,
after it or between. It knows no record.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from rag_edit.core.decision import MAX_QUESTION_CHARS, Answer, Decision, Message, Query
from rag_edit.core.errors import ModelError, ModelMissingError, UpstreamError, WeightsChangedError

DEFAULT_NEW_TOKENS: Final = 64
_NOT_THE_QUESTIONS: Final = (ModelMissingError, UpstreamError, WeightsChangedError)  # another question would fare no better

Item = tuple[Query, Decision]


class Answerer(Protocol):
    """Answers questions of one route."""

    def answer(self, query: Query, decision: Decision) -> Answer:
        """Return the answer to one question."""

    def answer_many(self, items: Sequence[Item]) -> list[Answer]:
        """Return one answer an item, in order; each is what the item would get alone."""


class Written(Protocol):
    """What a model wrote."""

    @property
    def text(self) -> str:
        """Return the words."""

    @property
    def remembered(self) -> bool:
        """Return whether an earlier run wrote them."""


class Chat(Protocol):
    """The part of a language model that answers use."""

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int) -> Sequence[Written]:
        """Return one assistant turn a conversation, in order."""


class Base:
    """The frozen model's own answers."""

    def __init__(self, model: Chat, *, max_new_tokens: int = DEFAULT_NEW_TOKENS) -> None:
        self.model, self.max_new_tokens = model, max_new_tokens

    def answer(self, query: Query, decision: Decision) -> Answer:
        """Return what the model says."""
        return self.answer_many([(query, decision)])[0]

    def answer_many(self, items: Sequence[Item]) -> list[Answer]:
        """Return what the model says to each; an empty or oversized question is not put to it, and the note says so."""
        refused = {i: why for i, (query, _) in enumerate(items) if (why := _refusal(query))}
        asked = [i for i in range(len(items)) if i not in refused]
        said: dict[int, Written] = {}
        try:
            said = self._write(items, asked)
        except _NOT_THE_QUESTIONS:
            raise
        except ModelError:  # one conversation does not fit the model: find it, answer the rest
            for i in asked:
                try:
                    said |= self._write(items, [i])
                except _NOT_THE_QUESTIONS:
                    raise
                except ModelError as error:
                    refused[i] = error.message
        return [
            Answer(said[i].text, "base", remembered=said[i].remembered) if i in said else Answer("", "base", note=refused[i])
            for i in range(len(items))
        ]

    def _write(self, items: Sequence[Item], at: Sequence[int]) -> dict[int, Written]:
        """Return what the model says to the items at these places; the same conversation is put to it once: it is greedy."""
        if not at:
            return {}
        different = list(dict.fromkeys(conversation(items[i][0]) for i in at))
        written = self.model.chat(different, max_new_tokens=self.max_new_tokens)
        said = dict(zip(different, written, strict=True))
        return {i: said[conversation(items[i][0])] for i in at}


def conversation(query: Query) -> tuple[Message, ...]:
    """Return the turns of ``query`` as they came, the question last."""
    return (*query.messages, Message("user", query.question))


def _refusal(query: Query) -> str:
    if not query.question.strip() and not query.messages:
        return "nothing was asked"
    if len(query.question) > MAX_QUESTION_CHARS:
        return f"the question holds {len(query.question)} characters, at most {MAX_QUESTION_CHARS} are read"
    return ""
