"""Counting, cuts and re-splits on questions made up so that every count can be done in the head."""

import pytest

from rag_edit.bench.figures import NOTHING, Choice, KindFigure, at_cut, best_cut, count, gain, kept_cut, resplit
from rag_edit.bench.suites import Goal
from rag_edit.scope.risk import NEVER
from rag_edit.scope.training.suites import Asked


def asked(kind: str, record: str = "r", *, tune: bool = False, name: str = "") -> Asked:
    return Asked("?", kind, record, tune, name)


def test_in_scope_is_right_with_its_own_record_and_out_of_scope_wrong_with_any() -> None:
    questions = [asked("in"), asked("in"), asked("in"), asked("out"), asked("out")]
    found = count(questions, ["r", "other", "", "r", ""])
    assert found == {"in": KindFigure(True, 1, 3, another=1), "out": KindFigure(False, 1, 2)}
    assert list(found) == ["in", "out"]


def test_a_figure_carries_its_interval() -> None:
    assert KindFigure(True, 8, 10, 1).to_json() == {
        "measure": "right",
        "hits": 8,
        "n": 10,
        "share": 0.8,
        "wilson": [0.49016, 0.94332],
        "another_record": 1,
    }
    assert KindFigure(False, 0, 0).to_json()["wilson"] == [0.0, 1.0]


GOALS = {
    "enough": (Goal(least=0.8), 1.0, True),
    "too little": (Goal(least=0.81), 1.0, False),
    "enough of another suite's share": (Goal(least=0.95), 0.84, True),
    "too much": (Goal(most=0.5), 1.0, False),
    "no more than allowed": (Goal(most=0.8), 1.0, True),
}


@pytest.mark.parametrize("goal, base, met", GOALS.values(), ids=GOALS)
def test_a_goal_is_met(goal: Goal, base: float, met: bool) -> None:
    assert KindFigure(True, 8, 10).meets(goal, base) is met


PAIRS = [
    (asked("in"), Choice("r", 0.9)),
    (asked("in"), Choice("r", 0.7)),
    (asked("in"), Choice("other", 0.95)),
    (asked("own"), Choice("r", 1.0)),
    (asked("out"), Choice("r", 0.5)),
    (asked("out"), NOTHING),
]


def test_the_best_cut_lies_midway_below_the_last_score_that_it_lets_pass() -> None:
    assert best_cut(PAIRS) == pytest.approx(0.6)
    assert gain(PAIRS, 0.6) == pytest.approx(2 / 3)
    assert gain(PAIRS, 0.4) == pytest.approx(2 / 3 - 1 / 2)


def test_no_cut_is_best_where_no_override_is_right() -> None:
    assert best_cut([(asked("in"), Choice("other", 0.9)), (asked("out"), Choice("r", 0.5))]) == NEVER


def test_a_cut_serves_scores_from_it_on() -> None:
    assert at_cut([Choice("a", 0.5), Choice("b", 0.4), NOTHING], 0.5) == ("a", "", "")


def test_a_kept_cut_keeps_the_risk_on_every_kind() -> None:
    easy = [(asked("out"), Choice("r", 0.1))] * 100
    harder = [(asked("same"), Choice("r", 0.6))] + [(asked("same"), NOTHING)] * 99
    assert kept_cut(easy, 0.01) == pytest.approx(0.1)
    assert kept_cut([*easy, *harder], 0.01) == pytest.approx(0.6)


def test_with_too_few_questions_no_cut_keeps_a_risk() -> None:
    assert kept_cut([(asked("out"), NOTHING)] * 98, 0.01) == NEVER
    assert kept_cut([(asked("in"), NOTHING)], 0.01) == NEVER


def test_resplits_are_a_function_of_their_seed_and_count_what_was_kept() -> None:
    questions = [asked(kind, f"r{n}") for n in range(1200) for kind in ("in", "out")]
    choices = [Choice(f"r{n}", 0.9) if kind == "in" else Choice("x", n / 12000) for n in range(1200) for kind in ("in", "out")]
    shipped = [c.record if c.score >= 0.5 else "" for c in choices]
    found = resplit(questions, choices, shipped=shipped, risk=0.01, rounds=40, seed=3)
    assert found == resplit(questions, choices, shipped=shipped, risk=0.01, rounds=40, seed=3)
    assert found["shipped"]["kept"] == found["shipped"]["mean_right"] == 1.0
    assert (found["confident"]["kept"] or 0) >= (found["expected"]["kept"] or 0)
    assert found["expected"]["mean_risk"] == pytest.approx(0.01, abs=0.004)
    assert found["expected"]["mean_right"] == 1.0


def test_questions_of_one_record_stay_on_one_side() -> None:
    """Two records with too few questions each: no half allows a cut, and a split that overrides nothing counts for nothing."""
    questions = [asked("out", record) for record in ("a", "b") for _ in range(60)]
    found = resplit(questions, [Choice("x", 0.5)] * 120, risk=0.01, rounds=5, seed=0)
    assert (found["expected"]["chosen"], found["expected"]["kept"]) == (0, None)


def test_without_questions_out_of_scope_no_risk_is_claimed() -> None:
    assert resplit([asked("in")], [Choice("r", 0.5)], risk=0.01, rounds=5, seed=0) == {}
