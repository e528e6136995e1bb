"""Dates named in a question: years, months, days, in the words of a few languages. Pure; holds no clock.

A mention is as precise as the words: ``2019``, ``6 January``, ``1 July 2020``. What a mention means for a record's
validity is `rag_edit.scope.policies`' business. Relative words ("today", "last year") are left to the caller's ``as_of``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from rag_edit.scope.text import REMEMBERED

_MONTHS: Final = (
    "january january's jan januar jänner janvier enero gennaio janeiro januari",
    "february feb februar février fevrier febrero febbraio fevereiro februari",
    "march mar märz maerz marz mars marzo março maart",
    "april apr avril abril aprile",
    "may mai mayo maggio maio mei",
    "june jun juni juin junio giugno junho",
    "july jul juli juillet julio luglio julho",
    "august aug août aout agosto augustus",
    "september sep sept septembre septiembre settembre setembro",
    "october oct oktober okt octobre octubre ottobre outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre decembre diciembre dicembre dezembro",
)
_MONTH_OF: Final = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
_NAMES: Final = "|".join(sorted(map(re.escape, _MONTH_OF), key=lambda n: (-len(n), n)))
_NAMED_MONTH: Final = re.compile(rf"\d|\b(?:{_NAMES})\b", re.IGNORECASE)
_YEAR: Final = r"(?:1[0-9]|20|21)\d{2}"
_PATTERNS: Final = (
    re.compile(rf"\b(?P<year>{_YEAR})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-2]\d|3[01])\b"),
    re.compile(rf"\b(?P<day>[0-2]?\d|3[01])[./](?P<month>0?[1-9]|1[0-2])[./](?P<year>{_YEAR})\b"),
    re.compile(
        rf"\b(?P<day>[0-2]?\d|3[01])(?:st|nd|rd|th|er|º|\.)?\s*(?:of|de|di)?\s*(?P<name>{_NAMES})\b\.?(?:,?\s*(?:de|del|of)?\s*(?P<year>{_YEAR}))?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<name>{_NAMES})\.?\s+(?P<day>[0-2]?\d|3[01])(?:st|nd|rd|th)?\b(?:,?\s*(?P<year>{_YEAR}))?", re.IGNORECASE
    ),
    re.compile(rf"\b(?P<name>{_NAMES})\.?,?\s+(?:de|del|of)?\s*(?P<year>{_YEAR})\b", re.IGNORECASE),
    re.compile(rf"(?<![\w.,:/-])(?P<year>{_YEAR})(?![\w/]|[.,:]\d|-\d)"),
)


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date as far as a text names it. ``start`` and ``end`` are offsets; missing parts are None."""

    start: int
    end: int
    year: int | None
    month: int | None = None
    day: int | None = None

    def days(self) -> tuple[date, date] | None:
        """Return the half-open interval of days that is meant, None where the year is not named or no such day exists."""
        if self.year is None:
            return None
        try:
            if self.month is None:
                return date(self.year, 1, 1), date(self.year + 1, 1, 1)
            if self.day is None:
                return date(self.year, self.month, 1), date(self.year + self.month // 12, self.month % 12 + 1, 1)
            first = date(self.year, self.month, self.day)
        except ValueError:
            return None
        return first, first + timedelta(days=1)

    @property
    def month_day(self) -> tuple[int, int] | None:
        """Return month and day where both are named."""
        return (self.month, self.day) if self.month is not None and self.day is not None else None


@lru_cache(maxsize=REMEMBERED)
def read_dates(text: str) -> tuple[DateMention, ...]:
    """Return the dates that ``text`` names, in order, none overlapping; the more precise reading wins."""
    taken: list[DateMention] = []
    for mention in _mentions(text):
        if all(mention.end <= other.start or mention.start >= other.end for other in taken):
            taken.append(mention)
    return tuple(sorted(taken, key=lambda m: m.start))


def _mentions(text: str) -> Iterator[DateMention]:
    """Yield all readings, the most precise pattern first."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month = (
                _MONTH_OF[parts["name"].casefold()]
                if parts.get("name")
                else int(parts["month"])
                if parts.get("month")
                else None
            )
            day = int(parts["day"]) if parts.get("day") else None
            year = int(parts["year"]) if parts.get("year") else None
            if day == 0:
                continue
            yield DateMention(match.start(), match.end(), year, month, day)


def may_name_a_day(text: str) -> bool:
    """Return whether a text has a number or a month's name, so that it may name a day in a way that `read_dates` does not know."""
    return _NAMED_MONTH.search(text) is not None
