"""Where the records of each topic are written, in which format, and the report that counts them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from rag_edit.core.record import Record
from rag_edit.records.conflicts import Rivals, Statement
from rag_edit.records.formats import FORMATS

_FILES: Final = {
    "money.currency": "money/currency.csv",
    "calendar.first-weekday": "calendar/first-weekday.csv",
    "measurement.system": "measurement/system.csv",
    "emergency.number": "emergency/numbers.jsonl",
    "tax.vat.standard": "tax/vat-standard.jsonl",
    "tax.vat": "tax/vat-other.yaml",
    "work": "work/us-minimum-wage.jsonl",
    "traffic": "traffic/speed-limits.jsonl",
}
REPORT: Final = "COUNTS.md"


def path_of(record: Record) -> str:
    """Return the file of a record: holidays by country, the other topics in one file each."""
    topic = record.topic
    if topic.startswith("holiday."):
        return f"holiday/{record.jurisdiction.partition('-')[0]}.jsonl"
    while topic not in _FILES:
        topic = topic.rpartition(".")[0]
    return _FILES[topic]


def files_of(records: Iterable[Record]) -> dict[str, str]:
    """Return the text of each file by its path, records ordered by id.

    Raises:
        ValueError: two records share an id or contradict one another: a fault of a source module.

    """
    by_path: dict[str, list[Record]] = defaultdict(list)
    ordered = sorted(records, key=lambda r: r.id)
    _refuse_conflicts(ordered)
    for record in ordered:
        by_path[path_of(record)].append(record)
    written = {path: FORMATS[path.rpartition(".")[2]].write(group) for path, group in sorted(by_path.items())}
    written[REPORT] = report(ordered)
    return written


def report(records: Iterable[Record]) -> str:
    """Return the counts by topic as Markdown."""
    topics, places = Counter[str](), defaultdict[str, set[str]](set)
    for record in records:
        topics[record.topic] += 1
        places[record.topic].add(record.jurisdiction)
    rows = [f"| {topic} | {topics[topic]:,} | {len(places[topic])} |" for topic in sorted(topics)]
    everywhere = set[str]().union(*places.values())
    rows.append(f"| all | {topics.total():,} | {len(everywhere)} |")
    return "\n".join(
        [
            "# What is here",
            "",
            "Written by `scripts/build_knowledge.py`.",
            "",
            "| topic | records | jurisdictions |",
            "|---|---:|---:|",
            *rows,
            "",
        ]
    )


def _refuse_conflicts(records: list[Record]) -> None:
    rivals, ids, faults = Rivals(), set[str](), []
    for record in records:
        if record.id in ids:
            faults.append(f"{record.id}: twice")
        ids.add(record.id)
        statement = Statement(record, record.id)
        faults += [f"{record.id} and {r.found.where} contradict: {r.about}" for r in rivals.of(statement) if not r.same_answer]
        rivals.add(statement)
    if faults:
        raise ValueError("\n".join(faults[:40]))
