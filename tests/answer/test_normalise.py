"""Values and words made comparable: tables by kind."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.answer.normalise import find_phrase, only_values, plain, same_value, values

SAME = [
    ("19 %", "19%"),
    ("19 %", "19 percent"),
    ("19 %", "19 per cent"),
    ("19 %", "nineteen percent"),
    ("19 %", "neunzehn Prozent"),
    ("19 %", "dix-neuf pour cent"),
    ("19 %", "diecinueve por ciento"),
    ("19 %", "19,0 %"),
    ("19 %", "19"),
    ("21", "twenty-one"),
    ("21", "einundzwanzig"),
    ("21", "vingt et un"),
    ("21", "veintiuno"),
    ("75", "soixante-quinze"),
    ("90 km/h", "quatre-vingt-dix km/h"),
    ("35", "treinta y cinco"),
    ("5", "fünf"),
    ("30", "dreißig"),
    ("1,234.5", "1.234,5"),
    ("1,234,567", "1.234.567"),
    ("12 345", "12345"),
    ("1.5 million", "1,500,000"),
    ("2 Mio.", "2 millones"),
    ("€12.41", "12.41 EUR"),
    ("€12.41", "12,41 euros"),
    ("€12.41", "EUR 12.41"),
    ("$7.25", "7.25 US dollars"),
    ("6 January 2026", "2026-01-06"),
    ("6 January 2026", "6. Januar 2026"),
    ("6 January 2026", "January 6th, 2026"),
    ("6 January 2026", "le 6 janvier 2026"),
    ("6 January 2026", "6 de enero de 2026"),
    ("6 January 2026", "06.01.2026"),
    ("6 January 2026", "01/06/2026"),
    ("6 January 2026", "6 January"),
    ("January 2026", "6 January 2026"),
    ("1 March", "1er mars"),
    ("1937", "6 January 1937"),
    ("18:00", "6 pm"),
    ("18:00", "6:00 p.m."),
    ("18:00", "18 Uhr"),
    ("9:30", "9.30 am"),
    ("16", "16 years"),
    ("130 km/h", "130 kilometres per hour"),
    ("0.5 ‰", "0,5 Promille"),
    ("4 g", "four grams"),
    ("4 moons", "four moons"),
]
OTHER = [
    ("19 %", "1.9 %"),
    ("19 %", "190 %"),
    ("19 %", "19 EUR"),
    ("19 %", "19 percentage points"),
    ("4 g", "4 mg"),
    ("4 g", "4 widgets"),
    ("€12.41", "$12.41"),
    ("€12.41", "€1,241"),
    ("6 January 2026", "6 January 2025"),
    ("6 January 2026", "January 2026"),
    ("6 January 2026", "2026"),
    ("6 January 2026", "7 January 2026"),
    ("18:00", "6 am"),
    ("18:00", "18:30"),
    ("1937", "1973"),
    ("130 km/h", "130 mph"),
]


def agree(a: str, b: str) -> bool:
    wanted, found = only_values(plain(a)), values(plain(b))
    assert wanted
    return all(any(same_value(x, y) for y in found) for x in wanted)


@pytest.mark.parametrize("a,b", SAME, ids=[f"{a} is {b}" for a, b in SAME])
def test_spellings_of_one_value_agree(a: str, b: str) -> None:
    assert agree(a, b)


@pytest.mark.parametrize("a,b", OTHER, ids=[f"{a} is not {b}" for a, b in OTHER])
def test_other_values_do_not_agree(a: str, b: str) -> None:
    assert not agree(a, b)


NOT_VALUES = ["Terraria 1.3.0.5", "B2", "one", "un", "a may day", "Washington, D.C.", "", "neuf"]


@pytest.mark.parametrize("text", NOT_VALUES)
def test_names_and_articles_are_no_values(text: str) -> None:
    assert values(plain(text)) == ()


def test_an_ambiguous_number_keeps_both_readings_without_a_language() -> None:
    assert values("1,234")[0].readings == {"1234", "1.234"}
    assert values("1,234", "en")[0].readings == {"1234"}
    assert values("1,234", "de")[0].readings == {"1.234"}


FOUND = [
    ("the GNU Project", "It is by the GNU project.", ""),
    ("Washington, D.C.", "in Washington DC", ""),
    ("U.S.A.", "the USA", ""),
    ("München", "in Muenchen", ""),
    ("München", "in Munchen", ""),
    ("semi-presidential system", "a semipresidential system", ""),
    ("St. John & Sons", "Saint John & Sons", ""),
    ("marble", "two marbles", "en"),
    ("die Niederlande", "in den Niederlanden", "de"),
    ("Goethe", "Goethes Werke", "de"),
]
NOT_FOUND = [
    ("English", "Englishman", "en"),
    ("Rome", "Romeo", ""),
    ("marble", "marbled paper", "en"),
    ("GNU Project", "Project GNU", ""),
    ("York", "Yorkshire", ""),
]


@pytest.mark.parametrize("phrase,text,language", FOUND, ids=[f"{phrase} in {text}" for phrase, text, _ in FOUND])
def test_a_name_is_found_in_its_spellings(phrase: str, text: str, language: str) -> None:
    assert find_phrase(plain(phrase), plain(text), language)


@pytest.mark.parametrize("phrase,text,language", NOT_FOUND, ids=[f"{phrase} in {text}" for phrase, text, _ in NOT_FOUND])
def test_another_word_is_not_the_name(phrase: str, text: str, language: str) -> None:
    assert not find_phrase(plain(phrase), plain(text), language)


@given(st.text(max_size=200))
def test_values_lie_in_the_text_and_apart(text: str) -> None:
    body = plain(text)
    found = values(body)
    assert all(0 <= v.start < v.end <= len(body) and v.readings for v in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.integers(0, 10**12))
def test_a_whole_number_is_read_back_however_it_is_grouped(number: int) -> None:
    for text in (str(number), f"{number:,}", f"{number:,}".replace(",", "."), f"{number:,}".replace(",", " ")):
        assert any(str(number) in value.readings for value in values(text))
