"""What the scope decision reads from a record's own question: subject, relation, territory. For the editor, who can correct it. Pure.

A record without a subject is decided on the name that its question seems to be about: the longest run of capitalised words. That
may be wrong, or missing, and nobody would know; so it is shown. A territory that contradicts the record's jurisdiction is a
slip of the pen as a rule, and said whatever fields the record has. Nothing here changes a decision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rag_edit.core.record import Record
from rag_edit.scope.adjuncts import GLOBAL, cut_out
from rag_edit.scope.mentions import find_mention, read_name
from rag_edit.scope.policies import ReadPlaces
from rag_edit.scope.text import fold

BLANK: Final = "{}"  # stands for the subject, as in a record's own relation


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place that a record's question names: its words, and the codes that they may mean."""

    text: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordReading:
    """How a record's own question is read.

    Attributes:
        subject: The name it seems to be about, or the record's own; empty where there is none.
        is_given: Whether the record states the subject itself.
        start, end: Where it stands in the question; 0, 0 where it does not.
        relation: The question with ``{}`` for the subject, without the places.
        places: What it names for sure.
        contradiction: How a place contradicts the record's jurisdiction, as a sentence; empty where none does.
    """

    subject: str
    is_given: bool
    start: int
    end: int
    relation: str
    places: tuple[NamedPlace, ...] = ()
    contradiction: str = ""


def read_record(record: Record, read_places: ReadPlaces, covers: Callable[[str, str], bool]) -> RecordReading:
    """Return how the question of ``record`` is read.

    Args:
        record: The record.
        read_places: Reader of places in a text.
        covers: ``covers(jurisdiction, place)``: the place is the jurisdiction or lies in it.
    """
    question = record.question
    subject = record.subject or read_name(question)
    names = tuple(name for name in (subject, *record.aliases) if name)
    mention = find_mention(question, names) if names else None
    start, end = (mention.start, mention.end) if mention else (0, 0)
    mentions = [m for m in read_places(question) if m.certain and m.jurisdictions]
    outside = [m for m in mentions if m.end <= start or m.start >= end]
    relation = cut_out(question, [(m.start, m.end) for m in outside]) if not mention else ""
    if mention:
        shift = [
            (m.start, m.end) if m.end <= start else (m.start - (end - start) + len(BLANK), m.end - (end - start) + len(BLANK))
            for m in outside
        ]
        relation = cut_out(f"{question[:start]}{BLANK}{question[end:]}", shift)
    places = tuple(NamedPlace(m.text, tuple(map(str, m.jurisdictions))) for m in mentions)
    return RecordReading(
        subject, bool(record.subject), start, end, relation, places, _contradiction(record, places, names, covers)
    )


def _contradiction(
    record: Record, places: tuple[NamedPlace, ...], names: tuple[str, ...], covers: Callable[[str, str], bool]
) -> str:
    here = record.jurisdiction
    if here == GLOBAL or any(covers(here, code) for place in places for code in place.codes):
        return ""
    own = {fold(name) for name in names} if record.subject else set()
    for place in places:
        if any(f" {fold(place.text)} " in f" {name} " for name in own):
            continue
        wider = any(covers(code, here) for code in place.codes)
        relation = "which is wider than" if wider else "which is not in"
        return f"its question names {place.text} ({', '.join(place.codes)}), {relation} {here}, the record's jurisdiction"
    return ""
