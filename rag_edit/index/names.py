"""Subjects and aliases of one partition, found in a question on word boundaries.

Spans of the question's tokens are looked up in a dictionary, so an edit is visible at once and costs nothing but its own
entries; an automaton would find the same spans, but has to be built again after every edit. It knows record keys, not
records.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.index.fold import Token
from rag_edit.index.postings import Postings

MIN_NAME_CHARS: Final = 2
MAX_NAME_TOKENS: Final = 24


@dataclass(frozen=True, slots=True)
class Span:
    """A name found in a question: its folded form and ``question[start:end]``."""

    name: str
    start: int
    end: int


class Names:
    """Folded names, the keys of the records that bear them, and the longest name by first token."""

    def __init__(self) -> None:
        self._keys: Postings[str] = Postings()
        self._longest: dict[str, int] = {}  # tokens of the longest name that ever started so; may be too large, never too small

    def add(self, key: int, names: Iterable[str]) -> list[str]:
        """Add a record's folded names; return those that are new here."""
        new = []
        for name in names:
            if self._keys.add(name, key):
                new.append(name)
                head, length = name.split(" ", 1)[0], name.count(" ") + 1
                self._longest[head] = max(length, self._longest.get(head, 0))
        return new

    def remove(self, key: int, names: Iterable[str]) -> list[str]:
        """Take a record's names away; return those that nobody bears any more."""
        return [name for name in names if self._keys.discard(name, key)]

    def keys(self, name: str) -> Iterable[int]:
        """Return the keys of the records with this folded name."""
        return self._keys.of(name)

    def find(self, tokens: Sequence[Token]) -> list[Span]:
        """Return every name that occurs, nested and overlapping ones too, by start and then length."""
        spans = []
        for first, token in enumerate(tokens):
            longest = self._longest.get(token.text, 0)
            name = ""
            for last in range(first, min(first + longest, len(tokens))):
                name = f"{name} {tokens[last].text}" if name else token.text
                if name in self._keys:
                    spans.append(Span(name, token.start, tokens[last].end))
        return spans


def indexable(names: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct folded names long enough to mean something and short enough to be a name."""
    return tuple(name for name in dict.fromkeys(names) if len(name) >= MIN_NAME_CHARS and name.count(" ") < MAX_NAME_TOKENS)
