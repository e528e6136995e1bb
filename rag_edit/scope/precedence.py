"""Precedence across a chain: which of several records about the same fact answers. Pure; a sceptical reading of law.

In order: an explicit derogation; binding higher law; the more specific jurisdiction; the newer of the same institution.
Where none of these decides and the answers differ, nobody wins: the caller abstains and cites both. The order in which
records were applied never counts, so the outcome is a function of the set of records.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from rag_edit.core.decision import Reason
from rag_edit.core.record import RecordVersion
from rag_edit.scope.text import fold

MoreSpecific = Callable[[str, str], bool]
Beats = Callable[[RecordVersion, RecordVersion], bool]


@dataclass(frozen=True, slots=True)
class Precedence:
    """The outcome among records about one fact.

    Attributes:
        standing: The records left: one winner, or several with different answers (a conflict).
        reason: The last rule that removed one; IN_SCOPE where there was nothing to remove; CONFLICT on a conflict.
        defeated: Name of each removed version, with the rule that removed it.
    """

    standing: tuple[RecordVersion, ...]
    reason: Reason
    defeated: tuple[tuple[str, Reason], ...] = ()


def prevail(versions: Sequence[RecordVersion], more_specific: MoreSpecific) -> Precedence:
    """Return which of ``versions`` (all in scope, valid, of one fact) answers.

    Args:
        versions: At least one. Their order does not matter.
        more_specific: Strict partial order of jurisdiction codes on the day asked about.
    """
    left = sorted(versions, key=lambda v: (v.record.id, v.version))
    reason, defeated = Reason.IN_SCOPE, list[tuple[str, Reason]]()
    for rule, made in RULES:
        beats = made(more_specific)
        beaten = [loser for loser in left if any(beats(other, loser) for other in left if other is not loser)]
        if beaten and len(beaten) < len(left):
            reason = rule
            defeated += [(loser.name, rule) for loser in beaten]
            left = [version for version in left if version not in beaten]
    if len(left) > 1:
        if len({said_by(version) for version in left}) > 1:
            return Precedence(tuple(left), Reason.CONFLICT, tuple(defeated))
        defeated += [(version.name, Reason.SAME_ANSWER) for version in left[1:]]
        reason = Reason.SAME_ANSWER if reason is Reason.IN_SCOPE else reason
    return Precedence((left[0],), reason, tuple(defeated))


def same_fact(a: RecordVersion, b: RecordVersion) -> bool:
    """Return whether two records are about one fact: a shared question, or the same subject and relation."""
    if a.record.id == b.record.id or b.record.id in a.record.derogates or a.record.id in b.record.derogates:
        return True
    if not {fold(q) for q in a.record.questions()}.isdisjoint(fold(q) for q in b.record.questions()):
        return True
    if not (a.record.relation and fold(a.record.relation) == fold(b.record.relation)):
        return False
    return not {fold(n) for n in a.record.names()}.isdisjoint(fold(n) for n in b.record.names())


def _derogates(a: RecordVersion, b: RecordVersion) -> bool:
    return b.record.id in a.record.derogates and a.record.id not in b.record.derogates


def _is_later_of_same_institution(a: RecordVersion, b: RecordVersion) -> bool:
    same = a.record.institution != "" and fold(a.record.institution) == fold(b.record.institution)
    return same and (a.record.valid_from or date.min) > (b.record.valid_from or date.min)


def said_by(version: RecordVersion) -> str:
    """Return what a version says, in the form in which two versions say the same."""
    return fold(version.record.target or version.record.answer)


RULES: Final[tuple[tuple[Reason, Callable[[MoreSpecific], Beats]], ...]] = (
    (Reason.DEROGATION, lambda _: _derogates),
    (Reason.LEX_SUPERIOR, lambda _: lambda a, b: a.record.binding and not b.record.binding),
    (
        Reason.LEX_SPECIALIS,
        lambda more_specific: lambda a, b: more_specific(a.record.jurisdiction, b.record.jurisdiction),
    ),
    (Reason.LEX_POSTERIOR, lambda _: _is_later_of_same_institution),
)
"""The rules in their order: each, given the order of jurisdictions, says whether the first of two records displaces the other."""
