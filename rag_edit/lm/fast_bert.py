"""BERT's forward pass in int8 on onnxruntime: the fast encoder profile, for the same directories as `lm.bert`.

The graph is built once from the float32 weights and kept under the cache directory. Each session keeps to one thread, as batches run
side by side; the word table stays mapped from the encoder's own file. States differ from those of `lm.bert` by what
int8 rounds away, so an encoder on this backbone has a digest of its own. Knows nothing about tokens, pooling or prefixes.

What a processor without int8 instructions does, onnxruntime decides: there the same graph is slower, and rounds a little otherwise.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from rag_edit.core.digest import digest_json
from rag_edit.core.errors import MissingExtraError
from rag_edit.lm.bert import Bert, BertShape, Embedding, Floats, Ids
from rag_edit.lm.converted import convert_once
from rag_edit.lm.digests import file_digest
from rag_edit.lm.errors import UnreadableModelError
from rag_edit.lm.fast_graph import GRAPH, build_graph, state_name

_FILE: Final = "layers.onnx"
_ERRORS_ONLY: Final = 3  # onnxruntime's log level


class FastBert:
    """Hidden states of token ids, in int8. Safe to share between threads.

    Attributes:
        dim: Size of a hidden state.
        side_by_side: Passes may run next to one another.
    """

    side_by_side: Final = True

    def __init__(self, shape: BertShape, embedding: Embedding, session: Any) -> None:
        """Take the embedding and an onnxruntime session over the graph of the same weights."""
        self._shape, self._embedding, self._session = shape, embedding, session
        self.dim = embedding.dim

    @classmethod
    def load(cls, directory: Path, shape: BertShape, cache: Path, *, threads: int = 1) -> "FastBert":
        """Load ``model.safetensors`` of a directory, building its graph the first time (about two seconds).

        Args:
            directory: Of the encoder.
            shape: From its ``config.json``.
            cache: Under which ``models/`` is kept.
            threads: Of one pass.

        Raises:
            MissingExtraError: onnxruntime, or onnx where the graph is not built yet, is not installed.
            UnreadableModelError: the graph that was kept cannot be opened.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError("onnxruntime", "fast") from error
        weights = directory / "model.safetensors"
        about = {
            "source": file_digest(weights, cache),
            "config": file_digest(directory / "config.json", cache),
            "converter": GRAPH,
        }
        name = f"{digest_json(about).removeprefix('sha256:')[:12]}-{GRAPH}"
        built = convert_once(cache / "models" / name, about, lambda target: _convert(directory, shape, target))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            session = onnxruntime.InferenceSession(str(built / _FILE), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base class
            raise UnreadableModelError(built / _FILE, "a graph that onnxruntime runs", str(error)) from error
        return cls(shape, Embedding.load(weights), session)

    def hidden(self, ids: Ids, lengths: Ids) -> Floats:
        """Return the last hidden states, (n, t, dim); arguments as for `Bert.hidden`."""
        return self._states(ids, lengths, self._shape.layers)[0]

    def hidden_with(self, ids: Ids, lengths: Ids, layer: int) -> tuple[Floats, Floats]:
        """Return the hidden states behind ``layer`` layers and the last ones, (n, t, dim) each."""
        middle, last = self._states(ids, lengths, layer, self._shape.layers)
        return middle, last

    def _states(self, ids: Ids, lengths: Ids, *layers: int) -> list[Floats]:
        given = {"embedded": self._embedding.sums(ids), "lengths": lengths.astype(np.int32)}
        states: list[Floats] = self._session.run([state_name(layer) for layer in layers], given)
        return states


def _convert(directory: Path, shape: BertShape, target: Path) -> None:
    try:
        graph = build_graph(Bert.load(directory, shape).weights, shape)
    except ImportError as error:
        raise MissingExtraError("onnx", "fast") from error
    (target / _FILE).write_bytes(graph)
