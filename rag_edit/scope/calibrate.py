"""Choosing cuts on labelled questions: the lowest that keep a stated risk of wrong overrides. Pure values.

Two risks are kept, each within the same bound: that a question which no record covers is overridden, and that a question which
a record covers is answered by another. The cut is the stricter of the two. *Expected* keeps the risk on average over sets of labels
(conformal risk control); *confident* keeps it with 95 % confidence (fixed-sequence testing) and needs three times the labels.
A form of question with labels enough gets a cut of its own; others take the common one and count as uncalibrated. It does
not decide: what would be chosen without a cut, and its score, come in.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.decision import Form
from rag_edit.core.digest import digest_json
from rag_edit.core.errors import RagEditError
from rag_edit.scope.risk import NEVER, Bin, allowed_confident, allowed_expected, reliability, risk_cut, wilson

EXPECTED: Final = "expected"
CONFIDENT: Final = "confident"
_ALLOWED: Final[Mapping[str, Callable[[float, int], int]]] = {EXPECTED: allowed_expected, CONFIDENT: allowed_confident}
SHOWN_RISKS: Final = (0.005, 0.01, 0.02, 0.05, 0.1)
LEAST_IN_SCOPE: Final = 20  # of these, for a coverage that says anything
DECIMALS: Final = 9


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question with its label and what would be chosen without a cut.

    Attributes:
        id: The caller's name for it.
        wanted: Id of the record that covers it; None where none does.
        chosen: Id of the record that would answer; None where none would, whatever the cut.
        score: Its scope score; 0 where there is none.
        form: Of the question.
    """

    id: str
    wanted: str | None
    chosen: str | None
    score: float
    form: Form

    @property
    def is_wrong(self) -> bool:
        """Return whether an override would be wrong."""
        return self.chosen is not None and self.chosen != self.wanted


@dataclass(frozen=True, slots=True)
class Share:
    """A count out of a total, with its Wilson 95 % interval."""

    hits: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval."""
        return wilson(self.hits, self.total)


@dataclass(frozen=True, slots=True)
class Point:
    """What a cut does on the labels: covered questions that get their record; the two kinds of wrong overrides."""

    cut: float
    name: str
    covered: Share
    uncovered_overridden: Share
    other_record: Share


@dataclass(frozen=True, slots=True)
class FormCut:
    """The cut of one form of question; None where the labels are too few, and why."""

    form: Form
    covered: int
    uncovered: int
    cut: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Cuts, and how they were come by.

    Attributes:
        risk, guarantee: What is kept, and how surely.
        cut: Least score of an override.
        forms: By form, in the order of their names.
        held_out: Both risks counted on the half that the cut was not chosen on, each half in turn.
        held_out_other: The second of them.
        points: The chosen cut, then cuts for other risks.
        bins, error: Reliability, and the expected calibration error.
    """

    risk: float
    guarantee: str
    cut: float
    forms: tuple[FormCut, ...]
    held_out: Share
    held_out_other: Share
    points: tuple[Point, ...]
    bins: tuple[Bin, ...]
    error: float


class TooFewLabelsError(RagEditError):
    """The labels cannot show the risk that is asked for."""

    def __init__(self, risk: float, guarantee: str, found: int) -> None:
        self.found, self.wanted = found, labels_needed(risk, guarantee)
        super().__init__(
            f"{found} labelled questions that no record covers (record_id null): a risk of {risk:g}, {guarantee},"
            f" takes {self.wanted} of them at least",
            hint=f"label more, or: --risk {_reachable(found, guarantee)}",
        )


class NoCutError(RagEditError):
    """Even the strictest cut breaks the risk: the labels contradict the records."""

    def __init__(self, risk: float, wrong: Sequence[Labelled]) -> None:
        self.wrong = tuple(wrong)
        listed = "\n".join(
            f"  {w.id}: labelled {w.wanted or 'null'}, {w.chosen} claims it with {w.score:.6f}" for w in wrong[:10]
        )
        super().__init__(
            f"no cut keeps a risk of {risk:g}: {len(wrong)} questions are claimed with all certainty against their label:\n{listed}",
            hint="mend the labels or the records, or give a higher --risk",
        )


def labels_needed(risk: float, guarantee: str) -> int:
    """Return the least number of uncovered questions that can show a risk."""
    if guarantee == CONFIDENT:
        return math.ceil(math.log(0.05) / math.log1p(-risk))
    return math.ceil(1 / risk - 1 - 1e-9)


def choose(labels: Sequence[Labelled], risk: float, guarantee: str = EXPECTED) -> float:
    """Return the lowest cut that keeps both risks; inf where the labels cannot show it, above 1 where none keeps it."""
    allowed = _ALLOWED[guarantee]
    uncovered = [label for label in labels if label.wanted is None]
    covered = [label for label in labels if label.wanted is not None]
    cut = risk_cut([label.score if label.is_wrong else 0.0 for label in uncovered], allowed(risk, len(uncovered)))
    if cut == NEVER:
        return NEVER
    # Too few covered ones to show the second risk: no wrong record may be seen at all.
    other = risk_cut([label.score if label.is_wrong else 0.0 for label in covered], max(0, allowed(risk, len(covered))))
    return math.ceil(max(cut, other) * 10**DECIMALS) / 10**DECIMALS


def calibrate(labels: Sequence[Labelled], risk: float, guarantee: str = EXPECTED) -> Calibrated:
    """Return the cuts for a risk, with what they do.

    Args:
        labels: Decided without a cut.
        risk: Bound of each risk, above 0 and below 1.
        guarantee: ``expected`` or ``confident``.

    Raises:
        TooFewLabelsError: the labels cannot show the risk.
        NoCutError: no cut keeps it.
    """
    uncovered = sum(label.wanted is None for label in labels)
    cut = choose(labels, risk, guarantee)
    if cut == NEVER:
        raise TooFewLabelsError(risk, guarantee, uncovered)
    if cut > 1.0:
        raise NoCutError(risk, sorted((w for w in labels if w.is_wrong and w.score >= 1.0 - 10**-DECIMALS), key=lambda w: w.id))
    points = [point(labels, cut, "chosen")]
    points += [
        point(labels, other, f"risk {each:g}")
        for each in SHOWN_RISKS
        if each != risk and (other := choose(labels, each, guarantee)) <= 1.0
    ]
    bins, error = reliability([(label.score, not label.is_wrong) for label in labels if label.chosen is not None])
    held_out, held_out_other = _held_out(labels, risk, guarantee)
    return Calibrated(
        risk, guarantee, cut, _forms(labels, risk, guarantee), held_out, held_out_other, tuple(points), bins, error
    )


def point(labels: Sequence[Labelled], cut: float, name: str) -> Point:
    """Return what a cut does on the labels."""
    covered = [label for label in labels if label.wanted is not None]
    uncovered = [label for label in labels if label.wanted is None]
    return Point(
        cut,
        name,
        Share(sum(label.chosen == label.wanted and label.score >= cut for label in covered), len(covered)),
        Share(sum(label.is_wrong and label.score >= cut for label in uncovered), len(uncovered)),
        Share(sum(label.is_wrong and label.score >= cut for label in covered), len(covered)),
    )


def _forms(labels: Sequence[Labelled], risk: float, guarantee: str) -> tuple[FormCut, ...]:
    found = []
    for form in sorted({label.form for label in labels}):
        own = [label for label in labels if label.form is form]
        covered = sum(label.wanted is not None for label in own)
        cut = choose(own, risk, guarantee)
        note = ""
        if cut == NEVER:
            note = f"uncalibrated: {len(own) - covered} uncovered questions, {labels_needed(risk, guarantee)} needed"
        elif covered < LEAST_IN_SCOPE:
            note = f"uncalibrated: {covered} covered questions, {LEAST_IN_SCOPE} needed"
        elif cut > 1.0:
            note = "uncalibrated: no cut keeps the risk for this form alone"
        found.append(FormCut(form, covered, len(own) - covered, None if note else cut, note))
    return tuple(found)


def _held_out(labels: Sequence[Labelled], risk: float, guarantee: str) -> tuple[Share, Share]:
    """Return both risks on labels that the cut was not chosen on: halves by digest of the id, each in turn.

    A half that cannot show the risk overrides nothing: then nothing is counted for the other.
    """
    halves: tuple[list[Labelled], list[Labelled]] = ([], [])
    for label in labels:
        halves[int(digest_json(label.id)[-1], 16) % 2].append(label)
    uncovered = covered = overridden = other = 0
    for chosen_on, counted_on in (halves, halves[::-1]):
        cut = choose(chosen_on, risk, guarantee)
        if cut == NEVER:
            continue
        found = point(counted_on, cut, "held out")
        uncovered, overridden = uncovered + found.uncovered_overridden.total, overridden + found.uncovered_overridden.hits
        covered, other = covered + found.other_record.total, other + found.other_record.hits
    return Share(overridden, uncovered), Share(other, covered)


def _reachable(found: int, guarantee: str) -> str:
    for risk in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5):
        if labels_needed(risk, guarantee) <= found:
            return f"{risk:g}"
    return "0.5 (and even that takes more)"
