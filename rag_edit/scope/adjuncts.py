"""A question without the place and the time it names, where vetoes judge those. Pure.

"What is the standard VAT rate in Germany?" asks of a German record what "What is the standard VAT rate?" asks: whether the place
fits is `rag_edit.scope.policies`' business, and the score should see the rest. Words that the record itself uses stay.
"""

import re
from collections.abc import Iterable
from typing import Final

from rag_edit.core.record import Record
from rag_edit.scope.reading import Reading
from rag_edit.scope.text import clean, fold

GLOBAL: Final = "GLOBAL"
_LEAD: Final = re.compile(
    r"(?:[\s,(–-]|^)(?:(?:here|back|over|still|hier|aquí|ici|allá)\s+)?"
    r"(?:in|on|at|for|of|from|within|across|during|as of|since|by|im|am|ab|vom|von|für|fur|seit|bei|aus|en|à|a|au|aux|dans|de|du|des|pour|le|el|del|para|desde)"
    r"(?:\s+(?:the|year|der|die|das|dem|den|jahr|jahre|la|le|les|el|los|las|l'|année|annee|año|ano|mes|mois|state of|canton of|canton de))*\s*$",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(r"^\s*[,)]?")
_MARKS: Final = " ,(–-"


def text_for(reading: Reading, record: Record) -> str:
    """Return what a question asks of ``record``, the places and dates that vetoes judge cut out with their prepositions.

    Records of GLOBAL without bounds are asked the whole question: nothing vetoes there.
    """
    if not reading.places and not reading.dates:
        return reading.text
    own = " ".join(fold(text) for text in (*record.questions(), *record.names()))
    cuts: list[tuple[int, int]] = []
    if record.jurisdiction != GLOBAL:
        cuts += [(m.start, m.end) for m in reading.places if m.certain]
    if record.jurisdiction != GLOBAL or record.valid_from or record.valid_to:
        cuts += [(m.start, m.end) for m in reading.dates if m.year is not None]
    left = cut_out(reading.text, [(s, e) for s, e in cuts if f" {fold(reading.text[s:e])} " not in f" {own} "])
    return left if len(fold(left).split()) > 1 else reading.text


def cut_out(text: str, cuts: Iterable[tuple[int, int]]) -> str:
    """Return ``text`` without the stretches (start, end), each with the preposition before it, and tidied."""
    for start, end in sorted(cuts, reverse=True):
        lead = _LEAD.search(text[:start])
        head = text[: lead.start()] if lead else text[:start]
        tail = text[end:]
        text = f"{head.rstrip(_MARKS)} {tail[match.end() :] if (match := _TAIL.match(tail)) else tail}"
    return re.sub(r"\s+([?.!,;])", r"\1", clean(text)).strip(" ,")
