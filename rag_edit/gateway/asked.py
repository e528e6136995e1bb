"""What a request asks, as far as a record could answer it: turns, the form wanted, and why the base model must answer instead.

Reads the bodies of ``/chat/completions``, ``/completions`` and ``/responses``. Tolerant: a field that it does not know or
cannot read never fails a request, since an upstream may know better; it only keeps records from answering what is not
understood. A model's own turns and tools' outputs are handed on as turns, but never asked.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from rag_edit.core.decision import Message, Reason

MAX_TURNS: Final = 64
MAX_EXCLUDED: Final = 32
_EXCLUDE: Final = re.compile(r"^[ \t]*rag-edit:[ \t]*exclude[ \t]+(?P<topics>[^\r\n]+)$", re.MULTILINE | re.IGNORECASE)
_SYSTEM_ROLES: Final = ("system", "developer")
_GRAMMARS: Final = (  # constrained decoding as vLLM, llama.cpp, Ollama and SGLang spell it
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "structured_outputs",
    "grammar",
    "json_schema",
    "format",
    "regex",
    "ebnf",
)


class Api(StrEnum):
    """The calls in which a question may come."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    RESPONSES = "responses"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read.

    Attributes:
        question: The last user turn; empty where the request ends otherwise.
        messages: The turns before it, oldest first.
        model: As the caller wrote it.
        stream: Whether the answer comes as events.
        with_usage: Whether a stream ends with usage (chat and completions).
        choices: How many answers are wanted.
        aside: Why no record may answer; None where one may.
        tools: Whether tools are offered, and the caller leaves it open whether they are used.
        excluded: Patterns of topics that the system prompt excludes.
        conversation: The same for all turns of one conversation, as far as can be told.
        echo: Fields of the request that its answer repeats (responses).
    """

    question: str = ""
    messages: tuple[Message, ...] = ()
    model: str = ""
    stream: bool = False
    with_usage: bool = False
    choices: int = 1
    aside: Reason | None = None
    tools: bool = False
    excluded: tuple[str, ...] = ()
    conversation: str = ""
    echo: Mapping[str, Any] | None = None


def read_asked(api: Api, fields: Mapping[str, Any]) -> Asked:
    """Return what a request's fields ask."""
    reader = {Api.CHAT: _chat, Api.COMPLETIONS: _completions, Api.RESPONSES: _responses}[api]
    asked = reader(fields)
    options = fields.get("stream_options")
    return replace(
        asked,
        model=_text(fields.get("model")),
        stream=fields.get("stream") is True,
        with_usage=isinstance(options, Mapping) and options.get("include_usage") is True,
        aside=asked.aside or _form_asked(fields),
        excluded=_excluded(asked.messages),
        conversation=_conversation(fields, asked),
    )


def _chat(fields: Mapping[str, Any]) -> Asked:
    turns, aside = _turns(fields.get("messages"))
    wanted = fields.get("response_format")
    if isinstance(wanted, Mapping) and wanted.get("type") != "text":
        aside = Reason.FORM_ASKED
    modalities = fields.get("modalities")
    if fields.get("audio") or (isinstance(modalities, list) and modalities != ["text"]) or fields.get("logprobs"):
        aside = Reason.FORM_ASKED
    tools, forced = _tools(fields)
    count = fields.get("n", 1)
    choices = count if isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= 128 else 1
    asked = _asked(turns)
    return replace(asked, aside=Reason.TOOLS_ASKED if forced else aside, tools=tools, choices=choices)


def _completions(fields: Mapping[str, Any]) -> Asked:
    prompt = fields.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        return Asked(aside=Reason.FORM_ASKED)  # tokens, or several prompts at once
    count = fields.get("n", 1)
    several = bool(fields.get("suffix")) or fields.get("echo") is True or fields.get("logprobs") not in (None, False)
    choices = count if isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= 128 else 1
    return Asked(_clean(prompt), choices=choices, aside=Reason.FORM_ASKED if several else None)


def _responses(fields: Mapping[str, Any]) -> Asked:
    given = fields.get("input")
    aside: Reason | None = None
    if isinstance(given, str):
        turns: list[Message] = [Message("user", _clean(given))]
    else:
        turns, aside = _turns(given)
    instructions = fields.get("instructions")
    if isinstance(instructions, str) and instructions:
        turns = [Message("system", _clean(instructions)), *turns]
    text = fields.get("text")
    wanted = text.get("format") if isinstance(text, Mapping) else None
    if (isinstance(wanted, Mapping) and wanted.get("type") != "text") or fields.get("background") or fields.get("include"):
        aside = Reason.FORM_ASKED
    tools, forced = _tools(fields)
    repeated = ("instructions", "max_output_tokens", "metadata", "previous_response_id", "temperature", "tool_choice", "tools")
    echo = {
        name: fields[name] for name in (*repeated, "parallel_tool_calls", "store", "text", "top_p", "user") if name in fields
    }
    return replace(_asked(turns), aside=Reason.TOOLS_ASKED if forced else aside, tools=tools, echo=echo)


def _asked(turns: Sequence[Message]) -> Asked:
    if not turns or turns[-1].role != "user":
        return Asked(messages=tuple(turns[-MAX_TURNS:]))
    return Asked(turns[-1].content, tuple(turns[:-1][-MAX_TURNS:]))


def _turns(given: object) -> tuple[list[Message], Reason | None]:
    """Return the turns of a list of messages, and why no record may answer its last one."""
    turns: list[Message] = []
    aside: Reason | None = None
    for message in given if isinstance(given, list) else ():
        if isinstance(message, str):  # some servers take bare texts
            turns.append(Message("user", _clean(message)))
            continue
        if not isinstance(message, Mapping):
            continue
        role = message.get("role") if message.get("type", "message") == "message" else "tool"
        text, plain = _content(message.get("content"))
        if role in _SYSTEM_ROLES:
            turns.append(Message("system", text))
        elif role == "user":
            turns.append(Message("user", text))
        else:
            turns.append(Message("assistant", text))
        aside = None if plain or role != "user" else Reason.FORM_ASKED
    return turns, aside


def _content(content: object) -> tuple[str, bool]:
    """Return the text of a message's content, and whether it is nothing else."""
    if isinstance(content, str):
        return _clean(content), True
    if not isinstance(content, list):
        return "", content is None
    texts: list[str] = []
    plain = True
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif (
            isinstance(part, Mapping)
            and isinstance(part.get("text"), str)
            and part.get("type") in ("text", "input_text", "output_text")
        ):
            texts.append(part["text"])
        else:
            plain = False
    return _clean("\n".join(texts)), plain


def _tools(fields: Mapping[str, Any]) -> tuple[bool, bool]:
    """Return whether tools are offered, and whether one must be used."""
    choice = fields.get("tool_choice", fields.get("function_call"))
    offered = bool(fields.get("tools") or fields.get("functions") or fields.get("web_search_options")) and choice != "none"
    return offered, offered and choice not in (None, "auto")


def _form_asked(fields: Mapping[str, Any]) -> Reason | None:
    return Reason.FORM_ASKED if any(fields.get(name) for name in _GRAMMARS) else None


def _excluded(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the patterns of lines ``rag-edit: exclude tax.*, work`` in the system prompt."""
    found: list[str] = []
    for message in messages:
        if message.role == "system":
            for line in _EXCLUDE.finditer(message.content):
                found += (topic for topic in re.split(r"[,\s]+", line["topics"]) if topic)
    return tuple(found[:MAX_EXCLUDED])


def _conversation(fields: Mapping[str, Any], asked: Asked) -> str:
    """Return what stays the same over the turns of a conversation: a name that the caller gives, else its first turns."""
    for name in ("conversation", "prompt_cache_key", "safety_identifier", "user"):
        given = fields.get(name)
        given = given.get("id") if isinstance(given, Mapping) else given
        if isinstance(given, str) and given:
            return f"{name}:{given}"
    first = next((m.content for m in asked.messages if m.role == "user"), asked.question)
    system = next((m.content for m in asked.messages if m.role == "system"), "")
    return hashlib.sha256(json.dumps([system, first]).encode()).hexdigest()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """Return the text with lone surrogates replaced: JSON can spell them, UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
