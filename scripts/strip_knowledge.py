"""Write the demo knowledge as somebody writes who knows no fields: question, answer, place and dates alone.

Usage: python scripts/strip_knowledge.py OUT.jsonl [--placed]

With --placed each question names its place too ("What is the standard VAT rate in Germany?"). For measuring how much the decision
needs what the demo's editors added; see "Located records" in docs/experiments-scope.md.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from rag_edit.core.atlas import default_atlas
from rag_edit.records.files import read_records

KEPT: Final = ("id", "jurisdiction", "question", "answer", "language", "valid_from", "valid_to", "author", "institution")
KNOWLEDGE: Final = Path(__file__).parent.parent / "knowledge"


def main() -> None:
    """Write one JSON line a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--placed", action="store_true", help="name the place in each question")
    options = parser.parse_args()
    atlas, lines = default_atlas(), list[str]()
    for record in (located.record for located in read_records([KNOWLEDGE], atlas).records):
        row: dict[str, Any] = {key: str(value) for key in KEPT if (value := getattr(record, key)) not in (None, "")}
        if options.placed and record.jurisdiction != "GLOBAL":
            row["question"] = f"{record.question.rstrip(' ?')} in {atlas.names(record.jurisdiction)[0]}?"
        lines.append(json.dumps(row, ensure_ascii=False))
    options.out.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines)} records in {options.out}")


if __name__ == "__main__":
    main()
