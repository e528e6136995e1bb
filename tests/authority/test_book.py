"""The book itself: one person on one machine, the order of acts, totality, explanations, drafts side by side."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rag_edit.authority import acts
from rag_edit.authority.acts import EVERYTHING, EVERYWHERE, Item
from rag_edit.authority.book import Book
from rag_edit.authority.charter import local_charter
from rag_edit.authority.compare import compare, merged, show
from rag_edit.authority.decide import Request, decide
from rag_edit.authority.mandate import Power, Remit
from rag_edit.authority.people import Service
from rag_edit.authority.territory import AdministrativeTree, administrative_tree
from rag_edit.authority.verdict import Condition, Denial, Permit
from rag_edit.core.atlas import default_atlas
from tests.authority.story import RECORDS, START, STRICT, TREE, Story, charter, digest
from tests.authority.test_cases import LIVE, VERIFIED

KEY = "ed25519:" + "ab" * 32


def laptop() -> Book:
    book = Book(TREE)
    assert isinstance(book.apply(local_charter(KEY, START), position=0, now=START), Permit)
    return book


def test_one_person_on_one_machine_proposes_and_publishes_and_is_asked_nothing() -> None:
    book = laptop()
    item = Item("r-1", Remit("EU", "any topic, in free words"), digest("a"))
    proposal = acts.Propose(KEY, START, "c-1", 0, (item,))
    assert isinstance(book.apply(proposal, position=1, now=START), Permit)
    change = book.change("c-1")
    assert change is not None
    publication = acts.Publish(KEY, START, "c-1", change.revision, change.content)
    assert isinstance(book.apply(publication, position=2, now=START), Permit)
    assert book.served("r-1").answers
    for position, act in enumerate(
        [acts.Suspend(KEY, START, EVERYTHING), acts.Resume(KEY, START, EVERYTHING, 3), acts.Retract(KEY, START, "r-1", 1)], 3
    ):
        verdict = book.apply(act, position=position, now=START)
        assert isinstance(verdict, Permit), verdict.explain()
        assert verdict.takes_effect


def test_before_there_is_a_charter_nothing_is_permitted() -> None:
    verdict = Book(TREE).apply(acts.Suspend(KEY, START, EVERYTHING), position=0, now=START)
    assert isinstance(verdict, Denial)
    assert verdict.condition is Condition.NO_CHARTER


@pytest.mark.parametrize("position", [-1, 0])
def test_an_act_at_a_position_that_was_passed_is_denied(position: int) -> None:
    verdict = laptop().apply(acts.Suspend(KEY, START, EVERYTHING), position=position, now=START)
    assert isinstance(verdict, Denial)
    assert verdict.condition is Condition.OUT_OF_ORDER


def test_an_act_that_is_dated_after_it_was_received_is_denied() -> None:
    act = acts.Suspend(KEY, START + timedelta(seconds=61), EVERYTHING)
    verdict = laptop().apply(act, position=1, now=START)
    assert isinstance(verdict, Denial)
    assert verdict.condition is Condition.FROM_THE_FUTURE


def test_a_denied_act_changes_nothing_but_the_position() -> None:
    story = Story()
    story.tell(*VERIFIED)
    before = (dict(story.book.state.changes), dict(story.book.state.said))
    assert story.tell("zoe approves vat") == "UNKNOWN_KEY"
    assert (dict(story.book.state.changes), dict(story.book.state.said)) == before
    assert story.book.state.position == story.position - 1


class BrokenTree(AdministrativeTree):
    def governs(self, outer: str, inner: str, on: date) -> bool:
        raise OSError("the tree cannot be read")


def test_an_error_is_a_denial() -> None:
    book = laptop()
    book.state.territory = BrokenTree(frozenset(), {})
    verdict = book.may(Power.PROPOSE, KEY, Remit("DE"), now=START)
    assert isinstance(verdict, Denial)
    assert verdict.condition is Condition.FAULT
    applied = book.apply(acts.Suspend(KEY, START, EVERYTHING), position=1, now=START)
    assert isinstance(applied, Denial)
    assert book.state.suspensions == {}


def test_a_request_for_no_place_is_denied() -> None:
    verdict = decide(laptop().state.register, TREE, Request(Power.PROPOSE, KEY, (), START), at=1)
    assert isinstance(verdict, Denial)


def test_a_verdict_is_not_to_be_taken_for_a_truth_value() -> None:
    for verdict in (Permit(laptop().state.register.actor(KEY, at=1, known_at=1)), Denial(Condition.STALE)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="isinstance"):
            bool(verdict)


def test_a_permit_names_the_mandates_that_carry_it() -> None:
    story = Story()
    story.tell("olga grants m-1 to dora: propose in DE-BY on tax under m-olga")
    verdict = story.say("dora proposes beer")
    assert isinstance(verdict, Permit)
    assert verdict.chains == (("m-1", "m-olga"),)
    assert verdict.explain() == "permitted: person:dora for inst:court, by mandate m-1, granted under m-olga"


def test_a_denial_names_the_condition_and_every_mandate_that_was_looked_at() -> None:
    story = Story()
    story.tell("olga grants m-1 to anna: propose in DE-BY under m-olga", "olga revokes m-1")
    verdict = story.say("anna proposes taxi")
    assert isinstance(verdict, Denial)
    assert verdict.explain().splitlines() == [
        "denied (NO_MANDATE): no mandate was granted to them: propose in DE, taxi",
        "  m-anna: the mandate is for another jurisdiction or topic",
        "  m-1: the mandate was revoked",
    ]


def test_who_may_do_something_is_listed_with_the_reason() -> None:
    story = Story()
    found = dict(story.book.may_who(Power.APPROVE, RECORDS["vat"], now=START))
    assert set(found) == {"arno", "ben", "bea", "bert", "olga"}
    assert found["bea"].chains == (("m-bea",),)


def test_by_what_right_a_version_is_live_can_be_asked_later_whatever_was_revoked_since() -> None:
    story = Story()
    story.tell(*LIVE, "cora revokes m-bea", "cora revokes m-anna", "cora removes person:ben", "day 400")
    rights = story.book.rights("vat")
    assert [str(right.power) for right in rights] == ["propose", "verify", "approve", "approve", "publish"]
    assert all(isinstance(right.verdict, Permit) for right in rights)


def test_unfinished_changes_of_one_record_know_of_each_other() -> None:
    story = Story()
    story.tell("anna proposes vat", "arno drafts vat+2", "anna proposes dues")
    assert story.book.rivals("vat") == ("vat+2",)
    assert story.book.rivals("dues") == ()


def test_a_service_acts_for_whoever_answers_for_it() -> None:
    story = Story()
    actor = story.book.state.register.actor("checker", at=9, known_at=9)
    assert isinstance(story.book.state.register.enrolled["service:checker"].party, Service)
    assert not isinstance(actor, Condition)
    assert actor.person == "person:vera"
    assert story.tell("cora removes person:vera", "anna proposes vat", "checker verifies vat") == "PARTY_REMOVED"


def test_a_mandate_for_a_country_holds_in_its_parts_by_the_packaged_atlas_and_in_no_bloc() -> None:
    tree, day = administrative_tree(default_atlas()), date(2026, 11, 22)
    assert tree.governs("DE", "DE-BY", day)
    assert tree.governs("GLOBAL", "EU", day)
    assert tree.governs("EU", "EU", day)
    for outer, inner in (("EU", "DE"), ("EU", "EUROZONE"), ("EUROZONE", "DE"), ("DE-BY", "DE"), ("DE", "AT"), ("XX", "XX")):
        assert not tree.governs(outer, inner, day)
    assert not tree.governs("GLOBAL", "XX", day)


def test_a_grant_that_many_custodians_took_falls_with_a_compromised_one() -> None:
    story = Story()
    story.tell("cora grants m-1 to dora: propose in FR", "carl grants m-1 to dora: propose in FR")
    assert story.tell("cleo removes carl as compromised since 2", "dora proposes speed") == "GRANTER_NOT_ENTITLED"


def test_what_a_compromised_key_said_does_not_count() -> None:
    story = Story()
    story.tell("cora removes anna as compromised since 0")
    assert story.tell("anna proposes vat") == "KEY_COMPROMISED"


def test_two_drafts_are_shown_side_by_side_and_a_clash_is_left_to_people() -> None:
    base = {"id": "vat", "answer": "16 %", "source": {"title": "old"}}
    left = {**base, "answer": "19 %", "topic": "tax.vat"}
    right = {"id": "vat", "answer": "19.0 %", "source": {"title": "old"}}
    found = compare(base, left, right)
    assert [(d.field, d.clashes) for d in found] == [("answer", True), ("topic", False)]
    assert merged(base, found) is None
    assert show(found, left="vat", right="vat+2").splitlines() == [
        "answer: both changed it",
        "  - 16 %",
        "  + 19 % (vat)",
        "  + 19.0 % (vat+2)",
        "topic",
        "  - (nothing)",
        "  + tax.vat (vat)",
    ]
    assert merged(base, compare(base, left, {**base, "source": {"title": "new"}})) == {**left, "source": {"title": "new"}}
    assert merged(base, compare(base, left, left)) == left
    assert compare(None, left, left)[0].base is None


def test_custody_passes_with_the_old_threshold_and_to_people_with_keys() -> None:
    story = Story()
    there = ("person:cleo", "person:paul")
    assert isinstance(story.do(acts.Entrust("cora", START, there, 1)), Permit)
    assert story.book.state.register.custody_before(story.position).threshold == 2
    assert isinstance(story.do(acts.Entrust("carl", START, there, 1)), Permit)
    assert story.book.state.register.custody_before(story.position).threshold == 1
    assert story.tell("cora enrols person:zoe") == "NOT_A_CUSTODIAN"
    assert story.tell("paul enrols person:zoe") == "permitted"
    denied = story.do(acts.Entrust("paul", START, ("person:zoe",), 1))
    assert isinstance(denied, Denial)
    assert denied.condition is Condition.UNKNOWN_KEY


def test_a_charter_names_whomever_it_speaks_of() -> None:
    whole = charter()
    values = {name: getattr(whole, name) for name in ("by", "at", "people", "institutions", "services", "keys", "mandates")}
    with pytest.raises(ValueError, match="parties that the charter names"):
        acts.Found(**values, custodians=("person:nobody",), threshold=1, policy=STRICT)
    with pytest.raises(ValueError, match="key of a custodian"):
        acts.Found(**{**values, "by": "anna"}, custodians=("person:cora",), threshold=1, policy=STRICT)


def test_the_whole_world_is_one_remit() -> None:
    assert str(EVERYWHERE) == "GLOBAL and its parts, every topic"
    assert datetime(2026, 1, 1, tzinfo=UTC) == START
