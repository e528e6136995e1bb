"""`wrap`: the layer round a chatbot that exists already.

What is wrapped is called with its own arguments, untouched, wherever no record answers. Where one does, its answer comes
back in the shape that was asked for:
  text in, text out          a callable ``str -> str`` (the shape assumed for a text where nothing tells otherwise)
  messages in, text out      a callable ``list of {"role", "content"} -> str``
  a transformers pipeline    ``[{"generated_text": ...}]``: the prompt with its continuation, or the messages with one more
A list of texts or conversations is answered one by one, in order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rag_edit.core.decision import Decision, Message, Query, Route
from rag_edit.deployment import Deployment
from rag_edit.engine import Outcome


@dataclass(slots=True)
class Wrapped:
    """A chatbot with records in front of it. Call it as the chatbot itself.

    Attributes:
        chatbot: What was wrapped.
        deployment: The open home.
        jurisdiction: Where every question stands.
        last: The outcome of the newest question, for its route, reason and record; None before the first.
    """

    chatbot: Callable[..., Any]
    deployment: Deployment
    jurisdiction: str
    last: Outcome | None = field(default=None)

    def __call__(self, prompt: Any, *arguments: Any, **options: Any) -> Any:
        """Answer as the chatbot would, by a record where one is in scope."""
        if _is_many(prompt):
            return [self(each, *arguments, **options) for each in prompt]
        query = self._query(prompt)
        decisions, timings = self.deployment.engine.decide_many([query])
        decision = decisions[0]
        if decision.route is Route.BASE:
            self.last = Outcome(query, decision, timings_ms=timings)
            return self.chatbot(prompt, *arguments, **options)
        answer = self.deployment.engine.answering[decision.route]([(query, decision)])[0]
        self.last = Outcome(query, decision, answer, timings_ms=timings)
        return self._shaped(prompt, answer.text, options)

    def explain(self) -> Decision | None:
        """Return the decision about the newest question, with its trace."""
        return self.last.decision if self.last else None

    def close(self) -> None:
        """Close the home; the chatbot is left alone."""
        self.deployment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def _query(self, prompt: Any) -> Query:
        if isinstance(prompt, str):
            return self.deployment.engine.query(prompt, jurisdiction=self.jurisdiction)
        turns = [Message(str(m["role"]), _text(m["content"])) for m in prompt]
        if not turns or turns[-1].role != "user":
            return self.deployment.engine.query("", jurisdiction=self.jurisdiction)
        return self.deployment.engine.query(turns[-1].content, jurisdiction=self.jurisdiction, messages=turns[:-1])

    def _shaped(self, prompt: Any, text: str, options: Mapping[str, Any]) -> Any:
        if not _is_pipeline(self.chatbot):
            return text
        if not isinstance(prompt, str):
            return [{"generated_text": [*prompt, {"role": "assistant", "content": text}]}]
        whole = options.get("return_full_text", True)
        return [{"generated_text": f"{prompt} {text}" if whole else text}]


def _is_many(prompt: Any) -> bool:
    """Return whether ``prompt`` is a list of prompts: of texts, or of conversations."""
    if isinstance(prompt, str) or not isinstance(prompt, Sequence) or not prompt:
        return False
    return not isinstance(prompt[0], Mapping)


def _is_pipeline(chatbot: Any) -> bool:
    """Return whether ``chatbot`` is a transformers pipeline, without importing transformers."""
    return any(base.__module__.startswith("transformers.pipelines") for base in type(chatbot).__mro__)


def _text(content: Any) -> str:
    """Return the text of a message's content: a text, or a list of parts of which some are texts."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping) and part.get("type") == "text")
