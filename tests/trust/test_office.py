"""Every edit is an act: judged, signed, in the ledger with the edit, whatever plans come."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.authority import acts
from rag_edit.authority.acts import EVERYTHING, Act, Enact
from rag_edit.authority.book import Book
from rag_edit.authority.policy import Policy, Quorum
from rag_edit.core.atlas import default_atlas
from rag_edit.core.errors import InvalidRecordsError, StaleVersionError
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.audit import AuditedLedger, audit_ledger
from rag_edit.provenance.errors import RolledBackError
from rag_edit.provenance.note import NoteKey
from rag_edit.records.files import read_mappings
from rag_edit.records.memory_store import MemoryStore
from rag_edit.records.plan import make_plan, retraction_plan
from rag_edit.records.planned import Plan
from rag_edit.testing import FakeHsm
from rag_edit.trust.adopting import ADOPTED, is_on_record
from rag_edit.trust.entries import read_book
from rag_edit.trust.office import Office
from rag_edit.trust.refusal import RefusedActError
from rag_edit.trust.trusting import territory

T = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = T

    def __call__(self) -> datetime:
        return self.now


def office_of(store: MemoryStore, anchor: MemoryAnchor | None = None) -> Office:
    return Office(store, anchor or MemoryAnchor(), FakeHsm, territory, Clock())


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def office(store: MemoryStore) -> Office:
    return office_of(store)


def fact(name: str, answer: str = "19 %", place: str = "DE", **fields: object) -> dict[str, object]:
    return {"id": name, "jurisdiction": place, "question": f"What is {name}?", "answer": answer, **fields}


def planned(store: MemoryStore, *facts: dict[str, object]) -> Plan:
    read = read_mappings(facts, default_atlas())
    newest = [*store.live(), *store.closed()]
    return make_plan(read, newest, default_atlas(), on_conflict="newest", today=date(2026, 11, 23))


def apply(office: Office, *facts: dict[str, object]) -> None:
    plan = planned(office.store, *facts)  # type: ignore[arg-type]
    if plan.edits:
        office.carry_out(plan, recorded_at=T)


def kinds(office: Office) -> list[str]:
    audited = audited_of(office)
    return [entry.statement.kind for entry in audited.entries]


def audited_of(office: Office) -> AuditedLedger:
    keys = [NoteKey(office.ledger.origin, office.signer.key)]
    return audit_ledger(office.store.ledger.leaves(), office.ledger.seal(), keys)


def agree(office: Office) -> None:
    """What is live in the store is live in the book that anybody reads from the ledger, and named in it."""
    book = read_book(office.store.ledger.leaves(), territory())
    live = {version.record.id: version for version in office.store.live()}
    assert {line.record for line in book.state.records.values() if line.live} == set(live)
    assert office.store.ledger.covered() == office.store.position()
    for version in live.values():
        entered = office.entered(version.name)
        assert entered is not None
        assert entered.content == book.state.served(version.record.id).content
        assert is_on_record(office.writer, version)
    mapped = audited_of(office).replay
    assert {record: (each.jurisdiction, each.topic, each.name) for record, each in mapped.live.items()} == {
        record: (str(version.record.jurisdiction), version.record.topic, version.name) for record, version in live.items()
    }
    assert mapped.root == office.writer.replay.root


def test_the_first_edit_founds_the_ledger_and_is_proposed_published_and_named(office: Office) -> None:
    apply(office, fact("vat"))
    assert kinds(office) == ["found", "propose", "publish", "edits"]
    agree(office)


def test_the_last_entry_of_an_edit_that_names_versions_gives_the_root_of_what_is_live(office: Office) -> None:
    apply(office, *(fact(f"fact-{n:04}", topic="tax.vat") for n in range(200)))
    entries = [entry.statement for entry in audited_of(office).entries if entry.statement.kind == "edits"]
    assert [each.predicate.get("map") for each in entries] == [*[None] * (len(entries) - 1), audited_of(office).replay.root]
    assert len(entries) > 1


def test_a_record_that_is_retracted_stops_being_live_in_store_and_book(office: Office, store: MemoryStore) -> None:
    apply(office, fact("vat"))
    office.carry_out(retraction_plan(store.get("vat"), "repealed"), recorded_at=T)
    assert kinds(office)[4:] == ["retract", "edits"]
    agree(office)


def test_a_plan_of_many_records_is_split_into_entries_that_fit(office: Office) -> None:
    apply(office, *(fact(f"fact-{n:04}", topic="tax.vat") for n in range(700)))
    assert kinds(office).count("publish") > 1
    assert max(map(len, office.store.ledger.leaves())) <= 60 * 1024
    agree(office)


def test_a_refused_edit_names_the_condition_and_changes_nothing(office: Office, store: MemoryStore) -> None:
    apply(office, fact("vat"))
    before = (store.position(), store.ledger.size())

    def four_eyes(_book: Book, key: str, at: datetime) -> Act:
        eyes = Quorum(approvals=1)
        return Enact(key, at, Policy("four eyes", low=eyes, normal=eyes, high=eyes))

    office.act(four_eyes)
    with pytest.raises(RefusedActError, match="TOO_FEW_APPROVALS"):
        apply(office, fact("other"))
    assert (store.position(), store.ledger.size()) == (before[0], before[1] + 1)
    agree(office)


def test_a_stale_plan_leaves_the_office_as_it_was(office: Office, store: MemoryStore) -> None:
    plan = planned(store, fact("vat", "16 %"))
    apply(office, fact("vat"))
    with pytest.raises((StaleVersionError, RefusedActError)):
        office.carry_out(plan, recorded_at=T)
    apply(office, fact("vat", "7 %"))
    agree(office)


def test_records_from_before_there_was_a_ledger_are_put_on_record_once(store: MemoryStore) -> None:
    store.append(planned(store, fact("a"), fact("b")).edits, idempotency_key="k", recorded_at=T)
    office = office_of(store)
    office.ready()
    assert kinds(office) == ["found", "propose", "publish", "edits"]
    assert json.loads(str(audited_of(office).entries[1].statement.predicate["reason"]).join('""')) == ADOPTED
    office_of(store).ready()
    assert store.ledger.size() == 4
    agree(office)


def test_a_restored_snapshot_is_put_on_record(office: Office, store: MemoryStore) -> None:
    apply(office, fact("a"), fact("b"))
    restored = MemoryStore()
    restored.append(planned(restored, fact("b", "7 %"), fact("c")).edits, idempotency_key="k", recorded_at=T)
    restored.ledger._leaves, restored.ledger._salts = store.ledger._leaves, store.ledger._salts
    after = office_of(restored)
    after.ready()
    agree(after)
    apply(after, fact("a"), fact("c", "1 %"))
    agree(after)


def test_a_store_older_than_its_anchor_is_refused_until_somebody_goes_on_from_it(store: MemoryStore) -> None:
    anchor = MemoryAnchor()
    office = office_of(store, anchor)
    apply(office, fact("a"))
    old = MemoryStore()
    with pytest.raises(RolledBackError, match="ledger succeed"):
        office_of(old, anchor).check()
    after = office_of(old, anchor)
    ledger = after.go_on("the disk was lost")
    assert ledger.origin.endswith("/2")
    assert kinds(after) == ["found", "succession"]
    apply(office_of(old, anchor), fact("a"))
    agree(office_of(old, anchor))


def test_a_switch_that_is_thrown_is_an_act(office: Office) -> None:
    apply(office, fact("vat"))
    office.act(lambda _book, key, at: acts.Suspend(key, at, EVERYTHING))
    assert office.book.served("vat").suspended == EVERYTHING


FACTS: st.SearchStrategy[Callable[[], dict[str, object]]] = st.builds(
    partial,
    st.just(fact),
    st.sampled_from(["a", "b", "c", "d/x:y"]),
    answer=st.sampled_from(["1", "2"]),
    place=st.sampled_from(["DE", "FR"]),
    supersedes=st.lists(st.sampled_from(["a", "b"]), max_size=1),
    derogates=st.lists(st.sampled_from(["c", "nowhere"]), max_size=2, unique=True),
    topic=st.sampled_from(["", "tax", "Tax and law"]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.lists(FACTS, max_size=3), st.sampled_from(["a", "b", "c"])), max_size=6))
def test_whatever_is_applied_under_the_local_charter_is_permitted(steps: list[object]) -> None:
    office = office_of(MemoryStore())
    for step in steps:
        if isinstance(step, str):
            found = [
                v for v in (*office.store.live(), *office.store.closed()) if v.record.id == step and v.status != "retracted"
            ]
            if found:
                office.carry_out(retraction_plan(found[0], "gone"), recorded_at=T)
            continue
        made = {each["id"]: each for each in (make() for make in step)}  # type: ignore[attr-defined]
        facts = [f for f in made.values() if f["id"] not in f["supersedes"] and f["id"] not in f["derogates"]]
        try:
            apply(office, *facts)
        except InvalidRecordsError:  # records that supersede one another in a circle: refused before any act
            continue
    if office.store.position():
        agree(office)
