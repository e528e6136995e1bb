"""Trials and what their outcomes say: each row is an outcome, whether it passes, and the cause that an editor is told."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from rag_edit.core.decision import Reason, Route
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.verify.budget import Budget, Clock, in_order, risk, shares
from rag_edit.verify.finding import Cause, Finding, Kind, Ran, Trial, Want
from rag_edit.verify.judge import contradiction, judge
from rag_edit.verify.trials import (
    connecting,
    language_trials,
    namesake_trials,
    neighbour_trials,
    own_trials,
    place_trials,
    portability_trials,
    restoring_trials,
)

DAY = date(2026, 11, 22)
FORD = Record(
    "mustang", "GLOBAL", "Who makes the Mustang?", "Ford makes it.", subject="Mustang", aliases=("pony car",), relation="maker", target="Ford",
    paraphrases=("Which company builds the Mustang?",), prior="Fiat",
)  # fmt: skip
JEANS = Record(
    "jeans", "GLOBAL", "Who sews Mustang jeans?", "A tailor.", subject="Mustang jeans", aliases=("Mustang",), target="A tailor"
)


def version(record: Record) -> RecordVersion:
    return RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))


OWN, OTHER = version(FORD), version(JEANS)
HELD = Ran(Route.OVERRIDE, Reason.IN_SCOPE, OWN, 0.9, text="Ford makes it.", same_fact=True, same_answer=True, holds=True)
THEIRS = Ran(Route.OVERRIDE, Reason.IN_SCOPE, OTHER, 0.9, text="A tailor.")
BASE = Ran(Route.BASE, Reason.BELOW_THRESHOLD)


def asked(kind: Kind, want: Want = Want.RECORD, question: str = "Who makes the Mustang?") -> Trial:
    return Trial(kind, "mustang", question, "GLOBAL", DAY, want, "mustang" if want is Want.RECORD else "jeans")


@pytest.mark.parametrize(
    ("kind", "after", "cause"),
    [
        (Kind.EFFICACY, HELD, Cause.NONE),
        (Kind.EFFICACY, replace(THEIRS, same_answer=True), Cause.NONE),
        (Kind.EFFICACY, replace(THEIRS, same_fact=True, reason=Reason.LEX_SPECIALIS), Cause.NONE),
        (Kind.EFFICACY, THEIRS, Cause.NAMESAKE),
        (Kind.PARAPHRASE, replace(THEIRS, winner=version(replace(JEANS, aliases=()))), Cause.OVER_BROAD),
        (Kind.EFFICACY, BASE, Cause.UNREACHABLE),
        (Kind.EFFICACY, replace(BASE, own_reason="OTHER_PLACE"), Cause.WRONG_JURISDICTION),
        (Kind.EFFICACY, replace(BASE, own_reason="EXPIRED"), Cause.STALE_DATE),
        (Kind.EFFICACY, Ran(Route.ABSTAIN, Reason.CONFLICT, contenders=("mustang@1", "jeans@1"), other=OTHER), Cause.NAMESAKE),
        (Kind.RESTORING, replace(HELD, text="Fiat.", holds=False, why="the prior is stated"), Cause.OLD_ANSWER),
        (Kind.RESTORING, BASE, Cause.OLD_ANSWER),
        (Kind.PARAPHRASE, replace(HELD, holds=False, why="not stated"), Cause.TEXT),
        (Kind.PORTABILITY, THEIRS, Cause.UNREACHABLE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_trial_of_its_own_words(kind: Kind, after: Ran, cause: Cause) -> None:
    found = judge(asked(kind), OWN, None, after)
    assert (found.cause, found.passed) == (cause, cause is Cause.NONE)


@pytest.mark.parametrize(
    ("kind", "before", "after", "cause"),
    [
        (Kind.NEIGHBOUR, THEIRS, THEIRS, Cause.NONE),
        (Kind.NEIGHBOUR, THEIRS, HELD, Cause.NAMESAKE),
        (Kind.NEIGHBOUR, None, HELD, Cause.NONE),
        (Kind.NEIGHBOUR, None, replace(HELD, same_fact=False), Cause.OVER_BROAD),
        (Kind.NEIGHBOUR, BASE, HELD, Cause.OVER_BROAD),
        (Kind.NEIGHBOUR, THEIRS, BASE, Cause.CHANGED),
        (Kind.JURISDICTION, BASE, HELD, Cause.WRONG_JURISDICTION),
        (Kind.JURISDICTION, None, BASE, Cause.NONE),
        (Kind.NAMESAKE, BASE, HELD, Cause.NEAR_NAME),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_trial_of_others(kind: Kind, before: Ran | None, after: Ran, cause: Cause) -> None:
    found = judge(asked(kind, Want.KEEP, "Who sews Mustang jeans?"), OWN, before, after)
    assert found.cause == cause
    assert found.hijacks is (kind is not Kind.NAMESAKE and cause is not Cause.NONE and after.record == "mustang")


def test_a_question_that_another_record_of_the_place_answers_already_with_the_same_words_is_a_duplicate() -> None:
    said = Ran(
        Route.OVERRIDE, Reason.IN_SCOPE, version(replace(FORD, id="other")), 0.9, text="Ford makes it.", same_answer=True
    )
    assert judge(asked(Kind.EFFICACY), OWN, said, HELD).cause is Cause.DUPLICATE
    assert judge(asked(Kind.EFFICACY), OWN, replace(said, same_answer=False), HELD).passed
    elsewhere = replace(said, winner=version(replace(FORD, id="other", jurisdiction="EU")))
    assert judge(asked(Kind.EFFICACY), OWN, elsewhere, HELD).passed
    yes = version(replace(FORD, target="yes"))
    assert judge(asked(Kind.EFFICACY), yes, replace(said, winner=version(replace(FORD, id="other", target="yes"))), HELD).passed


def test_two_things_of_one_kind_may_have_the_same_value() -> None:
    ford, fiat = replace(FORD, aliases=(), prior=""), Record(
        "panda", "GLOBAL", "Who makes the Panda?", "Ford does.", subject="Panda", relation="maker", target="Ford"
    )  # fmt: skip
    said = Ran(Route.OVERRIDE, Reason.IN_SCOPE, version(fiat), 0.9, text="Ford does.", same_answer=True)
    assert judge(asked(Kind.EFFICACY), version(ford), said, HELD).passed
    nameless = replace(said, winner=version(replace(fiat, subject="", question="Who builds it?")))
    assert judge(asked(Kind.EFFICACY), version(ford), nameless, HELD).cause is Cause.DUPLICATE


@pytest.mark.parametrize(
    ("before", "own", "cause"),
    [
        (THEIRS, {}, Cause.OVER_BROAD),
        (None, {}, Cause.NONE),
        (replace(THEIRS, same_answer=True), {}, Cause.NONE),
        (replace(THEIRS, same_fact=True), {}, Cause.NONE),
        (THEIRS, {"supersedes": ("jeans",)}, Cause.NONE),
        (replace(THEIRS, winner=version(replace(JEANS, jurisdiction="EU"))), {}, Cause.NONE),
    ],
    ids=["another's question", "nobody's", "the same is said", "the same fact", "it takes its place", "of a wider place"],
)
def test_a_wording_that_another_record_answered_asks_for_that(before: Ran | None, own: dict[str, Any], cause: Cause) -> None:
    assert judge(asked(Kind.PARAPHRASE), version(replace(FORD, **own)), before, HELD).cause is cause


@pytest.mark.parametrize(
    ("wording", "cause"),
    [
        ("Who sews denim of that brand?", Cause.NONE),
        ("Who sews Mustang jeans today?", Cause.OVER_BROAD),
        ("Who sews Mustang jeans or the Bronco?", Cause.NONE),
    ],
    ids=["speaks of neither", "speaks of the other alone", "speaks of both"],
)
def test_a_narrower_case_of_another_record_may_not_take_wordings_that_speak_of_that(wording: str, cause: Cause) -> None:
    own = version(replace(FORD, subject="Bronco", aliases=()))
    before = replace(THEIRS, ceded=True)
    assert judge(asked(Kind.PARAPHRASE, question=wording), own, before, HELD).cause is cause


@pytest.mark.parametrize(
    ("question", "cause"),
    [
        ("The Mustang's price: how high is that of today?", Cause.NONE),
        ("How high is the price of Mustang jeans?", Cause.NONE),
        ("What is the price of the Mustang?", Cause.CONTRADICTION),
    ],
    ids=["more words", "another thing", "the same words in another order"],
)
def test_a_question_of_the_same_words_that_was_answered_otherwise_is_a_contradiction(question: str, cause: Cause) -> None:
    own = version(replace(FORD, question="How high is the Mustang price?", subject="", aliases=(), target="9 euros"))
    there = Record("price", "GLOBAL", question, "8 euros.", subject="", target="8 euros")
    before = Ran(Route.OVERRIDE, Reason.IN_SCOPE, version(there), 0.5, text="8 euros.")
    found = judge(asked(Kind.EFFICACY, question="How high is the Mustang price?"), own, before, HELD)
    assert found.cause is cause


@pytest.mark.parametrize(
    ("ours", "theirs", "cause"),
    [(2025, 2026, Cause.STALE_DATE), (2026, 2025, Cause.NONE), (2025, None, Cause.NONE)],
    ids=["the other is newer", "the other is older", "the other has no first day"],
)
def test_a_record_whose_own_question_a_newer_one_goes_on_answering_is_stale(
    ours: int, theirs: int | None, cause: Cause
) -> None:
    own = version(replace(FORD, valid_from=date(ours, 1, 1)))
    newer = version(replace(FORD, id="newer", target="Audi", valid_from=date(theirs, 1, 1) if theirs else None))
    stood = Ran(Route.OVERRIDE, Reason.IN_SCOPE, newer, 0.9, text="Audi makes it.")
    after = replace(stood, reason=Reason.LEX_POSTERIOR, same_fact=True)
    assert judge(asked(Kind.EFFICACY), own, stood, after).cause is cause


def test_a_users_words_must_stand_in_the_answer() -> None:
    trial = replace(asked(Kind.PARAPHRASE), said="Ford")
    assert judge(trial, OWN, None, HELD).passed
    assert judge(replace(trial, said="General Motors"), OWN, None, HELD).cause is Cause.TEXT


def test_a_user_may_want_a_question_left_alone() -> None:
    trial = asked(Kind.NEIGHBOUR, Want.AWAY)
    assert judge(trial, OWN, None, THEIRS).passed
    assert not judge(trial, OWN, None, HELD).passed


@pytest.mark.parametrize(
    ("own", "other", "about", "cause"),
    [
        ({}, {}, "Who makes the Mustang?", Cause.CONTRADICTION),
        ({"paraphrases": ("Who runs it?",)}, {"question": "Who runs it?", "subject": "shop"}, "Who runs it?", Cause.OVER_BROAD),
        ({"valid_from": date(2020, 1, 1)}, {"valid_from": date(2026, 1, 1)}, "maker", Cause.STALE_DATE),
        (
            {},
            {"question": "Who sews it?", "subject": "Mustang jeans", "aliases": ("Mustang",)},
            "Mustang: maker",
            Cause.NAMESAKE,
        ),
        (
            {"subject": "pony car", "question": "Who makes the pony car?"},
            {},
            "pony car: maker",
            Cause.CONTRADICTION,
        ),
        (
            {"subject": "Mustang jeans", "question": "Who sews?", "paraphrases": ("Who builds it?",)},
            {"paraphrases": ("Who builds it?",)},
            "Who builds it?",
            Cause.OVER_BROAD,
        ),
    ],
    ids=[
        "the same question",
        "a paraphrase that is another's question",
        "an older value",
        "another thing of the name",
        "the same thing under another of its names",
        "a paraphrase that is a paraphrase of another thing",
    ],
)
def test_why_two_records_contradict_one_another(own: dict[str, Any], other: dict[str, Any], about: str, cause: Cause) -> None:
    assert contradiction(replace(FORD, **own), replace(FORD, id="other", **other), about) is cause


def test_a_record_is_tried_by_its_words_its_names_and_attempts_to_undo_it() -> None:
    own = own_trials(FORD, DAY)
    assert [t.made for t in own] == ["its own question", "given", "wrapped", "wrapped", "another name"]
    made = [t.made for t in restoring_trials(FORD, DAY)]
    assert {"doubt", "told to forget", "role play", "old answer quoted", "unicode noise", "distraction"} <= set(made)
    assert "old answer quoted" not in [t.made for t in restoring_trials(replace(FORD, prior=""), DAY)]


def test_trials_of_others_are_asked_where_they_make_sense() -> None:
    assert [t.jurisdiction for t in place_trials(FORD, DAY, ["FR", "IT"])] == ["FR", "IT"]
    assert [t.question for t in neighbour_trials(FORD, [(JEANS, DAY, "met")])] == ["Who sews Mustang jeans?"]
    assert [t.question for t in namesake_trials(FORD, DAY)] == ["Who makes the New Mustang?", "Who makes the Mustang Junior?"]
    assert namesake_trials(replace(FORD, subject="standard rate"), DAY) == []
    assert [t.made for t in language_trials(FORD, DAY, {"de": ["Wer baut den Mustang?"]})] == ["de"]


def test_records_that_connect_are_asked_in_one_step() -> None:
    seat = Record("seat", "GLOBAL", "Where is Ford based?", "In Dearborn.", subject="Ford", target="Dearborn")
    found = connecting(FORD, {"ford": [version(seat)]})
    (trial,) = portability_trials(FORD, DAY, found)
    assert (trial.question, trial.expected) == ("Where is the maker of Mustang based?", "seat")


def test_every_records_own_question_comes_first_and_the_riskier_record_before_the_others() -> None:
    trials = [t for r in (JEANS, FORD) for t in (*own_trials(r, DAY), *restoring_trials(r, DAY))]
    order = in_order(trials, {"mustang": risk(FORD), "jeans": risk(JEANS)})
    assert [t.kind for t in order[:2]] == [Kind.EFFICACY, Kind.EFFICACY]
    assert order[0].of == "mustang"


def test_a_limit_leaves_something_of_every_kind() -> None:
    trials = in_order([*own_trials(FORD, DAY), *restoring_trials(FORD, DAY), *namesake_trials(FORD, DAY)], {})
    assert {t.kind for t in shares(trials, 6)} == {t.kind for t in trials}
    assert len(shares(trials, 6)) == 6
    assert shares(trials, None) == trials


def test_time_is_up_before_a_batch_that_would_not_fit() -> None:
    seconds = iter([0.0, 10.0, 10.0])
    clock = Clock(lambda: next(seconds), 15.0)
    assert clock.is_up(100, 100)
    assert not Clock(lambda: 99.0, None).is_up(1, 1)
    assert Budget().trials is None


def test_a_finding_reads_back_equal() -> None:
    found = judge(asked(Kind.NEIGHBOUR, Want.KEEP), OWN, THEIRS, HELD)
    assert Finding.from_json(found.to_json()) == found
    assert "before: jeans@1" in str(found)
