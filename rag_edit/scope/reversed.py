"""Reversed questions: those that name what a record says and ask whom it says it of ("What was created by Bernini?"). Pure.

A reversed question is recognised by rule, not by likeness, because direction is what a sentence encoder does not see: "Who is the
father of T?" and "Whose father is T?" read alike and are different facts. All of this must hold: the question names the
record's target whole and none of its subject's names; it says the record's relation, by its own words or by a known converse
("son" for *father*, "born" for *place of birth*); the words stand in the order that asks for the subject; and nothing else of weight is
said, but for the kind of thing asked for ("which memorial"). English only; whatever is not plain is left to the base model: a
wrong override is worse than a miss.

Of the target it uses that it is named. The forward decision never sees it, and comes first: see docs/adr/0013.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rag_edit.core.decision import Candidate, Decision, Form, Reason, Route, ScopeScore, Verdict
from rag_edit.core.record import Record, Serve
from rag_edit.scope import reversed_words as w
from rag_edit.scope.policies import Policy, object_all
from rag_edit.scope.precedence import MoreSpecific, prevail
from rag_edit.scope.reading import Reading
from rag_edit.scope.reversed_reading import (
    TARGET,
    Asked,
    alternatives,
    kind_length,
    relation_words,
    sides,
    take_apart,
    targets,
)
from rag_edit.scope.text import cognate, fold

MAX_ALIKE: Final = 16  # records that one reversed question may be answered from; of more, the list says little
_OF_TARGET: Final = re.compile(r"^(?:(?:is|are|was|were)|.*\bas) (?P<noun>.+?) (?:of|for|to|in)$")


def asks_reversed(text: str, record: Record) -> bool:
    """Return whether ``text`` asks of whom or what the record says its target; see the module."""
    relation, said = relation_words(record), f" {fold(text)} "
    aside = [side for side in sides(record) if len(relation) > 1 and f" {' '.join(relation)} " in said]
    for target in (*targets(record), *aside) if relation else ():
        besides = said.replace(f" {target} ", f" {TARGET} ")  # "the Constitution of Italy" names its country itself
        asked = None if any(f" {fold(name)} " in besides for name in record.names()) else take_apart(text, target)
        if asked is None or not _is_of_kind(asked, record):
            continue
        if any(_asks(asked, relation, frozenset(target.split())) for relation in alternatives(record)):
            return True
        if _asks_of_kind(asked, record):
            return True
    return False


def may_be_reversed(reading: Reading) -> bool:
    """Return whether a question has a form in which one asks so."""
    asks = reading.form.form in (Form.OPEN, Form.CLOZE) or (reading.form.form is Form.DOUBT and reading.follows is not None)
    return asks and bool(reading.text) and not reading.form.negated


def decide_reversed(
    reading: Reading, candidates: Sequence[Candidate], *, policies: Sequence[Policy], more_specific: MoreSpecific
) -> Decision | None:
    """Return the decision that records answer a reversed question; None where none does for sure.

    Args:
        reading: The question; the forward decision has left it to the base model.
        candidates: Records whose target the question names.
        policies: Vetoes, as for the forward decision.
        more_specific: Strict partial order of jurisdictions on the day asked about.

    One record a subject: precedence chooses it, a conflict leaves the question to the base model. The winner is the first by id; the
    others, which say the same of other subjects, stand in the trace as `Reason.SAME_ANSWER`.
    """
    groups: dict[str, list[Candidate]] = {}
    relations = set()
    for candidate in candidates:
        record = candidate.version.record
        if record.serve is Serve.VERBATIM:
            continue  # its answer as written would not answer this
        if asks_reversed(reading.text, record) and object_all(policies, reading, candidate) is None:
            groups.setdefault(fold(record.subject), []).append(candidate)
            relations.add(relation_words(record))
    if not 0 < len(groups) <= MAX_ALIKE or len(relations) > 1:
        return None
    standing = []
    for group in groups.values():
        outcome = prevail([candidate.version for candidate in group], more_specific)
        if outcome.reason is Reason.CONFLICT:
            return None
        name = outcome.standing[0].name
        standing.append(next(candidate for candidate in group if candidate.version.name == name))
    standing.sort(key=lambda candidate: candidate.version.record.id)
    sure = ScopeScore(1.0, {"reversed": 1.0})
    first, *others = standing
    note = "names what the record says, and asks of whom"
    verdicts = [Verdict(first, sure, Reason.IN_SCOPE, note), *(Verdict(c, sure, Reason.SAME_ANSWER, note) for c in others)]
    return Decision(Route.OVERRIDE, Reason.IN_SCOPE, first.version, 1.0, tuple(verdicts), form=Form.REVERSED)


def _asks(asked: Asked, relation: tuple[str, ...], target: frozenset[str]) -> bool:
    """Return whether the words say the relation in the direction that asks for its subject.

    Args:
        asked: The question.
        relation: Its words.
        target: Words of the target: it may say part of the relation itself ("part of the Eastern Range").
    """
    said = " ".join(relation)
    placed = _placed(relation)
    weighty = [relation[0]] if placed else [word for word in relation if word not in w.FILLERS] or list(relation)
    converse = w.CONVERSES.get(said, frozenset())
    at = kind_length(asked.before)
    kind, before = asked.before[:at], asked.before[at:]
    while before and before[-1] in w.ARTICLES:
        before = before[:-1]
    spoken = [*before, *asked.after]
    if kind and kind == _of_what(relation) and all(word in w.FILLERS for word in spoken):
        return True  # "which creative work is a song", of the form of a creative work
    if said not in w.SYMMETRIC and kind and (cognate(kind[-1], relation[-1]) or (kind[-1], "of") == relation[:2]):
        return False  # "which genre is T" asks for the genre
    by_converse = any(word in converse for word in spoken)
    if not by_converse and not _said(weighty, spoken, kind, target):
        return False
    own = converse | frozenset(relation)
    if any(word not in w.FILLERS and word not in own and not any(cognate(each, word) for each in weighty) for word in spoken):
        return False
    return said in w.SYMMETRIC or _directed(before, asked.after, relation, by_converse=by_converse)


def _asks_of_kind(asked: Asked, record: Record) -> bool:
    """Return whether a thing is asked for, of a kind that the record's names say, that has to do with the target in whatever way.

    "Which fountain is an example of public art?" needs no word of the relation where the record is of a fountain.
    """
    at = kind_length(asked.before)
    kind, before = asked.before[:at], asked.before[at:]
    while before and before[-1] in w.ARTICLES:
        before = before[:-1]
    if not kind or any(cognate(kind[-1], word) for word in relation_words(record)) or not _is_loose(before, asked.after):
        return False
    names = {word for name in record.names() for word in fold(name).split()}
    return kind[-1] in names or any(min(len(word), len(kind[-1])) >= w.LEAST_KIND and cognate(kind[-1], word) for word in names)


def _is_loose(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Return whether words tie what is asked for to the target without saying how: "is associated with", "is part of"."""
    if len(before) < 2 or before[0] in w.DO or not all(word in w.FILLERS for word in (*before, *after)):
        return False
    return before[-1] in w.LOOSE or (before[-1] in ("of", "to", "by") and any(word in w.TIES for word in before))


def _of_what(relation: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a relation says that it is of, where that is a kind of thing: "language of" work or name."""
    of = relation[relation.index("of") + 1 :] if "of" in relation else ()
    return of if len(of) > 1 else ()


def _said(weighty: Sequence[str], spoken: Sequence[str], kind: Sequence[str], target: frozenset[str]) -> bool:
    """Return whether a relation's weighty words are said; of several, some may stand in the kind asked for or in the target."""

    def within(words: Iterable[str], each: str) -> bool:
        return any(cognate(each, word) for word in words)

    if all(within(spoken, each) for each in weighty):
        return True
    if not all(within((*spoken, *kind, *target), each) for each in weighty):
        return False
    outside = any(within(spoken, each) for each in weighty)
    named = any(within(kind, each) for each in weighty) and any(word in w.PREPOSITIONS for word in spoken)
    return len(weighty) > 1 and (outside or named)


def _is_of_kind(asked: Asked, record: Record) -> bool:
    """Return whether the record may be of the kind asked for: what lies in one place is of every kind, so there the record must say it."""
    kind = asked.before[: kind_length(asked.before)]
    if not kind and relation_words(record) == ("country",):
        return False  # a song and a volcano have a country alike
    if not kind or not {"located", "location", "continent", "country"} & set(relation_words(record)):
        return True
    if kind[-1] in w.ANY_KIND:
        return relation_words(record) != ("country",)
    said = fold(" ".join((*record.names(), *record.questions(), record.topic.replace(".", " ")))).split()
    return any(cognate(kind[-1], word) for word in said)


def _placed(relation: tuple[str, ...]) -> bool:
    """Return whether a relation is a participle with its preposition: "made from material", "located on street"."""
    return len(relation) > 1 and relation[1] in w.PREPOSITIONS - {"by", "of"} and relation[0].endswith(("ed", "de", "en"))


def _directed(before: tuple[str, ...], after: tuple[str, ...], relation: tuple[str, ...], *, by_converse: bool) -> bool:
    """Return whether the order of the words asks for the relation's subject.

    Args:
        before: What is said before the target, the kind of thing asked for and articles at the target left out.
        after: What is said behind it.
        relation: Its words.
        by_converse: The relation is said by a word that turns it round.
    """
    passive, active = relation[-1] == "by", relation[0].endswith("s") and relation[0] not in w.NOUNS_IN_S | {"has"}
    agent = any(word.endswith(("er", "or", "ist", "ant")) for word in relation if len(word) > 4 and word not in w.NO_AGENTS)
    if after[:1] == ("s",) or not before or (before[0] in w.DO and not after):  # "T's genre" is asked of T
        return False
    if before[-1] in w.DO and len(after) == 1 and after[0] in w.ACTS and not active:  # "what does T sponsor"
        return after[0] != "cause" or relation[0] == "has"
    if after and before[-1] in w.AUXILIARIES:  # "what does T practise", "who is T the father of", "which has T as its genre"
        if after[0] in ("as", "by"):
            return before[-1] not in w.DO
        if before[-1] in w.BE and after[0] in w.ARTICLES and after[-1] in ("of", "for"):
            return not passive and not active and "part" not in after
        if before[-1] in w.BE and not after[-1].endswith("ing"):
            return False
        return (passive or agent) and "by" not in after and relation[-1] not in after
    if before[0] in w.DO:
        return False
    named = None if _placed(relation) else _OF_TARGET.match(" ".join(word for word in before if word not in w.ARTICLES))
    if named is not None and set(named["noun"].split()) <= set(relation):  # "what is the genre of T" is asked of T
        return f"{named['noun']} of" in " ".join(relation)  # but "who is a member of T" is not
    if by_converse:
        return not agent or before[-1] == "by" or (before[0] in w.BE and before[-1] == "of")
    if (passive or agent) and before[-1] != "by":  # "who practises T" is asked of T; "which has T as its developer" is not
        return relation[-1] in (*before[:-1], *after) and (before[-1] in w.BE or after[:1] == ("as",))
    if relation[0] == "has" and before[0] not in w.AUXILIARIES:  # "what caused T" asks for T's cause
        return False
    if active:
        return not (before[-1] == "by" or (before[0] in w.BE and any(word.endswith("ed") for word in before)))
    return not (_placed(relation) and before[1:2] == ("the",))
