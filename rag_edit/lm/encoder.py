"""Text to unit vectors by any sentence-transformers directory of the common kind: transformer, pooling, normalise.

Read directly, without the sentence-transformers package: ``modules.json``, ``1_Pooling/config.json`` (mean or first token),
``sentence_bert_config.json`` (length limit) and the prompts of ``config_sentence_transformers.json`` as prefixes. A directory
that asks for more than that is refused, never half obeyed. A plain BERT runs on `lm.bert`, which needs neither torch nor
transformers, or in int8 on `lm.fast_bert`; any other architecture on transformers. Texts are sorted by length and batched by a
token budget, so a vector may differ by about 1e-6 with its batch mates. Nothing is downloaded.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.errors import ModelMissingError
from rag_edit.lm.bert import Bert, BertShape, Floats, Ids
from rag_edit.lm.blas import one_thread, processors
from rag_edit.lm.digests import file_digest
from rag_edit.lm.errors import UnreadableModelError
from rag_edit.lm.fast_graph import GRAPH
from rag_edit.lm.tokens import Tokens

if TYPE_CHECKING:
    from tokenizers import Encoding

Kind = Literal["query", "record"]
Precision = Literal["float32", "int8"]

_BATCH_TOKENS: Final = 512  # what lies between two products stays in the processor's cache
_CHUNK_TEXTS: Final = 8192  # tokenised, sorted and batched at a time: bounds the memory of one call
_POOLING: Final = "mean or first-token pooling"


class EncoderProtocol(Protocol):
    """What the index asks of an encoder; `TransformerEncoder` and `lm.remote.UpstreamEncoder` both are one."""

    @property
    def digest(self) -> str:
        """Return the name of everything that changes the output."""

    @property
    def dim(self) -> int:
        """Return the length of a vector."""

    def encode(self, texts: Sequence[str], *, kind: Kind, progress: Callable[[int], None] | None = None) -> Floats:
        """Return one unit vector a text, in the order given."""


class Backbone(Protocol):
    """What turns token ids into hidden states."""

    dim: int

    @property
    def side_by_side(self) -> bool:
        """Return whether passes may run next to one another: each keeps to one thread, given that NumPy's products do."""

    def hidden(self, ids: Ids, lengths: Ids) -> Floats:
        """Return (n, t, dim) last hidden states of (n, t) right-padded ids."""

    def hidden_with(self, ids: Ids, lengths: Ids, layer: int) -> tuple[Floats, Floats]:
        """Return the hidden states behind ``layer`` layers and the last ones, (n, t, dim) each."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What of a directory, besides weights and vocabulary, changes the output.

    Attributes:
        pooling: ``mean`` over the tokens, or ``cls``: the first token.
        max_tokens: Longer texts are cut, special tokens included.
        query_prefix, record_prefix: Put before each text of that kind.
    """

    pooling: str
    max_tokens: int
    query_prefix: str = ""
    record_prefix: str = ""


class Projection(Protocol):
    """Turns hidden states of tokens into what is kept of them; `lm.joint_head.JointHead` is one."""

    @property
    def layer(self) -> int:
        """Return the layer whose states are read beside the last one's."""

    def project(self, states: Floats, spans: NDArray[np.int32]) -> Tokens:
        """Return what is kept of (tokens, 2 * dim) states with their (tokens, 2) characters."""


class TransformerEncoder:
    """An `Embedder` over a directory. Safe to use from several threads."""

    def __init__(
        self,
        directory: Path,
        *,
        cache: Path,
        query_prefix: str | None = None,
        record_prefix: str | None = None,
        verify: bool = False,
        threads: int | None = None,
        precision: Precision = "float32",
    ) -> None:
        """Load the encoder.

        Args:
            directory: With ``config.json``, ``tokenizer.json`` and ``model.safetensors`` at least.
            cache: Where digests are remembered.
            query_prefix: In place of the directory's own.
            record_prefix: In place of the directory's own.
            verify: Read the weights' digest afresh.
            threads: Batches that run side by side; None takes the processors that this process may use.
            precision: ``int8`` runs on onnxruntime, for a plain BERT alone; vectors differ a little, and the digest with them.

        Raises:
            ModelMissingError: a file is not there.
            MissingExtraError: ``int8`` was asked for and onnxruntime is not installed.
            UnreadableModelError: the directory asks for a module, pooling or precision that is not supported.
        """
        from tokenizers import Tokenizer

        missing = [name for name in ("config.json", "tokenizer.json", "model.safetensors") if not (directory / name).is_file()]
        if missing:
            raise ModelMissingError(f"an encoder with {', '.join(missing)}", [str(directory)], hint="rag-edit doctor")
        config = _json(directory / "config.json")
        self.settings = read_settings(directory, config, query_prefix=query_prefix, record_prefix=record_prefix)
        self._digest: Digest = digest_json(
            {
                "format": "rag-edit-encoder-v1",
                "weights": file_digest(directory / "model.safetensors", cache, verify=verify),
                "config": file_digest(directory / "config.json", cache, verify=verify),
                "tokenizer": file_digest(directory / "tokenizer.json", cache, verify=verify),
                "settings": asdict(self.settings),
                **({"precision": GRAPH} if precision == "int8" else {}),
            }
        )
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=self.settings.max_tokens)
        self._pad = int(config.get("pad_token_id") or 0)
        self._threads = threads or processors()
        self._backbone = _backbone(directory, config, cache, precision)

    @property
    def digest(self) -> Digest:
        """Return the name of weights, vocabulary, configuration, pooling, limit and prefixes together."""
        return self._digest

    @property
    def dim(self) -> int:
        """Return the length of a vector."""
        return self._backbone.dim

    def encode(self, texts: Sequence[str], *, kind: Kind, progress: Callable[[int], None] | None = None) -> Floats:
        """Return (len(texts), dim) float32 unit vectors in the order of ``texts``; a repeated text is encoded once.

        Args:
            texts: Any texts; what cannot be written in UTF-8 counts as ``?``.
            kind: Chooses the prefix.
            progress: Called with the number of texts done since the last call.
        """
        return self._encode(texts, kind, None, progress)[0]

    def encode_tokens(
        self, texts: Sequence[str], *, kind: Kind, projection: Projection, progress: Callable[[int], None] | None = None
    ) -> tuple[Floats, list[Tokens]]:
        """Return what `encode` returns, and from the same pass what ``projection`` keeps of each text's tokens.

        Special tokens and the prefix are left out.
        """
        return self._encode(texts, kind, projection, progress)

    def _encode(
        self, texts: Sequence[str], kind: Kind, projection: Projection | None, progress: Callable[[int], None] | None
    ) -> tuple[Floats, list[Tokens]]:
        prefix = self.settings.query_prefix if kind == "query" else self.settings.record_prefix
        places: dict[str, int] = {}
        index = np.fromiter((places.setdefault(text, len(places)) for text in texts), dtype=np.int64, count=len(texts))
        repeats = np.bincount(index, minlength=len(places))
        vectors = np.empty((len(places), self.dim), dtype=np.float32)
        tokens: dict[int, Tokens] = {}
        unique = list(places)
        for start in range(0, len(unique), _CHUNK_TEXTS):
            read = self._tokenizer.encode_batch_fast if projection is None else self._tokenizer.encode_batch
            encodings = read([_plain(prefix + t) for t in unique[start : start + _CHUNK_TEXTS]])
            batches = list(_batches([len(e.ids) for e in encodings]))
            work = partial(self._vectors, projection=projection, prefix=len(prefix))
            done = self._in_parallel(work, [[encodings[row] for row in rows] for rows in batches])
            for rows, (found, kept) in zip(batches, done, strict=True):
                vectors[start + rows] = found
                tokens |= zip((start + rows).tolist(), kept, strict=bool(kept))
                if progress is not None:
                    progress(int(repeats[start + rows].sum()))
        return vectors[index], [tokens[i] for i in index.tolist()] if projection is not None else []

    def encode_means(self, texts: Sequence[str], layer: int) -> Floats:
        """Return (n, 2 * dim) means over each text's tokens: of the states behind ``layer`` layers and of the last ones, as of questions."""
        encodings = self._tokenizer.encode_batch_fast([_plain(self.settings.query_prefix + t) for t in texts])
        means = np.empty((len(texts), 2 * self.dim), dtype=np.float32)
        for rows in _batches([len(e.ids) for e in encodings]):
            ids, lengths = self._padded([encodings[row].ids for row in rows])
            both = np.concatenate(self._backbone.hidden_with(ids, lengths, layer), axis=2)
            real = (np.arange(both.shape[1]) < lengths[:, None]).astype(np.float32)
            means[rows] = np.einsum("ntd,nt->nd", both, real) / lengths[:, None].astype(np.float32)
        return means

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Return how many tokens ``texts`` have, special ones included, after cutting."""
        return sum(len(e.ids) for e in self._tokenizer.encode_batch_fast([_plain(t) for t in texts]))

    def _in_parallel(
        self, work: Callable[[Sequence["Encoding"]], tuple[Floats, list[Tokens]]], batches: Sequence[Sequence["Encoding"]]
    ) -> Iterator[tuple[Floats, list[Tokens]]]:
        """Yield what each batch gives, in order; batches run side by side where their products keep to one thread."""
        if not self._backbone.side_by_side:
            yield from map(work, batches)
            return
        with one_thread() as held:
            if not held or len(batches) == 1 or self._threads == 1:
                yield from map(work, batches)
                return
            with ThreadPoolExecutor(self._threads) as pool:
                yield from pool.map(work, batches)

    def _vectors(
        self, encodings: Sequence["Encoding"], projection: Projection | None, prefix: int
    ) -> tuple[Floats, list[Tokens]]:
        """Return the vectors of one batch and, with a projection, what it keeps of each text's tokens."""
        ids = [e.ids for e in encodings]
        if projection is None:
            return self._pool(*self._run(ids)), []
        padded, lengths = self._padded(ids)
        middle, last = self._backbone.hidden_with(padded, lengths, projection.layer)
        kept, spans = [], list[NDArray[np.int32]]()
        for row, encoding in enumerate(encodings):
            own = np.array(encoding.offsets, np.int32) - prefix
            real = np.flatnonzero((np.array(encoding.special_tokens_mask) == 0) & (own[:, 1] > np.maximum(own[:, 0], 0)))
            kept.append(np.concatenate([middle[row, real], last[row, real]], axis=1))
            spans.append(np.maximum(own[real], 0))
        whole = projection.project(np.concatenate(kept), np.concatenate(spans))
        ends = np.cumsum([len(s) for s in spans])
        tokens = [
            Tokens(whole.codes[end - len(s) : end], whole.scales[end - len(s) : end], whole.spans[end - len(s) : end])
            for end, s in zip(ends, spans, strict=True)
        ]
        return self._pool(last, lengths), tokens

    def _padded(self, token_ids: Sequence[Sequence[int]]) -> tuple[Ids, Ids]:
        lengths = np.fromiter(map(len, token_ids), dtype=np.int64, count=len(token_ids))
        ids = np.full((len(token_ids), int(lengths.max())), self._pad, dtype=np.int64)
        for row, own in enumerate(token_ids):
            ids[row, : len(own)] = own
        return ids, lengths

    def _run(self, token_ids: Sequence[Sequence[int]]) -> tuple[Floats, Ids]:
        ids, lengths = self._padded(token_ids)
        return self._backbone.hidden(ids, lengths), lengths

    def _pool(self, states: Floats, lengths: Ids) -> Floats:
        if self.settings.pooling == "cls":
            pooled = states[:, 0]
        else:
            real = (np.arange(states.shape[1]) < lengths[:, None]).astype(np.float32)
            pooled = np.einsum("ntd,nt->nd", states, real) / lengths[:, None].astype(np.float32)
        unit: Floats = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.float32(1e-12))
        return unit


def _backbone(directory: Path, config: Mapping[str, Any], cache: Path, precision: Precision) -> Backbone:
    shape = BertShape.of(config)
    if precision == "int8":
        if shape is None:
            raise UnreadableModelError(directory / "config.json", "a plain BERT, which alone runs in int8", "another")
        from rag_edit.lm.fast_bert import FastBert

        return FastBert.load(directory, shape, cache)
    return _TransformersBackbone(directory) if shape is None else Bert.load(directory, shape)


class _TransformersBackbone:
    """Any other architecture, by transformers' own code in this installation (never the directory's)."""

    side_by_side: Final = False

    def __init__(self, directory: Path) -> None:
        from rag_edit.lm.transformers_import import quiet_transformers

        model = quiet_transformers().AutoModel.from_pretrained(
            directory, local_files_only=True, trust_remote_code=False, dtype="float32"
        )
        self._model = model.eval().requires_grad_(requires_grad=False)
        self.dim = int(self._model.config.hidden_size)

    def hidden(self, ids: Ids, lengths: Ids) -> Floats:
        states: Floats = self._run(ids, lengths).last_hidden_state.numpy()
        return states

    def hidden_with(self, ids: Ids, lengths: Ids, layer: int) -> tuple[Floats, Floats]:
        found = self._run(ids, lengths, output_hidden_states=True)
        return found.hidden_states[layer].numpy(), found.last_hidden_state.numpy()

    def _run(self, ids: Ids, lengths: Ids, **options: bool) -> Any:
        import torch

        mask = torch.from_numpy((np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64))
        with torch.inference_mode():
            return self._model(input_ids=torch.from_numpy(ids), attention_mask=mask, **options)


def read_settings(
    directory: Path, config: Mapping[str, Any], *, query_prefix: str | None = None, record_prefix: str | None = None
) -> EncoderSettings:
    """Return a directory's settings; a directory without ``modules.json`` is mean-pooled, as sentence-transformers does.

    Raises:
        UnreadableModelError: a module or pooling that is not supported.
    """
    kinds = {"Transformer": "", "Pooling": "", "Normalize": ""}
    for module in _json(directory / "modules.json", []):
        name = str(module.get("type", "")).rsplit(".", 1)[-1]
        if name not in kinds:
            raise UnreadableModelError(directory / "modules.json", "Transformer, Pooling and Normalize", name)
        kinds[name] = str(module.get("path", ""))
    if kinds["Transformer"]:
        raise UnreadableModelError(directory / "modules.json", "the transformer in the directory itself", kinds["Transformer"])
    pooling_file = directory / (kinds["Pooling"] or "1_Pooling") / "config.json"
    pooling = _json(pooling_file, {"pooling_mode_mean_tokens": True})
    modes = sorted(k.removeprefix("pooling_mode_") for k, on in pooling.items() if k.startswith("pooling_mode_") and on is True)
    modes = modes or [str(pooling.get("pooling_mode", ""))]
    mode = {"mean_tokens": "mean", "cls_token": "cls", "mean": "mean", "cls": "cls"}.get(modes[0]) if len(modes) == 1 else None
    if mode is None or pooling.get("include_prompt", True) is not True:
        raise UnreadableModelError(pooling_file, _POOLING, ", ".join(modes) or "none")
    prompts = _json(directory / "config_sentence_transformers.json", {}).get("prompts") or {}
    own_limit = _json(directory / "sentence_bert_config.json", {}).get("max_seq_length")
    most = int(config.get("max_position_embeddings", 512)) - (2 if "roberta" in str(config.get("model_type")) else 0)
    return EncoderSettings(
        pooling=mode,
        max_tokens=min(int(own_limit or most), most),
        query_prefix=str(prompts.get("query", "")) if query_prefix is None else query_prefix,
        record_prefix=str(prompts.get("document", prompts.get("passage", ""))) if record_prefix is None else record_prefix,
    )


def _batches(lengths: Sequence[int]) -> Iterator[Ids]:
    """Yield rows, the longest texts first, so that a batch's padded size stays within the token budget."""
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    start = 0
    while start < len(order):
        size = max(1, _BATCH_TOKENS // max(1, lengths[int(order[start])]))
        yield order[start : start + size]
        start += size


def _plain(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _json(path: Path, default: Any = None) -> Any:
    if default is not None and not path.is_file():
        return default
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableModelError(path, "JSON", str(error)) from error
