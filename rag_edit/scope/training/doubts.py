"""Training of the reader of doubts: a network of one hidden layer on means of an encoder's states, its cut, and the files that ship.

Cross-entropy by AdamW with dropout, seeded; numbers of mean 0 and variance 1, which is folded into the weights that ship. The cut is chosen
on chances that each turn gets from weights trained without it: without all that its author wrote, or, of the first author who wrote most, in folds by
turn as written, so that no two fillings of one turn stand on both sides. Only a turn that the rules leave to the reader can be taken for a doubt by it. This module knows no encoder and encodes nothing.
"""

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from rag_edit.core.decision import Message, Query
from rag_edit.core.digest import digest_file
from rag_edit.scope.followup import Doubts, no_doubts, resolve
from rag_edit.scope.followup_splice import PlaceReading
from rag_edit.scope.forms import read_form
from rag_edit.scope.reading import read, turns_to_doubt
from rag_edit.scope.text import clean
from rag_edit.scope.training.turns import Example

Floats = NDArray[np.float32]
Weights = dict[str, Floats]
"""``inner`` (inputs, hidden), ``inner_bias`` (hidden,), ``outer`` (hidden,), ``bias`` (1,)."""
FILE: Final = "doubts.safetensors"
MANIFEST: Final = "doubts.json"
LAYER: Final = 8  # of 12: the best of 4, 6, 8, 10 and 12 on unseen turns
HIDDEN: Final = 128
DROPOUT: Final = 0.5
EPOCHS: Final = 40
RATE: Final = 2e-3
DECAY: Final = 1e-2
BATCH: Final = 256
ASKING: Final = frozenset(
    ("bank", "command", "followup", "long", "lookalike", "question")
)  # kinds that want an answer of their own
RISKS: Final = {
    True: 0.01,
    False: 0.05,
}  # share of other turns that may be taken for a doubt: of such as ask, and of such as want nothing
NEARLY: Final = {True: 0.05, False: 0.25}  # the same between an answer and a doubt
FOLDS: Final = 4
_DAY: Final = date(2026, 1, 1)  # any: no doubt depends on it
_LEAST_DEVIATION: Final = 1e-4  # of a number that says something


def fit(inputs: Floats, examples: Sequence[Example], seed: int, *, hidden: int = HIDDEN, epochs: int = EPOCHS) -> Weights:
    """Return weights, for inputs as they are.

    Args:
        inputs: (n, inputs), one row an example.
        examples: Their labels and weights.
        seed: Of first weights, dropout and order.
        hidden: Units.
        epochs: Times that every example is seen.
    """
    import torch
    from torch import nn

    mean, scale = inputs.mean(0), inputs.std(0)
    scale[scale < _LEAST_DEVIATION] = math.inf
    rows = torch.from_numpy(((inputs - mean) / scale).astype(np.float32))
    doubts = torch.tensor([float(each.doubts) for each in examples])
    weights = torch.tensor([each.weight for each in examples])
    weights = weights / weights.mean()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second = nn.Linear(rows.shape[1], hidden), nn.Linear(hidden, 1)
        net = nn.Sequential(nn.Dropout(DROPOUT), first, nn.GELU(), nn.Dropout(DROPOUT), second)
        walker = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        for _ in range(epochs):
            for at in torch.randperm(len(rows)).split(BATCH):  # type: ignore[no-untyped-call]
                loss = nn.functional.binary_cross_entropy_with_logits(net(rows[at])[:, 0], doubts[at], weights[at])
                walker.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                walker.step()
    inner = np.ascontiguousarray(first.weight.detach().numpy().T / scale[:, None])  # as the file has its rows
    return {
        "inner": inner.astype(np.float32),
        "inner_bias": (first.bias.detach().numpy() - mean @ inner).astype(np.float32),
        "outer": second.weight.detach().numpy()[0].astype(np.float32),
        "bias": second.bias.detach().numpy().astype(np.float32),
    }


def chances(inputs: Floats, weights: Weights) -> Floats:
    """Return (n,) chances of a doubt; what `rag_edit.lm.doubt_probe` does, by torch."""
    import torch

    inner = torch.nn.functional.gelu(torch.from_numpy(inputs @ weights["inner"] + weights["inner_bias"])).numpy()
    found: Floats = 1 / (1 + np.exp(-(inner @ weights["outer"] + weights["bias"][0])))
    return found


def unseen_chances(inputs: Floats, examples: Sequence[Example], seed: int) -> Floats:
    """Return (n,) chances by weights that were trained without the turn that an example was made of, or without all of its author's."""
    found = np.zeros(len(examples), np.float32)
    for held in held_out(examples):
        seen = [each for each, out in zip(examples, held, strict=True) if not out]
        found[held] = chances(inputs[held], fit(inputs[~held], seen, seed))
    return found


def held_out(examples: Sequence[Example]) -> list[NDArray[np.bool_]]:
    """Return masks, (n,) each, of what is left out together: each further author, and in `FOLDS` parts what the first one wrote."""
    parts = [(each.author, 0 if each.author else each.group % FOLDS) for each in examples]
    return [np.array([part == own for part in parts]) for own in sorted(set(parts))]


def left_by_rules(examples: Sequence[Example], rng: random.Random, read_places: PlaceReading) -> NDArray[np.bool_]:
    """Return which examples the rules leave to the reader, each said after a banked question chosen by chance."""
    questions = [each.text for each in examples if each.kind == "bank"]

    def is_left(text: str) -> bool:
        said = [Message("user", rng.choice(questions))]
        turn = clean(text)
        ways = [resolve(said, turn, read_form(text), read_places, doubts) for doubts in (no_doubts, lambda _: True)]
        return ways[0] != ways[1]

    return np.array([is_left(each.text) for each in examples])


def choose_cut(examples: Sequence[Example], unseen: Floats, risks: Mapping[bool, float]) -> float:
    """Return the lowest cut, to the thousandth above, at which banked and written turns each keep the risk of a false alarm.

    Args:
        examples: What was trained on.
        unseen: (n,) their chances.
        risks: Allowed share of the turns that ask for something, and of those that want nothing: "The answer stands" is a wrong answer
            to who asks something else, and no worse than idle to who agrees.
    """
    others: dict[tuple[bool, bool], list[tuple[float, float]]] = {}
    for each, chance in zip(examples, unseen, strict=True):
        if not each.doubts:
            others.setdefault((each.kind in ASKING, each.kind == "bank"), []).append((float(chance), each.weight))
    cuts = [0.5]
    for (asks, _), own in others.items():
        left = risks[asks] * sum(weight for _, weight in own)
        for chance, weight in sorted(own, reverse=True):
            left -= weight
            if left < 0:
                cuts.append(chance)
                break
    return math.floor(max(cuts) * 1000 + 1) / 1000


def shares(examples: Sequence[Example], unseen: Floats, cut: float) -> dict[str, float]:
    """Return by kind the share of turns whose chance reaches the cut, weighted."""
    found: dict[str, list[float]] = {}
    for each, chance in zip(examples, unseen, strict=True):
        sums = found.setdefault(f"{'doubt' if each.doubts else 'other'}/{each.kind}", [0.0, 0.0])
        sums[0] += each.weight * float(chance >= cut)
        sums[1] += each.weight
    return {kind: round(taken / whole, 4) for kind, (taken, whole) in sorted(found.items())}


def taken_for_doubts(
    conversations: Sequence[tuple[str, str, str]], told: Callable[[Sequence[str]], Sequence[bool]], read_places: PlaceReading
) -> list[tuple[bool, bool]]:
    """Return of each conversation (question, answer, turn) whether the turn is taken for a doubt: by the rules alone, and with a reader.

    Args:
        conversations: One question, its answer, and what was said then.
        told: The reader.
        read_places: Reader of places.
    """
    queries = [
        Query(turn, "GLOBAL", _DAY, (Message("user", question), Message("assistant", answer)))
        for question, answer, turn in conversations
    ]
    turns = list(dict.fromkeys(turn for query in queries for turn in turns_to_doubt(query)))
    known = dict(zip(turns, told(turns), strict=True))

    def doubted(query: Query, doubts: Doubts) -> bool:
        return read(query, read_places, doubts).doubts

    return [(doubted(query, no_doubts), doubted(query, known.__getitem__)) for query in queries]


def train(
    examples: Sequence[Example],
    means_of: Callable[[Sequence[str], int], Floats],
    read_places: PlaceReading,
    target: Path,
    facts: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Write weights and manifest into ``target`` and return the manifest.

    Args:
        examples: From `rag_edit.scope.training.turns`.
        means_of: (n, inputs) means of texts' states, by texts and middle layer, of the encoder that the reader is for.
        read_places: Reader of places, for the rules.
        target: The folder of that encoder's scope model.
        facts: What else the manifest says: ``encoders`` (names to digests), digest of the turns, commit.
        seed: Of training.
    """
    inputs = means_of([each.text for each in examples], LAYER).astype(np.float32)
    unseen = unseen_chances(inputs, examples, seed)
    left = left_by_rules(examples, random.Random(seed), read_places)
    cut, nearly = (choose_cut(examples, np.where(left, unseen, 0), risks) for risks in (RISKS, NEARLY))
    weights = fit(inputs, examples, seed)
    save_file({**weights, "inner": weights["inner"].astype(np.float16)}, target / FILE)
    manifest = {
        "format": 1,
        **facts,
        "seed": seed,
        "files": {FILE: digest_file(target / FILE)},
        "examples": len(examples),
        "layer": LAYER,
        "hidden": HIDDEN,
        "cut": cut,
        "nearly": nearly,
        "cut_chosen_on": f"{RISKS[True]:.0%} of the turns that ask, banked and written each, and {RISKS[False]:.0%} of those that want nothing ({NEARLY[True]:.0%} and {NEARLY[False]:.0%} for nearly), those that rules read themselves counted as right; weights trained without their author, or, of the first one, in {FOLDS} folds without them",
        "left_by_rules": shares(examples, left.astype(np.float32), 0.5),
        "taken_for_doubts_unseen": shares(examples, unseen, cut),
        "taken_for_doubts_unseen_and_left_by_rules": shares(examples, np.where(left, unseen, 0), cut),
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    return manifest
