"""`make bench`: what the product costs on this machine, as ratios within one run, since machines are noisy.

usage: python -m rag_edit.bench.speed [--records 10000] [--jurisdictions 10] [--questions 2000] [--decide-only] [--out bench-out/speed.json]
Measures, on generated records in a fresh home with the real encoder:
  apply        seconds to apply one JSONL file over the seconds to encode the same texts alone
  decide       p50 and p99 of one decision over the p50 of one pass of the same encoder without anything else, interleaved
  batch        questions a second decided in batches over questions a second encoded in batches
  memory       bytes of memory and of disk a record
"""

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from rag_edit.config import INDEX_NAME, STORE_NAME, Settings
from rag_edit.core.atlas import default_atlas
from rag_edit.index.views import views
from rag_edit.lm.open import open_encoder
from rag_edit.opening import create_store, open_engine
from rag_edit.records.files import read_records
from rag_edit.records.plan import make_plan

PLACES: Final = ("DE", "FR", "ES", "AT", "IT", "US", "US-CA", "JP", "GLOBAL", "EU")
THINGS: Final = ("permit", "licence", "fee", "limit", "deadline", "allowance", "rate", "quota", "surcharge", "deposit")
TRADES: Final = ("bakers", "pilots", "anglers", "beekeepers", "couriers", "divers", "glaziers", "miners", "tanners", "weavers")


def places(count: int) -> tuple[str, ...]:
    """Return ``count`` jurisdictions: the ten of `PLACES`, then countries by code."""
    countries = [code for code in sorted(default_atlas()) if len(code) == 2 and code not in PLACES]
    return (*PLACES, *countries)[:count]


def records(count: int, seed: int, jurisdictions: int = len(PLACES)) -> list[dict[str, str]]:
    """Return ``count`` distinct records with questions of natural length, spread over ``jurisdictions``."""
    rng, where = random.Random(seed), places(jurisdictions)
    made = []
    for n in range(count):
        subject = f"{rng.choice(THINGS)} {n} for {rng.choice(TRADES)}"
        question = rng.choice(("What is the {}?", "How high is the {}?", "Which {} applies today?")).format(subject)
        row = {
            "id": f"b{n}",
            "jurisdiction": where[n % len(where)],
            "subject": subject,
            "relation": "amount",
            "question": question,
        }
        made.append({**row, "answer": f"It is {n}.", "target": str(n)})
    return made


def measure(count: int, questions: int, seed: int, jurisdictions: int, *, decide_only: bool) -> dict[str, Any]:
    """Run the measurements in a temporary home and return the figures."""
    with tempfile.TemporaryDirectory() as directory:
        home, source = Path(directory) / "home", Path(directory) / "records.jsonl"
        rows = records(count, seed, jurisdictions)
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        create_store(home)
        with open_engine(home, Settings()) as engine:
            engine.embedder.encode(["warm up"], kind="query")
            before = _memory()
            started = time.perf_counter()
            read = read_records([source], engine.atlas)
            plan = make_plan(read, engine.newest(), engine.atlas, on_conflict="refuse", today=date(2026, 1, 1))
            engine.apply(plan, recorded_at=datetime(2026, 1, 1, tzinfo=UTC))
            apply_s = time.perf_counter() - started
            grown = _memory() - before
            texts = sorted({view for located in read.records for view in views(located.record)})
            started = time.perf_counter()
            plain = open_encoder(Settings().encoder, Settings().cache_dir)
            plain.encode(texts[: 64 if decide_only else None], kind="record")
            encode_s = time.perf_counter() - started
            asked = [
                engine.query(row["question"].replace("?", " now?"), jurisdiction=row["jurisdiction"], as_of=date(2026, 1, 1))
                for row in rows[:questions]
            ]
            one = _interleaved(engine, plain, asked[: min(300, questions)])
            started = time.perf_counter()
            for at in range(0, len(asked), 256):
                engine.ask_many(asked[at : at + 256], route_only=True)
            decide_rate = len(asked) / (time.perf_counter() - started)
            started = time.perf_counter()
            plain.encode([q.question for q in asked], kind="query")
            encode_rate = len(asked) / (time.perf_counter() - started)
        disk = {
            name: sum(p.stat().st_size for p in (home / name).rglob("*") if p.is_file()) for name in (STORE_NAME, INDEX_NAME)
        }
    return {
        "records": count,
        "jurisdictions": jurisdictions,
        "questions": len(asked),
        "seed": seed,
        "apply": {
            "apply_s": round(apply_s, 2),
            "texts": len(texts),
            **({} if decide_only else {"encode_s": round(encode_s, 2), "ratio": round(apply_s / encode_s, 3)}),
        },
        "decide": one,
        "batch": {
            "decide_per_s": round(decide_rate),
            "encode_per_s": round(encode_rate),
            "ratio": round(decide_rate / encode_rate, 3),
        },
        "bytes_per_record": {"memory": round(grown / count), **{name: round(size / count) for name, size in disk.items()}},
    }


def _interleaved(engine: Any, plain: Any, queries: list[Any]) -> dict[str, float]:
    """Time one pass of the plain encoder and one whole decision in turn, on the same questions."""
    encode: list[float] = []
    decide: list[float] = []
    for query in queries[:20]:
        engine.ask_many([query], route_only=True)
    for query in queries:
        started = time.perf_counter()
        plain.encode([query.question], kind="query")
        encode.append(1000 * (time.perf_counter() - started))
        started = time.perf_counter()
        engine.ask_many([query], route_only=True)
        decide.append(1000 * (time.perf_counter() - started))
    p50, pass_ms = statistics.median(decide), statistics.median(encode)
    p99 = sorted(decide)[int(0.99 * (len(decide) - 1))]
    return {
        "encode_p50_ms": round(pass_ms, 2),
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "ratio": round(p50 / pass_ms, 3),
    }


def _memory() -> int:
    """Return the most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--jurisdictions", type=int, default=len(PLACES))
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--decide-only", action="store_true", help="leave out encoding everything a second time")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("bench-out/speed.json"))
    options = parser.parse_args()
    figures = measure(options.records, options.questions, options.seed, options.jurisdictions, decide_only=options.decide_only)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
