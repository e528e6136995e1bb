"""Doubts that somebody trained tells, beside the rules: whom they go before, whom they give way to, and what stands afterwards."""

from datetime import date

import pytest

from rag_edit.core.decision import Form, Message, Query
from rag_edit.scope.reading import read, turns_to_doubt
from tests.scope.cases import READER

VAT = "What is the standard VAT rate in Germany?"
STRANGE = "My parrot squawked something rather different this morning."


def asked(*turns: str) -> Query:
    """Return the last turn as a question after the others."""
    *before, question = turns
    return Query(question, "DE", date(2026, 11, 23), tuple(Message("user", turn) for turn in before))


def always(_turn: str) -> bool:
    return True


def test_a_turn_that_no_rule_knows_is_a_doubt_where_the_reader_says_so() -> None:
    query = asked(VAT, STRANGE)
    assert read(query, READER.read).follows is None
    found = read(query, READER.read, always)
    assert (found.text, found.form.form, found.follows and found.follows.how) == (VAT, Form.DOUBT, "doubt")


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        ("And in France?", "What is the standard VAT rate in France?"),
        ("and in 2019?", "What is the standard VAT rate in Germany in 2019?"),
        ("What about the reduced VAT rate?", "What is the reduced VAT rate in Germany?"),
        ("thanks!", ""),
    ],
    ids=["another place", "another date", "another thing", "thanks"],
)
def test_what_the_rules_read_as_a_follow_up_of_its_own_goes_first(turn: str, text: str) -> None:
    query = asked(VAT, turn)
    assert read(query, READER.read, always) == read(query, READER.read)
    assert read(query, READER.read).text == text


def test_an_earlier_doubt_leaves_the_question_standing() -> None:
    query = asked(VAT, "Did anybody at all bother to ask the lady with the purple hat?", "Since when?")
    assert read(query, READER.read).text != VAT
    assert read(query, READER.read, lambda turn: "purple" in turn).text == VAT


def test_the_first_turn_of_a_conversation_doubts_nothing() -> None:
    query = asked(STRANGE)
    assert turns_to_doubt(query) == ()
    assert read(query, READER.read, always) == read(query, READER.read)


def test_only_the_turns_that_were_announced_are_asked_about() -> None:
    query = asked(VAT, "Who’s  asking?", "It’s all in the stars. Look up. Who painted them?", STRANGE * 60)
    seen: list[str] = []

    def listening(turn: str) -> bool:
        seen.append(turn)
        return False

    read(query, READER.read, listening)
    assert seen
    assert set(seen) <= set(turns_to_doubt(query))
