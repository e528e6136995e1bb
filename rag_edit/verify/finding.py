"""What verification asks, what came out and what that says: the values that its steps hand on.

Trial (a question with what must hold of it) -> Ran (what a deployment did) -> Finding (both texts, passed or not, and the cause).
Values only; `rag_edit.verify.trials` makes trials, `rag_edit.verify.judge` and `rag_edit.verify.inspect` make findings.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self

from rag_edit.core.decision import Message, Reason, Route
from rag_edit.core.digest import Json, digest_json
from rag_edit.core.record import Record, RecordVersion

_MARKS: Final = re.compile(r"[^\w%$€£¥°]+|_")
MAX_TEXT: Final = 600  # of an answer in a finding; the record itself keeps the whole


class Kind(StrEnum):
    """The property that a finding speaks of."""

    FIELDS = "fields"
    """What a record's fields say of one another, and beside its kin."""
    INSTRUCTION = "instruction"
    """Text in a field that speaks to the model, and what an answer does with it."""
    CONFLICT = "conflict"
    """Another record says something else of the same, or the same twice."""
    EFFICACY = "efficacy"
    """The record's own question gives its answer."""
    PARAPHRASE = "paraphrase"
    """So do other wordings: given, wrapped, under another name, by the model, by the user."""
    NEIGHBOUR = "neighbour"
    """Questions of the nearest other records are answered as before."""
    NAMESAKE = "namesake"
    """The same question about a thing with nearly the same name is not answered by the record."""
    JURISDICTION = "jurisdiction"
    """The same question in sibling and parent jurisdictions is answered as before."""
    LANGUAGE = "language"
    """The same question in other languages gives the same record."""
    PORTABILITY = "portability"
    """What follows in one step, where records connect."""
    RESTORING = "restoring"
    """Attempts to get the old answer back."""
    ADAPTER = "adapter"
    """How far a record's adapter moves the model: its norm, its perplexity on plain text, a fixed set of canaries."""


HIJACK: Final = "hijack"
"""A property that is no kind of its own: of all trials that belong to other records, how many the record under test does not win."""
OF_OTHERS: Final = frozenset({Kind.NEIGHBOUR, Kind.JURISDICTION})  # a name made up for a trial is nobody's


class Cause(StrEnum):
    """Why a finding failed."""

    NONE = ""
    WRONG_JURISDICTION = "wrong jurisdiction"
    OVER_BROAD = "over-broad wording"
    NAMESAKE = "colliding namesake"
    NEAR_NAME = "answers for a nearly equal name"
    STALE_DATE = "stale date"
    PRIOR_AS_TARGET = "prior as target"
    INSTRUCTION = "injected instruction"
    LINK = "foreign link"
    WRONG_UNIT = "wrong unit"
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    TARGET_NOT_STATED = "target not in the answer"
    HIGHER_LAW = "outranked by binding law"
    UNREACHABLE = "does not reach"
    OLD_ANSWER = "old answer restored"
    TEXT = "answer does not hold"
    ADAPTER_NORM = "adapter too large"
    MODEL_MOVED = "model moved elsewhere"
    CHANGED = "changed elsewhere"


class Want(StrEnum):
    """What must hold of a trial."""

    RECORD = "record"
    """The record ``expected`` answers, or one that says the same."""
    KEEP = "keep"
    """It is answered as before the change."""
    AWAY = "away"
    """The record under test does not answer."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One question with what must hold of it.

    Attributes:
        kind: The property.
        of: Id of the record under test.
        question, jurisdiction, as_of, messages: What is asked, where, when, after which turns.
        want: What must hold.
        expected: Id of the record that answers, where one is known.
        made: How it was made, in a few words: "given", "template", "shares a name", "doubt", ...
        said: Words that the answer must hold; empty where the record's target decides.
    """

    kind: Kind
    of: str
    question: str
    jurisdiction: str
    as_of: date
    want: Want
    expected: str = ""
    made: str = "given"
    messages: tuple[Message, ...] = ()
    said: str = ""

    @property
    def key(self) -> str:
        """Return a short name by which a run that was cut off finds it again."""
        turns: list[Json] = [[m.role, m.content] for m in self.messages]
        plain: list[Json] = [self.kind, self.of, self.question, self.jurisdiction, self.as_of.isoformat(), self.want, self.made]
        return digest_json([*plain, self.expected, self.said, turns])[7:31]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a deployment did with a trial.

    Attributes:
        route, reason: Of the decision.
        winner: The record that answered; None where none did.
        score: The winner's scope score, or the best one's.
        contenders: Names of records that contradict one another.
        text: What was served; empty where nobody was asked to write it.
        rung: How the text was made.
        own_reason, own_note: The fate of the record under test; empty where it was no candidate.
        same_fact: Whether the winner is about the very fact of the record under test.
        same_answer: Whether it says the same, and stands beside it.
        holds: Whether the text states the winner's target; None where there is nothing to check.
        why: Why it does not.
        other: A record that contradicts, or comes above the cut beside, the record under test.
        ceded: Of a side before the change: whether the winner answered the record's own question, too.
    """

    route: Route
    reason: Reason
    winner: RecordVersion | None = None
    score: float = 0.0
    contenders: tuple[str, ...] = ()
    text: str = ""
    rung: str = ""
    own_reason: str = ""
    own_note: str = ""
    same_fact: bool = False
    same_answer: bool = False
    holds: bool | None = None
    why: str = ""
    other: RecordVersion | None = None
    ceded: bool = False

    @property
    def record(self) -> str:
        """Return the id of the record that answered; empty where none did."""
        return self.winner.record.id if self.winner else ""

    def side(self) -> "Side":
        """Return it as a finding keeps it."""
        name = self.winner.name if self.winner else ""
        return Side(str(self.route), str(self.reason), name, cut(self.text), self.rung)


@dataclass(frozen=True, slots=True)
class Side:
    """Before or after, as a finding keeps it: route, reason, ``id@version``, text and how it was made."""

    route: str = ""
    reason: str = ""
    record: str = ""
    text: str = ""
    rung: str = ""

    def __str__(self) -> str:
        who = self.record or self.route or "nobody"
        return f"{who}: {self.text!r}" if self.text else who

    def to_json(self) -> dict[str, Json]:
        """Return plain values."""
        return {"route": self.route, "reason": self.reason, "record": self.record, "text": self.text, "rung": self.rung}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one trial, or one look at a record's fields, says.

    Attributes:
        kind: The property.
        record: ``id@version`` under test.
        passed: Whether what must hold does.
        cause: Why not.
        question, jurisdiction, as_of, made: The trial; of a look at fields the field's text and name.
        expected: What must hold, in words.
        note: What was found, in one sentence.
        other: Id of the other record concerned.
        before, after: Both answers.
        topic, place: Of the record under test: by these a policy finds its rule.
        key: The trial's.
    """

    kind: Kind
    record: str
    passed: bool
    cause: Cause = Cause.NONE
    question: str = ""
    jurisdiction: str = ""
    as_of: str = ""
    made: str = ""
    expected: str = ""
    note: str = ""
    other: str = ""
    before: Side = Side()
    after: Side = Side()
    topic: str = ""
    place: str = ""
    key: str = ""

    def __str__(self) -> str:
        """Return it for a refusal: record, probe, cause and both texts."""
        where = f" in {self.jurisdiction}" if self.jurisdiction else ""
        before = f"; before: {self.before}" if self.before != Side() else ""
        texts = f"{before}; after: {self.after}" if self.after != Side() else ""
        return f"{self.record}: {self.cause or 'passed'}: {self.note} [{self.kind}, {self.made}: {_short(self.question)}{where}]{texts}"

    @property
    def hijacks(self) -> bool:
        """Return whether the record under test answers what belongs to others."""
        return self.kind in OF_OTHERS and not self.passed and self.after.record.rpartition("@")[0] == self.record_id

    @property
    def record_id(self) -> str:
        """Return the record's id."""
        return self.record.rpartition("@")[0]

    def to_json(self) -> dict[str, Json]:
        """Return plain values; `from_json` reads them back."""
        plain: dict[str, Json] = {n: getattr(self, n) for n in self.__slots__ if n not in ("before", "after", "kind", "cause")}
        sides: dict[str, Json] = {"before": self.before.to_json(), "after": self.after.to_json()}
        return {"kind": str(self.kind), **plain, "cause": str(self.cause), **sides}

    @classmethod
    def from_json(cls, plain: Mapping[str, Json]) -> Self:
        """Return the finding that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: other values than it writes.
        """
        values: dict[str, object] = dict(plain)
        for name in ("before", "after"):
            values[name] = Side(**values[name])  # type: ignore[arg-type]
        values["kind"], values["cause"] = Kind(str(values["kind"])), Cause(str(values["cause"]))
        return cls(**values)  # type: ignore[arg-type]


def of_record(version: RecordVersion, finding: Finding) -> Finding:
    """Return the finding with what a policy reads of the record under test."""
    return replace(finding, record=version.name, topic=version.record.topic, place=version.record.jurisdiction)


@lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Return the form in which two names or values are the same: NFKC, letters and digits only, without case."""
    return " ".join(_MARKS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split())


def share_a_name(a: Record, b: Record) -> bool:
    """Return whether two records have a name in common."""
    return not {fold(n) for n in a.names()}.isdisjoint(fold(n) for n in b.names())


def cut(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text on one line, cut where it is very long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def _short(text: str) -> str:
    return repr(cut(text, 90))
