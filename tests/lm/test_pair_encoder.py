"""The pair encoder: widening of int8 rows, batches equal to single calls, and the shipped weights on plain cases."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rag_edit.lm.pair_encoder import PairEncoder, read_weights

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_int8_rows_are_widened_by_their_scale(tmp_path: Path) -> None:
    rows, scale = np.array([[127, -127], [10, 0]], np.int8), np.array([0.5, 2.0], np.float32)
    save_file({"a": rows, "a.scale": scale, "b": np.ones(3, np.float32)}, tmp_path / "w.safetensors")
    widened = read_weights(tmp_path / "w.safetensors")
    assert set(widened) == {"a", "b"}
    np.testing.assert_array_equal(widened["a"], [[63.5, -63.5], [20.0, 0.0]])


@pytest.mark.model
def test_the_shipped_model_tells_relations_apart() -> None:
    encoder = PairEncoder.open()
    record = "What is [MASK]'s mother tongue?"
    same, other, longer = encoder.score_pairs(
        [
            ("What is the native language of [MASK]?", record),
            ("Where was [MASK] born?", record),
            ("What is the native language of [MASK]'s wife?", record),
        ]
    )
    assert same > 0 > other
    assert same > longer


@pytest.mark.model
def test_a_batch_gives_what_single_calls_give() -> None:
    encoder = PairEncoder.open()
    pairs = [
        ("Where did [MASK] die?", "In which city did [MASK] pass away?"),
        ("Who?", "Who owns [MASK]?"),
        ("When was [MASK] born, by the way?", "Where was [MASK] born?"),
    ]
    assert encoder.score_pairs(pairs) == pytest.approx([encoder.score_pairs([pair])[0] for pair in pairs], abs=2e-3)


@pytest.mark.model
def test_nothing_asked_nothing_answered() -> None:
    assert PairEncoder.open().score_pairs([]) == []
