"""A language model and an encoder behind an OpenAI-compatible server: the fields of its requests and answers.

An answer that lacks its text, stops for another reason than its end or its length, or whose vectors do not fit what was
sent is an error. The digests name the server's address, the model's name and the settings; which weights answer, only the
server knows.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

import numpy as np

from rag_edit.core.decision import Message
from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.errors import UpstreamError
from rag_edit.lm.bert import Floats
from rag_edit.lm.encoder import Kind
from rag_edit.lm.model import DEFAULT_NEW_TOKENS, Completion, FinishReason
from rag_edit.lm.secret import Secret
from rag_edit.lm.upstream import JsonObject, Patience, Upstream

_NO_KEY: Final = Secret("")
_DEFAULT_PATIENCE: Final = Patience()
_EMBED_TEXTS: Final = 64


class UpstreamModel:
    """A `LanguageModel` over ``/completions`` and ``/chat/completions``, at temperature 0 with a fixed seed."""

    def __init__(self, base_url: str, model: str, *, api_key: Secret = _NO_KEY, patience: Patience = _DEFAULT_PATIENCE) -> None:
        """Prepare the model; nothing is sent.

        Raises:
            ConfigError, MissingExtraError: from `Upstream`.
        """
        self.upstream = Upstream(base_url, api_key=api_key, patience=patience)
        self._model = model
        self._settings = {"temperature": 0, "seed": 0}

    @property
    def name(self) -> str:
        """Return the server's name for the model."""
        return self._model

    @property
    def digest(self) -> Digest:
        """Return the name of address, model and settings together."""
        return digest_json(
            {"format": "rag-edit-upstream-v1", "url": self.upstream.base_url, "model": self._model, "settings": self._settings}
        )

    def complete(
        self, prompts: Sequence[str], *, max_new_tokens: int = DEFAULT_NEW_TOKENS, stop: Sequence[str] = ()
    ) -> list[Completion]:
        """Return one continuation a prompt, in order.

        Raises:
            UpstreamError: from the server, or an answer that is not one.
        """
        more: dict[str, Any] = {"stop": list(stop)} if stop else {}
        return [
            self._completion(self.upstream.post("/completions", self._body(max_new_tokens, prompt=prompt, **more)), "text")
            for prompt in prompts
        ]

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int = DEFAULT_NEW_TOKENS) -> list[Completion]:
        """Return one assistant turn a conversation, in order.

        Raises:
            UpstreamError: from the server, or an answer that is not one.
        """
        bodies = [self._body(max_new_tokens, messages=_turns(messages)) for messages in conversations]
        return [self._completion(self.upstream.post("/chat/completions", body), "message") for body in bodies]

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int = DEFAULT_NEW_TOKENS) -> Iterator[str]:
        """Yield the pieces of an assistant turn as they come.

        Raises:
            UpstreamError: also where the stream ends before the answer did; what was yielded is then no answer.
        """
        body = {**self._body(max_new_tokens, messages=_turns(messages)), "stream": True}
        finished = False
        for event in self.upstream.stream("/chat/completions", body):
            for choice in event.get("choices") or ():
                delta = choice.get("delta") if isinstance(choice, dict) else None
                piece = delta.get("content") if isinstance(delta, dict) else None
                if piece:
                    yield str(piece)
                if isinstance(choice, dict) and choice.get("finish_reason") is not None:
                    self._reason(choice["finish_reason"])
                    finished = True
        if not finished:
            self._fail("the stream ended before the answer did", retryable=True)

    def _body(self, max_new_tokens: int, **fields: Any) -> dict[str, Any]:
        return {"model": self._model, "max_tokens": max_new_tokens, **self._settings, **fields}

    def _completion(self, found: JsonObject, field: str) -> Completion:
        choices = found.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            self._fail("wanted a choice, found none")
        text = choices[0].get(field)
        if field == "message":
            text = text.get("content") if isinstance(text, dict) else None
        if not isinstance(text, str):
            self._fail(f"wanted a text in {field!r}, found {type(text).__name__}")
        usage = found.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        reason = self._reason(choices[0].get("finish_reason"))
        return Completion(text, reason, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))

    def _reason(self, found: object) -> FinishReason:
        if found in (None, "stop", "eos"):
            return "stop"
        if found != "length":
            self._fail(f"the answer ended by {str(found)[:40]!r}, not by itself")
        return "length"

    def _fail(self, found: str, *, retryable: bool = False) -> NoReturn:
        raise UpstreamError(self.upstream.base_url, found, status=200, retryable=retryable)


class UpstreamEncoder:
    """An `Embedder` over ``/embeddings``."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: Secret = _NO_KEY,
        patience: Patience = _DEFAULT_PATIENCE,
        query_prefix: str = "",
        record_prefix: str = "",
    ) -> None:
        """Prepare the encoder; nothing is sent.

        Raises:
            ConfigError, MissingExtraError: from `Upstream`.
        """
        self.upstream = Upstream(base_url, api_key=api_key, patience=patience)
        self._model = model
        self._prefixes: Mapping[str, str] = {"query": query_prefix, "record": record_prefix}
        self._dim: int | None = None
        self._lock = threading.Lock()

    @property
    def digest(self) -> Digest:
        """Return the name of address, model and prefixes together."""
        return digest_json(
            {
                "format": "rag-edit-upstream-encoder-v1",
                "url": self.upstream.base_url,
                "model": self._model,
                "prefixes": self._prefixes,
            }
        )

    @property
    def dim(self) -> int:
        """Return the length of a vector; the server is asked the first time.

        Raises:
            UpstreamError: it does not say.
        """
        with self._lock:
            if self._dim is None:
                self._dim = len(self._ask(["dimension"])[0])
            return self._dim

    def encode(self, texts: Sequence[str], *, kind: Kind, progress: Callable[[int], None] | None = None) -> Floats:
        """Return (len(texts), dim) float32 unit vectors in the order of ``texts``.

        Raises:
            UpstreamError: from the server, or vectors that do not fit the texts.
        """
        out = np.empty((len(texts), self.dim), dtype=np.float32)
        for start in range(0, len(texts), _EMBED_TEXTS):
            batch = [self._prefixes[kind] + text for text in texts[start : start + _EMBED_TEXTS]]
            vectors = self._ask(batch)
            if vectors.shape[1] != self.dim:
                self._fail(f"wanted vectors of {self.dim}, found {vectors.shape[1]}")
            out[start : start + len(batch)] = vectors
            if progress is not None:
                progress(len(batch))
        return out

    def _ask(self, texts: Sequence[str]) -> Floats:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        data = self.upstream.post("/embeddings", body).get("data")
        if not isinstance(data, list) or len(data) != len(texts) or not all(isinstance(item, dict) for item in data):
            self._fail(f"wanted {len(texts)} vectors, found {len(data) if isinstance(data, list) else 'none'}")
        try:
            order = sorted(range(len(data)), key=lambda at: int(data[at].get("index", at)))
            if [int(data[at].get("index", at)) for at in order] != list(range(len(texts))):
                self._fail("wanted each index once, found others")
            vectors = np.asarray([data[at]["embedding"] for at in order], dtype=np.float32)
        except (KeyError, ValueError, TypeError) as error:
            raise UpstreamError(
                self.upstream.base_url, "wanted lists of numbers of one length, found others", status=200
            ) from error
        norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if vectors.ndim != 2 or not bool(np.isfinite(vectors).all()) or not bool((norms > 0).all()):
            self._fail("wanted finite vectors other than zero, found others")
        unit: Floats = vectors / norms
        return unit

    def _fail(self, found: str) -> NoReturn:
        raise UpstreamError(self.upstream.base_url, found, status=200)


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    if not messages:
        raise ValueError("a conversation needs a message")
    return [{"role": message.role, "content": message.content} for message in messages]


def _count(usage: Mapping[str, Any], name: str) -> int:
    found = usage.get(name)
    return found if isinstance(found, int) and found >= 0 else 0
