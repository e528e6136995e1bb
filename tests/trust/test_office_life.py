"""The whole life of changes as a state machine over store, ledger, book, index and receipts: what holds after every step.

Rules are acts of several people under a strict policy, answers with receipts, time, rotations, erasures, restarts. The invariants are
those of the ledger and of what is served (named I1, I3...), checked from the ledger's entries as an auditor would read them.
"""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rag_edit.authority import acts
from rag_edit.authority.acts import EVERYTHING, Act, Reach, Target
from rag_edit.authority.book import Book
from rag_edit.core.atlas import default_atlas
from rag_edit.core.digest import canonical_json, digest_bytes
from rag_edit.core.errors import RagEditError
from rag_edit.provenance.claim import check_claim
from rag_edit.provenance.receipt import read_body
from rag_edit.provenance.tiles import tiles_of
from rag_edit.records.files import read_mappings
from rag_edit.records.plan import make_plan
from rag_edit.trust.audit_page import page
from rag_edit.trust.auditing import BEGINNING, tell
from rag_edit.trust.auditing import report as report_on
from rag_edit.trust.changing import approve, break_glass, draft, publish, reject, report
from rag_edit.trust.prov import provenance
from rag_edit.trust.proving import prove_live
from rag_edit.trust.receipting import BREAKGLASS, BY_BREAKGLASS
from rag_edit.trust.travelling import go_back
from rag_edit.trust.trusting import territory
from tests.trust.house import POWERS, House
from tests.trust.invariants import Memory, check_all, check_no_secret, erased_in

CONDITIONS = digest_bytes(b"conditions")
VAT = "How high is the standard VAT rate?"
FACTS = {
    "vat": (VAT, "DE", "tax.vat"),
    "vat-too": (VAT, "DE", "tax.vat"),  # says something else of the same
    "vat-fr": (VAT, "FR", "tax.vat"),
    "mask": ("Where are masks worn?", "DE", "health.mask"),
    "moon": ("Who owns the moon?", "DE", "space"),
}
QUESTIONS = {name: (question, place) for name, (question, place, _) in FACTS.items()}
people = st.sampled_from(sorted(POWERS))
facts = st.sampled_from(sorted(FACTS))
names = st.sampled_from(("one", "two"))


class Life(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.house, self.memory = House(), Memory()
        self.answered: list[tuple[str, str, str]] = []
        self.edition = 0

    def attempt(self, do: Callable[[], object]) -> bool:
        """Do something that may be refused; whatever is refused leaves the ledger as it was."""
        size, position = self.house.engine.store.ledger.size(), self.house.engine.store.position()
        try:
            do()
        except RagEditError as error:
            self.house.said.append(f"{error!r} {error} {error.hint}".encode())
            # time may have made something live or ended it before the refusal
            assert self.house.engine.store.ledger.size() >= size
            assert self.house.engine.store.position() >= position
            return False
        return True

    @rule(who=people, fact=facts, name=names, proposes=st.booleans())
    def write(self, who: str, fact: str, name: str, proposes: bool) -> None:
        self.edition += 1
        question, place, topic = FACTS[fact]
        plain = {
            "id": fact,
            "jurisdiction": place,
            "question": question,
            "topic": topic,
            "answer": f"edition {self.edition} of {fact}",
        }
        engine = self.house.engine
        plan = make_plan(
            read_mappings([plain], default_atlas()),
            list(engine.newest()),
            engine.atlas,
            on_conflict="newest",
            today=date(2026, 1, 1),
        )
        self.attempt(lambda: draft(self.house.open(who), plan, name, propose=proposes))

    @rule(name=names, who=people, passed=st.sampled_from((True, True, True, False)))
    def measure(self, name: str, who: str, passed: bool) -> None:
        self.attempt(lambda: report(self.house.open(who), name, b"{}", CONDITIONS, passed=passed))

    @rule(name=names, who=people)
    def agree(self, name: str, who: str) -> None:
        self.attempt(lambda: approve(self.house.open(who), name))

    @rule(name=names)
    def lead_to_the_end(self, name: str) -> None:
        for who, do in (
            ("cat", lambda office: report(office, name, b"{}", CONDITIONS, passed=True)),
            ("ben", lambda office: approve(office, name)),
            ("cat", lambda office: approve(office, name)),
            ("cat", lambda office: publish(office, name, CONDITIONS)),
        ):
            self.attempt(lambda who=who, do=do: do(self.house.open(who)))

    @rule()
    def publish_abroad(self) -> None:
        self.write("ann", "vat-fr", "abroad", proposes=True)
        self.lead_to_the_end("abroad")

    @rule()
    def let_two_contradict_each_other(self) -> None:
        """Both are written while neither is live."""
        for fact in ("vat", "vat-too"):
            self.write("ann", fact, f"{fact} alone", proposes=True)
        for fact in ("vat", "vat-too"):
            self.lead_to_the_end(f"{fact} alone")

    @rule(
        name=names,
        who=people,
        hours=st.sampled_from((0, 0, 3)),
        conditions=st.sampled_from((CONDITIONS, CONDITIONS, digest_bytes(b"x"))),
    )
    def make_live(self, name: str, who: str, hours: int, conditions: str) -> None:
        when = self.house.clock.now.replace(microsecond=0) + timedelta(hours=hours) if hours else None
        self.attempt(lambda: publish(self.house.open(who), name, conditions, not_before=when))

    @rule(name=names, who=people)
    def send_back(self, name: str, who: str) -> None:
        self.attempt(lambda: reject(self.house.open(who), name, "no"))

    @rule(name=names)
    def break_the_glass(self, name: str) -> None:
        for who in ("ann", "ben"):
            self.attempt(lambda who=who: break_glass(self.house.open(who), name, 5, "fire"))

    @rule(what=st.sampled_from((EVERYTHING, Target(Reach.PARTITION, "DE"), Target(Reach.RECORD, "vat"))), on=st.booleans())
    def switch(self, what: Target, on: bool) -> None:
        def make(book: Book, key: str, at: datetime) -> Act:
            found = book.state.suspensions.get(what)
            if on:
                return acts.Resume(key, at, what, found.position if found else 0)
            return acts.Suspend(key, at, what)

        self.attempt(lambda: self.house.act("cat", make))

    @rule(fact=facts, who=st.sampled_from(("ben", "cat")))
    def withdraw(self, fact: str, who: str) -> None:
        self.attempt(
            lambda: self.house.act(
                who, lambda b, key, at: acts.Retract(key, at, fact, b.line(fact).revision if b.line(fact) else 0)
            )
        )  # type: ignore[union-attr]

    @rule(fact=facts)
    def erase(self, fact: str) -> None:
        for who in ("ben", "cat"):
            self.attempt(
                lambda who=who: self.house.act(
                    who, lambda b, key, at: acts.Erase(key, at, fact, b.line(fact).revision if b.line(fact) else 0)
                )
            )  # type: ignore[union-attr]

    @rule(hours=st.sampled_from((1, 4, 30)))
    def let_time_pass(self, hours: int) -> None:
        self.house.clock.now += timedelta(hours=hours)

    @rule(fact=facts)
    def ask(self, fact: str) -> None:
        engine, (question, place) = self.house.engine, QUESTIONS[fact]
        outcome = engine.ask(question, jurisdiction=place)
        assert outcome.receipt, "I8: an answer without a receipt"
        winner, book = outcome.decision.winner, self.house.open("home").book
        self.answered.append((outcome.receipt, fact, winner.name if winner else ""))
        flags = read_body(self.body(outcome.receipt)).flags
        assert (BREAKGLASS in flags) == any(change.emergency is not None for change in book.state.changes.values())
        served = book.served(winner.record.id) if winner is not None else None
        assert served is None or served.answers, "I7: a suspended record was served"
        assert (BY_BREAKGLASS in flags) == (served is not None and served.emergency)

    def body(self, receipt: str) -> bytes:
        kept = self.house.engine.store.receipts.get(receipt)
        assert kept is not None
        return kept.body

    @rule()
    @precondition(lambda self: self.answered)
    def travel(self) -> None:
        receipt, fact, winner = self.answered[-1]
        body, office = read_body(self.body(receipt)), self.house.open("home")
        office.ready()
        erased = erased_in(office.book)
        if {each.record for each in body.decided.candidates} & erased or winner.rpartition("@")[0] in erased:
            return
        past = go_back(self.house.engine, office, body.asked.known_at)
        question, place = QUESTIONS[fact]
        found = past.decide(
            self.house.engine.query(question, jurisdiction=place, as_of=date.fromisoformat(body.asked.valid_at))
        )
        assert (found.winner.name if found.winner else "") == winner, "C-5: another answer at the same position"

    @rule()
    @precondition(lambda self: self.answered)
    def prove(self) -> None:
        """What is proved of the chain of an answer is what was live when it was given."""
        body, office = read_body(self.body(self.answered[-1][0])), self.house.open("home")
        chain = [(place,) for place in body.decided.chain]
        claim = canonical_json(prove_live(office, chain, position=body.asked.known_at, note=body.ledger))
        self.house.said.append(claim)
        line = office.line_at(body.asked.known_at)
        assert line is not None
        for each in check_claim(claim, office.note_keys())[1]:
            then = {version.name for version in office.store.as_of(known_at=line, jurisdictions=each.parts)}
            assert each.live is not None
            assert {live.name for live in each.live} == then, f"I2: what is proved of {each.parts}"

    @invariant()
    def what_an_auditor_reads_holds(self) -> None:
        check_all(self.house, self.memory, QUESTIONS)

    def teardown(self) -> None:
        """What is handed out at the end has no secret in it either: the exported ledger, the auditor's report, PROV."""
        if not hasattr(self, "house"):
            return
        store = self.house.engine.store
        told = tell(store.ledger.leaves(), territory(), self.house.clock.now)
        found = report_on(told, (kept.body for kept in store.receipts.all()), BEGINNING, self.house.clock.now)
        tiles = [content for _, content in tiles_of(store.ledger.leaves())]
        check_no_secret(self.memory, [*tiles, page(found).encode(), json.dumps([found, provenance(told)]).encode()])


@pytest.mark.slow
def test_an_emergency_shows_in_every_receipt_while_it_is_in_force_also_where_no_record_answers() -> None:
    life = Life()
    life.begin()
    engine = life.house.engine

    def flags(question: str) -> tuple[str, ...]:
        kept = engine.store.receipts.get(engine.ask(question, jurisdiction="DE").receipt)
        assert kept is not None
        return read_body(kept.body).flags

    life.write("ann", "vat", "one", True)
    life.break_the_glass("one")
    assert flags(VAT) == (BREAKGLASS, BY_BREAKGLASS)
    assert flags("Who wrote Faust?") == (BREAKGLASS,)
    life.switch(Target(Reach.PARTITION, "DE"), False)
    assert flags(VAT) == (BREAKGLASS, "SUSPENDED")
    life.let_time_pass(6)
    assert flags("Who wrote Faust?") == ()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=2, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
TestLife = pytest.mark.slow(pytest.mark.timeout(300)(TestLife))


@pytest.mark.slow
@pytest.mark.timeout(3600)
class TestLifeAtLength(Life.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
