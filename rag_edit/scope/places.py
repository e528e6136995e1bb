"""The places that a text names: countries, blocs and subdivisions, by name, demonym or code, in many languages.

Reading is a look-up of words in the packaged names, longest first, with rules against false alarms:

- A name that is a word too ("turkey", "chad", "Island") must start with a capital; the bare names of little-known
  subdivisions must also stand after a place word ("in Salta", "Salta Province", "Salta, Argentina").
- ``us``, ``in``, ``no``, ``it``, ``de``, ``is`` are never codes. Codes are ``US``, ``UK``, ``EU`` and the like, written so, with
  or without dots, and whole ISO 3166-2 codes (``DE-BY``).
- A name after a first name ("Michael Jordan") is a surname. A name that people bear too, beside another capitalised word
  ("Virginia Woolf"), and a demonym that is a language ("in German?") are kept with ``certain=False``.
- A plain name means the country where a country has it (Luxembourg); otherwise all jurisdictions that share it are
  given (Georgia: GE and US-GA), unless the next words say which ("Georgia, USA").

Pure; it does not know records, chains or the question's jurisdiction.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from rag_edit.core.atlas import default_atlas, default_place_names, fold_name
from rag_edit.core.jurisdiction import Atlas, Jurisdiction
from rag_edit.scope import place_words as words

_MARKS: Final = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u0652\u0670\u0900-\u0903\u093a-\u094f\u0955-\u0957\u0962\u0963"
_TOKEN: Final = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_HIDDEN: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_GAP: Final = re.compile(r"[ \u00a0\u202f]?[-‐‑–’'ʼ.&·・() \u00a0\u202f][ \u00a0\u202f]?")
_DOTTED: Final = re.compile(r"(?<![\w.])(?:(?:[A-Z]\. ?){1,3}[A-Z]\.?|EE\. ?UU\.?)(?!\w)")
_SUBDIVISION: Final = re.compile(r"(?<![\w-])[A-Z]{2}-[A-Z0-9]{1,3}(?![\w-])")
_CJK: Final = re.compile("[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
_KANA: Final = re.compile("[\u30a1-\u30ff]")
_EAST_ASIA: Final = ("CN-", "TW-", "HK", "MO", "JP-", "KR-")
_HANGUL: Final = re.compile("[\uac00-\ud7a3]")
_PREFIXED: Final = {"\u0600": "وفبلك", "\u0590": "ובלמהשכ"}  # one-letter prepositions of Arabic and Hebrew
MAX_TOKENS: Final = 8


@dataclass(frozen=True, slots=True)
class PlaceMention:
    """A place named in a text.

    Attributes:
        start, end: Where it stands in the text as given.
        text: ``text[start:end]`` of that text.
        jurisdictions: What it may mean; several when ambiguous.
        kind: ``name``, ``demonym`` or ``code``.
        certain: False when the words may be a person's, a product's or a language's name instead.
        is_whole: Whether they mean all of it: a country's name, a demonym, a code. A city's name has the code of that in which it lies.
    """

    start: int
    end: int
    text: str
    jurisdictions: tuple[Jurisdiction, ...]
    kind: str = "name"
    certain: bool = True
    is_whole: bool = False


class _Token(NamedTuple):
    start: int
    end: int
    text: str
    key: str


class _Hit(NamedTuple):
    """A name found: tokens ``first`` to ``last``, characters ``start`` to ``end``, class and codes as in the data."""

    first: int
    last: int
    start: int
    end: int
    kind: str
    codes: str


class PlaceReader:
    """Reads places. Immutable once made; making it indexes the names (about 60 ms), reading is a fraction of a millisecond."""

    __slots__ = ("_atlas", "_cjk", "_names", "_persons", "_spans")

    def __init__(self, atlas: Atlas, names: Mapping[str, Any]) -> None:
        """Index ``names``, in the form of ``place_names.json.gz``. Codes that ``atlas`` lacks are never returned."""
        self._atlas = atlas
        self._names: Mapping[str, str] = names["names"]
        self._persons = frozenset(names["persons"])
        self._cjk = frozenset(name[0] for name in self._names if _CJK.match(name))
        self._spans: dict[str, int] = {}  # first word -> words of the longest name that starts with it
        for name in self._names:
            first, spaces = name.partition(" ")[0], name.count(" ") + 1
            if self._spans.get(first, 0) < spaces:
                self._spans[first] = spaces

    def __call__(self, text: str) -> tuple[PlaceMention, ...]:
        """Return `read` of ``text``."""
        return self.read(text)

    def read(self, text: str) -> tuple[PlaceMention, ...]:
        """Return the places that ``text`` names, in the order of their words; mentions do not overlap."""
        clean, places = text, None
        if _HIDDEN.search(text):
            places = [i for i, char in enumerate(text) if not _HIDDEN.match(char)]
            clean = "".join(text[i] for i in places)
        tokens = [_Token(m.start(), m.end(), m[0], _fold(m[0])) for m in _TOKEN.finditer(clean)]
        shouted = not any(char.islower() for char in clean) and any(char.isupper() for char in clean)
        codes = [m for m in self._codes(clean) if not self._goes_on(clean, tokens, m, shouted)]
        named = self._named(clean, tokens, shouted, codes)
        codes = [c for c in codes if not any(m.start < c.end and c.start < m.end for m in named)]
        joined = self._join(clean, sorted(codes + named, key=lambda m: m.start))
        if places is None:
            return tuple(joined)
        return tuple(
            replace(m, start=places[m.start], end=places[m.end - 1] + 1, text=text[places[m.start] : places[m.end - 1] + 1])
            for m in joined
        )

    def _codes(self, text: str) -> list[PlaceMention]:
        """Return dotted abbreviations (``U.S.``) and whole subdivision codes (``DE-BY``)."""
        found = [
            PlaceMention(match.start(), match.end(), match[0], (self._atlas.parse(match[0]),), "code")
            for match in _SUBDIVISION.finditer(text)
            if match[0] in self._atlas
        ]
        for match in _DOTTED.finditer(text) if "." in text else ():
            letters = match[0].replace(".", "").replace(" ", "")
            entry = self._names.get(letters) or self._names.get(f"{letters}.", "")
            if entry[:1] == "x":
                found.append(PlaceMention(match.start(), match.end(), match[0], self._parse(entry[2:]), "code"))
        return found

    def _goes_on(self, text: str, tokens: Sequence[_Token], code: PlaceMention, shouted: bool) -> bool:
        """Return whether a longer name starts with a code: "U.S. Virgin Islands"."""
        hits = (self._longest(text, tokens, i, shouted) for i, token in enumerate(tokens) if token.start == code.start)
        return any(hit is not None and hit.end > code.end for hit in hits)

    def _named(self, text: str, tokens: Sequence[_Token], shouted: bool, taken: Sequence[PlaceMention]) -> list[PlaceMention]:
        """Return the mentions by name, demonym and plain code, from left to right; a word is used once."""
        found: list[PlaceMention] = []
        i = 0
        while i < len(tokens):
            token = tokens[i]
            i += 1
            if any(m.start < token.end and token.start < m.end for m in taken):
                continue
            if not token.text.isascii() and _CJK.search(token.text):
                hits = self._inside(token, i - 1)
            else:
                hit = self._longest(text, tokens, i - 1, shouted)
                if hit is None or (hit.kind == "w" and self._is_part(text, tokens, hit, shouted)):
                    continue
                hits = [hit]
            for hit in hits:
                mention = self._judge(text, tokens, hit, shouted)
                if mention is not None:
                    found.append(mention)
                if mention is not None or hit.kind == "-":
                    i = hit.last + 1
        return found

    def _is_part(self, text: str, tokens: Sequence[_Token], hit: _Hit, shouted: bool) -> bool:
        """Return whether a longer name starts inside ``hit``: "La Unión" (SV-UN) in "la Unión Europea"."""
        inner = (self._longest(text, tokens, i, shouted) for i in range(hit.first + 1, hit.last + 1))
        return any(other is not None and other.last > hit.last for other in inner)

    def _longest(self, text: str, tokens: Sequence[_Token], i: int, shouted: bool) -> _Hit | None:
        """Return the longest name that starts with token ``i``."""
        token = tokens[i]
        for cut, key in _readings(token):
            span = self._spans.get(key)
            if span is None:
                continue
            last = i
            keys = [key]
            while last + 1 < len(tokens) and len(keys) < min(span, MAX_TOKENS):
                gap = text[tokens[last].end : tokens[last + 1].start]
                if not _GAP.fullmatch(gap) or ("." in gap and len(tokens[last].text) > 3):
                    break
                last += 1
                keys.append(tokens[last].key)
            for end in range(len(keys), 0, -1):
                entry = self._names.get(" ".join(keys[:end]))
                if entry is not None and entry[0] != "x":
                    return _Hit(i, i + end - 1, token.start + cut, tokens[i + end - 1].end, entry[0], entry[2:])
        entry = self._names.get(token.text, "")
        if (
            entry[:1] == "x"
            and not (shouted and len(token.text) < 4)
            and not (token.text == "GB" and i and tokens[i - 1].text.isdigit())
        ):
            return _Hit(i, i, token.start, token.end, "x", entry[2:])
        if _HANGUL.match(token.text):
            for length in range(min(len(token.key), len(token.text)), 1, -1):
                entry = self._names.get(token.key[:length])
                if entry is not None:
                    return _Hit(i, i, token.start, token.start + length, entry[0], entry[2:])
        return None

    def _inside(self, token: _Token, i: int) -> list[_Hit]:
        """Return the names inside a run of Chinese, Japanese or Thai, where words have no spaces between them."""
        hits, at, run = [], 0, token.text
        while at < len(run) - 1:
            if run[at] in self._cjk and not (at and _KANA.match(run[at]) and _KANA.match(run[at - 1])):
                for length in range(min(14, len(run) - at), 1, -1):
                    entry = self._names.get(_fold(run[at : at + length]))
                    if entry is not None and _stands_alone(run, at, at + length, entry):
                        hits.append(_Hit(i, i, token.start + at, token.start + at + length, entry[0], entry[2:]))
                        at += length - 1
                        break
            at += 1
        return hits

    def _judge(self, text: str, tokens: Sequence[_Token], hit: _Hit, shouted: bool) -> PlaceMention | None:
        """Return the mention that a hit is, or None when its words name no place here."""
        jurisdictions = self._parse(hit.codes)
        if hit.kind == "-" or not jurisdictions:
            return None
        surface = text[hit.start : hit.end]
        kind, is_whole = _KINDS.get(hit.kind, "name"), hit.kind in "nxdD"
        mention = PlaceMention(hit.start, hit.end, surface, jurisdictions, kind, hit.kind != "u", is_whole)
        first = surface[0]
        if not first.isupper() and first.islower() and hit.kind in "NDwu":
            return None
        if hit.kind == "x":
            return mention
        if _CJK.match(first):
            return replace(mention, certain=mention.certain and _certain_han(text, hit))
        prefixed = hit.start > tokens[hit.first].start  # Arabic and Hebrew prepositions are part of the word
        placed = prefixed or _after_place_word(text, tokens, hit.first)
        before = _neighbour(text, tokens, hit.first - 1, hit.first)
        after = _neighbour(text, tokens, hit.last + 1, hit.last)
        if hit.kind == "w" and not (
            (placed and not (before and before.key in words.CONJUNCTIONS))
            or (after and after.key in words.UNITS)
            or _before_country(text, hit)
        ):
            return None
        if mention.kind == "demonym":
            named = surface[0].isupper() and surface.endswith(("isch", "Deutsch"))  # "Ist das Deutsch?": the language
            return replace(mention, certain=not named and not _is_language(before, after))
        if hit.first == hit.last and first.isupper() and not shouted:
            return self._beside_others(tokens, hit, mention, before, after, placed=placed)
        return mention

    def _beside_others(
        self,
        tokens: Sequence[_Token],
        hit: _Hit,
        mention: PlaceMention,
        before: _Token | None,
        after: _Token | None,
        *,
        placed: bool,
    ) -> PlaceMention | None:
        """Return the mention of a capitalised word as its neighbours leave it: a place, perhaps a person, or nothing."""
        key = tokens[hit.first].key
        if key == "island":  # English, unless "in", "nach", "på" stand before it: Iceland
            return mention if before and before.key in words.BEFORE_ISLAND else None
        if key == "indien" and hit.first == 0 and after and after.text[0].islower():
            return None  # Dutch "if"
        if placed:
            return mention
        if key in words.GERMAN_NOUNS and any(t.key in words.GERMAN for t in tokens):
            return None
        if before and before.key in self._persons and before.text[0].isupper():
            return None
        if _title_case(tokens):
            return mention
        personal = key in words.PERSON_LIKE
        if _is_capitalised(after):
            if key in words.NEVER_ALONE:
                return None
            if personal or not any(t.key in words.GERMAN for t in tokens):
                return replace(mention, certain=False)
        surname = (personal or "-" in hit.codes) and hit.first > 1 and _is_capitalised(before)
        return replace(mention, certain=mention.certain and not surname)

    def _join(self, text: str, mentions: list[PlaceMention]) -> list[PlaceMention]:
        """Return ``mentions`` with a subdivision and the country behind it read as one: "Georgia, USA"."""
        joined: list[PlaceMention] = []
        for mention in mentions:
            last = joined[-1] if joined else None
            if last is not None and last.kind == "name" and mention.kind != "demonym":
                gap = text[last.end : mention.start]
                inside = tuple(j for j in last.jurisdictions if j in mention.jurisdictions or j[:2] in mention.jurisdictions)
                if inside and gap in (", ", " (", ","):
                    end = mention.end + (text[mention.end : mention.end + 1] == ")")
                    joined[-1] = PlaceMention(last.start, end, text[last.start : end], inside)
                    continue
            joined.append(mention)
        return joined

    def _parse(self, codes: str) -> tuple[Jurisdiction, ...]:
        return tuple(self._atlas.parse(code) for code in codes.split() if code in self._atlas)


_KINDS: Final = {"d": "demonym", "D": "demonym", "x": "code"}


def default_reader() -> PlaceReader:
    """Return a reader of the packaged names."""
    return PlaceReader(default_atlas(), default_place_names())


def _fold(text: str) -> str:
    return text.lower() if text.isascii() else fold_name(text)


def _readings(token: _Token) -> list[tuple[int, str]]:
    """Return the keys under which a word may be a name, each with the letters cut off before it."""
    readings = [(0, token.key)]
    block = token.key[:1]
    if "\u0590" <= block <= "\u06ff":
        prefixes = _PREFIXED["\u0600" if block >= "\u0600" else "\u0590"]
        readings += [
            (cut, token.key[cut:])
            for cut in (1, 2)
            if cut + 3 < len(token.key) <= len(token.text) and all(c in prefixes for c in token.key[:cut])
        ]
        if "لل" in token.key[:3] and len(token.key) <= len(token.text):
            at = token.key.index("لل")
            readings.append((at + 1, "ال" + token.key[at + 2 :]))
    return readings


def _neighbour(text: str, tokens: Sequence[_Token], i: int, other: int) -> _Token | None:
    """Return token ``i`` if only a space stands between it and token ``other``."""
    if not 0 <= i < len(tokens):
        return None
    left, right = (i, other) if i < other else (other, i)
    return tokens[i] if text[tokens[left].end : tokens[right].start].strip(" ") in ("", "'", "’") else None


def _after_place_word(text: str, tokens: Sequence[_Token], i: int) -> bool:
    word = _neighbour(text, tokens, i - 1, i)
    at = i - 1
    while word is not None and word.key in words.ARTICLES and word.key not in words.PLACE_WORDS and at > 0:
        at -= 1
        word = _neighbour(text, tokens, at, at + 1)
    if word is None or word.key not in words.PLACE_WORDS:
        return False
    if word.key not in words.NAME_PARTICLES:
        return True
    ahead = _neighbour(text, tokens, at - 1, at)
    return ahead is None or not ahead.text[0].isupper() or at == 1


def _before_country(text: str, hit: _Hit) -> bool:
    """Return whether a comma and another name follow: "Salta, Argentina"."""
    return bool(re.match(r", ?[^\W\d_]", text[hit.end : hit.end + 3])) and text[hit.end + 1 :].lstrip()[:1].isupper()


def _is_language(before: _Token | None, after: _Token | None) -> bool:
    if after is not None and after.key in words.LANGUAGE_AFTER:
        return True
    if before is None:
        return False
    if before.key in words.LANGUAGE_BEFORE:
        return True
    return before.key in words.LANGUAGE_IN and (after is None or after.key in words.LANGUAGE_END or before.key == "en")


def _is_capitalised(token: _Token | None) -> bool:
    return token is not None and token.text[0].isupper() and not (len(token.text) > 1 and token.text.isupper())


def _title_case(tokens: Sequence[_Token]) -> bool:
    """Return whether a text is written With Capitals Throughout, so that they tell nothing."""
    return len(tokens) > 4 and sum(t.text[0].isupper() for t in tokens[1:]) >= 0.8 * (len(tokens) - 1)


def _stands_alone(run: str, start: int, end: int, entry: str) -> bool:
    """Return whether ``run[start:end]`` is a word of its own, as far as neighbouring characters tell.

    A name in katakana fills its run of katakana. A short transcription of a foreign subdivision in Chinese characters
    (德里 in 迪德里希) stands after a place word or before a unit.
    """
    after, before = run[end : end + 1], run[start - 1 : start] if start else ""
    if _KANA.match(run[start]):
        return not _KANA.match(after) and (entry[0] != "w" or end - start > 3)
    foreign = "-" in entry and not entry[2:].startswith(_EAST_ASIA)
    if end - start > 3 or not (foreign or entry[0] == "w"):
        return True
    return before in words.HAN_PLACE_WORDS or after in words.HAN_UNITS or run[end - 1] in words.HAN_UNITS


def _certain_han(text: str, hit: _Hit) -> bool:
    after, before = text[hit.end : hit.end + 1], text[hit.start - 1 : hit.start]
    if after in words.HAN_LANGUAGE:
        return False
    surname = hit.codes.startswith("JP-") and hit.end - hit.start == 2 and "\u4e00" <= after <= "\u9fff"
    return not surname or before in words.HAN_PLACE_WORDS or after in words.HAN_PLACE_WORDS
