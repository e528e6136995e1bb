"""Splices for follow-up turns: put another place, date, name, modifier or object where a question has one. Pure text.

Every function takes the standing question and a fragment and returns the new question, or None where there is nothing to
splice into. They know no conversation.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rag_edit.scope import followup_words as words
from rag_edit.scope.dates import DateMention, read_dates
from rag_edit.scope.places import PlaceMention
from rag_edit.scope.text import fold

PlaceReading = Callable[[str], Sequence[PlaceMention]]
_ARTICLES: Final = r"(?:(?:the|der|die|das|den|dem|la|le|les|el|los|las)\s+|l')?"
_TO_PLACE: Final = re.compile(
    rf"(?<!\w)(?P<prep>in|im|en|au|aux|à|within|inside|to|for|of|from|de|du|des|del|d'|von|aus|nach|für|con|mit)?(?:^|\s+|(?<=d'))(?P<article>{_ARTICLES})$",
    re.IGNORECASE,
)
_TO_DATE: Final = re.compile(r"(?<!\w)(?:in|on|as of|im jahr|im|am|le|el|en|au|in the year|in dem jahr)\s+$", re.IGNORECASE)
_LOCATIVE: Final = frozenset(("in", "im", "en", "au", "aux", "within", "inside"))
PREPOSITION: Final = r"(?:in|on|at|within|inside|outside|along|near|during|for|with|without|auf|im|am|bei|innerhalb|außerhalb|vor|für|mit|ohne|sur|dans|en|au|aux|à|hors|pour|avec|sans|por|dentro de|fuera de|para|con|sin)"
PREPOSED: Final = re.compile(rf"{PREPOSITION}\s", re.IGNORECASE)
_OTHERWISE: Final = re.compile(r"^(?:for|with|without|during|für|mit|ohne|vor|pour|avec|sans|para|con|sin)$")
_STOP: Final = rf"(?=\s+{PREPOSITION}\b|\s*[?.!,;]|\s*$)"
_PHRASE: Final = re.compile(rf"(?<!\w){PREPOSITION}\s+\S.*?{_STOP}", re.IGNORECASE)
_PHRASE_DE: Final = re.compile(
    rf"(?<!\w)(?i:{PREPOSITION})\s+(?:(?:der|die|das|den|dem|einer|einem|einen|ein|eine)\s+)?(?:[a-zäöüß]+\s+)*?[A-ZÄÖÜ][\w-]*"
)
_NOUN: Final = re.compile(rf"(?<!\w)(?:(?:the|an?|le|la|les|un|une|el|los|las|una)\s+|l')\S.*?{_STOP}", re.IGNORECASE)
_NOUN_DE: Final = re.compile(
    r"(?<!\w)(?i:der|die|das|den|dem|ein|eine)\s+(?:[a-zäöüß-]+\s+)*?[A-ZÄÖÜ][\w-]*(?:\s+der\s+[A-ZÄÖÜ][\w-]*)?"
)
_NAME: Final = re.compile(
    r"(?<![\w'’-])[A-ZÀ-ÖØ-Þ][\w’-]*(?:(?:\s+(?:of|de|von|van|der|la|le|du|and the|y))*\s+[A-ZÀ-ÖØ-Þ0-9][\w’-]*)*"
)
_DETERMINED: Final = re.compile(
    r"\b(?:the|an?|der|die|das|den|dem|des|ein\w*|kein\w*|welche\w?|mein\w*|zum|zur|im|am|vom)\s+(?:[a-zäöüß]+\s+)*$",
    re.IGNORECASE,
)
_ADJECTIVE_END_DE: Final = re.compile(r"(?:en|er|es|em|e)$")


class Span(NamedTuple):
    """Where a part stands in a text."""

    start: int
    end: int

    def apart(self, others: Sequence["Span"]) -> bool:
        """Return whether the span overlaps none of ``others``."""
        return all(self.end <= other.start or self.start >= other.end for other in others)


def places(text: str, read: PlaceReading) -> list[PlaceMention]:
    """Return the places that ``text`` surely names."""
    return [mention for mention in read(text) if mention.certain]


def named(text: str, read: PlaceReading, language: str) -> list[Span]:
    """Return the proper names in ``text`` that are neither places nor dates, by position."""
    taken = [Span(m.start, m.end) for m in places(text, read)] + [Span(d.start, d.end) for d in read_dates(text)]
    opening = re.match(r"[\W_]*", text)
    first = opening.end() if opening else 0
    found = []
    for match in _NAME.finditer(text):
        span = Span(*match.span())
        if match.start() == first and " " in match.group():  # "Did Marie Curie": the first word is only the sentence's
            span = Span(text.index(" ", first) + 1, match.end())
        name = text[span.start : span.end]
        single = " " not in name
        if (
            span.start == first
            or not name[:1].isupper()
            or name == "I"
            or (name.isupper() and len(name) <= 5)
            or not span.apart(taken)
        ):
            continue
        if language == "de" and single and _DETERMINED.search(text[: span.start]):
            continue
        found.append(span)
    return found


def put_place(text: str, fragment: str, there: Sequence[PlaceMention], read: PlaceReading, language: str) -> str:
    """Return ``text`` at the place that ``fragment`` names, in place of its own or added at its end."""
    new = fragment[there[0].start : there[-1].end]
    before = _TO_PLACE.search(fragment[: there[0].start])
    prep = (before["prep"] or "").lower() if before else ""
    article = before["article"] if before else ""
    said = f"{prep} {article}{new}" if prep in _LOCATIVE else ""
    here = places(text, read)
    if here:
        old = _TO_PLACE.search(text[: here[0].start])
        if old is None or (not old["prep"] and not said):
            return text[: here[0].start] + new + text[here[-1].end :]
        if not old["prep"]:
            return (
                text[: here[0].start].rstrip() + " " + said + text[here[-1].end :]
                if old["article"] == ""
                else text[: old.start()] + f" {said}" + text[here[-1].end :]
            )
        kept = {"au": "en", "aux": "en", "du": "de", "des": "de", "im": "in"}.get(old["prep"].lower(), old["prep"])
        article = "" if kept == "en" else article
        gap = "" if kept.endswith("'") else " "
        return text[: old.start()] + (said or f"{kept}{gap}{article}{new}") + text[here[-1].end :]
    if there[0].kind == "demonym" and not said:
        return add(text, f"({new})")
    return add(text, said or f"{words.IN.get(language, 'in')} {article}{new}")


def put_date(text: str, fragment: str, there: Sequence[DateMention], language: str) -> str:
    """Return ``text`` at the date that ``fragment`` names: the parts that it leaves out stay as they were."""
    date, here = there[-1], read_dates(text)
    new = fragment[date.start : date.end]
    before = _TO_DATE.search(fragment[: date.start])
    if not here:
        lead = (
            before.group()
            if before
            else "in "
            if date.month is None and language == "en"
            else "en "
            if date.month is None and language in ("fr", "es")
            else ""
        )
        return add(text, lead + new)
    old = here[-1]
    if date.month is None and old.month is not None and old.year is not None:
        return text[: old.start] + re.sub(str(old.year), new, text[old.start : old.end]) + text[old.end :]
    if date.year is None and old.year is not None:
        new = f"{new} {old.year}"
    lead_old = _TO_DATE.search(text[: old.start])
    if before and lead_old:
        return text[: lead_old.start()] + before.group() + new + text[old.end :]
    return text[: old.start] + new + text[old.end :]


def put_name(text: str, name: str, read: PlaceReading, language: str) -> str | None:
    """Return ``text`` about another name; with an article before it, in place of the whole noun phrase."""
    found = named(text, read, language)
    if not found:
        return None
    article = words.ARTICLE.match(name)
    phrase = noun(text, read, language)
    inside = phrase is not None and phrase.start <= found[0].start < phrase.end
    whole = (
        inside
        and phrase is not None
        and words.ARTICLE.sub("", text[phrase.start : phrase.end]) == text[found[0].start : found[0].end]
    )
    span = phrase if inside and (article or whole) and phrase is not None else found[0]
    tail = "'s" if text[span.start : span.end].endswith(("'s", "’s")) else ""
    return text[: span.start] + name + tail + text[span.end :]


def put_modifier(text: str, modifier: str, read: PlaceReading, language: str) -> str | None:
    """Return ``text`` with another adjective in its first noun phrase: in place of its own, else put in."""
    phrase = noun(text, read, language)
    if phrase is None:
        return None
    said = text[phrase.start : phrase.end]
    match = words.ARTICLE.match(said)
    article, rest = (said[: match.end()], said[match.end() :].split(" ")) if match else ("", said.split(" "))
    if language in ("fr", "es"):
        own = len(rest) > 1 and rest[1][:1].islower() and not re.match(r"(?:de|du|des|del|d'|of|à|a|que|qui)\b", rest[1])
        rest = [rest[0], modifier, *rest[2 if own else 1 :]]
    elif language == "de":
        stem = _ADJECTIVE_END_DE.sub("", modifier)
        own = rest[0][:1].islower()
        end = _ADJECTIVE_END_DE.search(rest[0]) if own else None
        rest = [stem + (end.group() if end else "e"), *rest[1 if own else 0 :]]
    else:
        own = len(rest) > 1 and (fold(rest[0]).replace(" ", "") in words.MODIFIERS or rest[0].endswith("ed") or "-" in rest[0])
        rest = [modifier, *rest[1 if own else 0 :]]
    return text[: phrase.start] + article + " ".join(rest) + text[phrase.end :]


def put_phrase(text: str, phrase: str, read: PlaceReading, language: str) -> str:
    """Return ``text`` with ``phrase`` in place of its last prepositional phrase of that kind, else at its end.

    A place or a date is left alone; "for lorries" and "with a trailer" do not stand in for "on motorways".
    """
    span = prepositional(text, read, language)
    if span is None:
        return add(text, phrase)
    old, new = (part.split(" ", 1)[0].lower() for part in (text[span.start : span.end], phrase))
    if old != new and (_OTHERWISE.match(old) or _OTHERWISE.match(new)):
        return add(text, phrase)
    return text[: span.start] + phrase + text[span.end :]


def put_object(text: str, thing: str, read: PlaceReading, language: str) -> str | None:
    """Return ``text`` with ``thing`` behind the preposition of its last prepositional phrase."""
    span = prepositional(text, read, language)
    if span is None:
        return None
    preposition = text[span.start : span.end].split(" ", 1)[0]
    return text[: span.start] + f"{preposition} {thing}" + text[span.end :]


def put_noun(text: str, thing: str, read: PlaceReading, language: str) -> str | None:
    """Return ``text`` with ``thing`` in place of its first noun phrase."""
    span = noun(text, read, language)
    return None if span is None else text[: span.start] + thing + text[span.end :]


def noun(text: str, read: PlaceReading, language: str) -> Span | None:
    """Return the first noun phrase with an article that does not hang on a preposition and is no place or date."""
    taken = _outside(text, read)
    for match in (_NOUN_DE if language == "de" else _NOUN).finditer(text):
        end = min([match.end(), *(t.start for t in taken if match.start() < t.start < match.end())])
        span = Span(match.start(), match.start() + len(text[match.start() : end].rstrip()))
        hangs = re.search(rf"(?<!\w)(?:{PREPOSITION}|of|de|von)\s+$", text[: span.start], re.IGNORECASE)
        if (
            not hangs
            and span.apart(taken)
            and len(text[span.start : span.end].split()) > 1 - text[span.start : span.end].count("'")
        ):
            return span
    return None


def prepositional(text: str, read: PlaceReading, language: str) -> Span | None:
    """Return the last prepositional phrase that is neither a place nor a date."""
    taken = [Span(m.start, m.end) for m in places(text, read)] + [Span(d.start, d.end) for d in read_dates(text)]
    found = [Span(*m.span()) for m in (_PHRASE_DE if language == "de" else _PHRASE).finditer(text)]
    found += [Span(*m.span()) for m in words.ROAD_ADVERB.finditer(text)]
    return next((span for span in reversed(found) if span.apart(taken)), None)


def where(text: str, read: PlaceReading, language: str) -> str | None:
    """Return the words by which ``text`` says where: "in der Schweiz"."""
    here = places(text, read)
    if not here:
        return None
    before = _TO_PLACE.search(text[: here[0].start])
    said = text[here[0].start : here[-1].end]
    article = before["article"] if before else ""
    prep = before["prep"] if before and (before["prep"] or "").lower() in _LOCATIVE else words.IN.get(language, "in")
    return f"{prep} {article}{said}"


def add(text: str, end: str) -> str:
    """Return ``text`` with ``end`` before its closing mark."""
    body = text.rstrip(" ?.!")
    return f"{body} {end}{text[len(body) :] or '?'}"


def _outside(text: str, read: PlaceReading) -> list[Span]:
    """Return the places, with the preposition before them, and the dates of ``text``."""
    taken = [Span(d.start, d.end) for d in read_dates(text)]
    for mention in places(text, read):
        before = _TO_PLACE.search(text[: mention.start])
        start = before.start() if before and before["prep"] else mention.start
        taken.append(Span(start, mention.end))
    return taken
