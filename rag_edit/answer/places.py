"""Places that a question proposes, held against a record's: the same, one within the other, apart, or not to be told. Pure.

"Is the works in Paris?" must not be denied because a record says France. What lies where comes from the packaged atlas, which
knows countries, blocs and subdivisions; of a city it knows in which of these it lies. What it cannot tell stays open: two
cities of one subdivision, territories whose bond with a state is a matter of law, names that it does not know.
It knows no day, so that a bloc's members are never affirmed, and denied only where no day is known on which they were.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from rag_edit.answer import normalise as n
from rag_edit.core.atlas import default_atlas, default_place_names, fold_name
from rag_edit.core.jurisdiction import Kind

_MAX_WORDS: Final = 6  # of a place's name
_WITHIN: Final = r"(?:in|within|inside|innerhalb|dans|dentro de|en|à|part of)"
_ARTICLE: Final = r"(?:(?:the|der|den|dem|die|das|le|la|les|el|los|las) )?"
_IN_FRONT: Final = re.compile(
    rf"\b{_WITHIN} {_ARTICLE}(?:(?:administrative territorial entity|country|state|city|province|region|territory) of {_ARTICLE})?$",
    re.IGNORECASE,
)
_AT_FRONT: Final = re.compile(
    rf"\b(?:in/on|on|at|near|bei|auf|an|am|im|sur|{_WITHIN}) {_ARTICLE}$|\b(?:entity|city|town|state|province|region) of {_ARTICLE}$",
    re.IGNORECASE,
)
_PLACED: Final = re.compile(
    r"\blocat(?:ion|ions|ed)\b|\bplaces? of\b|\bresidence\b|\bheadquarters\b|\bvenue\b|\bsite\b|^(?:where|wo|où|dónde)\b",
    re.IGNORECASE,
)
_ON_FRONT: Final = re.compile(rf"\bon {_ARTICLE}$", re.IGNORECASE)
_TOWNS: Final = re.compile(r"\bplace of (?:birth|death)\b|\bbirth ?place\b|\bresidence\b|\bwork location\b", re.IGNORECASE)
_ONE_LEVEL: Final = re.compile(r"\b(?:country|continent|street|capital|range)\b", re.IGNORECASE)
_HEADS: Final = frozenset(
    (
        "museum gallery galleria park garden gardens cemetery church basilica cathedral abbey monastery temple shrine palace castle fort house hall street road avenue"
        " lane square place university college school hospital hotel prison stadium arena circuit airport station bridge tower building library theatre theater"
        " island islands isle lake river bay sea ocean beach mount mountain mountains hills range valley forest desert county district borough province region state"
        " oblast krai prefecture canton parish quarter"
    ).split()
)
# Territories that have a code of their own and whose state is a matter of law, or of dispute: neither affirmed nor denied of each other.
_BOUND: Final = {
    state: frozenset(codes.split())
    for state, codes in {
        "AU": "CC CX HM NF",
        "CN": "HK MO TW",
        "DK": "FO GL",
        "FI": "AX",
        "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
        "GB": "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG",
        "IL": "PS",
        "MA": "EH",
        "NL": "AW BQ CW SX",
        "NO": "BV SJ",
        "NZ": "CK NU TK",
        "RS": "XK",
        "RU": "UA-40 UA-43",
        "US": "AS GU MP PR UM VI",
    }.items()
}


class Relation(Enum):
    """How a proposed place stands to a record's."""

    SAME = "same"
    WITHIN = "the record's lies in the one proposed"
    APART = "apart"
    OPEN = "one may hold the other"
    UNKNOWN = "not both are known"


@dataclass(frozen=True, slots=True)
class Named:
    """A place named in a text: where, the codes that it may mean, and whether it is a plain name of all of a jurisdiction."""

    start: int
    end: int
    codes: tuple[str, ...]
    is_whole: bool


def places(text: str) -> list[Named]:
    """Return the places of the atlas that a plain text names with a capital, longest first from left to right."""
    found: list[Named] = []
    words = n.words(text)
    at = 0
    while at < len(words):
        step = 1
        if text[words[at].start].isupper():
            for size in range(min(_MAX_WORDS, len(words) - at), 0, -1):
                start, end = words[at].start, words[at + size - 1].end
                entry = _names().get(fold_name(text[start:end])) or _names().get(text[start:end], "")
                if entry[:1] in ("n", "N", "w", "u", "x"):
                    found.append(Named(start, end, tuple(entry[2:].split()), entry[0] in "nx"))
                if entry and entry[0] not in "dD":
                    step = size  # a phrase that is no place ("-") is passed over whole
                    break
        at += step
    return found


def relation(target: str, asked: Named, text: str) -> Relation:
    """Return how the place ``asked`` of ``text`` stands to the one that ``target`` names, if it names one and nothing else."""
    own = next(iter(places(target)), None)
    bare = n.without_article(n.words(target))
    if own is None or not bare or (own.start, own.end) != (bare[0].start, bare[-1].end):
        return Relation.UNKNOWN
    if own.codes == asked.codes and own.is_whole and asked.is_whole and all(_is_country(code) for code in own.codes):
        return Relation.SAME
    above = {code: _above(code) for code in (*own.codes, *asked.codes)}
    whole = all(_is_whole(code, asked, text) for code in asked.codes)
    if whole and all(b in above[a] and a != b for a in own.codes for b in asked.codes):
        return Relation.WITHIN
    near = any(b in above[a] or a in above[b] or _is_bound(above[a], above[b]) for a in own.codes for b in asked.codes)
    return Relation.OPEN if near else Relation.APART


def is_put_in(text: str, start: int) -> bool:
    """Return whether what stands at ``start`` follows a word that puts something into it: "in", "part of"."""
    return bool(_IN_FRONT.search(text[:start]))


def is_whereabouts(text: str, start: int, targets: Sequence[str], relation: str, question: str) -> bool:
    """Return whether what is proposed at ``start`` is where something is, on no level that the record fixes.

    A record of a *country* says which country, so that another one is denied; one of a *location* does not say whether a house, a
    city or a state is meant, and one of a *street* does not deny the city.

    Args:
        text: The yes/no question.
        start: Where the proposal stands in it.
        targets: The record's.
        relation: The record's.
        question: The record's.
    """
    is_placed = bool(_PLACED.search(relation) or _PLACED.search(question))
    if not _AT_FRONT.search(text[:start]):
        return is_placed and not _ONE_LEVEL.search(relation)
    if "street" in relation and _ON_FRONT.search(text[:start]):
        return False
    return is_placed or any(places(target) for target in targets)


def are_of_one_sort(asked: str, target: str, told: str) -> bool:
    """Return whether two places, not both known, exclude each other: two parks, two museums, two towns.

    Args:
        asked: What is proposed.
        target: What the record says.
        told: The record's relation and question: where people are born, live and die is a town, if the name says nothing else.
    """
    sorts = _heads(asked)
    if sorts != _heads(target):
        return False
    known = [(place, text) for text in (asked, target) for place in places(text)]
    if any(place.is_whole or any(_is_whole(code, place, text) for code in place.codes) for place, text in known):
        return False
    return bool(_TOWNS.search(told)) or (bool(sorts) and not known)


def _heads(name: str) -> frozenset[str]:
    return frozenset(
        key.removesuffix("s") for word in n.words(name) for key in word.keys if key in _HEADS or key.endswith("museum")
    )


def _is_country(code: str) -> bool:
    return default_atlas().kind(code) is Kind.COUNTRY


def _is_whole(code: str, asked: Named, text: str) -> bool:
    """Return whether a name means all of a jurisdiction: a city has the code of that in which it lies."""
    if default_atlas().kind(code) is Kind.BLOC:
        return False  # who was in it on which day is not known here
    named = {fold_name(name) for name in default_atlas().names(code)}
    return (asked.is_whole and _is_country(code)) or fold_name(text[asked.start : asked.end]) in named


def _is_bound(left: frozenset[str], right: frozenset[str]) -> bool:
    return any(_BOUND.get(a, frozenset()) & other for some, other in ((left, right), (right, left)) for a in some)


@cache
def _above(code: str) -> frozenset[str]:
    """Return a jurisdiction and all that it ever lay in, the world left out."""
    found, todo = {code}, [code]
    while todo:
        more = _parents().get(todo.pop(), frozenset()) - found
        found |= more
        todo += more
    return frozenset(found)


@cache
def _parents() -> dict[str, frozenset[str]]:
    parents: dict[str, set[str]] = {}
    for edge in default_atlas().edges:
        parents.setdefault(edge.child, set()).add(edge.parent)
    return {child: frozenset(found) for child, found in parents.items()}


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = default_place_names()["names"]
    return names
