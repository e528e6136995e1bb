"""The answer-side guard: does an answer that no record gave state a live record's prior as fact? Pure, no model.

Two steps, with the scope decision between them. `suspects` reads the answer clause by clause: a clause that names a record's subject and
states its prior (not denied, not asked, guessed or told as the past) is cut where the prior stands, and what is left is a question: "The
mother tongue of Danielle Darrieux is French" asks "The mother tongue of Danielle Darrieux is". Whether that question is in the record's scope
is for the same decision that routes questions, so that the guard has no notion of its own of what a record is about. A prior that only describes
another word ("a French actress") states nothing. `corrected` then puts the target in the prior's place and cites the record;
where the sentence would not hold even so, the record's own words stand in its place. All else stays byte for byte.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rag_edit.answer import check_words as w
from rag_edit.answer import normalise as n
from rag_edit.answer.check import check
from rag_edit.answer.function_words import STOP
from rag_edit.answer.render_texts import say
from rag_edit.answer.statements import Mention, turned_round
from rag_edit.core.decision import Answer, Decision, Query
from rag_edit.core.record import Record, RecordVersion

MAX_CHARS: Final = 8_000  # no answer is longer
MAX_SUSPECTS: Final = 16  # each costs a decision
_LEAST_WORDS: Final = 2  # of a question made of a clause, its subject's own words apart
_PRONOUN: Final = re.compile(
    r"^(?:and |und |et |y )?(?P<it>he|she|it|they|his|her|its|their|er|sie|es|sein|seine|ihr|ihre|il|elle|son|sa|su)\b",
    re.IGNORECASE,
)
_OWNING: Final = frozenset("his her its their sein seine ihr ihre son sa su".split())
_ENDS: Final = re.compile(r"[\s.!?,;:\"'”»)\]]*$")

Deciding = Callable[[Sequence[Query]], Sequence[Decision]]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A clause that may state what a live record says otherwise.

    Attributes:
        version: The record.
        start, end: The sentence, in the answer as written.
        prior: The prior as the sentence spells it.
        asked: The question that the clause answers.
    """

    version: RecordVersion
    start: int
    end: int
    prior: str
    asked: str


@dataclass(frozen=True, slots=True)
class Guarded:
    """An answer after the guard.

    Attributes:
        text: What is served.
        by: The records that corrected a sentence, in order.
    """

    text: str
    by: tuple[RecordVersion, ...] = ()


def suspects(question: str, text: str, records: Sequence[RecordVersion]) -> list[Suspect]:
    """Return the clauses of an answer whose scope has to be decided.

    Args:
        question: What was asked: a pronoun in the answer may stand for a subject that it, or the sentence before, names.
        text: The answer, which no record gave.
        records: Live records whose subject the question or the answer names.
    """
    found = []
    before = ""
    for start, end in _sentences(text[:MAX_CHARS]):
        asked, sentence = f"{n.plain(question)} {before}", n.plain(text[start:end])
        before = sentence
        for version in records:
            record = version.record
            if not _has_prior(record) or not check(sentence, record).states_prior:
                continue
            for mention in _stated(sentence, record):
                probe = _asked(mention, record, asked)
                if probe:
                    found.append(Suspect(version, start, end, mention.words, probe))
                    break
    return found[:MAX_SUSPECTS]


def corrected(text: str, confirmed: Sequence[Suspect]) -> Guarded:
    """Return the answer with every confirmed sentence corrected; the text itself where none was confirmed.

    Args:
        text: The answer that `suspects` read.
        confirmed: Those of its suspects that the scope decision gave to their own record.
    """
    out, by = text, []
    first = {each.start: each for each in reversed(confirmed)}  # one record a sentence: the first
    for start in sorted(first, reverse=True):
        each = first[start]
        out = out[: each.start] + _said_right(text[each.start : each.end], each) + out[each.end :]
        by.append(each.version)
    return Guarded(out, tuple(reversed(by)))


def correct_answers(
    asked: Sequence[tuple[Query, Answer]], named: Sequence[Sequence[RecordVersion]], decide: Deciding
) -> dict[int, Answer]:
    """Return the answers of the base model that state a live record's prior, corrected, by their place.

    Args:
        asked: Questions and what the base model said to them.
        named: Of each, the live records whose subject question or answer names.
        decide: Routes questions; a clause is corrected only where it puts the clause in the record's scope.
    """
    found = [(i, each) for i, (query, answer) in enumerate(asked) for each in suspects(query.question, answer.text, named[i])]
    given = decide([replace(asked[i][0], question=each.asked, messages=()) for i, each in found]) if found else ()
    confirmed: dict[int, list[Suspect]] = {}
    for (i, each), decision in zip(found, given, strict=True):
        if decision.winner is not None and decision.winner.name == each.version.name:
            confirmed.setdefault(i, []).append(each)
    out = {}
    for i, several in confirmed.items():
        said = corrected(asked[i][1].text, several)
        by = tuple(dict.fromkeys(version.name for version in said.by))
        note = f"the model's words corrected by {', '.join(by)}"
        out[i] = replace(asked[i][1], text=said.text, rung="guarded", checked=True, note=note, rests_on=by)
    return out


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the sentences of a text stand as written; an abbreviation ends none."""
    start = 0
    for gap in [*w.SENTENCE.finditer(text), None]:
        end = gap.start() if gap is not None else len(text)
        if gap is not None and "\n" not in gap.group() and w.ABBREVIATED.search(text[start:end]):
            continue
        lead = len(text[start:end]) - len(text[start:end].lstrip())
        if text[start:end].strip():
            yield start + lead, start + len(text[start:end].rstrip())
        start = gap.end() if gap is not None else end


def _has_prior(record: Record) -> bool:
    """Return whether a record names something that is no longer so, and that words can state."""
    prior = n.plain(record.prior)
    same = {n.fold(target) for target in record.targets()}
    return bool(prior and record.subject.strip()) and w.truth_of([prior]) is None and n.fold(prior) not in same


def _stated(sentence: str, record: Record) -> Iterator[Mention]:
    """Yield where a sentence states a record's prior as a fact."""
    prior = n.plain(record.prior)
    wanted = n.only_values(prior, record.language)
    if wanted:
        there = [v for v in n.values(sentence) if any(n.same_value(value, v) for value in wanted)]
        spans = [(value.start, value.end) for value in there]
    else:
        spans = n.find_phrase(prior, sentence, record.language)
    own = f"{record.question} {record.prior}".casefold()
    for start, end in spans:
        mention = Mention(sentence, start, end, 0, is_value=bool(wanted))
        if not turned_round(mention, [sentence], own) and not _describes(mention):
            yield mention


def _describes(mention: Mention) -> bool:
    """Return whether the prior only describes what stands behind it: "a French actress" says an actress."""
    following = re.match(r"[ -]([^\W\d_]+)", mention.after)
    return following is not None and not mention.is_value and n.fold(following[1]) not in STOP


def _asked(mention: Mention, record: Record, question: str) -> str:
    """Return the question that the clause with the prior answers; empty where it names no subject or says nothing of it."""
    for before, after in (
        (mention.clause_before().strip(), mention.clause_after().strip()),
        (mention.before.strip(), mention.clause_after().strip()),
    ):
        rest = _ENDS.sub("", after)
        if not _ENDS.sub("", before):
            text = f"What {rest}?" if rest else ""
        elif rest and _names(rest, record):
            text = f"{before} what {rest}?"
        else:
            text = before
        text = _named(text, record, question)
        if text and len(n.words(text)) >= len(n.words(n.plain(record.subject))) + _LEAST_WORDS:
            return text
    return ""


def _named(text: str, record: Record, question: str) -> str:
    """Return a text that names the record's subject, a leading pronoun put into words where the question names it; else empty."""
    if not text or _names(text, record):
        return text
    pronoun = _PRONOUN.match(text)
    if pronoun is None or not _names(question, record):
        return ""
    name = f"{record.subject}'s" if pronoun["it"].casefold() in _OWNING else record.subject
    return f"{name}{text[pronoun.end() :]}"


def _names(text: str, record: Record) -> bool:
    return any(n.find_phrase(n.plain(name), text, record.language) for name in record.names())


def _said_right(sentence: str, suspect: Suspect) -> str:
    """Return a sentence with the target in the prior's place, or the record's own words; the record cited."""
    record = suspect.version.record
    tail = _ENDS.search(sentence)
    at = tail.start() if tail is not None else len(sentence)
    place = sentence.casefold().find(suspect.prior.casefold())
    body, stop = sentence[:at], sentence[at:]
    if place >= 0 and place + len(suspect.prior) <= at:
        put = f"{body[:place]}{record.targets()[0]}{body[place + len(suspect.prior) :]}"
        if check(n.plain(put), record).ok:
            return f"{put} {_cited(record)}{stop}"
    answer = record.answer.rstrip()
    own = _ENDS.search(answer)
    cut = own.start() if own is not None else len(answer)
    return f"{answer[:cut]} {_cited(record)}{answer[cut:] or '.'}"


def _cited(record: Record) -> str:
    source = f": {record.source}" if record.source else ""
    return f"({say('cited', record.language, id=record.id)}{source})"
