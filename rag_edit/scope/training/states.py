"""Hidden states of texts under a frozen encoder, computed once and kept in a file: what the joint head is trained over.

Two layers side by side, special tokens and prefix left out, float16. Computed with torch in bfloat16, which is three times as
fast here as float32 and near enough for training; the product reads float32 states.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from rag_edit.core.digest import digest_json

BLOCK: Final = 16_384  # texts whose states are kept in one file
_TOKENS: Final = 64
_BATCH_TOKENS: Final = 4096


@dataclass(frozen=True, slots=True)
class States:
    """States of texts, one text after another.

    Attributes:
        values: (all tokens, 2 * dim) float16.
        starts: (texts + 1,) where each text's tokens begin.
        spans: (all tokens, 2) characters.
        pooled: (texts, dim) float32 unit vectors, the mean over a text's last states.
    """

    values: NDArray[np.float16]
    starts: NDArray[np.int64]
    spans: NDArray[np.int16]
    pooled: NDArray[np.float32]

    @property
    def dim(self) -> int:
        """Length of one layer's state."""
        return int(self.values.shape[1]) // 2

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return np.diff(self.starts)

    def padded(
        self, ids: NDArray[np.int32], names: NDArray[np.int32], marked: NDArray[np.bool_], most: int, *, last: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
        """Return states (n, t, 2 * dim), which are real (n, t), and which belong to the marked names (n, t).

        Of a text with more than ``most`` tokens the first ones are read, or the last.
        """
        counts = np.minimum(self.lengths[ids], most)
        steps = np.arange(int(counts.max()))
        real = steps[None] < counts[:, None]
        first = self.starts[ids] + (self.lengths[ids] - counts if last else 0)
        rows = np.where(real, first[:, None] + steps[None], 0)
        spans = self.spans[rows]
        named = real & (spans[..., 0] < names[:, 1:]) & (spans[..., 1] > names[:, :1]) & marked[:, None]
        return self.values[rows].astype(np.float32), real, named.astype(np.float32)


def states_of(
    texts: Sequence[str], directory: Path, layer: int, prefix: str, work: Path, on_done: Callable[[int, int], None]
) -> States:
    """Return the states of ``texts``, block by block from ``work`` where they were computed before.

    Args:
        texts: in any order.
        directory: of the encoder, as transformers reads it.
        layer: whose states stand beside the last one's.
        prefix: put before every text.
        work: folder of the kept files, one a block, named by what they were made from.
        on_done: called with (done, of) after each block.
    """
    work.mkdir(parents=True, exist_ok=True)
    blocks = []
    compute: Callable[[Sequence[str]], dict[str, NDArray[Any]]] | None = None
    for start in range(0, len(texts), BLOCK):
        part = list(texts[start : start + BLOCK])
        key = digest_json({"texts": part, "encoder": directory.name, "layer": layer, "prefix": prefix})[7:23]
        path = work / f"states-{key}.safetensors"
        if not path.exists():
            compute = compute or _computer(directory, layer, prefix)
            aside = path.with_suffix(".part")
            save_file(compute(part), aside)
            aside.replace(path)
        blocks.append(load_file(path))
        on_done(start + len(part), len(texts))
    starts = np.concatenate([[0], np.cumsum(np.concatenate([block["counts"] for block in blocks]))]).astype(np.int64)
    values = np.empty((int(starts[-1]), blocks[0]["values"].shape[1]), np.float16)
    at = 0
    for block in blocks:
        values[at : at + len(block["values"])] = block["values"]
        at += len(block.pop("values"))
    return States(values, starts, *(np.concatenate([block[name] for block in blocks]) for name in ("spans", "pooled")))


def _computer(directory: Path, layer: int, prefix: str) -> Callable[[Sequence[str]], dict[str, NDArray[Any]]]:
    """Return a function from texts to their ``values``, ``counts``, ``spans`` and ``pooled``; see `States`."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=_TOKENS)
    model = AutoModel.from_pretrained(directory, local_files_only=True).eval()
    dim = int(model.config.hidden_size)

    def compute(texts: Sequence[str]) -> dict[str, NDArray[Any]]:
        read = tokenizer.encode_batch([prefix + text for text in texts])
        offsets = [np.array(e.offsets).reshape(-1, 2) - len(prefix) for e in read]
        kept = [
            np.flatnonzero((np.array(e.special_tokens_mask) == 0) & (own[:, 1] > np.maximum(own[:, 0], 0)))
            for e, own in zip(read, offsets, strict=True)
        ]
        counts = np.array([len(k) for k in kept], np.int64)
        starts = np.concatenate([[0], np.cumsum(counts)])
        values = np.zeros((int(starts[-1]), 2 * dim), np.float16)
        pooled = np.zeros((len(texts), dim), np.float32)
        order = np.argsort([len(e.ids) for e in read], kind="stable")
        at = 0
        with torch.inference_mode():
            while at < len(order):
                part = order[at : at + max(8, _BATCH_TOKENS // (len(read[order[at]].ids) + 4))]
                longest = max(len(read[i].ids) for i in part)
                ids, mask = np.zeros((2, len(part), longest), np.int64)
                for row, i in enumerate(part):
                    ids[row, : len(read[i].ids)], mask[row, : len(read[i].ids)] = read[i].ids, 1
                real = torch.from_numpy(mask)
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    hidden = model(torch.from_numpy(ids), attention_mask=real, output_hidden_states=True).hidden_states
                middle, last = hidden[layer].float(), hidden[-1].float()
                mean = (last * real[..., None]).sum(1) / real.sum(1)[:, None]
                pooled[part] = torch.nn.functional.normalize(mean, dim=1).numpy()
                both = torch.cat([middle, last], -1).numpy().astype(np.float16)
                for row, i in enumerate(part):
                    values[starts[i] : starts[i + 1]] = both[row, kept[i]]
                at += len(part)
        spans = np.concatenate([np.maximum(own[k], 0) for own, k in zip(offsets, kept, strict=True)]).astype(np.int16)
        return {"values": values, "counts": counts, "spans": spans, "pooled": pooled}

    return compute
