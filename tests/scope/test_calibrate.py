"""Cuts from labels: the risk asked for is kept, or the labels are refused."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.decision import Form
from rag_edit.scope.calibrate import (
    CONFIDENT,
    EXPECTED,
    Labelled,
    NoCutError,
    TooFewLabelsError,
    calibrate,
    choose,
    labels_needed,
    point,
)


def covered(n: int, score: float, chosen: str = "own", form: Form = Form.OPEN) -> Labelled:
    return Labelled(f"in-{form}-{n}", "own", chosen, score, form)


def uncovered(n: int, score: float, form: Form = Form.OPEN) -> Labelled:
    return Labelled(f"out-{form}-{n}", None, "other" if score else None, score, form)


NEEDED = {
    "1 % expected": (0.01, EXPECTED, 99),
    "1 % confident": (0.01, CONFIDENT, 299),
    "5 % expected": (0.05, EXPECTED, 19),
}


@pytest.mark.parametrize(("risk", "guarantee", "count"), NEEDED.values(), ids=NEEDED.keys())
def test_how_many_labels_a_risk_takes(risk: float, guarantee: str, count: int) -> None:
    assert labels_needed(risk, guarantee) == count
    enough = [uncovered(n, 0.5) for n in range(count)]
    assert 0.5 < calibrate(enough, risk, guarantee).cut < 0.51
    with pytest.raises(TooFewLabelsError, match=f"takes {count} of them"):
        calibrate(enough[1:], risk, guarantee)


def test_the_cut_lets_as_many_wrong_overrides_stand_as_the_risk_allows_and_no_more() -> None:
    labels = [uncovered(n, n / 1000) for n in range(399)]
    cut = choose(labels, 0.01)  # floor(0.01 * 400 - 1) = 3 may stay
    assert sum(label.score >= cut for label in labels) == 3


def test_another_record_than_the_labelled_one_is_a_wrong_override_too() -> None:
    labels = [*(uncovered(n, 0.1) for n in range(100)), *(covered(n, 0.9) for n in range(10)), covered(10, 0.95, "another")]
    assert choose(labels, 0.01) > 0.95


def test_labels_that_contradict_what_is_certain_are_named() -> None:
    labels = [uncovered(n, 0.0) for n in range(97)] + [uncovered(n, 1.0) for n in range(97, 100)]
    with pytest.raises(NoCutError, match="out-open-97"):
        calibrate(labels, 0.01)


def test_a_form_has_a_cut_of_its_own_where_labels_are_enough() -> None:
    labels = [*(uncovered(n, 0.2) for n in range(120)), *(covered(n, 0.9) for n in range(30))]
    labels += [uncovered(n, 0.8, Form.YES_NO) for n in range(40)]
    found = {each.form: each for each in calibrate(labels, 0.01).forms}
    own = found[Form.OPEN].cut
    assert own is not None
    assert 0.2 < own < 0.21
    assert (found[Form.YES_NO].cut, found[Form.YES_NO].note) == (
        None,
        "uncalibrated: 40 uncovered questions, 99 needed",
    )


def test_held_out_figures_count_every_label_once() -> None:
    source = random.Random(7)
    labels = [uncovered(n, source.random()) for n in range(800)] + [covered(n, source.random()) for n in range(200)]
    found = calibrate(labels, 0.05)
    assert (found.held_out.total, found.held_out_other.total) == (800, 200)
    assert found.held_out.hits / 800 <= 0.08


def test_figures_of_a_perfect_scorer() -> None:
    labels = [*(uncovered(n, 0.0) for n in range(100)), *(covered(n, 1.0) for n in range(50))]
    found = calibrate(labels, 0.01)
    chosen = found.points[0]
    assert (chosen.covered.hits, chosen.uncovered_overridden.hits, found.error) == (50, 0, 0.0)
    assert found.points[0].uncovered_overridden.interval[1] == pytest.approx(0.037, abs=1e-3)


SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]), min_size=99, max_size=150)


@settings(max_examples=30, deadline=None)
@given(SCORES, st.sampled_from([0.01, 0.02, 0.05, 0.1]))
def test_the_share_of_wrong_overrides_with_one_added_stays_within_the_risk(scores: list[float], risk: float) -> None:
    labels = [uncovered(n, score) for n, score in enumerate(scores)]
    found = point(labels, choose(labels, risk), "x").uncovered_overridden
    assert (found.hits + 1) / (found.total + 1) <= risk + 1e-9


@pytest.mark.parametrize("guarantee", [EXPECTED, CONFIDENT])
def test_over_many_draws_the_risk_is_kept(guarantee: str) -> None:
    """Scores of uncovered questions are uniform: the true risk of a cut is one less the cut."""
    source = random.Random(11)
    true = [1 - choose([uncovered(n, source.random()) for n in range(150)], 0.05, guarantee) for _ in range(200)]
    assert sum(true) / len(true) <= 0.05 + 0.004  # the mean of 200 draws, two standard errors
    if guarantee == CONFIDENT:
        assert sum(each > 0.05 for each in true) / len(true) <= 0.05 + 0.03
