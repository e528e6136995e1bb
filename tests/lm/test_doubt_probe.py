"""The small reader of doubts: only for the encoder that it was made for, named by its bytes; the shipped one against fresh turns."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from rag_edit.lm.doubt_probe import FILE, MANIFEST, DoubtProbe, DoubtReader
from rag_edit.scope.training.turns import Example

FRESH = Path(__file__).parents[1] / "data" / "doubting_turns.jsonl"
DOUBTING = ("zz no way", "are you zz sure", "zz that is wrong", "prove it zz")
OTHER = ("who wrote it", "thanks", "and in france", "how old was she")


def letters(texts: Sequence[str], _layer: int) -> NDArray[np.float32]:
    """Return (n, 26) numbers: how often each letter stands in a text."""
    return np.array([[text.count(chr(ord("a") + n)) for n in range(26)] for text in texts], np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a reader that takes two z for a doubt."""
    directory = tmp_path_factory.mktemp("made")
    inner = np.zeros((26, 3), np.float16)
    inner[25] = 2
    weights = {
        "inner": inner,
        "inner_bias": np.zeros(3, np.float32),
        "outer": np.ones(3, np.float32),
        "bias": np.array([-6], np.float32),
    }
    save_file(weights, directory / FILE)
    manifest = {"encoders": {"letters": "sha256:letters"}, "layer": 1, "cut": 0.9, "nearly": 0.1}
    (directory / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    return directory


def opened(directory: Path) -> DoubtProbe:
    probe = DoubtProbe.open(directory, "sha256:letters")
    assert probe is not None
    return probe


def test_chances_at_or_above_the_cut_are_doubts(made: Path) -> None:
    probe = opened(made)
    chances = probe.chances(letters((*DOUBTING, *OTHER), 1))
    assert DoubtReader(letters, probe)((*DOUBTING, *OTHER)) == [bool(chance >= 0.9) for chance in chances]
    assert DoubtReader(letters, probe)((*DOUBTING, *OTHER)) == [True] * 4 + [False] * 4


def test_a_lower_bar_holds_between_an_answer_and_a_doubt(made: Path) -> None:
    probe = opened(made)
    assert 0.1 <= probe.chances(letters(["z"], 1))[0] < 0.9
    assert (DoubtReader(letters, probe)(["z"]), DoubtReader(letters, probe).nearly(["z", "y"])) == ([False], [True, False])


def test_a_turn_is_read_once_and_an_empty_list_not_at_all(made: Path) -> None:
    asked: list[tuple[str, int]] = []

    def counting(texts: Sequence[str], layer: int) -> NDArray[np.float32]:
        asked.extend((text, layer) for text in texts)
        return letters(texts, layer)

    reader = DoubtReader(counting, opened(made))
    assert reader([]) == []
    assert reader(["zz", "thanks", "zz"]) == [True, False, True]
    assert reader(["thanks", "zz"]) == [False, True]
    assert asked == [("zz", 1), ("thanks", 1)]


def test_another_encoder_and_a_folder_without_one_have_no_reader(made: Path, tmp_path: Path) -> None:
    assert DoubtProbe.open(tmp_path, "sha256:letters") is None
    assert DoubtProbe.open(made, "sha256:other") is None


def test_a_reader_is_named_by_weights_and_cut(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    manifest = json.loads((tmp_path / MANIFEST).read_text("utf-8"))
    (tmp_path / MANIFEST).write_text(json.dumps({**manifest, "cut": 0.99}), "utf-8")
    assert opened(tmp_path).digest != opened(made).digest


@pytest.mark.slow
def test_a_trained_reader_tells_what_it_was_trained_on_as_training_saw_it(tmp_path: Path) -> None:
    from rag_edit.scope.training.doubts import chances as by_torch
    from rag_edit.scope.training.doubts import train

    both = [(text, True) for text in DOUBTING] + [(text, False) for text in OTHER]
    examples = [
        Example(text, group, kind, doubts, 1.0)
        for kind in ("made", "bank")
        for group, (text, doubts) in enumerate(both)
        if kind == "made" or not doubts
    ]
    train(examples * 20, letters, lambda _: (), tmp_path, {"encoders": {"letters": "sha256:letters"}}, 3)
    probe, means = opened(tmp_path), letters((*DOUBTING, *OTHER), 8)
    chances = probe.chances(means)
    assert chances[:4].min() > chances[4:].max()
    seen = {name: array.astype(np.float32) for name, array in load_file(tmp_path / FILE).items()}
    assert chances == pytest.approx(by_torch(means, seen), abs=1e-5)


@pytest.mark.model
@pytest.mark.timeout(300)
def test_the_shipped_reader_is_for_the_shipped_encoder_and_keeps_its_figures_on_turns_of_another_author() -> None:
    from rag_edit.config import Settings
    from rag_edit.opening import open_readers, place_reader
    from rag_edit.scope.training.doubts import taken_for_doubts

    readers = open_readers(Settings())
    assert readers.doubts is not None, "trained for another encoder: scripts/train_doubt.py"
    rows = [json.loads(line) for line in FRESH.read_text("utf-8").splitlines()]
    conversations = [(row["context_question"], row["context_answer"], row["turn"]) for row in rows]
    found = taken_for_doubts(conversations, readers.doubts, place_reader())
    counts = Counter((row["label"], both) for row, (_, both) in zip(rows, found, strict=True))
    caught = counts["doubt", True] / (counts["doubt", True] + counts["doubt", False])
    false = counts["other", True] / (counts["other", True] + counts["other", False])
    assert (caught >= 0.45, false <= 0.06) == (True, True), counts  # floor and ceiling: figures stand in docs/experiments.md
