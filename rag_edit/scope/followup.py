"""Follow-up turns: complete a question that only makes sense after the turns before it. Pure, deterministic.

A conversation is read turn by turn into the question that stands (`Standing`); the last turn is then read the same way.
A turn, in this order: (1) asks nothing; (2) asks the same again: a doubt (`rag_edit.scope.followup_doubt`), "since when?",
"I read it is 21 %", an order to say something else; (3) moves the question to another place or date; (4) proposes an answer ("is it 19?"); (5) is a fragment
that is put into the question: another adjective, object, name, question word; (6) points back by a pronoun; else it stands
alone. Only the user's turns are read: a model's own words never steer the routing. What stands alone by these rules, or only points
back, may yet be a doubt in words that no rule knows: who was trained to tell may say so (``doubts``).
It knows no records; what the completed text falls under is decided as for any other question.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.decision import Form, Message
from rag_edit.core.form import FormReading
from rag_edit.scope import followup_splice as splice
from rag_edit.scope import followup_words as words
from rag_edit.scope import forms_words as w
from rag_edit.scope.dates import read_dates
from rag_edit.scope.followup_doubt import read_doubt, refuses, says_nothing, wonders
from rag_edit.scope.followup_pointing import entity, point_back
from rag_edit.scope.followup_splice import PREPOSED, PlaceReading
from rag_edit.scope.followup_turn import MARKS, Fragment, Standing, asks, is_clause, may_stand_bare, open_turn, plain, word_set
from rag_edit.scope.forms import read_form
from rag_edit.scope.language import guess_language
from rag_edit.scope.text import clean, fold

MAX_TURNS: Final = 20  # how far back a topic may lie
MAX_TURN_CHARS: Final = 2_000  # of a longer turn the end is read: there the question stands
MAX_SENTENCES: Final = 8
MAX_TOPIC_CHARS: Final = 400  # of a longer one the last sentence is kept
_SENTENCE: Final = re.compile(  # not after an initial, "Jr." or "7.", nor at the mark inside a name ("Yahoo! is")
    r"(?<=[a-zà-ÿ)%]{2}[.!?…])(?<!\b[A-ZÀ-Þ][a-z][.])(?<!\b[A-ZÀ-Þ][a-z]{2}[.])\s+(?=[A-ZÀ-Þ¿¡]|(?:and|but|so|what|how|und|aber|wie|et|mais|y|pero)\b)"
    r"|(?<=[?!])\s+(?=[A-ZÀ-Þ¿¡]|(?:and|but|so|und|aber|et|mais|y|pero)\b)"
)
_OF_END: Final = re.compile(r"^(?P<head>(?:what|who|which|when|where)\b.*\bof\s+)[^\s,?].*?\s*\?*$", re.IGNORECASE)
_QUOTES: Final = re.compile(r"[\"“”«»„]")
_ABOUT: Final = re.compile(r"(?:for|of|with|pour|für|bei|para|con)\s+(?P<name>[A-ZÀ-Þ]\w+(?:\s+[A-ZÀ-Þ]\w+)+)$")
_KIN: Final = re.compile(r"(?:[^\WA-ZÀ-Þ]\w*\s+){1,2}(?P<name>[A-ZÀ-Þ]\w+\s+[A-ZÀ-Þ].*)$")


Doubts = Callable[[str], bool]
"""Whether a turn, said after an answer, doubts it; asked of `later_turns` alone."""


def no_doubts(_turn: str) -> bool:
    """Return False: the rules alone tell what is a doubt."""
    return False


@dataclass(frozen=True, slots=True)
class Topic:
    """What a follow-up is about.

    Attributes:
        text: The completed question, to search and score by; empty when nothing is asked.
        asked: The earlier question that it was completed from.
        how: ``doubt``, ``same`` (a bare follow-up), ``moved`` (another place or date), ``fragment`` (another part put in),
            ``pronoun``, ``nothing``.
        claim: Of a doubt: the value that is held against the answer; empty where none is.
    """

    text: str
    asked: str
    how: str
    claim: str = ""


def resolve(
    messages: Sequence[Message], question: str, form: FormReading, read_places: PlaceReading, doubts: Doubts = no_doubts
) -> Topic | None:
    """Return the topic that ``question`` continues, None when it stands alone or nothing came before.

    Args:
        messages: Earlier turns, oldest first; only the user's are read.
        question: The new turn, cleaned.
        form: Its form.
        read_places: Reader of places.
        doubts: Asked of turns that by the rules stand alone or only point back.
    """
    turns = _turns(messages)
    refused = bool(turns) and refuses(question) and not _is_small_talk(turns[-1])
    if not turns or (form.form is Form.SMALL_TALK and not refused):
        return None
    standing = Standing()
    for turn in turns:
        standing = _after(standing, turn, read_places, doubts)
    if refused and standing.question:  # what was said just before, not a courtesy
        return Topic(standing.question, standing.question, "doubt")
    return _continue(standing, plain(question[-MAX_TURN_CHARS:]), form, read_places, doubts)


def later_turns(messages: Sequence[Message], question: str) -> tuple[str, ...]:
    """Return a person's turns after the first, ``question`` (cleaned) the last, as `resolve` reads them; none where nothing came before."""
    turns = (*_turns(messages), question[-MAX_TURN_CHARS:])
    return tuple(plain(turn) for turn in turns[1:])


def _turns(messages: Sequence[Message]) -> list[str]:
    return [clean(m.content[-MAX_TURN_CHARS:]) for m in messages if m.role == "user"][-MAX_TURNS:]


def _is_small_talk(turn: str) -> bool:
    """Return whether a turn asks nothing and refuses nothing."""
    return read_form(turn).form is Form.SMALL_TALK and not refuses(turn)


def _after(standing: Standing, turn: str, read_places: PlaceReading, doubts: Doubts = no_doubts) -> Standing:
    """Return what stands after one more turn: it keeps, changes or replaces the question."""
    turn, form = plain(turn), read_form(turn)
    if form.form is Form.SMALL_TALK:
        return standing
    topic = _continue(standing, turn, form, read_places, doubts)
    language = guess_language(turn) or "en"
    if topic is not None:
        return Standing(topic.text or standing.question, topic.text or standing.naming)
    naming = turn if splice.named(turn, read_places, language) or splice.places(turn, read_places) else standing.naming
    if form.form is Form.DOUBT or (standing.question and (says_nothing(turn) or not asks(turn, form))):
        return Standing(standing.question, naming)
    asked = form.stem or turn
    return Standing(asked if len(asked) <= MAX_TOPIC_CHARS else _SENTENCE.split(asked)[-1], naming)


def _continue(standing: Standing, turn: str, form: FormReading, read_places: PlaceReading, doubts: Doubts) -> Topic | None:
    """Return what ``turn`` asks after ``standing``, None when it stands alone: by the rules first, then by who knows doubts."""
    topic = _by_rule(standing, turn, form, read_places)
    if standing.question and (topic is None or topic.how == "pronoun") and doubts(turn):
        return Topic(standing.question, standing.question, "doubt")
    return topic


def _by_rule(standing: Standing, turn: str, form: FormReading, read_places: PlaceReading) -> Topic | None:
    """Return what ``turn`` asks after ``standing`` by the rules, None when it stands alone."""
    before = standing.question
    bag = word_set(turn)
    if words.CALL.match(turn):
        return Topic("", before, "nothing")
    if bag <= words.COURTESY | _SMALL and not read_dates(turn) and len(bag) <= 8 and not turn.endswith("?"):
        return Topic("", before, "nothing")
    if before and form.form is Form.DOUBT:
        return Topic(before, before, "doubt", form.claim)
    if before and form.form is not Form.CLOZE and _same(turn, bag):
        return Topic(before, before, "same")
    about = words.ABOUT.match(turn)
    name = next((part for part in about.groups() if part), "").rstrip(" ?!.") if about else ""
    if (
        before and name[:1].isupper() and not splice.places(name, read_places) and not read_dates(name)
    ):  # whatever words it is made of
        put = splice.put_name(before, name, read_places, guess_language(before) or "en")
        if put is not None:
            return Topic(put, before, "fragment")
    of = _OF_END.match(before) if name[:1].islower() and not is_clause(name, "en") and not words.ARTICLE.match(name) else None
    if (
        of and not words.MODIFIERS & word_set(name) and not splice.PREPOSED.match(name)
    ):  # "the field of work of dairies", "what about law?"
        return Topic(f"{of['head']}{name}?", before, "fragment")
    if before and not about and (doubt := read_doubt(turn, before)) is not None:
        return Topic(before, before, "doubt", doubt.claim)
    sentences = [turn] if _QUOTES.search(turn) else _SENTENCE.split(turn)
    if len(sentences) > 1:  # in a long message the follow-up stands at the end
        piece, asked = open_turn(sentences[-1]), any(sentence.endswith("?") for sentence in sentences[:-1])
        if not (piece.led or piece.corrects or (piece.asks and not asked)):
            return None
        for sentence in sentences[-MAX_SENTENCES:-1]:
            standing = _after(standing, sentence, read_places)
        return _by_rule(standing, sentences[-1], read_form(sentences[-1]), read_places)
    language = guess_language(before) or guess_language(turn) or "en"
    piece = open_turn(turn)
    if before and (form.form is not Form.CLOZE or piece.led or piece.corrects):
        if _proposes(piece, before, read_places):
            return Topic(before, before, "same")
        moved = _moved(piece, before, read_places, language)
        if moved is not None:
            return Topic(moved, before, "moved")
        put = _put(piece, standing, read_places, language)
        if put is not None:
            return Topic(put, before, "fragment")
    pointed = point_back(turn, standing, read_places, guess_language(turn) or language)
    if pointed is None and before and wonders(turn):
        return Topic(before, before, "doubt")
    return None if pointed is None else Topic(pointed, before or standing.naming, "pronoun")


def _same(turn: str, bag: frozenset[str]) -> bool:
    """Return whether a turn asks more about the same: its day, its source, once more, or holds something against it."""
    if len(bag) <= 9 and bag <= words.SAME and not bag.isdisjoint(words.SAME_CORE):
        return True
    if words.OVERRULE.search(turn) or words.DISBELIEF.match(turn):
        return True
    held = any(char.isdigit() for char in turn) and not bag.isdisjoint(words.SAYING)
    return held and not turn.endswith("?") and len(turn.split()) <= 14 and not any(p.match(turn) for p in w.WH_START.values())


def _proposes(piece: Fragment, before: str, read_places: PlaceReading) -> bool:
    """Return whether a turn proposes an answer to the question before: "is it 19?", "so 100 km/h?"."""
    match = words.GUESS.match(piece.text)
    guess = match["guess"] if match else ""
    if read_dates(guess or piece.text):
        spoken = guess
        for date in reversed(read_dates(guess)):
            spoken = spoken[: date.start] + spoken[date.end :]
        return bool(guess) and bool(words.ASKS_WHEN.match(before)) and word_set(spoken) <= words.FILLERS
    if words.NUMBER.match(guess or piece.text):
        return True
    there = splice.places(piece.text, read_places)
    if there and piece.asks and not piece.led and words.ASKS_WHERE.match(before):  # "In Paris?"
        return word_set(piece.text[: there[0].start] + piece.text[there[-1].end :]) <= words.FILLERS
    return bool(guess) and bool(words.PROPOSED.match(guess)) and word_set(guess).isdisjoint(words.FILLERS - _ARTICLES)


def _moved(piece: Fragment, before: str, read_places: PlaceReading, language: str) -> str | None:
    """Return ``before`` at the place or date that a turn names beside words that say nothing else."""
    text = piece.text
    there, dates = splice.places(text, read_places), read_dates(text)
    if not (there or dates) or (any(p.match(text) for p in w.WH_START.values()) and not piece.led):
        return None
    if w.POLAR_START["en"].match(text) and len(there) > 1:
        return None  # "is Austria in the EU?"
    left = text
    for start, end in sorted([(p.start, p.end) for p in there] + [(d.start, d.end) for d in dates], reverse=True):
        left = f"{left[:start]} {left[end:]}"
    claim = words.GUESS.match(PREPOSED.sub("", f"{left.strip()} ").strip())  # "in Germany it is 19"
    if not word_set(left) <= words.FILLERS and not (claim and words.NUMBER.match(claim["guess"])):
        return None
    moved = splice.put_place(before, text, there, read_places, language) if there else before
    return splice.put_date(moved, text, dates, language) if dates else moved


def _put(piece: Fragment, standing: Standing, read_places: PlaceReading, language: str) -> str | None:
    """Return the standing question with a fragment put into it."""
    text, before = piece.text, standing.question
    count = len(text.split())
    if words.BARE_WH.match(text):
        opening = next((m for p in w.WH_START.values() if (m := p.match(before.lstrip(MARKS)))), None)
        return None if opening is None else text.capitalize() + before.lstrip(MARKS)[opening.end() :]
    if (
        not 1 <= count <= 6
        or not (piece.led or piece.corrects or (piece.asks and may_stand_bare(text)))
        or is_clause(text, language)
    ):
        return None
    if words.TIME.match(text):
        return splice.add(before, text)
    if own := words.POSSESSIVE.get(language, words.POSSESSIVE["en"]).match(text):
        if kin := _KIN.match(own["thing"]):  # "his wife Marie Curie"
            return splice.put_name(before, kin["name"], read_places, language)
        name = entity(standing, read_places)
        return words.OF.get(language, words.OF["en"]).format(own["thing"], name) if name else None
    if (about := _ABOUT.match(text)) and (put := splice.put_name(before, about["name"], read_places, language)):
        return put
    if words.ROAD_ADVERB.match(text) or PREPOSED.match(text):
        return splice.put_phrase(before, text, read_places, language)
    modifier = _modifier(text, before, language)
    if modifier:
        return splice.put_modifier(before, modifier, read_places, language)
    article = words.ARTICLE.match(text)
    bare = text[article.end() :] if article else text
    if bare[:1].isupper() and not bare.split()[0].isupper():
        put = splice.put_name(before, text, read_places, language)
        if put is not None:
            return put
    if any(word.isupper() and len(word) > 1 for word in bare.split()) and count > 2:
        return None  # "the reduced VAT rate" says enough
    ways = (splice.put_object, splice.put_noun) if piece.corrects or not article else (splice.put_noun,)
    for way in ways:
        if (put := way(before, text, read_places, language)) is not None:
            return put
    name = entity(standing, read_places)
    return words.OF.get(language, words.OF["en"]).format(bare, name) if name and article else None


def _modifier(text: str, before: str, language: str) -> str:
    """Return the adjective by which a fragment sets another of the same kind; empty when it is a thing of its own."""
    article = words.ARTICLE.match(text)
    bare = (text[article.end() :] if article else text).split()
    asked = set(fold(before).split())
    shared = [
        word
        for word in bare
        if fold(word) in asked | words.HEADS or (len(word) > 3 and any(a.endswith(fold(word)) for a in asked))
    ]
    left = [word for word in bare if word not in shared]
    if len(left) != 1:
        return ""
    known = fold(left[0]).replace(" ", "") in words.MODIFIERS
    adjective = language == "de" and bool(article) and left[0].islower()
    return (
        left[0] if known or adjective or (shared and left[0].islower()) or (language == "en" and left[0].endswith("ed")) else ""
    )


_SMALL: Final = frozenset(token for word in w.SMALL_TALK for token in fold(word).split())
_ARTICLES: Final = w.words("the der die das le la l les el los las")
