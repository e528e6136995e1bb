"""Train the scope model: corpus, hidden states, joint head, update of the encoder, last stage, manifest.

usage: train_scope.py --data DIR [--encoder e5|minilm] [--work DIR] [--out DIR] [--groups N] [--steps N] [--tuning N] [--seed N]
                      [--start DIR | --average DIR...] [--skip-training] [--skip-measuring] [--labelled HOME QUESTIONS...]

Every step goes on from what --work holds. Raw outputs of the measurement stay there as JSONL.
"""

import argparse
import json
import os
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rag_edit.bench.labelled import examples
from rag_edit.config import Settings
from rag_edit.core.digest import digest_file
from rag_edit.lm.joint_head import JointHead
from rag_edit.lm.open import encoder_directory, open_encoder
from rag_edit.lm.pair_encoder import PairEncoder
from rag_edit.lm.scope_model import MODEL_DIRECTORY, open_reader
from rag_edit.lm.topic_bank import FILE
from rag_edit.scope.training.bank import write_bank
from rag_edit.scope.training.joint import Setting
from rag_edit.scope.training.release import add_local, release
from rag_edit.scope.training.topics import all_families
from rag_edit.scope.training.tuning import Tuning
from rag_edit.scope.training.weights import LAYER, Size, average, make_weights


def main() -> None:
    """Run the steps, with a bar on a screen and a line now and then elsewhere."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the suites")
    parser.add_argument("--encoder", choices=sorted(LAYER), default="e5")
    parser.add_argument("--work", type=Path, default=Path(".cache/scope"), help="states, checkpoint, raw outputs")
    parser.add_argument("--out", type=Path, default=MODEL_DIRECTORY, help="folder of the artefacts, one an encoder")
    parser.add_argument("--groups", type=int, default=Size.groups, help="groups of texts round a subject")
    parser.add_argument("--topics", type=int, default=Size.topics, help="groups for each topic of a family")
    parser.add_argument("--steps", type=int, default=Setting.steps, help="of the head alone")
    parser.add_argument("--tuning", type=int, default=Tuning.steps, help="steps of head and update together")
    parser.add_argument("--start", type=Path, metavar="DIR", help="go on from the weights of this artefact")
    parser.add_argument("--average", nargs="+", type=Path, metavar="DIR", help="train nothing: the mean of these artefacts")
    parser.add_argument("--seed", type=int, default=Setting.seed)
    parser.add_argument("--skip-training", action="store_true", help="only measure and calibrate the head in --out")
    parser.add_argument("--skip-measuring", action="store_true", help="keep the manifest in --out, but for --labelled")
    parser.add_argument(
        "--labelled", nargs="+", type=Path, metavar="HOME QUESTIONS", help="fit on these too: a home, files of its questions"
    )
    options = parser.parse_args()
    console, cache = Console(), Settings().cache_dir
    work, target = options.work / options.encoder, options.out / options.encoder
    setting = Setting(seed=options.seed, steps=options.steps)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}
        said: dict[str, int] = {}

        def moved(what: str, done: int, total: int) -> None:
            name = what.partition(",")[0]
            if name not in tasks:
                tasks[name] = progress.add_task(what, total=None)
            progress.update(tasks[name], completed=done, total=total, description=what)
            if not console.is_terminal and done * 20 // max(1, total) > said.get(name, -1):
                said[name] = done * 20 // max(1, total)
                console.print(f"{what}: {done} of {total}")

        if options.average:
            average(options.average, work, target)
        elif not options.skip_training:
            mini, (directory, prefix) = open_encoder("minilm", cache), encoder_directory(options.encoder, cache, updated=False)
            size, tuning = Size(options.groups, options.topics), Tuning(steps=options.tuning)
            make_weights(
                options.data, options.encoder, directory, prefix, lambda t: mini.encode(t, kind="query"), work, target, size,
                setting, tuning, moved, options.start,
            )  # fmt: skip
    reader = open_reader(options.encoder, cache, JointHead.open(target), remembered=1_000_000, directory=options.out)
    if not options.skip_training or options.average or not (target / FILE).exists():
        count = write_bank(all_families(), lambda t: reader.encode(t, kind="query"), target / FILE)
        console.print(f"{count} wordings of known topics")
    if not options.skip_measuring:
        look = PairEncoder.open().score_pairs
        release(
            options.data, work, target, options.encoder, setting, lambda t: reader.encode(t, kind="query"), reader.score, look,
            console.print,
        )  # fmt: skip
    if options.labelled:
        home, *files = options.labelled
        rows = [row for file in files for row in map(json.loads, file.read_text("utf-8").splitlines()) if row.get("fit", True)]
        add_local(
            target, lambda last: examples(home, rows, last), ", ".join(f"{file.name}, {digest_file(file)}" for file in files)
        )
    if (target / "manifest.json").exists():
        manifest = json.loads((target / "manifest.json").read_text("utf-8"))
        console.print_json(data={"thresholds": manifest["thresholds"], "figures": manifest["figures"]})


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
