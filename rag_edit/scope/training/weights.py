"""From the suites' train sets to trained weights: corpus, states, joint head, update of the encoder, files.

Two steps that each go on from what the work folder holds: first the head alone over states of the encoder as packaged, which is
cheap; then head and update together. Training may also go on from the weights of an artefact, on a corpus that has grown since, and
the weights of several artefacts that were trained on from one another may be averaged: the mean errs less than each where what they
were trained on pulls apart (Wortsman et al. 2022, arXiv:2203.05482).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from rag_edit.core.digest import digest_file
from rag_edit.scope.training.corpus import Embed, build
from rag_edit.scope.training.joint import Setting, shape_of, train
from rag_edit.scope.training.states import states_of, tokenised
from rag_edit.scope.training.tuning import Tuning, tune

HEAD: Final = "head.safetensors"
UPDATE: Final = "update.safetensors"
LAYER: Final = {"e5": 6}  # half way: words are still told apart there; the last layer knows the sentence

Moved = Callable[[str, int, int], None]
"""Told (what is done, done, of)."""


@dataclass(frozen=True)
class Size:
    """How much is drawn: groups round a subject, and for each topic of a family."""

    groups: int = 13_000
    topics: int = 3


def make_weights(
    data: Path,
    encoder: str,
    directory: Path,
    prefix: str,
    embed: Embed,
    work: Path,
    target: Path,
    size: Size,
    setting: Setting,
    tuning: Tuning,
    moved: Moved,
    start: Path | None = None,
) -> None:
    """Write ``head.safetensors``, ``head.json`` and ``update.safetensors`` into ``target``.

    Args:
        data: folder of the suites.
        encoder: its name, of `LAYER`.
        directory: where it is, as packaged.
        prefix: put before every text.
        embed: only used to find negatives that read alike.
        work: scratch folder with states and checkpoints.
        target: the artefact's folder.
        size: of the corpus.
        setting: of the head.
        tuning: of the update.
        moved: told of every step.
        start: folder of an artefact whose head and update to go on from, instead of training a head first.
    """
    layer = LAYER[encoder]
    corpus = build(data, embed, size.groups, size.topics, setting.seed)
    moved(f"{len(corpus.texts)} texts, {len(corpus.pairs)} pairs", 1, 1)
    work.mkdir(parents=True, exist_ok=True)
    began: dict[str, str] = {}
    if start is None:
        states = states_of(corpus.texts, directory, layer, prefix, work, lambda done, of: moved("hidden states", done, of))
        head = train(corpus, states, work, setting, lambda step, of, loss: moved(f"head, loss {loss:.3f}", step, of))
        tokens, first = states.tokens, None
        del states  # some gigabytes
    else:
        head = {name: weight.astype(np.float32) for name, weight in load_file(start / HEAD).items()}
        tokens, first = tokenised(corpus.texts, directory, prefix), load_file(start / UPDATE)
        began = {name: digest_file(start / name) for name in (HEAD, UPDATE)}
    head, update, dim = tune(
        corpus, tokens, directory, layer, head, work, setting, tuning,
        lambda step, of, loss: moved(f"head and update, loss {loss:.3f}", step, of), first,
    )  # fmt: skip
    about = json.loads((work / "run.json").read_text("utf-8"))
    (work / "run.json").write_text(json.dumps({**about, "start": began}, indent=1), "utf-8")
    target.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.astype("float16") for name, tensor in head.items()}, target / HEAD)
    save_file(update, target / UPDATE)
    shape = {"shape": dict(shape_of(setting, dim, layer)), "encoder": encoder}
    (target / "head.json").write_text(json.dumps(shape, indent=1) + "\n", "utf-8")


def average(several: Sequence[Path], work: Path, target: Path) -> None:
    """Write the mean of the heads, and of the updates, of artefacts into ``target``, and into ``work`` of which it is.

    Args:
        several: folders of artefacts of one shape for one encoder, each with its manifest.
        work: scratch folder.
        target: the artefact's folder.

    Raises:
        ValueError: they have not the same tensors.
    """
    runs = [
        {
            **json.loads((each / "manifest.json").read_text("utf-8"))["run"],
            "files": {n: digest_file(each / n) for n in (HEAD, UPDATE)},
        }
        for each in several
    ]
    held = {name: [load_file(each / name) for each in several] for name in (HEAD, UPDATE)}
    for name, tensors in held.items():
        if any(_form(each) != _form(tensors[0]) for each in tensors):
            raise ValueError(f"{name}: wanted the same tensors in {', '.join(map(str, several))}, found others")
    shape = (several[0] / "head.json").read_bytes()
    target.mkdir(parents=True, exist_ok=True)
    for name, tensors in held.items():
        means = {key: np.mean([each[key].astype(np.float32) for each in tensors], axis=0) for key in tensors[0]}
        save_file({key: np.ascontiguousarray(mean).astype(tensors[0][key].dtype) for key, mean in means.items()}, target / name)
    (target / "head.json").write_bytes(shape)
    work.mkdir(parents=True, exist_ok=True)
    (work / "run.json").write_text(json.dumps({"mean_of": runs}, indent=1), "utf-8")


def _form(tensors: Mapping[str, NDArray[Any]]) -> dict[str, tuple[int, ...]]:
    return {key: tensor.shape for key, tensor in tensors.items()}
