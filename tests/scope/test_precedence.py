"""Precedence across a chain, as a table that a lawyer could check."""

import random
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.core.decision import Reason
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.scope.precedence import prevail, same_fact

CHAIN = ["DE-BY", "DE", "EU", "GLOBAL"]
BLOCS = {"EU": 2, "EUROZONE": 2}


def more_specific(a: str, b: str) -> bool:
    if {a, b} == {"EU", "EUROZONE"}:
        return False  # two blocs that do not nest: neither is more specific
    rank = {"DE-BY": 0, "DE": 1, "EU": 2, "EUROZONE": 2, "GLOBAL": 3}
    return rank[a] < rank[b]


def version(name: str, jurisdiction: str = "DE", target: str = "", **more: object) -> RecordVersion:
    record = Record(
        id=name,
        jurisdiction=jurisdiction,
        question="What is the limit?",
        answer=f"It is {target or name}.",
        target=target or name,
        **more,  # type: ignore[arg-type]
    )
    return RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))


CASES = {
    "one record alone answers": ([version("a")], ["a"], Reason.IN_SCOPE),
    "state law gives way to nothing more general": (
        [version("by", "DE-BY"), version("de", "DE")],
        ["by"],
        Reason.LEX_SPECIALIS,
    ),
    "national law precedes the bloc's": ([version("eu", "EU"), version("de", "DE")], ["de"], Reason.LEX_SPECIALIS),
    "the bloc's precedes the global record": ([version("all", "GLOBAL"), version("eu", "EU")], ["eu"], Reason.LEX_SPECIALIS),
    "binding bloc law defeats national law": (
        [version("eu", "EU", binding=True), version("de", "DE")],
        ["eu"],
        Reason.LEX_SUPERIOR,
    ),
    "of two binding laws the more specific stands": (
        [version("eu", "EU", binding=True), version("de", "DE", binding=True), version("by", "DE-BY")],
        ["de"],
        Reason.LEX_SPECIALIS,
    ),
    "an express derogation defeats binding law": (
        [version("eu", "EU", binding=True), version("de", "DE", derogates=("eu",))],
        ["de"],
        Reason.DEROGATION,
    ),
    "two records that derogate one another leave the conflict": (
        [version("a", derogates=("b",)), version("b", derogates=("a",))],
        ["a", "b"],
        Reason.CONFLICT,
    ),
    "of one institution the later stands": (
        [
            version("old", institution="BMF", valid_from=date(2020, 1, 1)),
            version("new", institution="BMF", valid_from=date(2024, 1, 1)),
        ],
        ["new"],
        Reason.LEX_POSTERIOR,
    ),
    "the specific precedes the later general": (
        [
            version("de", "DE", institution="X", valid_from=date(2025, 1, 1)),
            version("by", "DE-BY", institution="X", valid_from=date(1990, 1, 1)),
        ],
        ["by"],
        Reason.LEX_SPECIALIS,
    ),
    "across institutions later does not count": (
        [
            version("old", institution="BMF", valid_from=date(2020, 1, 1)),
            version("new", institution="BMJ", valid_from=date(2024, 1, 1)),
        ],
        ["new", "old"],
        Reason.CONFLICT,
    ),
    "an unknown institution is not the same institution": (
        [version("old", valid_from=date(2020, 1, 1)), version("new", valid_from=date(2024, 1, 1))],
        ["new", "old"],
        Reason.CONFLICT,
    ),
    "blocs that do not nest conflict": ([version("eu", "EU"), version("ez", "EUROZONE")], ["eu", "ez"], Reason.CONFLICT),
    "records that say the same do not conflict": (
        [version("a", target="19 %"), version("b", target="19 %")],
        ["a"],
        Reason.SAME_ANSWER,
    ),
}


@pytest.mark.parametrize(("versions", "standing", "reason"), CASES.values(), ids=CASES.keys())
def test_precedence(versions: list[RecordVersion], standing: list[str], reason: Reason) -> None:
    outcome = prevail(versions, more_specific)
    assert [v.record.id for v in outcome.standing] == standing
    assert outcome.reason is reason


@given(
    st.lists(
        st.sampled_from([v for versions, _, _ in CASES.values() for v in versions]),
        min_size=1,
        max_size=6,
        unique_by=lambda v: v.record.id,
    ),
    st.randoms(),
)
def test_order_of_records_never_matters(versions: list[RecordVersion], random: random.Random) -> None:
    shuffled = random.sample(versions, len(versions))
    assert prevail(versions, more_specific) == prevail(shuffled, more_specific)


@given(
    st.lists(
        st.sampled_from([v for versions, _, _ in CASES.values() for v in versions]),
        min_size=1,
        max_size=6,
        unique_by=lambda v: v.record.id,
    )
)
def test_every_record_stands_or_is_defeated_by_a_named_rule(versions: list[RecordVersion]) -> None:
    outcome = prevail(versions, more_specific)
    assert sorted([v.name for v in outcome.standing] + [name for name, _ in outcome.defeated]) == sorted(
        v.name for v in versions
    )
    assert outcome.standing


def test_records_are_about_one_fact_by_question_or_by_subject_and_relation() -> None:
    assert same_fact(version("a"), version("b", "EU"))
    named = [version(n, subject="Germany", relation="standard VAT rate") for n in ("a", "b")]
    assert same_fact(*named)


def test_the_same_subject_with_another_relation_is_another_fact() -> None:
    a = RecordVersion(
        Record(id="a", jurisdiction="DE", question="Who founded it?", answer="x", subject="ACME", relation="founder"),
        1,
        1,
        Status.LIVE,
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    b = RecordVersion(
        Record(id="b", jurisdiction="DE", question="Who runs it?", answer="y", subject="ACME", relation="chief executive"),
        1,
        2,
        Status.LIVE,
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert not same_fact(a, b)
