"""A record's answer as the object, or the events, that an OpenAI-compatible server would have sent.

Streams have the framing of servers: one ``data:`` line an event, a role first, text in pieces, a finish reason, usage where it
was asked for, ``[DONE]``; for ``/responses`` named events with rising sequence numbers. The record is cited as an annotation
(``url_citation``; a record without an address has a ``urn:``), as a last line of the text, or in the headers only.

Usage counts words and marks: nothing was tokenised, since no model read the question. It is a size, not a bill.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from rag_edit.core.record import RecordVersion
from rag_edit.gateway.asked import Api
from rag_edit.gateway.deployments import Cite

_PIECE: Final = re.compile(r"\s*\S+\s*|\s+")
_COUNTED: Final = re.compile(r"\w+|[^\w\s]")
_FINGERPRINT: Final = "rag-edit"


@dataclass(frozen=True, slots=True)
class Citation:
    """One record that an answer rests on: the span of the text that does, in characters."""

    title: str
    url: str
    start: int
    end: int

    def chat(self) -> dict[str, Any]:
        """Return it as chat completions annotate."""
        return {
            "type": "url_citation",
            "url_citation": {"start_index": self.start, "end_index": self.end, "title": self.title, "url": self.url},
        }

    def responses(self) -> dict[str, Any]:
        """Return it as responses annotate."""
        return {"type": "url_citation", "start_index": self.start, "end_index": self.end, "title": self.title, "url": self.url}


@dataclass(frozen=True, slots=True)
class Served:
    """An answer to be shaped.

    Attributes:
        id: Ends the ids of the object; letters and digits.
        model: As the caller named it.
        created: Seconds since 1970.
        text: What is said.
        citations: Records it rests on; empty where they stand elsewhere.
        asked: Text that was read, for usage.
        choices: How many times it is given.
        with_usage: Whether a stream ends with usage.
        finish: Finish reason of chat and completions.
        echo: Fields of the request that a response repeats.
    """

    id: str
    model: str
    created: int
    text: str
    citations: tuple[Citation, ...] = ()
    asked: str = ""
    choices: int = 1
    with_usage: bool = False
    finish: str = "stop"
    echo: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def usage(self) -> dict[str, int]:
        """Return usage as chat and completions name it."""
        read, written = _count(self.asked), _count(self.text) * self.choices
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def cited(text: str, versions: tuple[RecordVersion, ...], cite: Cite) -> tuple[str, tuple[Citation, ...]]:
    """Return the text as it is served and the citations beside it."""
    if cite is Cite.HEADER or not versions:
        return text, ()
    if cite is Cite.ANNOTATION:
        return text, tuple(Citation(_title(v), _address(v), 0, len(text)) for v in versions)
    lines = [f"[{version.name}{f': {version.record.source}' if version.record.source else ''}]" for version in versions]
    return "\n\n".join((text, "\n".join(lines))), ()


def whole(api: Api, served: Served) -> bytes:
    """Return the object that answers a request without ``stream``."""
    document = {Api.CHAT: _chat, Api.COMPLETIONS: _completion, Api.RESPONSES: _response}[api](served)
    return _json(document).encode("utf-8", "replace")


def events(api: Api, served: Served) -> Iterator[bytes]:
    """Yield the events that answer a request with ``stream``."""
    made = {Api.CHAT: _chat_events, Api.COMPLETIONS: _completion_events, Api.RESPONSES: _response_events}[api](served)
    for event in made:
        yield event.encode("utf-8", "replace")


def _chat(served: Served) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": served.text, "refusal": None}
    if served.citations:
        message["annotations"] = [citation.chat() for citation in served.citations]
    choice = {"message": message, "logprobs": None, "finish_reason": served.finish}
    return {
        "id": f"chatcmpl-{served.id}",
        "object": "chat.completion",
        "created": served.created,
        "model": served.model,
        "choices": [{"index": index, **choice} for index in range(served.choices)],
        "usage": served.usage(),
        "system_fingerprint": _FINGERPRINT,
    }


def _chat_events(served: Served) -> Iterator[str]:
    head = {
        "id": f"chatcmpl-{served.id}",
        "object": "chat.completion.chunk",
        "created": served.created,
        "model": served.model,
        "system_fingerprint": _FINGERPRINT,
    }
    tail: dict[str, Any] = {"usage": None} if served.with_usage else {}

    def chunk(index: int, delta: Mapping[str, Any], finish: str | None = None) -> str:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**head, "choices": [choice], **tail})

    for index in range(served.choices):
        yield chunk(index, {"role": "assistant", "content": "", "refusal": None})
        for piece in _pieces(served.text):
            yield chunk(index, {"content": piece})
        if served.citations:
            yield chunk(index, {"annotations": [citation.chat() for citation in served.citations]})
        yield chunk(index, {}, served.finish)
    if served.with_usage:
        yield _data({**head, "choices": [], "usage": served.usage()})
    yield "data: [DONE]\n\n"


def _completion(served: Served) -> dict[str, Any]:
    choice = {"text": served.text, "logprobs": None, "finish_reason": served.finish}
    return {
        "id": f"cmpl-{served.id}",
        "object": "text_completion",
        "created": served.created,
        "model": served.model,
        "system_fingerprint": _FINGERPRINT,
        "choices": [{"index": index, **choice} for index in range(served.choices)],
        "usage": served.usage(),
    }


def _completion_events(served: Served) -> Iterator[str]:
    head = {"id": f"cmpl-{served.id}", "object": "text_completion", "created": served.created, "model": served.model}
    tail: dict[str, Any] = {"usage": None} if served.with_usage else {}
    for index in range(served.choices):
        pieces: list[tuple[str, str | None]] = [(piece, None) for piece in _pieces(served.text)]
        for text, finish in [*pieces, ("", served.finish)]:
            choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
            yield _data({**head, "choices": [choice], **tail})
    if served.with_usage:
        yield _data({**head, "choices": [], "usage": served.usage()})
    yield "data: [DONE]\n\n"


def _response(served: Served) -> dict[str, Any]:
    return _response_in(served, "completed", [_message(served, "completed", [_part(served)])])


def _response_in(served: Served, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the response object in one state of its life."""
    usage = served.usage()
    counted = {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage["total_tokens"],
    }
    return {
        "id": f"resp_{served.id}",
        "object": "response",
        "created_at": served.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": served.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": counted if status == "completed" else None,
        "user": None,
        **{name: value for name, value in served.echo.items() if value is not None and name != "store"},
    }


def _message(served: Served, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": f"msg_{served.id}", "type": "message", "status": status, "role": "assistant", "content": content}


def _part(served: Served, text: str | None = None, *, annotated: bool = True) -> dict[str, Any]:
    annotations = [citation.responses() for citation in served.citations] if annotated else []
    return {"type": "output_text", "annotations": annotations, "logprobs": [], "text": served.text if text is None else text}


def _response_events(served: Served) -> Iterator[str]:
    item = {"item_id": f"msg_{served.id}", "output_index": 0}
    part = {**item, "content_index": 0}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": _response_in(served, "in_progress", [])}),
        ("response.in_progress", {"response": _response_in(served, "in_progress", [])}),
        ("response.output_item.added", {"output_index": 0, "item": _message(served, "in_progress", [])}),
        ("response.content_part.added", {**part, "part": _part(served, "", annotated=False)}),
        *(("response.output_text.delta", {**part, "delta": piece, "logprobs": []}) for piece in _pieces(served.text)),
        *(
            ("response.output_text.annotation.added", {**part, "annotation_index": at, "annotation": citation.responses()})
            for at, citation in enumerate(served.citations)
        ),
        ("response.output_text.done", {**part, "text": served.text, "logprobs": []}),
        ("response.content_part.done", {**part, "part": _part(served)}),
        ("response.output_item.done", {"output_index": 0, "item": _message(served, "completed", [_part(served)])}),
        ("response.completed", {"response": _response(served)}),
    ]
    for number, (kind, fields) in enumerate(steps):
        yield f"event: {kind}\n{_data({'type': kind, 'sequence_number': number, **fields})}"


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


def _count(text: str) -> int:
    return len(_COUNTED.findall(text))


def _data(document: Mapping[str, Any]) -> str:
    return f"data: {_json(document)}\n\n"


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _title(version: RecordVersion) -> str:
    source = version.record.source
    return f"{version.name}: {source.title}" if source and source.title else version.name


def _address(version: RecordVersion) -> str:
    source = version.record.source
    if source and source.url:
        return source.url
    return f"urn:rag-edit:record:{quote(version.record.id, safe='')}:{version.version}"
