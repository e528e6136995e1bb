"""From float weights to the shipped artefact: quantise, measure on the development suites, fit the last stage, write all.

The order is fixed: whatever is chosen (weights of the last stage, thresholds) sees the tuning part only; the figures in
the manifest are of the rest.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag_edit.scope.trained import Calibration
from rag_edit.scope.training.artefact import digest, write_manifest, write_weights
from rag_edit.scope.training.calibrate import fit, reliability, risk_threshold
from rag_edit.scope.training.evaluate import Embed, Outcome, Score, figures, gather, write_raw
from rag_edit.scope.training.loop import Setting, base_directory
from rag_edit.scope.training.suites import ENGLISH, LANGUAGES, TUNE_PERCENT, Suite, language

GUARDED: Final = (
    ("counterfact_hard", "same"),
    ("counterfact_hard", "neighbour"),
    ("counterfact", "out"),
    ("qaedit", "out"),
)  # each keeps the risk
UNFITTED: Final = frozenset(
    ("loc",)
)  # HalluEditBench's locality questions often ask for the very fact: reported, not fitted on
RISKS: Final = (0.005, 0.01, 0.02, 0.05)
DEFAULT_RISK: Final = 0.01


def embed_texts(texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
    """Return unit vectors (texts, 384) of the packaged MiniLM, mean over tokens."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base_directory()), AutoModel.from_pretrained(base_directory()).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = np.zeros((len(texts), 384), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            tokens = tokenizer([texts[i] for i in part], return_tensors="pt", padding=True, truncation=True, max_length=64)
            hidden = model(**tokens).last_hidden_state  # (batch, tokens, 384)
            live = tokens["attention_mask"].unsqueeze(-1)
            out[part] = torch.nn.functional.normalize((hidden * live).sum(1) / live.sum(1), dim=1).numpy()
    return out


def release(
    data: Path,
    work: Path,
    target: Path,
    setting: Setting,
    open_score: Callable[[Path], Score],
    say: Callable[[str], None],
    embed: Embed = embed_texts,
) -> dict[str, Any]:
    """Write the artefact of ``work/float`` into ``target`` and return its manifest.

    Args:
        data: folder of the suites.
        work: scratch folder of the training, which also gets the raw outputs.
        target: the artefact's folder.
        setting: what the weights were trained under.
        open_score: opens a written artefact as a scorer of text pairs.
        say: gets a line a step.
        embed: sentence vectors; the default loads the packaged MiniLM.
    """
    write_weights(work / "float", target)
    score = open_score(target)
    outcomes: dict[str, list[Outcome]] = {}
    for suite in (*(load(data) for load in ENGLISH), *(language(data, code) for code in LANGUAGES)):
        outcomes[suite.name] = gather(suite, embed, score)
        say(f"asked {suite.name}: {len(suite.questions)} questions")
    tuning, reported = split(outcomes.values(), tune=True), split(outcomes.values(), tune=False)
    english = [o for o in tuning if not o.suite.startswith("language_")]
    calibration = fit(english, skip=UNFITTED)
    thresholds = {str(risk): max(risk_threshold(group, calibration, risk) for group in grouped(english)) for risk in RISKS}
    cut = thresholds[str(DEFAULT_RISK)]
    table, error = reliability([o for o in reported if not o.suite.startswith("language_")], calibration)
    by_suite = {name: figures([o for o in rows if not o.asked.is_tune], calibration, cut) for name, rows in outcomes.items()}
    run = json.loads((work / "run.json").read_text("utf-8"))
    manifest = {
        "format": 1,
        "base": "all-MiniLM-L6-v2",
        "setting": asdict(setting),
        "run": run,
        "commit": commit(),
        "data": {
            str(p.relative_to(data)): digest(p)
            for name in (
                "counterfact/train",
                "zsre/train",
                "pokemqa_scope/train",
                "counterfact_hard/dev",
                "counterfact/dev",
                "qaedit/dev",
                "halluedit/dev",
            )
            for p in [data / f"{name}.jsonl"]
        },
        "calibration": {
            "weights": dict(calibration.weights),
            "bias": calibration.bias,
            "fitted_on": f"English suites, ids below {TUNE_PERCENT} of 100 by sha256",
        },
        "thresholds": {
            "by_risk": thresholds,
            "default_risk": DEFAULT_RISK,
            "default": cut,
            "chosen_on": f"the largest of {', '.join('/'.join(k) for k in GUARDED)}; ids below {TUNE_PERCENT} of 100 by sha256",
        },
        "reliability": {"bins": table, "expected_calibration_error": error, "on": "English suites, the rest of the ids"},
        "figures": by_suite,
    }
    write_manifest(target, manifest)
    for name, rows in outcomes.items():
        write_raw(work / f"raw-{name}.jsonl", rows, calibration)
    return manifest


def grouped(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """Return the out-of-scope questions of each guarded suite and kind: a threshold has to keep the risk on every one."""
    return [[o for o in outcomes if (o.suite, o.asked.kind) == key] for key in GUARDED]


def split(suites: Any, *, tune: bool) -> list[Outcome]:
    """Return the outcomes of one part of the split."""
    return [o for rows in suites for o in rows if o.asked.is_tune == tune]


def commit() -> str:
    """Return the commit that the artefact was made at, or "unknown" outside a checkout."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or "unknown"


__all__ = ["Calibration", "Suite", "embed_texts", "release", "split"]
