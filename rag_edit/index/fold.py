"""Folding text for string search: case, width, diacritics and punctuation are dropped, offsets are kept.

A folded text is tokens joined by single spaces. Scripts written without spaces (and Korean, whose particles stick to
names) give one token a character, so that "word boundary" means the same everywhere. A possessive 's belongs to no token.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_POSSESSIVE: Final = re.compile("(?<=\\w)['’ʼ＇]s(?!\\w)", re.IGNORECASE)
_TOKEN: Final = re.compile(r"\S+")
_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"})
_SPACELESS: Final = (  # one token a character
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),  # Hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3134F),
)
_MARKS: Final = ((0x0300, 0x036F), (0x0591, 0x05BD), (0x064B, 0x0652), (0x0670, 0x0670))  # Latin to Cyrillic, Hebrew, Arabic
_JAMO: Final = (0x1160, 0x11FF)  # vowels and finals, which join the letter before
_MAX_CACHED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Token:
    """One token and where it stands in the text as given: ``text[start:end]``."""

    text: str
    start: int
    end: int


def fold(text: str) -> str:
    """Return the tokens of ``text`` joined by single spaces; empty where there is none."""
    return " ".join(_silent(unicodedata.normalize("NFC", text)).translate(_TABLE).split())


def tokens(text: str) -> list[Token]:
    """Return the tokens of ``text`` with their offsets; their texts joined by spaces are ``fold(text)``."""
    silent = _silent(text)
    if text.isascii():
        return [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(silent.translate(_TABLE))]
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(silent):
        for char in unicodedata.normalize("NFC", silent[start:end]).translate(_TABLE):
            folded.append(char)
            starts.append(start)
            ends.append(end)
    return [Token(m.group(), starts[m.start()], ends[m.end() - 1]) for m in _TOKEN.finditer("".join(folded))]


def _silent(text: str) -> str:
    """Blank possessive marks; the length stays."""
    return _POSSESSIVE.sub("  ", text)


def _clusters(text: str) -> list[tuple[int, int]]:
    """Return the spans of characters with the marks that compose with them."""
    bounds = [0]
    for at in range(1, len(text)):
        joins = unicodedata.combining(text[at]) != 0 or _JAMO[0] <= ord(text[at]) <= _JAMO[1]
        if not joins:
            bounds.append(at)
    return list(zip(bounds, [*bounds[1:], len(text)], strict=True)) if text else []


class _Table(dict[int, str]):
    """A translation table that fills itself, one character at a time."""

    def __missing__(self, code: int) -> str:
        if len(self) > _MAX_CACHED:
            self.clear()
        self[code] = folded = _fold_char(chr(code))
        return folded


def _fold_char(char: str) -> str:
    if unicodedata.category(char) == "Cf":  # soft hyphen, joiners, direction marks: not there at all
        return ""
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = unicodedata.normalize("NFC", "".join(c for c in spread if not _within(c, _MARKS))).translate(_PLAIN)
    out = ""
    for each in kept:
        if unicodedata.category(each)[0] in "PSZC":
            out += " "
        else:
            out += f" {each} " if _within(each, _SPACELESS) else each
    return out


def _within(char: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= ord(char) <= high for low, high in ranges)


_TABLE: Final = _Table()
