"""Statements in free text: sentences, clauses, and whether words are said, denied, guessed or told as the past. Pure.

It reads by cue words (`rag_edit.answer.check_words`), clause by clause; it does not parse.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.answer import check_words as w
from rag_edit.answer import normalise as n

_WINDOW: Final = 300  # characters on either side that can turn a mention round


@dataclass(frozen=True, slots=True)
class Mention:
    """A name or value in one sentence.

    Attributes:
        sentence: The sentence it stands in.
        start: Where it begins in the sentence.
        end: Where it ends.
        index: The sentence's place in the text.
        is_value: Whether it is a number, a date or a time.
    """

    sentence: str
    start: int
    end: int
    index: int
    is_value: bool = False

    @property
    def words(self) -> str:
        """Return the words mentioned."""
        return self.sentence[self.start : self.end]

    @property
    def before(self) -> str:
        """Return the words before it in its sentence, as far as they matter."""
        return self.sentence[max(0, self.start - _WINDOW) : self.start]

    @property
    def after(self) -> str:
        """Return the words after it in its sentence, as far as they matter."""
        return self.sentence[self.end : self.end + _WINDOW]

    def clause_before(self) -> str:
        """Return the words before it since the last clause began."""
        before = self.before
        starts = [match.end() for match in w.CLAUSE.finditer(before)]
        return before[starts[-1] :] if starts else before

    def clause_after(self) -> str:
        """Return the words after it until the next clause begins."""
        after = self.after
        match = w.CLAUSE.search(after)
        return after[: match.start()] if match else after


def sentences(body: str) -> list[str]:
    """Return the sentences of a plain text; an abbreviation, an initial or the day of a date ends none."""
    parts: list[str] = []
    for part in w.SENTENCE.split(body):
        joined = f"{parts[-1]} {part}" if parts else part
        if parts and (w.ABBREVIATED.search(parts[-1]) or _cuts_a_date(parts[-1], joined)):
            parts[-1] = joined
        elif part.strip():
            parts.append(part.strip())
    return parts


def is_denied(mention: Mention) -> bool:
    """Return whether the text says that it is not so."""
    return bool(w.DENIED_BEFORE.search(mention.clause_before()) or w.DENIED_AFTER.search(mention.after))


def is_past(mention: Mention, body: str) -> bool:
    """Return whether a mention tells what used to be; "was" alone does so only where the text also tells what is now."""
    before, after = mention.clause_before(), mention.clause_after()
    if mention.is_value and w.MOVED.search(before):
        return True
    if w.WAS_BEFORE.search(before) and w.NOW.search(body):
        return True
    return bool(w.PAST_BEFORE.search(before) or w.PAST_AFTER.search(after) or w.GONE_AFTER.search(mention.after))


def turned_round(mention: Mention, within: Sequence[str], own: str) -> str:
    """Return how a mention is not a statement; empty when it is one.

    Args:
        mention: Where a target stands.
        within: The sentences of the text.
        own: The record's own words, case-folded: a guessing word among them (``may``) is none.
    """
    before, after = mention.clause_before(), mention.after
    if is_denied(mention):
        return f"denied: {_shown(mention)}"
    later = within[mention.index + 1] if mention.index + 1 < len(within) else ""
    if w.RECANTED.search(later) or w.RECANTED.search(after):
        return f"taken back: {_shown(mention)}"
    if mention.sentence.rstrip("\"' )").endswith("?"):
        return f"only asked about: {_shown(mention)}"
    ended = w.WAS_BEFORE.search(before) and w.UNTIL_AFTER.search(after) and not w.WAS_BEFORE.search(own)
    if ended or w.PAST_STRONG.search(before) or w.GONE_AFTER.search(after):
        return f"told as the past: {_shown(mention)}"
    if mention.is_value and _is_inexact(mention, own):
        return f"only a bound or a part of a range: {_shown(mention)}"
    hedges = (match.group().casefold() for match in w.HEDGED_BEFORE.finditer(mention.before) if match.group() != "May")
    guessed = any(not re.search(rf"\b{re.escape(hedge)}\b", own) for hedge in hedges)
    if guessed or w.HEDGED_AFTER.search(after) or w.IGNORANT.search(mention.sentence):
        return f"only guessed: {_shown(mention)}"
    return ""


def _is_inexact(mention: Mention, own: str) -> bool:
    """Return whether a value is a bound ("less than") or the end of a range, which the record does not say itself."""
    before = mention.before
    bound = w.INEXACT_BEFORE.search(before)
    if bound and bound.group().strip().casefold() not in own:
        return True
    ranged = w.RANGED_BEFORE.search(before)
    return bool(ranged and not w.MOVED.search(before[: ranged.start()]))


def _cuts_a_date(first: str, joined: str) -> bool:
    return first[-2:-1].isdigit() and any(v.kind == "date" and v.start < len(first) < v.end for v in n.values(joined))


def _shown(mention: Mention) -> str:
    start, end = max(0, mention.start - 30), min(len(mention.sentence), mention.end + 30)
    return repr(mention.sentence[start:end])
