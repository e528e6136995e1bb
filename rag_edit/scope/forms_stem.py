"""What kind of answer the bare question asks for: a long text, a continuation, yes or no, the opposite, a thing. Pure."""

import re
from dataclasses import replace
from typing import Final

from rag_edit.core.decision import Form
from rag_edit.core.form import FormReading
from rag_edit.scope import forms_words as w
from rag_edit.scope.language import RENDERED

_QUOTED: Final = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|„[^“”]*[“”]|(?<!\w)'[^']{2,60}'(?!\w)")
_BREAK: Final = re.compile(
    r"(?<=\?)\s*(?=[^\s?!.)\"'”»])|(?<=[a-zà-ÿ0-9]{3}[.!])\s+(?=[A-ZÀ-Þ¿¡\"'])|(?<=:)\s+(?=\S+\s\S+\s\S+)|\n+"
)
_NAME_START: Final = re.compile(r"^(?:Will|May|Can|Mark|Has|Do|Es|Hat|War|Son)\s+[A-ZÀ-Þ]")


def read_stem(reading: FormReading, *, whether: bool = False, alternatives: bool = True) -> FormReading:
    """Return ``reading`` with the form of its stem.

    Args:
        reading: Options and wrapping are off; ``form`` is not read.
        whether: The wrapping asked "whether ...".
        alternatives: Whether "or" may join two answers; False where it is known to stand in a name ("the language of work or name").
    """
    stem = reading.stem
    opening = stem.lstrip(" \"'“„«(¿¡")
    if w.LONG.match(opening):
        return replace(reading, form=Form.LONG, imperative=True)
    own = (reading.language,) if reading.language in RENDERED else ("en",) if reading.language else RENDERED
    unquoted = w.TAG_QUESTION.sub("?", _QUOTED.sub("X", opening))
    ends = stem.rstrip(" \"'”»)").endswith(("?", "？"))
    last = _last_sentence(unquoted, asks=ends)
    asks_thing = any(pattern.match(last) for pattern in w.WH_START.values())
    polar = whether or any(w.POLAR_START[tag].match(last) for tag in (*own, "en"))
    if asks_thing and polar:  # "was" is German for "what", and an English verb
        asks_thing, polar = (True, False) if reading.language == "de" else (False, True)
    negated = _negated(last, own)
    if not ends and not reading.imperative and not whether and _breaks_off(last, asks=asks_thing or polar):
        return replace(reading, form=Form.CLOZE, negated=negated)
    if not polar and not asks_thing and not reading.imperative:
        within = any(w.WH_WITHIN[tag].search(last) for tag in own)
        early = any(pattern.search(last) for tag, pattern in w.POLAR_WITHIN.items() if tag in own)
        finite = any(w.FINITE[tag].search(last) for tag in own)
        stated = ends and len(last.split()) >= 4 and finite and not w.CLOZE_END.search(last.rstrip(" ?"))
        polar = (early or stated) and not within
    if polar and alternatives and any(w.ALTERNATIVE[tag].search(last) for tag in own):
        return reading  # "Is it marble or papyrus?" is answered by the thing
    if polar:
        return replace(reading, form=Form.NEGATED if negated else Form.YES_NO, negated=negated, polar=True)
    if negated and not w.WHY.match(opening) and (asks_thing or ends or reading.imperative):
        return replace(reading, form=Form.NEGATED, negated=True)
    return reading


def _last_sentence(text: str, *, asks: bool) -> str:
    """Return the sentence that asks: the whole text where it is one question, else its last sentence."""
    whole = w.LEAD.sub("", text)
    starts = any(p.match(whole) for p in (*w.WH_START.values(), *w.POLAR_START.values()))
    if asks and starts and "?" not in whole.rstrip(" ?"):
        return whole
    parts = [part for part in _BREAK.split(text) if part and part.strip()]
    return w.LEAD.sub("", (parts or [text])[-1].lstrip(" ¿¡\"'"))


def _negated(text: str, tags: tuple[str, ...]) -> bool:
    """Return whether the main clause is negated: not a title's "Don't", not "the cat that won't"."""
    for tag in tags:
        for match in w.NEGATION[tag].finditer(text):
            if not w.RELATIVE[tag].search(text, min(3, match.start()), match.start()):
                return True
    return False


def _breaks_off(last: str, *, asks: bool) -> bool:
    """Return whether a sentence without a question mark ends in the middle.

    Args:
        last: The sentence.
        asks: It starts as a question does ("where", "will"): then only a clause or a name that starts so breaks off.
    """
    if w.BLANK.search(last):
        return True
    count = len(last.split())
    if count < 2 or last.endswith((".", "!", "?")):
        return False
    if asks and not (_NAME_START.match(last) or w.CLAUSE_FIRST.match(last)):
        return False
    if w.CLOZE_END.search(last):
        return True
    return count >= 3 and last[:1].isupper() and bool(w.VERBISH.search(last))
