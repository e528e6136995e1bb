"""A question without the place and time that vetoes judge."""

from datetime import date

import pytest

from rag_edit.core.record import Record
from rag_edit.opening import place_reader
from rag_edit.scope.adjuncts import at_home, kept_for, text_for
from tests.scope.cases import reading

ASK = "What is the standard VAT rate?"
CASES = {
    "a place at the end": ("What is the standard VAT rate in Germany?", ASK),
    "a place in the middle": ("What is, in Germany, the standard VAT rate?", "What is the standard VAT rate?"),
    "a place and a year": ("What was the standard VAT rate in Germany in 2019?", "What was the standard VAT rate?"),
    "a whole date": ("What was the standard VAT rate on 1 October 2020?", "What was the standard VAT rate?"),
    "a place in German": ("Wie hoch ist die Mehrwertsteuer in Deutschland?", "Wie hoch ist die Mehrwertsteuer?"),
    "a place in French": ("Quel est le taux de TVA en France ?", "Quel est le taux de TVA?"),
    "a place in Spanish": ("¿Cuál es el tipo de IVA en España?", "¿Cuál es el tipo de IVA?"),
    "a day of the year stays: it is what is asked": (
        "Is 6 January a public holiday in Bavaria?",
        "Is 6 January a public holiday?",
    ),
    "nothing named, nothing cut": (ASK, ASK),
    "a question that is all place stays": ("Germany?", "Germany?"),
}


@pytest.mark.parametrize(("question", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_asked_of_a_located_record(question: str, expected: str) -> None:
    record = Record(id="a", jurisdiction="DE", question=ASK, answer="19 %", valid_from=date(2021, 1, 1))
    assert text_for(reading(question), record) == expected


def test_a_record_of_the_world_is_asked_the_whole_question() -> None:
    record = Record(id="a", jurisdiction="GLOBAL", question="What is the capital of France?", answer="Paris")
    assert text_for(reading("What is the capital of Spain in 2019?"), record) == "What is the capital of Spain in 2019?"


def test_words_that_the_record_itself_uses_stay() -> None:
    record = Record(id="a", jurisdiction="EU", question="What is the VAT rate in Germany?", answer="19 %")
    assert text_for(reading("What is the VAT rate in Germany?"), record) == "What is the VAT rate in Germany?"


@pytest.mark.parametrize("question", [question for question, _ in CASES.values()], ids=CASES.keys())
def test_each_kept_character_is_one_of_the_question(question: str) -> None:
    record = Record(id="a", jurisdiction="DE", question=ASK, answer="19 %", valid_from=date(2021, 1, 1))
    seen = reading(question)
    kept = kept_for(seen, record)
    assert len(kept.text) == len(kept.origin)
    assert list(kept.origin) == sorted(set(kept.origin))
    assert all(char in (seen.text[place], " ") for char, place in zip(kept.text, kept.origin, strict=True))


@pytest.mark.parametrize(
    ("own", "wording", "kept"),
    [
        ("DE", "What is the standard VAT rate in Germany?", "What is the standard VAT rate?"),
        ("DE", "What is the German VAT rate?", "What is the VAT rate?"),
        ("DE", "What's Germany's VAT rate?", "What's VAT rate?"),
        ("DE", "Germany: what is the VAT rate?", "what is the VAT rate?"),
        ("DE", "Wie hoch ist der Mindestlohn in Deutschland?", "Wie hoch ist der Mindestlohn?"),
        ("FR", "Quelle est la monnaie de la France ?", "Quelle est la monnaie?"),
        ("ES", "¿Cuál es el IVA en España?", "¿Cuál es el IVA?"),
        ("US-CA", "What is the minimum wage in California?", "What is the minimum wage?"),
        ("DE", "Is a licence from Poland valid in Germany?", "Is a licence from Poland valid?"),
        ("DE-BY", "What does parking cost in Munich?", "What does parking cost in Munich?"),
        ("IE", "What does parking cost in Dublin?", "What does parking cost in Dublin?"),
        ("GB", "Who is the governor of the Bank of England?", "Who is the governor of the Bank of England?"),
        ("FR", "Who is President of the French Republic?", "Who is President of the French Republic?"),
        ("FR", "Qui préside la Banque de France ?", "Qui préside la Banque de France ?"),
        ("AT", "When is Austria's National Day?", "When is Austria's National Day?"),
        ("DE", "Germany?", "Germany?"),
    ],
)
def test_a_located_record_is_read_without_the_place_that_it_is_kept_for(own: str, wording: str, kept: str) -> None:
    located = at_home(Record(id="vat", jurisdiction=own, question=wording, answer="19 %"), place_reader())
    assert located.question == kept


def test_wordings_that_differ_by_the_place_alone_are_one() -> None:
    record = Record(
        id="vat",
        jurisdiction="DE",
        question="What is the VAT rate?",
        answer="19 %",
        paraphrases=("What is the VAT rate in Germany?", "VAT, in Germany?"),
    )
    assert at_home(record, place_reader()).paraphrases == ("VAT, in Germany?",)


def test_a_record_of_the_world_keeps_its_places() -> None:
    record = Record(id="capital", jurisdiction="GLOBAL", question="What is the capital of Germany?", answer="Berlin")
    assert at_home(record, place_reader()) is record


def test_a_subject_that_holds_a_place_stays_whole() -> None:
    record = Record(id="fc", jurisdiction="DE", question="Who trains germany united?", answer="Ann", subject="Germany United")
    assert at_home(record, place_reader()) is record
