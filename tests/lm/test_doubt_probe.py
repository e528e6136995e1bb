"""The linear reader of doubts: only for the encoder that it was made for, named by its bytes; the shipped one against fresh turns."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag_edit.core.decision import Message, Query
from rag_edit.lm.doubt_probe import FILE, MANIFEST, DoubtProbe, DoubtReader
from rag_edit.scope.training.doubts import train
from rag_edit.scope.training.turns import Example

FRESH = Path(__file__).parents[1] / "data" / "doubting_turns.jsonl"
DOUBTING = ("no way", "are you sure", "that is wrong", "prove it")
OTHER = ("who wrote it", "thanks", "and in france", "how old was she")


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return (n, 32) unit vectors: which letters stand in a text."""
    counts = np.array([[text.count(chr(ord("a") + n)) + 0.1 for n in range(32)] for text in texts], np.float32)
    found: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    return found


def trained(directory: Path) -> None:
    both = [(text, True) for text in DOUBTING] + [(text, False) for text in OTHER]
    examples = [
        Example(text, group, kind, doubts, 1.0)
        for kind in ("made", "bank")
        for group, (text, doubts) in enumerate(both)
        if kind == "made" or not doubts
    ]
    train(examples * 10, embed, directory, {"encoders": {"letters": "sha256:letters"}})


def test_a_trained_reader_tells_what_it_was_trained_on(tmp_path: Path) -> None:
    trained(tmp_path)
    probe = DoubtProbe.open(tmp_path, "sha256:letters")
    assert probe is not None
    chances = probe.chances(embed((*DOUBTING, *OTHER)))
    assert chances[:4].min() > chances[4:].max()
    told = DoubtReader(embed, probe)((*DOUBTING, *OTHER))
    assert told == [bool(chance >= probe.cut) for chance in chances]
    assert DoubtReader(embed, probe)([]) == []


def test_another_encoder_and_a_folder_without_one_have_no_reader(tmp_path: Path) -> None:
    assert DoubtProbe.open(tmp_path, "sha256:letters") is None
    trained(tmp_path)
    assert DoubtProbe.open(tmp_path, "sha256:other") is None


def test_a_reader_is_named_by_weights_and_cut(tmp_path: Path) -> None:
    trained(tmp_path)
    one = DoubtProbe.open(tmp_path, "sha256:letters")
    manifest = json.loads((tmp_path / MANIFEST).read_text("utf-8"))
    (tmp_path / MANIFEST).write_text(json.dumps({**manifest, "cut": 0.99}), "utf-8")
    other = DoubtProbe.open(tmp_path, "sha256:letters")
    assert one is not None
    assert other is not None
    assert one.digest != other.digest
    assert (tmp_path / FILE).stat().st_size < 4096


@pytest.mark.model
@pytest.mark.timeout(300)
def test_the_shipped_reader_is_for_the_shipped_encoder_and_keeps_its_figures_on_turns_of_another_author(tmp_path: Path) -> None:
    from rag_edit.config import Settings
    from rag_edit.opening import open_readers, place_reader
    from rag_edit.scope.reading import read, turns_to_doubt

    readers = open_readers(Settings())
    assert readers.doubts is not None, "trained for another encoder: scripts/train_doubt.py"
    rows = [json.loads(line) for line in FRESH.read_text("utf-8").splitlines()]
    queries = [
        Query(
            row["turn"],
            "GLOBAL",
            date(2026, 11, 23),
            (Message("user", row["context_question"]), Message("assistant", row["context_answer"])),
        )
        for row in rows
    ]
    turns = list(dict.fromkeys(turn for query in queries for turn in turns_to_doubt(query)))
    told = dict(zip(turns, readers.doubts(turns), strict=True))
    counts: Counter[tuple[str, bool]] = Counter()
    for row, query in zip(rows, queries, strict=True):
        found = read(query, place_reader(), told.__getitem__)
        counts[row["label"], found.follows is not None and found.follows.how == "doubt"] += 1
    caught = counts["doubt", True] / (counts["doubt", True] + counts["doubt", False])
    false = counts["other", True] / (counts["other", True] + counts["other", False])
    assert (caught >= 0.5, false <= 0.2) == (True, True), counts  # floor and ceiling: figures stand in docs/experiments.md
