"""Train the scope model's joint head: corpus, hidden states, training, last stage, manifest.

usage: train_scope.py --data DIR [--encoder e5|minilm] [--work DIR] [--out DIR] [--groups N] [--steps N] [--seed N]
                      [--skip-training] [--skip-measuring] [--labelled HOME QUESTIONS]

Every step goes on from what --work holds. Raw outputs of the measurement stay there as JSONL.
"""

import argparse
import json
import os
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from safetensors.numpy import save_file

from rag_edit.bench.labelled import examples
from rag_edit.config import Settings
from rag_edit.core.digest import digest_file
from rag_edit.lm.joint_head import JointHead
from rag_edit.lm.open import encoder_directory, open_encoder
from rag_edit.lm.pair_encoder import PairEncoder
from rag_edit.lm.scope_model import MODEL_DIRECTORY, open_reader
from rag_edit.scope.training.corpus import build
from rag_edit.scope.training.joint import Setting, shape_of, train
from rag_edit.scope.training.release import add_local, release
from rag_edit.scope.training.states import states_of

LAYER = {"e5": 6, "minilm": 3}  # half way: words are still told apart there; the last layer knows the sentence


def main() -> None:
    """Run the steps, with a bar on a screen and a line now and then elsewhere."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the suites")
    parser.add_argument("--encoder", choices=sorted(LAYER), default="e5")
    parser.add_argument("--work", type=Path, default=Path(".cache/scope"), help="states, checkpoint, raw outputs")
    parser.add_argument("--out", type=Path, default=MODEL_DIRECTORY, help="folder of the artefacts, one an encoder")
    parser.add_argument("--groups", type=int, default=11_500, help="groups of texts round a subject")
    parser.add_argument("--topics", type=int, default=6, help="groups for each topic of a family")
    parser.add_argument("--steps", type=int, default=Setting.steps)
    parser.add_argument("--seed", type=int, default=Setting.seed)
    parser.add_argument("--skip-training", action="store_true", help="only measure and calibrate the head in --out")
    parser.add_argument("--skip-measuring", action="store_true", help="keep the manifest in --out, but for --labelled")
    parser.add_argument(
        "--labelled", nargs=2, type=Path, metavar=("HOME", "QUESTIONS"), help="fit on these too: a home, its questions"
    )
    options = parser.parse_args()
    console, cache = Console(), Settings().cache_dir
    work, target = options.work / options.encoder, options.out / options.encoder
    setting = Setting(seed=options.seed, steps=options.steps)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def bar(what: str) -> tuple[TaskID, list[int]]:
            return progress.add_task(what, total=None), [0]

        def moved(task: TaskID, said: list[int], what: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, description=what)
            if not console.is_terminal and done * 20 // max(1, total) > said[0]:
                said[0] = done * 20 // max(1, total)
                console.print(f"{what}: {done} of {total}")

        if not options.skip_training:
            mini = open_encoder("minilm", cache)
            corpus = build(options.data, lambda t: mini.encode(t, kind="query"), options.groups, options.topics, options.seed)
            console.print(f"{len(corpus.texts)} texts, {len(corpus.pairs)} pairs")
            directory, prefix = encoder_directory(options.encoder, cache)
            task = bar("hidden states")
            states = states_of(
                corpus.texts, directory, LAYER[options.encoder], prefix, work, lambda d, t: moved(*task, "hidden states", d, t)
            )
            task = bar("training")
            weights = train(
                corpus, states, work, setting, lambda step, of, loss: moved(*task, f"training, loss {loss:.3f}", step, of)
            )
            target.mkdir(parents=True, exist_ok=True)
            save_file({name: tensor.astype("float16") for name, tensor in weights.items()}, target / "head.safetensors")
            shape = {"shape": dict(shape_of(setting, states.dim, LAYER[options.encoder])), "encoder": options.encoder}
            (target / "head.json").write_text(json.dumps(shape, indent=1) + "\n", "utf-8")
    if not options.skip_measuring:
        reader = open_reader(options.encoder, cache, JointHead.open(target), remembered=1_000_000)
        look = PairEncoder.open().score_pairs
        release(
            options.data, work, target, options.encoder, setting, lambda t: reader.encode(t, kind="query"), reader.score, look,
            console.print,
        )  # fmt: skip
    if options.labelled:
        home, questions = options.labelled
        rows = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
        add_local(target, examples(home, rows), f"{questions.name}, {digest_file(questions)}")
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    console.print_json(data={"thresholds": manifest["thresholds"], "figures": manifest["figures"]})


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
