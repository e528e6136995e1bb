"""The seam to a language model: prompts or conversations in, texts out.

The real ones are `lm.local` and `lm.remote`; `rag_edit.testing.FakeLanguageModel` is the shipped fake. A model never changes
while it is open: its digest names weights, vocabulary and settings together. Nothing here knows a framework.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from rag_edit.core.decision import Message

FinishReason = Literal["stop", "length"]
DEFAULT_NEW_TOKENS: Final = 64


@dataclass(frozen=True, slots=True)
class Completion:
    """One text that a model wrote.

    Attributes:
        text: Without the prompt, special tokens and the stop string; otherwise as the model wrote it.
        finish_reason: ``stop`` when the model ended by itself or at a stop string, ``length`` at the limit.
        prompt_tokens: Tokens read, 0 when the server did not say.
        completion_tokens: Tokens written, the end token included; 0 when the server did not say.
        remembered: Whether an earlier run wrote it, and it was read back from disk.
    """

    text: str
    finish_reason: FinishReason
    prompt_tokens: int = 0
    completion_tokens: int = 0
    remembered: bool = False


class LanguageModel(Protocol):
    """A frozen language model. Greedy, so that the same input gives the same output; stops by itself."""

    @property
    def name(self) -> str:
        """Return what a person calls the model."""

    @property
    def digest(self) -> str:
        """Return the name of everything that changes the output."""

    def complete(
        self, prompts: Sequence[str], *, max_new_tokens: int = DEFAULT_NEW_TOKENS, stop: Sequence[str] = ()
    ) -> list[Completion]:
        """Return one continuation a prompt, in order.

        Args:
            prompts: Raw texts; no template is applied.
            max_new_tokens: The longest answer, in tokens.
            stop: The text ends before the first of these.
        """

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int = DEFAULT_NEW_TOKENS) -> list[Completion]:
        """Return one assistant turn a conversation, in order; an empty conversation is a ``ValueError``."""
