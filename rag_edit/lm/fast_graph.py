"""A BERT's layers as an ONNX graph whose products are made in int8, built from its float32 weights.

Weights are rounded in blocks of 32 along the input, each with its own scale; a state is rounded in the same way, token by token,
when it meets them (``MatMulNBits`` at accuracy level 4). So what a token becomes depends on its own text alone, whatever is
in the batch beside it, where a scale for the whole batch would make vectors change with their batch mates. Norms, attention and
sums stay in float32. The graph begins behind the sum of embeddings: the word table is large, and read where it is mapped.

Knows shapes and names; knows nothing about files, sessions or tokens.

Source: operators of onnxruntime's ``com.microsoft`` domain, version 1 (docs/ContribOperators.md).
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag_edit.lm.bert import BertShape, Floats

GRAPH: Final = "int8-blocks-of-32-1"  # raise it when a graph would give other states
BLOCK: Final = 32
_ZERO: Final = 128  # what stands for 0 in a byte, as the operator takes it when it is given no zero points
_OWN: Final = "com.microsoft"


def state_name(layer: int) -> str:
    """Return the name of the output behind ``layer`` layers; 0 is what the first layer is given."""
    return f"states.{layer}"


def build_graph(weights: Mapping[str, Floats], shape: BertShape) -> bytes:
    """Return the serialised graph.

    Inputs: ``embedded`` (n, t, dim) float32, the sum of embeddings; ``lengths`` (n,) int32. Outputs: `state_name` of each
    layer, (n, t, dim) float32; rows beyond a text's length hold nothing of meaning.

    Args:
        weights: By the short names of `lm.bert.Bert`; only those behind the embeddings are read.
        shape: Of the same model.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: dict[str, NDArray[Any]] = {}
    dim = len(weights["norm.w"])

    def add(operator: str, inputs: list[str], outputs: list[str], domain: str = _OWN, **attributes: Any) -> None:
        nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))

    def keep(*names: str) -> None:
        constants.update((name, weights[name]) for name in names)

    def product(states: str, name: str, out: str) -> None:
        codes, scales = round_blocks(weights[f"{name}.w"])
        constants.update({f"{name}.codes": codes, f"{name}.scales": scales})
        keep(f"{name}.b")
        add(
            "MatMulNBits",
            [states, f"{name}.codes", f"{name}.scales", "", "", f"{name}.b"],
            [out],
            K=weights[f"{name}.w"].shape[1],
            N=weights[f"{name}.w"].shape[0],
            bits=8,
            block_size=BLOCK,
            accuracy_level=4,  # states are rounded to int8, block by block
        )

    keep("norm.w", "norm.b")
    add("LayerNormalization", ["embedded", "norm.w", "norm.b"], [state_name(0)], domain="", axis=-1, epsilon=shape.eps)
    for i in range(shape.layers):
        at, x = f"{i}.", state_name(i)
        keep(f"{at}norm1.w", f"{at}norm1.b", f"{at}norm2.w", f"{at}norm2.b")
        product(x, f"{at}qkv", f"{at}all")
        add("Split", [f"{at}all"], [f"{at}q", f"{at}k", f"{at}v"], domain="", axis=-1, num_outputs=3)
        add("MultiHeadAttention", [f"{at}q", f"{at}k", f"{at}v", "", "lengths"], [f"{at}seen"], num_heads=shape.heads)
        product(f"{at}seen", f"{at}out", f"{at}mixed")
        norm1 = [x, f"{at}mixed", f"{at}norm1.w", f"{at}norm1.b"]
        add("SkipLayerNormalization", norm1, [f"{at}middle"], epsilon=shape.eps)
        product(f"{at}middle", f"{at}up", f"{at}wide")
        add("Gelu", [f"{at}wide"], [f"{at}active"])
        product(f"{at}active", f"{at}down", f"{at}narrow")
        norm2 = [f"{at}middle", f"{at}narrow", f"{at}norm2.w", f"{at}norm2.b"]
        add("SkipLayerNormalization", norm2, [state_name(i + 1)], epsilon=shape.eps)
    graph = helper.make_graph(
        nodes,
        "bert",
        [
            helper.make_tensor_value_info("embedded", TensorProto.FLOAT, ["n", "t", dim]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["n"]),
        ],
        [helper.make_tensor_value_info(state_name(i), TensorProto.FLOAT, ["n", "t", dim]) for i in range(shape.layers + 1)],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    versions = [helper.make_opsetid("", 20), helper.make_opsetid(_OWN, 1)]
    data: bytes = helper.make_model(graph, opset_imports=versions, ir_version=10).SerializeToString()
    return data


def round_blocks(weight: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Return a (d_out, d_in) weight as codes (d_out, blocks, 32) and scales (d_out, blocks): ``(codes - 128) * scale``."""
    rows, columns = weight.shape
    padded = np.zeros((rows, -(-columns // BLOCK) * BLOCK), np.float32)
    padded[:, :columns] = weight
    blocks = padded.reshape(rows, -1, BLOCK)
    scales = np.maximum(np.abs(blocks).max(-1), np.float32(1e-30)) / np.float32(127)
    codes = (np.rint(blocks / scales[..., None]) + _ZERO).astype(np.uint8)
    return codes, scales
