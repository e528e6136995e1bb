"""The ladder: the cheapest rung that passes every probe, and the evidence bound to the version by digest."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.core.record import Record, RecordVersion, Serve, Status
from rag_edit.verify.ladder import Attempt, Evidence, Judged, Rung, Tried, climb, cost_of, needs_model, rungs_for
from rag_edit.verify.probes import Probe, ProbeKind, probes_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RATE = Record(
    "vat",
    "GLOBAL",
    "What is the VAT rate?",
    "It is 19 %.",
    target="19 %",
    prior="16 %",
    paraphrases=("How high is VAT?",),
    serve=Serve.GROUNDED,
    language="en",
)


def version(record: Record = RATE, number: int = 1) -> RecordVersion:
    return RecordVersion(record, number, number, Status.LIVE, NOW)


def passing(*rungs: Rung, missing: Sequence[Rung] = ()) -> tuple[Attempt, list[Rung]]:
    """Return an attempt in which only these rungs hold, and the list of those asked."""
    asked: list[Rung] = []

    def attempt(rung: Rung, _version: RecordVersion, probes: Sequence[Probe]) -> list[Judged] | None:
        asked.append(rung)
        if rung in missing:
            return None
        return [Judged(rung in rungs or at > 0, "says 16 %") for at, _ in enumerate(probes)]

    return attempt, asked


@pytest.mark.parametrize(
    ("holds", "rung", "asked"),
    [
        ((Rung.GROUNDED, Rung.ADAPTER), "grounded", 1),
        ((Rung.CONSTRAINED, Rung.ADAPTER), "constrained", 2),
        ((Rung.ADAPTER,), "adapter", 3),
        ((), "", 3),
    ],
    ids=["the first holds", "the second holds", "the last holds", "none holds"],
)
def test_the_cheapest_rung_that_passes_all_probes_is_taken(holds: tuple[Rung, ...], rung: str, asked: int) -> None:
    attempt, seen = passing(*holds)
    found = climb(version(), "sha256:base", attempt)
    assert (found.rung, found.ok, len(seen)) == (rung, bool(rung), asked)
    assert [tried.rung for tried in found.tried] == seen


def test_one_failed_probe_is_enough_to_fail_a_rung_and_is_named() -> None:
    found = climb(version(), "sha256:base", passing(Rung.CONSTRAINED)[0])
    assert found.tried[0].failed == ("own: What is the VAT rate?: says 16 %",)


def test_a_rung_that_cannot_be_had_is_passed_over_and_said() -> None:
    found = climb(version(), "sha256:base", passing(Rung.ADAPTER, missing=[Rung.CONSTRAINED])[0])
    assert found.rung == "adapter"
    assert found.tried[1] == Tried(Rung.CONSTRAINED, 0, ("not to be had with this model",))


@pytest.mark.parametrize("serve", [Serve.AUTO, Serve.VERBATIM])
def test_the_records_own_words_need_no_model(serve: Serve) -> None:
    attempt, asked = passing()
    found = climb(version(replace(RATE, serve=serve)), "sha256:base", attempt)
    assert (found.rung, found.base, asked) == ("verbatim", "", [])


def test_a_record_that_demands_the_models_words_is_never_given_the_verbatim_rung() -> None:
    assert Rung.VERBATIM not in rungs_for(version())
    assert needs_model(version())


def test_evidence_is_bound_to_content_version_and_model() -> None:
    found = climb(version(), "sha256:base", passing(Rung.GROUNDED)[0])
    assert found.holds_for(version(), "sha256:base")
    assert not found.holds_for(version(), "sha256:other")
    assert not found.holds_for(version(number=2), "sha256:base")
    assert not found.holds_for(version(replace(RATE, answer="It is 20 %.")), "sha256:base")


@given(
    rung=st.sampled_from(["", *Rung]),
    failed=st.lists(st.text(max_size=10), max_size=3).map(tuple),
    base=st.sampled_from(["", "sha256:b"]),
)
def test_evidence_reads_back_equal_and_every_field_counts(rung: str, failed: tuple[str, ...], base: str) -> None:
    found = Evidence("vat@1", "sha256:r", base, str(rung), (Tried(Rung.GROUNDED, 4, failed),))
    assert Evidence.from_json(found.to_json()) == found
    assert replace(found, record="vat@2").digest() != found.digest()


def test_foreign_evidence_is_refused() -> None:
    with pytest.raises((ValueError, KeyError)):
        Evidence.from_json({"format": "rag-edit-evidence-v9", "tried": []})


def test_a_record_is_probed_by_its_prompt_its_paraphrases_wrapped_and_under_push_back() -> None:
    kinds = [probe.kind for probe in probes_of(RATE)]
    assert kinds[:2] == [ProbeKind.OWN, ProbeKind.PARAPHRASE]
    assert set(kinds) == set(ProbeKind)
    assert any("16 %" in probe.question for probe in probes_of(RATE) if probe.kind is ProbeKind.PUSH_BACK)


def test_probes_speak_the_records_language() -> None:
    assert any("Bist du sicher" in probe.question for probe in probes_of(replace(RATE, language="de-AT")))


def test_the_cost_is_known_before() -> None:
    cost = cost_of([version(), version(replace(RATE, serve=Serve.AUTO))])
    assert (cost.records, cost.with_model, cost.generations) == (2, 1, 3 * len(probes_of(RATE)))


def test_thousands_of_verbatim_records_are_verified_in_a_moment() -> None:
    versions = [version(replace(RATE, serve=Serve.AUTO), number) for number in range(1, 2_001)]
    started = time.perf_counter()
    attempt, asked = passing()
    assert all(climb(each, "", attempt).ok for each in versions)
    assert asked == []
    assert time.perf_counter() - started < 30
