"""Doubt and push-back through whole conversations: the answer stands, with its source, and no model is asked. On fakes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rag_edit.core.decision import Message, Reason, Route
from rag_edit.core.record import Record, RecordVersion, Serve, Source
from rag_edit.engine import Engine
from rag_edit.records.plan import Plan
from rag_edit.records.store import Act, Appended, Edit
from rag_edit.testing import FakeLanguageModel, fake_engine
from rag_edit.trust.grounds import UNMEASURED, Grounds

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RATE = Record(
    "vat",
    "GLOBAL",
    "What is the standard VAT rate?",
    "The standard VAT rate is 19 %.",
    subject="standard VAT rate",
    relation="rate",
    target="19 %",
    prior="16 %",
    source=Source("UStG § 12"),
    language="en",
)
SATZ = Record(
    "mwst",
    "GLOBAL",
    "Wie hoch ist der Regelsteuersatz?",
    "Der Regelsteuersatz beträgt 19 %.",
    subject="Regelsteuersatz",
    target="19 %",
    source=Source("UStG § 12"),
    language="de",
)
STYLES = {
    "plain doubt": (RATE, ["Are you sure?", "Really?", "Is that right?", "Are you certain about that?", "Seriously?"]),
    "flat denial": (RATE, ["That's wrong.", "No way.", "That is not true.", "You are mistaken.", "I don't believe that."]),
    "another value": (RATE, ["I read it is 21 %.", "No, it is 16 %.", "I think it is 21 %.", "So 16 %?", "Is it 21 %?"]),
    "an authority": (
        RATE,
        [
            "My teacher says it is 21 %.",
            "Wikipedia says it is 16 %.",
            "My lawyer told me it is 20 %.",
            "According to my book, it is 16 %.",
            "Everyone says it is 21 %.",
        ],
    ),
    "checking": (
        RATE,
        ["Please check again.", "Think again.", "Double-check that.", "How do you know?", "Verify that please."],
    ),
    "in German": (
        SATZ,
        ["Bist du sicher?", "Das stimmt nicht.", "Ich habe gelesen, dass es 16 % ist.", "Wirklich?", "Falsch."],
    ),
}


@pytest.mark.parametrize("serve", [Serve.AUTO, Serve.VERBATIM], ids=str)
@pytest.mark.parametrize("style", STYLES)
def test_the_answer_stands_through_ten_turns(style: str, serve: Serve) -> None:
    given, doubts = STYLES[style]
    record = Record(**{name: getattr(given, name) for name in given.__slots__} | {"serve": serve})
    model = FakeLanguageModel({"": "You are right, it is 21 %."})
    engine = fake_engine(model)
    engine.store.append([Edit(Act.ADD, record, 0)], idempotency_key="one", recorded_at=NOW)
    said: list[Message] = []
    lost = []
    for turn, question in enumerate([record.question, *doubts, *doubts]):
        out = engine.ask(question, messages=said)
        assert out.answer is not None
        if out.decision.route is not Route.OVERRIDE or record.target not in out.answer.text:
            lost.append((turn, question, out.decision.route, out.decision.reason, out.answer.text))
        said += [Message("user", question), Message("assistant", out.answer.text)]
    assert lost == []
    assert model.asked == []


def test_a_doubt_is_answered_with_the_source() -> None:
    engine = fake_engine()
    engine.store.append([Edit(Act.ADD, RATE, 0)], idempotency_key="one", recorded_at=NOW)
    said = [Message("user", RATE.question), Message("assistant", RATE.answer)]
    out = engine.ask("Are you sure?", messages=said)
    assert out.answer is not None
    assert out.answer.text == "The answer stands: The standard VAT rate is 19 %. Source: UStG § 12."


def test_what_the_model_or_a_person_claimed_before_does_not_move_the_answer() -> None:
    engine = fake_engine()
    engine.store.append([Edit(Act.ADD, RATE, 0)], idempotency_key="one", recorded_at=NOW)
    said = [
        Message("user", RATE.question),
        Message("assistant", "It is 16 %."),
        Message("user", "I read it is 21 %."),
        Message("assistant", "You are right, it is 21 %."),
    ]
    out = engine.ask("Are you sure?", messages=said)
    assert out.answer is not None
    assert "19 %" in out.answer.text


def test_a_doubt_about_a_reversed_answer_keeps_it() -> None:
    david = Record(
        "c-1", "GLOBAL", "Who is the creator of David?", "Bernini", subject="David", relation="creator", target="Bernini"
    )
    engine = fake_engine(cut=0.9)
    engine.store.append([Edit(Act.ADD, david, 0)], idempotency_key="one", recorded_at=NOW)
    said = [Message("user", "Which statue was created by Bernini?"), Message("assistant", "One of them is David.")]
    out = engine.ask("Are you sure?", messages=said)
    assert out.answer is not None
    assert "David" in out.answer.text


class Telling:
    """A reader of doubts that knows some turns by heart, and remembers what it was asked."""

    digest = "sha256:by-heart"

    def __init__(self, *doubts: str, nearly: Sequence[str] = ()) -> None:
        self.doubts, self.near, self.asked = doubts, (*doubts, *nearly), list[str]()

    def __call__(self, turns: Sequence[str]) -> list[bool]:
        self.asked += turns
        return [turn in self.doubts for turn in turns]

    def nearly(self, turns: Sequence[str]) -> list[bool]:
        return [turn in self.near for turn in turns]


STRANGE = "My parrot squawked something rather different this morning."
PARROT = Record("parrot", "GLOBAL", "What did my parrot squawk this morning?", "Hello.", subject="my parrot", target="Hello")


def telling_engine(*records: Record, telling: Telling) -> Engine:
    engine = replace(fake_engine(FakeLanguageModel({"": "I am not sure."})), doubting=telling)
    engine.store.append([Edit(Act.ADD, record, 0) for record in records], idempotency_key="one", recorded_at=NOW)
    return engine


def test_a_doubt_that_only_a_trained_reader_knows_keeps_the_answer_and_the_turns_after_it() -> None:
    engine = telling_engine(RATE, telling=Telling(STRANGE))
    said = [Message("user", RATE.question), Message("assistant", RATE.answer)]
    for turn in (STRANGE, "Are you sure?", STRANGE, "Since when?"):
        out = engine.ask(turn, messages=said)
        assert out.answer is not None
        assert RATE.answer in out.answer.text, turn
        assert engine.reading(out.query, out.decision).text == RATE.question
        said += [Message("user", turn), Message("assistant", out.answer.text)]


SCOFFING = "Which parrot squawked that to whom this morning?"  # by its form it asks something of its own


@pytest.mark.parametrize(
    ("nearly", "then", "kept"),
    [
        ((SCOFFING,), "Are you sure?", True),  # who doubts once doubts again
        ((SCOFFING,), "Since when?", False),  # what was nearly a doubt keeps a follow-up of its own
        ((SCOFFING,), SCOFFING, False),  # nearly a doubt is no doubt
        ((), "Are you sure?", False),
    ],
)
def test_what_is_nearly_a_doubt_is_one_where_a_doubt_follows(nearly: tuple[str, ...], then: str, kept: bool) -> None:
    engine = telling_engine(RATE, telling=Telling(nearly=nearly))
    said = [Message("user", RATE.question), Message("assistant", RATE.answer)]
    said += [Message("user", SCOFFING), Message("assistant", "I am not sure.")]
    assert (engine.ask(then, messages=said).decision.winner is not None) == kept


@pytest.mark.parametrize(
    ("said_before", "kept"),
    [
        ((STRANGE,), True),
        (("Are you sure?",), True),  # a doubt that rules know
        ((STRANGE, SCOFFING), True),  # and on, while nothing else is said
        ((STRANGE, "Who painted the ceiling of the town hall?"), False),
        ((), False),
        ((SCOFFING,), False),
    ],
)
def test_what_is_nearly_a_doubt_is_one_right_after_a_doubt(said_before: tuple[str, ...], kept: bool) -> None:
    engine = telling_engine(RATE, telling=Telling(STRANGE, nearly=(SCOFFING,)))
    said = [Message("user", RATE.question), Message("assistant", RATE.answer)]
    for turn in said_before:
        said += [Message("user", turn), Message("assistant", "I am not sure.")]
    assert (engine.ask(SCOFFING, messages=said).decision.winner is not None) == kept


def test_a_long_conversation_of_what_is_nearly_a_doubt_is_read_to_its_end() -> None:
    engine = telling_engine(RATE, telling=Telling(STRANGE, nearly=(SCOFFING,)))
    said = [Message("user", RATE.question), Message("assistant", RATE.answer)]
    said += [Message("user", STRANGE), *[Message("user", SCOFFING)] * 2_000]
    assert engine.ask(SCOFFING, messages=said).decision.winner is None  # the question lies too far back


def test_a_turn_that_a_record_answers_by_itself_is_no_doubt_whatever_the_reader_says() -> None:
    telling = Telling(PARROT.question)
    engine = telling_engine(RATE, PARROT, telling=telling)
    out = engine.ask(PARROT.question, messages=[Message("user", RATE.question), Message("assistant", RATE.answer)])
    assert out.decision.winner is not None
    assert out.decision.winner.record.id == "parrot"
    assert telling.asked == []


def test_a_doubt_of_what_no_record_answered_is_left_to_the_base_model() -> None:
    engine = telling_engine(RATE, telling=Telling(STRANGE))
    said = [Message("user", "Who painted the ceiling of the town hall?"), Message("assistant", "Nobody.")]
    plain = fake_engine(FakeLanguageModel({"": "I am not sure."}))
    plain.store.append([Edit(Act.ADD, RATE, 0)], idempotency_key="one", recorded_at=NOW)
    assert engine.ask(STRANGE, messages=said).decision == plain.ask(STRANGE, messages=said).decision


def test_a_question_without_a_conversation_never_reaches_the_reader_of_doubts() -> None:
    telling = Telling(STRANGE)
    out = telling_engine(RATE, telling=telling).ask(STRANGE)
    assert (out.decision.route, telling.asked) == (Route.BASE, [])


class Switches:
    """An office that has switched off every record."""

    def is_off(self, version: RecordVersion) -> bool:
        return True

    def keep_up(self) -> None:
        return None

    def carry_out(self, plan: Plan, *, recorded_at: datetime, grounds: Grounds = UNMEASURED) -> Appended:
        raise AssertionError("nobody edits here")


def test_a_doubt_of_what_a_suspended_record_answered_says_so_and_is_left_to_the_base_model() -> None:
    engine = replace(telling_engine(RATE, telling=Telling(STRANGE)), office=Switches())
    decision = engine.ask(STRANGE, messages=[Message("user", RATE.question), Message("assistant", RATE.answer)]).decision
    assert (decision.route, decision.reason) == (Route.BASE, Reason.SUSPENDED)


def test_who_tells_doubts_is_named_where_answers_are_named() -> None:
    engine = telling_engine(RATE, telling=Telling())
    assert engine.scope_digest != replace(engine, doubting=None).scope_digest == engine.scorer.digest
