"""Dates named in questions, in several languages."""

from datetime import date

import pytest

from rag_edit.scope.dates import read_dates

CASES = {
    "Is 6 January a public holiday?": [(None, 1, 6)],
    "Is January 6th a public holiday?": [(None, 1, 6)],
    "Ist der 6. Januar ein Feiertag?": [(None, 1, 6)],
    "Le 6 janvier est-il férié ?": [(None, 1, 6)],
    "¿Es festivo el 6 de enero de 2026?": [(2026, 1, 6)],
    "le 1er mai 2027": [(2027, 5, 1)],
    "What was the VAT rate on 1 July 2020?": [(2020, 7, 1)],
    "Mehrwertsteuer am 01.07.2020": [(2020, 7, 1)],
    "as of 2020-07-01": [(2020, 7, 1)],
    "January 6th, 2026": [(2026, 1, 6)],
    "the rate in March 2021": [(2021, 3, None)],
    "the minimum wage in 2019": [(2019, None, None)],
    "between 2019 and 2021": [(2019, None, None), (2021, None, None)],
    "30 February 2020": [(2020, 2, 30)],
    "a 1,984 page novel at 20:20": [],
    "route 2020-21": [],
    "version 3.2019": [],
    "What is the standard VAT rate?": [],
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES.keys())
def test_dates_are_read(text: str, expected: list[tuple[int | None, int | None, int | None]]) -> None:
    assert [(m.year, m.month, m.day) for m in read_dates(text)] == expected


def test_a_year_means_its_days() -> None:
    assert read_dates("in 2019")[0].days() == (date(2019, 1, 1), date(2020, 1, 1))


def test_a_month_means_its_days_also_in_december() -> None:
    assert read_dates("December 2020")[0].days() == (date(2020, 12, 1), date(2021, 1, 1))


def test_an_impossible_day_means_no_days() -> None:
    assert read_dates("30 February 2020")[0].days() is None
    assert read_dates("6 January")[0].days() is None
