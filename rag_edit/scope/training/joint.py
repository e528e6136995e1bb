"""The joint head in torch: its forward pass with gradients, and the loop that trains it over hidden states computed once.

The encoder stays as it is; only the head learns. `rag_edit.lm.joint_head` runs the same pass in NumPy under the same names.
"""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag_edit.scope.training.corpus import Corpus
from rag_edit.scope.training.states import States

DRAWN: Final = 32  # batches drawn, sorted by length and cut together
SHARES: Final = (
    0.4,
    0.36,
)  # of a batch: the same fact; another fact about a name that both sides spell alike. The rest: any other

KINDS: Final[Mapping[str, float]] = {
    "relation": 0.26,
    "zsre": 0.07,
    "pokemqa": 0.04,
    "name": 0.26,
    "topic": 0.29,
    "question": 0.3,
}
"""Shares of the kinds of group in each class, as far as a class has them."""


@dataclass(frozen=True)
class Setting:
    """What training depends on beside the data."""

    seed: int = 7
    steps: int = 3000
    batch: int = 256
    peak_rate: float = 1.2e-3
    warmup: int = 200  # steps
    smoothing: float = 0.005
    marked: float = 0.85  # share of pairs whose common name is marked; the others have to find it
    max_tokens: int = 40  # of each side
    width: int = 192
    heads: int = 6
    layers: int = 2
    similarity: int = 64  # width in which tokens of both sides are compared
    threads: int = 2


def make_head(setting: Setting, dim: int) -> Any:
    """Return the untrained head as a torch module; ``dim`` is the encoder's."""
    import torch
    from torch import nn

    class Layer(nn.Module):
        def __init__(self, d: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.n1, self.qkv, self.o = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.n2, self.up, self.down = nn.LayerNorm(d), nn.Linear(d, d * 8 // 3), nn.Linear(d * 8 // 3, d)

        def forward(self, x: Any, bias: Any) -> Any:
            n, t, d = x.shape
            size = d // self.heads
            q, k, v = self.qkv(self.n1(x)).view(n, t, 3, self.heads, size).permute(2, 0, 3, 1, 4)
            seen = ((q @ k.transpose(-1, -2)) * size**-0.5 + bias).softmax(-1) @ v
            x = x + self.o(seen.transpose(1, 2).reshape(n, t, d))
            return x + self.down(nn.functional.gelu(self.up(self.n2(x))))

    class Head(nn.Module):
        def __init__(self, d: int) -> None:
            super().__init__()
            self.proj, self.sim = nn.Linear(2 * dim, d), nn.Linear(d, setting.similarity, bias=False)
            self.side, self.best = nn.Parameter(torch.randn(2, d) * 0.02), nn.Parameter(torch.randn(2, d) * 0.02)
            self.flag, self.cls = nn.Parameter(torch.randn(d) * 0.02), nn.Parameter(torch.randn(d) * 0.02)
            self.layers = nn.ModuleList([Layer(d, setting.heads) for _ in range(setting.layers)])
            self.norm, self.out = nn.LayerNorm(d), nn.Linear(d, 1)

        def embed(self, x: Any) -> Any:
            """Return (n, t, d) of (n, t, 2 * dim) states: each layer standardised, both projected."""
            n, t, _ = x.shape
            return self.proj(nn.functional.layer_norm(x.view(n, t, 2, dim), (dim,)).reshape(n, t, -1))

        def forward(self, q: Any, q_real: Any, q_named: Any, r: Any, r_real: Any, r_named: Any) -> Any:
            """Return (n,) logits. States (n, t, 2 * dim); real (n, t) bool; named (n, t) float."""
            return self.compare(self.embed(q), q_real, q_named, self.embed(r), r_real, r_named)

        def compare(self, q: Any, q_real: Any, q_named: Any, r: Any, r_real: Any, r_named: Any) -> Any:
            """Return (n,) logits of embedded states, (n, t, d)."""
            a, b = (nn.functional.normalize(self.sim(z).float(), dim=-1) for z in (q, r))
            alike = (a @ b.transpose(1, 2)).masked_fill(~(r_real[:, None, :] & q_real[:, :, None]), -1.0)
            q = q + self.side[0] + q_named[..., None] * self.flag + alike.max(2).values[..., None] * self.best[0]
            r = r + self.side[1] + r_named[..., None] * self.flag + alike.max(1).values[..., None] * self.best[1]
            x = torch.cat([self.cls.expand(len(q), 1, -1), q, r], 1)
            real = torch.cat([torch.ones(len(q), 1, dtype=torch.bool), q_real, r_real], 1)[:, None, None, :]
            bias = torch.zeros(real.shape).masked_fill(~real, -1e4)
            bias = bias.to(torch.bfloat16) if torch.is_autocast_enabled("cpu") else bias
            for layer in self.layers:
                x = layer(x, bias)
            return self.out(self.norm(x[:, 0]))[:, 0].float()

    return Head(setting.width)


class Batches:
    """Draws batches of pairs of like length, in shares of easy and hard ones."""

    def __init__(self, corpus: Corpus, states: States, setting: Setting) -> None:
        self.states, self.setting = states, setting
        pairs = corpus.pairs
        same = pairs["label"] == 1
        alike = pairs["same_name"] == 1
        self.pairs, self.classes = pairs, [np.flatnonzero(c) for c in (same, ~same & alike, ~same & ~alike)]
        self.sums = [self._sums(pairs["kind"][rows], corpus.kinds) for rows in self.classes]

    def _sums(self, kinds: NDArray[np.int32], names: Sequence[str]) -> NDArray[np.float64]:
        """Return running sums of weights that give each kind its share of a class."""
        counts = np.maximum(1, np.bincount(kinds, minlength=len(names)))
        weights = np.array([KINDS.get(name, 0.1) for name in names]) / counts
        sums: NDArray[np.float64] = np.cumsum(weights[kinds])
        sums /= sums[-1]
        return sums

    def draw(self, rng: np.random.Generator) -> list[NDArray[np.void]]:
        """Return some batches, in random order."""
        count = self.setting.batch * DRAWN
        first, second = (int(share * count) for share in SHARES)
        counts = (first, second, count - first - second)
        rows = [c[np.searchsorted(sums, rng.random(n))] for c, sums, n in zip(self.classes, self.sums, counts, strict=True)]
        chosen = self.pairs[np.concatenate(rows)]
        most = self.setting.max_tokens
        lengths = np.minimum(self.states.tokens.lengths[chosen["left"]], most) + np.minimum(
            self.states.tokens.lengths[chosen["right"]], most
        )
        ordered = chosen[np.argsort(lengths + 2 * rng.random(count))]
        cut = [ordered[i : i + self.setting.batch] for i in range(0, count, self.setting.batch)]
        return [cut[i] for i in rng.permutation(len(cut))]

    def tensors(self, part: NDArray[np.void], rng: np.random.Generator) -> tuple[list[Any], Any]:
        """Return the head's six arguments and the labels (n,)."""
        import torch

        marked = (part["same_name"] == 1) & (rng.random(len(part)) < self.setting.marked)
        sides = [
            torch.from_numpy(array)
            for ids, names, last in ((part["left"], part["left_name"], True), (part["right"], part["right_name"], False))
            for array in self.states.padded(ids, names, marked, self.setting.max_tokens, last=last)
        ]
        return sides, torch.from_numpy(part["label"].astype(np.float32))


def train(
    corpus: Corpus, states: States, work: Path, setting: Setting, on_step: Callable[[int, int, float], None]
) -> dict[str, NDArray[np.float32]]:
    """Train, or go on training, and return the weights.

    Args:
        corpus: labelled pairs.
        states: hidden states of its texts.
        work: folder; ``head.checkpoint.safetensors`` in it is written every 200 steps and read on the next call.
        setting: seed, size and rates. A checkpoint of another setting is refused.
        on_step: called after each step with (step, steps, running loss).

    Raises:
        ValueError: the checkpoint was made under another setting.
    """
    import torch

    torch.set_num_threads(setting.threads)
    torch.manual_seed(setting.seed)
    batches, model = Batches(corpus, states, setting), make_head(setting, states.dim)
    optimiser = torch.optim.AdamW(model.parameters(), lr=setting.peak_rate, weight_decay=0.01, betas=(0.9, 0.98))
    checkpoint, began = work / "head.checkpoint.safetensors", time.monotonic()
    step, running = read_checkpoint(checkpoint, model, optimiser, asdict(setting)) if checkpoint.exists() else (0, 0.7)
    queue: list[NDArray[np.void]] = []
    while step < setting.steps:
        rng = np.random.default_rng((setting.seed, step))
        queue = queue or batches.draw(rng)
        sides, labels = batches.tensors(queue.pop(), rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(*sides)  # (batch,)
        goal = labels * (1 - 2 * setting.smoothing) + setting.smoothing
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, goal)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimiser.param_groups:
            group["lr"] = setting.peak_rate * rate_share(step, setting.steps, setting.warmup)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step, running = step + 1, 0.98 * running + 0.02 * float(loss.detach())
        on_step(step, setting.steps, running)
        if step % 200 == 0 or step >= setting.steps:
            write_checkpoint(checkpoint, model, optimiser, asdict(setting), (step, running))
    facts = {
        "setting": asdict(setting),
        "seconds_of_last_call": time.monotonic() - began,
        "loss": running,
        "dropped": dict(corpus.dropped),
    }
    (work / "run.json").write_text(
        json.dumps({**facts, "texts": len(corpus.texts), "pairs": len(corpus.pairs)}, indent=1), "utf-8"
    )
    return {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}


def rate_share(step: int, steps: int, warmup: int) -> float:
    """Return the share of the peak rate at ``step``: a rise over the first steps, then a straight fall to a fiftieth."""
    return min((step + 1) / max(1, warmup), max(0.02, 1 - step / max(1, steps)))


def shape_of(setting: Setting, dim: int, layer: int) -> Mapping[str, int]:
    """Return what the NumPy head has to know besides the weights."""
    return {
        "d": setting.width,
        "h": setting.heads,
        "layers": setting.layers,
        "simdim": setting.similarity,
        "dim": dim,
        "layer": layer,
    }


def write_checkpoint(path: Path, model: Any, optimiser: Any, setting: Mapping[str, Any], place: tuple[int, float]) -> None:
    """Write weights, the optimiser's moments and the place (step, running loss), whole or not at all."""
    from safetensors.torch import save_file

    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{key}": tensor.contiguous() for key, tensor in state.items()}
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"setting": json.dumps(setting), "place": json.dumps(place)})
    part.replace(path)


def read_checkpoint(path: Path, model: Any, optimiser: Any, setting: Mapping[str, Any]) -> tuple[int, float]:
    """Set model and optimiser to a checkpoint and return its place.

    Raises:
        ValueError: the checkpoint was made under another setting.
    """
    from safetensors import safe_open

    with safe_open(path, "pt") as stored:
        facts = stored.metadata()
        if facts["setting"] != json.dumps(setting):
            raise ValueError(f"{path} was made under another setting: {facts['setting']}")
        names = list(stored.keys())  # noqa: SIM118: not a dict
        model.load_state_dict({n.removeprefix("model."): stored.get_tensor(n) for n in names if n.startswith("model.")})
        whole = optimiser.state_dict()
        for name in (n for n in names if n.startswith("optimiser.")):
            _, number, key = name.split(".")
            whole["state"].setdefault(int(number), {})[key] = stored.get_tensor(name)
        optimiser.load_state_dict(whole)
    step, running = json.loads(facts["place"])
    if not (isinstance(step, int) and math.isfinite(running)):
        raise ValueError(f"{path}: wanted a step and a finite loss, found {facts['place']}")
    return step, running
