"""Vetoes of date, place and number, as tables: what the question says, what the record says, what follows."""

from datetime import date
from typing import Any

import pytest

from rag_edit.core.decision import Reason
from rag_edit.scope.policies import (
    asks_for_no_other_kind,
    asks_of_what_is_described,
    holds_on_the_day,
    names_both,
    names_its_day,
    names_no_other_place,
    names_the_same_day,
    names_the_same_numbers,
    no_policy,
    object_all,
)
from tests.scope.cases import ATLAS, READER, TODAY, candidate, reading

FROM_2020, UNTIL_2021 = date(2020, 7, 1), date(2021, 1, 1)

DAYS = {
    "a record without bounds holds today": ({}, "What is the VAT rate?", TODAY, None),
    "a record holds on its first day": ({"valid_from": TODAY}, "What is the VAT rate?", TODAY, None),
    "a record does not hold on its last, open day": ({"valid_to": TODAY}, "What is the VAT rate?", TODAY, Reason.EXPIRED),
    "a record does not hold before its first day": (
        {"valid_from": date(2027, 1, 1)},
        "What is the VAT rate?",
        TODAY,
        Reason.NOT_YET_VALID,
    ),
    "a year in the question goes before the day of asking": (
        {"valid_from": FROM_2020, "valid_to": UNTIL_2021},
        "What was the VAT rate in 2020?",
        TODAY,
        None,
    ),
    "a day in the question goes before the day of asking": (
        {"valid_from": FROM_2020, "valid_to": UNTIL_2021},
        "What was the VAT rate on 30 June 2020?",
        TODAY,
        Reason.OTHER_DATE,
    ),
    "today's record does not answer for another year": (
        {"valid_from": UNTIL_2021},
        "What was the VAT rate in 2019?",
        TODAY,
        Reason.OTHER_DATE,
    ),
    "a month in German is read": (
        {"valid_from": FROM_2020, "valid_to": UNTIL_2021},
        "Wie hoch war die MwSt im Oktober 2020?",
        TODAY,
        None,
    ),
    "the day of asking counts where the question names none": (
        {"valid_from": FROM_2020, "valid_to": UNTIL_2021},
        "How high is VAT?",
        date(2020, 10, 1),
        None,
    ),
}


@pytest.mark.parametrize(("bounds", "question", "as_of", "expected"), DAYS.values(), ids=DAYS.keys())
def test_validity(bounds: dict[str, date], question: str, as_of: date, expected: Reason | None) -> None:
    found = holds_on_the_day(reading(question, as_of=as_of), candidate(**bounds))
    assert (found.reason if found else None) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param("When is Plebiscite 1902 Trevelin?", None, id="the year is the name's"),
        pytest.param("Was Plebiscite 1902 Trevelin a holiday in 1980?", Reason.OTHER_DATE, id="another year is the question's"),
    ],
)
def test_a_year_in_a_records_name_is_not_the_day_asked(asked: str, expected: Reason | None) -> None:
    record = candidate("AR", "When is it kept?", subject="Plebiscite 1902 Trevelin", valid_from=date(2002, 1, 1))
    found = holds_on_the_day(reading(asked, as_of=TODAY), record)
    assert (found.reason if found else None) == expected


SAME_DAY = {
    "the same day of the year agrees": ("Is 6 January a public holiday?", "Is the 6th of January a day off?", None),
    "another day of the year does not": ("Is 6 January a public holiday?", "Is 7 January a public holiday?", Reason.OTHER_DATE),
    "a day in another language agrees": ("Is 6 January a public holiday?", "Ist der 6. Januar ein Feiertag?", None),
    "a question without a day is left to the score": ("Is 6 January a public holiday?", "Is Epiphany a public holiday?", None),
    "another year in the record's own question": (
        "Who won the 2006 World Cup?",
        "Who won the 2010 World Cup?",
        Reason.OTHER_DATE,
    ),
    "the same year agrees": ("Who won the 2006 World Cup?", "Which country was champion in 2006?", None),
}


@pytest.mark.parametrize(("known", "question", "expected"), SAME_DAY.values(), ids=SAME_DAY.keys())
def test_days_and_years_named_on_both_sides(known: str, question: str, expected: Reason | None) -> None:
    found = names_the_same_day(reading(question), candidate(question=known))
    assert (found.reason if found else None) == expected


ITS_DAY = {
    "the day": ("Is 21 April a day off?", None),
    "what the day is called": ("Do we get San Jacinto Day off?", None),
    "another holiday": ("Do we get All Saints' Day off as a public holiday?", Reason.OTHER_DATE),
    "no day at all": ("How many days of holiday do employees get a year?", Reason.OTHER_DATE),
    "another day is for another policy": ("Is 22 April a day off?", None),
    "a day in words that are not read": ("Am I off work on April the twenty-first?", None),
    "a day with a slip of the pen": ("Is the 21 Aprll a day off?", None),
    "a day told in words": ("Were shops closed last week?", None),
}


@pytest.mark.parametrize(("question", "expected"), ITS_DAY.values(), ids=ITS_DAY.keys())
def test_a_record_about_one_day_answers_what_names_that_day(question: str, expected: Reason | None) -> None:
    day = candidate("US-TX", "Is 21 April a public holiday?", subject="21 April", aliases=("April 21", "San Jacinto Day"))
    found = names_its_day(reading(question), day)
    assert (found.reason if found else None) == expected


def test_a_record_about_one_day_that_may_be_asked_without_it_answers_so() -> None:
    day = candidate("US-TX", "Is 21 April a public holiday?", subject="21 April", paraphrases=("Do we have the day off?",))
    assert names_its_day(reading("Do we get a day off?"), day) is None


NUMBERS = {
    "other numbers are other things": ("Who made Windows 95?", "Who made Windows 98?", Reason.OTHER_NUMBER),
    "the same number agrees": ("Who made Windows 95?", "Which company released Windows 95?", None),
    "a record without numbers is left to the score": ("Who made Windows?", "Who made Windows 98?", None),
    "a number in a yes/no question is a proposed answer": ("What is speed limit 2?", "Is the limit 50?", None),
    "a date is no number here": ("What is article 5?", "What is article 5 as of 2019?", None),
}


@pytest.mark.parametrize(("known", "question", "expected"), NUMBERS.values(), ids=NUMBERS.keys())
def test_numbers(known: str, question: str, expected: Reason | None) -> None:
    found = names_the_same_numbers(reading(question), candidate(question=known))
    assert (found.reason if found else None) == expected


PLACES = {
    "no place takes the deployment's": ("DE", "What is the standard VAT rate?", None),
    "the record's own place": ("DE", "What is the standard VAT rate in Germany?", None),
    "the record's own place in German": ("DE", "Wie hoch ist die Mehrwertsteuer in Deutschland?", None),
    "the record's own place in Japanese": ("DE", "ドイツの付加価値税率は何ですか?", None),
    "a place below the record's is covered": ("DE", "What is the standard VAT rate in Bavaria?", None),
    "another country is not": ("DE", "What is the standard VAT rate in Austria?", Reason.OTHER_PLACE),
    "a place above the record's is not": ("DE-BY", "Is 6 January a holiday in Germany?", Reason.OTHER_PLACE),
    "a sibling is not": ("DE-BY", "Is 6 January a holiday in Saxony?", Reason.OTHER_PLACE),
    "a bloc's record covers its members": ("EU", "What is the emergency number in France?", None),
    "a bloc's record does not cover outsiders": ("EU", "What is the emergency number in Switzerland?", Reason.OTHER_PLACE),
    "a former member is an outsider": ("EU", "What is the emergency number in the United Kingdom?", Reason.OTHER_PLACE),
    "the world's record covers all": ("GLOBAL", "What is the standard VAT rate in Austria?", None),
}


@pytest.mark.parametrize(("place", "question", "expected"), PLACES.values(), ids=PLACES.keys())
def test_places(place: str, question: str, expected: Reason | None) -> None:
    policy = names_no_other_place(lambda j, p: ATLAS.covers(j, p, TODAY), READER.read)
    found = policy(reading(question), candidate(place))
    assert (found.reason if found else None) == expected


def test_a_place_that_is_part_of_the_subject_is_a_name() -> None:
    policy = names_no_other_place(lambda j, p: ATLAS.covers(j, p, TODAY), READER.read)
    about = candidate("DE", "Who runs the Bank of France office?", subject="Bank of France")
    assert policy(reading("Who is the head of the Bank of France?"), about) is None


def test_an_objection_says_what_was_read() -> None:
    policy = names_no_other_place(lambda j, p: ATLAS.covers(j, p, TODAY), READER.read)
    found = policy(reading("What is the VAT rate in Austria?"), candidate("DE"))
    assert found is not None
    assert found.note == "the question names Austria (AT), the record is for DE"


def test_no_policies_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="no_policy"):
        object_all((), reading("x"), candidate())
    assert object_all((no_policy,), reading("x"), candidate()) is None


OLDER = {"question": "Who was born earlier, Emma Bull or Virginia Woolf?", "subject": ""}


@pytest.mark.parametrize(
    ("asked", "fields", "expected"),
    [
        pytest.param("When was Virginia Woolf born?", OLDER, Reason.OTHER_SUBJECT, id="one of the two"),
        pytest.param("Was Virginia Woolf born before Emma Bull?", OLDER, None, id="both, in other words"),
        pytest.param("who is older virginia wolf or emma bull", OLDER, None, id="both, misspelt"),
        pytest.param("Wer wurde früher geboren, Emma Bull oder Virginia Woolf?", OLDER, None, id="both, in another language"),
        pytest.param(
            "When was Emma Bull born?",
            {**OLDER, "paraphrases": ("When was Emma Bull born?",)},
            None,
            id="a wording of the record names one alone",
        ),
        pytest.param(
            "How high is VAT?", {"question": "How high is VAT or sales tax?"}, None, id="what stands at the or are no names"
        ),
    ],
)
def test_a_record_about_two_names_answers_nothing_about_one(
    asked: str, fields: dict[str, Any], expected: Reason | None
) -> None:
    found = names_both(reading(asked), candidate("GLOBAL", **fields))
    assert (found and found.reason) == expected


PAINTER = {"question": "In which year was the painter who founded the Sezession Hall born?", "subject": ""}


@pytest.mark.parametrize(
    ("asked", "fields", "expected"),
    [
        pytest.param("When was Sezession Hall built?", PAINTER, Reason.OTHER_SUBJECT, id="of the name alone"),
        pytest.param("When was the man born who founded the Sezession Hall?", PAINTER, None, id="of somebody described"),
        pytest.param("birth year of the Sezession Hall painter", PAINTER, None, id="of what is described, by its word"),
        pytest.param("Who founded the Sezession Hall?", PAINTER, None, id="who is asked for: left to the scorer"),
        pytest.param(
            "When was Sezession Hall built?",
            {**PAINTER, "subject": "Sezession Hall"},
            None,
            id="the record says what it is about",
        ),
        pytest.param(
            "Wann wurde die Villa Hügel gebaut?",
            {"question": "Wie hieß der Fabrikant, der die Villa Hügel baute?", "subject": ""},
            Reason.OTHER_SUBJECT,
            id="in German",
        ),
        pytest.param(
            "When was Hamlet written?", {"question": "Who wrote Hamlet?", "subject": ""}, None, id="nothing is described"
        ),
        pytest.param(
            "What is VAT?", {"question": "What is the tax that shops add?", "subject": ""}, None, id="nothing is named"
        ),
    ],
)
def test_a_name_that_only_describes_is_not_what_a_record_is_about(
    asked: str, fields: dict[str, Any], expected: Reason | None
) -> None:
    found = asks_of_what_is_described(reading(asked), candidate("GLOBAL", **fields))
    assert (found and found.reason) == expected


FATIGUE = {"subject": "fatigue", "relation": "health specialty", "question": "What is the health specialty of fatigue?"}
SOFTWARE = {"subject": "Scilab", "relation": "GUI toolkit", "question": "What is the GUI toolkit of Scilab?"}


@pytest.mark.parametrize(
    ("asked", "fields", "expected"),
    [
        pytest.param("What is a common symptom associated with fatigue?", FATIGUE, Reason.OTHER_SUBJECT, id="a symptom"),
        pytest.param("What's a common symptom of fatigue?", FATIGUE, Reason.OTHER_SUBJECT, id="in short"),
        pytest.param("Name a typical sign of fatigue.", FATIGUE, Reason.OTHER_SUBJECT, id="an order"),
        pytest.param("What type of software is Scilab known for?", SOFTWARE, Reason.OTHER_SUBJECT, id="a type"),
        pytest.param("What is Scilab known for?", SOFTWARE, Reason.OTHER_SUBJECT, id="fame alone"),
        pytest.param("What is a well-known feature or aspect of Scilab?", SOFTWARE, Reason.OTHER_SUBJECT, id="two kinds"),
        pytest.param("What is a popular toolkit for Scilab?", SOFTWARE, None, id="of the record's own kind"),
        pytest.param(
            "What is Scilab known for?",
            {**SOFTWARE, "paraphrases": ("What is Scilab famous for?",)},
            None,
            id="the record tells of fame",
        ),
        pytest.param(
            "What is a common symptom of fatigue?",
            {"subject": "symptoms of fatigue", "question": "How does fatigue show?"},
            None,
            id="the subject is the kind",
        ),
        pytest.param("What is a specialty of fatigue?", FATIGUE, None, id="none of the best known: left to the scorer"),
        pytest.param("What is the common symptom of fatigue?", FATIGUE, None, id="the one: left to the scorer"),
        pytest.param(
            "Was ist ein häufiges Symptom von Müdigkeit?", FATIGUE, None, id="no wording in the language of the question"
        ),
        pytest.param(
            "Was ist ein häufiges Symptom von Müdigkeit?",
            {"subject": "Müdigkeit", "question": "Welches Fachgebiet ist für Müdigkeit da?"},
            Reason.OTHER_SUBJECT,
            id="in German",
        ),
        pytest.param(
            "Quel est un symptôme courant de la fatigue ?",
            {"subject": "fatigue", "question": "Quelle est la spécialité de la fatigue ?"},
            Reason.OTHER_SUBJECT,
            id="in French",
        ),
        pytest.param(
            "¿Cuál es un síntoma frecuente de la fatiga?",
            {"subject": "fatiga", "question": "¿Cuál es la especialidad de la fatiga?"},
            Reason.OTHER_SUBJECT,
            id="in Spanish",
        ),
    ],
)
def test_a_question_for_an_example_is_answered_by_records_of_its_kind_alone(
    asked: str, fields: dict[str, Any], expected: Reason | None
) -> None:
    found = asks_for_no_other_kind(reading(asked), candidate("GLOBAL", **fields))
    assert (found and found.reason) == expected
