"""The summary of a scope run: every system at every operating point, what is apart, calibration, re-splits, and the plots.

Operating points: ``shipped`` (as the product decided it), ``best`` (the cut with the largest share right less share wrongly
overridden on the tuning part) and ``risk`` (the lowest cut that keeps the risk on every out-of-scope kind of the tuning part). The last two are
reported on the rest only. It reads lines and choices; it runs nothing.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from rag_edit.bench.figures import (
    NOTHING,
    OWN,
    Choice,
    KindFigure,
    at_cut,
    best_cut,
    count,
    curve,
    gain,
    kept_cut,
    resplit,
    scores_of,
    share_at,
    tuning,
)
from rag_edit.bench.plots import Series, reliability_svg, risk_coverage_svg
from rag_edit.bench.suites import Goal
from rag_edit.scope.risk import NEVER, Point, allowed_expected, reliability
from rag_edit.scope.training.suites import Asked


class Chosen(Protocol):
    """What of a run's setup the summary needs."""

    @property
    def suite(self) -> str:
        """Name of the suite."""
        ...

    @property
    def risk(self) -> float:
        """What cuts are chosen for."""
        ...

    @property
    def half(self) -> str:
        """Which half of the suite."""
        ...

    @property
    def limit(self) -> int | None:
        """Rows used."""
        ...

    @property
    def rounds(self) -> int:
        """How many random re-splits."""
        ...

    @property
    def seed(self) -> int:
        """Of the re-splits."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """One way to decide, on all questions in order.

    Attributes:
        name: For tables.
        choices: What it would override with, and how sure; empty where it has settings in place of scores.
        shipped: What it did override with, "" for nothing; empty where it decides by our cuts alone.
        settings: Choices by setting, for a way whose dial is not a cut.
        missing: Why it was not run.
    """

    name: str
    choices: tuple[Choice, ...] = ()
    shipped: tuple[str, ...] = ()
    settings: Mapping[float, Sequence[Choice]] = field(default_factory=dict)
    missing: str = ""

    @classmethod
    def of_lines(cls, name: str, lines: Sequence[Mapping[str, Any]]) -> Self:
        """Return a system from raw lines."""
        choices = tuple(Choice(line["choice"] or "", float(line["choice_score"])) for line in lines)
        return cls(name, choices, tuple(line["got"] or "" for line in lines))

    @classmethod
    def of_choices(cls, name: str, choices: Sequence[Choice]) -> Self:
        """Return a system that is a score and a cut."""
        return cls(name, tuple(choices))

    @classmethod
    def of_settings(cls, name: str, settings: Mapping[float, Sequence[Choice]]) -> Self:
        """Return a system with one dial."""
        return cls(name, settings=settings)

    @classmethod
    def absent_for(cls, name: str, why: str) -> Self:
        """Return a system that was not run."""
        return cls(name, missing=why)

    def first(self, counted: int) -> Self:
        """Return the system on the first questions only."""
        shorter = {dial: choices[:counted] for dial, choices in self.settings.items()}
        return type(self)(self.name, self.choices[:counted], self.shipped[:counted], shorter, self.missing)


@dataclass(frozen=True, slots=True)
class Operating:
    """A system at one operating point: its cut or setting, None where it overrides nothing or has its own, and what each question got."""

    name: str
    cut: float | None
    got: tuple[str, ...]


def operating(system: System, questions: Sequence[Asked], counted: int, risk: float) -> list[Operating]:
    """Return the operating points of a system.

    Args:
        system: On all questions.
        questions: All of them, those that count first.
        counted: How many count; cuts are chosen on their tuning part.
        risk: For the point of that name.
    """
    found = [Operating("shipped", None, system.shipped)] if system.shipped else []
    head = questions[:counted]
    if system.choices:
        pairs = tuning(head, system.choices[:counted])
        for name, cut in (("best", best_cut(pairs)), ("risk", kept_cut(pairs, risk))):
            found.append(Operating(name, None if cut == NEVER else cut, at_cut(system.choices, cut)))
    if system.settings:
        tuned = {dial: tuning(head, choices[:counted]) for dial, choices in system.settings.items()}
        best = max(tuned, key=lambda dial: (gain(tuned[dial], 1.0), -dial))
        nothing = ("",) * len(questions)
        helps = gain(tuned[best], 1.0) > 0
        kept = [dial for dial, pairs in tuned.items() if _keeps(pairs, risk)]
        found.append(Operating("best", best if helps else None, at_cut(system.settings[best], 1.0) if helps else nothing))
        got = at_cut(system.settings[max(kept)], 1.0) if kept else nothing
        found.append(Operating("risk", max(kept) if kept else None, got))
    return found


def _keeps(pairs: Sequence[tuple[Asked, Choice]], risk: float) -> bool:
    figures = count([q for q, _ in pairs], [c.record for _, c in pairs]).values()
    outside = [f for f in figures if not f.is_in_scope]
    return bool(outside) and all(f.hits <= allowed_expected(risk, f.n) for f in outside)


def summarise(
    systems: Sequence[System],
    questions: Sequence[Asked],
    counted: int,
    goals: Mapping[str, Goal],
    out: Path,
    folder: Path,
    chosen: Chosen,
    scorer: str,
) -> dict[str, Any]:
    """Return the figures of a run, and write the plots and the baselines' raw lines into ``folder``.

    Args:
        systems: The product first.
        questions: All, those that count first.
        counted: How many count; the rest stands apart.
        goals: By kind, for the product.
        out: Directory of all suites: goals that are a part of another suite's figure look there.
        folder: This suite's directory.
        chosen: The run's setup.
        scorer: Digest of the product's scorer.
    """
    head, product = questions[:counted], systems[0]
    figures: dict[str, Any] = {}
    series = []
    for system in systems:
        if system.missing:
            figures[system.name] = {"missing": system.missing}
            continue
        points = operating(system, questions, counted, chosen.risk)
        figures[system.name] = {point.name: _point_json(point, questions, counted) for point in points}
        series.append(_series(system.first(counted), head, points))
        if system is not product and not system.shipped:
            _write_raw(folder / f"raw-{system.name}.jsonl", system, questions, points)
    pairs = [
        (q, c) for q, c in zip(head, product.choices[:counted], strict=True) if not q.is_tune and q.kind != OWN and c.record
    ]
    bins, error = reliability([(c.score, q.is_in_scope and c.record == q.record) for q, c in pairs])
    title = f"{chosen.suite}, report part"
    (folder / "risk.svg").write_text(
        risk_coverage_svg(series, title=f"Risk against coverage: {title}", risk=chosen.risk), "utf-8"
    )
    (folder / "reliability.svg").write_text(reliability_svg(bins, error, title=f"Reliability: {title}"), "utf-8")
    return {
        "questions": {"counted": counted, "report": sum(not q.is_tune for q in head), "apart": len(questions) - counted},
        "systems": figures,
        "goals": judge(goals, _report(product, head), out, (chosen.suite, chosen.half, chosen.limit, scorer)),
        "calibration": {
            "expected_calibration_error": round(error, 5),
            "questions": len(pairs),
            "bins": [{"from": b.start, "n": b.n, "said": round(b.said, 4), "right": round(b.right, 4)} for b in bins],
        },
        "resplits": resplit(
            head,
            product.choices[:counted],
            shipped=product.shipped[:counted],
            risk=chosen.risk,
            rounds=chosen.rounds,
            seed=chosen.seed,
        ),
    }


def _point_json(point: Operating, questions: Sequence[Asked], counted: int) -> dict[str, Any]:
    """Return one operating point; the whole half is only given where nothing was chosen on a part of it."""
    head, got = questions[:counted], point.got[:counted]
    plain: dict[str, Any] = {"cut": None if point.cut is None or math.isinf(point.cut) else round(point.cut, 6)}
    if point.name == "shipped":
        plain["all"] = _json(count(head, got))
    rest = [(q, g) for q, g in zip(head, got, strict=True) if not q.is_tune]
    plain["report"] = _json(count([q for q, _ in rest], [g for _, g in rest]))
    plain["apart"] = _json(count(questions[counted:], point.got[counted:]))
    return plain


def _json(figures: Mapping[str, KindFigure]) -> dict[str, Any]:
    return {kind: figure.to_json() for kind, figure in figures.items()}


def _report(product: System, head: Sequence[Asked]) -> dict[str, KindFigure]:
    """Return the product's figures as shipped, on the reported part."""
    rest = [(q, g) for q, g in zip(head, product.shipped, strict=False) if not q.is_tune]
    return count([q for q, _ in rest], [g for _, g in rest])


def judge(
    goals: Mapping[str, Goal], figures: Mapping[str, KindFigure], out: Path, run: tuple[str, str, int | None, str]
) -> dict[str, Any]:
    """Return for each goal whether the product keeps it on the reported part; None where that cannot be said yet.

    Args:
        goals: By kind.
        figures: The product's, by kind.
        out: Directory of all suites.
        run: This run's suite, half, limit and digest of the scorer; another suite's figure counts if the last three are equal.
    """
    found: dict[str, Any] = {}
    for kind, goal in goals.items():
        figure = figures.get(kind)
        base: float | None = 1.0
        if goal.of and goal.of != run[0]:
            base = _share_of(out / goal.of / "summary.json", kind, run[1:])
        met = None if figure is None or base is None else figure.meets(goal, base)
        found[kind] = {"least": goal.least, "most": goal.most, "of": goal.of or None, "met": met}
    return found


def _share_of(path: Path, kind: str, like: tuple[str, int | None, str]) -> float | None:
    """Return the product's share of a kind in another suite's summary; None where that was not run, or run otherwise."""
    try:
        summary = json.loads(path.read_text("utf-8"))
        if (summary["half"], summary["limit"], summary["scorer"]["digest"]) != like:
            return None
        return float(summary["systems"]["product"]["shipped"]["report"][kind]["share"])
    except (OSError, KeyError, ValueError):
        return None


def _series(system: System, head: Sequence[Asked], points: Sequence[Operating]) -> Series:
    """Return the curve of a system on the reported part, with its operating points."""
    if system.settings:
        line = tuple(_place(dial, head, at_cut(choices, 1.0)) for dial, choices in sorted(system.settings.items()))
    else:
        line = curve(head, system.choices)
    marks = [point for point in points if point.name == ("shipped" if system.shipped else "best")]
    return Series(system.name, line, tuple(_place(point.cut or 0.0, head, point.got[: len(head)]) for point in marks))


def _place(cut: float, head: Sequence[Asked], got: Sequence[str]) -> Point:
    """Return where an operating point lies on the reported part."""
    rest = [(q, g) for q, g in zip(head, got, strict=True) if not q.is_tune]
    right, wrong = scores_of([(q, Choice(g, 1.0) if g else NOTHING) for q, g in rest])
    return Point(cut, share_at(right, 1.0), share_at(wrong, 1.0))


def _write_raw(path: Path, system: System, questions: Sequence[Asked], points: Sequence[Operating]) -> None:
    """Write what a baseline chose for each question and what each of its operating points served."""
    with path.open("w", encoding="utf-8") as file:
        for at, asked in enumerate(questions):
            line: dict[str, Any] = {"id": asked.id, "kind": asked.kind, "tune": asked.is_tune}
            line["wanted"] = asked.record if asked.is_in_scope else None
            if system.choices:
                choice = system.choices[at]
                line |= {"choice": choice.record or None, "choice_score": round(choice.score, 6)}
            line |= {f"got_{point.name}": point.got[at] or None for point in points}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
