"""Compare ways to solve parameter edits on public training rows: real generation, raw answers kept, resumable.

Each line of the output is one record under one setting: the model's answers to its own prompt, to a paraphrase that the solver
did not see and to neighbours, with and without the adapter, and what it cost. ``--summary`` reads the file and prints a table.
Questions run as chats (zsre) or as raw continuations (counterfact), as their rows are written.

Example: python scripts/compare_edits.py --suite zsre --n 20 --set method=gradient --set rate=1.0 --out edits.jsonl
"""

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rag_edit.core.digest import digest_json
from rag_edit.lm.adapter import train_adapter, using
from rag_edit.lm.adapter_files import save_adapter
from rag_edit.lm.edit_solve import Settings
from rag_edit.lm.edit_task import Ask, EditTask, asked
from rag_edit.lm.local import LocalModel
from rag_edit.lm.open import open_model

TOKENS = 16


def case(rows: list[dict[str, str]], i: int, suite: str) -> tuple[EditTask, Ask, list[Ask]]:
    """Return a row's task, the paraphrase and the neighbours it is measured by; none of these is in the task."""
    row, near, far = rows[i], rows[(i + 1) % len(rows)], rows[(i + 2) % len(rows)]
    digest = digest_json(dict(row.items()))
    if suite == "zsre":
        negatives = tuple(map(asked, (f"Who or what is {row['subject']}?", near["src"])))
        task = EditTask(f"zsre-{row['case_id']}@1", digest, asked(row["src"]), row["alt"], (), negatives, row["subject"])
        return task, asked(row["rephrase"]), [asked(f"Where can I read about {row['subject']}?"), asked(far["src"])]
    raw = (f"{row['subject']} is", near["prompt"])
    task = EditTask(f"cf-{row['case_id']}@1", digest, row["prompt"], row["target_new"], (), raw, row["subject"])
    return task, row["rephrase_prompt"], [row["locality_prompt"], far["prompt"]]


def plain(text: str) -> str:
    """Return letters and digits only: an answer is right when it is the target and nothing else."""
    return "".join(char for char in text.casefold() if char.isalnum())


def measure(
    model: LocalModel, task: EditTask, asks: list[Ask], layers: tuple[int, ...], settings: Settings, cache: Path
) -> dict[str, object]:
    """Train one adapter and write to all asks with and without it."""
    before = [model.write(ask, max_new_tokens=TOKENS).text for ask in asks]
    wall, cpu = time.perf_counter(), time.process_time()
    adapter = train_adapter(model, task, cache=cache, settings=settings, layers=layers)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    with using(model, adapter):
        after = [model.write(ask, max_new_tokens=TOKENS).text for ask in asks]
    with tempfile.TemporaryDirectory() as root:
        saved = save_adapter(adapter, Path(root) / "a")
        size = sum(path.stat().st_size for path in saved.iterdir())
    return {"target": task.answer, "before": before, "after": after, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "bytes": size,
            "manifest": adapter.manifest.to_json()}  # fmt: skip


def summary(path: Path) -> None:
    """Print a table of an output file, a row a setting."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    print(
        "| setting | n | own prompt | paraphrase | neighbours unchanged when left on | cpu s | bytes |\n|---|---|---|---|---|---|---|"
    )
    for setting in dict.fromkeys(line["setting"] for line in lines):
        of = [line for line in lines if line["setting"] == setting]
        own, other = (sum(plain(line["after"][at]) == plain(line["target"]) for line in of) for at in (0, 1))
        kept = sum(b == a for line in of for b, a in zip(line["before"][2:], line["after"][2:], strict=True))
        cpu, size = (sum(line[name] for line in of) / len(of) for name in ("cpu_s", "bytes"))
        print(f"| {setting} | {len(of)} | {own} | {other} | {kept}/{2 * len(of)} | {cpu:.1f} | {size:.0f} |")


def main() -> None:
    """Run one setting over a sample; records that the output holds already are passed over."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--suite", choices=("zsre", "counterfact"), default="zsre")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", default="", help="block numbers; empty: those that the model's probe chooses")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of rag_edit.lm.edit_solve.Settings")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/rag-edit").expanduser())
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--summary", action="store_true", help="only print the table of --out")
    given = parser.parse_args()
    if given.summary:
        return summary(given.out)
    values = {name: type(getattr(Settings(), name))(value) for name, value in (pair.split("=", 1) for pair in given.set)}
    settings, layers = replace(Settings(), **values), tuple(int(layer) for layer in given.layers.split(",") if layer)
    setting = " ".join([given.model, given.suite, f"layers={given.layers or 'probe'}", *given.set])
    done = {(line["setting"], line["record"]) for line in map(json.loads, given.out.open())} if given.out.exists() else set()
    rows = [json.loads(line) for line in (given.data / given.suite / "train.jsonl").open(encoding="utf-8")]
    random.Random(given.seed).shuffle(rows)
    model = open_model(given.model, given.cache)
    if not isinstance(model, LocalModel):
        sys.exit(f"wanted a local model, found {given.model}")
    for i in range(given.skip, min(given.skip + given.n, len(rows))):
        task, paraphrase, neighbours = case(rows, i, given.suite)
        if (setting, task.record) in done:
            continue
        found = measure(model, task, [task.prompt, paraphrase, *neighbours], layers, settings, given.cache)
        with given.out.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"setting": setting, "record": task.record, **found}, ensure_ascii=False) + "\n")
    return summary(given.out)


if __name__ == "__main__":
    main()
