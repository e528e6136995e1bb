"""Follow-up turns: complete a question that only makes sense after the turns before it. Pure, deterministic.

A conversation is read turn by turn into the question that stands (`_Standing`); the last turn is then read the same way.
A turn, in this order: (1) asks nothing; (2) asks the same again: a doubt, "since when?", "I read it is 21 %", an order to
say something else; (3) moves the question to another place or date; (4) proposes an answer ("is it 19?"); (5) is a fragment
that is put into the question: another adjective, object, name, question word; (6) points back by a pronoun; else it stands
alone. Only the user's turns are read: a model's own words never steer the routing.
It knows no records; what the completed text falls under is decided as for any other question.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.decision import Form, Message
from rag_edit.core.form import FormReading
from rag_edit.scope import followup_splice as splice
from rag_edit.scope import followup_words as words
from rag_edit.scope import forms_words as w
from rag_edit.scope.dates import read_dates
from rag_edit.scope.followup_splice import PlaceReading
from rag_edit.scope.forms import read_form
from rag_edit.scope.language import guess_language
from rag_edit.scope.text import clean, fold

MAX_TURNS: Final = 20  # how far back a topic may lie
MAX_POINTING_WORDS: Final = 9  # a longer question with a pronoun mostly holds what it stands for
MAX_TOPIC_CHARS: Final = 400  # of a longer one the last sentence is kept
_SENTENCE: Final = re.compile(  # not after an initial, "Jr." or "7.", nor at the mark inside a name ("Yahoo! is")
    r"(?<=[a-zà-ÿ)%]{2}[.!?…])(?<!\b[A-ZÀ-Þ][a-z][.])(?<!\b[A-ZÀ-Þ][a-z]{2}[.])\s+(?=[A-ZÀ-Þ¿¡]|(?:and|but|so|what|how|und|aber|wie|et|mais|y|pero)\b)"
    r"|(?<=[?!])\s+(?=[A-ZÀ-Þ¿¡]|(?:and|but|so|und|aber|et|mais|y|pero)\b)"
)
_QUOTES: Final = re.compile(r"[\"“”«»„]")
_MARKS: Final = " \t¿¡?!.…\"'"
_KIN: Final = re.compile(r"(?:[^\WA-ZÀ-Þ]\w*\s+){1,2}(?P<name>[A-ZÀ-Þ]\w+\s+[A-ZÀ-Þ].*)$")
_PREPOSED: Final = re.compile(rf"{splice.PREPOSITION}\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a follow-up is about.

    Attributes:
        text: The completed question, to search and score by; empty when nothing is asked.
        asked: The earlier question that it was completed from.
        how: ``same`` (a doubt or a bare follow-up), ``moved`` (another place or date), ``fragment`` (another part put in),
            ``pronoun``, ``nothing``.
    """

    text: str
    asked: str
    how: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a conversation has come to: the question that stands, and the last user's words that hold a name."""

    question: str = ""
    naming: str = ""


@dataclass(frozen=True, slots=True)
class _Fragment:
    """A turn without the words that only tie it to what came before.

    Attributes:
        text: What is left, without marks.
        led: It began with "and", "what about".
        corrects: It takes something back ("no, I meant").
        asks: It ended with a question mark.
    """

    text: str
    led: bool
    corrects: bool
    asks: bool


def resolve(messages: Sequence[Message], question: str, form: FormReading, read_places: PlaceReading) -> Topic | None:
    """Return the topic that ``question`` continues, None when it stands alone or nothing came before.

    Args:
        messages: Earlier turns, oldest first; only the user's are read.
        question: The new turn, cleaned.
        form: Its form.
        read_places: Reader of places.
    """
    turns = [clean(m.content) for m in messages if m.role == "user"][-MAX_TURNS:]
    if not turns or form.form is Form.SMALL_TALK:
        return None
    standing = _Standing()
    for turn in turns:
        standing = _after(standing, turn, read_places)
    return _continue(standing, _plain(question), form, read_places)


def _after(standing: _Standing, turn: str, read_places: PlaceReading) -> _Standing:
    """Return what stands after one more turn: it keeps, changes or replaces the question."""
    turn, form = _plain(turn), read_form(turn)
    if form.form is Form.SMALL_TALK:
        return standing
    topic = _continue(standing, turn, form, read_places)
    language = guess_language(turn) or "en"
    if topic is not None:
        return _Standing(topic.text or standing.question, topic.text or standing.naming)
    naming = turn if splice.named(turn, read_places, language) or splice.places(turn, read_places) else standing.naming
    if form.form is Form.DOUBT or (standing.question and not _asks(turn, form)):
        return _Standing(standing.question, naming)
    asked = form.stem or turn
    return _Standing(asked if len(asked) <= MAX_TOPIC_CHARS else _SENTENCE.split(asked)[-1], naming)


def _asks(turn: str, form: FormReading) -> bool:
    """Return whether a turn asks something by itself; a search-like run of words does, a statement does not."""
    if "?" in turn or form.form is not Form.OPEN or form.imperative or any(p.match(turn) for p in w.WH_START.values()):
        return True
    finite = w.FINITE.get(form.language or "en", w.FINITE["en"])
    if words.STATES.match(turn) or words.OVERRULE.search(turn) or finite.search(turn) or _bag(turn) <= words.COURTESY:
        return False
    return not turn.endswith((".", "!"))


def _continue(standing: _Standing, turn: str, form: FormReading, read_places: PlaceReading) -> Topic | None:
    """Return what ``turn`` asks after ``standing``, None when it stands alone."""
    before = standing.question
    bag = _bag(turn)
    if bag <= words.COURTESY | _SMALL and not read_dates(turn) and len(bag) <= 8 and not turn.endswith("?"):
        return Topic("", before, "nothing")
    if before and (form.form is Form.DOUBT or (form.form is not Form.CLOZE and _same(turn, bag))):
        return Topic(before, before, "same")
    sentences = [turn] if _QUOTES.search(turn) else _SENTENCE.split(turn)
    if len(sentences) > 1:  # in a long message the follow-up stands at the end
        piece, asked = _open(sentences[-1]), any(sentence.endswith("?") for sentence in sentences[:-1])
        if not (piece.led or piece.corrects or (piece.asks and not asked)):
            return None
        for sentence in sentences[:-1]:
            standing = _after(standing, sentence, read_places)
        return _continue(standing, sentences[-1], read_form(sentences[-1]), read_places)
    language = guess_language(before) or guess_language(turn) or "en"
    piece = _open(turn)
    if before and (form.form is not Form.CLOZE or piece.led or piece.corrects):
        if _proposes(piece, before, read_places):
            return Topic(before, before, "same")
        moved = _moved(piece, before, read_places, language)
        if moved is not None:
            return Topic(moved, before, "moved")
        put = _put(piece, standing, read_places, language)
        if put is not None:
            return Topic(put, before, "fragment")
    pointed = _pointed(turn, standing, read_places, guess_language(turn) or language)
    return None if pointed is None else Topic(pointed, before or standing.naming, "pronoun")


def _same(turn: str, bag: frozenset[str]) -> bool:
    """Return whether a turn asks more about the same: its day, its source, once more, or holds something against it."""
    if len(bag) <= 9 and bag <= words.SAME and not bag.isdisjoint(words.SAME_CORE):
        return True
    if words.OVERRULE.search(turn):
        return True
    held = any(char.isdigit() for char in turn) and not bag.isdisjoint(words.SAYING)
    return held and not turn.endswith("?") and len(turn.split()) <= 14 and not any(p.match(turn) for p in w.WH_START.values())


def _proposes(piece: _Fragment, before: str, read_places: PlaceReading) -> bool:
    """Return whether a turn proposes an answer to the question before: "is it 19?", "so 100 km/h?"."""
    match = words.GUESS.match(piece.text)
    guess = match["guess"] if match else ""
    if read_dates(guess or piece.text):
        spoken = guess
        for date in reversed(read_dates(guess)):
            spoken = spoken[: date.start] + spoken[date.end :]
        return bool(guess) and bool(words.ASKS_WHEN.match(before)) and _bag(spoken) <= words.FILLERS
    if words.NUMBER.match(guess or piece.text):
        return True
    return bool(guess) and bool(words.PROPOSED.match(guess)) and _bag(guess).isdisjoint(words.FILLERS - _ARTICLES)


def _moved(piece: _Fragment, before: str, read_places: PlaceReading, language: str) -> str | None:
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
    if not _bag(left) <= words.FILLERS:
        return None
    moved = splice.put_place(before, text, there, read_places, language) if there else before
    return splice.put_date(moved, text, dates, language) if dates else moved


def _put(piece: _Fragment, standing: _Standing, read_places: PlaceReading, language: str) -> str | None:
    """Return the standing question with a fragment put into it."""
    text, before = piece.text, standing.question
    count = len(text.split())
    if words.BARE_WH.match(text):
        asks = next((m for p in w.WH_START.values() if (m := p.match(before.lstrip(_MARKS)))), None)
        return None if asks is None else text.capitalize() + before.lstrip(_MARKS)[asks.end() :]
    if not 1 <= count <= 6 or not (piece.led or piece.corrects or (piece.asks and _may_stand_bare(text))) or _is_clause(text, language):
        return None
    if words.TIME.match(text):
        return splice.add(before, text)
    if own := words.POSSESSIVE.get(language, words.POSSESSIVE["en"]).match(text):
        if kin := _KIN.match(own["thing"]):  # "his wife Marie Curie"
            return splice.put_name(before, kin["name"], read_places, language)
        name = _entity(standing, read_places)
        return words.OF.get(language, words.OF["en"]).format(own["thing"], name) if name else None
    if words.ROAD_ADVERB.match(text) or _PREPOSED.match(text):
        return splice.put_phrase(before, text, read_places, language) or splice.add(before, text)
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
    name = _entity(standing, read_places)
    return words.OF.get(language, words.OF["en"]).format(bare, name) if name and article else None


def _may_stand_bare(text: str) -> bool:
    """Return whether a short question without "and" may still be a fragment: "on Sundays?", "the reduced one?", "Frida Kahlo?"."""
    several = text.split()
    names = all(word[:1].isupper() for word in several)
    return len(several) <= 3 and (names or bool(words.ARTICLE.match(text) or words.TIME.match(text) or _PREPOSED.match(text)))


def _modifier(text: str, before: str, language: str) -> str:
    """Return the adjective by which a fragment sets another of the same kind; empty when it is a thing of its own."""
    article = words.ARTICLE.match(text)
    bare = (text[article.end() :] if article else text).split()
    asked = set(fold(before).split())
    shared = [word for word in bare if fold(word) in asked | words.HEADS or (len(word) > 3 and any(a.endswith(fold(word)) for a in asked))]
    left = [word for word in bare if word not in shared]
    if len(left) != 1:
        return ""
    known = fold(left[0]).replace(" ", "") in words.MODIFIERS
    adjective = language == "de" and bool(article) and left[0].islower()
    return left[0] if known or adjective or (shared and left[0].islower()) or (language == "en" and left[0].endswith("ed")) else ""


def _pointed(turn: str, standing: _Standing, read_places: PlaceReading, language: str) -> str | None:
    """Return ``turn`` with its pronoun replaced by what it stands for in the turns before."""
    piece = _open(turn)
    before, text = standing.question, piece.text
    if len(text.split()) > MAX_POINTING_WORDS or words.EXPLETIVE.search(text) or splice.named(text, read_places, language):
        return None
    if there := words.THERE.get(language, words.THERE["en"]).search(text):
        place = splice.where(before, read_places, language) or splice.where(standing.naming, read_places, language)
        return None if place is None else _marked(text[: there.start()] + place + text[there.end() :], turn)
    own = words.POSSESSIVE.get(language, words.POSSESSIVE["en"]).search(text)
    person = words.PERSON.get(language, words.PERSON["en"]).search(text)
    first = own or person
    if first and splice.noun(text[: first.start()], read_places, language):
        return None  # "where did the dance get its name?"
    name = _entity(standing, read_places, persons=bool(words.OF_PERSONS.match(first.group())) if first else language == "es")
    if name and own:
        of = f"{name}'s {own['thing']}" if language == "en" else f"{own['thing']} {'von' if language == 'de' else 'de'} {name}"
        return _marked(text[: own.start()] + of, turn)
    if not name and person and language in ("de", "fr") and (phrase := splice.noun(before, read_places, language)):
        name = before[phrase.start : phrase.end]  # there a thing is "he" or "she" too
    if name and person:
        gap = " " if person.group().startswith("-") else ""
        return _marked(text[: person.start()] + gap + name + text[person.end() :], turn)
    if name and language == "es" and words.DROPPED.match(text):
        return _marked(f"{text} {name}", turn)
    thing = words.THING.get(language, words.THING["en"]).search(text)
    phrase = splice.noun(before, read_places, language) if thing else None
    if thing is None or phrase is None or _says_much(text[: thing.start()] + text[thing.end() :], read_places):
        return None
    where = "" if splice.places(text, read_places) else splice.where(before, read_places, language) or ""
    return _marked(f"{text[: thing.start()]}{before[phrase.start : phrase.end]}{text[thing.end() :]} {where}".rstrip(), turn)


def _says_much(text: str, read_places: PlaceReading) -> bool:
    """Return whether a question, its pronoun taken out, speaks of things of its own beside places and dates."""
    for start, end in sorted([(p.start, p.end) for p in read_places(text)] + [(d.start, d.end) for d in read_dates(text)], reverse=True):
        text = text[:start] + text[end:]
    return len(_bag(text) - words.SHORT_QUESTION) > 1


def _entity(standing: _Standing, read_places: PlaceReading, *, persons: bool = False) -> str:
    """Return what a pronoun stands for: the name in the standing question, else its place, else the last name said.

    Args:
        standing: What the conversation has come to.
        read_places: Reader of places.
        persons: Only a person is meant: no place.
    """
    for text in (standing.question, standing.naming):
        names = splice.named(text, read_places, guess_language(text) or "en")
        if names:
            longest = max(names, key=lambda span: (" " in text[span.start : span.end], -span.start))
            return text[longest.start : longest.end].removesuffix("'s").removesuffix("’s")
        if not persons and (found := splice.places(text, read_places)):
            return found[0].text
    return ""


def _open(turn: str) -> _Fragment:
    """Take the words off a turn that only tie it to what came before."""
    text, led, corrects = turn.strip(_MARKS), False, False
    for _ in range(4):
        renamed, corrected, lead = words.RENAME.match(text), words.CORRECTION.match(text), words.LEAD.match(text)
        match = renamed or corrected or lead
        if match is None or not text[match.end() :].strip(_MARKS + ","):
            break
        corrects, led = corrects or match is not lead, led or match is lead
        text = text[match.end() :].strip(_MARKS + ",")
    asks = turn.rstrip("\"' ").endswith("?") or words.POLITE.search(text) is not None
    return _Fragment(words.TRAIL.sub("", text).strip(), led, corrects, asks)


def _is_clause(text: str, language: str) -> bool:
    """Return whether a fragment has a verb or a question word: then it is a question of its own."""
    return (
        any(pattern.match(text) for pattern in w.WH_START.values())
        or w.POLAR_START.get(language, w.POLAR_START["en"]).match(text) is not None
        or w.FINITE.get(language, w.FINITE["en"]).search(text) is not None
    )


def _plain(turn: str) -> str:
    return turn.replace("’", "'").replace("‘", "'")


def _marked(text: str, turn: str) -> str:
    """Return a question made anew with a capital and the mark that the turn had."""
    return text[:1].upper() + text[1:] + ("?" if turn.rstrip().endswith("?") else "")


def _bag(text: str) -> frozenset[str]:
    return frozenset(fold(text).split())


_SMALL: Final = frozenset(token for word in w.SMALL_TALK for token in fold(word).split())
_ARTICLES: Final = w.words("the der die das le la l les el los las")
