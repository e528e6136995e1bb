"""Many adapters trained one after the other: whether the first ones still answer as they did, and the base is still itself.

Run: ``python -m rag_edit.bench.adapter_sequence --data ../shared/data --out DIR --n 500 --unrouted 1000``. (1) The bare model writes to unrouted
prompts; logits and the digest of its weights are kept. (2) Adapters are trained in sequence into a shelf on disk; the first ones
are asked their question and its paraphrase. (3) At the end those are read back and asked again, and the bare model writes to
all unrouted prompts again, each right after an adapter has answered. Everything is compared byte for byte.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_edit.bench.resumable import ResumableLines
from rag_edit.core.decision import Message
from rag_edit.core.digest import digest_bytes, digest_json
from rag_edit.lm.adapter import AdaptedModel, train_adapter
from rag_edit.lm.adapter_files import AdapterShelf
from rag_edit.lm.edit_solve import Settings
from rag_edit.lm.edit_task import EditTask

if TYPE_CHECKING:
    from rag_edit.lm.local import LocalModel


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a sequence: how many of how many stayed byte for byte."""

    adapters: int
    remeasured: int
    unchanged: int
    logits: int
    logits_identical: int
    unrouted: int
    unrouted_identical: int
    weights_equal: bool

    @property
    def ok(self) -> bool:
        """Return whether nothing changed at all."""
        pairs = (
            (self.remeasured, self.unchanged),
            (self.logits, self.logits_identical),
            (self.unrouted, self.unrouted_identical),
        )
        return self.weights_equal and all(n == same for n, same in pairs)


def run(
    model: "LocalModel",
    tasks: Sequence[tuple[EditTask, str]],
    unrouted: Sequence[str],
    folder: Path,
    cache: Path,
    *,
    settings: Settings,
    layers: Sequence[int] = (),
    first: int = 50,
    tokens: int = 16,
    told: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Train an adapter a task, in order, and compare what was said before and after. A run that was cut off goes on.

    Args:
        model: The frozen model.
        tasks: Each with a paraphrase that it does not hold.
        unrouted: Prompts that go to no record.
        folder: Where adapters and ``said.jsonl`` lie; what another run of the same left there is kept.
        cache: Where the layers chosen are remembered.
        settings: How adapters are solved.
        layers: Block numbers; empty takes those that the model's probe chose.
        first: How many of the first adapters are measured again; as many prompts give logits.
        tokens: Length at which answers are cut.
        told: Hears how far it is.
    """
    shelf, digest = AdapterShelf(folder / "adapters"), model.weight_digest()

    def write(text: str) -> str:
        return model.write((Message("user", text),), max_new_tokens=tokens).text

    def logits(text: str) -> str:
        return digest_bytes(model.logits(text).numpy().tobytes())

    def adapted(at: int) -> AdaptedModel:
        adapter = shelf.get(tasks[at][0].record)
        assert adapter is not None
        return AdaptedModel(model, adapter)

    def asked(at: int) -> list[str]:
        task, paraphrase = tasks[at]
        asks = [task.prompt, (Message("user", paraphrase),)]
        return [each.text for each in adapted(at).chat([a for a in asks if not isinstance(a, str)], max_new_tokens=tokens)]

    def trained(at: int) -> list[str]:
        shelf.put(train_adapter(model, tasks[at][0], cache=cache, settings=settings, layers=layers))
        return asked(at) if at < first else []

    def after_an_adapter(at: int) -> str:
        adapted(at % len(tasks)).complete(["So"], max_new_tokens=1)
        return write(unrouted[at])

    steps: dict[str, tuple[Sequence[int], Callable[[int], Any]]] = {
        "bare": (range(len(unrouted)), lambda at: write(unrouted[at])),  # (1)
        "logits": (range(len(unrouted[:first])), lambda at: logits(unrouted[at])),
        "trained": (range(len(tasks)), trained),  # (2)
        "late": (range(len(tasks[:first])), asked),  # (3)
        "logits after": (range(len(unrouted[:first])), lambda at: logits(unrouted[at])),
        "bare after": (range(len(unrouted)), after_an_adapter),
    }
    due = [f"{step}/{at}" for step, (places, _) in steps.items() for at in places]
    state = digest_json(
        {
            "weights": digest,
            "tasks": [[task.digest(), paraphrase] for task, paraphrase in tasks],
            "unrouted": list(unrouted),
            "layers": list(layers),
            "settings": repr(settings),
            "tokens": tokens,
        }
    )
    lines = ResumableLines(folder / "said.jsonl", state)
    said = {line["id"]: line["said"] for line in lines.resume(due)}
    for name in due[len(said) :]:
        step, _, at = name.partition("/")
        said[name] = steps[step][1](int(at))
        lines.append([{"id": name, "said": said[name]}])
        told(f"{step}: {int(at) + 1} of {len(steps[step][0])}")

    def same(before: str, after: str) -> tuple[int, int]:
        places = steps[after][0]
        return len(places), sum(said[f"{before}/{at}"] == said[f"{after}/{at}"] for at in places)

    again, logit, text = same("trained", "late"), same("logits", "logits after"), same("bare", "bare after")
    return Compared(len(tasks), *again, *logit, *text, weights_equal=model.weight_digest() == digest)


def main() -> None:
    """Run it on rows of CounterFact: prompts of the first rows are edited, neighbour prompts are unrouted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the public suites")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of adapters and of what was said; a run that was cut off goes on"
    )
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--n", type=int, default=500, help="adapters")
    parser.add_argument("--unrouted", type=int, default=1000, help="prompts")
    parser.add_argument("--steps", type=int, default=Settings().steps)
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/rag-edit").expanduser())
    given = parser.parse_args()
    from rag_edit.adapting import task_for
    from rag_edit.bench.adapters import load_cases
    from rag_edit.bench.suites import read_rows
    from rag_edit.lm.local import LocalModel
    from rag_edit.lm.open import open_model

    model = open_model(given.model, given.cache)
    if not isinstance(model, LocalModel):
        sys.exit(f"--model: wanted a local model, found {given.model}")
    cases = [*load_cases(given.data, ["counterfact"], "report", 1), *load_cases(given.data, ["counterfact"], "tune", 1)][
        : given.n
    ]
    live = [case.version for case in cases]
    asks = {case.version.record.question for case in cases}
    rows = read_rows(given.data / "counterfact" / "dev.jsonl")
    unrouted = [text for text in dict.fromkeys(row["locality_prompt"] for row in rows) if text not in asks][: given.unrouted]
    tasks = [(task_for(case.version, live), case.paraphrase) for case in cases]
    found = run(
        model,
        tasks,
        unrouted,
        given.out,
        given.cache,
        settings=Settings(steps=given.steps),
        told=lambda line: print(line, file=sys.stderr, flush=True),
    )
    sys.stdout.write(json.dumps({"model": given.model, "ok": found.ok, **asdict(found)}) + "\n")
    sys.exit(0 if found.ok else 1)


if __name__ == "__main__":
    main()
