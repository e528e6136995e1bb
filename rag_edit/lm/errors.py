"""Failures of models that only this package can meet; all are `ModelError`."""

from pathlib import Path

from rag_edit.core.errors import ModelError


class UnreadableModelError(ModelError):
    """Model files ask for something that is not supported, or are not what they should be."""

    def __init__(self, where: Path, wanted: str, found: str) -> None:
        self.where, self.wanted, self.found = where, wanted, found
        super().__init__(f"{where}: wanted {wanted}, found {found}", hint="convert the model, or choose another")


class PromptTooLongError(ModelError):
    """A prompt and the answer asked for do not fit the model's context."""

    def __init__(self, model: str, prompt_tokens: int, max_new_tokens: int, limit: int) -> None:
        self.prompt_tokens, self.max_new_tokens, self.limit = prompt_tokens, max_new_tokens, limit
        super().__init__(
            f"{model}: {prompt_tokens} tokens of prompt and {max_new_tokens} of answer, the context holds {limit}",
            hint="shorten the conversation",
        )
