"""What the reader of doubts learns from: the file is sound, slots are filled, and both sides weigh the same; and how its cut is chosen."""

import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rag_edit.scope.training.doubts import chances, choose_cut, fit
from rag_edit.scope.training.turns import LANGUAGES, Example, Fillers, examples, read_turns

TURNS = read_turns()


def test_every_language_has_many_turns_of_both_labels_and_none_stands_twice() -> None:
    counts = Counter((turn.language, turn.label) for turn in TURNS)
    least = {"en": 500, "de": 250, "fr": 250, "es": 200}
    assert {key: count for key, count in counts.items() if count < least[key[0]]} == {}
    assert len(counts) == 2 * len(LANGUAGES)
    twice = Counter((turn.language, turn.text.casefold()) for turn in TURNS)
    assert [text for text, count in twice.items() if count > 1] == []


def test_no_text_is_both_a_doubt_and_none() -> None:
    by_label = {label: {turn.text.casefold() for turn in TURNS if turn.label == label} for label in ("doubt", "other")}
    assert by_label["doubt"] & by_label["other"] == set()


def test_slots_are_filled_and_both_labels_weigh_the_same() -> None:
    made = examples(TURNS, random.Random(0), banked=200)
    assert [each.text for each in made if re.search(r"[{}\[\]]", each.text) or not each.text.strip()] == []
    doubted = sum(each.weight for each in made if each.doubts)
    assert doubted == pytest.approx(sum(each.weight for each in made if not each.doubts))
    assert made == examples(TURNS, random.Random(0), banked=200)


@pytest.mark.parametrize("text", ["{value}?", "Not {value}?", "¡{value}!"])
def test_a_bare_value_is_a_number(text: str) -> None:
    fillers = Fillers(random.Random(3))
    assert all(any(char.isdigit() for char in fillers.fill(text, "en")) for _ in range(40))


@pytest.mark.parametrize(
    "line",
    [
        '{"label": "maybe", "language": "en", "kind": "plain", "text": "Hm?"}',
        '{"label": "doubt", "language": "it", "kind": "plain", "text": "Hm?"}',
        '{"label": "doubt", "language": "en", "text": "Hm?"}',
        "no json",
    ],
    ids=["label", "language", "a field is missing", "no object"],
)
def test_a_line_that_is_no_turn_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(f'{{"label": "doubt", "language": "en", "kind": "plain", "text": "Sure?"}}\n{line}\n', "utf-8")
    with pytest.raises(ValueError, match=r"turns\.jsonl:2: wanted"):
        read_turns(path)


def test_a_fit_finds_the_side_and_a_number_that_never_changes_counts_nothing() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(400, 4))
    vectors[:, 3] = 0.7
    doubts = (vectors[:, 0] > 0).astype(float)
    own, bias = fit(vectors, doubts, np.ones(400), ridge=1.0)
    assert ((chances(vectors, own, bias) > 0.5) == (doubts > 0)).mean() > 0.97
    assert own[3] == 0.0


def test_the_cut_lets_through_no_more_of_either_kind_than_the_risk() -> None:
    made = [Example(str(n), n, kind, False, 1.0) for kind in ("made", "bank") for n in range(200)]
    unseen = np.array([n / 1000 for n in range(200)] + [0.7 + (n + 0.5) / 1000 for n in range(200)])
    cut = choose_cut(made, unseen, 0.01)
    taken = Counter(each.kind for each, chance in zip(made, unseen, strict=True) if chance >= cut)
    assert taken == {"bank": 2}
