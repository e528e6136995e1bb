"""Slips of the fingers in a question, mended by the words of the records that it may be about. Pure.

A letter left out, put in, or two that changed places: "currncy", "percenatge". A letter in the place of another is left alone: it may make another word of the
same kind (nitrate, nitrite). So is a word that somebody knows, and one that two words of the records are as near to.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from rag_edit.scope.text import REMEMBERED

KnowsWord = Callable[[str], bool]
"""Whether a word, as written or in small letters, is one."""
LEAST: Final = 5  # letters of a word that is mended, and of what it is mended to
_WORD: Final = re.compile(rf"[^\W\d_]{{{LEAST},}}")


def mended(text: str, texts: Iterable[str], knows: KnowsWord) -> str:
    """Return ``text`` with each mistyped word as one of ``texts`` has it.

    Args:
        text: What was typed.
        texts: Whose words it may mean.
        knows: Tells which words are no slips; only asked about such as lie a slip away from one of those words.
    """
    meant = frozenset[str]().union(*map(_words, texts))

    def mend(match: re.Match[str]) -> str:
        typed, small = match.group(), match.group().casefold()
        found = [] if small in meant else [word for word in meant if _is_slip(small, word)]
        if len(found) != 1 or knows(typed) or knows(small):
            return typed
        return found[0].capitalize() if typed[0].isupper() else found[0]

    return _WORD.sub(mend, text)


@lru_cache(maxsize=REMEMBERED)
def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(text))


def _is_slip(typed: str, meant: str) -> bool:
    """Return whether one slip makes ``typed`` of ``meant``; the first letter is always hit."""
    if typed[0] != meant[0] or abs(len(typed) - len(meant)) > 1 or OSA.distance(typed, meant, score_cutoff=1) != 1:
        return False
    return len(typed) != len(meant) or sorted(typed) == sorted(meant)
