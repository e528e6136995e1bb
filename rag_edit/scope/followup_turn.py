"""One turn of a conversation taken apart: what ties it to the turns before it, what is left, what it asks by itself. Pure."""

from dataclasses import dataclass
from typing import Final

from rag_edit.core.decision import Form
from rag_edit.core.form import FormReading
from rag_edit.scope import followup_words as words
from rag_edit.scope import forms_words as w
from rag_edit.scope.followup_splice import PREPOSED
from rag_edit.scope.text import fold

MARKS: Final = " \t¿¡?!.…\"'"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a conversation has come to: the question that stands, and the last user's words that hold a name."""

    question: str = ""
    naming: str = ""


@dataclass(frozen=True, slots=True)
class Fragment:
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


def open_turn(turn: str) -> Fragment:
    """Take the words off a turn that only tie it to what came before."""
    text, led, corrects = turn.strip(MARKS), False, False
    for _ in range(4):
        renamed, corrected, lead = words.RENAME.match(text), words.CORRECTION.match(text), words.LEAD.match(text)
        match = renamed or corrected or lead
        if match is None or not text[match.end() :].strip(MARKS + ","):
            break
        corrects, led = corrects or match is not lead, led or match is lead
        text = text[match.end() :].strip(MARKS + ",")
    asks = turn.rstrip("\"' ").endswith("?") or words.POLITE.search(text) is not None
    return Fragment(words.TRAIL.sub("", text).strip(), led, corrects, asks)


def is_clause(text: str, language: str) -> bool:
    """Return whether a fragment has a verb or a question word: then it is a question of its own."""
    return (
        any(pattern.match(text) for pattern in w.WH_START.values())
        or w.POLAR_START.get(language, w.POLAR_START["en"]).match(text) is not None
        or w.FINITE.get(language, w.FINITE["en"]).search(text) is not None
    )


def plain(turn: str) -> str:
    """Return a turn with straight apostrophes."""
    return turn.replace("’", "'").replace("‘", "'")


def word_set(text: str) -> frozenset[str]:
    """Return the folded words of a text."""
    return frozenset(fold(text).split())


def may_stand_bare(text: str) -> bool:
    """Return whether a short question without "and" may still be a fragment: "on Sundays?", "the reduced one?", "Frida Kahlo?"."""
    several = text.split()
    names = all(word[:1].isupper() for word in several)
    return len(several) <= 3 and (names or bool(words.ARTICLE.match(text) or words.TIME.match(text) or PREPOSED.match(text)))


def asks(turn: str, form: FormReading) -> bool:
    """Return whether a turn asks something by itself; a search-like run of words does, a statement does not."""
    if "?" in turn or form.form is not Form.OPEN or form.imperative or any(p.match(turn) for p in w.WH_START.values()):
        return True
    finite = w.FINITE.get(form.language or "en", w.FINITE["en"])
    if words.STATES.match(turn) or words.OVERRULE.search(turn) or finite.search(turn) or word_set(turn) <= words.COURTESY:
        return False
    return not turn.endswith((".", "!"))
