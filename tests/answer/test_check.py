"""The answer check on labelled pairs, by category, and its rules one by one.

The pairs were written by hand in three sets. ``first`` and ``second`` were looked at while the rules were made; ``third`` was
scored before anything was changed for it. What the rules cannot tell (the sentence must be understood) is listed below.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.answer.check import CheckResult, check
from rag_edit.core.record import Record

PAIRS = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "check_pairs.jsonl").read_text(encoding="utf-8").splitlines()
]
CATEGORIES = sorted({(pair["set"], pair["category"]) for pair in PAIRS})
NOT_TOLD = {  # label, text
    (False, "English was her second language."),
    (False, "She translated English novels into her mother tongue."),
    (False, "It is at least $7.25."),
    (False, "Bo Chen declined, so nobody did."),
    (False, "The board rejected Bo Chen."),
    (True, "Danielle Darrieux was a French actress who was born in Bordeaux. Her mother tongue is English."),
    (True, "It went back up to 19 % after being 16 % for six months."),
    (True, "Unlike Cologne, which lies on the Rhine, Vienna lies on the Danube."),
}


def record_of(pair: dict[str, Any]) -> Record:
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in pair["record"].items()}
    return Record(jurisdiction="GLOBAL", **plain)


@pytest.fixture(scope="module")
def found() -> list[CheckResult]:
    """Return what the check says of each pair."""
    return [check(pair["text"], record_of(pair)) for pair in PAIRS]


@pytest.mark.parametrize("group,category", CATEGORIES, ids=[f"{group}: {category}" for group, category in CATEGORIES])
def test_labelled_pairs_are_told_apart(group: str, category: str, found: list[CheckResult]) -> None:
    wrong = [
        (pair["ok"], pair["text"], result.why)
        for pair, result in zip(PAIRS, found, strict=True)
        if (pair["set"], pair["category"]) == (group, category) and result.ok is not pair["ok"]
    ]
    assert [(label, text) for label, text, _ in wrong if (label, text) not in NOT_TOLD] == []


def test_confusion_stays_within_what_was_measured(found: list[CheckResult]) -> None:
    confusion = Counter((pair["ok"], result.ok) for pair, result in zip(PAIRS, found, strict=True))
    assert len(PAIRS) >= 600
    assert confusion[False, True] <= 5  # wrong answers let through
    assert confusion[True, False] <= 3  # right answers sent to the next rung


def test_every_fault_is_explained_and_no_pass_is(found: list[CheckResult]) -> None:
    assert all(bool(result.why) is not result.ok for result in found)


LANGUAGE = Record(
    id="l", jurisdiction="GLOBAL", question="What is her mother tongue?", answer="English", target="English", prior="French"
)


def test_the_parts_of_the_result_say_what_was_found() -> None:
    both = check("It is English. Her mother tongue is French.", LANGUAGE)
    assert (both.ok, both.states_target, both.states_prior) == (False, True, True)
    neither = check("It is unknown.", LANGUAGE)
    assert (neither.states_target, neither.states_prior) == (False, False)


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip() != "" and text.isprintable()))
def test_the_records_own_answer_always_passes(answer: str) -> None:
    record = Record(id="r", jurisdiction="GLOBAL", question="What?", answer=answer, prior="other")
    assert check(answer, record).ok


@given(st.text(max_size=200))
def test_any_text_gets_a_verdict(text: str) -> None:
    found = check(text, LANGUAGE)
    assert found.ok is (found.why == "")


def test_a_hint_of_language_settles_what_a_number_means() -> None:
    record = Record(id="n", jurisdiction="GLOBAL", question="How many?", answer="1234", target="1234")
    assert check("1,234", record, language="en").ok
    assert not check("1,234", record, language="de").ok
    assert check("1.234", record, language="de").ok


def test_a_very_long_text_is_checked_in_bounded_time() -> None:
    assert not check("It is not French and " * 5_000, LANGUAGE).ok
