"""The rehearsal on a real engine with a fake encoder: what is decided on the shadow is what is decided once it is live."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_edit.checks import rehearsal
from rag_edit.checks.rehearsal import rehearse, with_all_of
from rag_edit.core.errors import CollisionError
from rag_edit.deployment import Deployment
from rag_edit.engine import Engine
from rag_edit.index.brute import BruteShelf
from rag_edit.index.embedder import encode_checked
from rag_edit.index.kept import KeptVectors
from rag_edit.index.retriever import Retriever
from rag_edit.records.files import read_mappings
from rag_edit.records.plan import Plan, make_plan, retraction_plan
from rag_edit.testing import FakeEmbedder, fake_engine

NOW, TODAY = datetime(2026, 11, 22, tzinfo=UTC), date(2026, 11, 22)
VAT = {"id": "vat", "jurisdiction": "DE", "question": "What is the standard VAT rate?", "answer": "19 %", "subject": "VAT"}


def planned(engine: Engine, *rows: dict[str, Any]) -> Plan:
    return make_plan(read_mappings(list(rows), engine.atlas), engine.newest(), engine.atlas, on_conflict="newest", today=TODAY)


def apply(engine: Engine, *rows: dict[str, Any]) -> Engine:
    engine.apply(planned(engine, *rows), recorded_at=NOW)
    return engine


def test_nothing_goes_live_and_nothing_is_forgotten() -> None:
    engine = apply(fake_engine(), VAT)
    before = engine.ask("What is the standard VAT rate?", jurisdiction="DE").decision
    rehearse(engine, planned(engine, {**VAT, "id": "wage", "question": "What is the minimum wage?", "subject": "wage"}))
    rehearse(engine, retraction_plan(engine.store.get("vat"), "test"))
    assert engine.store.position() == 1
    assert engine.ask("What is the standard VAT rate?", jurisdiction="DE").decision == before
    assert engine.ask("What is the minimum wage?", jurisdiction="DE").decision.winner is None


def test_a_record_with_a_wording_of_another_fact_is_reported_with_what_collides() -> None:
    engine = apply(fake_engine(), VAT)
    other = {"id": "gst", "jurisdiction": "DE-BY", "question": VAT["question"], "answer": "7 %", "institution": "x"}
    found = rehearse(engine, planned(engine, {**other, "jurisdiction": "EU"}))  # the more specific German record answers in DE
    assert found.collisions == ()
    same = {
        **VAT,
        "id": "two",
        "question": "How high is VAT?",
        "paraphrases": ["What is the standard VAT rate?"],
        "answer": "7",
    }
    plan = replace(planned(engine, same), supersessions=())  # as if conflicts were not looked for
    clash = rehearse(engine, plan)
    assert {(f.probe.of, f.other, f.reason) for f in clash.collisions} == {("two", "vat", "CONFLICT")}


def test_what_the_plan_closes_does_not_collide() -> None:
    engine = apply(fake_engine(), VAT)
    new = {**VAT, "id": "new", "answer": "20 %", "supersedes": ["vat"]}
    assert rehearse(engine, planned(engine, new)).findings == ()


def test_a_question_that_names_another_place_than_the_records_own_is_still_its_own() -> None:
    found = rehearse(
        fake_engine(), planned(fake_engine(), {**VAT, "question": "What is the VAT rate in Italy?", "subject": ""})
    )
    assert found.findings == ()


def test_many_records_are_sampled_and_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "PROBED_IN_FULL", 10)
    monkeypatch.setattr(rehearsal, "SAMPLE", 4)
    engine = fake_engine()
    rows = [{**VAT, "id": f"r{n}", "subject": f"levy {n}", "question": f"What is levy number {n}?"} for n in range(30)]
    found = rehearse(engine, planned(engine, *rows))
    assert (found.changed, found.probed) == (30, 4)
    assert "4 of 30" in found.how
    assert isinstance(engine.embedder, FakeEmbedder)
    assert len(set(engine.embedder.encoded)) < 30  # the rest was not even encoded


def test_a_plan_that_adds_nothing_has_nothing_to_probe() -> None:
    engine = apply(fake_engine(), VAT)
    assert rehearse(engine, retraction_plan(engine.store.get("vat"), "test")).probes == 0


WORDS = ["VAT rate", "minimum wage", "speed limit", "standard VAT rate"]


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    subject, place = draw(st.sampled_from(WORDS)), draw(st.sampled_from(["GLOBAL", "EU", "DE", "DE-BY"]))
    name = f"{place}/{subject.replace(' ', '-')}/{draw(st.integers(0, 1))}"
    return {"id": name, "jurisdiction": place, "subject": subject, "question": f"What is the {subject}?", "answer": name}


ROWS = st.lists(rows(), max_size=5, unique_by=lambda r: r["id"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, ROWS, st.sampled_from(WORDS), st.sampled_from(["GLOBAL", "DE", "DE-BY"]))
def test_the_shadow_decides_as_the_live_set_will(
    before: list[dict[str, Any]], change: list[dict[str, Any]], subject: str, place: str
) -> None:
    engine = apply(fake_engine(), *before)
    plan = planned(engine, *change)
    query = engine.query(f"What is the {subject}?", jurisdiction=place)
    rehearsed = with_all_of(engine, plan).decide_many([query])[0][0]
    engine.apply(plan, recorded_at=NOW)
    live = engine.decide_many([query])[0][0]
    assert (rehearsed.route, rehearsed.reason, rehearsed.score) == (live.route, live.reason, live.score)
    assert [(v.candidate.version.record, v.reason, v.score) for v in rehearsed.verdicts] == [
        (v.candidate.version.record, v.reason, v.score) for v in live.verdicts
    ]


def test_of_a_large_plan_all_is_laid_over_a_home_whose_partitions_nobody_opened() -> None:
    engine = apply(fake_engine(), VAT)
    engine = replace(engine, retriever=Retriever(BruteShelf(), engine.embedder))  # as it is when a home was just opened
    many = [{"id": f"r{n}", "jurisdiction": "FR", "question": f"What is number {n}?", "answer": f"{n}."} for n in range(210)]
    tried = with_all_of(engine, planned(engine, *many, {**VAT, "answer": "16 %"}))
    asked = [engine.query(f"What is number {n}?", jurisdiction="FR") for n in range(0, 210, 30)]
    assert [d.winner and d.winner.record.id for d in tried.decide_many(asked)[0]] == [f"r{n}" for n in range(0, 210, 30)]
    won = tried.ask("What is the standard VAT rate?", jurisdiction="DE").decision.winner
    assert won is not None
    assert won.record.answer == "16 %"


def test_what_was_rehearsed_is_not_encoded_twice() -> None:
    fake = FakeEmbedder()
    kept = KeptVectors(fake)
    with kept.keeping():
        first = encode_checked(kept, ["a text", "b text"], kind="record")
        encode_checked(kept, ["b text"], kind="record")
    again = encode_checked(kept, ["b text", "c text", "a text"], kind="record")
    assert fake.encoded == ["a text", "b text", "c text"]
    assert (again[[2, 0]] == first).all()
    encode_checked(kept, ["a text"], kind="record")  # handed out once: it is let go
    assert fake.encoded[-1] == "a text"


def test_questions_pass_through_an_encoder_that_keeps() -> None:
    fake = FakeEmbedder()
    kept = KeptVectors(fake)
    with kept.keeping():
        assert (kept.encode(["x"], kind="query") == fake.encode(["x"], kind="query")).all()
    assert (kept.digest, kept.dim) == (fake.digest, fake.dim)


def test_the_library_warns_of_collisions_refuses_them_or_does_not_look() -> None:
    slip = {**VAT, "id": "wage", "question": "What is the minimum wage?", "subject": "minimum wage"}
    slip = {**slip, "paraphrases": ["How high is the standard VAT rate?"], "answer": "13.90"}
    deployments = [Deployment(apply(fake_engine(), VAT)) for _ in range(3)]
    with pytest.raises(CollisionError, match="goes to vat"):
        deployments[0].apply(slip, on_collision="refuse")
    assert deployments[0].engine.store.position() == 1
    assert "goes to vat" in deployments[1].apply(slip, force="tried").warnings[0]
    assert deployments[2].apply(slip, on_collision="ignore").warnings == ()
    assert {d.engine.store.position() for d in deployments[1:]} == {2}
