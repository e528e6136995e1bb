"""A question without the place and the time it names, where vetoes judge those. Pure.

"What is the standard VAT rate in Germany?" asks of a German record what "What is the standard VAT rate?" asks: whether the place
fits is `rag_edit.scope.policies`' business, and the score should see the rest. Words that the record itself uses stay. A located
record's own wordings are read the same way (`at_home`): whoever writes "What is the VAT rate in Germany?" for DE means the place by it twice.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rag_edit.core.record import Record
from rag_edit.scope.mentions import names_nothing
from rag_edit.scope.reading import PlaceReading, Reading
from rag_edit.scope.text import REMEMBERED, fold

GLOBAL: Final = "GLOBAL"
_LEAD: Final = re.compile(
    r"(?:[\s,(–-]|^)(?:(?:here|back|over|still|hier|aquí|ici|allá)\s+)?"
    r"(?:in|on|at|for|of|from|within|across|during|as of|since|by|im|am|ab|vom|von|für|fur|seit|bei|aus|en|à|a|au|aux|dans|de|du|des|pour|le|el|del|para|desde)"
    r"(?:\s+(?:the|year|der|die|das|dem|den|jahr|jahre|la|le|les|el|los|las|l'|année|annee|año|ano|mes|mois|state of|canton of|canton de))*\s*$",
    re.IGNORECASE,
)
_BEFORE: Final = re.compile(
    r"([^\W\d_][\w-]*)\s+(?:(?:of|de|du|des|del|della|von|der)\s+)?(?:(?:the|la|le|les|der|den|des|los|las|l['’])\s*)?$"
)
_AFTER: Final = re.compile(r"(?:['’]s)?\s+([^\W\d_][\w-]*)")
_POSSESSIVE: Final = re.compile(r"['’]s\b")
_TAIL: Final = re.compile(r"^\s*[,)]?")
_MARKS: Final = " ,(–-"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of a text.

    Attributes:
        text: the words that are left.
        origin: for each character of ``text`` its place in the whole text.
    """

    text: str
    origin: tuple[int, ...]


def text_for(reading: Reading, record: Record) -> str:
    """Return what a question asks of ``record``, the places and dates that vetoes judge cut out with their prepositions.

    Records of GLOBAL without bounds are asked the whole question: nothing vetoes there.
    """
    return kept_for(reading, record).text if reading.places or reading.dates or reading.times else reading.text


def kept_for(reading: Reading, record: Record) -> Kept:
    """Return what `text_for` returns, and where it stands in the question."""
    whole = Kept(reading.text, tuple(range(len(reading.text))))
    if not (reading.places or reading.dates or reading.times):
        return whole
    own = " ".join(fold(text) for text in (*record.questions(), *record.names()))
    cuts: list[tuple[int, int]] = []
    if record.jurisdiction != GLOBAL:
        cuts += [(m.start, m.end) for m in reading.places if m.certain]
    if record.jurisdiction != GLOBAL or record.valid_from or record.valid_to:
        cuts += [(m.start, m.end) for m in reading.dates if m.year is not None]
        cuts += [(m.start, m.end) for m in reading.times if m.days is not None]
    kept = cut(reading.text, tuple((a, b) for a, b in cuts if f" {fold(reading.text[a:b])} " not in f" {own} "))
    return kept if len(fold(kept.text).split()) > 1 else whole


def at_home(record: Record, read_places: PlaceReading) -> Record:
    """Return a located record with its own place cut out of its wordings; one of GLOBAL, or that does not name it, as it is.

    Other places stay, and cities of its own: a licence from Poland, parking in Munich. So does a place that is a part of a name:
    the Bank of England, the French Republic, Austria's National Day.
    """
    if record.jurisdiction == GLOBAL:
        return record
    question, paraphrases = _placeless(record.question, record.paraphrases, record.names(), record.jurisdiction, read_places)
    if (question, paraphrases) == (record.question, record.paraphrases):
        return record
    return replace(record, question=question, paraphrases=paraphrases)


@lru_cache(maxsize=REMEMBERED)
def _placeless(
    question: str, paraphrases: tuple[str, ...], names: tuple[str, ...], own: str, read_places: PlaceReading
) -> tuple[str, tuple[str, ...]]:
    found = dict.fromkeys(_without_place(text, names, own, read_places) for text in (question, *paraphrases))
    first = next(iter(found))
    return first, tuple(text for text in found if text != first)


def _without_place(text: str, names: tuple[str, ...], own: str, read_places: PlaceReading) -> str:
    named = [match.span() for name in names if name and (match := re.search(re.escape(name), text, re.IGNORECASE))]
    cuts = [
        (m.start, m.end + (2 if _POSSESSIVE.match(text, m.end) else 0))
        for m in read_places(text)
        if m.certain
        and m.is_whole
        and own in m.jurisdictions
        and not any(a <= m.start and m.end <= b for a, b in named)
        and not _is_in_name(text, m.start, m.end)
    ]
    kept = cut_out(text, cuts) if cuts else text
    return kept if len(fold(kept).split()) > 1 else text


def _is_in_name(text: str, start: int, end: int) -> bool:
    """Return whether the words beside a place make a longer name with it."""
    before, after = _BEFORE.search(text, 0, start), _AFTER.match(text, end)
    opens = before is not None and not text[: before.start(1)].strip()
    return any(
        match is not None and match.group(1)[0].isupper() and not names_nothing(fold(match.group(1)))
        for match in (None if opens else before, after)
    )


def cut_out(text: str, cuts: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` without the stretches (start, end), each with the preposition before it, and tidied."""
    return cut(text, tuple(cuts)).text


@lru_cache(maxsize=4096)
def cut(text: str, cuts: tuple[tuple[int, int], ...]) -> Kept:
    """Return what `cut_out` returns, and where it stands in ``text``."""
    left = list(zip(text, range(len(text)), strict=True))
    for start, end in sorted(cuts, reverse=True):
        lead = _LEAD.search(text[:start])
        head = text[: lead.start() if lead else start].rstrip(_MARKS)
        tail = [pair for pair in left if pair[1] >= end]
        dropped = match.end() if (match := _TAIL.match("".join(char for char, _ in tail))) else 0
        left = [*left[: len(head)], (" ", start), *tail[dropped:]]
    tidy: list[tuple[str, int]] = []
    for char, place in left:
        if char in "?.!,;" or char.isspace():
            while tidy and tidy[-1][0].isspace():
                tidy.pop()
        tidy.append((" " if char.isspace() else char, place))
    joined = "".join(char for char, _ in tidy)
    first, last = len(joined) - len(joined.lstrip(" ,:")), len(joined.rstrip(" ,"))
    return Kept(joined[first:last], tuple(place for _, place in tidy[first:last]))
