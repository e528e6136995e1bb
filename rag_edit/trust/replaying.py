"""Runs of a regression suite: the same questions on this deployment, or on it with another model, encoder, scorer or record set.

A run with other parts leaves the home as it is: another encoder's vectors are made in memory, other records lie on a shadow.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from rag_edit.checks.assessing import is_written
from rag_edit.checks.rehearsal import with_all_of
from rag_edit.config import Settings
from rag_edit.core.decision import Query
from rag_edit.engine import Engine
from rag_edit.index.brute import BruteShelf
from rag_edit.index.retriever import Retriever
from rag_edit.opening import open_engine
from rag_edit.records.files import read_records
from rag_edit.records.plan import make_plan
from rag_edit.verify.suite import Line

SUITES_NAME: Final = "suites"
BATCH: Final = 32


def run_lines(
    engine: Engine, lines: Sequence[Line], *, route_only: bool, progress: Callable[[str, int, int], None]
) -> list[Line]:
    """Return what the engine does with each line, in order. No receipt is made and nothing is counted as served.

    Args:
        engine: Open.
        lines: Questions.
        route_only: Whether texts that a model would have to write are left empty.
        progress: Told of long work.
    """
    plain = replace(engine, sealing=None, counting=None)
    done: list[Line] = []
    for start in range(0, len(lines), BATCH):
        progress("suite", start, len(lines))
        batch = lines[start : start + BATCH]
        queries = [Query(line.question, line.jurisdiction, date.fromisoformat(line.as_of), line.messages) for line in batch]
        for line, query, outcome in zip(batch, queries, plain.ask_many(queries, route_only=route_only), strict=True):
            winner, answer = outcome.decision.winner, outcome.answer
            if answer is None and not is_written(outcome.decision):
                answer = plain.answering[outcome.decision.route]([(query, outcome.decision)])[0]
            done.append(
                replace(
                    line,
                    route=str(outcome.decision.route),
                    record=winner.record.id if winner else "",
                    text=answer.text if answer else "",
                    rung=answer.rung if answer else "",
                )
            )
    progress("suite", len(lines), len(lines))
    return done


@contextmanager
def opened_with(
    home: Path, settings: Settings, changed: dict[str, str], records: Sequence[Path], progress: Callable[[str, int, int], None]
) -> Iterator[Engine]:
    """Open a home with some settings changed, or with records that are not applied.

    Args:
        home: Its files stay as they are.
        settings: Of the home.
        changed: Settings to change: ``model``, ``encoder``, ``scorer``.
        records: Files of records to lay over the live ones; empty for none.
        progress: Told of long work.
    """
    with open_engine(home, replace(settings, **changed), progress=progress) as engine:  # type: ignore[arg-type]
        tried = engine
        if changed.get("encoder", settings.encoder) != settings.encoder:
            tried = replace(engine, retriever=Retriever(BruteShelf(), engine.embedder))
        if records:
            plan = make_plan(
                read_records(records, engine.atlas), engine.newest(), engine.atlas, on_conflict="newest", today=engine.today()
            )
            tried = with_all_of(tried, plan)
        yield tried
