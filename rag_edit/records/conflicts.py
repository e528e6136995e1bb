"""Which records contradict one another.

Two records are rivals where they stand in one jurisdiction, hold on a common day and say the same thing of something: they
answer the same question (any of the question and paraphrases; case, punctuation and compatibility forms do not count), or
both name the relation and share a name of the subject. Rivals with different answers contradict one another, unless one
supersedes or derogates from the other. Rivals with the same answer are twins.

Found by looking keys up, not by comparing all with all: the cost is linear in the number of texts. Which rival gives way is
`rag_edit.records.plan`'s to say.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final, TypeAlias

from rag_edit.core.record import Record

Key: TypeAlias = "str | tuple[str, str]"
"""A folded question, or a folded name of the subject with the folded relation."""

Shape: TypeAlias = tuple[frozenset[str], str, date, date]
"""All that a comparison looks at: folded targets, folded answer, first day, day after the last."""

_MEANT: Final = frozenset("#%&*/@\\§¶‰‱†‡-_")  # punctuation that tells one thing from another: C#, 5 %, -5
_ASCII: Final = bytes(
    ord(" ") if unicodedata.category(chr(c))[0] == "P" and chr(c) not in _MEANT else ord(chr(c).lower()) for c in range(128)
).ljust(256)


def fold_question(text: str) -> str:
    """Return the form in which two wordings are the same question: NFKC, without case and punctuation."""
    if text.isascii():  # most texts, at a fifth of the cost
        return " ".join(text.encode().translate(_ASCII).decode().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_punctuation().sub(" ", folded).split())


@cache
def _punctuation() -> re.Pattern[str]:
    marks = (chr(c) for c in range(0x10000) if unicodedata.category(chr(c))[0] == "P")
    return re.compile(f"[{''.join(re.escape(mark) for mark in marks if mark not in _MEANT)}]+")


def fold_value(text: str) -> str:
    """Return the form in which two answers are the same: NFKC, without case, white space and a full stop at the end."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(folded.split()).strip(".!\"'“”„«»‘’") or folded


def keys_of(record: Record) -> Iterator[tuple[Key, str]]:
    """Yield each key under which a record has rivals, with the text that it was made of. May repeat a key."""
    for text in record.questions():
        if key := fold_question(text):
            yield key, text
    if record.relation and (relation := fold_question(record.relation)):
        for name in record.names():
            if folded := fold_question(name):
                yield (folded, relation), f"{name}: {record.relation}"


@dataclass(slots=True, eq=False)
class Statement:
    """A record in the search for rivals, with what is derived from it once.

    Attributes:
        record: The record.
        where: Where it is stated: ``path:line``, or ``id@version`` for a live one.
        keys: Its keys and the texts that they were made of.
    """

    record: Record
    where: str
    keys: dict[Key, str] = field(default_factory=dict)
    _shape: Shape | None = None

    def __post_init__(self) -> None:
        if not self.keys:
            for key, text in keys_of(self.record):
                self.keys.setdefault(key, text)

    def shape(self) -> Shape:
        """Return what a comparison looks at."""
        if self._shape is None:
            record = self.record
            targets = frozenset(map(fold_value, record.targets()))
            days = (record.valid_from or date.min, record.valid_to or date.max)
            self._shape = (targets, fold_value(record.answer), *days)
        return self._shape


@dataclass(frozen=True, slots=True)
class Rivalry:
    """Two rivals: the one looked up found the other.

    Attributes:
        found: The other.
        about: The question, or subject and relation, that both speak of, in the other's words.
        same_answer: Whether they are twins; else they contradict one another.
    """

    found: Statement
    about: str
    same_answer: bool


class Rivals:
    """Statements that can be asked for the rivals of one more.

    Statements that no comparison tells apart are kept together, so that ten thousand copies cost no more than one.
    """

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, Key], dict[Shape, list[Statement]]] = {}

    def add(self, statement: Statement) -> None:
        """Add a statement."""
        for key in statement.keys:
            groups = self._by_key.setdefault((statement.record.jurisdiction, key), {})
            groups.setdefault(statement.shape(), []).append(statement)

    def remove(self, statement: Statement) -> None:
        """Take a statement out that was added."""
        for key in statement.keys:
            groups = self._by_key[statement.record.jurisdiction, key]
            group = groups[statement.shape()]
            group.remove(statement)
            if not group:
                del groups[statement.shape()]

    def touches(self, jurisdiction: str, key: Key) -> bool:
        """Return whether any statement of the jurisdiction has the key."""
        return (jurisdiction, key) in self._by_key

    def of(self, statement: Statement) -> Iterator[Rivalry]:
        """Yield the rivals of a statement, each contradicting one once and of each kind of twin one."""
        start, end = statement.shape()[2:]
        seen: set[int] = set()
        for key in statement.keys:
            for shape, group in self._by_key.get((statement.record.jurisdiction, key), {}).items():
                if not (shape[2] < end and start < shape[3]):
                    continue
                alike = _same(statement.shape(), shape)
                for found in group:
                    if found.record.id == statement.record.id or id(found) in seen or exempt(found.record, statement.record):
                        continue
                    seen.add(id(found))
                    yield Rivalry(found, found.keys[key], alike)
                    if alike:
                        break


def same(a: Statement, b: Statement) -> bool:
    """Return whether two statements give the same answer: the texts are the same, or a target of one is one of the other's."""
    return _same(a.shape(), b.shape())


def _same(a: Shape, b: Shape) -> bool:
    return a[1] == b[1] or not a[0].isdisjoint(b[0])


def exempt(a: Record, b: Record) -> bool:
    """Return whether one of two records says itself that it displaces the other."""
    return (
        a.id in b.supersedes or b.id in a.supersedes or a.id in b.derogates or b.id in a.derogates
        if a.supersedes or b.supersedes or a.derogates or b.derogates
        else False
    )
