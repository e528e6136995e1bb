"""The scope bench: one suite through the real product, all its records live at once, and the baselines on the same questions.

Writes into ``OUT/SUITE``: ``raw.jsonl`` (one line a question, as the product decided it), ``raw-<baseline>.jsonl``,
``summary.json``, ``risk.svg``, ``reliability.svg``. Only decisions are read: nothing here knows how a score is made. A run that was cut off
goes on where it stopped, as long as data, settings and scorer are the same. The home it works in is made in ``OUT/SUITE``
and removed at the end. The engine comes from an opener, so that a test gives a fake.
"""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from rag_edit.bench.figures import Choice
from rag_edit.bench.resumable import ResumableLines
from rag_edit.bench.suites import Loaded, load, record_fields
from rag_edit.bench.summary import System, summarise
from rag_edit.bench.training import Training
from rag_edit.config import Settings
from rag_edit.core.decision import Decision, Reason
from rag_edit.core.digest import digest_json, digest_set
from rag_edit.deployment import Deployment
from rag_edit.engine import Engine, Outcome, Progress
from rag_edit.scope.training.suites import Asked

BASELINES: Final = ("nearest", "named", "grace", "serac", "overlap")
HOME: Final = "home"


class Opener(Protocol):
    """Opens an engine on a home with given settings; one that is not there yet is made."""

    def __call__(self, home: Path, settings: Settings, progress: Progress, as_of: date) -> Engine:
        """Return the open engine, whose clock stands at ``as_of``."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What is run.

    Attributes:
        suite, data, half, limit: See `rag_edit.bench.suites.load`.
        out: Directory of all suites' outputs.
        settings: Of the product.
        as_of: The day on which questions stand that name none.
        baselines: Some of `BASELINES`.
        train_rows: Rows of each train set for the trained baseline.
        risk: What cuts are chosen for.
        rounds, seed: Of the random re-splits; the seed is the trained baseline's too.
        command: As typed, for the summary.
        commit: Of the program, for the summary.
    """

    suite: str
    data: Path
    out: Path
    settings: Settings
    as_of: date
    half: str = "dev"
    limit: int | None = None
    baselines: tuple[str, ...] = BASELINES
    train_rows: int = 1_000
    risk: float = 0.01
    rounds: int = 200
    seed: int = 7
    command: str = ""
    commit: str = "unknown"

    @property
    def folder(self) -> Path:
        """Return where this suite's outputs go."""
        return self.out / self.suite


def run(setup: Setup, opener: Opener, progress: Progress) -> dict[str, Any]:
    """Run one suite and return its summary, which is also written.

    Raises:
        UsageError: no such suite or data.
        RagEditError: from the product.
    """
    loaded = load(setup.suite, setup.data, half=setup.half, limit=setup.limit)
    asked = (*loaded.suite.questions, *loaded.suite.apart)
    setup.folder.mkdir(parents=True, exist_ok=True)
    systems: list[System] = []
    with _opened(setup, opener, progress, loaded, setup.settings) as engine:
        facts = _facts(engine, loaded)
        lines = route(engine, setup, asked, setup.folder / "raw.jsonl", facts, progress)
        wanted = [name for name in setup.baselines if name != "overlap"]
        if wanted:
            from rag_edit.bench.baselines.run import vector_systems

            training = Training(setup.data, setup.out, setup.train_rows, setup.seed)
            systems += vector_systems(engine, wanted, asked, training, setup.as_of, progress)
    if "overlap" in setup.baselines:
        with _opened(setup, opener, progress, loaded, replace(setup.settings, scorer="overlap")) as engine:
            first = route(engine, setup, asked, setup.folder / "raw-overlap.jsonl", _facts(engine, loaded), progress)
        systems.append(System.of_lines("overlap", first))
    counted = len(loaded.suite.questions)
    product = System.of_lines("product", lines)
    summary = _header(setup, loaded, facts) | summarise(
        [product, *systems], asked, counted, loaded.source.goals, setup.out, setup.folder, setup, facts["scorer"]["digest"]
    )
    summary["outside_chain"] = sum(not line["in_chain"] for line in lines)
    summary["ms_per_question"] = round(sum(line["ms"] for line in lines) / max(1, len(lines)), 2)
    (setup.folder / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    shutil.rmtree(setup.folder / HOME, ignore_errors=True)
    return summary


def _opened(setup: Setup, opener: Opener, progress: Progress, loaded: Loaded, settings: Settings) -> Engine:
    """Return an engine with the suite's records live: contradicting ones settled by ``newest``, as acceptance applies them."""
    engine = opener(setup.folder / HOME, settings, progress, setup.as_of)
    try:
        path = Path(loaded.source.records)
        if not loaded.source.records:
            path = setup.folder / "records.jsonl"
            rows = (json.dumps(record_fields(live), ensure_ascii=False) + "\n" for live in loaded.suite.records)
            path.write_text("".join(rows), "utf-8")
        # probes would only report: what is live is the same without them
        Deployment(engine).apply(path, on_conflict="newest", on_collision="ignore")
    except BaseException:
        engine.close()
        raise
    return engine


def _facts(engine: Engine, loaded: Loaded) -> dict[str, Any]:
    """Return what the decisions depend on, in words and digests."""
    live = [version.digest for version in engine.store.live()]
    cuts = engine.thresholds
    return {
        "records_stated": len(loaded.suite.records) or len(live),
        "records_live": len(live),
        "records_digest": digest_set(live),
        "encoder": engine.embedder.digest,
        "scorer": {"kind": engine.scorer.kind, "digest": engine.scorer.digest},
        "cuts": {
            "in_scope": str(cuts.in_scope),
            "margin": str(cuts.margin),
            "by_form": {str(form): str(value) for form, value in sorted(cuts.by_form.items())},
            "chosen_on": cuts.chosen_on,
        },
    }


def route(
    engine: Engine, setup: Setup, asked: Sequence[Asked], path: Path, facts: Mapping[str, Any], progress: Progress
) -> list[dict[str, Any]]:
    """Return one line a question as the engine decides it, in order; those written by an earlier run are taken from the file."""
    state = {"asked": [[q.id, q.text, q.jurisdiction, q.as_of] for q in asked], "as_of": setup.as_of.isoformat(), **facts}
    file = ResumableLines(path, digest_json(state))
    lines = file.resume([q.id for q in asked])
    progress("ask", len(lines), len(asked))
    for start in range(len(lines), len(asked), setup.settings.batch):
        batch = asked[start : start + setup.settings.batch]
        queries = [
            engine.query(
                q.text,
                jurisdiction=q.jurisdiction or None,
                as_of=date.fromisoformat(q.as_of) if q.as_of else setup.as_of,
                id=q.id,
            )
            for q in batch
        ]
        started = time.perf_counter()
        outcomes = engine.ask_many(queries, route_only=True)
        ms = 1000 * (time.perf_counter() - started) / len(batch)
        new = [
            line_of(q, outcome, ms) | {"in_chain": _in_chain(engine, outcome)}
            for q, outcome in zip(batch, outcomes, strict=True)
        ]
        file.append(new)
        lines += new
        progress("ask", len(lines), len(asked))
    return lines


def _in_chain(engine: Engine, outcome: Outcome) -> bool:
    """Return whether the record that answers, if one does, lies in the chain of the question's jurisdiction on its day."""
    query, winner = outcome.query, outcome.decision.winner
    chain = engine.atlas.chain(engine.atlas.parse(query.jurisdiction), query.as_of)
    return winner is None or winner.record.jurisdiction in chain


def line_of(asked: Asked, outcome: Outcome, ms: float) -> dict[str, Any]:
    """Return what was asked, what was wanted and what was decided, as plain values."""
    decision = outcome.decision
    choice, winner = choice_of(decision), decision.winner
    got = winner.record.id if winner is not None else ""
    return {
        "id": asked.id,
        "kind": asked.kind,
        "question": asked.text,
        "jurisdiction": outcome.query.jurisdiction,
        "tune": asked.is_tune,
        "record": asked.record,
        "wanted": asked.record if asked.is_in_scope else None,
        "got": got or None,
        "got_jurisdiction": winner.record.jurisdiction if winner is not None else None,
        "route": str(decision.route),
        "reason": str(decision.reason),
        "form": str(decision.form),
        "score": round(decision.score, 6),
        "choice": choice.record or None,
        "choice_score": round(choice.score, 6),
        "fate": fate_of(asked, got),
        "ms": round(ms, 3),
    }


def fate_of(asked: Asked, got: str) -> str:
    """Return in words what became of a question."""
    if not asked.is_in_scope:
        return "overridden" if got else "left alone"
    return "right" if got == asked.record else "another record" if got else "missed"


def choice_of(decision: Decision) -> Choice:
    """Return what would answer if the cut were low enough: the winner, else the best candidate that only the cut kept out.

    Vetoes are not asked about candidates below the cut, so below it this counts overrides that the product might still refuse.
    """
    if decision.winner is not None:
        return Choice(decision.winner.record.id, decision.score)
    below = (v for v in decision.verdicts if v.reason is Reason.BELOW_THRESHOLD)
    best = max(below, key=lambda v: v.score.probability, default=None)
    return Choice() if best is None else Choice(best.candidate.version.record.id, best.score.probability)


def _header(setup: Setup, loaded: Loaded, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a reader needs to repeat the run."""
    return {
        "suite": setup.suite,
        "half": setup.half,
        "limit": setup.limit,
        "note": loaded.source.note,
        "command": setup.command,
        "commit": setup.commit,
        "data": {"digest": loaded.digest, "files": dict(loaded.digests)},
        "settings": {f.name: getattr(setup.settings, f.name) for f in fields(Settings) if f.name != "upstream_key"},
        "as_of": setup.as_of.isoformat(),
        "seed": setup.seed,
        "risk": setup.risk,
        "train_rows": setup.train_rows,
        **facts,
    }
