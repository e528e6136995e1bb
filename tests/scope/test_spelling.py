"""Slips of the fingers are mended by the words of records, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.scope.spelling import mended

RECORDS = (
    "What is the minimum wage in this country?",
    "Which currency is legal tender?",
    "What percentage of VAT is charged?",
    "Quel est le numéro des secours ?",
    "Wie hoch ist der Mehrwertsteuersatz?",
    "¿Cuál es el teléfono de emergencias?",
    "What limit holds for nitrate in water?",
)
KNOWN = frozenset("county tender minimal wages".split())


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        pytest.param("Which currncy do people use?", "Which currency do people use?", id="a letter left out"),
        pytest.param("which currrency?", "which currency?", id="a letter too many"),
        pytest.param("the percenatge of VAT", "the percentage of VAT", id="two letters that changed places"),
        pytest.param("le numéro des secors", "le numéro des secours", id="French"),
        pytest.param("Der Mehrwertsteurersatz", "Der Mehrwertsteuersatz", id="a German noun keeps its capital"),
        pytest.param("¿el teélfono?", "¿el teléfono?", id="with an accent"),
        pytest.param("Curency?", "Currency?", id="at the beginning"),
        pytest.param("nitrite in water", "nitrite in water", id="another letter may make another thing"),
        pytest.param("the county council", "the county council", id="a word that is known"),
        pytest.param("wgae", "wgae", id="too short to tell"),
        pytest.param("urrency", "urrency", id="the first letter is always hit"),
        pytest.param("minimum wage", "minimum wage", id="nothing to mend"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_slip_is_read_as_the_word_of_a_record_that_it_lies_next_to(typed: str, read: str) -> None:
    assert mended(typed, RECORDS, KNOWN.__contains__) == read


def test_a_slip_between_two_words_stays() -> None:
    assert mended("a hundrd stares", ["stairs and stars", "staires"], KNOWN.__contains__) == "a hundrd stares"


@given(st.text(max_size=60))
def test_nothing_is_mended_where_every_word_is_known(text: str) -> None:
    assert mended(text, RECORDS, lambda _: True) == text


@given(st.sampled_from(RECORDS))
def test_what_records_say_stays_as_it_is(text: str) -> None:
    assert mended(text, RECORDS, lambda _: False) == text
