"""Yes or no against a record: "No" is said only where what is asked and what is recorded exclude each other."""

import pytest

from rag_edit.answer.compare import verdict
from rag_edit.core.record import Record

YES, NO, OPEN = True, False, None


def fact(relation: str, target: str, question: str = "", **more: object) -> Record:
    asked = question or f"What is the {relation} of the works?"
    return Record("r", "GLOBAL", asked, target, subject="the works", relation=relation, target=target, language="en", **more)  # type: ignore[arg-type]


def located(target: str) -> Record:
    return fact("location", target, "Where are the works located?")


PLACES = [
    ("the same country", located("France"), "Are the works located in France?", YES),
    ("the same country by another name", located("United Kingdom"), "Are the works located in the UK?", YES),
    ("the same country in another language", located("Germany"), "Are the works located in Deutschland?", YES),
    ("a city of the recorded country", located("France"), "Are the works located in Paris?", OPEN),
    ("a state of the recorded country", located("Germany"), "Are the works located in Bavaria?", OPEN),
    ("the country of the recorded city", located("Paris"), "Are the works located in France?", YES),
    ("the country of the recorded state", located("Bavaria"), "Are the works located in Germany?", YES),
    ("the country of the recorded city, not put in it", located("Paris"), "Is the location of the works France?", OPEN),
    ("the state of the recorded city", located("Munich"), "Are the works located in Bavaria?", OPEN),
    ("another city of the same state", located("Munich"), "Are the works located in Nuremberg?", OPEN),
    ("another country", located("France"), "Are the works located in Germany?", NO),
    ("a city of another country", located("France"), "Are the works located in Berlin?", NO),
    ("a city of another state", located("Munich"), "Are the works located in Berlin?", NO),
    ("a bloc that the country is in today", located("France"), "Are the works located in the European Union?", OPEN),
    ("a bloc that the country has left", located("United Kingdom"), "Are the works located in the European Union?", OPEN),
    ("a bloc that the country never was in", located("Brazil"), "Are the works located in the European Union?", NO),
    (
        "a territory whose bond with the state is a matter of law",
        located("United Kingdom"),
        "Are the works located in Gibraltar?",
        OPEN,
    ),
    ("a disputed territory", located("Serbia"), "Are the works located in Kosovo?", OPEN),
    ("a place that the atlas does not know", located("Scotland"), "Are the works located in Lochaber?", OPEN),
    ("the city of a house", located("Galleria Borghese"), "Are the works located in Rome?", OPEN),
    ("the city of a street", fact("located on street", "Whitehall"), "Are the works located in London?", OPEN),
    (
        "the borough of a street",
        fact("located on street", "Whitehall"),
        "Are the works located in the City of Westminster?",
        OPEN,
    ),
    (
        "a street of the recorded borough",
        fact("located in the administrative territorial entity", "City of Westminster"),
        "Are the works located on Whitehall?",
        OPEN,
    ),
    ("two names that the atlas does not know", located("Grotenburg"), "Are the works located in Teutoburg Forest?", OPEN),
    ("another street", fact("located on street", "Whitehall"), "Are the works located on Pall Mall?", NO),
    ("another park", located("Hakusan National Park"), "Are the works located in Aso National Park?", NO),
    ("a lake, of a park", located("Hakusan National Park"), "Are the works located at Lake Tazawa?", OPEN),
    ("another country where the record says which", fact("country", "Vanuatu"), "Is the country of the works Chile?", NO),
    ("no country where the record says which", fact("country", "Vanuatu"), "Is the country of the works Atlantis?", NO),
    ("a part of the recorded continent", fact("continent", "Americas"), "Is the continent of the works South America?", OPEN),
    ("another town of birth", fact("place of birth", "Davos"), "Is the place of birth of the works Prague?", NO),
    ("the country of a town of birth", fact("place of birth", "Davos"), "Is the place of birth of the works Germany?", OPEN),
    ("a language that is an island, too", fact("programmed in", "C++"), "Were the works programmed in Java?", NO),
]
DATES = [
    ("the year of a recorded day", "3 May 1998", "Did they open in 1998?", YES),
    ("the month of a recorded day", "3 May 1998", "Did they open in May 1998?", YES),
    ("the decade of a recorded day", "3 May 1998", "Did they open in the 1990s?", YES),
    ("the day without its year", "3 May 1998", "Did they open on 3 May?", YES),
    ("the day written otherwise", "3 May 1998", "Did they open on 1998-05-03?", YES),
    ("another year", "3 May 1998", "Did they open in 1999?", NO),
    ("another month", "3 May 1998", "Did they open in June 1998?", NO),
    ("another day", "3 May 1998", "Did they open on 4 May 1998?", NO),
    ("another decade", "3 May 1998", "Did they open in the 1980s?", NO),
    ("a day of the recorded year", "1998", "Did they open on 3 May 1998?", OPEN),
    ("a day of the recorded month", "May 1998", "Did they open on 3 May 1998?", OPEN),
    ("a day of another year", "1998", "Did they open on 3 May 1999?", NO),
    ("the recorded year", "1998", "Did they open in 1998?", YES),
    ("the decade of the recorded year", "1998", "Did they open in the 1990s?", YES),
    ("another year than the recorded", "1998", "Did they open in 1997?", NO),
]
NAMES = [
    ("the family name", "Barack Obama", "Is the owner of the works Obama?", OPEN),
    ("the given name", "Barack Obama", "Is the owner of the works Barack?", OPEN),
    ("with a middle name", "Barack Obama", "Is the owner of the works Barack Hussein Obama?", OPEN),
    ("the whole name", "Barack Obama", "Is the owner of the works Barack Obama?", YES),
    ("another bearer of the family name", "Barack Obama", "Is the owner of the works Michelle Obama?", NO),
    ("another person", "Barack Obama", "Is the owner of the works Merkel?", NO),
    ("a title without its land", "President of Mexico", "Is the owner of the works the President?", OPEN),
    ("the title with another land", "President of Mexico", "Is the owner of the works the President of France?", NO),
    ("a new one of an old name", "York", "Is the owner of the works New York?", NO),
]
NUMBERS = [
    ("the same", "100 km", "Is the length of the works 100 kilometres?", YES),
    ("another number in one unit", "100 km", "Is the length of the works 90 km?", NO),
    ("another unit", "100 km", "Is the length of the works 62 miles?", OPEN),
    ("nearly the same", "100 km", "Is the length of the works about 99 km?", OPEN),
    ("a bound", "100 km", "Is the length of the works more than 90 km?", OPEN),
]


def cases(rows: list[tuple[str, Record, str, bool | None]]) -> list[object]:
    return [pytest.param(record, question, said, id=name) for name, record, question, said in rows]


OPENED, OWNER, LENGTH = "When did they open?", "owner", "length"
ROWS = [
    *PLACES,
    *((name, fact("opening date", target, OPENED), question, said) for name, target, question, said in DATES),
    *((name, fact(OWNER, target), question, said) for name, target, question, said in NAMES),
    *((name, fact(LENGTH, target), question, said) for name, target, question, said in NUMBERS),
]


@pytest.mark.parametrize(("record", "question", "said"), cases(ROWS))
def test_no_is_said_only_where_the_two_exclude_each_other(record: Record, question: str, said: bool | None) -> None:
    assert verdict(question, record) is said
