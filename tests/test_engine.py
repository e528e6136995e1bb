"""The engine on fakes: the properties of DESIGN.md, section 2, which hold for ever.

The stages are the real ones; encoder and language model are fakes, so that a thousand homes can be built in seconds.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_edit.core.atlas import default_atlas
from rag_edit.core.decision import Reason, Route
from rag_edit.core.record import Record
from rag_edit.engine import Engine, Outcome
from rag_edit.records.store import Act, Edit
from rag_edit.testing import fake_engine

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TODAY = date(2026, 11, 22)
PLACES = ["GLOBAL", "EU", "DE", "DE-BY", "AT", "FR", "US", "US-CA"]
SUBJECTS = ["standard VAT rate", "reduced VAT rate", "minimum wage", "emergency number", "speed limit in towns"]


@st.composite
def records(draw: st.DrawFn) -> Record:
    subject = draw(st.sampled_from(SUBJECTS))
    place = draw(st.sampled_from(PLACES))
    start = draw(st.sampled_from([None, date(2020, 1, 1), date(2026, 1, 1), date(2027, 1, 1)]))
    end = draw(st.sampled_from([None, date(2028, 1, 1)]))
    target = draw(st.sampled_from(["19 %", "20 %", "112", "50 km/h"]))
    institution = draw(st.sampled_from(["", "Ministry", "Agency"]))
    return Record(
        id=f"{place}/{subject.replace(' ', '-')}/{start or 'ever'}/{end or 'on'}/{institution or 'none'}",
        jurisdiction=place,
        subject=subject,
        question=f"What is the {subject}?",
        answer=f"The {subject} is {target}.",
        target=target,
        valid_from=start,
        valid_to=end,
        institution=institution,
        binding=draw(st.booleans()),
    )


SETS = st.lists(records(), min_size=1, max_size=8, unique_by=lambda r: r.id)
QUESTIONS = st.sampled_from(
    [f"What is the {s}?" for s in SUBJECTS]
    + ["the standard VAT rate is", "Who wrote Faust?", "what's the minimum wage in France?", "thanks"]
)


def fill(engine: Engine, these: Sequence[Record]) -> Engine:
    """Append ``these`` one by one, straight to the store: conflicts are left for the decision to meet."""
    for record in these:
        engine.store.append([Edit(Act.ADD, record, 0)], idempotency_key=f"add {record.id}", recorded_at=NOW)
    return engine


def seen(outcome: Outcome) -> tuple[Any, ...]:
    """Return all of an outcome that a user can see, without the positions that depend on the order of the log."""
    d = outcome.decision
    assert outcome.answer is not None
    return (
        outcome.answer,
        d.route,
        d.reason,
        d.winner.record if d.winner else None,
        d.score,
        tuple((v.candidate.version.record, v.candidate.partition, v.score, v.reason, v.note) for v in d.verdicts),
        tuple(v.record for v in d.contenders),
    )


QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(SETS, QUESTIONS, st.sampled_from(PLACES))
def test_records_outside_the_chain_change_nothing(these: list[Record], question: str, place: str) -> None:
    atlas = default_atlas()
    chain = set(map(str, atlas.chain(atlas.parse(place), TODAY)))
    everything = fill(fake_engine(), these).ask(question, jurisdiction=place, as_of=TODAY)
    restricted = fill(fake_engine(), [r for r in these if r.jurisdiction in chain]).ask(
        question, jurisdiction=place, as_of=TODAY
    )
    assert seen(everything) == seen(restricted)


@QUICK
@given(SETS, QUESTIONS, st.sampled_from(PLACES), st.randoms())
def test_any_order_of_the_same_edits_gives_the_same_answers(
    these: list[Record], question: str, place: str, random: Any
) -> None:
    shuffled = random.sample(these, len(these))
    one, other = (fill(fake_engine(), order).ask(question, jurisdiction=place, as_of=TODAY) for order in (these, shuffled))
    assert seen(one) == seen(other)


@QUICK
@given(SETS, records(), QUESTIONS, st.sampled_from(PLACES))
def test_retracting_an_edit_undoes_it_exactly(these: list[Record], extra: Record, question: str, place: str) -> None:
    engine = fill(fake_engine(), [r for r in these if r.id != extra.id])
    before = engine.ask(question, jurisdiction=place, as_of=TODAY)
    fill(engine, [extra])
    engine.ask(question, jurisdiction=place, as_of=TODAY)
    engine.store.append([Edit(Act.RETRACT, extra, 1, reason="undo")], idempotency_key="undo", recorded_at=NOW)
    assert seen(engine.ask(question, jurisdiction=place, as_of=TODAY)) == seen(before)


@QUICK
@given(SETS, st.lists(QUESTIONS, min_size=1, max_size=5), st.sampled_from(PLACES))
def test_a_batch_answers_as_its_questions_alone(these: list[Record], questions: list[str], place: str) -> None:
    engine = fill(fake_engine(), these)
    queries = [engine.query(q, jurisdiction=place, as_of=TODAY) for q in questions]
    together = [seen(o) for o in engine.ask_many(queries)]
    assert together == [seen(engine.ask_many([query])[0]) for query in queries]


@QUICK
@given(records(), QUESTIONS)
def test_the_decision_does_not_see_the_answer(record: Record, question: str) -> None:
    other = replace(record, answer="Something else altogether.", target="something else", prior="x", rationale="y")
    one, two = (
        fill(fake_engine(), [r]).ask(question, jurisdiction=record.jurisdiction, as_of=TODAY).decision for r in (record, other)
    )
    assert (one.route, one.reason, one.score) == (two.route, two.reason, two.score)


@QUICK
@given(SETS, QUESTIONS, st.sampled_from(PLACES))
def test_an_answering_record_is_in_the_chain_and_valid_on_the_day(these: list[Record], question: str, place: str) -> None:
    outcome = fill(fake_engine(), these).ask(question, jurisdiction=place, as_of=TODAY)
    atlas = default_atlas()
    chain = set(map(str, atlas.chain(atlas.parse(place), TODAY)))
    used = [v for v in (outcome.decision.winner, *outcome.decision.contenders) if v]
    assert all(v.record.jurisdiction in chain and v.record.is_valid_at(TODAY) for v in used)


@QUICK
@given(SETS, QUESTIONS, st.sampled_from(PLACES))
def test_what_no_record_answers_is_the_base_models_own_words(these: list[Record], question: str, place: str) -> None:
    engine = fill(fake_engine(), these)
    outcome = engine.ask(question, jurisdiction=place, as_of=TODAY, with_base=True)
    bare = fake_engine().ask(question, jurisdiction=place, as_of=TODAY)
    assert outcome.base is not None
    assert bare.answer is not None
    assert outcome.base.text == bare.answer.text
    if outcome.decision.route is Route.BASE:
        assert outcome.answer == outcome.base


def test_the_same_question_has_another_answer_in_another_place() -> None:
    engine = fill(
        fake_engine(),
        [
            Record(
                id="de",
                jurisdiction="DE",
                subject="standard VAT rate",
                question="What is the standard VAT rate?",
                answer="19 %",
            ),
            Record(
                id="fr",
                jurisdiction="FR",
                subject="standard VAT rate",
                question="What is the standard VAT rate?",
                answer="20 %",
            ),
        ],
    )
    served = {
        place: engine.ask("What is the standard VAT rate?", jurisdiction=place, as_of=TODAY)
        for place in ("DE", "DE-BY", "FR", "ES")
    }
    texts = {place: o.answer.text if o.decision.route is Route.OVERRIDE and o.answer else None for place, o in served.items()}
    assert texts == {"DE": "19 %", "DE-BY": "19 %", "FR": "20 %", "ES": None}


def test_the_same_question_has_another_answer_on_another_day() -> None:
    ask = "What is the standard VAT rate?"
    engine = fill(
        fake_engine(),
        [
            Record(
                id="a",
                jurisdiction="DE",
                subject="standard VAT rate",
                question=ask,
                answer="16 %",
                valid_from=date(2020, 7, 1),
                valid_to=date(2021, 1, 1),
            ),
            Record(
                id="b", jurisdiction="DE", subject="standard VAT rate", question=ask, answer="19 %", valid_from=date(2021, 1, 1)
            ),
        ],
    )
    served = [
        engine.ask(ask, jurisdiction="DE", as_of=day).decision
        for day in (date(2020, 6, 30), date(2020, 7, 1), date(2020, 12, 31), date(2021, 1, 1))
    ]
    assert [d.winner.record.id if d.winner else d.reason for d in served] == [Reason.NOT_YET_VALID, "a", "a", "b"]


def test_records_that_contradict_one_another_are_both_cited_and_neither_served() -> None:
    ask = "What is the standard VAT rate?"
    engine = fill(
        fake_engine(),
        [
            Record(
                id="a",
                jurisdiction="DE",
                subject="standard VAT rate",
                question=ask,
                answer="It is 16 %.",
                institution="Ministry",
            ),
            Record(
                id="b", jurisdiction="DE", subject="standard VAT rate", question=ask, answer="It is 19 %.", institution="Agency"
            ),
        ],
    )
    outcome = engine.ask(ask, jurisdiction="DE", as_of=TODAY)
    assert (outcome.decision.route, outcome.decision.reason) == (Route.ABSTAIN, Reason.CONFLICT)
    assert outcome.answer is not None
    assert all(part in outcome.answer.text for part in ("a", "b", "16 %", "19 %"))


def test_an_edit_is_seen_by_the_next_question() -> None:
    engine = fake_engine()
    ask = "What is the standard VAT rate?"
    assert engine.ask(ask, jurisdiction="DE", as_of=TODAY).decision.route is Route.BASE
    fill(engine, [Record(id="a", jurisdiction="DE", subject="standard VAT rate", question=ask, answer="19 %")])
    assert engine.ask(ask, jurisdiction="DE", as_of=TODAY).decision.route is Route.OVERRIDE


CREATED = Record(
    "c-1", "GLOBAL", "Who is the creator of David?", "Bernini", subject="David", relation="creator", target="Bernini"
)


def asked_of(these: Sequence[Record], question: str) -> Outcome:
    return fill(fake_engine(cut=0.9), these).ask(question)


def test_a_reversed_question_is_answered_by_the_subject_of_the_record_that_says_it() -> None:
    out = asked_of([CREATED], "Which statue was created by Bernini?")
    assert out.decision.form == "reversed"
    assert out.decision.winner is not None
    assert out.answer is not None
    assert out.answer.text == "One of them is David."


def test_records_that_say_the_same_of_several_subjects_are_all_named() -> None:
    other = replace(CREATED, id="c-2", question="Who is the creator of Daphne?", subject="Daphne")
    out = asked_of([other, CREATED], "Which statue was created by Bernini?")
    assert out.answer is not None
    assert out.answer.text == "Among them are David and Daphne."
    assert [v.reason for v in out.decision.verdicts[:2]] == [Reason.IN_SCOPE, Reason.SAME_ANSWER]


def test_a_reversed_question_is_left_to_the_base_model_where_records_disagree_or_do_not_hold() -> None:
    question = "Which statue was created by Bernini?"
    past = replace(CREATED, valid_to=date(2020, 1, 1))
    assert asked_of([past], question).decision.route is Route.BASE
    assert asked_of([replace(CREATED, jurisdiction="DE")], question).decision.route is Route.BASE
    assert asked_of([CREATED], "Who created Bernini?").decision.route is Route.BASE


@given(target=st.sampled_from(["Bernini", "19 %", "yes", "a bust", "David"]))
def test_what_a_record_says_does_not_move_the_forward_decision(target: str) -> None:
    question = "Who is the creator of David?"
    decisions = [asked_of([replace(CREATED, target=t, answer=t)], question).decision for t in ("Somebody", target)]
    assert len({(d.route, d.reason, d.score, d.winner and d.winner.record.id) for d in decisions}) == 1
