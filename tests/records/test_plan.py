"""Plans: what files would do to what is live; contradictions and how they are settled; doing it twice."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.errors import ConflictError, InvalidRecordsError, RetractedRecordError
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.records.conflicts import fold_question, fold_value
from rag_edit.records.files import LocatedRecord, LocatedRetraction, ReadResult
from rag_edit.records.memory_store import MemoryStore
from rag_edit.records.parse import Retraction
from rag_edit.records.plan import OnConflict, Plan, describe_plan, make_plan, plan_to_json, retraction_plan
from rag_edit.records.store import Act

TODAY = date(2026, 6, 1)
WHEN = datetime(2026, 6, 1, tzinfo=UTC)
MODES: tuple[OnConflict, ...] = ("refuse", "newest", "skip")


class Chains:
    """An atlas with two chains."""

    def chain(self, j: str, on: date, /) -> tuple[str, ...]:
        return {"DE": ("DE", "EU", "GLOBAL"), "EU": ("EU", "GLOBAL")}.get(j, (j, "GLOBAL"))


def rec(name: str, question: str = "", answer: str = "A", **more: Any) -> Record:
    return Record(**{"id": name, "jurisdiction": "DE", "question": question or f"What is {name}?", "answer": answer, **more})


def read(*records: Record, retract: Sequence[str] = ()) -> ReadResult:
    located = tuple(LocatedRecord(record, "f.yaml", 10 * at) for at, record in enumerate(records, start=1))
    return ReadResult(located, tuple(LocatedRetraction(Retraction(name, "wrong"), "r.yaml", 1) for name in retract))


def live(*records: Record, version: int = 1, status: Status = Status.LIVE) -> list[RecordVersion]:
    return [RecordVersion(record, version, key, status, WHEN) for key, record in enumerate(records, start=1)]


def plan(files: ReadResult, versions: Iterable[RecordVersion] = (), on_conflict: OnConflict = "refuse") -> Plan:
    return make_plan(files, versions, Chains(), on_conflict=on_conflict, today=TODAY)


def acts(made: Plan) -> list[tuple[str, str, int]]:
    return [(edit.act.value, edit.record.id, edit.expected_version) for edit in made.edits]


# --- what becomes of a record -------------------------------------------------------------------------------------------


def test_a_new_id_is_added_a_changed_one_changed_an_equal_one_left() -> None:
    made = plan(read(rec("a"), rec("b", answer="B2"), rec("c")), live(rec("b", answer="B1"), rec("c"), rec("d"), version=3))
    assert acts(made) == [("change", "b", 3), ("add", "a", 0)]
    assert made.unchanged == ("c",)
    [change] = made.changes
    assert [(f.name, f.old, f.new) for f in change.fields()] == [("answer", "B1", "B2")]


def test_a_retraction_closes_what_is_live_and_warns_of_what_is_not() -> None:
    made = plan(read(retract=["a", "gone"]), live(rec("a"), version=4))
    assert acts(made) == [("retract", "a", 4)]
    assert made.edits[0].reason == "wrong"
    assert made.warnings == ("gone (r.yaml:1) is withdrawn, but no record with this id is live",)


def test_a_closed_record_is_stated_again_only_with_other_content() -> None:
    closed = [*live(rec("a"), version=2, status=Status.RETRACTED), *live(rec("b"), version=2, status=Status.SUPERSEDED)]
    same = plan(read(rec("a"), rec("b"), retract=["c"]), [*closed, *live(rec("c"), status=Status.RETRACTED)])
    assert acts(same) == []
    assert [left.why for left in same.left_out] == [
        "it was retracted with this very content; change it to state it again",
        "it was superseded with this very content; change it to state it again",
    ]
    other = plan(read(rec("a", rationale="it was right")), closed)
    assert acts(other) == [("add", "a", 2)]
    assert other.warnings == ("a (f.yaml:10) was retracted; this states it again",)
    assert acts(plan(read(retract=["b"]), closed)) == [("retract", "b", 2)]


def test_what_a_record_supersedes_is_closed_with_it() -> None:
    made = plan(
        read(rec("new", "What is old?", "B", supersedes=("old", "older", "gone"))), live(rec("old"), rec("older"), version=2)
    )
    assert acts(made) == [("supersede", "old", 2), ("supersede", "older", 2), ("add", "new", 0)]
    assert made.edits[0].reason == "superseded by new"
    assert made.warnings == ("new (f.yaml:10) supersedes gone, but no record with this id is live",)


def test_a_chain_of_supersessions_leaves_its_last_link() -> None:
    chain = [rec("a"), rec("b", "What is a?", "B", supersedes=("a",)), rec("c", "What is a?", "C", supersedes=("b",))]
    for mode in MODES:
        for versions in ([], live(chain[0]), live(*chain[:2]), live(*chain)):
            made = plan(read(*chain), versions, mode)
            kept = {v.record.id for v in versions} | {e.record.id for e in made.edits if e.act is Act.ADD}
            assert kept - {e.record.id for e in made.edits if e.act is Act.SUPERSEDE} == {"c"}
            assert [left.id for left in made.left_out] == ["a", "b"]
            assert made.conflicts == ()


def test_records_that_supersede_one_another_in_a_circle_are_refused() -> None:
    with pytest.raises(InvalidRecordsError) as caught:
        plan(
            read(
                rec("a", supersedes=("b",)),
                rec("b", supersedes=("c",)),
                rec("c", supersedes=("a",)),
                rec("d", supersedes=("a",)),
            )
        )
    assert caught.value.faults[0] == "f.yaml:10:supersedes: wanted no circle, found 'a' superseding 'b'"
    assert len(caught.value.faults) == 3


def test_what_a_live_record_replaced_by_name_stays_out() -> None:
    made = plan(read(rec("old")), live(rec("new", "What is old?", "B", supersedes=("old",))))
    assert acts(made) == []
    assert [left.why for left in made.left_out] == ["the live new@1 supersedes it"]


# --- what contradicts what ----------------------------------------------------------------------------------------------

BASE = rec("a", "What is the rate?", "19 %")
JAN, JUL = date(2026, 1, 1), date(2026, 7, 1)


@pytest.mark.parametrize(
    "other, contradicts",
    [
        (rec("b", "what is  THE rate", "7 %"), True),
        (rec("b", "Ｗhat is the rate？", "7 %"), True),
        (rec("b", "Other?", "7 %", paraphrases=("And?", "“What is the rate?”")), True),
        (rec("b", "What is the rate?", "7 %", jurisdiction="EU"), False),
        (rec("b", "What is the rate for C#?", "7 %"), False),
        (rec("b", "What is the rate?", "19%."), False),
        (rec("b", "What is the rate?", "It is 19 %.", target="19%"), False),
        (rec("b", "What is the rate?", "It is 19 %.", target="7 %", target_aliases=("19%",)), False),
        (rec("b", "What is the rate?", "It is 19 %."), True),
        (rec("b", "What is the rate?", "1.9 %"), True),
        (rec("b", "What is the rate?", "-19 %"), True),
        (rec("b", "What is the rate?", "7 %", derogates=("a",)), False),
        (rec("b", "What is the rate?", "7 %", derogates=("x",)), True),
        (rec("b", "What is the rate?", "7 %", valid_from=JAN), True),
    ],
)
def test_contradiction_is_the_same_question_and_day_with_another_answer(other: Record, contradicts: bool) -> None:
    assert bool(plan(read(other), live(BASE)).conflicts) is contradicts
    assert bool(plan(read(BASE), live(other)).conflicts) is contradicts
    assert bool(plan(read(BASE, other)).conflicts) is contradicts


@pytest.mark.parametrize(
    "first, second, contradicts",
    [
        ((None, JAN), (JAN, None), False),
        ((None, JUL), (JAN, None), True),
        ((JAN, JUL), (JUL, None), False),
        ((None, None), (JAN, JUL), True),
    ],
)
def test_validity_is_half_open(
    first: tuple[date | None, date | None], second: tuple[date | None, date | None], contradicts: bool
) -> None:
    one, two = (replace(BASE, id=n, answer=n, valid_from=f, valid_to=t) for n, (f, t) in (("a", first), ("b", second)))
    assert bool(plan(read(one), live(two)).conflicts) is contradicts


@pytest.mark.parametrize(
    "subject, relation, contradicts",
    [("VAT", "standard rate", True), ("value-added tax", "Standard  rate", True), ("Vat", "reduced rate", False), ("VAT", "", False), ("", "standard rate", False)],
)  # fmt: skip
def test_the_same_relation_of_a_shared_name_contradicts_too(subject: str, relation: str, contradicts: bool) -> None:
    one = rec("a", subject="MwSt", aliases=("VAT", "Value-added tax"), relation="standard rate", answer="19 %")
    two = rec("b", subject=subject, relation=relation, answer="7 %")
    assert bool(plan(read(one), live(two)).conflicts) is contradicts


def test_twins_are_a_warning_once_and_no_conflict() -> None:
    twin = rec("b", "what is the rate", "19%")
    made = plan(read(twin), live(BASE))
    assert made.warnings == ("b (f.yaml:10) says the same as a: 'what is the rate'",)
    assert plan(read(twin), live(BASE, twin)).warnings == ()


@pytest.mark.parametrize(
    "text, folded",
    [
        ("What's “it”, then?!", "what s it then"),
        ("C# & C++ -5 %", "c# & c++ -5 %"),
        ("STRASSE ﬁ", "strasse fi"),
        ("Straße؟", "strasse"),
        ("क्या है?", "क्या है"),
        ("¿Qué?", "qué"),
        ("?!", ""),
    ],
)
def test_questions_are_folded_but_not_what_tells_things_apart(text: str, folded: str) -> None:
    assert fold_question(text) == folded


def test_values_are_folded_by_case_space_and_full_stop() -> None:
    assert fold_value("19 %.") == fold_value("１９%")
    assert fold_value("-5") != fold_value("5") != fold_value("0.5")
    assert fold_value("...") == "..."


# --- how it is settled --------------------------------------------------------------------------------------------------


def test_refuse_lists_every_contradiction_and_gives_no_edits() -> None:
    made = plan(read(rec("b", "What is the rate?", "7 %"), rec("c", "What is the rate?", "5 %"), rec("d")), live(BASE))
    assert made.refused
    assert [(c.first.id, c.second.id) for c in made.conflicts] == [("a", "b"), ("a", "c"), ("b", "c")]
    with pytest.raises(ConflictError) as caught:
        made.edits  # noqa: B018
    assert caught.value.conflicts[0] == "DE: 'What is the rate?': a (a@1) '19 %' against b (f.yaml:10) '7 %'"
    assert plan_to_json(made)["idempotency_key"] is None


def test_newest_lets_the_files_supersede_what_is_live() -> None:
    made = plan(read(rec("b", "What is the rate?", "7 %", author="me")), live(BASE, version=5), "newest")
    assert acts(made) == [("supersede", "a", 5), ("add", "b", 0)]
    assert (made.edits[0].author, made.edits[0].reason) == ("me", "superseded by b")
    assert made.conflicts[0].outcome == "b supersedes a"


def test_newest_among_the_files_is_the_later_first_day_then_the_later_line() -> None:
    early, late = rec("z", "What is the rate?", "1", valid_from=JAN), rec("b", "What is the rate?", "2", valid_from=JUL)
    for files in (read(early, late), read(late, early)):
        assert acts(plan(files, (), "newest")) == [("add", "b", 0)]
    first, second = rec("z", "What is the rate?", "1"), rec("b", "What is the rate?", "2")
    assert acts(plan(read(first, second), (), "newest")) == [("add", "b", 0)]
    assert acts(plan(read(second, first), live(second), "newest")) == [("supersede", "b", 1), ("add", "z", 0)]


def test_skip_leaves_the_incoming_record_out() -> None:
    made = plan(read(rec("b", "What is the rate?", "7 %"), rec("c"), rec("d", "What is c?", "B")), live(BASE), "skip")
    assert acts(made) == [("add", "c", 0)]
    assert [(left.id, left.why) for left in made.left_out] == [("b", "it contradicts a"), ("d", "it contradicts c")]


def test_skip_lets_two_records_swap_their_questions() -> None:
    a, b = rec("a", "Q1", "1"), rec("b", "Q2", "2")
    changed = (replace(a, question="Q3"), replace(b, question="Q1"))
    assert acts(plan(read(*changed[::-1]), live(a, b), "skip")) == [("change", "a", 1), ("change", "b", 1)]


def test_what_is_left_out_supersedes_nothing() -> None:
    files = read(rec("b", "What is the rate?", "7 %", supersedes=("c",)))
    assert acts(plan(files, live(BASE, rec("c")), "skip")) == []
    later = read(rec("b", "Q", "1", supersedes=("c",)), rec("e", "Q", "2"))
    assert acts(plan(later, live(rec("c")), "newest")) == [("add", "e", 0)]


# --- warnings -----------------------------------------------------------------------------------------------------------


def test_a_gap_until_the_successor_holds_is_a_warning() -> None:
    made = plan(read(rec("b", answer="B", supersedes=("a",), valid_from=JUL)), live(BASE))
    assert made.warnings == ("a answers today and is superseded by b, which does not until 2026-07-01",)


def test_contradicting_binding_law_further_up_is_a_warning() -> None:
    law = replace(BASE, id="law", jurisdiction="EU", answer="15 %", binding=True)
    assert plan(read(BASE), live(law)).warnings == ("a (f.yaml:10) contradicts law of EU, which is binding",)
    assert plan(read(BASE, law)).warnings == ("a (f.yaml:10) contradicts law of EU, which is binding",)
    for harmless in (
        replace(law, jurisdiction="FR"),
        replace(law, answer="19 %"),
        replace(law, binding=False),
        replace(law, valid_from=JAN, valid_to=JUL),
    ):
        assert bool(plan(read(BASE), live(harmless)).warnings) is (harmless.valid_to is not None)
    assert plan(read(replace(BASE, derogates=("law",))), live(law)).warnings == ()


# --- showing ------------------------------------------------------------------------------------------------------------


def test_a_plan_is_shown_as_a_diff() -> None:
    files = read(
        rec("a", answer="new\x1b[31m"[:3], aliases=("x", "y")),
        rec("b", valid_from=JAN),
        rec("c", "What is old?", "B", supersedes=("old",)),
        retract=["r"],
    )
    made = plan(files, live(rec("a", answer="old", aliases=("x",)), rec("old"), rec("r")))
    assert list(describe_plan(made)) == [
        "- DE r@1 retracted (r.yaml:1): 'wrong'",
        "- DE old@1 superseded by c (f.yaml:30)",
        "    'What is old?' -> 'A'",
        "~ DE a@1 (f.yaml:10)",
        "    answer:",
        "      - 'old'",
        "      + 'new'",
        "    aliases:",
        "      - 'x'",
        "      + 'x'",
        "      + 'y'",
        "+ DE b [2026-01-01..) (f.yaml:20)",
        "    'What is b?' -> 'A'",
        "+ DE c (f.yaml:30)",
        "    'What is old?' -> 'B'",
        "2 added, 1 changed, 1 superseded, 1 retracted",
    ]  # fmt: skip
    assert list(describe_plan(plan(read()))) == ["nothing to do"]
    refused = list(describe_plan(plan(read(replace(BASE, id="b", answer="x" * 99)), live(BASE))))
    assert refused[2:] == [
        "! conflict: DE: 'What is the rate?'",
        "      a (a@1): '19 %'",
        f"      b (f.yaml:10): '{'x' * 73}...'",
        "refused: 1 added, 1 conflicts",
    ]


def test_the_json_of_a_plan_has_a_stable_shape() -> None:
    made = plan(
        read(rec("a", answer="B"), rec("b"), rec("t", "What is b?", supersedes=("s",)), retract=["r"]),
        live(rec("a"), rec("r"), rec("s")),
    )
    shown = json.loads(json.dumps(plan_to_json(made)))
    assert list(shown) == [
        "schema", "on_conflict", "refused", "idempotency_key", "counts", "adds", "changes", "supersessions", "retractions",
        "unchanged", "left_out", "conflicts", "warnings",
    ]  # fmt: skip
    assert shown["schema"] == "rag-edit plan 1"
    assert shown["counts"] == {
        "added": 2, "changed": 1, "superseded": 1, "retracted": 1, "unchanged": 0, "left_out": 0, "conflicts": 0, "warnings": 1,
    }  # fmt: skip
    assert shown["changes"] == [
        {"id": "a", "where": "f.yaml:10", "expected_version": 1, "fields": [{"field": "answer", "old": "A", "new": "B"}]}
    ]
    assert shown["supersessions"] == [
        {"id": "s", "where": "f.yaml:30", "expected_version": 1, "reason": "superseded by t", "by": "t"}
    ]
    assert shown["adds"][0] == {"id": "b", "where": "f.yaml:20", "expected_version": 0, "record": rec("b").to_json()}


def test_the_key_names_the_edits_and_the_versions_that_they_expect() -> None:
    made = plan(read(rec("a", answer="B")), live(rec("a")))
    assert made.key == plan(read(rec("a", answer="B")), live(rec("a"), rec("z"))).key
    assert made.key.startswith("sha256:")
    assert made.key != plan(read(rec("a", answer="C")), live(rec("a"))).key
    assert made.key != plan(read(rec("a", answer="B")), live(rec("a"), version=2)).key


def test_one_record_is_withdrawn_by_a_plan_of_its_own() -> None:
    [version] = live(rec("a"), version=3)
    made = retraction_plan(version, "wrong", author="me")
    assert acts(made) == [("retract", "a", 3)]
    assert (made.edits[0].reason, made.edits[0].author) == ("wrong", "me")
    with pytest.raises(RetractedRecordError):
        retraction_plan(replace(version, status=Status.RETRACTED), "wrong")


# --- properties ---------------------------------------------------------------------------------------------------------

NAMES = ["a", "b", "c", "d", "e"]
SMALL = st.builds(
    lambda name, question, answer, start, length, supersedes, derogates: rec(
        name, question, answer,
        valid_from=start and JAN + timedelta(start), valid_to=length and JAN + timedelta((start or 0) + length),
        supersedes=tuple(s for s in supersedes if s > name), derogates=tuple(d for d in derogates if d != name),
    ),
    st.sampled_from(NAMES), st.sampled_from(["Q1", "Q2", "q1?"]), st.sampled_from(["1", "2", "3"]),
    st.none() | st.integers(1, 3), st.none() | st.integers(1, 3),
    st.sets(st.sampled_from(NAMES), max_size=1), st.sets(st.sampled_from(NAMES), max_size=1),
)  # fmt: skip
FILES = st.lists(SMALL, max_size=5, unique_by=lambda record: record.id)


def carry_out(store: MemoryStore, made: Plan, key: str) -> None:
    store.append(made.edits, idempotency_key=key + made.key, recorded_at=WHEN)


def newest_versions(store: MemoryStore) -> list[RecordVersion]:
    return [store.get(name) for name in NAMES if any(c.version.record.id == name for c in store.changes(0))]


def contradictions(records: Iterable[Record]) -> set[tuple[str, str]]:
    """All contradictions among records, found by comparing all with all."""
    listed = sorted(records, key=lambda record: record.id)
    return {
        (a.id, b.id)
        for at, a in enumerate(listed)
        for b in listed[at + 1 :]
        if a.overlaps(b)
        and fold_question(a.question) == fold_question(b.question)
        and a.answer != b.answer
        and not ({a.id, b.id} & {*a.supersedes, *b.supersedes, *a.derogates, *b.derogates} & {a.id, b.id})
    }


@given(FILES, FILES, st.sampled_from(MODES), st.booleans(), st.sets(st.sampled_from(NAMES), max_size=1))
@settings(max_examples=80, deadline=None)
def test_planning_again_over_what_a_plan_led_to_gives_nothing_to_do(
    before: list[Record], files: list[Record], mode: OnConflict, with_closed: bool, withdrawn: set[str]
) -> None:
    with MemoryStore() as store:
        carry_out(store, plan(read(*before), (), "newest"), "1")
        stated = [record for record in files if record.id not in withdrawn]
        made = plan(read(*stated, retract=sorted(withdrawn)), newest_versions(store), mode)
        if made.refused:
            return
        carry_out(store, made, "2")
        again = plan(read(*stated, retract=sorted(withdrawn)), newest_versions(store) if with_closed else store.live(), mode)
        assert again.edits == ()


@given(FILES, st.permutations(range(5)), FILES, st.sampled_from(MODES))
@settings(max_examples=40, deadline=None)
def test_the_order_of_records_does_not_show(
    files: list[Record], order: list[int], before: list[Record], mode: OnConflict
) -> None:
    straight = read(*files)
    mixed = replace(straight, records=tuple(straight.records[i] for i in order if i < len(files)))
    versions = live(*before)
    assert plan(straight, versions, mode) == plan(mixed, versions[::-1], mode)


@given(FILES, FILES, st.sampled_from(MODES))
@settings(max_examples=40, deadline=None)
def test_no_plan_brings_a_contradiction_into_force(before: list[Record], files: list[Record], mode: OnConflict) -> None:
    with MemoryStore() as store:
        carry_out(store, plan(read(*before), (), "newest"), "1")
        standing = contradictions(version.record for version in store.live())
        made = plan(read(*files), newest_versions(store), mode)
        if made.refused:
            return
        carry_out(store, made, "2")
        assert contradictions(version.record for version in store.live()) <= standing


@given(FILES, FILES)
@settings(max_examples=40, deadline=None)
def test_refuse_lists_what_comparing_all_with_all_finds(before: list[Record], files: list[Record]) -> None:
    made = plan(read(*files), live(*before))
    out = {left.id for left in made.left_out} | {closing.version.record.id for closing in made.supersessions}
    standing = {record.id: record for record in before} | {record.id: record for record in files}
    mine = {record.id for record in files}
    after = [record for name, record in standing.items() if name not in out]
    assert {(c.first.id, c.second.id) for c in made.conflicts} == {pair for pair in contradictions(after) if mine & {*pair}}


@pytest.mark.parametrize("shape", ["all contradict", "all twins"])
def test_thousands_of_records_with_one_question_are_settled_in_linear_time(shape: str) -> None:
    files = read(*(rec(f"r{n}", "Q", f"A{n}" if shape == "all contradict" else "A") for n in range(2000)))
    for mode in MODES:
        started = time.process_time()
        plan(files, (), mode)
        assert time.process_time() - started < 30  # comparing each with each takes hours: a bound on growth, not on speed


@pytest.mark.slow
def test_ten_thousand_records_are_not_compared_with_each_of_a_hundred_thousand_live_ones() -> None:
    def one(n: int, name: str = "r", city: str = "City") -> Record:
        more: dict[str, Any] = {
            "subject": f"Subject {n}",
            "aliases": (f"Sub {n}",),
            "relation": "capital",
            "target": f"{city} {n}",
        }
        asked = (f"Capital of subject {n}?", f"Which city is the capital of subject {n}?")
        place = ("DE", "FR", "GLOBAL")[n % 3]
        return rec(
            f"{name}{n}", f"What is the capital of {n}?", f"It is {city} {n}.", jurisdiction=place, paraphrases=asked, **more
        )

    versions = [RecordVersion(one(n), 1, n + 1, Status.LIVE, WHEN, "sha256:x") for n in range(100_000)]
    for files, mode in (
        (read(*(one(n) for n in range(10_000))), "refuse"),
        (read(*(one(n) for n in range(200_000, 210_000))), "refuse"),
        (read(*(one(n, "n", "Town") for n in range(10_000))), "newest"),
    ):
        started = time.process_time()
        plan(files, iter(versions), mode)  # type: ignore[arg-type]
        assert time.process_time() - started < 30  # comparing each with each takes hours: a bound on growth, not on speed
