"""A JSON object as bytes that are forwarded: what its fields say, and where each value stands.

One value can be put in another's place while every other byte stays as it was sent. A field that stands twice is refused:
who reads the first and who reads the last would decide about different requests. Knows no API.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rag_edit.gateway.problems import Refusal, bad_request, shown

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object and its source.

    Attributes:
        body: As it was sent.
        fields: Its values by name.
        spans: Where each value stands in ``text``, in characters.
    """

    body: bytes
    text: str
    fields: Mapping[str, Any]
    spans: Mapping[str, tuple[int, int]]

    def with_values(self, values: Mapping[str, Any]) -> bytes:
        """Return the body with these fields' values replaced and nothing else."""
        text = self.text
        for name in sorted(values, key=self.spans.__getitem__, reverse=True):
            start, end = self.spans[name]
            text = f"{text[:start]}{json.dumps(values[name], ensure_ascii=True)}{text[end:]}"
        return text.encode()


def read_object(body: bytes) -> Document:
    """Return the JSON object that ``body`` is.

    Raises:
        Refusal: not UTF-8, not JSON, not an object, nested too deep, or a field stands twice.
    """
    try:
        text = body.decode("utf-8")
        fields, spans = _walk(text)
    except UnicodeDecodeError:
        raise bad_request("the body is not UTF-8") from None
    except RecursionError:
        raise bad_request("the body is nested too deep") from None
    except ValueError as error:  # JSONDecodeError, and numbers of more digits than Python reads
        raise bad_request(f"the body is not a JSON object: {str(error)[:120]}") from None
    return Document(body, text, fields, spans)


def _walk(text: str) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    fields: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    at = _skip(text, 0)
    _expect(text, at, "{")
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return fields, spans
    while True:
        _expect(text, at, '"')
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        _expect(text, at, ":")
        start = _skip(text, at + 1)
        value, end = _DECODER.raw_decode(text, start)
        if name in fields:
            raise _twice(name)
        fields[name], spans[name] = value, (start, end)
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            _end(text, at + 1)
            return fields, spans
        _expect(text, at, ",")
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str) -> None:
    if text[at : at + 1] != mark:
        raise ValueError(f"wanted {mark} at character {at}")


def _end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise ValueError(f"wanted nothing after character {at}")


def _twice(name: str) -> Refusal:
    return bad_request(f"the field {shown(name)} stands twice in the body")
