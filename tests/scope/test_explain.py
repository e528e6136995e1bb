"""Decisions in words and numbers."""

from dataclasses import replace

import pytest

from rag_edit.core.decision import Decision, Form, Reason, Route, ScopeScore, Verdict
from rag_edit.scope.calibration import Thresholds
from rag_edit.scope.explain import FEATURE_WORDS, GATES, REASON_WORDS, features_in_words, gates, heading, sentences, summary
from rag_edit.scope.trained import FEATURES, SECOND
from tests.scope.cases import candidate, reading

CUTS = Thresholds(0.8, 0.0, "s", "a thousand labels", {Form.YES_NO: 0.9})


def verdict(reason: Reason, p: float = 0.9, note: str = "") -> Verdict:
    return Verdict(candidate(), ScopeScore(p, {"logit_named": 2.5, "plain": 0.0, "odd": -3.0}), reason, note or str(reason))


FATES = {
    "a winner passes all": (Reason.LEX_SPECIALIS, "passed passed passed passed"),
    "below the cut": (Reason.BELOW_THRESHOLD, "failed not asked not asked not asked"),
    "vetoed": (Reason.OTHER_PLACE, "passed failed not asked not asked"),
    "outscored": (Reason.OUTSCORED, "passed passed failed not asked"),
    "outranked": (Reason.OUTRANKED, "passed passed passed failed"),
}


@pytest.mark.parametrize(("reason", "states"), FATES.values(), ids=FATES.keys())
def test_the_gate_that_a_candidate_failed_is_named(reason: Reason, states: str) -> None:
    found = gates(verdict(reason))
    assert tuple(found) == GATES
    assert " ".join(found.values()) == states


def test_every_reason_has_words() -> None:
    assert set(REASON_WORDS) == set(Reason)


def test_features_are_named_in_words_the_weightiest_first_and_strange_ones_by_their_name() -> None:
    assert features_in_words(verdict(Reason.IN_SCOPE)) == [
        ("odd", "odd", -3.0),
        ("logit_named", FEATURE_WORDS["logit_named"], 2.5),
    ]


def test_a_candidates_sentences_give_fate_score_and_what_found_it() -> None:
    lost = sentences(verdict(Reason.BELOW_THRESHOLD, 0.4, "scope 0.400 is below 0.800"), 0.8)
    assert lost == ["not in scope for sure", "score 0.400 against the cut 0.800: 50 % of it", "found by likeness 0.90"]
    kept = replace(verdict(Reason.OTHER_PLACE, note="it says Italy"), candidate=candidate(subject="VAT"))
    assert sentences(kept, 0.8)[0] == "vetoed: another place is named; it says Italy"
    assert sentences(kept, 0.8)[2].endswith("does not name its subject")


def test_the_heading_says_what_was_read_and_searched_and_where_the_cut_comes_from() -> None:
    asked = reading("Is the VAT rate in Italy 22 % in 2024?")
    found = heading(asked, Decision(Route.BASE, Reason.NO_CANDIDATE, form=Form.YES_NO), CUTS, ("DE", "EU", "GLOBAL"))
    assert (found.form, found.cut, found.cut_is_for_form) == (Form.YES_NO, 0.9, True)
    assert (found.places, found.dates) == (("Italy (IT)",), ("2024",))
    assert found.summary == "the base model answers: nothing was found that is near the question"


def test_the_outcome_is_one_sentence() -> None:
    version = candidate().version
    won = Decision(Route.OVERRIDE, Reason.LEX_SPECIALIS, version, 0.9, (verdict(Reason.LEX_SPECIALIS, note="prevails"),))
    assert summary(won) == "r@1 answers with 0.900: prevails"
    lost = Decision(Route.BASE, Reason.OTHER_PLACE, None, 0.9, (verdict(Reason.OTHER_PLACE, note="it says Italy"),))
    assert summary(lost) == "the base model answers: the nearest, r@1, is out: it says Italy"
    both = Decision(Route.ABSTAIN, Reason.CONFLICT, contenders=(version, replace(version, version=2)))
    assert summary(both).startswith("nobody answers: r@1 and r@2 contradict one another")


def test_every_number_that_the_trained_scorer_gives_has_words() -> None:
    assert {*FEATURES, *SECOND} <= set(FEATURE_WORDS)
