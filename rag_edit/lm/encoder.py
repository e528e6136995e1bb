"""Text to unit vectors by any sentence-transformers directory of the common kind: transformer, pooling, normalise.

Read directly, without the sentence-transformers package: ``modules.json``, ``1_Pooling/config.json`` (mean or first token),
``sentence_bert_config.json`` (length limit) and the prompts of ``config_sentence_transformers.json`` as prefixes. A directory
that asks for more than that is refused, never half obeyed. A plain BERT runs on `lm.bert`, which needs neither torch nor
transformers; any other architecture on transformers. Texts are sorted by length and batched by a token budget, so a vector
may differ by about 1e-6 with its batch mates. Nothing is downloaded.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np

from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.errors import ModelMissingError
from rag_edit.lm.bert import Bert, BertShape, Floats, Ids
from rag_edit.lm.blas import one_thread, processors
from rag_edit.lm.digests import file_digest
from rag_edit.lm.errors import UnreadableModelError

Kind = Literal["query", "record"]

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

    def hidden(self, ids: Ids, lengths: Ids) -> Floats:
        """Return (n, t, dim) hidden states of (n, t) right-padded ids."""


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


@dataclass(frozen=True, slots=True)
class TokenStates:
    """Hidden states of one text's tokens, special tokens and prefix left out.

    Attributes:
        vectors: (n, dim) float32, not normalised.
        spans: (start, end) of each token in the text's characters.
    """

    vectors: Floats
    spans: tuple[tuple[int, int], ...]


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
    ) -> None:
        """Load the encoder.

        Args:
            directory: With ``config.json``, ``tokenizer.json`` and ``model.safetensors`` at least.
            cache: Where digests are remembered.
            query_prefix: In place of the directory's own.
            record_prefix: In place of the directory's own.
            verify: Read the weights' digest afresh.
            threads: Batches that run side by side; None takes the processors that this process may use.

        Raises:
            ModelMissingError: a file is not there.
            UnreadableModelError: the directory asks for a module or pooling that is not supported.
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
            }
        )
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=self.settings.max_tokens)
        self._pad = int(config.get("pad_token_id") or 0)
        self._threads = threads or processors()
        shape = BertShape.of(config)
        self._backbone: Backbone = Bert.load(directory, shape) if shape else _TransformersBackbone(directory, self._pad)

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
        prefix = self.settings.query_prefix if kind == "query" else self.settings.record_prefix
        places: dict[str, int] = {}
        index = np.fromiter((places.setdefault(text, len(places)) for text in texts), dtype=np.int64, count=len(texts))
        repeats = np.bincount(index, minlength=len(places))
        vectors = np.empty((len(places), self.dim), dtype=np.float32)
        unique = list(places)
        for start in range(0, len(unique), _CHUNK_TEXTS):
            ids = [
                e.ids
                for e in self._tokenizer.encode_batch_fast([_plain(prefix + t) for t in unique[start : start + _CHUNK_TEXTS]])
            ]
            batches = list(_batches([len(i) for i in ids]))
            done = self._in_parallel([[ids[row] for row in rows] for rows in batches])
            for rows, found in zip(batches, done, strict=True):
                vectors[start + rows] = found
                if progress is not None:
                    progress(int(repeats[start + rows].sum()))
        return vectors[index]

    def token_states(self, text: str, *, kind: Kind) -> TokenStates:
        """Return the hidden state of every token of ``text`` in its context."""
        prefix = self.settings.query_prefix if kind == "query" else self.settings.record_prefix
        found = self._tokenizer.encode(_plain(prefix + text))
        with one_thread():
            states = self._run([found.ids])[0][0]
        keep = [
            at
            for at, ((start, end), special) in enumerate(zip(found.offsets, found.special_tokens_mask, strict=True))
            if not special and end > max(start, len(prefix))
        ]
        spans = ((found.offsets[at][0] - len(prefix), found.offsets[at][1] - len(prefix)) for at in keep)
        return TokenStates(states[keep], tuple((max(start, 0), end) for start, end in spans))

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Return how many tokens ``texts`` have, special ones included, after cutting."""
        return sum(len(e.ids) for e in self._tokenizer.encode_batch_fast([_plain(t) for t in texts]))

    def _in_parallel(self, batches: Sequence[Sequence[Sequence[int]]]) -> Iterator[Floats]:
        """Yield each batch's vectors in order; batches run side by side where their products keep to one thread."""
        if not isinstance(self._backbone, Bert):
            yield from map(self._vectors, batches)
            return
        with one_thread() as held:
            if not held or len(batches) == 1 or self._threads == 1:
                yield from map(self._vectors, batches)
                return
            with ThreadPoolExecutor(self._threads) as pool:
                yield from pool.map(self._vectors, batches)

    def _vectors(self, token_ids: Sequence[Sequence[int]]) -> Floats:
        return self._pool(*self._run(token_ids))

    def _run(self, token_ids: Sequence[Sequence[int]]) -> tuple[Floats, Ids]:
        lengths = np.fromiter(map(len, token_ids), dtype=np.int64, count=len(token_ids))
        ids = np.full((len(token_ids), int(lengths.max())), self._pad, dtype=np.int64)
        for row, own in enumerate(token_ids):
            ids[row, : len(own)] = own
        return self._backbone.hidden(ids, lengths), lengths

    def _pool(self, states: Floats, lengths: Ids) -> Floats:
        if self.settings.pooling == "cls":
            pooled = states[:, 0]
        else:
            real = (np.arange(states.shape[1]) < lengths[:, None]).astype(np.float32)
            pooled = np.einsum("ntd,nt->nd", states, real) / lengths[:, None].astype(np.float32)
        unit: Floats = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.float32(1e-12))
        return unit


class _TransformersBackbone:
    """Any other architecture, by transformers' own code in this installation (never the directory's)."""

    def __init__(self, directory: Path, pad: int) -> None:
        from rag_edit.lm.transformers_import import quiet_transformers

        model = quiet_transformers().AutoModel.from_pretrained(
            directory, local_files_only=True, trust_remote_code=False, dtype="float32"
        )
        self._model = model.eval().requires_grad_(requires_grad=False)
        self._pad = pad
        self.dim = int(self._model.config.hidden_size)

    def hidden(self, ids: Ids, lengths: Ids) -> Floats:
        import torch

        mask = torch.from_numpy((np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64))
        with torch.inference_mode():
            states: Floats = self._model(input_ids=torch.from_numpy(ids), attention_mask=mask).last_hidden_state.numpy()
        return states


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
