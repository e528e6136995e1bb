"""What a question says, before any record is looked at: form, places, dates, numbers, language hint.

A `Reading` is made once a question and handed to the index, the scorer and the policies. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from rag_edit.core.decision import MAX_QUESTION_CHARS, Form, Query
from rag_edit.core.form import FormReading
from rag_edit.scope.dates import DateMention, read_dates
from rag_edit.scope.followup import Doubts, Topic, later_turns, no_doubts, resolve
from rag_edit.scope.forms import read_form
from rag_edit.scope.language import guess_language
from rag_edit.scope.places import PlaceMention
from rag_edit.scope.standpoint import asked_part
from rag_edit.scope.text import clean, numbers
from rag_edit.scope.times import TimeMention, read_times

SEARCH_CHARS: Final = 600  # an encoder reads 256 tokens; what a question asks stands in its first or last words

PlaceReading = Callable[[str], Sequence[PlaceMention]]


class Doubting(Protocol):
    """Tells doubts in words that no rule knows; `rag_edit.lm.doubt_probe.DoubtReader` is one."""

    @property
    def digest(self) -> str:
        """Return the name of what it was trained to."""
        ...

    def __call__(self, turns: Sequence[str]) -> Sequence[bool]:
        """Return of each turn, said after an answer, whether it doubts it."""
        ...

    def nearly(self, turns: Sequence[str]) -> Sequence[bool]:
        """Return the same by a lower bar: for a turn between an answer and a doubt, since who doubts once doubts again."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A question, read.

    Attributes:
        query: What was asked, unchanged.
        text: The words to search and score by: cleaned, options and wrapping left out, a follow-up completed from the
            turns before it, what a person says of their own whereabouts left out where another place is asked about. Empty when nothing is asked.
        form: The form of the question and its parts (stem, options).
        places, dates, times: What ``text`` names; times are those told in words, counted from the query's ``as_of``.
        numbers: Numbers in ``text``.
        language: BCP 47 hint, or empty. Never a filter.
        follows: The earlier turns' topic when the question only makes sense with it.
    """

    query: Query
    text: str
    form: FormReading
    places: tuple[PlaceMention, ...] = ()
    dates: tuple[DateMention, ...] = ()
    times: tuple[TimeMention, ...] = ()
    numbers: frozenset[str] = frozenset()
    language: str = ""
    follows: Topic | None = None

    @property
    def doubts(self) -> bool:
        """Return whether it doubts what was answered before."""
        return self.follows is not None and self.follows.how == "doubt"


def turns_to_doubt(query: Query) -> tuple[str, ...]:
    """Return the turns of a conversation that `read` may ask ``doubts`` about."""
    return later_turns(query.messages, clean(query.question[:MAX_QUESTION_CHARS]))


def read(query: Query, read_places: PlaceReading, doubts: Doubts = no_doubts) -> Reading:
    """Return what ``query`` says; ``doubts`` tells of one of `turns_to_doubt` whether it doubts what was answered."""
    question = clean(query.question[:MAX_QUESTION_CHARS])
    form = read_form(query.question[:MAX_QUESTION_CHARS])  # lines and all: options stand on them
    topic = resolve(query.messages, question, form, read_places, doubts)
    if topic is not None and topic.how == "doubt" and not (form.polar and topic.claim):  # "isn't it X?" is told yes or no
        form = replace(form, form=Form.DOUBT, stem="", polar=True, negated=False, claim=topic.claim)
    alone = "" if form.form in (Form.SMALL_TALK, Form.DOUBT) else form.stem or question
    text = asked_part(_ends(clean(topic.text if topic else alone)), read_places)
    return Reading(
        query,
        text,
        form,
        places=tuple(read_places(text)),
        dates=read_dates(text),
        times=read_times(text, query.as_of),
        numbers=numbers(text),
        language=guess_language(question) or "",
        follows=topic,
    )


def read_doubted(readings: Sequence[Reading], doubting: Doubting, read_places: PlaceReading) -> dict[int, Reading]:
    """Return the readings that change when ``doubting`` tells which turns are doubts, by their place.

    Beside a doubt, before it or after it, a turn is held to the lower bar.
    """
    turns = [turns_to_doubt(reading.query) for reading in readings]
    several = list(dict.fromkeys(turn for own in turns for turn in own if turn))
    if not several:
        return {}
    doubts = frozenset(turn for turn, doubted in zip(several, doubting(several), strict=True) if doubted)
    nearly = doubts.union(turn for turn, doubted in zip(several, doubting.nearly(several), strict=True) if doubted)
    found = {}
    for i, (reading, own) in enumerate(zip(readings, turns, strict=True)):
        again = reading if nearly.isdisjoint(own) else _read_beside(reading.query, read_places, doubts, nearly)
        if again != reading:
            found[i] = again
    return found


def _read_beside(query: Query, read_places: PlaceReading, doubts: frozenset[str], nearly: frozenset[str]) -> Reading:
    """Return the reading of a conversation's last turn, where turns of ``nearly`` are doubts too if they stand beside one."""
    *between, last = turns_to_doubt(query)
    again = read(query, read_places, doubts.__contains__)
    if not again.doubts and last in nearly and _follows_doubt(query, read_places, doubts, nearly):
        again = read(query, read_places, doubts.union(nearly).__contains__)
    elif again.doubts and not nearly.isdisjoint(between):
        again = read(query, read_places, doubts.union(nearly.intersection(between)).__contains__)
    return again


def _follows_doubt(query: Query, read_places: PlaceReading, doubts: frozenset[str], nearly: frozenset[str]) -> bool:
    """Return whether a doubt stands before the last turn, and between them nothing but what is nearly one."""
    for turn in reversed(turns_to_doubt(query)[:-1]):
        at = max(i for i, message in enumerate(query.messages) if message.role == "user")
        query = replace(query, question=query.messages[at].content, messages=query.messages[:at])
        if read(query, read_places, doubts.__contains__).doubts:
            return True
        if turn not in nearly:
            return False
    return False


def _ends(text: str) -> str:
    """Return a long text's last sentence-like stretch: in a long message the question stands at the end."""
    if len(text) <= SEARCH_CHARS:
        return text
    tail = text[-SEARCH_CHARS:]
    cut = max(tail.find(". "), tail.find("? "), tail.find("! "))
    return tail[cut + 2 :] if 0 <= cut < SEARCH_CHARS // 2 else tail[tail.find(" ") + 1 :]
