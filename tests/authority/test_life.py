"""The whole life of changes as a state machine: any sentences in any order, and what holds after each of them.

Invariants, as far as they are authority's: what is live is a function of the acts (told again, they give the same book); each
live version was published by right and within the mandates of all who took part; nothing suspended or erased answers; at
most one version of a record is live; a break-glass never outlives its end; a decision about a position does not change.
"""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rag_edit.authority.book import Book
from rag_edit.authority.decide import Request, decide
from rag_edit.authority.mandate import Power
from rag_edit.authority.state import Standing
from rag_edit.authority.statement import from_statement, to_statement
from rag_edit.authority.verdict import Permit, Verdict
from tests.authority.story import RECORDS, START, TREE, Story
from tests.authority.witness import wrongs

NAMES = ("vat", "vat+2", "dues", "mask")
changes = st.sampled_from(NAMES)
records = st.sampled_from(("vat", "dues", "mask"))
writers = st.sampled_from(("anna", "arno", "gina", "gerd", "olga"))
approvers = st.sampled_from(("ben", "bea", "bert", "arno", "dora", "anna-court"))


class Life(RuleBasedStateMachine):
    """Rules are sentences; `Story` knows what they mean."""

    @initialize()
    def begin(self) -> None:
        self.story = Story()
        self.hour = 0
        self.since: dict[str, int] = {}
        self.decided: list[tuple[Request, int, Verdict]] = []

    @rule(who=writers, verb=st.sampled_from(("proposes", "drafts")), name=changes)
    def write(self, who: str, verb: str, name: str) -> None:
        self.story.say(f"{who} {verb} {name}")

    @rule(name=changes, who=writers, first=approvers, second=approvers)
    def propose_verify_and_approve(self, name: str, who: str, first: str, second: str) -> None:
        for sentence in (f"{who} proposes {name}", f"checker verifies {name}"):
            self.story.say(sentence)
        for approver in (first, second):
            self.story.say(f"{approver} approves {name}")

    @rule(name=changes, verb=st.sampled_from(("verifies", "fails")))
    def report(self, name: str, verb: str) -> None:
        self.story.say(f"checker {verb} {name}")

    @rule(name=changes, who=approvers, verb=st.sampled_from(("approves", "approves", "approves", "returns")))
    def review(self, name: str, who: str, verb: str) -> None:
        self.story.say(f"{who} {verb} {name}")

    @rule(name=changes, how=st.sampled_from(("", "", " on day 2", " with another model")))
    def publish(self, name: str, how: str) -> None:
        self.story.say(f"paul publishes {name}{how}")

    @rule(name=changes, who=st.sampled_from(("gina", "gerd")), hours=st.sampled_from((1, 24)))
    def break_glass(self, name: str, who: str, hours: int) -> None:
        for person in (who, "gerd" if who == "gina" else "gina"):
            self.story.say(f"{person} breaks-glass on {name} for {hours} hours")

    @rule(what=st.sampled_from(("vat", "dues", "mask", "DE", "DE-BY")), who=st.sampled_from(("sam", "eva")))
    def suspend(self, what: str, who: str) -> None:
        self.story.say(f"{who} suspends {what}")

    @rule(what=st.sampled_from(("vat", "dues", "mask", "DE", "DE-BY")), who=st.sampled_from(("sam", "saul", "sara")))
    def resume(self, what: str, who: str) -> None:
        self.story.say(f"{who} resumes {what}")

    @rule(record=records, verb=st.sampled_from(("retracts", "retracts", "erases")))
    def close(self, record: str, verb: str) -> None:
        for who in ("rolf", "ruth"):
            self.story.say(f"{who} {verb} {record}")

    @rule(name=st.sampled_from(("m-anna", "m-bea", "m-bert", "m-ben", "m-gina", "m-checker")))
    def revoke(self, name: str) -> None:
        self.story.say(f"cora revokes {name}")

    @rule(who=st.sampled_from(("bea", "bert", "arno", "checker")), back=st.integers(0, 12))
    def compromise(self, who: str, back: int) -> None:
        self.story.say(f"cora removes {who} as compromised since {max(1, self.story.position - back)}")

    @rule(who=st.sampled_from(("dora", "bea", "arno")), number=st.integers(1, 3))
    def grant(self, who: str, number: int) -> None:
        self.story.say(f"olga grants m-{number} to {who}: approve in DE with its parts under m-olga")

    @rule(hours=st.integers(-30, 40))
    def let_time_pass(self, hours: int) -> None:
        self.hour = max(0, min(self.hour + hours, 220))
        self.story.say(f"hour {self.hour}")

    @rule(
        power=st.sampled_from((Power.APPROVE, Power.PROPOSE, Power.PUBLISH)),
        key=st.sampled_from(("anna", "bea", "dora", "paul")),
        record=records,
    )
    def decide_something(self, power: Power, key: str, record: str) -> None:
        request, at = Request(power, key, (RECORDS[record],), self.story.now), self.story.position
        self.decided.append((request, at, decide(self.story.book.state.register, TREE, request, at=at)))

    @invariant()
    def each_live_version_was_published_by_right(self) -> None:
        lines = {name: line for name, line in self.story.book.state.records.items() if line.live}
        now = {f"{name}/{line.live}/{line.revision}": name for name, line in lines.items()}
        new = {name: self.story.position for key, name in now.items() if key not in self.since}
        assert wrongs(self.story, {name: at for name, at in new.items() if self._regular(name)}) == []
        self.since = {key: self.since.get(key, self.story.position) for key in now}
        for line in lines.values():
            rights = self.story.book.rights(line.live)
            assert rights
            if not self.story.book.state.changes[line.live].emergency:
                assert all(isinstance(right.verdict, Permit) for right in rights)

    @invariant()
    def at_most_one_version_is_live_and_the_erased_never(self) -> None:
        for line in self.story.book.state.records.values():
            alive = [change for change, standing in line.versions if standing is Standing.LIVE]
            assert alive == ([line.live] if line.live else [])
            assert not (line.erased and line.live)

    @invariant()
    def what_is_switched_off_does_not_answer(self) -> None:
        for target in self.story.book.state.suspensions:
            for name, line in self.story.book.state.records.items():
                if target.id in (name, line.remit.jurisdiction):
                    assert not self.story.book.served(name).answers

    @invariant()
    def a_break_glass_says_so_and_ends(self) -> None:
        state = self.story.book.state
        for name, line in state.records.items():
            emergency = state.changes[line.live].emergency if line.live else None
            assert self.story.book.served(name).emergency == (emergency is not None)
            if emergency is not None:
                assert state.clock < emergency.until <= state.clock + timedelta(hours=24)
                assert len({signed.person for signed in emergency.signed}) == 2

    @invariant()
    def a_decision_about_a_position_never_changes(self) -> None:
        register = self.story.book.state.register
        for request, at, verdict in self.decided[-3:]:
            assert decide(register, TREE, request, at=at) == verdict

    def teardown(self) -> None:
        """Tell the acts again, as statements: the same verdicts, the same state."""
        if not hasattr(self, "story"):
            return
        again = Book(TREE)
        for told in self.story.told:
            act = from_statement(to_statement(told.act))
            assert again.apply(act, position=told.position, now=told.now) == told.verdict
        again.tick(self.story.book.state.clock)
        one, two = self.story.book.state, again.state
        assert (one.records, one.suspensions, one.clock) == (two.records, two.suspensions, two.clock)
        assert {n: c.stage for n, c in one.changes.items()} == {n: c.stage for n, c in two.changes.items()}
        assert one.clock >= START

    def _regular(self, record: str) -> bool:
        line = self.story.book.state.records[record]
        return len(line.versions) < 2 or line.versions[-2][1] is not Standing.LAPSED  # restored after a break-glass


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestLifeAtLength(Life.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=400, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck))
