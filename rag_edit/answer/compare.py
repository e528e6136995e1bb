"""What a question proposes, held against a record: is it the record's target, another value, or neither? Pure, no model.

"No" is said only where what is proposed and what the record says exclude each other. A place that may hold the record's or lie in
it, a date that says more, a part of a name: these are left open, and the record's fact is given without yes or no.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from rapidfuzz import fuzz

from rag_edit.answer import check_words as w
from rag_edit.answer import normalise as n
from rag_edit.answer import places as p
from rag_edit.answer import units as u
from rag_edit.answer.function_words import STOP
from rag_edit.core.form import Option
from rag_edit.core.record import Record

_LEAST_RATIO: Final = 90.0  # of 100; "gynaecology" and "gynecology" are 95
_LEAST_FUZZY_CHARS: Final = 6
_COMPARED: Final = re.compile(
    r"\b(?:more|less|fewer|greater|higher|lower|older|younger|larger|smaller|longer|shorter|earlier|later) than\b|\b(?:at least|at most|over|under|above|below|between|before|after|or more|or less)\b"
    r"|\b(?:mehr|weniger|höher|niedriger|älter|jünger|größer|kleiner) als\b|\b(?:mindestens|höchstens|über|unter|zwischen|vor|nach)\b"
    r"|\b(?:plus|moins) (?:de|que|élevé)\b|\b(?:au moins|au plus|entre|avant|après)\b|\b(?:más|menos|mayor|menor) (?:de|que)\b|\b(?:al menos|como máximo|entre|antes|después)\b",
    re.IGNORECASE,
)
_LARGER_NAME: Final = frozenset(
    "new old north south east west northern southern eastern western upper lower great greater little saint san santa non proto anti neo ex"
    " nouvelle nouveau nord sud neu alt ost west nueva nuevo norte sur".split()
)
_OTHER: Final = frozenset(
    "new old non proto anti neo ex nouvelle nouveau neu alt nueva nuevo".split()
)  # "New York" is not York
_ABOUT: Final = re.compile(
    r"\b(?:about|around|approximately|roughly|nearly|almost|circa|etwa|ungefähr|rund|environ|presque|aproximadamente|casi)\s*$|\bca\.?\s*$",
    re.IGNORECASE,
)


def verdict(asked: str, record: Record, *, same_language: bool = True) -> bool | None:
    """Return whether what a yes/no question proposes is what the record says; None when it proposes nothing comparable.

    Args:
        asked: The question without wrapping.
        record: The record that answers.
        same_language: Whether question and record are in one language: else words that are not the target mean nothing.
    """
    body, language = n.plain(asked), record.language
    targets = [n.plain(target) for target in record.targets()]
    said = w.truth_of(targets)
    if said is not None:
        return said
    if _COMPARED.search(body) and any(n.values(target, language) for target in targets):
        return None
    own = [n.plain(text) for text in (record.question, record.relation, record.subject, *record.aliases, *record.paraphrases)]
    if by_value := _by_value(body, targets, own, language):
        return True if True in by_value else None if None in by_value else False
    for target in targets:  # a mention that the record's own question makes, too, proposes nothing
        spans = [(start, end) for start, end in n.find_phrase(target, body, language) if not _is_larger(body, start, end, own)]
        if len(spans) > len(n.find_phrase(target, n.plain(record.question), language)):
            return True
    rest = _rest(body, own, language)
    if any(_alike(target, body[start:end]) for target in targets for start, end in rest):
        return True
    if (placed := _by_place(body, targets, own, rest, record)) is not False:
        return placed
    if rest and all(any(_is_part(body[start:end], target, language) for target in targets) for start, end in rest):
        return None
    if record.prior and n.find_phrase(n.plain(record.prior), body, language):
        return False
    is_value = all(n.only_values(target, language) for target in targets)  # then words alone propose nothing comparable
    return False if rest and same_language and not is_value else None


def pick(options: Sequence[Option], record: Record, said: bool | None = None) -> Option | None:
    """Return the option that says what the record says; None when none does, or several do.

    Args:
        options: Of a multiple-choice question.
        record: The record that answers.
        said: For options "yes" and "no": the answer to the stem, where it is known.
    """
    targets = [n.plain(target) for target in record.targets()]
    ranked = [(max(_fits(n.plain(option.text), target, record.language) for target in targets), option) for option in options]
    best = max((score for score, _ in ranked), default=0)
    if best == 0:
        truth = said if said is not None else w.truth_of(targets)
        words = None if truth is None else w.YES if truth else w.NO
        matching = [
            o for o in options if words is not None and {k for word in n.words(n.plain(o.text)) for k in word.keys} & words
        ]
        return matching[0] if len(matching) == 1 else None
    winners = [option for score, option in ranked if score == best]
    return winners[0] if len(winners) == 1 else None


def _fits(option: str, target: str, language: str) -> int:
    """Return how well an option says a target: 3 the same, 2 nearly, 1 one within the other, 0 not at all."""
    a, b = n.without_article(n.words(option)), n.without_article(n.words(target))
    if not a or not b:
        return 3 if option and option.casefold() == target.casefold() else 0
    if option.casefold() == target.casefold():
        return 4
    wanted, there = n.only_values(target, language), n.values(option, language)
    if wanted:
        complete = all(any(n.same_value(value, other) for other in there) for value in wanted)
        return 3 if complete and len(there) == len(wanted) else 0
    if len(a) == len(b) and all(n.same_word(x, y, language) for x, y in zip(a, b, strict=True)):
        return 3
    if _alike(option, target):
        return 2
    return 1 if n.find_words(b, a, language) or n.find_words(a, b, language) else 0


def _by_value(body: str, targets: Sequence[str], own: Sequence[str], language: str) -> set[bool | None]:
    """Return what the values that a question proposes are beside the record's; nothing where none can be compared."""
    wanted = [value for target in targets for value in n.only_values(target, language)]
    known = [value for text in own for value in n.values(text, language)]
    proposed = [value for value in n.values(body, language) if not any(n.same_value(value, each) for each in known)]
    return {_holds(a, b, body) for a in wanted for b in proposed if _comparable(a, b)}


def _comparable(wanted: n.Value, proposed: n.Value) -> bool:
    loose = wanted.kind == "number" == proposed.kind and "" in (wanted.unit, proposed.unit)
    return loose or n.same_kind(wanted, proposed) or n.same_value(wanted, proposed)


def _holds(wanted: n.Value, proposed: n.Value, body: str) -> bool | None:
    """Return whether a value that a record gives makes a proposed one true; None where it leaves it open.

    3 May 1998 lies in 1998 and in the 1990s; what happened in 1998 may have happened on 3 May.
    """
    if {wanted.kind, proposed.kind} <= {"date", "number"} and (
        "date" in (wanted.kind, proposed.kind) or wanted.unit == proposed.unit == "yr"
    ):
        found = {_date_holds(a, b) for a in _dates(wanted, body="") for b in _dates(proposed, body)}
        return True if True in found else None if None in found else False
    if n.same_value(wanted, proposed):
        return True
    return None if _ABOUT.search(body[: proposed.start]) else False


def _dates(value: n.Value, body: str) -> list[str]:
    """Return the readings of a date or year as ``YYYY-MM-DD``, ``00`` for what is not said, ``199x`` for a decade."""
    if value.kind == "date":
        return sorted(value.readings)
    decade = re.match(r"'?s\b", body[value.end :]) is not None and all(year.endswith("0") for year in value.readings)
    return [f"{f'{year[:3]}x' if decade else year}-00-00" for year in sorted(value.readings)]


def _date_holds(wanted: str, proposed: str) -> bool | None:
    """Return whether ``wanted`` makes ``proposed`` true; None where it says too little."""
    is_open = False
    for a, b in zip(wanted.split("-"), proposed.split("-"), strict=True):
        if not b.strip("0"):
            continue  # not asked
        if not a.strip("0"):
            is_open = True
        elif not (a == b or (b.endswith("x") and a[:3] == b[:3])):
            return False
    return None if is_open else True


def _by_place(
    body: str, targets: Sequence[str], own: Sequence[str], rest: Sequence[tuple[int, int]], record: Record
) -> bool | None:
    """Return the verdict where places do not exclude each other; False where they do, or where none is proposed."""
    named = {text.casefold() for each in own for place in p.places(each) for text in [each[place.start : place.end]]}
    asked = [place for place in p.places(body) if body[place.start : place.end].casefold() not in named]
    known = [(place, p.relation(target, place, body)) for place in asked for target in targets]
    known = [(place, found) for place, found in known if found is not p.Relation.UNKNOWN]
    for place, found in known:
        if found is p.Relation.SAME or (found is p.Relation.WITHIN and p.is_put_in(body, place.start)):
            return True
    if any(found is not p.Relation.APART for _, found in known):
        return None
    if known:
        return False
    is_open = any(
        p.is_whereabouts(body, start, targets, record.relation, record.question)
        and not all(
            _is_another(body[start:end], target, record.language)
            or p.are_of_one_sort(body[start:end], target, f"{record.relation} {record.question}")
            for target in targets
        )
        for start, end in rest
    )
    return None if is_open else False


def _is_part(asked: str, target: str, language: str) -> bool:
    """Return whether one is a part of the other's name: "Obama" and "Barack Obama"; "York" is no part of "New York"."""
    more = _more(asked, target, language)
    return more is not None and not any(word.keys & _OTHER for word in more)


def _is_another(asked: str, target: str, language: str) -> bool:
    """Return whether one is the other's name with a word that makes it another: "York" and "New York"."""
    more = _more(asked, target, language)
    return more is not None and any(word.keys & _OTHER for word in more)


def _more(asked: str, target: str, language: str) -> list[n.Word] | None:
    """Return the words that the longer of two names has beyond the shorter; None where they share less than the shorter."""
    short, long = sorted((n.without_article(n.words(asked)), n.without_article(n.words(target))), key=len)
    if not short or not all(any(n.same_word(each, word, language) for word in long) for each in short):
        return None
    return [word for word in long if not any(n.same_word(word, each, language) for each in short)]


def _is_larger(body: str, start: int, end: int, own: Sequence[str]) -> bool:
    """Return whether the words at ``start:end`` are a part of a larger name ("York" in "New York")."""
    held = {key for text in own for word in n.words(text) for key in word.keys}
    before, after = re.search(r"([^\W_]+)[ -]$", body[:start]), re.match(r"[ -]([^\W_]+)", body[end:])
    for neighbour, first in ((before, before is not None and before.start(1) == 0), (after, False)):
        word = neighbour.group(1) if neighbour else ""
        if not word or n.fold(word) in held or n.fold(word) in STOP:
            continue
        if n.fold(word) in _LARGER_NAME or (word[0].isupper() and body[start].isupper() and not first):
            return True
    return False


def _rest(body: str, own: Sequence[str], language: str) -> list[tuple[int, int]]:
    """Return where the runs of words stand that are neither fillers nor the record's own: what is proposed.

    A word of the record's own is used up once for each time that the record says it: in "Is the birthplace of Leonardo da
    Vinci Vinci?" the second Vinci is a proposal.
    """
    budget: dict[frozenset[str], int] = {}
    for text in own:
        for keys, count in Counter(word.keys for word in n.words(text)).items():
            budget[keys] = max(budget.get(keys, 0), count)
    runs: list[list[n.Word]] = [[]]
    for word in n.words(body):
        name = body[word.start].isupper() and word.start > 0
        filler = bool(word.keys & (u.FILLERS if name else STOP))
        held = next((keys for keys, count in budget.items() if count and n.same_word(n.Word(keys, 0, 0), word, language)), None)
        if held is not None:
            budget[held] -= 1
        if held is not None or filler:
            runs.append([])
        else:
            runs[-1].append(word)
    return [(run[0].start, run[-1].end) for run in runs if run]


def _alike(a: str, b: str) -> bool:
    """Return whether two names are spellings of one: nearly all letters agree, and all digits."""
    x, y = n.fold(a), n.fold(b)
    if min(len(x), len(y)) < _LEAST_FUZZY_CHARS or re.findall(r"\d+", x) != re.findall(r"\d+", y):
        return False
    return float(fuzz.ratio(x, y)) >= _LEAST_RATIO and x[0] == y[0]
