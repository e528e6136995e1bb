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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.answer import check_words as w
from rag_edit.answer import normalise as n
from rag_edit.answer.statements import Mention, is_denied, is_past, sentences, turned_round
from rag_edit.core.record import Record

MAX_CHARS: Final = 8_000  # no answer is longer; a record's texts have the same limit
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


def check(text: str, record: Record, *, language: str = "") -> CheckResult:
    """Return whether ``text`` answers as ``record`` does.

    Args:
        text: The answer to check, free text.
        record: Its targets, prior and own words are read.
        language: BCP 47 hint for the numbers of ``text``; without it ``1,234`` may mean either.
    """
    if text == record.answer:
        return CheckResult(ok=True, states_target=True, states_prior=False)
    return _Check(n.plain(text[:MAX_CHARS]), record, language).result()


class _Check:
    """One text held against one record."""

    def __init__(self, body: str, record: Record, language: str) -> None:
        """Split the text; ``language`` is the text's, the record's own words have the record's."""
        self.body, self.record, self.language, self.home = body, record, language, record.language
        self.sentences = sentences(body)
        self.said = [n.words(sentence) for sentence in self.sentences]
        self.there = [n.values(sentence, language) for sentence in self.sentences]
        self.targets = [n.plain(target) for target in record.targets()]
        self.prior = n.plain(record.prior)

    def result(self) -> CheckResult:
        """Return the verdict: the first fault found says why."""
        asserted, faults = self._stated()
        prior = self._stated_prior()
        if not asserted:
            why = faults[0] if faults else f"the target {self.targets[0]!r} is not stated"
        elif faults:
            why = faults[0]
        elif prior:
            why = f"the prior {prior!r} is stated"
        else:
            why = self._rival(asserted)
        return CheckResult(not why, bool(asserted), bool(prior), why)

    def _stated(self) -> tuple[list[Mention], list[str]]:
        """Return the mentions that state a target, and why others turn it round."""
        truth = w.truth_of(self.targets)
        if truth is not None:
            return self._yes_or_no(truth=truth)
        mentions = [mention for target in self.targets for mention in self._mentions(target)]
        if not mentions and all(len(n.words(target)) > _LONG_TARGET for target in self.targets):
            return self._says_as_much()
        longer = (
            [self.prior]
            if any(len(t) < len(self.prior) and n.find_phrase(t, self.prior, self.home) for t in self.targets)
            else []
        )
        mentions = _outside(
            mentions, [m for name in (*longer, *self._names_holding(self.targets)) for m in self._mentions(name)]
        )
        own = f"{self.record.question} {self.record.answer}".casefold()
        mentions = [mention for mention in mentions if not self._is_larger(mention)]
        asserted, faults = [], []
        for mention in mentions:
            fault = turned_round(mention, self.sentences, own)
            if fault:
                faults.append(fault)
            else:
                asserted.append(mention)
        if asserted:  # "not English" beside "English" contradicts; a question or a guess beside it does not
            faults = [fault for fault in faults if fault.startswith(("denied", "taken back"))]
        return asserted, [f"the target is {fault}" for fault in faults]

    def _mentions(self, wanted: str) -> list[Mention]:
        """Return where a name or a value of the record stands."""
        as_values, name = n.only_values(wanted, self.home), n.without_article(n.words(wanted))
        found: list[Mention] = []
        for index, (sentence, said, there) in enumerate(zip(self.sentences, self.said, self.there, strict=True)):
            if not as_values:
                found += [Mention(sentence, start, end, index) for start, end in n.find_words(name, said, self.home)]
            elif all(any(n.same_value(value, other) for other in there) for value in as_values):
                hits = [other for other in there if any(n.same_value(value, other) for value in as_values)]
                found += [Mention(sentence, hit.start, hit.end, index, is_value=True) for hit in hits]
        return found

    def _is_larger(self, mention: Mention) -> bool:
        """Return whether a name goes on after the mention ("Danube Canal" of "Danube"). German capitals tell nothing."""
        following = w.LARGER_AFTER.match(mention.sentence[mention.end :])
        if not following or mention.is_value or not mention.words[:1].isupper() or self.home[:2] == "de":
            return False
        held = {
            key for text in (self.record.answer, self.record.question) for word in n.words(n.plain(text)) for key in word.keys
        }
        return following["word"] not in w.GENERIC and n.fold(following["word"]) not in held

    def _names_holding(self, wanted: Sequence[str]) -> list[str]:
        """Return the subject's names that hold one of ``wanted`` within them ("University of Oxford" of "Oxford")."""
        names = [n.plain(name) for name in self.record.names()]
        return [
            name for name in names if any(len(name) > len(each) and n.find_phrase(each, name, self.home) for each in wanted)
        ]

    def _stated_prior(self) -> str:
        """Return the prior as it is stated; empty where it is not, is denied, or is told as the past.

        A prior inside a longer target or inside the subject's name ("English" of "Stewart English") is no mention of it.
        """
        if (
            not self.prior
            or w.truth_of([self.prior]) is not None
            or self.prior.casefold() in {t.casefold() for t in self.targets}
        ):
            return ""
        inner = [m for target in (*self.targets, *self._names_holding([self.prior])) for m in self._mentions(target)]
        inner = [m for m in inner if len(m.words) > len(self.prior) or not n.find_phrase(self.prior, m.words, self.home)]
        stated = [
            m for m in _outside(self._mentions(self.prior), inner, same=True) if not is_denied(m) and not is_past(m, self.body)
        ]
        return stated[0].words if stated else ""

    def _rival(self, asserted: Sequence[Mention]) -> str:
        """Return what a stating sentence adds that contradicts the target; empty without."""
        record = self.record
        own = [
            record.answer,
            record.question,
            record.subject,
            record.relation,
            record.rationale,
            *self.targets,
            *record.paraphrases,
        ]
        own = [n.plain(text) for text in own]
        wanted = [value for target in self.targets for value in n.values(target, self.home)]
        wanted += [
            value for m in asserted if m.is_value for value in n.values(m.words, self.language)
        ]  # "seats" of a bare number
        known = [value for text in own for value in n.values(text, self.home)] if wanted else []
        prior = n.values(self.prior, self.home)
        stating = {mention.index for mention in asserted}
        turned = {i + 1 for i in stating if i + 1 < len(self.sentences) and w.TURNED.search(self.sentences[i + 1])}
        for index in sorted(stating | turned):
            for value in self.there[index]:
                mention = Mention(self.sentences[index], value.start, value.end, index, is_value=True)
                rivals = any(n.same_kind(value, each) for each in wanted)
                judged = any(n.same_value(each, value) for each in (*known, *prior))  # the prior is judged by itself
                if rivals and not judged and not is_denied(mention) and not is_past(mention, self.body):
                    return f"another value stands beside the target: {mention.words!r}"
        held = {key for text in own for word in n.words(text) for key in word.keys}
        joined = next((other for mention in asserted if not mention.is_value and (other := _joined(mention, held))), "")
        return f"another answer is joined to the target: {joined!r}" if joined else ""

    def _yes_or_no(self, *, truth: bool) -> tuple[list[Mention], list[str]]:
        """Return the text as a mention when its first word says ``truth``, and what speaks against it."""
        whole = [Mention(self.body, 0, len(self.body), 0)]
        if n.find_phrase(n.plain(self.record.answer).rstrip(".!"), self.body, self.home):
            return whole, []
        found = n.words(self.body)
        right, wrong = (w.YES, w.NO) if truth else (w.NO, w.YES)
        if not found or not found[0].keys & right:
            return [], [f"the answer does not begin with {'yes' if truth else 'no'}"]
        if any(word.keys & wrong and not word.keys & right and w.ANSWER_ENDS.match(self.body, word.end) for word in found):
            return [], ["both yes and no are said"]
        return whole, []

    def _says_as_much(self) -> tuple[list[Mention], list[str]]:
        """Return the text as a mention when it gives back a sentence-like target: all values, most words, as many denials."""
        said, there = n.words(self.body), n.values(self.body, self.language)
        for target in self.targets:
            wanted = [word for word in n.words(target) if any(len(key) > 3 for key in word.keys)]
            recall = sum(any(n.same_word(word, other, self.home) for other in said) for word in wanted) / max(1, len(wanted))
            complete = all(any(n.same_value(value, other) for other in there) for value in n.values(target, self.home))
            denials = len(w.DENIED_BEFORE.findall(self.body)) == len(w.DENIED_BEFORE.findall(target))
            if recall >= _LEAST_RECALL and complete and denials:
                return [Mention(self.body, 0, len(self.body), 0)], []
        return [], []


def _outside(mentions: Iterable[Mention], others: Iterable[Mention], *, same: bool = False) -> list[Mention]:
    """Return the mentions that do not lie inside a longer one of ``others``; with ``same``, one as long hides them, too."""
    spans = [(o.index, o.start, o.end) for o in others]
    return [
        m
        for m in mentions
        if not any(i == m.index and s <= m.start and m.end <= e and (same or e - s > m.end - m.start) for i, s, e in spans)
    ]


def _joined(mention: Mention, held: set[str]) -> str:
    """Return the other answer that is joined to a target by "or" or "and"; empty without.

    Args:
        mention: A stated target.
        held: Folded words that the record itself holds; they are no rivals.
    """
    after, before = mention.after, mention.before
    if w.SLASHED.match(after):
        return after.strip(" /")[:40]
    proper = mention.words[:1].isupper()
    following = w.JOINED_AFTER.match(after)
    if following and not w.CONTRAST_FOLLOWS.match(following["other"]):
        other, first = following["other"], n.words(following["other"])[:1]
        ends = following["after"] != " " or len(other.split()) <= 2
        rival = following["or"] or (ends and (not proper or other[:1].isupper()))
        if first and not first[0].keys & held and rival:
            return other
    leading = w.JOINED_BEFORE.search(before)
    if leading:
        other, last = leading["other"], n.words(leading["other"])[-1:]
        rival = leading["or"] or (proper and other[:1].isupper() and not before[: leading.start()].strip())
        if last and not last[0].keys & held and rival:
            return other
    return ""
