"""The hand-written questions for training: the file is sound, and a line that is no group is refused by its number."""

import re
from collections import Counter
from pathlib import Path

import pytest

from rag_edit.scope.training.questions import read_questions

GROUPS = read_questions()


def key(text: str) -> str:
    """What two wordings share that differ only in case and marks."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def test_every_group_has_four_wordings_and_three_near_misses() -> None:
    assert GROUPS
    assert [group for group in GROUPS if len(group.same) < 4 or len(group.other) < 3] == []


def test_no_wording_stands_under_two_groups() -> None:
    counts = Counter(text for group in GROUPS for text in {key(text) for text in group.same})
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_text_is_both_a_wording_and_a_near_miss() -> None:
    wordings = {key(text) for group in GROUPS for text in group.same}
    assert sorted(wordings & {key(text) for group in GROUPS for text in group.other}) == []


GOOD = '{"same": ["a", "b", "c", "d"], "other": ["x", "y", "z"]}'


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        pytest.param("nothing", "Expecting value", id="no-json"),
        pytest.param('["a", "b"]', "the keys are not same and other", id="no-object"),
        pytest.param('{"same": ["a", "b", "c", "d"]}', "the keys are not same and other", id="one-key"),
        pytest.param('{"same": "abcd", "other": ["x", "y", "z"]}', "same is no list", id="one-text"),
        pytest.param('{"same": ["a", "b", "c", ""], "other": ["x", "y", "z"]}', "same is no list", id="empty-text"),
        pytest.param('{"same": ["a", "b", "c"], "other": ["x", "y", "z"]}', "same has 3 texts", id="few-wordings"),
        pytest.param('{"same": ["a", "b", "c", "d"], "other": ["x", "y"]}', "other has 2 texts", id="few-misses"),
        pytest.param('{"same": ["a", "b", "c", "d"], "other": ["x", "y", "A"]}', "a text stands twice", id="both"),
    ],
)
def test_a_line_that_is_no_group_is_refused_with_its_place(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(f"{GOOD}\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"questions\.jsonl:2: .*{fault}"):
        read_questions(path)
