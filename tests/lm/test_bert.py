from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rag_edit.lm.bert import Bert, BertShape, gelu
from rag_edit.lm.blas import _controls, one_thread
from tests.lm.tiny import DIM, bert_config, bert_tensors

SHAPE = BertShape.of(bert_config())
IDS = np.array([[1, 5, 9, 2], [1, 7, 2, 0], [1, 2, 0, 0]], dtype=np.int64)
LENGTHS = np.array([4, 3, 2], dtype=np.int64)
SEGMENTS = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0]], dtype=np.int64)


def tiny() -> Bert:
    assert SHAPE is not None
    return Bert(SHAPE, bert_tensors())


def test_padding_changes_no_text() -> None:
    states = tiny().hidden(IDS, LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone = tiny().hidden(IDS[row : row + 1, :length], LENGTHS[row : row + 1])
        np.testing.assert_allclose(states[row, :length], alone[0], atol=1e-5)


def test_no_segments_are_segment_zero() -> None:
    np.testing.assert_array_equal(tiny().hidden(IDS, LENGTHS), tiny().hidden(IDS, LENGTHS, np.zeros_like(IDS)))
    assert not np.allclose(tiny().hidden(IDS, LENGTHS), tiny().hidden(IDS, LENGTHS, SEGMENTS))


def testgelu_agrees_with_the_error_function() -> None:
    import math

    x = np.linspace(-8, 8, 2001 * 3, dtype=np.float32).reshape(-1, 3)
    wanted = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.reshape(-1).astype(float)]
    np.testing.assert_allclose(gelu(x).reshape(-1), wanted, atol=2e-6)


def test_weights_are_the_same_mapped_from_a_file_of_either_precision(tmp_path: Path) -> None:
    assert SHAPE is not None
    halves = {name: array.astype(np.float16) for name, array in bert_tensors().items()}
    for name, tensors in (("whole", bert_tensors()), ("half", halves)):
        (tmp_path / name).mkdir()
        save_file({f"bert.{key}": value for key, value in tensors.items()}, tmp_path / name / "model.safetensors")
        loaded = Bert.load(tmp_path / name, SHAPE)
        np.testing.assert_array_equal(loaded.hidden(IDS, LENGTHS), Bert(SHAPE, tensors).hidden(IDS, LENGTHS))


OTHERS = {
    "another architecture": {"model_type": "mpnet"},
    "another activation": {"hidden_act": "gelu_new"},
    "relative positions": {"position_embedding_type": "relative_key"},
    "a decoder": {"is_decoder": True},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_what_is_no_plain_bert_is_left_to_transformers(changes: dict[str, object]) -> None:
    assert BertShape.of(bert_config(**changes)) is None


def test_a_missing_tensor_is_named() -> None:
    assert SHAPE is not None
    tensors = bert_tensors()
    del tensors["encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        Bert(SHAPE, tensors)


@pytest.mark.slow
def test_hidden_states_agree_with_transformers() -> None:
    import torch
    from transformers import BertConfig, BertModel

    theirs = BertModel(BertConfig(**bert_config()), add_pooling_layer=False).eval()
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in bert_tensors().items()}, strict=False)
    mask = torch.from_numpy((np.arange(4) < LENGTHS[:, None]).astype(np.int64))
    with torch.inference_mode():
        wanted = theirs(
            input_ids=torch.from_numpy(IDS), attention_mask=mask, token_type_ids=torch.from_numpy(SEGMENTS)
        ).last_hidden_state.numpy()
    found = tiny().hidden(IDS, LENGTHS, SEGMENTS)
    assert found.shape == (3, 4, DIM)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(found[row, :length], wanted[row, :length], atol=1e-5)


def test_products_are_held_to_one_thread_and_given_back() -> None:
    controls = _controls()
    if controls is None:
        pytest.skip("NumPy was built with another library than OpenBLAS")
    before = controls[0]()
    with one_thread() as held, one_thread():
        assert held
        assert controls[0]() == 1
    assert controls[0]() == before
