"""A home held against what was signed of it: the ledger and the receipts, by what an auditor kept."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from rag_edit.core.atlas import default_atlas
from rag_edit.core.decision import Answer, Decision, Query, Reason, Route
from rag_edit.core.errors import RagEditError, UsageError
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.errors import RolledBackError, VerificationError
from rag_edit.provenance.receipt import Models
from rag_edit.provenance.replay import EDITS, MAP
from rag_edit.provenance.statement import Statement, Subject, sign_statement
from rag_edit.records.files import read_mappings
from rag_edit.records.memory_ledger import MemoryReceipts
from rag_edit.records.memory_store import MemoryStore
from rag_edit.records.plan import make_plan
from rag_edit.scope.calibration import Thresholds
from rag_edit.testing import FakeHsm
from rag_edit.trust.changing import draft
from rag_edit.trust.holding import hold, signed_heads
from rag_edit.trust.office import Office
from rag_edit.trust.receipting import Answered, Receipts
from rag_edit.trust.trusting import territory

T = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Desk:
    """A home in memory that answers by its base model alone."""

    def __init__(self) -> None:
        self.anchor, self.signer = MemoryAnchor(), FakeHsm()
        self.office = Office(MemoryStore(), MemoryAnchor(), lambda: self.signer, territory, lambda: T)
        self.office.ready()

    def answer(self, times: int = 1) -> None:
        receipts = Receipts(
            self.office, Thresholds(0.5, 0.0, "s", "none"), lambda _: Models(), "GLOBAL", lambda: T, self.anchor
        )
        query = Query("Who?", default_atlas().parse("DE"), date(2026, 1, 1))
        given = Answered(query, Decision(Route.BASE, Reason.NO_CANDIDATE), Answer("I", "base"), ("DE",), lambda _a, _b: False)
        for _ in range(times):
            receipts.seal([given])

    @property
    def table(self) -> MemoryReceipts:
        table = self.office.store.receipts
        assert isinstance(table, MemoryReceipts)
        return table

    def head(self) -> str:
        receipts = signed_heads(self.office)["receipts"]
        assert isinstance(receipts, dict)
        return str(receipts["checkpoint"])


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.answer(5)
    return desk


def drop(desk: Desk) -> None:
    del desk.table._receipts[2]


def exchange(desk: Desk) -> None:
    one, two = desk.table._receipts[1:3]
    desk.table._receipts[1:3] = [two, one]


def lose(desk: Desk) -> None:
    desk.table._receipts, desk.table._head = [], None


def test_a_home_as_it_was_left_holds_also_against_old_heads_of_both_logs(desk: Desk) -> None:
    old = [desk.head(), str(desk.office.ledger.seal())]
    desk.answer(2)
    found = hold(desk.office, old=old, receipts=desk.anchor)
    assert (found.receipts, found.receipt_heads, found.entries) == (7, 3, 1)
    assert hold(desk.office).receipts is None
    assert hold(Desk().office, receipts=MemoryAnchor()).receipts == 0


@pytest.mark.parametrize("harm", [drop, exchange, lose], ids=["one dropped", "two exchanged", "all lost"])
def test_receipts_that_are_gone_or_others_are_missed(desk: Desk, harm: Callable[[Desk], None]) -> None:
    harm(desk)
    with pytest.raises((RolledBackError, VerificationError)):
        hold(desk.office, receipts=desk.anchor)


def test_receipts_cut_off_at_the_end_are_missed_by_whoever_kept_a_head_of_them(desk: Desk) -> None:
    table, old, fresh = desk.table, desk.head(), Desk()
    fresh.signer = desk.signer
    fresh.answer(3)  # the same signer can sign another, shorter history
    table._receipts, table._head = fresh.table._receipts, fresh.table._head
    with pytest.raises(RolledBackError, match="5 entries of an old checkpoint"):
        hold(desk.office, old=[old])
    assert hold(desk.office, receipts=MemoryAnchor()).receipts == 3  # without one nobody can tell


def named_live(desk: Desk, change: str, name: str, content: str) -> None:
    """The home's own key names a version live that nobody published; the root is right, the head is signed."""
    replay, at = desk.office.writer.replay, "2026-11-23T09:00:00Z"
    said = {"acts": ["add"], "at": at, "by": desk.signer.key, "change": change, "line": 1}
    statement = Statement(EDITS, (Subject(name, content),), said)
    replay.hear(statement)
    rooted = Statement(EDITS, statement.subjects, {**said, MAP: replay.root})
    desk.office.store.ledger.append(sign_statement(rooted, [desk.signer]))
    desk.office.ledger.seal()


def test_a_version_that_the_homes_key_names_live_without_a_publication_is_refused(desk: Desk) -> None:
    fact = {"id": "vat", "jurisdiction": "DE", "question": "How high is VAT?", "answer": "19 %"}
    read = read_mappings([fact], default_atlas())
    draft(desk.office, make_plan(read, [], default_atlas(), on_conflict="refuse", today=T.date()), "c", propose=True)
    hold(desk.office)
    change = desk.office.book.change("c")
    assert change is not None
    named_live(desk, "c", "vat@1", change.items[0].content)
    with pytest.raises(VerificationError, match="record vat: wanted nothing live, by the acts"):
        hold(desk.office)


def test_a_head_of_another_house_is_refused(desk: Desk) -> None:
    stranger = Office(MemoryStore(), MemoryAnchor(), lambda: FakeHsm("other"), territory, lambda: T)
    stranger.ready()
    with pytest.raises(UsageError, match="wanted a checkpoint of"):
        hold(desk.office, old=[str(stranger.ledger.seal())])


def test_a_store_that_lacks_receipts_is_refused_before_anything_is_answered(desk: Desk) -> None:
    lose(desk)
    receipts = Receipts(desk.office, Thresholds(0.5, 0.0, "s", "none"), lambda _: Models(), "GLOBAL", lambda: T, desk.anchor)
    with pytest.raises(RagEditError, match="receipts that were signed"):
        receipts.check()
