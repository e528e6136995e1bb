"""The regression suite of a deployment: real questions with the answers that were accepted, and what is another now. Pure.

A case is a question, where and when it is asked, and what was accepted: route, record and text. A run is what some deployment did with
each. The difference says of each case whether the decision, the words, or what had been accepted is another.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from rag_edit.core.decision import Message
from rag_edit.core.digest import Json
from rag_edit.core.errors import UsageError
from rag_edit.verify.finding import fold

FORMAT: Final = "rag-edit-suite-v1"


@dataclass(frozen=True, slots=True)
class Line:
    """One question and what was done with it, as it was accepted or as a run did it.

    Attributes:
        id: Name of the case.
        question, jurisdiction, as_of, messages: What is asked, where, on which day (ISO), after which turns.
        route, record, text, rung: What was done: ``record`` is an id without version, since versions come and go.
        must: Words that the answer has to hold; empty where the accepted text decides.
    """

    id: str
    question: str
    jurisdiction: str
    as_of: str
    messages: tuple[Message, ...] = ()
    route: str = ""
    record: str = ""
    text: str = ""
    rung: str = ""
    must: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return plain values; `from_json` reads them back."""
        turns: list[Json] = [{"role": m.role, "content": m.content} for m in self.messages]
        plain: dict[str, Json] = {name: getattr(self, name) for name in self.__slots__ if name != "messages"}
        return {"format": FORMAT, **plain, "messages": turns}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the line that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: other values than it writes.
        """
        values = dict(plain)
        if values.pop("format") != FORMAT:
            raise ValueError(f"wanted {FORMAT}")
        values["messages"] = tuple(Message(str(m["role"]), str(m["content"])) for m in values["messages"])
        return cls(**values)


class Change(StrEnum):
    """What became of a case."""

    SAME = "same"
    WORDS = "other words, same record"
    RECORD = "another record"
    ROUTE = "another route"
    LOST = "accepted answer lost"


@dataclass(frozen=True, slots=True)
class Difference:
    """One case in two runs."""

    change: Change
    before: Line
    after: Line

    def to_json(self) -> dict[str, Json]:
        """Return plain values."""
        return {"change": str(self.change), "before": self.before.to_json(), "after": self.after.to_json()}


def read_lines(text: str, where: str) -> list[Line]:
    """Return the lines of a suite or a run.

    Raises:
        UsageError: a line is none; the first is named.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(Line.from_json(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"{where}:{number}: wanted a line of a suite, found {error}", hint="rag-edit suite record"
                ) from error
    return found


def write_lines(lines: Iterable[Line]) -> str:
    """Return lines as a text that `read_lines` reads back equal."""
    return "".join(json.dumps(line.to_json(), ensure_ascii=False) + "\n" for line in lines)


def compare(before: Sequence[Line], after: Sequence[Line]) -> list[Difference]:
    """Return what became of each case that both have, in the first one's order.

    An accepted answer is lost where the words that it must hold are gone, or, where none are named or nobody wrote the answer down, where a
    record answered and now neither that record nor the same text does.
    """
    then = {line.id: line for line in after}
    return [Difference(_change(line, then[line.id]), line, then[line.id]) for line in before if line.id in then]


def _change(before: Line, after: Line) -> Change:
    if before.must and after.text:
        if fold(before.must) not in fold(after.text):
            return Change.LOST
    elif before.record and before.record != after.record and fold(before.text) != fold(after.text):
        return Change.LOST
    if before.route != after.route:
        return Change.ROUTE
    if before.record != after.record:
        return Change.RECORD
    return Change.SAME if before.text == after.text else Change.WORDS


def counts(differences: Iterable[Difference]) -> dict[str, int]:
    """Return how many cases there are of each change, all named."""
    found = Counter(str(difference.change) for difference in differences)
    return {str(change): found[str(change)] for change in Change}
