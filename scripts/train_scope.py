"""Train the scope model: fine-tune, quantise, calibrate, write the artefact.

usage: train_scope.py --data DIR [--work DIR] [--out DIR] [--pairs N] [--seed N] [--rate R] [--start DIR] [--skip-training]

Goes on from the checkpoint in --work where there is one. Raw outputs of the measurement stay in --work as JSONL.
"""

import argparse
import os
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rag_edit.lm.pair_encoder import MODEL_DIRECTORY, PairEncoder
from rag_edit.scope.training.loop import Setting, train
from rag_edit.scope.training.release import release


def main() -> None:
    """Run the steps, with a bar on a screen and a line every hundred steps elsewhere."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the suites")
    parser.add_argument("--work", type=Path, default=Path(".cache/scope"), help="checkpoints, float weights, raw outputs")
    parser.add_argument("--out", type=Path, default=MODEL_DIRECTORY, help="folder of the artefact")
    parser.add_argument("--pairs", type=int, default=Setting.pairs, help="training pairs")
    parser.add_argument("--seed", type=int, default=Setting.seed)
    parser.add_argument("--rate", type=float, default=Setting.peak_rate, help="peak learning rate")
    parser.add_argument("--start", default="", help="folder of float weights to go on from")
    parser.add_argument("--skip-training", action="store_true", help="only quantise, measure and calibrate what --work holds")
    options = parser.parse_args()
    console, setting = Console(), Setting(seed=options.seed, pairs=options.pairs, peak_rate=options.rate, start=options.start)
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    if not options.skip_training:
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("", total=None, loss=0.7)

            def on_step(step: int, steps: int, loss: float) -> None:
                progress.update(task, completed=step, total=steps, loss=loss)
                if not console.is_terminal and step % 100 == 0:
                    console.print(f"step {step}/{steps} loss {loss:.4f}")

            train(options.data, options.work, setting, on_step)
    manifest = release(
        options.data, options.work, options.out, setting, lambda folder: PairEncoder.open(folder).score_pairs, console.print
    )
    console.print_json(data={"thresholds": manifest["thresholds"], "figures": manifest["figures"]})


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
