"""JSON Lines: one object a line. The format for programs and for many records.

Refused: a key twice, ``NaN`` and ``Infinity`` (not JSON), an array of records, an object over several lines.
Numbers keep their spelling; what they may stand for is not decided here.

Source: RFC 8259; jsonlines.org.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from rag_edit.core.record import Record
from rag_edit.records.raw import WHOLE_FILE, FileFaults, Kind, Limits, RawRecord, Scalar, show


def read(text: str, faults: FileFaults, limits: Limits) -> Iterator[RawRecord]:
    """Yield the object of each line that is not blank."""
    del limits  # one line is one record: what is too long or too deep is refused line by line
    repeated: list[str] = []
    decoder = _decoder(repeated)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.isspace():
            continue
        repeated.clear()
        try:
            value = decoder.decode(line)
        except RecursionError:
            faults.add(number, WHOLE_FILE, "an object of texts and lists", "brackets nested too deep")
            continue
        except ValueError as error:
            faults.add(number, WHOLE_FILE, "one JSON object a line", f"{_explain(error)} in {show(line.strip())}")
            continue
        for key in repeated:
            faults.add(number, key, "each key once", "it twice")
        if isinstance(value, dict):
            yield RawRecord(value, number)
        elif isinstance(value, list):
            faults.add(
                number, WHOLE_FILE, "one JSON object a line", "an array (write each of its objects on a line of its own)"
            )
        else:
            faults.add(number, WHOLE_FILE, "one JSON object a line", show(line.strip()))


def write(records: Iterable[Record]) -> str:
    """Return one line a record, fields in the order of the format, fields at their default left out."""
    lines = (json.dumps(record.to_json(), ensure_ascii=False, separators=(", ", ": ")) for record in records)
    return "".join(f"{_escape(line)}\n" for line in lines)


def _escape(line: str) -> str:
    """Escape what some readers take for the end of a line, and what cannot be seen."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or ord(c) > 0xFFFF else f"\\u{ord(c):04x}" for c in line)


def _decoder(repeated: list[str]) -> json.JSONDecoder:
    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(reversed(pairs))  # the first of two wins
        if len(values) != len(pairs):
            seen: set[str] = set()
            repeated.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return values

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word}, which is not JSON,")

    return json.JSONDecoder(
        object_pairs_hook=mapping,
        parse_int=lambda spelled: Scalar(Kind.INTEGER, spelled),
        parse_float=lambda spelled: Scalar(Kind.NUMBER, spelled),
        parse_constant=refuse,
    )


def _explain(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        if error.msg == "Extra data":
            return f"more after the object, at column {error.colno},"
        return f"{error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
    return str(error)
