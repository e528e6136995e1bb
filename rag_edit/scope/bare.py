"""The bare question behind a yes/no question: what it asks about, with the value that it proposes cut out. Pure.

"Is Lyon the capital of France?" asks about the fact that "What is the capital of France?" asks about; which value it proposes
says nothing about whose fact it is, and must not move the scope score: neither a true value up nor a false one down. So the
score is asked about the bare question. The value is found by its place in the sentence, beside the record's names; the
record's target is never looked at, so that "yes" and "no" questions become one and the same text.
The question word follows from the value's place and kind ("in 1955" is *when*, "in Paris" is *where*), never from the record: a
question about a year stays one. Where the place is not plain there is no bare question, and the question stays as it is.
Languages: en, de, fr, es.
"""

import re
from collections.abc import Sequence
from typing import Final

from rag_edit.core.form import FormReading
from rag_edit.scope.mentions import find_mention, fold_words, spans

SLOT: Final = "\ue001"  # stands for the subject while the sentence is taken apart
_I: Final = re.IGNORECASE
_WHOLE: Final = 0.999
_NUMBER: Final = r"(?:[€$£]\s?)?[+-]?\d[\d.,]*(?:\s?(?:%|percent|per cent|prozent|pour cent|por ciento|€|\$|£|[a-zµ°]+/[a-z]+|[A-Za-zµ°]{1,12}))?"
_TRAILING_NUMBER: Final = re.compile(rf"(?P<head>.*\S)\s+(?:at\s+|bei\s+|de\s+|à\s+)?(?P<value>{_NUMBER})$", _I)
_DIGITS: Final = re.compile(r"(?:the\s+)?(?:\d{1,2}(?:st|nd|rd|th)\b|\D{0,12}\d{3,4}\b)")
_NOT: Final = {
    "en": re.compile(r"\b(?:not|never)\b\s*|n't\b", _I),
    "de": re.compile(r"\b(?:nicht|nie|niemals)\b\s*", _I),
    "fr": re.compile(r"\b(?:pas|jamais)\b\s*|\bn'|\bne\s+", _I),
    "es": re.compile(r"\bno\s+", _I),
}
_QUOTES: Final = re.compile(r"[\"“”«»„‘’]|(?<!\w)'|'(?!\w)")

_ARTICLE: Final = re.compile(r"\bthe\s+$", _I)

# English: auxiliary, then subject or value
_EN: Final = re.compile(
    r"^(?P<aux>is|are|was|were|does|do|did|has|have|had|can|could|will|would|should|must)\b\s*(?P<rest>.+)$", _I
)
_EN_BE: Final = frozenset("is are was were".split())
_EN_PREP: Final = "from|by|in|on|at|of|to|as|with|for|under|after|into|near|through"
_EN_LAST: Final = re.compile(rf"^(?P<head>.*\b(?P<prep>{_EN_PREP}))\s+(?P<value>\S.*)$", _I)
_EN_NOUN: Final = re.compile(
    rf"^(?P<value>\S.*?),?\s+(?P<noun>(?:the|an?|one of the)\s+[^{SLOT}]*?\b(?:{_EN_PREP}|{SLOT}'s)\b.*{SLOT}.*)$", _I
)
_EN_OWN: Final = re.compile(rf"^(?P<value>[^{SLOT}]*\S)\s+(?P<noun>{SLOT}(?:'s?|s')\s+\S.*)$", _I)
_EN_PLACED: Final = re.compile(
    r"\b(?:die|died|born|located|live|lives|lived|based|buried|work|worked|situated|held|headquartered|found|founded|stored|kept|study|studied|reside)\s+(?:in|at)$",
    _I,
)
_EN_DETERMINED: Final = re.compile(r"^(?:the|an?|its|his|her|their)\s+", _I)


def bare_question(form: FormReading, names: Sequence[str], own: Sequence[str] = ()) -> str | None:
    """Return what a yes/no question asks about, as an open question; None where it proposes nothing, or its place is not plain.

    Args:
        form: The question, read.
        names: Subject and aliases of the record; one of them must stand whole in the question.
        own: The record's questions and its relation: they tell where what is asked about ends ("S's field of work | law").
    """
    if not form.polar or not form.stem:
        return None
    text = _QUOTES.sub("", form.stem).strip(" ?¿!¡.？")
    found = find_mention(text, tuple(name for name in map(_unquoted, names) if name))
    if found is None or found.cover < _WHOLE or found.kind not in ("exact", "fuzzy"):
        return None
    start = article.start() if (article := _ARTICLE.search(text[: found.start])) else found.start
    subject = text[start : found.end]
    body = re.sub(r"\s+", " ", f"{text[:start]}{SLOT}{text[found.end :]}")
    language = form.language[:2] if form.language[:2] in _READERS else "en"
    if form.negated:
        body = re.sub(r"\s+", " ", _NOT[language].sub("", body))
    held = frozenset(word for each in own for word, _, _ in spans(each))
    asked = _READERS[language](body.strip(), held)
    if asked is None or SLOT not in asked:
        return None
    bare = re.sub(r"\s+", " ", asked).strip(" ,")
    shown = f"{bare}?".replace(SLOT, subject)
    shown = shown[0].upper() + shown[1:]
    return shown if len(fold_words(shown).split()) > len(fold_words(subject).split()) + 1 else None


def _unquoted(name: str) -> str:
    return _QUOTES.sub("", name).strip()


def _is_name(value: str) -> bool:
    bare = _EN_DETERMINED.sub("", value)
    return bool(bare) and (bare[0].isupper() or bare[0].isdigit())


def _english(body: str, held: frozenset[str]) -> str | None:
    opened = _EN.match(body)
    if opened is None:
        return None
    aux, rest = opened["aux"].casefold(), opened["rest"]
    if rest.startswith(SLOT):
        return _english_said(aux, rest[1:].strip(), held)
    before = rest[: rest.index(SLOT)]
    if aux not in _EN_BE:
        return _english_acts(aux, rest)
    tail = rest[len(before) + 1 :].strip()
    if _EN_DETERMINED.match(before) or not before.strip():  # "is the capital of S Lyon?"
        noun = _EN_NOUN.match(rest)
        if tail and not re.match(rf"(?:'s?\b|{_EN_PREP}\b|and\b|or\b|who\b|that\b)", tail, _I):
            return f"what {aux} {before}{SLOT}"
        number = _TRAILING_NUMBER.match(rest)
        if number and SLOT in number["head"]:
            return f"what {aux} {number['head']}"
        if tail.startswith("'"):
            return _english_owned(aux, rest, held)
        return f"what {aux} {noun['noun']}" if noun and noun["value"].casefold() not in ("the", "a", "an") else None
    noun = _EN_NOUN.match(rest) or _EN_OWN.match(rest)  # "is Lyon the capital of S?"
    return f"what {aux} {noun['noun']}" if noun else None


def _english_acts(aux: str, rest: str) -> str | None:
    """Return the question behind "did V write S?": whoever acts on the subject is the value."""
    acts = re.match(rf"^(?P<value>\S.*?)\s+(?P<verb>[a-z]+(?:\s+(?:{_EN_PREP}|the|an?|lyrics|music))*)\s+{SLOT}$", rest)
    if acts is None or not _is_name(acts["value"]):
        return None
    return f"who {aux} {acts['verb']} {SLOT}"


def _english_owned(aux: str, rest: str, held: frozenset[str]) -> str | None:
    """Return the question behind "is S's field of work law?": what is owned ends where the record's words end."""
    words = rest.split(" ")
    start = next(i for i, word in enumerate(words) if SLOT in word)
    end = start + 1
    while end < len(words) and all(word in held for word, _, _ in spans(words[end])):
        end += 1
    return f"what {aux} {' '.join(words[:end])}" if start + 1 < end < len(words) else None


def _english_said(aux: str, said: str, held: frozenset[str]) -> str | None:
    """Return the question behind "is S made of V?", "does S use V?": the value is what comes last."""
    if not said:
        return None
    if said.startswith("'"):
        return _english_owned(aux, f"{SLOT}{said}", held)
    if re.fullmatch(_NUMBER, said, _I) and aux in _EN_BE:
        return f"what {aux} {SLOT}"
    verb = re.match(r"^(?P<verb>[a-z]+)\s+\S", said)
    if aux not in _EN_BE and re.match(r"^[a-z]+\s+(?:the\s+)?[A-Z]", said) and verb:  # "did S follow Living for Love"
        return f"what {aux} {SLOT} {verb['verb']}"
    number = _TRAILING_NUMBER.match(said)
    last = _EN_LAST.match(said)
    if last and not (number and len(number["head"]) > len(last["head"])):
        value, head = last["value"], last["head"]
        if _DIGITS.match(value) and last["prep"].casefold() in ("in", "on", "by", "at", "from", "to"):
            return f"when {aux} {SLOT} {head[: -len(last['prep'])]}"
        if last["prep"].casefold() in ("in", "at") and _EN_PLACED.search(head):
            return f"where {aux} {SLOT} {head[: -len(last['prep'])]}"
        return f"what {aux} {SLOT} {head}"
    if number:
        return f"what {aux} {SLOT} {number['head']}"
    if aux not in _EN_BE and verb:  # "does S use V"
        return f"what {aux} {SLOT} {verb['verb']}"
    named = re.match(r"^(?P<head>(?:[a-z]+\s+)+?)(?P<value>(?:the\s+)?[A-Z0-9].*)$", said)
    if named and not _EN_DETERMINED.match(said):  # "was S named V?"
        return f"what {aux} {SLOT} {named['head']}"
    return None


# German: finite verb first
_DE_ARTICLE: Final = r"(?:der|die|das|dem|den|ein|eine|einer|einem)"
_DE_PREP: Final = "von|in|im|an|am|auf|aus|bei|nach|zu|zur|zum|für|mit|durch|unter"
_DE: Final = re.compile(
    r"^(?P<verb>ist|sind|war|waren|liegt|liegen|wurde|wird|hat|hatte|beträgt|heißt|gehört|stammt|starb|lebt|spricht|spielt|arbeitet|gilt|besteht|kostet|lautet)\s+(?P<rest>.+)$",
    _I,
)
_DE_NOUN: Final = re.compile(rf"^(?P<value>\S.*?)\s+(?P<noun>(?:der|die|das|ein|eine)\s+[^{SLOT}]*{SLOT}.*)$", _I)
_DE_LAST: Final = re.compile(
    rf"^(?P<head>.*?)\b(?P<prep>{_DE_PREP})\s+(?P<value>\S.*?)(?P<verb>\s+(?:[a-zäöü]+t|[a-zäöü]+en))?$"
)


def _german(body: str, _held: frozenset[str]) -> str | None:
    opened = _DE.match(body)
    if opened is None:
        return None
    verb, rest = opened["verb"].casefold(), opened["rest"]
    before, tail = rest[: rest.index(SLOT)], rest[rest.index(SLOT) + 1 :].strip()
    if before and not re.match(rf"{_DE_ARTICLE}\s", before, _I):
        noun = _DE_NOUN.match(rest)
        return f"was {verb} {noun['noun']}" if noun and verb in ("ist", "sind", "war", "waren") else None
    last = _DE_LAST.match(tail)
    number = _TRAILING_NUMBER.match(rest)
    if number and SLOT in number["head"] and not (last and _DIGITS.match(last["value"])):
        return f"was {verb} {number['head']}"
    if last and last["value"]:
        ending = last["verb"] or ""
        if _DIGITS.match(last["value"]):
            return f"wann {verb} {before}{SLOT} {last['head']}{ending}"
        where = last["prep"].casefold() in ("in", "im", "an", "am", "auf", "bei")
        if where:
            return f"wo {verb} {before}{SLOT} {last['head']}{ending}"
        if last["prep"].casefold() in ("von", "durch"):
            return f"von wem {verb} {before}{SLOT} {last['head']}{ending}"
        return f"{'woraus' if last['prep'].casefold() == 'aus' else 'was'} {verb} {before}{SLOT} {last['head']}{ending}"
    return f"was {verb} {before}{SLOT}" if tail and before else None


# French: "est-ce que V est la ... de S", "la ... de S est-elle V"
_FR_BE: Final = r"est|sont|était|étaient|fut"
_FR_ARTICLE: Final = r"(?:le\s+|la\s+|les\s+|l'|un\s+|une\s+)"
_FR_ASKED: Final = re.compile(r"^est[- ]ce qu(?:e\s+|')(?P<rest>.+)$", _I)
_FR_NOUN: Final = re.compile(
    rf"^(?P<value>[^{SLOT}]*\S)\s+(?P<be>{_FR_BE})(?:-(?:il|elle|ils|elles))?\s+(?P<noun>{_FR_ARTICLE}[^{SLOT}]*{SLOT})$", _I
)
_FR_LAST: Final = re.compile(
    rf"^(?P<noun>{_FR_ARTICLE}[^{SLOT}]*{SLOT})\s+(?P<be>{_FR_BE})(?:-(?:il|elle|ils|elles))?\s+(?P<value>\S.*)$", _I
)
_FR_PREP: Final = re.compile(rf"^(?P<head>[^{SLOT}]*{SLOT}\s+.*?)\b(?P<prep>par|à|au|en|dans|sur|de)\s+(?P<value>\S.*)$", _I)


def _french(body: str, _held: frozenset[str]) -> str | None:
    asked = _FR_ASKED.match(body)
    rest = asked["rest"] if asked else body
    for pattern in (_FR_NOUN, _FR_LAST):
        if match := pattern.match(rest):
            return f"quel {match['be'].casefold()} {match['noun'][0].lower()}{match['noun'][1:]}"
    match = _FR_PREP.match(rest)
    if match is None:
        return None
    prep = match["prep"].casefold()
    opening = "quand" if _DIGITS.match(match["value"]) else {"par": "par qui", "de": "de quoi"}.get(prep, "où")
    return f"{opening} {match['head']}"


# Spanish: "es V la ... de S", "es la ... de S V", "está S en V"
_ES: Final = re.compile(
    r"^(?P<verb>es|son|era|eran|está|están|fue|fueron|nació|murió|vive|habla|pertenece|trabaja|cuesta|usa|utiliza|tiene|se encuentra)\s+(?P<rest>.+)$",
    _I,
)
_ES_ARTICLE: Final = r"(?:el|la|los|las|un|una)"
_ES_NOUN: Final = re.compile(rf"^(?P<value>\S.*?)\s+(?P<noun>{_ES_ARTICLE}\s+[^{SLOT}]*{SLOT})$", _I)
_ES_PREP: Final = re.compile(r"^(?P<head>.*?)\b(?P<prep>por|en|de|del|a|al)\s+(?P<value>\S.*)$", _I)


def _spanish(body: str, _held: frozenset[str]) -> str | None:
    opened = _ES.match(body)
    if opened is None:
        return None
    verb, rest = opened["verb"].casefold(), opened["rest"]
    before, tail = rest[: rest.index(SLOT)], rest[rest.index(SLOT) + 1 :].strip()
    if before and not re.match(rf"{_ES_ARTICLE}\s", before, _I):
        noun = _ES_NOUN.match(rest)
        return f"cuál {verb} {noun['noun']}" if noun else None
    last = _ES_PREP.match(tail)
    if last:
        opening = "cuándo" if _DIGITS.match(last["value"]) else {"por": "por quién", "en": "dónde"}.get(last["prep"], "de qué")
        return f"{opening} {verb} {before}{SLOT} {last['head']}"
    if tail and before:
        return f"cuál {verb} {before}{SLOT}"
    return f"qué {verb} {SLOT}" if tail and not before and verb not in ("es", "son", "era", "eran") else None


_READERS: Final = {"en": _english, "de": _german, "fr": _french, "es": _spanish}
