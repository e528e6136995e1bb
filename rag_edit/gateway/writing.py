"""An upstream as a model that writes from records, in the client's own conversation: asked from another thread, given up when nobody waits."""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from rag_edit.core.decision import Message
from rag_edit.gateway import headers as h
from rag_edit.gateway.lane import Said
from rag_edit.gateway.passing import Upstream
from rag_edit.gateway.problems import Refusal

T = TypeVar("T")


class Asking:
    """What one question asks of an upstream from another thread than the event loop's, so that it can be given up when nobody waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wait_s: float) -> None:
        """Take where requests are made, and how long one may take."""
        self._loop, self._wait_s = loop, wait_s
        self._now: Future[Any] | None = None
        self._given_up = False

    def result(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of ``work``, done in the event loop.

        Raises:
            Refusal: the upstream did not answer as it should.
            TimeoutError: it took too long.
            CancelledError: nobody waits any more.
        """
        if self._given_up:
            work.close()
            raise CancelledError
        asking: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._now = asking
        if self._given_up:  # meanwhile
            asking.cancel()
        try:
            return asking.result(self._wait_s)
        except TimeoutError:
            asking.cancel()
            raise

    def give_up(self) -> None:
        """Ask nothing more; what is being asked is cut. Call in the event loop."""
        self._given_up = True
        if self._now is not None:
            self._now.cancel()


class UpstreamChat:
    """The upstream as a model that writes from records: called from another thread than the event loop's.

    An answer that does not come is an empty text, which no check passes: the record is then given verbatim. It is asked in the client's
    own conversation first, so that it answers as it always does; where that does not hold to the record, without it.
    """

    def __init__(
        self, upstream: Upstream, model: str, credentials: h.Headers, asking: Asking, before: Sequence[Message] = ()
    ) -> None:
        self._upstream, self._model, self._credentials, self._asking = upstream, model, credentials, asking
        self._before = before

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int) -> list[Said]:
        """Return one assistant turn a conversation, in order."""
        before, self._before = self._before, ()
        return [Said(self._one(_following(before, messages), max_new_tokens)) for messages in conversations]

    def _one(self, messages: Sequence[Message], max_new_tokens: int) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        document = {"model": self._model, "messages": turns, "max_tokens": max_new_tokens, "temperature": 0}
        try:
            found = self._asking.result(self._upstream.post_json("/chat/completions", document, self._credentials))
            text = found["choices"][0]["message"]["content"]
        except (Refusal, TimeoutError, CancelledError, KeyError, IndexError, TypeError):
            return ""
        return text if isinstance(text, str) else ""


def _following(before: Sequence[Message], messages: Sequence[Message]) -> list[Message]:
    """Return messages as the next turn of a conversation, with one system prompt in front: many templates take no second one."""
    systems = [each.content for each in (*before, *messages) if each.role == "system" and each.content]
    said = [each for each in (*before, *messages) if each.role != "system" and each.content]
    return [*([Message("system", "\n\n".join(systems))] if systems else []), *said]
