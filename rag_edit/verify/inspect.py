"""A look at a record's own fields, alone and beside its kin: faults that no question is needed for. Pure; readers are injected.

It finds what a careful colleague would see on the page: a target that the answer does not state, or that is the old answer; a unit
that none of its like uses; a day that lies outside the days on which the record holds; a place that is not the record's; text that
speaks to the model; the same fact under two ids, or with two answers. It asks no question of anybody and opens no file.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from rag_edit.core.record import Record, RecordVersion
from rag_edit.verify.finding import Cause, Finding, Kind, Side, cut, fold, of_record
from rag_edit.verify.instructions import spoken_in
from rag_edit.verify.judge import contradiction
from rag_edit.verify.measures import Kin, Quantity, is_unit, odd_unit

GLOBAL: Final = "GLOBAL"
_UNTIL: Final = re.compile(
    r"\b(?:until|till|expire[sd]? (?:on|in)|ended? (?:on|in)|bis(?: zum)?|jusqu'(?:au|en)|hasta(?: el)?|fino (?:al?|all')|até(?: a?o)?|tot(?: en met)?)\W+(?:\w+\W+){0,3}$",
    re.IGNORECASE,
)
_SINCE: Final = re.compile(
    r"(?:\b(?:since|as of|starting|with effect from|seit(?: dem)?|ab(?: dem)?|mit wirkung vom|depuis(?: le)?|à (?:partir|compter) du"
    r"|desde(?: el)?|a partir d(?:el|e|o)|dal|a (?:partire|decorrere) dal|sinds|vanaf|met ingang van)|(?:^|[.!?]\s)from)\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
_IN_YEAR: Final = re.compile(
    r"\b(?:in|im jahre?|en|en el año|for the year|for|für|pour|para|nel|nell'anno|per il|em|no ano de|in het jaar|voor)\s+$",
    re.IGNORECASE,
)
_SET: Final = (  # what a sentence begins with, or says of its subject; in a clause of its own a place may be anything
    r"(?:(?:^|[.!?;]\s*)(?:\w+,\s+)?|\b(?:is|are|ist|sind|est|sont|es|son|è|sono|zijn|é|são)\s+)"
    r"(?:in|within|im|en|au|aux|nel|nella|nei|em|no|na)\s+(?:the |la |le |les |l'|der |den |dem )?"
)
ARTICLES: Final = frozenset(
    "a an the der die das den dem ein eine einen einem einer le la les l un une el los las una il lo gli i o os as um uma de het een".split()
)
_PEOPLE: Final = (  # who comes from elsewhere is no place in which something holds
    r"(?i:citizens?|nationals?|visitors?|tourists?|travell?ers?|passports?|licen[cs]es?|staatsangehörige|staatsbürger|bürger|ressortissante?s|citoyens?"
    r"|ciudadan[oa]s?|nacionales|cittadin[ie]|is|are|was|were|has|had|ist|sind|hat|est|a|es|son|tiene|è|ha)\b"
)
_SEGMENT: Final = re.compile(r"[/:]")
_SPACELESS: Final = "\u2e80"  # from here on, scripts mostly write words without spaces between
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date in a text: the words before it, and the half-open days that it names."""

    before: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Readers:
    """What others read for the inspector.

    Attributes:
        quantities: Numbers, dates and times of a text in a language.
        dates: Dates of a text that name a year.
        places: Places that a text names for sure: for each its words and the codes that it may mean.
        contradicts: How a record's question contradicts its jurisdiction; empty where it does not.
        covers: ``covers(jurisdiction, place)``: the place is the jurisdiction or lies in it.
        is_code: Whether a text is the code of a jurisdiction.
    """

    quantities: Callable[[str, str], Sequence[Quantity]]
    dates: Callable[[str], Sequence[Dated]]
    places: Callable[[str], Sequence[tuple[str, tuple[str, ...]]]]
    contradicts: Callable[[Record], str]
    covers: Callable[[str, str], bool]
    is_code: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Rival:
    """Another record of the same place and days that says something of the same: what both speak of, and whether it says the same."""

    other: RecordVersion
    about: str
    same_answer: bool


def inspect(
    version: RecordVersion, readers: Readers, kin: Kin, *, live: Record | None = None, rivals: Sequence[Rival] = (), today: date
) -> list[Finding]:
    """Return the findings about a record's fields: one a fault, and one that passed for each property without any.

    Args:
        version: The record, as it is or will be.
        readers: Who reads texts.
        kin: The live records' families.
        live: What the record says until now; None where it is new.
        rivals: Records that speak of the same.
        today: For what is not in force any more, or not yet.
    """
    record = version.record
    target = list(_of_target(record))
    faults = [
        *target,
        *(f for f in _of_units(record, readers, kin, live) if not (target and f[2] is Cause.TARGET_NOT_STATED)),
        *_of_days(record, readers, today),
        *_of_place(record, readers, kin),
    ]
    found = [_fault(Kind.FIELDS, name, text, cause, note) for name, text, cause, note in faults]
    found += [
        _fault(
            Kind.INSTRUCTION,
            each.field,
            each.words,
            each.cause,
            f"{each.field} {'points elsewhere' if each.cause is Cause.LINK else 'speaks to the model'}: {cut(each.words, 120)!r}",
        )
        for each in spoken_in(record)
    ]
    found += [_of_rival(record, rival, readers) for rival in rivals]
    for kind in (Kind.FIELDS, Kind.INSTRUCTION, Kind.CONFLICT):
        if not any(finding.kind is kind for finding in found):
            found.append(Finding(kind, "", passed=True, made="looked at"))
    return [of_record(version, finding) for finding in found]


_Fault = tuple[str, str, Cause, str]


def _fault(kind: Kind, name: str, text: str, cause: Cause, note: str) -> Finding:
    return Finding(kind, "", passed=False, cause=cause, question=cut(text, 200), made=name, note=note)


def _of_target(record: Record) -> Iterator[_Fault]:
    """Yield faults of target, prior and answer."""
    if not record.target:
        if record.prior and fold(record.prior) == fold(record.answer):
            yield "answer", record.answer, Cause.PRIOR_AS_TARGET, "the answer is the prior"
        return
    targets, prior, said = [fold(text) for text in record.targets()], fold(record.prior), fold(record.answer)
    if prior and any(_as_much(prior, target, fold(record.question)) for target in targets):
        yield "target", record.target, Cause.PRIOR_AS_TARGET, f"the target {record.target!r} is what the prior says"
        return
    if any(_within(target, said) for target in targets):
        return
    if prior and _within(prior, said):
        yield (
            "answer",
            record.answer,
            Cause.PRIOR_AS_TARGET,
            f"the answer states the prior {record.prior!r}, not the target {record.target!r}",
        )


def _as_much(prior: str, target: str, question: str) -> bool:
    """Return whether a folded prior says what a target says: the same words but for articles, or the number with what is counted."""
    few, many = sorted((set(prior.split()) - ARTICLES, set(target.split()) - ARTICLES), key=len)
    counted = set(question.split()) if any(word[0].isdigit() for word in few) else set[str]()
    return prior == target or (bool(few) and few <= many and many - few <= counted)


def _of_units(record: Record, readers: Readers, kin: Kin, live: Record | None) -> Iterator[_Fault]:
    """Yield faults of units and values: target against answer, against the question, against what it said, against its like."""
    wanted = [q for q in readers.quantities(record.target, record.language) if record.target]
    said = list(readers.quantities(record.answer, record.language))
    for each in wanted:
        alike = [q for q in said if q.kind == each.kind and q.readings & each.readings]
        other = next((q for q in alike if is_unit(q) and is_unit(each) and q.unit != each.unit), None)
        if other is not None and not any(q.unit == each.unit for q in alike):
            yield "target", record.target, Cause.WRONG_UNIT, f"the target is in {each.unit}, the answer in {other.unit}"
            return
    if record.target and not _stated(record, wanted, said):
        if any(q.kind == "date" for q in wanted) and any(q.kind == "date" for q in said):
            yield "answer", record.answer, Cause.STALE_DATE, f"the answer gives another date than the target {record.target!r}"
        else:
            yield "answer", record.answer, Cause.TARGET_NOT_STATED, f"the answer does not state the target {record.target!r}"
    if odd := odd_unit(record, readers.quantities, kin, {q.unit for q in said}, live):
        yield "target", record.target, Cause.WRONG_UNIT, odd


def _of_days(record: Record, readers: Readers, today: date) -> Iterator[_Fault]:
    """Yield faults of days: what question and answer say of time, against the days on which the record holds."""
    start, end = record.valid_from or date.min, record.valid_to or date.max
    named = " ".join(fold(name) for name in record.names())
    asked = [d for d in readers.dates(record.question) if str(d.start.year) not in named]
    if asked and (record.valid_from or record.valid_to) and all(d.end <= start or end <= d.start for d in asked):
        yield (
            "question",
            record.question,
            Cause.STALE_DATE,
            f"the question names another time than the record holds ({_span(record)})",
        )
        return
    said = readers.dates(record.answer)
    until = [each for each in said if _UNTIL.search(each.before)]
    if record.valid_to is not None and any(abs(each.end - record.valid_to) <= 366 * _DAY for each in until):
        until = []  # the others tell of what was before
    for each in said:
        if each in until:
            late = record.valid_to is None and each.end <= today
            if late or (record.valid_to is not None and abs(each.end - record.valid_to) > 366 * _DAY):
                yield (
                    "answer",
                    record.answer,
                    Cause.STALE_DATE,
                    f"the answer ends on another day than the record ({_span(record)})",
                )
                return
        if (
            _SINCE.search(each.before)
            and each.start > max(start if record.valid_from else today, date.min + _DAY) + _DAY
            and each.start > start + _DAY
            and not any(other.start > each.start for other in said)  # "from 3 July to 1 September": a span, no beginning
        ):
            yield "answer", record.answer, Cause.STALE_DATE, f"the answer begins later than the record ({_span(record)})"
            return
    years = [d for d in said if _IN_YEAR.search(d.before) and d.end - d.start > 300 * _DAY]
    if (
        record.valid_from is not None
        and years
        and all(d.end <= start or end <= d.start for d in years)
        and len(years) == len(said)
    ):
        yield (
            "answer",
            record.answer,
            Cause.STALE_DATE,
            f"the answer speaks of another year than the record holds ({_span(record)})",
        )


def _of_place(record: Record, readers: Readers, kin: Kin) -> Iterator[_Fault]:
    """Yield faults of place: what question and answer name, against the record's jurisdiction."""
    if note := readers.contradicts(record):
        yield "question", record.question, Cause.WRONG_JURISDICTION, note
        return
    here = record.jurisdiction
    asked = {code for _, codes in readers.places(" ".join((record.question, *record.names()))) for code in codes}
    named = [
        (words, codes)
        for words, codes in readers.places(record.answer)
        if not any(fold(words) in fold(name) for name in record.names())
    ]
    if not named or any(code in asked for _, codes in named for code in codes):
        return
    inside = [codes for _, codes in named if any(readers.covers(here, code) or readers.covers(code, here) for code in codes)]
    words, codes = named[0]
    likened = len(kin.of(record)[0].places if kin.of(record) else ()) > 1
    if not inside and here != GLOBAL and (likened or _set_in(record, words)):
        yield (
            "answer",
            record.answer,
            Cause.WRONG_JURISDICTION,
            f"the answer speaks of {words} ({', '.join(codes)}), the record is for {here}",
        )
    elif (
        not asked
        and len({codes for _, codes in named}) == 1
        and here not in codes
        and not any(readers.covers(code, here) for code in codes)
    ):
        narrower = {p for family in kin.of(record)[:1] for p in family.places if p != here and readers.covers(here, p)}
        if (
            here == GLOBAL
            and len(narrower) < 2
            and _is_kind(record)
            and _set_in(record, words)
            and not readers.dates(record.answer)
        ):
            yield (
                "answer",
                record.answer,
                Cause.WRONG_JURISDICTION,
                f"the answer speaks of {words} alone, the record is for everywhere",
            )
        if len(narrower) > 1:
            yield (
                "answer",
                record.answer,
                Cause.WRONG_JURISDICTION,
                f"the answer speaks of {words} alone, the record is for {here}; its like stand for {len(narrower)} places each on its own",
            )


def _set_in(record: Record, place: str) -> bool:
    """Return whether an answer is set in a place ("In Florida shops may ...") that it does not give as its answer."""
    if any(fold(place) in fold(text) for text in (*record.targets(), record.prior)):
        return False
    return (
        re.search(rf"{_SET}{re.escape(place)}\b", record.answer, re.IGNORECASE) is not None
        or re.match(rf"(?:\w+ )?{re.escape(place)}\s+(?!{_PEOPLE})[^\W\dA-Z]", record.answer) is not None
    )


def _is_kind(record: Record) -> bool:
    """Return whether a record is about a kind of thing, not one thing with a name: rules for kinds differ from place to place."""
    return record.subject[:1].islower() and record.language[:2] != "de"


def _of_rival(record: Record, rival: Rival, readers: Readers) -> Finding:
    other = rival.other.record
    if rival.same_answer:
        cause, note = Cause.DUPLICATE, f"{other.id} says the same: {cut(rival.about, 90)!r}"
    else:
        cause = contradiction(record, other, rival.about)
        if cause in (Cause.CONTRADICTION, Cause.STALE_DATE) and (strange := _strange_code(record, readers)):
            cause, note = (
                Cause.WRONG_JURISDICTION,
                f"its id speaks of {strange}, and {other.id} says something else for {record.jurisdiction}",
            )
        else:
            note = f"{other.id} says something else: {cut(rival.about, 90)!r}"
    theirs = Side(record=rival.other.name, text=cut(other.answer))
    return Finding(
        Kind.CONFLICT, "", passed=False, cause=cause, question=cut(rival.about, 200), jurisdiction=record.jurisdiction, made="speaks of the same",
        expected="one record for one fact", note=note, other=other.id, before=theirs, after=Side(record=record.id, text=cut(record.answer)),
    )  # fmt: skip


def _strange_code(record: Record, readers: Readers) -> str:
    """Return the code of another place that stands in a record's id; empty where there is none."""
    codes = [part for part in _SEGMENT.split(record.id) if readers.is_code(part)]
    here = record.jurisdiction
    return next((c for c in codes if not readers.covers(here, c) and not readers.covers(c, here)), "") if codes else ""


def _stated(record: Record, wanted: Sequence[Quantity], said: Sequence[Quantity]) -> bool:
    """Return whether the answer states a target: its words, or all its values."""
    answer = fold(record.answer)
    if not fold(record.target) or any(_within(fold(target), answer) for target in record.targets()):
        return True
    if wanted and all(any(q.kind == w.kind and q.readings & w.readings for q in said) for w in wanted):
        return True
    words = [word for word in fold(record.target).split() if len(word) > 3]
    return bool(words) and sum(word[:5] in answer for word in words) >= max(1, round(0.6 * len(words))) and not wanted


def _within(part: str, whole: str) -> bool:
    """Return whether folded words stand in a folded text as words of their own; scripts without spaces have none."""
    at = whole.find(part) if part else -1
    while at >= 0:
        end = at + len(part)
        if _ends(whole[at - 1 : at], part[0]) and _ends(whole[end : end + 1], part[-1]):
            return True
        at = whole.find(part, at + 1)
    return False


def _ends(neighbour: str, edge: str) -> bool:
    return not neighbour.isalnum() or neighbour > _SPACELESS or edge > _SPACELESS


def _span(record: Record) -> str:
    return f"from {record.valid_from or 'ever'} until before {record.valid_to or 'further notice'}"
