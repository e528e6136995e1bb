"""Outcomes for people: a question, its answer, and why."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

COLOURS = {"OVERRIDE": "green", "ADAPTER": "green", "BASE": "blue", "ABSTAIN": "yellow"}


def print_outcome(outcome: Any, *, explain: bool = False) -> None:
    """Print one outcome: the answer first, then where it comes from, then the candidates."""
    console = Console()
    decision = outcome.decision
    if outcome.answer is not None:
        console.print(Text(outcome.answer.text))
    line = Text(f"{decision.route}", style=COLOURS[str(decision.route)])
    line.append(f" {decision.reason}", style="default")
    if decision.winner is not None:
        record = decision.winner.record
        line.append(f"  {decision.winner.name} ({record.jurisdiction})  scope {decision.score:.3f}", style="default")
        if record.source:
            line.append(f"\nsource: {record.source}", style="dim")
    for version in decision.contenders:
        line.append(f"\n  {version.name} ({version.record.jurisdiction}): {version.record.answer}", style="default")
    console.print(line)
    if outcome.base is not None:
        console.print(Text(f"base model: {outcome.base.text}", style="dim"))
    if explain:
        console.print(trace_table(decision))


def trace_table(decision: Any) -> Table:
    """Return the fate of every candidate as a table."""
    table = Table("record", "in", "scope", "similarity", "fate", "why", title="candidates", title_justify="left")
    for verdict in decision.verdicts:
        candidate = verdict.candidate
        table.add_row(
            Text(candidate.version.name),
            candidate.partition,
            f"{verdict.score.probability:.3f}",
            f"{candidate.similarity:.3f}",
            str(verdict.reason),
            Text(verdict.note),
        )
    return table
