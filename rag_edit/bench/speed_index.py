"""How fast the index is: build, search and memory on made-up records. Run: ``python -m rag_edit.bench.speed_index``.

Vectors are clustered at random around 1,000 centres (384 dimensions), so that no encoder is needed; texts are made of random
words. ``yardstick_ms`` is one exact search of 10,000 such vectors in numpy on the same machine at the same time, and
``search_cpu_ms`` the processor time of a search, which a busy machine stretches less than the clock's. Nothing is asserted.
"""

import argparse
import gc
import json
import resource
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.index.faiss_partition import FaissShelf
from rag_edit.index.retriever import Retriever

DIM: Final = 384
CENTRES: Final = 1_000
_THEN: Final = datetime(2026, 1, 1, tzinfo=UTC)


class ClusteredEmbedder:
    """Vectors drawn near one of CENTRES centres by the text's checksum: an encoder's shape at no cost."""

    digest = "sha256:clustered"
    dim = DIM

    def __init__(self) -> None:
        self._centres = np.random.default_rng(0).normal(size=(CENTRES, DIM)).astype(np.float32)

    def encode(
        self, texts: Sequence[str], *, kind: Literal["query", "record"], progress: Callable[[int], None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return (n, DIM) unit vectors; equal texts have equal ones."""
        del kind
        codes = np.array([zlib.crc32(text.encode()) for text in texts], dtype=np.int64)
        noise = np.random.default_rng(codes[:1]).normal(size=(len(texts), DIM)).astype(np.float32) if len(texts) else 0
        out = self._centres[codes % CENTRES] + 0.5 * noise
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        if progress is not None:
            progress(len(texts))
        return out.astype(np.float32)


def records(count: int, jurisdiction: str, seed: int) -> list[RecordVersion]:
    """Return made-up live versions: a question, one paraphrase, a statement; subjects of two words, one in ten shared."""
    chance = np.random.default_rng(seed)
    letters = np.array(list("aabcdeeefghiiklmnnoooprrsttuvw"))
    words = ["".join(chance.choice(letters, size)) for size in chance.integers(3, 9, 6_000)]
    out = []
    for n, row in enumerate(chance.integers(0, len(words), (count, 12))):
        chosen = [words[at] for at in row]
        subject = " ".join(chosen[:2]).title() if n % 10 else words[n % 500].title()
        record = Record(
            id=f"{jurisdiction}-{seed}-{n}",
            jurisdiction=jurisdiction,
            question=f"What is the {' '.join(chosen[2:5])} of {subject}?",
            paraphrases=(f"Tell me {' '.join(chosen[5:9])} {subject}",),
            subject=subject,
            relation=" ".join(chosen[9:11]),
            answer="yes",
        )
        out.append(RecordVersion(record, 1, seed * 1_000_000 + n + 1, Status.LIVE, _THEN, "sha256:0"))
    return out


@contextmanager
def timed(figures: dict[str, float], name: str) -> Iterator[None]:
    """Write the seconds of a block."""
    started = time.perf_counter()
    yield
    figures[f"{name}_s"] = round(time.perf_counter() - started, 3)


def measure(parts: dict[str, int], chain: Sequence[str], queries: int = 300) -> dict[str, float]:
    """Return the figures of one layout: records by jurisdiction, searched along ``chain``."""
    figures: dict[str, float] = {"partitions": len(parts), "records": sum(parts.values())}
    live = {name: records(count, name, seed) for seed, (name, count) in enumerate(parts.items())}
    embedder = ClusteredEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        gc.collect()
        before = _resident()
        made = Retriever(FaissShelf(Path(folder)), embedder)
        with timed(figures, "build"):
            made.refresh_all(live)
        with timed(figures, "save"):
            made.save()
        gc.collect()
        figures["memory_bytes_per_record"] = round((_resident() - before) / figures["records"])
        status = made.status()
        figures["rows"] = sum(each.rows for each in status)
        figures["disk_bytes_per_record"] = round(sum(each.bytes_on_disk for each in status) / figures["records"])
        asked = [version.record.question for name in chain for version in live[name][:: max(1, len(live[name]) * 3 // queries)]]
        asked = [text if n % 2 else text.replace("What", "Waht", 1) for n, text in enumerate(asked)][:queries]
        vectors = embedder.encode(asked, kind="query")
        yardstick, found = [], 0
        ruler = np.random.default_rng(0).normal(size=(10_000, DIM)).astype(np.float32)
        for name in ("first_pass", "search"):  # the first touches pages of the mapped files that nobody has touched yet
            times, used = [], 0.0
            for text, vector in zip(asked, vectors, strict=True):
                started, ticked = time.perf_counter(), time.thread_time()
                found += len(made.search(chain, [text], vector[np.newaxis])[0])
                times.append(1_000 * (time.perf_counter() - started))
                used += time.thread_time() - ticked
                started = time.perf_counter()
                np.argpartition(ruler @ vector, -32)
                yardstick.append(1_000 * (time.perf_counter() - started))
            figures[f"{name}_p50_ms"] = round(statistics.median(times), 3)
            figures[f"{name}_cpu_ms"] = round(1_000 * used / len(asked), 3)
            figures[f"{name}_p99_ms"] = round(sorted(times)[int(0.99 * len(times))], 3)
        figures["yardstick_ms"] = round(statistics.median(yardstick), 3)
        figures["candidates"] = round(found / len(asked) / 2, 1)
        with timed(figures, "batch"):
            made.search(chain, asked, vectors)
        figures["batch_ms_per_question"] = round(1_000 * figures.pop("batch_s") / len(asked), 3)
        edit = records(1, chain[0], 999)
        with timed(figures, "edit"):
            made.apply(edit)
        with timed(figures, "edit_save"):
            made.save()
        made.close()
        again = Retriever(FaissShelf(Path(folder)), embedder)
        live[chain[0]] += edit
        with timed(figures, "reopen"):
            again.refresh_all(live)
    return figures


def _resident() -> int:
    """Return the resident bytes of this process without mapped files."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(fields.get("RssAnon", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} kB").split()[0])


LAYOUTS: Final[dict[str, tuple[dict[str, int], tuple[str, ...]]]] = {
    "one-10k": ({"DE": 10_000}, ("DE",)),
    "one-100k": ({"DE": 100_000}, ("DE",)),
    "hundred-1k": ({f"D{n}": 1_000 for n in range(100)}, ("D1", "D2", "D3")),
    "chain-100k": ({"DE": 1_000, "EU": 19_000, "GLOBAL": 80_000}, ("DE", "EU", "GLOBAL")),
}


def main() -> None:
    """Measure the layouts named, all of them by default, and print one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layouts", nargs="*", default=list(LAYOUTS), help=f"of {', '.join(LAYOUTS)}")
    for name in parser.parse_args().layouts:
        print(json.dumps({"layout": name, **measure(*LAYOUTS[name])}), flush=True)


if __name__ == "__main__":
    main()
