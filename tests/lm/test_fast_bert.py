"""The int8 profile: near the float32 pass at every layer, and as indifferent to batch mates."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from rag_edit.core.errors import MissingExtraError
from rag_edit.lm.bert import Bert, BertShape, Floats
from rag_edit.lm.encoder import TransformerEncoder
from rag_edit.lm.errors import UnreadableModelError
from rag_edit.lm.fast_bert import FastBert
from rag_edit.lm.fast_graph import BLOCK, round_blocks
from rag_edit.lm.tokens import Tokens
from tests.lm.tiny import DIM, LAYERS, bert_config, write_encoder

pytest.importorskip("onnxruntime", reason="pip install 'rag-edit[fast]'")
pytest.importorskip("onnx", reason="pip install 'rag-edit[fast]'")

SHAPE = BertShape.of(bert_config())
IDS = np.array([[1, 5, 9, 2], [1, 7, 2, 0], [1, 2, 0, 0]], dtype=np.int64)
LENGTHS = np.array([4, 3, 2], dtype=np.int64)
TEXTS = ["what is a", "b", "", "c d e f g h i j", "what is a", "what is 1 2 3?"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture(scope="module")
def fast(directory: Path, cache: Path) -> FastBert:
    assert SHAPE is not None
    return FastBert.load(directory, SHAPE, cache)


def cosines(a: Floats, b: Floats) -> Floats:
    found: Floats = (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    return found


@pytest.mark.parametrize("layer", range(LAYERS + 1))
def test_both_layers_are_those_of_the_float_pass_but_for_rounding(directory: Path, fast: FastBert, layer: int) -> None:
    assert SHAPE is not None
    found = fast.hidden_with(IDS, LENGTHS, layer)
    real = np.arange(IDS.shape[1]) < LENGTHS[:, None]
    for ours, wanted in zip(found, Bert.load(directory, SHAPE).hidden_with(IDS, LENGTHS, layer), strict=True):
        assert ours.shape == (3, 4, DIM)
        assert ours.dtype == np.float32
        assert cosines(ours[real], wanted[real]).min() > 0.99  # weights of unit size make sharp attention, which rounding moves
    np.testing.assert_array_equal(found[1], fast.hidden(IDS, LENGTHS))


def test_neither_padding_nor_batch_mates_change_a_text(fast: FastBert) -> None:
    together = fast.hidden_with(IDS, LENGTHS, 1)
    for row, length in enumerate(LENGTHS):
        alone = fast.hidden_with(IDS[row : row + 1, :length], LENGTHS[row : row + 1], 1)
        for states, own in zip(together, alone, strict=True):
            np.testing.assert_allclose(states[row, :length], own[0], atol=1e-5)


def test_vectors_are_near_those_in_float32_and_have_a_digest_of_their_own(directory: Path, cache: Path) -> None:
    whole, rounded = (TransformerEncoder(directory, cache=cache, precision=p) for p in ("float32", "int8"))
    assert whole.digest != rounded.digest
    assert (whole.dim, whole.settings) == (rounded.dim, rounded.settings)
    assert cosines(*(e.encode(TEXTS, kind="query") for e in (whole, rounded))).min() > 0.999


def test_batches_side_by_side_give_what_one_after_another_gives(directory: Path, cache: Path) -> None:
    texts = [" ".join("abcdefghijklmn"[: 1 + n % 13]) + f" {n % 10} {n // 10}" for n in range(200)]
    one, many = (
        TransformerEncoder(directory, cache=cache, threads=threads, precision="int8").encode(texts, kind="record")
        for threads in (1, 4)
    )
    np.testing.assert_array_equal(one, many)


class Both:
    """Keeps the states of layer 1 and of the last one in twentieths."""

    layer = 1

    def project(self, states: Floats, spans: NDArray[np.int32]) -> Tokens:
        return Tokens(np.rint(states * 20).astype(np.int8), np.full(len(states), 0.05, np.float32), spans)


def test_the_tokens_of_a_text_come_from_the_pass_that_makes_its_vector(directory: Path, cache: Path) -> None:
    (whole, wanted), (rounded, found) = (
        TransformerEncoder(directory, cache=cache, precision=p).encode_tokens(TEXTS, kind="query", projection=Both())
        for p in ("float32", "int8")
    )
    assert cosines(whole, rounded).min() > 0.999
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours.spans, theirs.spans)
        np.testing.assert_allclose(ours.states(), theirs.states(), atol=0.25)


def test_the_graph_is_built_once_and_then_needs_onnxruntime_alone(
    directory: Path, cache: Path, fast: FastBert, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SHAPE is not None
    monkeypatch.setitem(sys.modules, "onnx", None)
    again = FastBert.load(directory, SHAPE, cache)
    np.testing.assert_array_equal(again.hidden(IDS, LENGTHS), fast.hidden(IDS, LENGTHS))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    directory: Path, tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"package {package},") as raised:
        TransformerEncoder(directory, cache=tmp_path, precision="int8")
    assert raised.value.hint == "pip install 'rag-edit[fast]'"


def test_a_graph_that_was_damaged_is_named(directory: Path, tmp_path: Path) -> None:
    TransformerEncoder(directory, cache=tmp_path, precision="int8")
    (graph,) = tmp_path.rglob("*.onnx")
    graph.write_bytes(bytes(graph.stat().st_size))
    with pytest.raises(UnreadableModelError, match=r"layers\.onnx"):
        TransformerEncoder(directory, cache=tmp_path, precision="int8")


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableModelError, match="plain BERT"):
        TransformerEncoder(write_encoder(tmp_path / "e", hidden_act="gelu_new"), cache=tmp_path, precision="int8")


@settings(deadline=None, max_examples=50)
@given(arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 70)), elements=st.floats(-9, 9, width=32)))
def test_a_weight_is_kept_within_half_a_step_of_its_block(weight: Floats) -> None:
    codes, scales = round_blocks(weight)
    assert codes.min() >= 1
    back = ((codes.astype(np.float32) - 128) * scales[..., None]).reshape(len(weight), -1)[:, : weight.shape[1]]
    steps = np.repeat(scales, BLOCK, axis=1)[:, : weight.shape[1]]
    assert (np.abs(back - weight) <= steps * 0.51 + 1e-30).all()
