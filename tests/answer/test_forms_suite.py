"""Answers by form on a public suite, the right record given (oracle routing): what rendering alone can reach."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from rag_edit.answer.override import Override
from rag_edit.core.decision import Decision, Query, Reason, Route
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.scope.forms import read_form

SUITE = Path(__file__).parents[2].parent / "shared" / "data" / "halluedit" / "dev.jsonl"
# "no" is said only where the two exclude each other: about half of what is lost are questions labelled "no" that are true, or open
FLOORS = {"own": 1.0, "rephrase": 1.0, "yes": 0.99, "no": 0.88, "choice": 0.99, "reversed": 0.94}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SUITE.exists(), reason=f"{SUITE.name} of halluedit is not beside the clone"),
]


def norm(text: object) -> str:
    return re.sub(r"\W+", " ", unicodedata.normalize("NFKC", str(text)).casefold()).strip()


def asked(row: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    choice = f"{row['question']}\n{row['multiple_choice_with_letters']}\nAnswer with one letter."
    for form, question, expected in (
        ("own", row["question"], row["object"]),
        ("rephrase", row["paraphrased_question"], row["object"]),
        ("yes", row["yes_question"], "yes"),
        ("no", row["no_question"], "no"),
        ("choice", choice, row["multiple_choice_labels"]),
        ("reversed", row["reversed_relation_question"], row["subject"]),
    ):
        if question and question != "nan":
            yield form, question, expected


def is_right(form: str, expected: str, row: dict[str, Any], answer: str) -> bool:
    if form in ("yes", "no"):
        return re.match(rf"{form}\b", norm(answer)) is not None
    if form == "choice":
        return re.match(rf"\W*\(?{expected}\b", answer.strip()) is not None or norm(row["object"]) in norm(answer)
    return norm(expected) in norm(answer)


def test_rendered_answers_are_right_when_the_right_record_is_given() -> None:
    override, right, total = Override(read_form), Counter[str](), Counter[str]()
    for i, row in enumerate(map(json.loads, SUITE.read_text(encoding="utf-8").splitlines())):
        if not (row["object"] and row["question"]):
            continue
        fact = {key: row[key] for key in ("subject", "relation", "question")}
        record = Record(id=f"h-{i}", jurisdiction="GLOBAL", answer=row["object"], target=row["object"], **fact)
        version = RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))
        for form, question, expected in asked(row):
            decision = Decision(Route.OVERRIDE, Reason.IN_SCOPE, version, 1.0)
            answer = override.answer(Query(question, "GLOBAL", date(2026, 1, 1)), decision)
            total[form] += 1
            right[form] += is_right(form, expected, row, answer.text)
    shares = {form: right[form] / total[form] for form in total}
    assert {form: share for form, share in shares.items() if share < FLOORS[form]} == {}
