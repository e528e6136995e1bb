"""Follow-up turns: complete a question that only makes sense after the turns before it. Pure, deterministic.

The method: find the last user turn that asked something by itself; then, by the shape of the new turn,
carry it over (a doubt, "since when?"), carry it over with the newly named place or date ("and in Austria?"), or put its
subject in the place of a pronoun ("when did she die?"). A turn that stands alone is left alone.
It knows no records; what the completed text falls under is decided as for any other question.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.decision import Form, Message
from rag_edit.scope.dates import read_dates
from rag_edit.core.form import FormReading
from rag_edit.scope.forms import read_form
from rag_edit.scope.places import PlaceMention
from rag_edit.scope.text import clean, fold

PlaceReading = Callable[[str], Sequence[PlaceMention]]
MAX_TURNS: Final = 20  # how far back a topic may lie

_LEAD: Final = re.compile(
    r"^(?:and|but|so|ok(?:ay)?|then|what about|how about|what if|und|aber|wie ist es|wie sieht es|was ist|et|mais|qu'en est-il|y|pero|qué hay|e|en)\b[\s,]*"
    r"(?:what about|how about|if|dann|mit|alors|pour|pasa con|de)?\b[\s,]*",
    re.IGNORECASE,
)
_SINCE: Final = re.compile(
    r"^(?:and |und |et |y )?(?:since when|as of when|until when|from when|says who|according to whom|why|how come|source|what is (?:your|the) source"
    r"|seit wann|bis wann|ab wann|warum|wieso|quelle|depuis quand|jusqu'à quand|pourquoi|source|desde cuándo|desde cuando|hasta cuándo|por qué|fuente"
    r"|where (?:does|did) (?:that|this|it) come from|who says (?:so|that))\b[\s?.!]*$",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(
    r"\b(?:he|she|it|they|him|her|them|his|its|their|that|there|this (?:one|person|country|city)|er|sie|es|ihm|ihr|ihn|sein|seine|dort|il|elle|lui|là-bas|él|ella|ello|allí)\b",
    re.IGNORECASE,
)
_POSSESSIVE: Final = frozenset({"his", "its", "their", "her", "sein", "seine", "ihr"})
_CAPITALISED: Final = re.compile(r"(?<!^)(?<![.?!]\s)\b[A-ZÀ-ÖØ-Þ][\w'’.-]*(?:\s+(?:of|de|von|van|der|la|le|du|the|and|[A-ZÀ-ÖØ-Þ0-9][\w'’.-]*))*")
_SHORT_WORDS: Final = 7


@dataclass(frozen=True, slots=True)
class Topic:
    """What a follow-up is about.

    Attributes:
        text: The completed question, to search and score by.
        asked: The earlier turn that it was completed from.
        how: ``same`` (a doubt or a bare follow-up), ``moved`` (another place or date), ``pronoun``.
    """

    text: str
    asked: str
    how: str


def resolve(messages: Sequence[Message], question: str, form: FormReading, read_places: PlaceReading) -> Topic | None:
    """Return the topic that ``question`` continues, None when it stands alone or nothing came before.

    Args:
        messages: Earlier turns, oldest first; only the user's are read: a model's own words never steer the routing.
        question: The new turn, cleaned.
        form: Its form.
        read_places: Reader of places.
    """
    if form.form is Form.SMALL_TALK:
        return None
    turns = [clean(m.content) for m in messages if m.role == "user"][-MAX_TURNS:]
    before = _last_topic(turns, read_places)
    if before is None:
        return None
    if form.form is Form.DOUBT or _SINCE.match(question):
        return Topic(before, before, "same")
    moved = _moved(before, question, read_places)
    if moved is not None:
        return Topic(moved, before, "moved")
    return _with_subject(before, question)


def _last_topic(turns: Sequence[str], read_places: PlaceReading) -> str | None:
    """Return the topic that stands after ``turns``: each turn either keeps, moves or replaces it."""
    topic: str | None = None
    for turn in turns:
        form = read_form(turn)
        if form.form in (Form.SMALL_TALK, Form.DOUBT) or _SINCE.match(turn):
            continue
        if topic is not None and (moved := _moved(topic, turn, read_places)) is not None:
            topic = moved
        elif topic is not None and (continued := _with_subject(topic, turn)) is not None:
            topic = continued.text
        else:
            topic = form.stem or turn
    return topic


def _moved(before: str, question: str, read_places: PlaceReading) -> str | None:
    """Return ``before`` at the place or date that an elliptical ``question`` names; None when it is not one."""
    lead = _LEAD.match(question)
    rest = question[lead.end() :] if lead else question
    if len(fold(rest).split()) > (_SHORT_WORDS if lead else 4):
        return None
    places, dates = tuple(read_places(rest)), read_dates(rest)
    if not places and not dates:
        return None
    left = rest
    for start, end in sorted([(p.start, p.end) for p in places] + [(d.start, d.end) for d in dates], reverse=True):
        left = left[:start] + left[end:]
    if not set(fold(left).split()) <= _FILLERS:
        return None
    moved = before
    for here, there in ((tuple(read_places(before)), places), (read_dates(before), dates)):
        if not there:
            continue
        new = rest[there[0].start : there[-1].end]
        if here:
            moved = moved[: here[0].start] + new + moved[here[-1].end :]
        else:
            body = moved.rstrip(" ?.!")
            moved = f"{body} in {new}{moved[len(body) :] or '?'}"
    return moved


_FILLERS: Final = frozenset(
    "in on at for from of the a an to about and what how then if i m am were was is are be live lived it now today there over next door "
    "im in am der die das den fur nach und wie ist es sieht aus mit dem bei "
    "en a au aux la le les l du de pour et qu est il y sur del el los las para que pasa con si ".split()
)


def _with_subject(before: str, question: str) -> Topic | None:
    """Return ``question`` with its pronoun replaced by the name in ``before``; None without both."""
    pronoun = _PRONOUN.search(question)
    if pronoun is None or _CAPITALISED.search(question) or len(question.split()) > 2 * _SHORT_WORDS:
        return None
    names = [match.group() for match in _CAPITALISED.finditer(before)]
    if not names:
        return None
    name = max(names, key=len).removesuffix("'s").removesuffix("’s").rstrip("?.! ")
    spoken = f"{name}'s" if pronoun.group().casefold() in _POSSESSIVE else name
    return Topic(question[: pronoun.start()] + spoken + question[pronoun.end() :], before, "pronoun")
