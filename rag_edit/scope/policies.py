"""Vetoes: small policies that put a candidate out of scope whatever its score. Pure.

A policy takes the reading of a question and a candidate, and returns None (no objection) or an `Objection` with its
reason and a sentence. `object_all` asks each in order; an empty list of policies is refused, since it would admit all.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from rag_edit.core.decision import Candidate, Form, Reason
from rag_edit.core.record import Record
from rag_edit.scope.dates import DateMention, may_name_a_day, read_dates
from rag_edit.scope.examples import asked_kinds
from rag_edit.scope.language import guess_language
from rag_edit.scope.mentions import find_mention, read_name
from rag_edit.scope.places import PlaceMention
from rag_edit.scope.reading import Reading
from rag_edit.scope.text import cognate, fold, numbers

_OR: Final = re.compile(r",?\s+(?:or|oder|ou|o)\s+(?:the\s+)?", re.IGNORECASE)
_RELATIVE: Final = re.compile(
    r"\b(?:who|whom|whose|that|which|qui|que|dont|quien|cuy[oa]|che|cui|cuj[oa])\b|,\s+(?:der|die|das|den|dem|dessen|deren)\b",
    re.IGNORECASE,
)
_CLAUSE: Final = re.compile(  # an article or "which", at most three words, what is described, and the pronoun of its clause
    r"\b(?:the|an?|this|which|what|der|die|das|dem|den|des|welche[rsnm]?|le|la|l'|les|un|une|quel(?:le)?s?|el|los|las|una|il|lo|qual|quale|o|a|os|as)\s+"
    r"(?:[^\W\d_]+\s+){0,3}?(?P<head>[^\W\d_]{3,})(?:\s+(?:who|whom|whose|that|which|qui|dont|quien|cuy[oa]|che|cui|cuj[oa])\s+"
    r"|,\s+(?:der|die|das|den|dem|dessen|deren|who|whose)\s+)",
    re.IGNORECASE,
)
_NAMED: Final = 0.5  # share of a name's weighty words that must stand in the question

Covers = Callable[[str, str], bool]
ReadPlaces = Callable[[str], Sequence[PlaceMention]]


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a candidate is out of scope: the reason and one sentence of explanation."""

    reason: Reason
    note: str


Policy = Callable[[Reading, Candidate], Objection | None]


def object_all(policies: Sequence[Policy], reading: Reading, candidate: Candidate) -> Objection | None:
    """Return the first objection of ``policies``, None where there is none.

    Raises:
        ValueError: no policies: use `no_policy` to mean that.
    """
    if not policies:
        raise ValueError("an empty list of policies admits everything; name no_policy if that is meant")
    return next((found for policy in policies if (found := policy(reading, candidate)) is not None), None)


def no_policy(_reading: Reading, _candidate: Candidate) -> Objection | None:
    """Object to nothing. For baselines and tests."""
    return None


def holds_on_the_day(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object when the fact does not hold on the day asked about: a date named in the question, else the query's ``as_of``."""
    record = candidate.version.record
    start, end, named = asked_days(reading)
    if _holds(record, start, end):
        return None
    if named and _stands_in(named, record.names()):
        # a name may have a year in it: then another date of the question counts, or else the day of asking
        start, end, named = asked_days(reading, record.names())
        if _holds(record, start, end):
            return None
    spoken = f"the question names {named}" if named else f"asked as of {start}"
    span = f"the record holds {_span(record)}"
    if named:
        return Objection(Reason.OTHER_DATE, f"{spoken}, {span}")
    early = record.valid_from is not None and start < record.valid_from
    return Objection(Reason.NOT_YET_VALID if early else Reason.EXPIRED, f"{spoken}, {span}")


def _holds(record: Record, start: date, end: date) -> bool:
    return (record.valid_from is None or record.valid_from < end) and (record.valid_to is None or start < record.valid_to)


def _stands_in(words: str, names: Sequence[str]) -> bool:
    return any(f" {fold(words)} " in f" {fold(name)} " for name in names)


def asked_days(reading: Reading, names: Sequence[str] = ()) -> tuple[date, date, str]:
    """Return the half-open interval of days asked about, and its words where the question names it; dates in ``names`` do not count."""
    for mention in reading.dates:
        words = reading.text[mention.start : mention.end]
        if (days := mention.days()) is not None and not _stands_in(words, names):
            return *days, words
    for time in reading.times:
        if time.days is not None:
            return *time.days, reading.text[time.start : time.end]
    as_of = reading.query.as_of
    return as_of, as_of + timedelta(days=1) if as_of < date.max else as_of, ""


def asks_of_no_vague_time(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object to a record of a place or a period when the question asks of a past or future that it does not date.

    "What did people pay with before the euro?" does not ask what they pay with today. A record that says the same words is about that
    time itself; one of GLOBAL without bounds is about a thing, not a state of affairs, and the scorer alone compares the two.
    """
    record = candidate.version.record
    if record.jurisdiction == _GLOBAL and record.valid_from is None and record.valid_to is None:
        return None
    own = f" {' '.join(fold(text) for text in (*record.questions(), *record.names()))} "
    for time in reading.times:
        words = reading.text[time.start : time.end]
        if time.days is None and f" {fold(words)} " not in own:
            return Objection(Reason.OTHER_DATE, f"the question asks of another time: {words!r}")
    return None


def names_the_same_day(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object when question and record both name a day of the year, or a year, and none agrees."""
    record = candidate.version.record
    asked = {m.month_day for m in reading.dates if m.month_day}
    if asked:
        known = {m.month_day for q in (*record.questions(), *record.names()) for m in _dates(q) if m.month_day}
        if known and asked.isdisjoint(known):
            return Objection(Reason.OTHER_DATE, f"the question names {_days(asked)}, the record {_days(known)}")
    years = {m.year for m in reading.dates if m.year}
    by_question = [{m.year for m in _dates(q) if m.year} for q in record.questions()]
    known_years = {year for found in by_question for year in found}
    if years and all(by_question) and years.isdisjoint(known_years):
        return Objection(Reason.OTHER_DATE, f"the question names {_list(years)}, the record {_list(known_years)}")
    return None


def names_its_day(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object when a record is about one day of the year, and the question names neither a day nor what that day is called.

    A record whose wordings do without the day may be asked without it.
    """
    record = candidate.version.record
    day = _whole_day(record.subject)
    if day is None or may_name_a_day(reading.text) or any(time.days is not None for time in reading.times):
        return None
    called = [name for name in record.names() if _whole_day(name) is None]
    if any(_is_named(reading.text, name) for name in called):
        return None
    if any(not _dates(text) and not any(_is_named(text, name) for name in called) for text in record.questions()):
        return None
    return Objection(Reason.OTHER_DATE, f"the record is about {record.subject}, the question names no day")


@lru_cache(maxsize=4096)
def _whole_day(name: str) -> tuple[int, int] | None:
    """Return the month and day that a name is, and nothing else."""
    mentions = read_dates(name)
    if len(mentions) != 1 or fold(name[: mentions[0].start] + name[mentions[0].end :]):
        return None
    return mentions[0].month_day


def names_the_same_numbers(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object when question and record both carry numbers as part of what is asked, and none agrees.

    Dates are left to the other policies. A number in a yes/no question or in a doubt may be a proposed answer.
    """
    if reading.form.form in (Form.YES_NO, Form.NEGATED, Form.DOUBT, Form.CHOICE) or not reading.numbers:
        return None
    asked = reading.numbers - _date_numbers(reading.text, reading.dates)
    record = candidate.version.record
    known = [numbers(q) - _date_numbers(q, _dates(q)) for q in record.questions()]
    if asked and known and all(known) and asked.isdisjoint(frozenset.union(*known)):
        return Objection(Reason.OTHER_NUMBER, f"the question names {_list(asked)}, the record {_list(frozenset.union(*known))}")
    return None


def names_both(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object when a record sets two names against each other ("Who was born first, A or B?") and the question lacks one of them."""
    pairs = [pair for question in candidate.version.record.questions() if (pair := _either(question))]
    if len(pairs) < len(candidate.version.record.questions()):
        return None  # it is asked without the two as well
    if any(all(_is_named(reading.text, name) for name in pair) for pair in pairs):
        return None
    left, right = pairs[0]
    return Objection(Reason.OTHER_SUBJECT, f"the record sets {left!r} against {right!r}, the question does not name both")


def asks_of_what_is_described(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object when a record without a subject asks of something that a name only describes, and the question asks of the name.

    "In which year was the king who made the 1925 Birthday Honours born?" is about a king: what it says is true of the Honours by no
    reading. A question that describes something too, or names what is described, is the scorer's to judge.
    """
    record = candidate.version.record
    if record.names():
        return None
    described = [found for question in record.questions() if (found := _described(question))]
    if not described or len(described) < len(record.questions()) or _RELATIVE.search(reading.text):
        return None
    if any(f" {fold(head)} " in f" {fold(reading.text)} " for head, _ in described):
        return None
    head, name = described[0]
    return Objection(Reason.OTHER_SUBJECT, f"the record asks of a {head} that {name!r} only describes, the question names none")


@lru_cache(maxsize=4096)
def _described(question: str) -> tuple[str, str] | None:
    """Return what a question asks of and the name in the clause that describes it; None where its name stands outside of one."""
    name, clause = read_name(question), _CLAUSE.search(question)
    if not name or clause is None or question.find(name) < clause.end():
        return None
    return clause["head"], name


def _is_named(text: str, name: str) -> bool:
    found = find_mention(text, (name,))
    return found is not None and found.cover >= _NAMED


@lru_cache(maxsize=4096)
def _either(question: str) -> tuple[str, str] | None:
    """Return the two names with an "or" between them."""
    for match in _OR.finditer(question):
        before, after = question[: match.start()], question[match.end() :]
        left, right = read_name(before), read_name(after)
        if left and right and before.rstrip().endswith(left) and after.startswith(right):
            return left, right
    return None


def asks_for_no_other_kind(reading: Reading, candidate: Candidate) -> Objection | None:
    """Object when the question wants an example of a kind ("What is a common symptom of measles?") of which the record does not speak.

    Words are compared within a language: a record that has no wording in the question's is the scorer's to judge.
    """
    kinds = asked_kinds(reading.text)
    if not kinds:
        return None
    record = candidate.version.record
    texts = [text for text in record.questions() if guess_language(text) in (None, reading.language)]
    said = fold(" ".join((*texts, *record.names(), record.relation))).split()
    if not texts or any(cognate(kind, word) for kind in kinds for word in said):
        return None
    return Objection(
        Reason.OTHER_SUBJECT, f"the question asks for an example ({', '.join(kinds)}), of which the record does not speak"
    )


def names_no_other_place(covers: Covers, read_places: ReadPlaces) -> Policy:
    """Return the policy that objects when the question names a place that the record does not speak for.

    A place is the record's when the record's jurisdiction covers it, or when the record's own question or subject names
    it. A place inside the record's subject or alias is part of a name, not a location; one that may be a name is let pass. Records of ``GLOBAL`` speak for
    every place: there the scorer alone compares subjects. Of a region that the deployment does not see, the law of the whole country is not
    said to be the last word: the region's own records, which might go before, are not among the candidates.

    Args:
        covers: ``covers(jurisdiction, place)``: the place is the jurisdiction or lies below it, on the day asked about.
        read_places: Reader of places, for the record's own texts.
    """

    def policy(reading: Reading, candidate: Candidate) -> Objection | None:
        record = candidate.version.record
        if record.jurisdiction == _GLOBAL or not reading.places:
            return None
        own = {code for text in (record.question, *record.names()) for m in read_places(text) for code in m.jurisdictions}
        named = " ".join(fold(name) for name in record.names())
        for mention in reading.places:
            codes = [str(code) for code in mention.jurisdictions] if mention.certain else []
            home = str(reading.query.jurisdiction)
            spoken_for = [code for code in codes if covers(record.jurisdiction, code)]
            if not codes or any(not _is_hidden(covers, home, code) for code in spoken_for) or not own.isdisjoint(codes):
                continue
            if fold(mention.text) and fold(mention.text) in named:
                continue
            return Objection(
                Reason.OTHER_PLACE,
                f"the question names {mention.text} ({', '.join(codes)}), the record is for {record.jurisdiction}",
            )
        return None

    return policy


_GLOBAL: Final = "GLOBAL"


def standing_policies(covers: Covers, read_places: ReadPlaces) -> tuple[Policy, ...]:
    """Return the vetoes that every question is held against, in their order.

    Args:
        covers: Whether a jurisdiction holds in a place, on the day asked about.
        read_places: Reader of places.
    """
    return (
        holds_on_the_day,
        asks_of_no_vague_time,
        names_the_same_day,
        names_its_day,
        names_the_same_numbers,
        names_both,
        asks_of_what_is_described,
        asks_for_no_other_kind,
        names_no_other_place(covers, read_places),
    )


def _is_hidden(covers: Covers, home: str, code: str) -> bool:
    """Return whether ``code`` is a region whose own records a deployment at ``home`` does not see, and may not be above or below it."""
    return "-" in code and not covers(code, home) and not covers(home, code)


def _dates(text: str) -> tuple[DateMention, ...]:
    return read_dates(text)


def _date_numbers(text: str, mentions: Sequence[DateMention]) -> frozenset[str]:
    return frozenset(n for m in mentions for n in numbers(text[m.start : m.end]))


def _span(record: Record) -> str:
    return f"from {record.valid_from or 'ever'} until before {record.valid_to or 'further notice'}"


def _days(days: set[tuple[int, int]]) -> str:
    return ", ".join(f"{month:02d}-{day:02d}" for month, day in sorted(days))


def _list(values: set[int] | frozenset[str]) -> str:
    return ", ".join(map(str, sorted(values, key=str)))
