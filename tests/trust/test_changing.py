"""What is published does not contradict what is live by then, whatever it was drafted from."""

from datetime import UTC, date, datetime

import pytest

from rag_edit.core.atlas import default_atlas
from rag_edit.core.digest import digest_bytes
from rag_edit.core.errors import ConflictError
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.records.files import read_mappings
from rag_edit.records.memory_store import MemoryStore
from rag_edit.records.plan import make_plan
from rag_edit.testing import FakeHsm
from rag_edit.trust.changing import draft, publish
from rag_edit.trust.holding import hold
from rag_edit.trust.office import Office
from rag_edit.trust.trusting import territory

T = datetime(2026, 11, 23, 9, tzinfo=UTC)
VAT = {"id": "vat", "jurisdiction": "DE", "question": "How high is the VAT rate?", "answer": "19 %"}


@pytest.fixture
def office() -> Office:
    return Office(MemoryStore(), MemoryAnchor(), FakeHsm, territory, lambda: T)


def propose(office: Office, name: str, fact: dict[str, object]) -> None:
    newest = [*office.store.live(), *office.store.closed()]
    read = read_mappings([fact], default_atlas())
    draft(office, make_plan(read, newest, default_atlas(), on_conflict="newest", today=date(2026, 11, 23)), name, propose=True)


@pytest.mark.parametrize(
    ("other", "is_refused"),
    [
        ({"id": "other", "answer": "7 %"}, True),
        ({"id": "other", "answer": "7 %", "question": "how high is the VAT rate"}, True),
        ({"id": "other", "answer": "19 %"}, False),
        ({"id": "other", "answer": "7 %", "jurisdiction": "FR"}, False),
        ({"id": "other", "answer": "7 %", "valid_to": "2026-01-01"}, False),
        ({"id": "other", "answer": "7 %", "derogates": ["vat"]}, False),
        ({"id": "other", "answer": "7 %", "question": "Who pays VAT?"}, False),
        ({"id": "vat", "answer": "7 %"}, False),
    ],
    ids=["another answer", "in other letters", "the same answer", "elsewhere", "another time", "by its own word",
         "another question", "the same record"],
)  # fmt: skip
def test_a_change_that_contradicts_what_went_live_meanwhile_is_not_published(
    office: Office, other: dict[str, object], is_refused: bool
) -> None:
    late = {**VAT, **other}
    is_same = late["id"] == "vat"
    if not is_same:
        propose(office, "late", late)  # while nothing is live
    propose(office, "first", {**VAT, "valid_from": "2026-02-01"})
    publish(office, "first", digest_bytes(b""))
    if is_same:
        propose(office, "late", late)
    size = office.store.ledger.size()
    if not is_refused:
        publish(office, "late", digest_bytes(b""))
        assert late["id"] in {version.record.id for version in office.store.live()}
        return
    with pytest.raises(ConflictError, match="other contradicts vat@1, which is live"):
        publish(office, "late", digest_bytes(b""))
    assert office.store.ledger.size() == size
    propose(office, "late", late)  # made anew, it closes what it contradicts
    publish(office, "late", digest_bytes(b""))
    assert [version.name for version in office.store.live()] == ["other@1"]


def test_a_change_that_says_again_what_is_live_is_published_and_the_ledger_holds(office: Office) -> None:
    before = make_plan(
        read_mappings([VAT], default_atlas()), [], default_atlas(), on_conflict="newest", today=date(2026, 11, 23)
    )
    propose(office, "first", VAT)
    publish(office, "first", digest_bytes(b""))
    draft(office, before, "again", propose=True)  # a plan from before anything was live
    publish(office, "again", digest_bytes(b""))
    assert [version.name for version in office.store.live()] == ["vat@1"]
    assert hold(office).live_records == 1
