"""The scope bench from end to end, on an engine whose encoder and language model are fakes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree as ET

import pytest

from rag_edit.bench.figures import Choice, KindFigure
from rag_edit.bench.scope import Setup, choice_of, fate_of, run
from rag_edit.bench.suites import Goal
from rag_edit.bench.summary import System, judge, operating
from rag_edit.config import Settings
from rag_edit.core.decision import Query
from rag_edit.core.errors import UsageError
from rag_edit.engine import Engine, Outcome, Progress, no_progress
from rag_edit.scope.training.suites import Asked
from rag_edit.testing import fake_engine

TODAY = date(2026, 11, 22)
NAMES = ("Ada Lovelace", "Boris Becker", "Cleo Laine", "Dora Maar", "Egon Schiele", "Frida Kahlo")
ROWS = [
    {
        "id": n,
        "prompt": f"Where was {name} born?",
        "target": "Oslo",
        "subject": name,
        "rephrase": f"Where was {name} born, please?",
        "locality": [{"loc": "how do magnets work"}, {"loc": f"which colour has soil number {n}"}],
    }
    for n, name in enumerate(NAMES)
]


class Opener:
    """Opens fake engines; ``asked`` holds the sizes of the batches that were decided."""

    def __init__(self, *, dies_after: int | None = None) -> None:
        self.asked: list[int] = []
        self.settings: list[Settings] = []
        self._dies_after = dies_after

    def __call__(self, home: Path, settings: Settings, progress: Progress, as_of: date) -> Engine:
        self.settings.append(settings)
        home.mkdir(parents=True, exist_ok=True)
        engine = fake_engine(today=as_of)
        decide, opener = engine.ask_many, self

        class Watched:
            """The same engine with a counter in front."""

            def __getattr__(self, name: str) -> Any:
                return getattr(engine, name)

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None:
                engine.close()

            def ask_many(self, queries: Sequence[Query], **flags: bool) -> list[Outcome]:
                assert flags == {"route_only": True}
                if opener._dies_after is not None and len(opener.asked) == opener._dies_after:
                    raise KeyboardInterrupt
                opener.asked.append(len(queries))
                return decide(queries, **flags)

        return Watched()  # type: ignore[return-value]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    (tmp_path / "data/qaedit").mkdir(parents=True)
    (tmp_path / "data/qaedit/dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return Setup(
        "qaedit",
        tmp_path / "data",
        tmp_path / "out",
        Settings(batch=5),
        TODAY,
        rounds=3,
        command="rag-edit bench",
        commit="abc",
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_run_leaves_raw_lines_a_summary_and_plots_and_no_home(setup: Setup) -> None:
    summary = run(setup, Opener(), no_progress)
    raw = lines(setup.folder / "raw.jsonl")
    assert [line["id"] for line in raw[:4]] == ["qa-0/own/0", "qa-0/in/0", "qa-0/out/0", "qa-0/out/1"]
    assert {"kind", "wanted", "got", "route", "reason", "score", "question", "fate"} <= set(raw[0])
    assert (raw[0]["wanted"], raw[0]["got"], raw[0]["fate"]) == ("qa-0", "qa-0", "right")
    assert (raw[2]["wanted"], raw[2]["fate"]) == (None, "left alone")
    assert json.loads((setup.folder / "summary.json").read_text("utf-8")) == json.loads(json.dumps(summary))
    for name in ("risk.svg", "reliability.svg"):
        ET.fromstring((setup.folder / name).read_text("utf-8"))
    assert not (setup.folder / "home").exists()


def test_the_summary_says_what_it_was_made_from(setup: Setup) -> None:
    summary = run(replace(setup, baselines=()), Opener(), no_progress)
    assert (summary["command"], summary["commit"], summary["as_of"]) == ("rag-edit bench", "abc", "2026-11-22")
    assert summary["data"]["digest"].startswith("sha256:")
    assert summary["settings"]["batch"] == 5
    assert "upstream_key" not in summary["settings"]
    assert (summary["records_stated"], summary["records_live"], summary["questions"]["counted"]) == (6, 6, 24)
    assert summary["systems"]["product"]["shipped"]["all"]["own"]["share"] == 1.0
    assert set(summary["resplits"]) == {"expected", "confident", "shipped"}
    assert summary["outside_chain"] == 0


def test_baselines_answer_the_same_questions_and_say_when_they_cannot(setup: Setup) -> None:
    opener = Opener()
    summary = run(setup, opener, no_progress)
    assert list(summary["systems"]) == ["product", "nearest", "named", "serac", "grace", "overlap"]
    assert "no train set" in summary["systems"]["serac"]["missing"]
    assert [s.scorer for s in opener.settings] == ["trained", "overlap"]
    for name in ("nearest", "named", "grace", "overlap"):
        assert [line["id"] for line in lines(setup.folder / f"raw-{name}.jsonl")] == [
            line["id"] for line in lines(setup.folder / "raw.jsonl")
        ]
    assert set(summary["systems"]["nearest"]) == {"best", "risk"}


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(setup: Setup) -> None:
    setup = replace(setup, baselines=())
    with pytest.raises(KeyboardInterrupt):
        run(setup, Opener(dies_after=2), no_progress)
    assert len(lines(setup.folder / "raw.jsonl")) == 10
    again = Opener()
    run(setup, again, no_progress)
    assert sum(again.asked) == 14
    whole = [line["id"] for line in lines(setup.folder / "raw.jsonl")]
    third = Opener()
    run(setup, third, no_progress)
    assert (third.asked, len(set(whole))) == ([], 24)


def test_another_day_is_another_run(setup: Setup) -> None:
    setup = replace(setup, baselines=())
    run(setup, Opener(), no_progress)
    again = Opener()
    run(replace(setup, as_of=date(2026, 11, 23)), again, no_progress)
    assert sum(again.asked) == 24


def test_progress_counts_the_questions(setup: Setup) -> None:
    seen: list[tuple[str, int, int]] = []
    run(replace(setup, baselines=("nearest",)), Opener(), lambda *told: seen.append(told))
    assert ("ask", 24, 24) in seen
    assert ("baselines", 1, 1) in seen


def test_an_unknown_suite_is_refused_before_anything_is_made(setup: Setup) -> None:
    with pytest.raises(UsageError, match="wanted one of"):
        run(replace(setup, suite="nix"), Opener(), no_progress)
    assert not setup.out.exists()


def test_what_only_the_cut_kept_out_is_what_a_lower_cut_would_serve() -> None:
    engine = fake_engine(cut=0.999)
    from rag_edit.deployment import Deployment

    Deployment(engine).apply(
        {"id": "a", "jurisdiction": "GLOBAL", "question": "Where was Ada born?", "answer": "Oslo", "subject": "Ada"}
    )
    decision = engine.ask_many([engine.query("Ada, where was she born?")], route_only=True)[0].decision
    choice = choice_of(decision)
    assert (decision.winner, choice.record) == (None, "a")
    assert 0 < choice.score < 0.999
    assert choice_of(engine.ask_many([engine.query("thanks")], route_only=True)[0].decision) == Choice()


FATES = {
    "its own record": ("in", "r", "right"),
    "another's": ("in", "x", "another record"),
    "none": ("in", "", "missed"),
    "one where none is in scope": ("out", "r", "overridden"),
    "none where none is in scope": ("out", "", "left alone"),
}


@pytest.mark.parametrize("kind, got, fate", FATES.values(), ids=FATES)
def test_a_questions_fate_in_words(kind: str, got: str, fate: str) -> None:
    assert fate_of(Asked("?", kind, "r", False), got) == fate


def test_cuts_are_chosen_on_the_tuning_part_alone() -> None:
    questions = [
        Asked("?", "in", "r", True),
        Asked("?", "out", "r", True),
        Asked("?", "in", "r", False),
        Asked("?", "out", "r", False),
    ]
    system = System.of_choices("s", [Choice("r", 0.8), Choice("r", 0.2), Choice("r", 0.1), Choice("r", 0.9)])
    best, kept = operating(system, questions, 4, 0.01)
    assert (best.cut, best.got) == (pytest.approx(0.5), ("r", "", "", "r"))
    assert (kept.cut, kept.got) == (None, ("", "", "", ""))


def test_a_dial_is_chosen_as_a_cut_is() -> None:
    questions = [Asked("?", "in", "r", True)] + [Asked("?", "out", "r", True)] * 199
    right, wrong, nothing = Choice("r", 1.0), Choice("x", 1.0), Choice()
    system = System.of_settings(
        "grace",
        {
            0.1: [nothing] * 200,
            0.2: [right, *[nothing] * 199],
            0.3: [right, wrong, *[nothing] * 198],
            0.4: [right, wrong, wrong, *[nothing] * 197],
        },
    )
    best, kept = operating(system, questions, 200, 0.01)
    assert (best.cut, kept.cut) == (0.2, 0.3)


def test_a_goal_that_is_a_part_of_another_suite_is_open_until_that_ran(tmp_path: Path) -> None:
    goals, figures = {"in": Goal(least=0.95, of="other")}, {"in": KindFigure(True, 80, 100)}
    run_of = ("this", "dev", None, "sha256:0")
    assert judge(goals, figures, tmp_path, run_of)["in"]["met"] is None
    (tmp_path / "other").mkdir()
    report = {
        "half": "dev",
        "limit": None,
        "scorer": {"digest": "sha256:0"},
        "systems": {"product": {"shipped": {"report": {"in": {"share": 0.84}}}}},
    }
    (tmp_path / "other/summary.json").write_text(json.dumps(report), "utf-8")
    assert judge(goals, figures, tmp_path, run_of)["in"]["met"] is True
    assert judge(goals, figures, tmp_path, ("this", "dev", 30, "sha256:0"))["in"]["met"] is None
