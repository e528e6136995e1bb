"""Build the demo knowledge: real facts by jurisdiction and date, from packages and, with --data, from dated tables.

    python scripts/build_knowledge.py --data ../shared/data --out knowledge

Without --data only what comes from packages is built. The same sources give the same bytes; --check compares instead of writing.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from knowledge.write import REPORT, files_of

from knowledge import cldr, emergency, holidays_source, minimum_wage, speed_limits, vat
from rag_edit.core.record import Record

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Write or compare the files; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "knowledge", help="directory to write to")
    parser.add_argument("--data", type=Path, help="directory with vat_rates, us_min_wage and osm_speed_limits")
    parser.add_argument("--first-year", type=int, default=2026, help="first of the three years of public holidays")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where --out differs")
    given = parser.parse_args()
    files = files_of(records(given.data, given.first_year))
    if given.data is None:
        del files[REPORT]  # it counts all topics
    if given.check:
        return compare(given.out, files)
    for name, text in files.items():
        path = given.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    print(files.get(REPORT, f"{len(files)} files in {given.out}"))
    return 0


def records(data: Path | None, first_year: int) -> Iterator[Record]:
    """Yield all records of the sources that are there."""
    yield from holidays_source.build(first_year)
    yield from cldr.build()
    yield from emergency.build()
    if data is not None:
        yield from vat.build(data)
        yield from minimum_wage.build(data)
        yield from speed_limits.build(data)


def compare(out: Path, files: Mapping[str, str]) -> int:
    """Return 0 where every file is there with these bytes; else say which is not and return 1."""
    stale = [name for name, text in files.items() if not (out / name).is_file() or (out / name).read_bytes() != text.encode()]
    for name in stale:
        print(f"{out / name}: differs from what the sources give; run scripts/build_knowledge.py --data DIR", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
