"""Texts made comparable: words with their places, and the values in a text (numbers with units, dates, times). Pure.

``19 %``, ``19 percent``, ``19%`` and ``nineteen percent`` are one value; so are ``6 January 2026``, ``2026-01-06`` and
``6. Januar 2026``. What a text leaves open stays open: ``1,234`` has two readings where the language is unknown, and two
values are the same when they share a reading. It knows no record.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rag_edit.answer import units as u
from rag_edit.answer.function_words import STOP

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_MARKUP: Final = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|^#+\s+", re.MULTILINE)
_WORD: Final = re.compile(r"[^\W_]+")
_VERSION: Final = re.compile(r"\d+(?:\.\d+){2,}(?<!\d\.\d{3}\.\d{3})|\d+(?:,\d+){2,}(?<!,\d{3})")
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "o", "đ": "d", "ł": "l", "œ": "oe", "æ": "ae"})
_SUFFIXES: Final = {
    "": ("s", "es", "e"),
    "en": ("s", "es"),
    "de": ("s", "es", "n", "en", "e", "er", "em", "ns"),
    "fr": ("s", "e", "es", "x"),
    "es": ("s", "es"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text.

    Attributes:
        keys: Its comparable spellings: folded, and with umlauts written out.
        start, end: Where it stands in the plain text.
    """

    keys: frozenset[str]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Value:
    """One number, date or time of a text.

    Attributes:
        kind: ``number``, ``date`` or ``time``.
        unit: Of a number: ``%``, ``EUR``, ``km/h``, ``year``, ... in one spelling; ``?seats`` for a word that is no unit we
            know; ``yr`` for a bare year; empty without.
        readings: What it may mean, canonical: a decimal number; ``YYYY-MM-DD`` with zeros for what is not said; ``HH:MM``.
        start, end: Where it stands in the plain text, unit included.
    """

    kind: str
    unit: str
    readings: frozenset[str]
    start: int
    end: int


def plain(text: str) -> str:
    """Return ``text`` in NFKC without invisible characters and emphasis marks, apostrophes straight, spaces single."""
    flat = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'").replace("‘", "'").replace("−", "-")
    return re.sub(r"\s+", " ", _MARKUP.sub("", flat)).strip()


def fold(word: str) -> str:
    """Return ``word`` case-folded and without diacritics."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> tuple[Word, ...]:
    """Return the words of a plain text; initials count as one word (``D.C.`` and ``DC``), ``&`` as "and"."""
    found: list[Word] = []
    for match in _WORD.finditer(text.replace("&", "+")):
        word = match.group()
        folded = fold(word)
        keys = {folded, fold(word.casefold().translate(_UMLAUTS))}
        if folded in ("st", "saint"):
            keys |= {"st", "saint"}
        initial = len(word) == 1 and word.isalpha() and word.isupper()
        if initial and found and text[found[-1].end : match.start()] in (".", ". ") and _is_initials(text, found[-1]):
            last = found.pop()
            keys = {a + b for a in last.keys for b in keys}
            found.append(Word(frozenset(keys), last.start, match.end()))
        else:
            found.append(Word(frozenset(keys), match.start(), match.end()))
    return tuple(found)


def _is_initials(text: str, word: Word) -> bool:
    letters = text[word.start : word.end].replace(".", "").replace(" ", "")
    return letters.isupper() and len(letters) <= 4 and (len(letters) == 1 or "." in text[word.start : word.end])


def same_word(wanted: Word, found: Word, language: str = "") -> bool:
    """Return whether two words are one word, a light inflection (plural, genitive) tolerated."""
    if wanted.keys & found.keys:
        return True
    suffixes = _SUFFIXES.get(language[:2], _SUFFIXES[""])
    for a in wanted.keys:
        for b in found.keys:
            short, long = (a, b) if len(a) < len(b) else (b, a)
            if len(short) >= 4 and long.startswith(short) and long[len(short) :] in suffixes and not long[-1].isdigit():
                return True
    return False


def find_phrase(phrase: str, text: str, language: str = "") -> list[tuple[int, int]]:
    """Return where ``phrase`` stands in ``text`` as words, leading articles of the phrase left out.

    Args:
        phrase: Plain text; articles in front do not count.
        text: Plain text.
        language: BCP 47 hint for inflection.
    """
    return find_words(without_article(words(phrase)), words(text), language)


def find_words(wanted: tuple[Word, ...], within: tuple[Word, ...], language: str = "") -> list[tuple[int, int]]:
    """Return where the words ``wanted`` stand in a row in ``within``."""
    if not wanted:
        return []
    size = len(wanted)
    found = [
        (within[i].start, within[i + size - 1].end)
        for i in range(len(within) - size + 1)
        if all(same_word(a, b, language) for a, b in zip(wanted, within[i : i + size], strict=True))
    ]
    if found or size > 8:
        return found
    joined = {"".join(min(word.keys, key=len) for word in wanted)}
    if len(next(iter(joined))) < 6:
        return []
    for width in {max(1, size - 1), size + 1}:  # "semi-presidential", "semipresidential"
        found += [
            (within[i].start, within[i + width - 1].end)
            for i in range(len(within) - width + 1)
            if "".join(min(word.keys, key=len) for word in within[i : i + width]) in joined
        ]
    return found


def without_article(phrase: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return the words of a name without articles in front."""
    while len(phrase) > 1 and phrase[0].keys & u.ARTICLES:
        phrase = phrase[1:]
    return phrase


def values(text: str, language: str = "") -> tuple[Value, ...]:
    """Return the values of a plain text in order, none overlapping another.

    Args:
        text: From `plain`.
        language: BCP 47 hint: decides what ``1,234`` and ``06/01/2026`` mean; without it both readings are kept.
    """
    found: list[Value] = []
    taken: list[tuple[int, int]] = []
    for each in (*_dates(text, language), *_times(text), *_numbers(text, language)):
        if all(each.end <= start or end <= each.start for start, end in taken):
            found.append(each)
            taken.append((each.start, each.end))
    return tuple(sorted(found, key=lambda v: v.start))


def same_value(wanted: Value, found: Value) -> bool:
    """Return whether ``found`` says ``wanted``: a unit may be left out, the year of a date too; a year may come with its day."""
    if wanted.kind == found.kind == "date":
        return any(_same_date(a, b) for a in wanted.readings for b in found.readings)
    if wanted.kind == found.kind:
        return bool(wanted.readings & found.readings) and _units_agree(wanted.unit, found.unit)
    if wanted.kind == "number" and wanted.unit in ("", "yr") and found.kind == "date":
        return any(reading[:4] in wanted.readings for reading in found.readings)
    return False


def same_kind(a: Value, b: Value) -> bool:
    """Return whether two values could contradict one another: dates, times, or numbers of one unit."""
    if a.kind != b.kind:
        return {a.kind, b.kind} == {"date", "number"} and "yr" in (a.unit, b.unit)
    return a.kind != "number" or a.unit == b.unit


def only_values(text: str, language: str = "") -> tuple[Value, ...]:
    """Return the values of ``text`` when it says nothing else but fillers ("at", "the"); else nothing."""
    found = values(text, language)
    if not found:
        return ()
    rest = list(text)
    for value in found:
        rest[value.start : value.end] = " " * (value.end - value.start)
    left = {key for word in words("".join(rest)) for key in word.keys}
    return found if left <= u.FILLERS else ()


def _units_agree(a: str, b: str) -> bool:
    loose = ("", "yr")
    return a == b or a in loose or b in loose or (a[0] == b[0] == "?" and (a.startswith(b) or b.startswith(a)))


def _same_date(wanted: str, found: str) -> bool:
    (y1, m1, d1), (y2, m2, d2) = wanted.split("-"), found.split("-")
    years = y1 == y2 or "0000" in (y1, y2)
    if m1 == "00":
        return y1 == y2
    return years and m1 == m2 and d1 in {"00", d2}


def _dates(text: str, language: str) -> Iterator[Value]:
    for match in u.ISO_DATE.finditer(text):
        yield from _date(match, [(match["y"], match["m"], match["d"])])
    for match in u.NUMERIC_DATE.finditer(text):
        a, b, year = match["a"], match["b"], match["y"]
        orders = [(year, b, a)] if match["sep"] == "." or language[:2] in ("de", "fr", "es") else [(year, b, a), (year, a, b)]
        yield from _date(match, orders)
    for pattern in (u.DAY_MONTH, u.MONTH_DAY):
        for match in pattern.finditer(text):
            if match["month"] == "may" and not match["y"]:
                continue  # the verb
            yield from _date(match, [(match["y"] or "0", str(u.MONTHS[fold(match["month"])]), match["d"])])
    for match in u.MONTH_YEAR.finditer(text):
        yield from _date(match, [(match["y"], str(u.MONTHS[fold(match["month"])]), "0")])


def _date(match: re.Match[str], orders: list[tuple[str, str, str]]) -> Iterator[Value]:
    readings = set()
    for year, month, day in orders:
        full = int(year) + (2000 if 0 < int(year) < 100 else 0)
        if int(month) <= 12 and int(day) <= 31:
            readings.add(f"{full:04d}-{int(month):02d}-{int(day):02d}")
    if readings:
        yield Value("date", "", frozenset(readings), match.start(), match.end())


def _times(text: str) -> Iterator[Value]:
    for match in u.TIME.finditer(text):
        hour, minute = int(match["h"] or match["h2"] or match["h3"]), int(match["m"] or match["m2"] or match["m3"] or 0)
        half = (match["half"] or "").replace(".", "").replace(" ", "").casefold()
        hour = hour % 12 + (12 if half == "pm" else 0) if half and hour <= 12 else hour
        if hour <= 24 and minute < 60:
            yield Value("time", "", frozenset({f"{hour % 24:02d}:{minute:02d}"}), match.start(), match.end())


def _numbers(text: str, language: str) -> Iterator[Value]:
    for match in u.NUMBER.finditer(text):
        if not _VERSION.fullmatch(match.group()):
            yield _number(text, match.start(), match.end(), _readings(match.group(), language))
    for match in u.NUMBER_WORD.finditer(text):
        word = re.sub(r"[\s-]+", " ", fold(match.group()))
        amount = u.SPELLED.get(word)
        if amount is None or u.ONLY_IN.get(word, language[:2]) != language[:2]:
            continue
        value = _number(text, match.start(), match.end(), frozenset({Decimal(amount)}))
        if amount != 1 or value.unit not in ("", "yr"):  # "one" and "un" are articles, too
            yield value


def _number(text: str, start: int, end: int, amounts: frozenset[Decimal]) -> Value:
    """Return the number at ``start:end`` with the scale and unit that stand beside it."""
    scale = u.SCALE.match(text, end)
    if scale:
        end = scale.end()
        amounts = frozenset(amount * u.SCALES[fold(scale["scale"])] for amount in amounts)
    unit = ""
    after = u.UNIT_AFTER.match(text, end)
    before = u.UNIT_BEFORE.search(text, max(0, start - 8), start)
    if after:
        unit, end = u.UNITS[fold(after["unit"]).strip()], after.end()
    elif before:
        unit, start = u.UNITS[fold(before["unit"]).strip()], before.start("unit")
    ordinal = u.ORDINAL.match(text, end) if not unit else None
    if ordinal:
        unit, end = "th", ordinal.end()
    if not unit and not scale and re.fullmatch(r"1\d{3}|2[01]\d{2}", text[start:end]):
        unit = "yr"
    counted = u.COUNTED.match(text, end) if not unit else None
    if counted and fold(counted["word"]) not in STOP:
        unit, end = f"?{fold(counted['word'])}", counted.end()
    return Value("number", unit, frozenset(_canonical(amount) for amount in amounts), start, end)


def _readings(digits: str, language: str) -> frozenset[Decimal]:
    """Return what a run of digits and marks may mean."""
    marks = [char for char in digits if char in ".,"]
    bare = re.sub(r"['\s]", "", digits)
    if not marks:
        return frozenset({Decimal(bare)})
    last = marks[-1]
    if len(set(marks)) == 2:  # the last mark is the decimal one
        other = "," if last == "." else "."
        return frozenset({Decimal(bare.replace(other, "").replace(last, "."))})
    grouped, decimal = Decimal(bare.replace(last, "")), bare.replace(last, ".")
    if len(marks) > 1:
        return frozenset({grouped})
    head, tail = decimal.split(".")
    if len(tail) != 3 or len(head) > 3 or head == "0":
        return frozenset({Decimal(decimal)})
    comma_decimal = {"de": True, "fr": True, "es": True, "en": False}.get(language[:2])
    if comma_decimal is None:
        return frozenset({grouped, Decimal(decimal)})
    return frozenset({Decimal(decimal) if (last == ",") is comma_decimal else grouped})


def _canonical(amount: Decimal) -> str:
    text = format(amount.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
