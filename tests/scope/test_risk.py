"""Intervals, cuts that keep a risk, reliability: against known values and by their properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.scope.risk import (
    LEAST_CUT,
    NEVER,
    allowed_confident,
    allowed_expected,
    reliability,
    risk_coverage,
    risk_cut,
    wilson,
)

WILSON = {  # from the formula of Wilson 1927 at 95 %, to four places, as published in tables
    "eight of ten": (8, 10, 0.4902, 0.9433),
    "none of ten": (0, 10, 0.0, 0.2775),
    "all of ten": (10, 10, 0.7225, 1.0),
    "half of a hundred": (50, 100, 0.4038, 0.5962),
    "one of a thousand": (1, 1000, 0.0002, 0.0056),
    "nothing counted": (0, 0, 0.0, 1.0),
}


@pytest.mark.parametrize("hits, total, low, high", WILSON.values(), ids=WILSON)
def test_wilson_agrees_with_known_values(hits: int, total: int, low: float, high: float) -> None:
    assert wilson(hits, total) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


ALLOWED = {
    "one per cent of 98 cannot be kept even by none": (0.01, 98, -1),
    "one per cent of 99 is kept by none": (0.01, 99, 0),
    "one per cent of 199 is kept by one": (0.01, 199, 1),
}


@pytest.mark.parametrize("risk, total, allowed", ALLOWED.values(), ids=ALLOWED)
def test_the_expected_rule_adds_one_to_the_count(risk: float, total: int, allowed: int) -> None:
    assert allowed_expected(risk, total) == allowed


def test_the_confident_rule_needs_299_clean_questions_for_one_per_cent() -> None:
    """0.99 ** 299 is the first power below 0.05."""
    assert [allowed_confident(0.01, n) for n in (0, 298, 299, 473)] == [-1, -1, 0, 1]


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(-1, 5))
def test_no_more_wrong_scores_pass_than_are_allowed(scores: list[float], allowed: int) -> None:
    cut = risk_cut(scores, allowed)
    assert sum(s >= cut and s > LEAST_CUT for s in scores) <= max(0, allowed)


def test_a_cut_is_as_low_as_the_risk_allows() -> None:
    assert risk_cut([0.9, 0.8, 0.1, 0.0], 1) == pytest.approx(0.8)
    assert LEAST_CUT < risk_cut([0.9, 0.8, 0.1, 0.0], 3) < 1e-6
    assert risk_cut([0.9], -1) == NEVER
    assert math.isinf(NEVER)


def test_calibration_error_is_the_mean_gap_between_said_and_right() -> None:
    bins, error = reliability([(0.95, True), (0.95, True), (0.15, True), (0.15, False), (1.0, True)])
    assert [(b.start, b.n) for b in bins] == [(0.1, 2), (0.9, 3)]
    assert bins[1].said == pytest.approx(2.9 / 3)
    assert error == pytest.approx((2 * 0.35 + 3 * (1 - 2.9 / 3)) / 5)
    assert reliability([]) == ((), 0.0)


def test_risk_against_coverage_takes_equal_scores_together_and_never_falls() -> None:
    points = risk_coverage([0.9, 0.5, 0.0], [0.5, 0.2])
    assert [(p.cut, p.coverage, p.risk) for p in points] == [(0.9, 1 / 3, 0.0), (0.5, 2 / 3, 0.5), (0.2, 2 / 3, 1.0)]
