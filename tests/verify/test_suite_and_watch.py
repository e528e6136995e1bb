"""Suites of accepted answers, the counters of what was served, and the trials that users write: files in, values out."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rag_edit.core.decision import Answer, Decision, Form, Message, Query, Reason, Route
from rag_edit.core.errors import InvalidRecordsError, UsageError
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.verify.finding import Kind, Want
from rag_edit.verify.suite import Change, Line, compare, counts, read_lines, write_lines
from rag_edit.verify.user_trials import UserTrials, read_trials
from rag_edit.verify.watch import Count, Watch, read_counts, worrying

LINE = Line("1", "How high is VAT?", "DE", "2026-11-23", (), "OVERRIDE", "vat", "It is 19 %.", "verbatim")
VAT = Record("vat", "DE", "What is the VAT rate?", "It is 19 %.", target="19 %")
LIVE = RecordVersion(VAT, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))
QUERY = Query("How high is VAT?", "DE", date(2026, 11, 23))
SERVED = Decision(Route.OVERRIDE, Reason.IN_SCOPE, LIVE, 0.9)


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (LINE, Change.SAME),
        (replace(LINE, text="19 %, that is."), Change.WORDS),
        (replace(LINE, record="vat/2"), Change.RECORD),
        (replace(LINE, record="", route="BASE"), Change.ROUTE),
        (replace(LINE, record="", route="BASE", text="I do not know."), Change.LOST),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_became_of_a_case(after: Line, change: Change) -> None:
    (found,) = compare([LINE], [after])
    assert found.change is change
    assert counts([found])[str(change)] == 1


def test_words_that_must_stand_decide_whether_an_answer_is_lost() -> None:
    held = replace(LINE, must="19 %")
    assert compare([held], [replace(held, text="Nineteen.")])[0].change is Change.LOST
    assert compare([held], [replace(held, record="other", text="So 19 % it is.")])[0].change is Change.RECORD


def test_an_answer_that_nobody_wrote_down_is_judged_by_who_gives_it() -> None:
    held = replace(LINE, route="BASE", record="", text="", must="19 %")
    assert compare([held], [held])[0].change is Change.SAME
    assert compare([replace(LINE, must="19 %")], [held])[0].change is Change.LOST


def test_a_suite_reads_back_equal_and_a_foreign_line_is_named() -> None:
    lines = [LINE, replace(LINE, id="2", messages=(Message("user", "Hello"),), must="19")]
    assert read_lines(write_lines(lines), "s") == lines
    with pytest.raises(UsageError, match="s:1"):
        read_lines('{"question": "x"}', "s")


def test_served_answers_are_counted_by_record_and_added_up_over_runs(tmp_path: Path) -> None:
    for _ in range(2):
        watch = Watch(tmp_path)
        watch(
            [(QUERY, SERVED, Answer("19 %", "rendered", checked=True)), (QUERY, SERVED, Answer("x", "grounded", checked=False))]
        )
        watch([(QUERY, replace(SERVED, form=Form.DOUBT), Answer("It is 19 %.", "verbatim"))])
        watch([(QUERY, Decision(Route.BASE, Reason.NO_CANDIDATE), Answer("?", "base"))])
        watch.flush()
    assert read_counts(tmp_path / "served.json") == [Count("vat@1", served=6, checked=4, failed=2, doubts=2)]


def test_no_question_and_no_answer_is_kept(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch([(QUERY, SERVED, Answer("It is 19 %.", "verbatim"))])
    watch.flush()
    kept = (tmp_path / "served.json").read_text("utf-8")
    assert "VAT" not in kept
    assert "19" not in kept


def test_counters_that_cannot_be_read_count_from_zero(tmp_path: Path) -> None:
    (tmp_path / "served.json").write_text("[1, 2", "utf-8")
    assert read_counts(tmp_path / "served.json") == []


def test_records_are_worrying_only_after_enough_answers() -> None:
    few, many, fine = Count("a@1", 5, 5, 5, 0), Count("b@1", 50, 50, 5, 5), Count("c@1", 50, 50, 1, 0)
    assert worrying([few, many, fine], 0.1) == [many]


def test_a_users_trials_are_kept_in_versions_and_the_newest_are_asked(tmp_path: Path) -> None:
    file = tmp_path / "vat.probes.ndjson"
    file.write_text(
        json.dumps({"record": "vat", "question": "And in Munich?", "jurisdiction": "DE-BY", "answer": "19 %"}) + "\n", "utf-8"
    )
    kept = UserTrials(tmp_path)
    assert (kept.keep(read_trials([tmp_path])), kept.keep(read_trials([tmp_path]))) == (1, 0)
    file.write_text(json.dumps({"record": "vat", "question": "And on books?", "expect": "other"}) + "\n", "utf-8")
    assert kept.keep(read_trials([file])) == 1
    (trial,) = UserTrials(tmp_path).of(VAT, date(2026, 11, 23))
    assert (trial.question, trial.kind, trial.want, trial.jurisdiction) == ("And on books?", Kind.NEIGHBOUR, Want.AWAY, "DE")
    assert [json.loads(line)["version"] for line in kept.path.read_text("utf-8").splitlines()] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        '{"question": "x"}',
        '{"record": "vat", "question": "x", "expect": "maybe"}',
        '{"record": "vat", "qestion": "x"}',
        "[]",
        "{",
    ],
)
def test_a_users_slip_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.probes.ndjson"
    file.write_text(f"\n{line}\n", "utf-8")
    with pytest.raises(InvalidRecordsError, match=r"a\.probes\.ndjson:2"):
        read_trials([file])
