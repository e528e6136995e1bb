"""From trained weights to the shipped artefact: measure on the development suites, fit the last stage, write all.

The order is fixed: whatever is chosen (weights of the last stage, thresholds) sees the tuning part only; the figures in
the manifest are of the rest.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from rag_edit.core.digest import digest_file
from rag_edit.scope.background import background, corrected
from rag_edit.scope.trained import Calibration, LastStage, is_repeat
from rag_edit.scope.training.calibrate import Example, fit, fit_second, held_back, reliability_of, risk_threshold, with_local
from rag_edit.scope.training.evaluate import Embed, Look, Outcome, Score, figures, gather, looked_again, write_raw
from rag_edit.scope.training.joint import Setting
from rag_edit.scope.training.suites import ENGLISH, LANGUAGES, SIBLINGS, TUNE_PERCENT, language, small_homes

GUARDED: Final = (
    ("counterfact_hard", ("same", "neighbour")),
    ("counterfact", ("out",)),
    ("qaedit", ("out",)),
)  # each keeps the risk, with confidence
ELSEWHERE: Final = (
    ("counterfact_hard", ("neighbour",)),
    ("counterfact", ("out",)),
    ("qaedit", ("out",)),
)  # questions about something else: each keeps half of the risk, in expectation
UNFITTED: Final = frozenset(
    ("loc",)
)  # HalluEditBench's locality questions often ask for the very fact: reported, not fitted on
NO_SECOND: Final = Calibration({}, 0.0)
RISKS: Final = (0.005, 0.01, 0.02, 0.05)
DEFAULT_RISK: Final = 0.01
ROUNDS: Final = 3  # of the fit of located records, each on what the one before finds hardest
FILES: Final = ("head.safetensors", "head.json", "update.safetensors", "topics.safetensors")
TRAINED_ON: Final = ("counterfact/train", "zsre/train", "pokemqa_scope/train")
MEASURED_ON: Final = ("counterfact_hard/dev", "counterfact/dev", "qaedit/dev", "halluedit/dev")


def release(
    data: Path,
    work: Path,
    target: Path,
    encoder: str,
    setting: Setting,
    embed: Embed,
    score: Score,
    look: Look,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Write the manifest of the head in ``target`` and return it.

    Args:
        data: folder of the suites.
        work: scratch folder of the training, which also gets the raw outputs.
        target: the head's folder.
        encoder: its name in settings.
        setting: what the weights were trained under.
        embed: unit vectors of questions.
        score: logits of pairs, by the very head in ``target``.
        look: logits of (question, record) texts by the pair encoder.
        say: gets a line a step.

    Raises:
        FileNotFoundError: ``work`` does not say how the weights were trained (``run.json``).
    """
    run = json.loads((work / "run.json").read_text("utf-8"))  # before minutes of asking
    scale = background(embed)
    outcomes: dict[str, list[Outcome]] = {}
    for suite in (*(load(data) for load in ENGLISH), *small_homes(), *(language(data, code) for code in LANGUAGES)):
        outcomes[suite.name] = gather(suite, embed, score, scale=lambda cosine: corrected(cosine, scale))
        say(f"asked {suite.name}: {len(suite.questions)} questions")
    last = fit(split(outcomes.values(), tune=True), skip=UNFITTED)
    last = replace(last, second=NO_SECOND)  # so that doubt is looked at again
    outcomes = {name: looked_again(rows, last, look) for name, rows in outcomes.items()}
    tuning, reported = split(outcomes.values(), tune=True), split(outcomes.values(), tune=False)
    last = replace(last, second=fit_second(tuning, skip=UNFITTED))
    cut = threshold(tuning, last, DEFAULT_RISK)
    last = held_back(last, abroad(tuning), "abroad", cut, DEFAULT_RISK)
    thresholds = {str(risk): threshold(tuning, last, risk) for risk in RISKS}
    table, error = reliability_of(reported, last)
    assert last.second is not None
    manifest = {
        "format": 2,
        "encoder": encoder,
        "background": round(scale, 6),
        "setting": asdict(setting),
        "run": run,
        "commit": commit(),
        "data": {name: digest_file(data / f"{name}.jsonl") for name in (*TRAINED_ON, *MEASURED_ON)}
        | {SIBLINGS.name: digest_file(SIBLINGS)},
        "files": {name: digest_file(target / name) for name in FILES},
        "pair": digest_file(target.parent / "pair" / "model.safetensors"),
        "looked_again": {
            name: round(sum(any(e.pair_logit is not None for _, e in o.evidence) for o in rows) / max(1, len(rows)), 4)
            for name, rows in outcomes.items()
        },
        "calibration": {
            "first": {"weights": dict(last.first.weights), "bias": last.first.bias},
            "second": {"weights": dict(last.second.weights), "bias": last.second.bias},
            "doubt": list(last.doubt),
            "fitted_on": f"all suites below, ids below {TUNE_PERCENT} of 100 by sha256",
        },
        "thresholds": {
            "by_risk": thresholds,
            "default_risk": DEFAULT_RISK,
            "default": cut,
            "chosen_on": f"the largest of {', '.join(suite for suite, _ in GUARDED)}, out of scope, known duplicates left out: the risk with 95 % confidence, half of it in expectation where another subject is asked about; ids below {TUNE_PERCENT} of 100 by sha256",
        },
        "reliability": {"bins": table, "expected_calibration_error": error, "on": "all suites, the rest of the ids"},
        "figures": {name: figures([o for o in rows if not o.asked.is_tune], last, cut) for name, rows in outcomes.items()},
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    for name, rows in outcomes.items():
        write_raw(work / f"raw-{name}.jsonl", rows, last)
    return manifest


def add_local(target: Path, collect: Callable[[LastStage], Sequence[Example]], source: str) -> dict[str, Any]:
    """Fit the regime of located records in the manifest of ``target`` and return it.

    It starts from the head's logit alone, whatever stood there before, so that doing it again gives the same.

    Args:
        target: the head's folder, with a manifest.
        collect: the examples that a last stage finds hardest; see `rag_edit.scope.training.calibrate.with_local`.
        source: what they are made of, for the manifest.
    """
    manifest: dict[str, Any] = json.loads((target / "manifest.json").read_text("utf-8"))
    last = LastStage.from_manifest(manifest["calibration"])
    cut = float(manifest["thresholds"]["default"])
    weights = {**last.first.weights, "local": -last.first.bias, "logit_local": 1.0, "agree_local": 0.0}
    last = replace(last, first=replace(last.first, weights=weights))
    count = 0
    for _ in range(ROUNDS):
        examples = collect(last)
        count, last = len(examples), with_local(last, examples, cut, DEFAULT_RISK)
    manifest["calibration"]["first"]["weights"] = dict(last.first.weights)
    manifest["calibration"]["local"] = {"fitted_on": source, "examples": count, "rounds": ROUNDS}
    manifest["files"] = {name: digest_file(target / name) for name in FILES}  # the bank may have been made anew
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    return manifest


def threshold(outcomes: Sequence[Outcome], last: LastStage, risk: float) -> float:
    """Return the lowest cut that keeps the risk on every group of `GUARDED`, and half of it on every one of `ELSEWHERE`."""
    sure = [risk_threshold(group, last, risk) for group in grouped(outcomes, GUARDED)]
    return max(*sure, *(risk_threshold(group, last, risk / 2, confident=False) for group in grouped(outcomes, ELSEWHERE)))


def grouped(outcomes: Sequence[Outcome], guards: Sequence[tuple[str, tuple[str, ...]]]) -> list[list[Outcome]]:
    """Return the questions of each (suite, kinds), known duplicates left out."""
    return [[o for o in outcomes if o.suite == suite and o.asked.kind in kinds and not _repeats(o)] for suite, kinds in guards]


def _repeats(outcome: Outcome) -> bool:
    """Return whether a question is word for word that of a live record: a known duplicate of its suite."""
    return any(is_repeat(evidence) for _, evidence in outcome.evidence)


def abroad(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the out-of-scope questions in other languages than the records."""
    return [o for o in outcomes if o.suite.startswith("language_") and not o.suite.endswith("_en") and o.asked.kind == "out"]


def split(suites: Any, *, tune: bool) -> list[Outcome]:
    """Return the outcomes of one part of the split."""
    return [o for rows in suites for o in rows if o.asked.is_tune == tune]


def commit() -> str:
    """Return the commit that the artefact was made at, or "unknown" outside a checkout."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or "unknown"
