"""Outcomes for people: a question, its answer, and why."""

from typing import Any

from rich.console import Console
from rich.text import Text

from rag_edit.cli.explained import Explained, ExplainedCandidate

COLOURS = {"OVERRIDE": "green", "ADAPTER": "green", "BASE": "blue", "ABSTAIN": "yellow"}
GATE_COLOURS = {"passed": "green", "failed": "red", "not asked": "dim"}
SHOWN = 6  # groups of candidates in full; the rest are counted
NAMED = 3  # of a group, beside the first
BAR = 20


def print_outcome(outcome: Any, *, explained: Explained | None = None) -> None:
    """Print one outcome: the answer first, then where it comes from, then the candidates where ``explained`` is given."""
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
    if explained is not None:
        print_explained(console, outcome, explained)


def print_explained(console: Console, outcome: Any, explained: Explained) -> None:
    """Print what was read and searched, where the cut is, and how far each candidate came."""
    head = explained.heading
    rows = [("why", head.summary)]
    if head.asked:
        rows.append(("read as", repr(head.asked) + (", completed from the turns before" if head.follows else "")))
    named = [*(f"place {p}" for p in head.places), *(f"date {d}" for d in head.dates)]
    rows.append(("form", str(head.form) + (f"; names {', '.join(named)}" if named else "; names no place and no date")))
    rows.append(("searched", f"{' > '.join(head.chain)} as of {outcome.query.as_of}"))
    if head.crossed:
        rows.append(("then", f"{' > '.join(head.crossed)}: the question names it, and this deployment allows it"))
    own = "" if head.cut_is_for_form else ", the common one: none was chosen for this form"
    rows.append(("cut", f"{head.cut:.3f}{own} ({head.chosen_on})"))
    console.print()
    for name, words in rows:
        console.print(Text.assemble((f"{name:>9}  ", "bold"), words))
    groups = _alike(explained.candidates)
    for place, group in enumerate(groups[:SHOWN], start=1):
        each = group[0]
        console.print()
        filled = round(BAR * each.probability)
        console.print(
            Text.assemble(
                (f"{place:>2}. {each.name}", "bold"),
                f" in {each.partition}  {each.probability:.3f} ",
                ("█" * filled, "green" if each.probability >= head.cut else "red"),
                ("░" * (BAR - filled), "dim"),
            )
        )
        gates = Text("    ")
        for n, (gate, state) in enumerate(each.gates.items()):
            gates.append(" > " if n else "")
            gates.append(f"{gate} {state}", style=GATE_COLOURS[state])
        console.print(gates)
        for sentence in each.sentences:
            console.print(Text(f"    {sentence}"))
        if each.features:
            shown = ", ".join(f"{words} {value:.2f}" for _, words, value in each.features)
            console.print(Text(f"    numbers: {shown}", style="dim"))
        if len(group) > 1:
            others = ", ".join(other.name for other in group[1 : 1 + NAMED])
            more = f" and {len(group) - 1 - NAMED} more" if len(group) > 1 + NAMED else ""
            console.print(Text(f"    the same goes for {others}{more}"))
    rest = [each for group in groups[SHOWN:] for each in group]
    if rest:
        console.print(
            Text(f"\n    and {len(rest)} more, the best of them {rest[0].name} with {rest[0].probability:.3f}", style="dim")
        )


def _alike(candidates: tuple[ExplainedCandidate, ...]) -> list[list[ExplainedCandidate]]:
    """Return the candidates in their order, those that fared alike together: one fact at several times, as a rule."""
    groups: dict[tuple[object, ...], list[ExplainedCandidate]] = {}
    for each in candidates:
        key = (each.reason, each.partition, round(each.probability, 6), each.sentences[-1])
        groups.setdefault(key, []).append(each)
    return list(groups.values())
