"""`rag-edit verify`: what records, or a change to them, do and what they do not, measured before or after they are live."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rag_edit.cli.home import AsJson, Home, home_of, notice, print_json, print_lines
from rag_edit.core.errors import RagEditError, UsageError

PACE: Final = 25.0  # questions a second, before any report has shown a better one
_BUDGET: Final = re.compile(r"(\d+)\s*(s|m|h)?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, None: 60}
SHOWN: Final = 10
POLL_S: Final = 0.2

Force = Annotated[
    str,
    typer.Option(
        "--force", metavar="REASON", help="Apply what the policy refuses; the reason is kept with the report and in the ledger."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("verify")(verify)


def verify(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH...]", help="Files of records that are not applied yet: they are tried on a shadow."),
    ] = None,
    records: Annotated[
        str,
        typer.Option(
            "--records",
            metavar="Q",
            help="Live records: an id or a pattern, a topic, a jurisdiction, or words of the question.",
        ),
    ] = "",
    changed: Annotated[
        bool, typer.Option("--changed", help="Live records without a report that still holds. The default.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="All live records.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="At most some thousand questions, the riskiest first.")] = False,
    budget: Annotated[
        str, typer.Option("--budget", metavar="TIME", help="Stop after this time, the riskiest first: 90s, 10m, 1h.")
    ] = "",
    texts: Annotated[
        int | None, typer.Option("--texts", min=0, help="Answers that the model writes at most. Default: 40, with --quick 12.")
    ] = None,
    reworded: Annotated[
        int,
        typer.Option(
            "--reworded", min=0, max=8, help="Wordings that the model is asked for, for each of the riskiest records."
        ),
    ] = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Also write the report's files here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what records do: their own questions, paraphrases, neighbours, other places, languages, attempts to undo them.

    Writes a report (HTML, JSON, every finding as a line) into the home. Exit code 1 where the policy refuses.
    """
    chosen = sum((bool(paths), bool(records), changed, everything))
    if chosen > 1:
        raise UsageError("verify: wanted one of PATH, --records, --changed and --all", hint="rag-edit verify --help")
    home = home_of(context)
    spent = budget_of(quick=quick, time=budget, texts=texts, reworded=reworded)
    if (server := home.server) is not None:
        summary, folder = _measured_there(server, home, paths or [], records, everything, spent, show=not as_json)
    else:
        report, folder = measured(home, paths or [], records, everything, spent, show=not as_json)
        summary = {**report.to_json(), "digest": report.digest()}
    if out is not None:
        for file in sorted(folder.iterdir()):
            out.mkdir(parents=True, exist_ok=True)
            (out / file.name).write_bytes(file.read_bytes())
    if as_json:
        print_json({**summary, "folder": str(out or folder)})
    else:
        print_report(summary, folder)
        print_lines(f"report: {(out or folder) / 'report.html'}")
    if summary["verdict"] != "passed":
        raise typer.Exit(1)


def _measured_there(
    server: Any, home: Home, paths: list[Path], query: str, everything: bool, budget: Any, *, show: bool
) -> tuple[dict[str, Any], Path]:
    """Return the summary of a verification that the server does beside its questions, and the folder of its report."""
    from rag_edit.verify.shelf import REPORTS_NAME

    found = None if everything or not query else _named(server.store, query)
    job = server.post(
        "/verifications",
        records=[v.record.id for v in found] if found is not None else None,
        everything=True if everything else None,
        proposed=_stated(paths) if paths else None,
        seconds=round(budget.seconds) if budget.seconds is not None else 86_400,
        trials=budget.trials if budget.trials is not None else 1_000_000,
        texts=budget.texts,
        reworded=budget.reworded,
    )
    told = ""
    while job["state"] in ("waiting", "running"):
        line = f"rag-edit: {job['state']} {job['stage']} {job['done']} of {job['total']}".rstrip()
        if show and line != told:
            notice(told := line)
        time.sleep(POLL_S)
        job = server.get(f"/verifications/{job['id']}")
    if job["state"] != "done":
        raise RagEditError(f"the verification {job['state']}: {job['error'] or 'somebody ended it'}", hint="rag-edit verify")
    report = dict(job["report"])
    return report, home.path / REPORTS_NAME / report.pop("folder")


def _stated(paths: list[Path]) -> list[dict[str, Any]]:
    from rag_edit.cli.edit import stated
    from rag_edit.core.atlas import default_atlas
    from rag_edit.records.files import read_records

    return stated(read_records(paths, default_atlas()))


def budget_of(*, quick: bool, time: str, texts: int | None, reworded: int) -> Any:
    """Return what may be spent.

    Raises:
        UsageError: ``time`` is no time.
    """
    from rag_edit.verify.budget import QUICK, Budget

    found = QUICK if quick else Budget(texts=40)
    if time:
        match = _BUDGET.fullmatch(time.strip())
        if match is None:
            raise UsageError(f"--budget: wanted a time such as 90s, 10m or 1h, found {time!r}", hint="--budget 10m")
        found = replace(found, seconds=float(match[1]) * _SECONDS[match[2]])
    return replace(found, texts=found.texts if texts is None else texts, reworded=reworded)


def measured(home: Home, paths: list[Path], query: str, everything: bool, budget: Any, *, show: bool) -> tuple[Any, Path]:
    """Return the report of a verification and the folder that it was written to."""
    from rag_edit.checks.gating import policy_of
    from rag_edit.checks.verifying_live import Job, run_job

    policy = policy_of(home.path)
    with home.engine(show=show) as engine:
        if paths:
            job = Job(f"{', '.join(path.name or str(path) for path in paths)}, not applied yet", plan=_planned(engine, paths))
        else:
            job = _live(home, engine, query, everything)
        if not job.plan and not job.versions:
            notice("rag-edit: nothing to verify: every live record has a report that holds; --all measures them again")
        return run_job(
            home.path, home.settings, engine, job, policy, budget, told=_estimate(home) if show else lambda _r, _q: None
        )


def _planned(engine: Any, paths: list[Path]) -> Any:
    from rag_edit.records.files import read_records
    from rag_edit.records.plan import make_plan

    read = read_records(paths, engine.atlas)
    return make_plan(read, engine.newest(), engine.atlas, today=engine.today())


def _live(home: Home, engine: Any, query: str, everything: bool) -> Any:
    from rag_edit.checks.verifying_live import Job, unverified

    live = sorted(engine.store.live(), key=lambda v: v.record.id)
    if everything:
        return Job("all records", versions=tuple(live))
    if query:
        return Job(f"records {query!r}", versions=_named(engine.store, query))
    return Job("changed records", versions=tuple(unverified(home.path, engine, live)), compare=True)


def _named(store: Any, query: str) -> tuple[Any, ...]:
    """Return the live records that ``query`` names, by id.

    Raises:
        UsageError: there is none.
    """
    found = tuple(sorted((v for v in store.live() if matches(v.record, query)), key=lambda v: v.record.id))
    if not found:
        raise UsageError(f"--records: no live record is, or speaks of, {query!r}", hint="rag-edit record list")
    return found


def matches(record: Any, query: str) -> bool:
    """Return whether a record is what ``query`` names: by id, topic, jurisdiction or words of its question."""
    if fnmatchcase(record.id, query) or record.jurisdiction == query:
        return True
    topic = record.topic == query or record.topic.startswith(f"{query}.")
    return topic or query.casefold() in record.question.casefold()


def _estimate(home: Home) -> Any:
    """Return who says beforehand how long it will take, at the pace of the last report."""
    from rag_edit.verify.shelf import ReportShelf

    pace = ReportShelf(home.path).pace() or PACE

    def say(records: int, questions: int) -> None:
        minutes = questions / pace / 60
        notice(f"rag-edit: {records} records, at most {questions} questions, about {max(1, round(minutes))} min")

    return say


def print_report(summary: dict[str, Any], folder: Path) -> None:
    """Show a report on a terminal: the verdict first, then the figures, then the worst cases.

    Args:
        summary: The report without its findings.
        folder: Where it was written.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from rag_edit.verify.finding import Finding
    from rag_edit.verify.shelf import FINDINGS, read_findings

    console = Console()
    verdict = Text("passed", style="bold green") if summary["verdict"] == "passed" else Text("refused", style="bold red")
    counts = f"{summary['records']} records, {summary['findings']} findings, {summary['seconds']} s"
    console.print(verdict, Text(f"{summary['title']}: {counts}"))
    table = Table("property", "passed", "share", "95 % interval", "asked for")
    for figure in summary["figures"]:
        name = figure["property"] if figure["rule"] == "all" else f"{figure['property']} ({figure['rule']})"
        asked = f"{figure['least'] / 10:g} %" if figure["least"] else "-"
        share = Text(f"{figure['share'] / 10:.1f} %", style="" if figure["ok"] else "bold red")
        interval = f"{figure['low'] / 10:.1f} to {figure['high'] / 10:.1f} %"
        table.add_row(name, f"{figure['passed']} of {figure['total']}", share, interval, asked)
    console.print(table)
    refusing = [Finding.from_json(each) for each in summary["refusing"]]
    first = set(refusing)
    failed = [*refusing, *(f for f in read_findings(folder / FINDINGS) if not f.passed and f not in first)]
    for finding in failed[:SHOWN]:
        console.print(Text(f"- {finding}", style="red" if finding in first else "dim"))
    if len(failed) > SHOWN:
        console.print(Text(f"... and {len(failed) - SHOWN} more: the report has all", style="dim"))


def stamp() -> str:
    """Return the time as reports have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
