"""The decision, step by step, on given scores."""

import pytest

from rag_edit.core.decision import Candidate, Decision, Form, Reason, Route, ScopeScore
from rag_edit.scope.calibration import Thresholds, read_thresholds
from rag_edit.scope.decide import MAX_VERDICTS, decide
from rag_edit.scope.policies import holds_on_the_day
from tests.scope.cases import ATLAS, TODAY, candidate, reading

THRESHOLDS = Thresholds(0.9, 0.05, "test", "nothing: given by the test", {Form.YES_NO: 0.99})


def decided(question: str, *scored: tuple[Candidate, float]) -> Decision:
    return decide(
        reading(question),
        [c for c, _ in scored],
        [ScopeScore(p) for _, p in scored],
        policies=(holds_on_the_day,),
        thresholds=THRESHOLDS,
        more_specific=lambda a, b: ATLAS.more_specific(a, b, TODAY),
    )


def test_no_candidate_goes_to_the_base_model() -> None:
    assert (decided("What is the VAT rate?").route, decided("What is the VAT rate?").reason) == (
        Route.BASE,
        Reason.NO_CANDIDATE,
    )


def test_thanks_asks_nothing() -> None:
    found = decided("thanks", (candidate(), 1.0))
    assert (found.route, found.reason) == (Route.BASE, Reason.NOTHING_ASKED)


def test_a_score_below_the_threshold_goes_to_the_base_model_with_its_score() -> None:
    found = decided("What is the VAT rate?", (candidate(), 0.89))
    assert (found.route, found.reason, found.score) == (Route.BASE, Reason.BELOW_THRESHOLD, 0.89)


def test_a_score_at_the_threshold_overrides() -> None:
    assert decided("What is the VAT rate?", (candidate(), 0.9)).route is Route.OVERRIDE


def test_a_form_may_ask_for_more() -> None:
    assert decided("Is the VAT rate 19 %?", (candidate(), 0.95)).route is Route.BASE


def test_a_veto_goes_before_any_score() -> None:
    found = decided("What is the VAT rate?", (candidate(valid_to=TODAY), 1.0))
    assert (found.route, found.reason) == (Route.BASE, Reason.EXPIRED)


def test_two_facts_too_close_to_call_go_to_the_base_model() -> None:
    a = candidate(id="a", question="Who founded ACME?", answer="Ann")
    b = candidate(id="b", question="Who runs ACME?", answer="Ben")
    assert decided("Who is ACME's boss?", (a, 0.95), (b, 0.94)).reason is Reason.MARGIN_TOO_SMALL


def test_two_facts_with_one_answer_are_not_too_close() -> None:
    a = candidate(id="a", question="Who founded ACME?", answer="Ann")
    b = candidate(id="b", question="Who runs ACME?", answer="Ann")
    assert decided("Who is ACME's boss?", (a, 0.95), (b, 0.94)).route is Route.OVERRIDE


def test_the_clear_leader_answers_and_the_other_is_outscored() -> None:
    a = candidate(id="a", question="Who founded ACME?", answer="Ann")
    b = candidate(id="b", question="Who runs ACME?", answer="Ben")
    found = decided("Who founded ACME?", (b, 0.91), (a, 0.99))
    assert found.winner is not None
    assert found.winner.record.id == "a"
    assert [v.reason for v in found.verdicts] == [Reason.IN_SCOPE, Reason.OUTSCORED]


def test_the_more_specific_record_answers_also_with_the_lower_score() -> None:
    found = decided(
        "What is the standard VAT rate?", (candidate("EU", id="eu", answer="15 %"), 0.99), (candidate("DE", id="de"), 0.92)
    )
    assert found.winner is not None
    assert (found.winner.record.id, found.reason, found.score) == ("de", Reason.LEX_SPECIALIS, 0.92)
    assert found.verdicts[1].reason is Reason.OUTRANKED


def test_a_contradiction_within_a_place_abstains_and_names_both() -> None:
    found = decided("What is the standard VAT rate?", (candidate(id="a", answer="16 %"), 0.99), (candidate(id="b"), 0.99))
    assert (found.route, found.winner, [v.record.id for v in found.contenders]) == (Route.ABSTAIN, None, ["a", "b"])


def test_the_trace_is_capped_and_keeps_the_winner_first() -> None:
    others = [(candidate(id=f"x{n:02d}", question=f"Question {n}?"), 0.5) for n in range(40)]
    found = decided("What is the standard VAT rate?", *others, (candidate(), 0.95))
    assert len(found.verdicts) == MAX_VERDICTS
    assert found.verdicts[0].candidate.version.record.id == "r"


def test_every_verdict_says_why_in_words() -> None:
    found = decided(
        "What is the VAT rate?",
        (candidate(id="a", valid_to=TODAY), 1.0),
        (candidate(id="b", question="Other?"), 0.2),
        (candidate(id="c"), 0.95),
    )
    assert all(v.note for v in found.verdicts)


def test_a_decision_that_contradicts_itself_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="BASE with winner"):
        Decision(Route.BASE, Reason.NO_CANDIDATE, winner=candidate().version)
    with pytest.raises(ValueError, match="contenders"):
        Decision(Route.ABSTAIN, Reason.CONFLICT)


def test_thresholds_of_another_method_are_refused_and_of_another_encoder_said_to_be_uncalibrated() -> None:
    from rag_edit.core.errors import ConfigError

    text = '{"scorers": {"m": {"digest": "a", "in_scope": 0.9, "margin": 0.0, "chosen_on": "x"}}}'
    assert read_thresholds(text, "a", "m").chosen_on == "x"
    assert read_thresholds(text, "b", "m").chosen_on.startswith("uncalibrated")
    with pytest.raises(ConfigError):
        read_thresholds(text, "a", "other")
    with pytest.raises(ConfigError):
        read_thresholds("not json", "a", "m")


def test_the_reason_is_that_of_the_record_which_holds_on_the_day() -> None:
    from rag_edit.scope.policies import names_no_other_place
    from tests.scope.cases import READER

    place = names_no_other_place(lambda j, p: ATLAS.covers(j, p, TODAY), READER.read)
    found = decide(
        reading("What is the standard VAT rate in Austria?"),
        [candidate(id="a-old", valid_to=TODAY), candidate(id="b-now", valid_from=TODAY)],
        [ScopeScore(0.95), ScopeScore(0.95)],
        policies=(holds_on_the_day, place),
        thresholds=THRESHOLDS,
        more_specific=lambda a, b: ATLAS.more_specific(a, b, TODAY),
    )
    assert (found.route, found.reason) == (Route.BASE, Reason.OTHER_PLACE)
