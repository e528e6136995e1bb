"""A decision in words and numbers: what was read, what was searched, where the cut is, and how far each candidate came. Pure.

A candidate passes four gates: the score, the vetoes, the lead over other facts, precedence among records of its fact. The first that
it fails is where it lost; `gates` says which. Nothing is decided here, and nothing is known but what the decision's trace holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rag_edit.core.decision import Decision, Form, Reason, Route, Verdict
from rag_edit.scope.calibration import Thresholds
from rag_edit.scope.reading import Reading

PASSED: Final = "passed"
FAILED: Final = "failed"
NOT_ASKED: Final = "not asked"
_VETOES: Final = frozenset(
    {Reason.OTHER_PLACE, Reason.OTHER_DATE, Reason.OTHER_NUMBER, Reason.OTHER_SUBJECT, Reason.NOT_YET_VALID, Reason.EXPIRED}
)
GATES: Final = ("score", "vetoes", "lead", "precedence")
_FAILS_AT: Final[Mapping[Reason, int]] = MappingProxyType(
    {
        Reason.BELOW_THRESHOLD: 0,
        **dict.fromkeys(_VETOES, 1),
        Reason.SUSPENDED: 1,
        Reason.OUTSCORED: 2,
        Reason.MARGIN_TOO_SMALL: 2,
        Reason.OUTRANKED: 3,
        Reason.CONFLICT: 3,
    }
)
REASON_WORDS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.IN_SCOPE: "answers",
        Reason.DEROGATION: "answers: it derogates from the others expressly",
        Reason.LEX_SUPERIOR: "answers: binding law that no lower record displaces",
        Reason.LEX_SPECIALIS: "answers: the more specific jurisdiction",
        Reason.LEX_POSTERIOR: "answers: the later of one institution",
        Reason.SAME_ANSWER: "answers: all records of this fact say the same",
        Reason.NO_CANDIDATE: "nothing was found that is near the question",
        Reason.BELOW_THRESHOLD: "not in scope for sure",
        Reason.MARGIN_TOO_SMALL: "too close to another fact",
        Reason.OTHER_PLACE: "vetoed: another place is named",
        Reason.OTHER_DATE: "vetoed: another date is named",
        Reason.OTHER_NUMBER: "vetoed: another number is named",
        Reason.OTHER_SUBJECT: "vetoed: something else is asked about",
        Reason.NOT_YET_VALID: "vetoed: it does not hold yet",
        Reason.EXPIRED: "vetoed: it does not hold any more",
        Reason.NOTHING_ASKED: "nothing is asked",
        Reason.TOOLS_ASKED: "left to the base model: tools are offered",
        Reason.FORM_ASKED: "left to the base model: a form is asked for that records do not have",
        Reason.SWITCHED_OFF: "left to the base model: the deployment is switched off",
        Reason.SHADOWED: "left to the base model: the deployment only watches",
        Reason.NOT_SAMPLED: "left to the base model: the conversation is not in the sample",
        Reason.OTHER_LANGUAGE: "left to the base model: the deployment does not speak the record's language",
        Reason.TOPIC_EXCLUDED: "left to the base model: the topic is excluded",
        Reason.UNDECIDED: "left to the base model: it could not be decided",
        Reason.CONFLICT: "contradicts another, and none outranks the other",
        Reason.SUSPENDED: "suspended",
        Reason.OUTSCORED: "lost on score",
        Reason.OUTRANKED: "lost on rank",
    }
)
# What features are, for those that the shipped scorers name; others are shown by their own names.
FEATURE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "abroad": "question in another language than the record",
        "abroad_named": "the same, and the subject is named",
        "absent": "the subject's name is missing",
        "agree_local": "stands by the same known topic",
        "cloze": "a text to be completed",
        "dense_plain": "likeness of meaning, subject a plain phrase",
        "dense_topical": "likeness of meaning, no name on record",
        "dense_unnamed": "likeness of meaning, subject not named",
        "dense_abroad": "likeness of meaning across languages",
        "lexical": "letters shared",
        "local": "a topic of a jurisdiction, no name on record",
        "logit_abroad": "joint head's verdict across languages",
        "logit_local": "joint head's verdict on a topic of a jurisdiction",
        "logit_named": "joint head's verdict on the relation",
        "logit_plain": "joint head's verdict, subject a plain phrase",
        "logit_topical": "joint head's verdict, no name on record",
        "logit_unnamed": "joint head's verdict, subject not named",
        "longer": "the name goes on in the question",
        "missing": "share of the subject's name missing",
        "overlap_named": "words shared",
        "overlap_plain": "words shared, subject a plain phrase",
        "overlap_topical": "words shared, no name on record",
        "overlap_unnamed": "words shared, subject not named",
        "pair_named": "second look at the relation",
        "pair_plain": "second look, subject a plain phrase",
        "pair_topical": "second look, no name on record",
        "pair_unnamed": "second look, subject not named",
        "plain": "subject is a plain phrase",
        "relation": "likeness of what is asked",
        "repeat": "the record's own wording",
        "similarity": "likeness of meaning",
        "subject": "share of the subject named",
        "topical": "subject neither named nor a name",
        "unasked": "too far off to be read with the question",
        "unnamed": "subject not named",
        "verbatim": "the record's own wording",
    }
)


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the candidates.

    Attributes:
        asked: The words that were searched and scored by; empty where nothing is asked.
        follows: Whether the turns before were needed to read them.
        form: Of the question.
        places, dates: What the question names, as typed.
        chain: The jurisdictions searched, from specific to general.
        crossed: The other chain that was searched because the question names its place; empty without.
        cut: Least score of an override for this form.
        cut_is_for_form: Whether the cut was chosen for this form.
        chosen_on: What the cut was chosen on.
        summary: The outcome in one sentence.
    """

    asked: str
    follows: bool
    form: Form
    places: tuple[str, ...]
    dates: tuple[str, ...]
    chain: tuple[str, ...]
    crossed: tuple[str, ...]
    cut: float
    cut_is_for_form: bool
    chosen_on: str
    summary: str


def heading(
    reading: Reading, decision: Decision, thresholds: Thresholds, chain: Sequence[str], crossed: Sequence[str] = ()
) -> Heading:
    """Return what stands above the candidates of a decision.

    Args:
        reading: The question, read.
        decision: About it.
        thresholds: By which it was cut.
        chain: Of the deployment, on the day.
        crossed: Of the other place that was asked, where one was.
    """
    form = reading.form.form
    return Heading(
        reading.text,
        reading.follows is not None,
        form,
        tuple(f"{m.text} ({'/'.join(map(str, m.jurisdictions))})" for m in reading.places),
        tuple(reading.text[m.start : m.end] for m in reading.dates),
        tuple(map(str, chain)),
        tuple(map(str, crossed)),
        thresholds.least(form),
        form in thresholds.by_form,
        thresholds.chosen_on,
        summary(decision),
    )


def summary(decision: Decision) -> str:
    """Return the outcome in one sentence."""
    first = decision.verdicts[0] if decision.verdicts else None
    if decision.winner is not None:
        others = sum(v.reason is Reason.OUTRANKED for v in decision.verdicts)
        rank = f" before {others} other{'s' if others > 1 else ''} of the same fact" if others else ""
        note = first.note if first is not None else ""
        return f"{decision.winner.name} answers with {decision.score:.3f}{rank}: {note}"
    if decision.route is Route.ABSTAIN:
        return f"nobody answers: {' and '.join(v.name for v in decision.contenders)} contradict one another, none outranks the rest"
    if first is None:
        return f"the base model answers: {REASON_WORDS[decision.reason]}"
    return f"the base model answers: the nearest, {first.candidate.version.name}, is out: {first.note}"


def gates(verdict: Verdict) -> dict[str, str]:
    """Return how far a candidate came: for each of `GATES` ``passed``, ``failed`` or ``not asked``."""
    fails_at = _FAILS_AT.get(verdict.reason, len(GATES))
    return {gate: PASSED if at < fails_at else FAILED if at == fails_at else NOT_ASKED for at, gate in enumerate(GATES)}


def features_in_words(verdict: Verdict) -> list[tuple[str, str, float]]:
    """Return (name, words, value) of the features that are not 0, largest first."""
    found = [(name, FEATURE_WORDS.get(name, name), float(value)) for name, value in verdict.score.features.items() if value]
    return sorted(found, key=lambda each: (-abs(each[2]), each[0]))


def sentences(verdict: Verdict, cut: float) -> list[str]:
    """Return why a candidate won or lost: the score against the cut, what found it, what decided."""
    candidate, p = verdict.candidate, verdict.score.probability
    plain = verdict.reason is Reason.BELOW_THRESHOLD or verdict.note in ("", verdict.reason)
    said = [REASON_WORDS[verdict.reason] if plain else f"{REASON_WORDS[verdict.reason]}; {verdict.note}"]
    said.append(f"score {p:.3f} against the cut {cut:.3f}" + (f": {100 * p / cut:.0f} % of it" if p < cut else ""))
    near = f"likeness {candidate.similarity:.2f}" + (f" to {candidate.view!r}" if candidate.view else "")
    named = (
        f"; names {candidate.alias!r}"
        if candidate.alias
        else "; does not name its subject"
        if candidate.version.record.subject
        else ""
    )
    return [*said, f"found by {near}{named}"]
