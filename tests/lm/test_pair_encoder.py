"""The pair encoder: widening of int8 rows, batches equal to single calls, and the shipped artefact on plain cases."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rag_edit.lm.pair_encoder import MODEL_DIRECTORY, OverlapPairs, PairEncoder, read_manifest, read_weights
from rag_edit.scope.training.artefact import digest, quantise_rows

SHIPPED = MODEL_DIRECTORY / "model.safetensors"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_int8_rows_widen_to_within_half_a_step(tmp_path: Path) -> None:
    tensor = np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)
    rows, scale = quantise_rows(tensor)
    save_file({"a": rows, "a.scale": scale, "b": np.ones(3, np.float32)}, tmp_path / "w.safetensors")
    widened = read_weights(tmp_path / "w.safetensors")
    assert set(widened) == {"a", "b"}
    assert np.abs(widened["a"] - tensor).max() <= scale.max() / 2 + 1e-6


def test_the_fake_prefers_common_words() -> None:
    near, far = OverlapPairs().score_pairs([("where is it", "where is it | Rome"), ("where is it", "who owns that")])
    assert near > 0 > far


def test_the_artefact_is_small_and_what_its_manifest_says() -> None:
    manifest = read_manifest()
    assert sum(path.stat().st_size for path in MODEL_DIRECTORY.iterdir()) <= 30_000_000
    for name, facts in manifest["files"].items():
        assert digest(MODEL_DIRECTORY / name) == facts["digest"]


@pytest.mark.model
def test_the_shipped_model_tells_relations_apart() -> None:
    encoder = PairEncoder.open()
    record = "What is [MASK]'s mother tongue? | English"
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
        ("Where did [MASK] die?", "In which city did [MASK] pass away? | Paris"),
        ("Who?", "Who owns [MASK]?"),
        ("When was [MASK] born, by the way?", "Where was [MASK] born?"),
    ]
    assert encoder.score_pairs(pairs) == pytest.approx([encoder.score_pairs([pair])[0] for pair in pairs], abs=2e-3)


@pytest.mark.model
def test_nothing_asked_nothing_answered() -> None:
    assert PairEncoder.open().score_pairs([]) == []
