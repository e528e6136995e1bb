"""Write the labelled questions about the demo knowledge: 600 questions in four languages, half of them out of scope.

python scripts/label_questions.py --knowledge knowledge --out tests/data/labelled_questions.jsonl
"""

import argparse
import json
import sys
from pathlib import Path

from knowledge.labelled import build

from rag_edit.core.atlas import default_atlas
from rag_edit.records.files import read_records

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Write or compare the file; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--knowledge", type=Path, default=ROOT / "knowledge")
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "data" / "labelled_questions.jsonl")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file differs")
    given = parser.parse_args()
    cases = build([each.record for each in read_records([given.knowledge], default_atlas()).records], given.seed)
    lines, numbers = [], dict.fromkeys(("en", "de", "fr", "es"), 0)
    for case in cases:
        numbers[case.language] += 1
        row = {
            "id": f"{case.language}-{numbers[case.language]:03d}",
            "question": case.question,
            "jurisdiction": case.jurisdiction,
            "as_of": case.as_of.isoformat(),
            "language": case.language,
            "expect": case.expect,
            "why": case.why,
        }
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    text = "".join(lines).encode()
    if given.check:
        return 0 if given.out.read_bytes() == text else 1
    given.out.write_bytes(text)
    print(f"{len(lines)} questions in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
