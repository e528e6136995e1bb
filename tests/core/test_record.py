"""The record: what makes one well-formed, and its canonical form."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.core.digest import canonical_json, digest_json, digest_set
from rag_edit.core.record import (
    MAX_ITEMS,
    MAX_TEXT_CHARS,
    RECORD_FIELDS,
    FaultyRecordError,
    Record,
    Serve,
    Source,
    derived_id,
    record_from_json,
)

FULL = Record(
    id="a:1/b", jurisdiction="DE-BY", question="q?", answer="a", subject="s", aliases=("t",), relation="r", paraphrases=("p",), target="x",
    target_aliases=("y",), prior="z", language="de", valid_from=date(2020, 1, 1), valid_to=date(2021, 1, 1), source=Source("T", "http://u", "MIT"),
    author="A", institution="I", rationale="R", topic="t.u", serve=Serve.GROUNDED, binding=True, derogates=("d",), supersedes=("e",),
)  # fmt: skip
PLAIN = Record(id="a", jurisdiction="DE", question="q?", answer="a")

FAULTS = {
    "no question": ({"question": " "}, "question"),
    "no answer": ({"answer": ""}, "answer"),
    "an id with a space": ({"id": "a b"}, "id"),
    "an id that ends in a line break": ({"id": "a\n"}, "id"),
    "a text beyond the limit": ({"answer": "x" * (MAX_TEXT_CHARS + 1)}, "answer"),
    "a NUL": ({"answer": "a\0"}, "answer"),
    "a lone surrogate": ({"subject": "\ud800"}, "subject"),
    "a noncharacter": ({"subject": "\ufdd0"}, "subject"),
    "an empty alias": ({"aliases": ("a", " ")}, "aliases"),
    "too many paraphrases": ({"paraphrases": tuple(map(str, range(MAX_ITEMS + 1)))}, "paraphrases"),
    "a source without title and url": ({"source": Source(licence="MIT")}, "source"),
    "an inverted interval": ({"valid_from": date(2021, 1, 1), "valid_to": date(2020, 1, 1)}, "valid_to"),
    "an empty interval": ({"valid_from": date(2021, 1, 1), "valid_to": date(2021, 1, 1)}, "valid_to"),
    "a record that supersedes itself": ({"supersedes": ("a",)}, "supersedes"),
    "a record that derogates itself": ({"derogates": ("a",)}, "derogates"),
}


@pytest.mark.parametrize(("values", "name"), FAULTS.values(), ids=FAULTS.keys())
def test_a_record_that_breaks_the_format_cannot_be_made(values: dict[str, object], name: str) -> None:
    with pytest.raises(FaultyRecordError) as caught:
        replace(PLAIN, **values)  # type: ignore[arg-type]
    assert [fault.field for fault in caught.value.faults] == [name]


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(FaultyRecordError) as caught:
        Record(id="", jurisdiction="DE", question="", answer="")
    assert [fault.field for fault in caught.value.faults] == ["id", "question", "answer"]


def test_characters_that_python_does_not_know_yet_are_no_fault() -> None:
    assert replace(PLAIN, answer="\U0001fae8").answer == "\U0001fae8"


def test_read_then_write_changes_nothing() -> None:
    assert record_from_json(FULL.to_json()) == FULL
    assert record_from_json(PLAIN.to_json()) == PLAIN


@pytest.mark.parametrize("name", RECORD_FIELDS)
def test_the_digest_feels_every_field(name: str) -> None:
    default = {f: getattr(PLAIN, f) for f in RECORD_FIELDS} | {
        "id": "other",
        "jurisdiction": "FR",
        "question": "other?",
        "answer": "other",
    }
    assert replace(FULL, **{name: default[name]}).digest() != FULL.digest()


BOUNDS = st.one_of(st.none(), st.dates(date(2000, 1, 1), date(2000, 2, 1)))


@given(BOUNDS, BOUNDS, BOUNDS, BOUNDS)
def test_records_overlap_exactly_when_some_day_has_both(a: date | None, b: date | None, c: date | None, d: date | None) -> None:
    if (a and b and a >= b) or (c and d and c >= d):
        return
    one, two = replace(PLAIN, valid_from=a, valid_to=b), replace(PLAIN, valid_from=c, valid_to=d)
    days = [date.fromordinal(n) for n in range(date(1999, 12, 30).toordinal(), date(2000, 2, 5).toordinal())]
    assert one.overlaps(two) == two.overlaps(one) == any(one.is_valid_at(day) and two.is_valid_at(day) for day in days)


def test_an_id_is_derived_from_what_makes_the_fact() -> None:
    assert derived_id("DE", "What is it?", None) == derived_id("DE", " what  is it?", None)
    assert (
        len(
            {
                derived_id("DE", "q", None),
                derived_id("FR", "q", None),
                derived_id("DE", "r", None),
                derived_id("DE", "q", date(2020, 1, 1)),
            }
        )
        == 4
    )


def test_canonical_json_ignores_key_order_and_refuses_floats() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    assert digest_json({"b": 1, "a": 2}) == digest_json({"a": 2, "b": 1})
    with pytest.raises(TypeError, match="float"):
        canonical_json({"a": [1.5]})
    with pytest.raises(TypeError, match="keys"):
        canonical_json({1: "a"})  # type: ignore[dict-item]


@given(st.lists(st.text(alphabet="abc", max_size=3)), st.randoms())
def test_the_digest_of_a_set_ignores_order_and_repeats(members: list[str], random: object) -> None:
    assert digest_set(members) == digest_set([*reversed(members), *members])
