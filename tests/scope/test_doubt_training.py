"""What the reader of doubts learns from: the file is sound, slots are filled, and both sides weigh the same; and how its cut is chosen."""

import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rag_edit.scope.training.doubts import chances, choose_cut, fit, held_out, left_by_rules
from rag_edit.scope.training.turns import LANGUAGES, Example, Fillers, examples, read_turns
from tests.scope.cases import READER

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
    assert [each.text for each in made if re.search(r"[{}]", each.text) or not each.text.strip()] == []
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


@pytest.mark.slow
def test_a_fit_finds_the_side_says_the_same_again_and_a_number_that_never_changes_counts_nothing() -> None:
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(300, 4)).astype(np.float32)
    inputs[:, 3] = 0.7
    made = [Example(str(n), n, "made", bool(row[0] > 0), 1.0) for n, row in enumerate(inputs)]
    weights = fit(inputs, made, 1, hidden=16)
    right = [(chance > 0.5) == each.doubts for chance, each in zip(chances(inputs, weights), made, strict=True)]
    assert sum(right) > 255
    assert np.abs(weights["inner"][3]).max() == 0.0
    again = fit(inputs, made, 1, hidden=16)
    assert all((weights[name] == again[name]).all() for name in weights)


def test_a_turn_that_the_rules_read_is_not_left_to_the_reader() -> None:
    texts = {"Are you sure?": False, "And in France?": False, "thanks": False, "My parrot squawked something else today.": True}
    made = [Example("What is the VAT rate in Germany?", 0, "bank", False, 1.0)]
    made += [Example(text, n, "made", True, 1.0) for n, text in enumerate(texts, start=1)]
    assert left_by_rules(made, random.Random(0), READER.read)[1:].tolist() == list(texts.values())


@pytest.mark.parametrize(("kind", "allowed"), [("bank", 0.01), ("lookalike", 0.01), ("agreement", 0.05), ("statement", 0.05)])
def test_the_cut_lets_through_no_more_of_any_kind_than_its_risk(kind: str, allowed: float) -> None:
    made = [Example(str(n), n, own, False, 1.0) for own in ("made", kind) for n in range(200)]
    unseen = np.array([n / 1000 for n in range(200)] + [0.7 + (n + 0.5) / 1000 for n in range(200)])
    cut = choose_cut(made, unseen, {True: 0.01, False: 0.05})
    taken = Counter(each.kind for each, chance in zip(made, unseen, strict=True) if chance >= cut)
    assert taken == {kind: round((400 if allowed > 0.01 else 200) * allowed)}


def test_what_an_author_wrote_is_held_out_as_a_whole_but_for_the_first_one() -> None:
    made = [Example(str(n), n, "made", False, 1.0, author) for n, author in enumerate(("", "", "", "", "a", "b", "a", ""))]
    masks = held_out(made)
    assert np.sum(masks, axis=0).tolist() == [1] * len(made)
    assert sorted([each.author for each, out in zip(made, mask, strict=True) if out] for mask in masks) == [
        [""], [""], [""], ["", ""], ["a", "a"], ["b"]
    ]  # fmt: skip
