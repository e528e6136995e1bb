"""Probes of a record and what their decisions say: on given values, without index or scorer."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from rag_edit.core.decision import Decision, Reason, Route, ScopeScore, Verdict
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.scope.radius import (
    Kind,
    Probe,
    day_of,
    judge,
    kin_of,
    neighbour_probes,
    own_probes,
    sample_of,
    withheld_twin,
    withheld_wording,
)
from tests.scope.cases import TODAY, candidate

WAGE = Record(
    "wage",
    "DE",
    "What is the minimum wage?",
    "13.90 euros.",
    subject="minimum wage",
    aliases=("Mindestlohn",),
    relation="amount",
    paraphrases=("How much is the lowest wage?", "How high is the minimum wage?"),
)


def version(record: Record) -> RecordVersion:
    return RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))


def verdict(record: Record, score: float, reason: Reason) -> Verdict:
    return Verdict(replace(candidate(), version=version(record)), ScopeScore(score), reason, "why")


def test_a_record_is_asked_in_its_own_words_under_its_other_name_and_with_a_wording_withheld() -> None:
    found = own_probes(WAGE, TODAY)
    assert [p.kind for p in found] == [Kind.OWN, Kind.OWN, Kind.OWN, Kind.ALIAS, Kind.WITHHELD]
    assert found[3].text == "What is the Mindestlohn?"
    assert {(p.of, p.expected, p.jurisdiction, p.as_of) for p in found} == {("wage", "wage", "DE", TODAY)}


def test_the_record_that_lacks_a_wording_is_the_same_without_it() -> None:
    twin = withheld_twin(WAGE)
    assert twin is not None
    assert {*twin.questions(), withheld_wording(WAGE)} == set(WAGE.questions())
    assert withheld_twin(replace(WAGE, paraphrases=())) is None
    assert withheld_twin(replace(WAGE, paraphrases=("what is the minimum wage",))) is None  # nothing would be left


def test_the_order_of_paraphrases_does_not_matter_to_what_is_withheld() -> None:
    assert withheld_wording(WAGE) == withheld_wording(replace(WAGE, paraphrases=WAGE.paraphrases[::-1]))


DAYS = {
    "today, where it holds": (None, None, TODAY),
    "its first day, where it does not hold yet": (date(2027, 1, 1), None, date(2027, 1, 1)),
    "its last day, where it holds no more": (date(2020, 1, 1), date(2021, 1, 1), date(2020, 12, 31)),
}


@pytest.mark.parametrize(("start", "end", "day"), DAYS.values(), ids=DAYS.keys())
def test_a_record_is_asked_on_a_day_on_which_it_holds(start: date | None, end: date | None, day: date) -> None:
    assert day_of(replace(WAGE, valid_from=start, valid_to=end), TODAY) == day


def test_two_records_are_asked_on_a_day_on_which_both_hold() -> None:
    one, two = replace(WAGE, valid_to=date(2021, 1, 1)), replace(WAGE, valid_from=date(2019, 1, 1))
    assert day_of(one, TODAY, two) == date(2020, 12, 31)


LEAVE = Record("leave", "DE", "How many days of leave are there?", "20.", subject="leave", relation="days")
AGAIN = replace(WAGE, id="again", answer="12 euros.", target="12")
OWN = Probe("wage", "wage", Kind.OWN, "What is the minimum wage?", "DE", TODAY)
NEAR = Probe("wage", "leave", Kind.NEIGHBOUR, "How many days of leave are there?", "DE", TODAY)
MINE, LEAVES = verdict(WAGE, 0.9, Reason.OUTSCORED), verdict(LEAVE, 0.95, Reason.IN_SCOPE)


def won(record: Record, reason: Reason, *verdicts: Verdict) -> Decision:
    return Decision(Route.OVERRIDE, reason, version(record), 0.95, verdicts)


def base(reason: Reason, *verdicts: Verdict) -> Decision:
    return Decision(Route.BASE, reason, None, 0.1, verdicts)


CONFLICT = Decision(Route.ABSTAIN, Reason.CONFLICT, contenders=(version(WAGE), version(AGAIN)))
FINDINGS = {
    # case: (probe, decision, (collides, other) or None)
    "its own words reach it": (OWN, won(WAGE, Reason.IN_SCOPE), None),
    "its own words go to another fact": (OWN, won(LEAVE, Reason.IN_SCOPE, LEAVES, MINE), (True, "leave")),
    "its own words go to a record of its fact that outranks it": (OWN, won(AGAIN, Reason.LEX_SUPERIOR), (False, "again")),
    "its own words go to a record of its fact that says the same": (OWN, won(AGAIN, Reason.SAME_ANSWER), None),
    "its own words meet a contradiction": (OWN, CONFLICT, (True, "again")),
    "a rule keeps it from its own words": (
        OWN,
        base(Reason.OTHER_PLACE, verdict(WAGE, 1.0, Reason.OTHER_PLACE)),
        (True, ""),
    ),
    "its own words fall below the cut": (
        OWN,
        base(Reason.BELOW_THRESHOLD, verdict(WAGE, 0.2, Reason.BELOW_THRESHOLD)),
        (False, ""),
    ),
    "its other name reaches nobody": (replace(OWN, kind=Kind.ALIAS), base(Reason.NO_CANDIDATE), (False, "")),
    "its other name reaches another": (
        replace(OWN, kind=Kind.ALIAS),
        won(LEAVE, Reason.IN_SCOPE, LEAVES, MINE),
        (True, "leave"),
    ),
    "a wording withheld reaches nobody": (replace(OWN, kind=Kind.WITHHELD), base(Reason.NO_CANDIDATE), None),
    "a wording withheld reaches another": (
        replace(OWN, kind=Kind.WITHHELD),
        won(LEAVE, Reason.IN_SCOPE, LEAVES, MINE),
        (True, "leave"),
    ),
    "a neighbour keeps its own words": (NEAR, won(LEAVE, Reason.IN_SCOPE, LEAVES), None),
    "a neighbour's words go to it": (NEAR, won(WAGE, Reason.IN_SCOPE, MINE, LEAVES), (True, "leave")),
    "a neighbour keeps its words, by score alone": (NEAR, won(LEAVE, Reason.IN_SCOPE, LEAVES, MINE), (False, "leave")),
    "a neighbour's words go to a third record": (NEAR, won(AGAIN, Reason.IN_SCOPE, LEAVES), None),
}


@pytest.mark.parametrize(("probe", "decision", "expected"), FINDINGS.values(), ids=FINDINGS.keys())
def test_what_a_decision_says_against_the_change(probe: Probe, decision: Decision, expected: tuple[bool, str] | None) -> None:
    found = judge(probe, version(WAGE), decision)
    assert (found and (found.collides, found.other)) == expected


def test_a_finding_says_who_wins_which_question_with_what_score() -> None:
    found = judge(OWN, version(WAGE), won(LEAVE, Reason.IN_SCOPE, LEAVES, MINE))
    assert found is not None
    assert (found.score, found.other_score) == (0.9, 0.95)
    assert str(found) == "wage: its own wording goes to leave: 'What is the minimum wage?' in DE as of 2026-11-22"


def test_neighbours_are_the_nearest_records_about_other_facts_that_hold_at_the_same_time() -> None:
    past = replace(LEAVE, id="past", valid_to=date(2020, 1, 1))
    now = version(replace(WAGE, valid_from=date(2021, 1, 1)))
    met = won(WAGE, Reason.IN_SCOPE, *(verdict(r, s, Reason.OUTSCORED) for r, s in ((LEAVE, 0.2), (past, 0.9), (AGAIN, 0.8))))
    assert [(p.expected, p.text) for p in neighbour_probes(now, [met], TODAY)] == [("leave", LEAVE.question)]


def test_a_sample_is_the_same_whatever_the_order() -> None:
    records = [replace(WAGE, id=f"r{n}") for n in range(50)]
    assert sample_of(records, 7) == sample_of(records[::-1], 7)


def test_kin_share_telling_words_not_common_ones() -> None:
    others = [replace(LEAVE, id=f"o{n}", question=f"What is the thing {n}?", subject="") for n in range(20)]
    assert [r.id for r in kin_of([WAGE], [WAGE, *others, replace(LEAVE, question="Is the wage paid?")], 1)] == ["leave"]
