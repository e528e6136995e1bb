"""How fast the map of what is live is made, changed and proved from, and how large proofs are. Run: ``python -m rag_edit.bench.speed_map``.

Made-up records in four jurisdictions and 37 topics, as entries that were read already: what signing, judging and storing them costs
is not in these figures. Processor times, since a busy machine stretches the clock's. Nothing is asserted.
"""

import argparse
import json
import time
from typing import Any, Final

from rag_edit.core.digest import Json, canonical_json
from rag_edit.provenance.replay import EDITS, Replay
from rag_edit.provenance.resolution import found_in, key_of
from rag_edit.provenance.statement import Statement, Subject

PLACES: Final = ("DE", "FR", "DE-BY", "GLOBAL")
TOPICS: Final = 37
CHUNK: Final = 100
DIGEST: Final = "sha256:" + "5a" * 32


def entries(numbers: range, version: int) -> list[Statement]:
    """Return the entries by which so many records are put forward and go live."""
    found = []
    for start in range(numbers.start, numbers.stop, CHUNK):
        some = [(f"fact-{n:07}", PLACES[n % 4], f"topic.{n % TOPICS}") for n in range(start, min(start + CHUNK, numbers.stop))]
        items: list[Json] = [{"content": DIGEST, "record": r, "remit": {"jurisdiction": j, "topic": t}} for r, j, t in some]
        change, subjects = f"change-{start}-{version}", tuple(Subject(f"{r}@{version}", DIGEST) for r, _, _ in some)
        found.append(Statement("propose", (Subject(f"change:{change}", DIGEST),), {"change": change, "items": items}))
        found.append(Statement(EDITS, subjects, {"acts": ["change"] * len(some), "change": change}))
    return found


def measure(records: int) -> dict[str, Any]:
    """Return the figures for so many live records."""
    replay, said = Replay(), entries(range(records), 1)
    start = time.process_time()
    for each in said:
        replay.hear(each)
    heard = time.process_time()
    _ = replay.root
    made = time.process_time()
    changes = [statement for n in range(200) for statement in entries(range(n, n + 1), 2)]
    again = time.process_time()
    for each in changes:
        replay.hear(each)
        _ = replay.root
    changed = time.process_time()
    proofs = {}
    for name, parts in (
        ("no such jurisdiction", ("AT",)),
        ("one record", ("DE", "topic.0", "fact-0000000")),
        ("none", ("DE", "topic.0", "x")),
    ):
        proof, beginning = replay.map.prove(key_of(*parts), listed=1), key_of(*parts)
        at = time.process_time()
        found_in(proof, beginning, replay.map.root)
        proofs[name] = {"bytes": len(canonical_json(proof.to_json())), "check_ms": round((time.process_time() - at) * 1e3, 3)}
    return {
        "records": records,
        "hear_ms": round((heard - start) * 1e3, 1),
        "root_ms": round((made - heard) * 1e3, 1),
        "one_change_ms": round((changed - again) * 1e3 / 200, 3),
        "proofs": proofs,
    }


def main() -> None:
    """Print the figures as JSON, a line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[5_000, 200_000])
    for records in parser.parse_args().records:
        print(json.dumps(measure(records)))


if __name__ == "__main__":
    main()
