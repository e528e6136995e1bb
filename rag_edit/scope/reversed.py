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
from dataclasses import dataclass
from typing import Final

from rag_edit.core.decision import Candidate, Decision, Form, Reason, Route, ScopeScore, Verdict
from rag_edit.core.record import Record, Serve
from rag_edit.scope import reversed_words as w
from rag_edit.scope.policies import Policy, object_all
from rag_edit.scope.precedence import MoreSpecific, prevail
from rag_edit.scope.reading import Reading
from rag_edit.scope.text import fold

TARGET: Final = "\u00a7"  # stands for the target among folded words
MAX_ALIKE: Final = 16  # records that one reversed question may be answered from; of more, the list says little
_OF_TARGET: Final = re.compile(r"^(?:(?:is|are|was|were)|.*\bas) (?P<noun>.+?) (?:of|for|to|in)$")
_MAX_KIND: Final = 4  # words of the kind of thing asked for: "which programming language"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as folded words, the target in one piece: what it opens with, what stands before the target, what after."""

    before: tuple[str, ...]
    after: tuple[str, ...]


def asks_reversed(text: str, record: Record) -> bool:
    """Return whether ``text`` asks of whom or what the record says its target; see the module."""
    relation, said = _relation(record), f" {fold(text)} "
    sides = [side for side in _sides(record) if len(relation) > 1 and f" {' '.join(relation)} " in said]
    for target in (*_targets(record), *sides) if relation else ():
        besides = said.replace(f" {target} ", f" {TARGET} ")  # "the Constitution of Italy" names its country itself
        asked = None if any(f" {fold(name)} " in besides for name in record.names()) else _take_apart(text, target)
        if asked is None or not _is_of_kind(asked, record):
            continue
        if any(_asks(asked, relation, frozenset(target.split())) for relation in _alternatives(record)):
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
            relations.add(_relation(record))
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


def _relation(record: Record) -> tuple[str, ...]:
    """Return the folded words of the relation, a place left for the subject dropped."""
    return tuple(fold(record.relation.replace("{}", " ").replace("_", " ")).split()) if record.subject.strip() else ()


def _alternatives(record: Record) -> list[tuple[str, ...]]:
    """Return the relation, and each of its parts where it names several ("director / manager")."""
    parts = record.relation.replace("{}", " ").replace("_", " ").split("/")
    return list(dict.fromkeys(words for part in ("/".join(parts), *parts) if (words := tuple(fold(part).split()))))


def _targets(record: Record) -> list[str]:
    """Return the folded targets that can name a thing: no numbers, no yes or no, no sentences."""
    given = [fold(text) for text in (record.target, *record.target_aliases)]
    return [t for t in given if len(t) > 1 and any(c.isalpha() for c in t) and len(t.split()) <= 12 and t not in w.NO_THING]


def _sides(record: Record) -> list[str]:
    """Return the targets that name a side: a thing only beside the relation's own words ("the driving side is the right")."""
    return [side for side in map(fold, (record.target, *record.target_aliases)) if side in w.SIDES]


def _take_apart(text: str, target: str) -> _Asked | None:
    """Return the question with its opening and kind cut off; None where it does not ask for a thing, or not of the target once."""
    padded = f" {fold(text)} "
    plural = next((f for f in (target, f"{target}s", target.removesuffix("s")) if f" {f} " in padded), None)
    if plural is None or padded.count(f" {plural} ") != 1:
        return None
    words = padded.replace(f" {plural} ", f" {TARGET} ").split()
    if words[0] in w.PREPOSITIONS:
        words = [*words[1:], words[0]] if words[0] in ("of", "for") else words[1:]  # "of which country is T the capital"
    if not words or words[0] not in w.ASKS_THING:
        return None
    if words[0] == "whose":
        words.insert(1, "s")
    at = words.index(TARGET)
    return _Asked(tuple(words[1:at]), tuple(words[at + 1 :]))


def _asks(asked: _Asked, relation: tuple[str, ...], target: frozenset[str]) -> bool:
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
    at = _kind(asked.before)
    kind, before = asked.before[:at], asked.before[at:]
    while before and before[-1] in w.ARTICLES:
        before = before[:-1]
    spoken = [*before, *asked.after]
    if kind and kind == _of_what(relation) and all(word in w.FILLERS for word in spoken):
        return True  # "which creative work is a song", of the form of a creative work
    if said not in w.SYMMETRIC and kind and (_cognate(kind[-1], relation[-1]) or (kind[-1], "of") == relation[:2]):
        return False  # "which genre is T" asks for the genre
    by_converse = any(word in converse for word in spoken)
    if not by_converse and not _said(weighty, spoken, kind, target):
        return False
    own = converse | frozenset(relation)
    if any(word not in w.FILLERS and word not in own and not any(_cognate(each, word) for each in weighty) for word in spoken):
        return False
    return said in w.SYMMETRIC or _directed(before, asked.after, relation, by_converse=by_converse)


def _asks_of_kind(asked: _Asked, record: Record) -> bool:
    """Return whether a thing is asked for, of a kind that the record's names say, that has to do with the target in whatever way.

    "Which fountain is an example of public art?" needs no word of the relation where the record is of a fountain.
    """
    at = _kind(asked.before)
    kind, before = asked.before[:at], asked.before[at:]
    while before and before[-1] in w.ARTICLES:
        before = before[:-1]
    if not kind or any(_cognate(kind[-1], word) for word in _relation(record)) or not _is_loose(before, asked.after):
        return False
    names = {word for name in record.names() for word in fold(name).split()}
    return kind[-1] in names or any(
        min(len(word), len(kind[-1])) >= w.LEAST_KIND and _cognate(kind[-1], word) for word in names
    )


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
        return any(_cognate(each, word) for word in words)

    if all(within(spoken, each) for each in weighty):
        return True
    if not all(within((*spoken, *kind, *target), each) for each in weighty):
        return False
    outside = any(within(spoken, each) for each in weighty)
    named = any(within(kind, each) for each in weighty) and any(word in w.PREPOSITIONS for word in spoken)
    return len(weighty) > 1 and (outside or named)


def _is_of_kind(asked: _Asked, record: Record) -> bool:
    """Return whether the record may be of the kind asked for: what lies in one place is of every kind, so there the record must say it."""
    kind = asked.before[: _kind(asked.before)]
    if not kind and _relation(record) == ("country",):
        return False  # a song and a volcano have a country alike
    if not kind or not {"located", "location", "continent", "country"} & set(_relation(record)):
        return True
    if kind[-1] in w.ANY_KIND:
        return _relation(record) != ("country",)
    said = fold(" ".join((*record.names(), *record.questions(), record.topic.replace(".", " ")))).split()
    return any(_cognate(kind[-1], word) for word in said)


def _placed(relation: tuple[str, ...]) -> bool:
    """Return whether a relation is a participle with its preposition: "made from material", "located on street"."""
    return len(relation) > 1 and relation[1] in w.PREPOSITIONS - {"by", "of"} and relation[0].endswith(("ed", "de", "en"))


def _kind(before: tuple[str, ...]) -> int:
    """Return how many words name the kind of thing asked for: those before the first verb."""
    for at, word in enumerate(before[: _MAX_KIND + 1]):
        if word in w.PREPOSITIONS and word != "of":
            return 0
        if word in w.AUXILIARIES or word == "s" or (at and word.endswith(("s", "ed")) and word not in w.PLURALS):
            return at
    return 0


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


def _cognate(left: str, right: str) -> bool:
    """Return whether two words are forms of one: "creator" and "created", "practiced" and "practice"."""
    if left == right:
        return True
    shorter = min(len(left), len(right))
    if shorter < 3:
        return False
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), shorter)
    return same >= max(3, shorter - 3) and same >= max(len(left), len(right)) - 5 and (same > 3 or shorter <= 4)
