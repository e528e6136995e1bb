"""The answer check: is the record's target stated, its prior not, and nothing contradicting added? Pure, no model.

A text passes when
  (1) one of the record's targets stands in it as a statement: not denied, not as a question, a guess or hearsay, not as
      what used to be;
  (2) the record's prior does not, unless it is denied or told as the past ("not French but English");
  (3) the sentence that states the target adds no rival: another number, date or time of the same kind that the record
      does not hold, or another name joined to the target ("English or German").
It is strict on purpose: a right answer that fails is replaced by the record's own words, a wrong one that passes is served.
It reads words, not meaning; it does not know whether prose round the target is true.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.answer import check_words as w
from rag_edit.answer import normalise as n
from rag_edit.core.record import Record

MAX_CHARS: Final = 20_000
_LONG_TARGET: Final = 6  # words; longer targets are sentences, compared by what they say
_LEAST_RECALL: Final = 0.75  # share of a sentence-like target's words that must come back


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the check found.

    Attributes:
        ok: The text may be served as this record's answer.
        states_target: The target is stated.
        states_prior: The prior is stated.
        why: One sentence; empty when ok.
    """

    ok: bool
    states_target: bool
    states_prior: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Mention:
    """A name or value in one sentence, and the words round it."""

    sentence: str
    start: int
    end: int
    index: int

    @property
    def words(self) -> str:
        return self.sentence[self.start : self.end]

    def clause_before(self) -> str:
        """Return the words before it since the last clause began."""
        before = self.sentence[: self.start]
        starts = [match.end() for match in w.CLAUSE.finditer(before)]
        return before[starts[-1] :] if starts else before

    def clause_after(self) -> str:
        """Return the words after it until the next clause begins."""
        after = self.sentence[self.end :]
        match = w.CLAUSE.search(after)
        return after[: match.start()] if match else after


def check(text: str, record: Record, *, language: str = "") -> CheckResult:
    """Return whether ``text`` answers as ``record`` does.

    Args:
        text: The answer to check, free text.
        record: Its targets, prior and own words are read.
        language: BCP 47 hint for numbers and inflection; the record's own where empty.
    """
    if text == record.answer:
        return CheckResult(ok=True, states_target=True, states_prior=False)
    body = n.plain(text[:MAX_CHARS])
    sentences = _sentences(body)
    asserted, faults = _stated(sentences, record, language)
    priors = list(_prior_mentions(sentences, record, language))
    stated_priors = [mention for mention in priors if not _denied(mention) and not _past(mention, body)]
    prior = stated_priors[0].words if stated_priors else ""
    why = ""
    if not asserted:
        why = faults[0] if faults else f"the target {record.targets()[0]!r} is not stated"
    elif faults:
        why = faults[0]
    elif prior:
        why = f"the prior {prior!r} is stated"
    else:
        why = _rival(sentences, asserted, record, language)
    return CheckResult(not why, bool(asserted), bool(prior), why)


def _sentences(body: str) -> list[str]:
    """Return the sentences of a plain text; an abbreviation, an initial or the day of a date ends none."""
    parts: list[str] = []
    for part in w.SENTENCE.split(body):
        joined = f"{parts[-1]} {part}" if parts else part
        if parts and (w.ABBREVIATED.search(parts[-1]) or _cuts_a_date(parts[-1], joined)):
            parts[-1] = joined
        elif part.strip():
            parts.append(part.strip())
    return parts


def _cuts_a_date(first: str, joined: str) -> bool:
    return first[-2:-1].isdigit() and any(v.kind == "date" and v.start < len(first) < v.end for v in n.values(joined))


def _stated(sentences: Sequence[str], record: Record, language: str) -> tuple[list[_Mention], list[str]]:
    """Return the mentions that state a target, and why others turn it round."""
    targets = [n.plain(target) for target in record.targets()]
    truth = _truth(targets)
    if truth is not None:
        return _yes_or_no(sentences, truth, record, language)
    mentions: list[_Mention] = []
    for target in targets:
        mentions += _mentions(sentences, target, language)
    if not mentions and all(len(n.words(target)) > _LONG_TARGET for target in targets):
        return _says_as_much(sentences, targets, language)
    mentions = _outside(
        mentions, [*_longer_rivals(sentences, record, targets, language), *_names(sentences, record, targets, language)]
    )
    own = f"{record.question} {record.answer}".casefold()
    asserted, faults = [], []
    for mention in mentions:
        fault = _turned_round(mention, sentences, own)
        if fault:
            faults.append(fault)
        else:
            asserted.append(mention)
    if asserted:  # "not English" beside "English" contradicts; a question or a guess beside it does not
        faults = [fault for fault in faults if fault.startswith(("denied", "taken back"))]
    return asserted, [f"the target is {fault}" for fault in faults]


def _mentions(sentences: Sequence[str], wanted: str, language: str) -> list[_Mention]:
    """Return where a name or a value stands."""
    as_values = n.only_values(wanted, language)
    found: list[_Mention] = []
    for index, sentence in enumerate(sentences):
        if as_values:
            there = n.values(sentence, language)
            if all(any(n.same_value(value, other) for other in there) for value in as_values):
                hits = [other for other in there if any(n.same_value(value, other) for value in as_values)]
                found += [_Mention(sentence, hit.start, hit.end, index) for hit in hits]
        else:
            found += [_Mention(sentence, start, end, index) for start, end in n.find_phrase(wanted, sentence, language)]
    return found


def _turned_round(mention: _Mention, sentences: Sequence[str], own: str) -> str:
    """Return how a mention is not a statement; empty when it is one. A guessing word of the record's own (``may``) is none."""
    before, after = mention.clause_before(), mention.sentence[mention.end :]
    if _denied(mention):
        return f"denied: {_short(mention)}"
    later = sentences[mention.index + 1] if mention.index + 1 < len(sentences) else ""
    if w.RECANTED.search(later) or w.RECANTED.search(after):
        return f"taken back: {_short(mention)}"
    if mention.sentence.rstrip("\"' )").endswith("?"):
        return f"only asked about: {_short(mention)}"
    if w.PAST_STRONG.search(before) or w.GONE_AFTER.search(after):
        return f"told as the past: {_short(mention)}"
    hedges = (match.group().casefold() for match in w.HEDGED_BEFORE.finditer(mention.sentence[: mention.start]))
    if (
        any(not re.search(rf"\b{re.escape(hedge)}\b", own) for hedge in hedges)
        or w.HEDGED_AFTER.search(after)
        or w.IGNORANT.search(mention.sentence)
    ):
        return f"only guessed: {_short(mention)}"
    return ""


def _denied(mention: _Mention) -> bool:
    if w.DENIED_BEFORE.search(mention.clause_before()):
        return True
    return bool(w.DENIED_AFTER.search(mention.sentence[mention.end :]))


def _past(mention: _Mention, body: str) -> bool:
    """Return whether a mention tells what used to be; "was" alone does so only where the text also tells what is now."""
    before, after = mention.clause_before(), mention.clause_after()
    if w.WAS_BEFORE.search(before) and w.NOW.search(body):
        return True
    return bool(
        w.PAST_BEFORE.search(before) or w.PAST_AFTER.search(after) or w.GONE_AFTER.search(mention.sentence[mention.end :])
    )


def _prior_mentions(sentences: Sequence[str], record: Record, language: str) -> Iterator[_Mention]:
    """Yield where the prior stands by itself: not inside a target, and not in words that the record itself holds."""
    prior = n.plain(record.prior)
    targets = [n.plain(target) for target in record.targets()]
    if not prior or _truth([prior]) is not None or any(prior.casefold() == target.casefold() for target in targets):
        return
    inner = [mention for target in targets for mention in _mentions(sentences, target, language)]
    inner += _names(sentences, record, [prior], language)
    inner = [m for m in inner if len(m.words) > len(prior) or not n.find_phrase(prior, m.words, language)]
    yield from _outside(_mentions(sentences, prior, language), inner, strictly=True)


def _outside(mentions: Iterable[_Mention], others: Iterable[_Mention], *, strictly: bool = False) -> list[_Mention]:
    """Return the mentions that do not lie inside a longer one of ``others``."""
    spans = [(o.index, o.start, o.end) for o in others]
    return [
        m
        for m in mentions
        if not any(i == m.index and s <= m.start and m.end <= e and (strictly or e - s > m.end - m.start) for i, s, e in spans)
    ]


def _longer_rivals(sentences: Sequence[str], record: Record, targets: Sequence[str], language: str) -> list[_Mention]:
    """Return the mentions of a prior that is longer than the target within it ("New York" of "York")."""
    prior = n.plain(record.prior)
    if not prior or not any(n.find_phrase(target, prior, language) and len(target) < len(prior) for target in targets):
        return []
    return _mentions(sentences, prior, language)


def _names(sentences: Sequence[str], record: Record, of: Sequence[str], language: str) -> list[_Mention]:
    """Return the mentions of the subject that hold one of ``of`` within them ("University of Oxford" of "Oxford")."""
    names = [n.plain(name) for name in record.names()]
    names = [name for name in names if any(len(name) > len(each) and n.find_phrase(each, name, language) for each in of)]
    return [mention for name in names for mention in _mentions(sentences, name, language)]


def _rival(sentences: Sequence[str], asserted: Sequence[_Mention], record: Record, language: str) -> str:
    """Return what a stating sentence adds that contradicts the target; empty without."""
    own = [
        n.plain(t)
        for t in (
            record.answer,
            record.question,
            record.subject,
            record.relation,
            record.rationale,
            *record.targets(),
            *record.paraphrases,
        )
    ]
    known = [value for text in own for value in n.values(text, language)]
    wanted = [value for target in record.targets() for value in n.values(n.plain(target), language)]
    stating = {mention.index for mention in asserted}
    turned = {i + 1 for i in stating if i + 1 < len(sentences) and w.TURNED.search(sentences[i + 1])}
    for index in sorted(stating | turned):
        for value in n.values(sentences[index], language):
            mention = _Mention(sentences[index], value.start, value.end, index)
            rivals = any(n.same_kind(value, each) for each in wanted) and not any(n.same_value(value, each) for each in known)
            if (
                rivals
                and not _denied(mention)
                and not _past(mention, " ".join(sentences))
                and not _is_prior(mention, record, language)
            ):
                return f"another value stands beside the target: {mention.words!r}"
    for mention in asserted:
        other = _joined(mention, own)
        if other:
            return f"another answer is joined to the target: {other!r}"
    return ""


def _is_prior(mention: _Mention, record: Record, language: str) -> bool:
    """Return whether a value is the record's prior, which is judged by itself."""
    prior = n.values(n.plain(record.prior), language)
    return any(n.same_value(a, b) for a in prior for b in n.values(mention.words, language))


def _joined(mention: _Mention, own: Sequence[str]) -> str:
    """Return the other answer that is joined to a target by "or" or "and"; empty without."""
    after, before = mention.sentence[mention.end :], mention.sentence[: mention.start]
    following, leading = w.JOINED_AFTER.match(after), w.JOINED_BEFORE.search(before)
    if w.SLASHED.match(after):
        return after.strip(" /")[:40]
    held = {key for text in own for word in n.words(text) for key in word.keys}
    proper = mention.words[:1].isupper()
    if following and not w.CONTRAST_FOLLOWS.match(following["other"]):
        other = following["other"]
        choice = not after.lstrip(" ,").casefold().startswith(("and", "und", "et ", "y ", "&", "as well", "sowie"))
        ends = following["after"] != " " or len(other.split()) <= 2
        first = n.words(other)[:1]
        if first and not first[0].keys & held and (choice or (ends and (not proper or other[:1].isupper()))):
            return other
    if leading:
        other = leading["other"]
        choice = bool(re.search(r"(?:\bor|\boder|\bou|\bo|/)\s+\S*\s?$", before, re.IGNORECASE))
        first = n.words(other)[-1:]
        if (
            first
            and not first[0].keys & held
            and (choice or (proper and other[:1].isupper() and before[: leading.start()].strip() == ""))
        ):
            return other
    return ""


def _truth(targets: Sequence[str]) -> bool | None:
    """Return the truth that the targets say, where they say yes or no; else None."""
    said = {key for target in targets for word in n.words(target) for key in word.keys}
    if all(len(n.words(target)) == 1 for target in targets):
        if said and said <= w.YES:
            return True
        if said and said <= w.NO:
            return False
    return None


def _yes_or_no(sentences: Sequence[str], truth: bool, record: Record, language: str) -> tuple[list[_Mention], list[str]]:
    """Return the first word as a mention when it says ``truth``, and what speaks against it."""
    body = " ".join(sentences)
    if n.find_phrase(n.plain(record.answer).rstrip(".!"), body, language):
        return [_Mention(body, 0, len(body), 0)], []
    found = [word for word in n.words(body) if word.keys & (w.YES | w.NO)]
    first = n.words(body)[:1]
    right, wrong = (w.YES, w.NO) if truth else (w.NO, w.YES)
    if not first or not first[0].keys & right:
        return [], [f"the answer does not begin with {'yes' if truth else 'no'}"]
    if any(word.keys & wrong and not word.keys & right for word in found if _stands_alone(body, word)):
        return [], ["both yes and no are said"]
    return [_Mention(body, first[0].start, first[0].end, 0)], []


def _stands_alone(body: str, word: n.Word) -> bool:
    """Return whether a yes or no is an answer of its own, not part of "no problem" or "it is true that"."""
    return bool(re.match(r"\s*(?:[.,;!?]|$|and\b|or\b)", body[word.end :]))


def _says_as_much(sentences: Sequence[str], targets: Sequence[str], language: str) -> tuple[list[_Mention], list[str]]:
    """Return a text as one mention when it gives back a sentence-like target: all values, most words, as many denials."""
    body = " ".join(sentences)
    said, there = n.words(body), n.values(body, language)
    for target in targets:
        wanted = [word for word in n.words(target) if any(len(key) > 3 for key in word.keys)]
        recall = sum(any(n.same_word(word, other, language) for other in said) for word in wanted) / max(1, len(wanted))
        complete = all(any(n.same_value(value, other) for other in there) for value in n.values(target, language))
        if recall >= _LEAST_RECALL and complete and len(w.DENIED_BEFORE.findall(body)) == len(w.DENIED_BEFORE.findall(target)):
            return [_Mention(body, 0, len(body), 0)], []
    return [], []


def _short(mention: _Mention) -> str:
    start, end = max(0, mention.start - 30), min(len(mention.sentence), mention.end + 30)
    return repr(mention.sentence[start:end])
