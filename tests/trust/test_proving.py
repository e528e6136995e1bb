"""A home proves what was live when an answer was given, and that nothing was, to whoever has the ledger's keys."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rag_edit.authority import acts
from rag_edit.core.atlas import default_atlas
from rag_edit.core.digest import canonical_json, digest_bytes
from rag_edit.core.errors import UsageError
from rag_edit.engine import Engine
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.claim import Claimed, check_claim
from rag_edit.provenance.keyring import read_entries
from rag_edit.provenance.receipt import Models, read_body
from rag_edit.provenance.statement import sign_statement
from rag_edit.records.files import read_mappings
from rag_edit.records.leaves import Leaves
from rag_edit.records.memory_store import MemoryStore
from rag_edit.records.plan import make_plan
from rag_edit.records.planned import Plan
from rag_edit.testing import FakeHsm, fake_engine
from rag_edit.trust.changing import draft, publish
from rag_edit.trust.office import Office
from rag_edit.trust.proving import prove_live
from rag_edit.trust.receipting import Answered, Receipts
from rag_edit.trust.trusting import territory

T = datetime(2026, 11, 23, 9, tzinfo=UTC)
VAT = {"id": "vat", "jurisdiction": "DE", "topic": "tax.vat", "question": "How high is the VAT rate?", "answer": "19 %"}


def plan_of(engine: Engine, *facts: dict[str, str]) -> Plan:
    newest = list(engine.newest())
    return make_plan(
        read_mappings(facts, default_atlas()), newest, engine.atlas, on_conflict="newest", today=date(2026, 11, 23)
    )


class Clock:
    def __init__(self) -> None:
        self.now = T

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Iterator[Engine]:
    with fake_engine() as engine:
        office = Office(engine.store, MemoryAnchor(), FakeHsm, territory, clock)
        receipts = Receipts(office, engine.thresholds, lambda _: Models(), "DE", clock)
        engine.office = office
        engine.sealing = lambda several: receipts.seal([Answered(*each, lambda *_: False) for each in several])
        engine.apply(plan_of(engine, VAT), recorded_at=T)
        yield engine


def office_of(engine: Engine) -> Office:
    assert isinstance(engine.office, Office)
    return engine.office


def found(office: Office, claim: object) -> dict[str, list[str]]:
    about: tuple[Claimed, ...] = check_claim(canonical_json(claim), office.note_keys())[1]  # type: ignore[arg-type]
    return {each.parts[0]: [live.name for live in each.live or ()] for each in about}


def test_what_was_live_along_the_chain_of_a_receipt_is_proved_under_the_head_that_the_receipt_holds(engine: Engine) -> None:
    office = office_of(engine)
    outcome = engine.ask("How high is the VAT rate?", jurisdiction="DE-BY")
    kept = engine.store.receipts.get(outcome.receipt)
    assert kept is not None
    engine.apply(plan_of(engine, {**VAT, "answer": "16 %"}, {**VAT, "id": "bayern", "jurisdiction": "DE-BY"}), recorded_at=T)
    body = read_body(kept.body)
    chain = [(place,) for place in body.decided.chain]
    claim = prove_live(office, chain, position=body.asked.known_at, note=body.ledger)
    assert found(office, claim) == {place: ["vat@1"] if place == "DE" else [] for (place,) in chain}
    assert claim["checkpoint"] == body.ledger
    assert found(office, prove_live(office, chain))["DE-BY"] == ["bayern@1"]
    with pytest.raises(UsageError, match="position up to"):
        prove_live(office, chain, position=99)


def test_a_claim_shows_what_was_said_since_the_last_edit(engine: Engine) -> None:
    office = office_of(engine)
    office.act(lambda _b, key, at: acts.Suspend(key, at, acts.EVERYTHING))
    claim = prove_live(office, [("DE",)])
    assert len(claim["entries"]) == 2  # type: ignore[arg-type]
    assert found(office, claim) == {"DE": ["vat@1"]}


def test_what_goes_live_by_itself_is_named_with_the_change_that_brings_it(engine: Engine, clock: Clock) -> None:
    office = office_of(engine)
    draft(office, plan_of(engine, {**VAT, "topic": "tax", "answer": "16 %"}), "later", propose=True)
    publish(office, "later", digest_bytes(b""), not_before=T + timedelta(hours=1))
    draft(office, plan_of(engine, {**VAT, "topic": "money", "answer": "7 %"}), "never", propose=True)
    assert office.writer.replay.live["vat"].name == "vat@1"
    clock.now += timedelta(hours=2)
    office.keep_up()
    live = office.writer.replay.live["vat"]
    assert (live.name, live.topic) == ("vat@2", "tax")
    entries = read_entries(office.store.ledger.leaves())[0]
    assert entries[-1].statement.predicate["change"] == "later"


def old_store(engine: Engine) -> MemoryStore:
    """The store as it would be if its ledger were from before there was a map."""
    store, signer = MemoryStore(), FakeHsm()
    leaves = []
    for leaf, entry in zip(engine.store.ledger.leaves(), read_entries(engine.store.ledger.leaves())[0], strict=True):
        plain = {name: value for name, value in entry.statement.predicate.items() if name != "map"}
        leaves.append(sign_statement(replace(entry.statement, predicate=plain), [signer]) if plain else leaf)
    digests = [subject.digest for entry in read_entries(leaves)[0] for subject in entry.statement.subjects]
    salts = engine.store.ledger.salts(digests)
    plan = plan_of(fake_engine(), VAT)
    store.append(plan.edits, idempotency_key=plan.key, recorded_at=T, leaves=Leaves(0, tuple(leaves), salts))
    return store


def test_a_ledger_from_before_there_was_a_map_opens_and_has_one_from_the_next_edit_on(engine: Engine, clock: Clock) -> None:
    store = old_store(engine)
    office = Office(store, MemoryAnchor(), FakeHsm, territory, clock)
    office.ready()
    assert store.ledger.size() == engine.store.ledger.size()
    with pytest.raises(UsageError, match="before there were any"):
        prove_live(office, [("DE",)])
    newest = [*store.live(), *store.closed()]
    fact = {**VAT, "id": "moon", "jurisdiction": "GLOBAL"}
    plan = make_plan(
        read_mappings([fact], default_atlas()), newest, default_atlas(), on_conflict="newest", today=date(2026, 11, 23)
    )
    office.carry_out(plan, recorded_at=T)
    assert found(office, prove_live(office, [("DE",), ("GLOBAL",), ("FR",)])) == {
        "DE": ["vat@1"],
        "GLOBAL": ["moon@1"],
        "FR": [],
    }
