"""Questions that name another place: who may answer them. A table that a lawyer can check."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_edit.core.decision import Reason
from rag_edit.core.errors import ConfigError
from rag_edit.core.record import Record
from rag_edit.engine import Engine
from rag_edit.records.store import Act, Edit
from rag_edit.scope.crossing import Crossing
from rag_edit.scope.standpoint import asked_part
from rag_edit.testing import fake_engine
from tests.scope.cases import ATLAS, READER, TODAY

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def vat(place: str) -> Record:
    return Record(
        f"vat-{place.lower()}", place, "What is the standard VAT rate?", f"As in {place}.", subject="standard VAT rate"
    )


RECORDS = [vat(place) for place in ("IT", "ES", "FR", "GB")]


def filled(setting: str, records: Sequence[Record] = RECORDS) -> Engine:
    engine = fake_engine()
    engine.store.append([Edit(Act.ADD, r, 0) for r in records], idempotency_key="all", recorded_at=NOW)
    return replace(engine, crossing=Crossing.from_setting(setting, ATLAS.parse))


ASKED = "What is the standard VAT rate in Italy?"
TABLE = {
    # case: (setting, deployment, question, record that answers)
    "in Spain, a question about Italy is not answered by default": ("visible", "ES", ASKED, None),
    "in Spain, saying so changes nothing": ("visible", "ES", f"I am in Spain: {ASKED}", None),
    "in Italy, it is answered by Italy's record": ("visible", "IT", ASKED, "vat-it"),
    "in Italy, a traveller who says where they are is answered too": ("visible", "IT", f"I am in Spain: {ASKED}", "vat-it"),
    "in Italy, a question about Spain is not answered": ("visible", "IT", "What is the standard VAT rate in Spain?", None),
    "where a person is, alone, is not where the deployment is": (
        "visible",
        "IT",
        "I am in Spain: what is the standard VAT rate?",
        None,
    ),
    "without a deployment's place, no country's record answers": ("visible", "GLOBAL", ASKED, None),
    "Spain allows Italy by name": ("named:IT", "ES", ASKED, "vat-it"),
    "Spain allows Italy by name, the person says that they are in Spain": (
        "named:IT",
        "ES",
        f"I am in Spain: {ASKED}",
        "vat-it",
    ),
    "Spain allows Italy, not France": ("named:IT", "ES", "What is the standard VAT rate in France?", None),
    "Spain allows the Union: Italy is in it": ("named:EU", "ES", ASKED, "vat-it"),
    "Spain allows the Union: Britain is not in it any more": (
        "named:EU",
        "ES",
        "What is the standard VAT rate in the United Kingdom?",
        None,
    ),
    "all places are allowed": ("named:*", "ES", "What is the standard VAT rate in the United Kingdom?", "vat-gb"),
    "a place in Italy is asked in its own chain": ("named:IT", "ES", "What is the standard VAT rate in Sicily?", "vat-it"),
    "two other places are a comparison, and stay at home": (
        "named:*",
        "ES",
        "Is the standard VAT rate in Italy higher than in France?",
        None,
    ),
    "a name of two places names none for sure": ("named:*", "ES", "What is the standard VAT rate in Georgia?", None),
    "a question that names no place is the deployment's": ("named:*", "ES", "What is the standard VAT rate?", "vat-es"),
    "the deployment's own place is no other place": ("named:*", "ES", "What is the standard VAT rate in Spain?", "vat-es"),
    "a place without a record goes to the base model": ("named:*", "ES", "What is the standard VAT rate in Poland?", None),
}


@pytest.mark.parametrize(("setting", "place", "question", "expected"), TABLE.values(), ids=TABLE.keys())
def test_who_answers_a_question_that_names_a_place(setting: str, place: str, question: str, expected: str | None) -> None:
    found = filled(setting).ask(question, jurisdiction=place, as_of=TODAY).decision
    assert (found.winner.record.id if found.winner else None) == expected


def test_a_record_of_the_own_chain_that_speaks_of_the_other_place_comes_first() -> None:
    own = Record(
        "es-on-it", "ES", "What is the standard VAT rate in Italy?", "22 %, says Spain.", subject="standard VAT rate in Italy"
    )
    found = filled("named:IT", [*RECORDS, own]).ask(ASKED, jurisdiction="ES", as_of=TODAY).decision
    assert found.winner is not None
    assert found.winner.record.id == "es-on-it"


def test_the_trace_shows_both_chains() -> None:
    found = filled("named:IT").ask(ASKED, jurisdiction="ES", as_of=TODAY).decision
    assert [(v.candidate.partition, v.reason) for v in found.verdicts] == [
        ("IT", Reason.IN_SCOPE),
        ("ES", Reason.OTHER_PLACE),
    ]


PLACES = st.sampled_from(["GLOBAL", "EU", "IT", "IT-25", "ES", "FR", "DE"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(PLACES, unique=True, min_size=1),
    st.sampled_from([ASKED, "What is the standard VAT rate?", "What is the standard VAT rate in France?"]),
    PLACES,
)
def test_the_answer_depends_on_the_two_chains_alone(places: list[str], question: str, here: str) -> None:
    named = {ASKED: "IT", "What is the standard VAT rate in France?": "FR"}.get(question, here)
    seen = {str(code) for place in (here, named) for code in ATLAS.chain(place, TODAY)}
    every, restricted = [vat(p) for p in places], [vat(p) for p in places if p in seen]

    def answer(records: list[Record]) -> object:
        engine = filled("named:*", records) if records else replace(fake_engine(), crossing=Crossing(frozenset("*")))
        decision = engine.ask(question, jurisdiction=here, as_of=TODAY).decision
        return decision.route, decision.winner.record if decision.winner else None, decision.score, len(decision.verdicts)

    assert answer(every) == answer(restricted)


STANDPOINTS = {
    "a colon": ("I am in Spain: what is the VAT in Italy?", "what is the VAT in Italy?"),
    "a sentence": ("I live in Spain. What is the VAT in Italy?", "What is the VAT in Italy?"),
    "behind the question": ("What is the VAT in Italy? I'm in Spain.", "What is the VAT in Italy?"),
    "and": ("We're based in Spain and what is the VAT in Italy?", "what is the VAT in Italy?"),
    "German": (
        "Ich wohne in Spanien, wie hoch ist die Mehrwertsteuer in Italien?",
        "wie hoch ist die Mehrwertsteuer in Italien?",
    ),
    "French": ("J'habite en Espagne : quelle est la TVA en Italie ?", "quelle est la TVA en Italie ?"),
    "Spanish": ("Estoy en España, ¿cuál es el IVA en Italia?", "¿cuál es el IVA en Italia?"),
    "no other place": ("I am in Spain: what is the VAT?", "I am in Spain: what is the VAT?"),
    "not about a place": ("I am in trouble: what is the VAT in Italy?", "I am in trouble: what is the VAT in Italy?"),
    "about another person": (
        "The firm is in Spain: what is its VAT in Italy?",
        "The firm is in Spain: what is its VAT in Italy?",
    ),
}


@pytest.mark.parametrize(("text", "left"), STANDPOINTS.values(), ids=STANDPOINTS.keys())
def test_where_a_person_says_they_are_is_not_what_they_ask_about(text: str, left: str) -> None:
    assert asked_part(text, READER.read) == left


@pytest.mark.parametrize("setting", ["", "named:", "named:XX", "seen", "named:IT,,FR", "IT"])
def test_a_setting_that_says_nothing_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="cross_jurisdiction"):
        Crossing.from_setting(setting, ATLAS.parse)
