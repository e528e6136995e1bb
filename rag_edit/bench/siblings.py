"""Near siblings in small homes: who asks for a like thing, or for something else of the same thing, is to get no record.

Run: ``python -m rag_edit.bench.siblings tests/data/siblings.jsonl --out DIR [--homes abc]``. A line is a record about a thing with a
small letter, ``same`` wordings of its question, and questions that ask for another thing or another relation. Homes of thirty
records each, once with the subjects and once with question and answer alone; routing only, no model writes. Counts with
Wilson intervals; every question's fate is kept in ``DIR/siblings.jsonl``.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from rag_edit.config import Settings
from rag_edit.core.interval import wilson
from rag_edit.opening import create_store, open_engine
from rag_edit.records.files import read_records
from rag_edit.records.plan import make_plan

OTHERS: Final = ("other_thing", "other_relation", "other_thing_reworded")
KINDS: Final = ("same", *OTHERS)
_DAY: Final = date(2026, 1, 1)
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def measure(
    rows: Sequence[Mapping[str, Any]], *, with_subject: bool, settings: Settings | None = None
) -> Iterator[dict[str, Any]]:
    """Put one home's records into force and yield one line a question: its kind, and which record it went to.

    Args:
        rows: Lines of the file.
        with_subject: Whether records name their subject.
        settings: Of the home; None: the defaults.
    """
    fields = ("id", "question", "answer", "target", *(("subject",) if with_subject else ()))
    records = [{name: row[name] for name in fields} | {"jurisdiction": "GLOBAL"} for row in rows]
    with tempfile.TemporaryDirectory() as directory:
        home, source = Path(directory) / "home", Path(directory) / "records.jsonl"
        source.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
        create_store(home)
        with open_engine(home, settings or Settings()) as engine:
            read = read_records([source], engine.atlas)
            engine.apply(make_plan(read, engine.newest(), engine.atlas, on_conflict="newest", today=_DAY), recorded_at=_NOW)
            asked = [(row["id"], kind, text) for row in rows for kind in KINDS for text in row[kind]]
            outcomes = engine.ask_many([engine.query(text, as_of=_DAY) for *_, text in asked], route_only=True)
    for (name, kind, text), outcome in zip(asked, outcomes, strict=True):
        winner = outcome.decision.winner
        yield {
            "record": name,
            "kind": kind,
            "with_subject": with_subject,
            "question": text,
            "went_to": winner.record.id if winner else None,
            "score": outcome.decision.score,
        }


def counts(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return by kind how many questions were right and wrong: of ``same`` the own record is right, of the others none is."""
    found = {}
    for kind in KINDS:
        own = [line for line in lines if line["kind"] == kind]
        fates = Counter(
            "none" if line["went_to"] is None else "own" if line["went_to"] == line["record"] else "other" for line in own
        )
        right = fates["own"] if kind == "same" else fates["none"]
        wrong = fates["other"] if kind == "same" else len(own) - right
        low, high = wilson(wrong, len(own))
        found[kind] = {"n": len(own), "right": right, "wrong": wrong, "wrong_interval": [round(low, 3), round(high, 3)]}
    return found


def main() -> None:
    """Measure, keep every line, print counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--homes", default="", help="letters of the homes; all without it")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.file.read_text("utf-8").splitlines()]
    homes = [home for home in sorted({row["home"] for row in rows}) if not given.homes or home in given.homes]
    lines = [
        {"home": home, **line}
        for home in homes
        for with_subject in (True, False)
        for line in measure([row for row in rows if row["home"] == home], with_subject=with_subject)
    ]
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "siblings.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    shown = {
        name: counts([line for line in lines if line["with_subject"] is way])
        for name, way in (("with subject", True), ("question and answer alone", False))
    }
    sys.stdout.write(json.dumps({"homes": homes, **shown}, indent=1) + "\n")


if __name__ == "__main__":
    main()
