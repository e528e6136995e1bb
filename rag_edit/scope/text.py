"""Plain text operations that scope shares: cleaning, words, masking a name, numbers. Pure; knows no record."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

MASK: Final = "it"  # what stands in for a masked name: a word that every encoder knows and that names nothing
REMEMBERED: Final = 8_192  # texts: those of records come back with every question; some kilobytes each in all
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_SPACE: Final = re.compile(r"\s+")
_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)
_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?:[.,:]\d+)*")


def clean(text: str) -> str:
    """Return ``text`` in NFKC, without invisible characters, with single spaces. Case and punctuation stay."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).strip()


@lru_cache(maxsize=REMEMBERED)
def fold(text: str) -> str:
    """Return ``text`` for comparison: cleaned, case-folded, diacritics and punctuation dropped."""
    decomposed = unicodedata.normalize("NFKD", clean(text).casefold())
    return " ".join(_WORD.findall("".join(char for char in decomposed if not unicodedata.combining(char))))


def words(text: str) -> tuple[str, ...]:
    """Return the folded words of ``text``."""
    return tuple(fold(text).split())


@lru_cache(maxsize=REMEMBERED)
def numbers(text: str) -> frozenset[str]:
    """Return the numbers written in digits, grouping marks left as they stand."""
    return frozenset(match.group().replace(",", ".") for match in _NUMBER.finditer(text))


def mask(text: str, names: Iterable[str]) -> str:
    """Return ``text`` with each occurrence of a name replaced by `MASK`, longest names first, case ignored.

    A possessive mark after the name stays: ``Bach's birthplace`` becomes ``it's birthplace``.
    """
    masked = clean(text)
    for name in sorted({clean(n) for n in names} - {""}, key=lambda n: (-len(n), n)):
        masked = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", MASK, masked, flags=re.IGNORECASE)
    return masked


def cognate(left: str, right: str) -> bool:
    """Return whether two words are forms of one: "creator" and "created", "practiced" and "practice"."""
    if left == right:
        return True
    shorter = min(len(left), len(right))
    if shorter < 3:
        return False
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), shorter)
    return same >= max(3, shorter - 3) and same >= max(len(left), len(right)) - 5 and (same > 3 or shorter <= 4)
