"""The bench of near siblings: its counts; and one home of it with the packaged weights."""

import json
from pathlib import Path

from rag_edit.bench.siblings import KINDS, counts

FILE = Path(__file__).parents[1] / "data" / "siblings.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]


def line(kind: str, went_to: str | None) -> dict[str, object]:
    return {"record": "a0", "kind": kind, "with_subject": True, "question": "?", "went_to": went_to, "score": 0.5}


def test_of_wordings_the_own_record_is_right_and_of_siblings_none_is() -> None:
    lines = [line("same", "a0"), line("same", "a1"), line("same", None), line("other_thing", "a0"), line("other_thing", None)]
    found = counts(lines)
    assert {name: found["same"][name] for name in ("n", "right", "wrong")} == {"n": 3, "right": 1, "wrong": 1}
    assert {name: found["other_thing"][name] for name in ("n", "right", "wrong")} == {"n": 2, "right": 1, "wrong": 1}


def test_every_line_has_a_record_two_wordings_of_it_and_three_questions_beside_it() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS) == 90
    for row in ROWS:
        assert [len(row[kind]) for kind in KINDS] == [2, 1, 1, 1]
        texts = [row["question"], *(text for kind in KINDS for text in row[kind])]
        assert len({text.casefold() for text in texts}) == len(texts)
