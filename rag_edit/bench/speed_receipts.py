"""How fast receipts are made and verified, and how large they are. Run: ``python -m rag_edit.bench.speed_receipts``.

A made-up ledger and a receipts log of so many entries each; every receipt names one record that answered and 16 candidates.
Receipts are not stored; heads are kept in an anchor file that is flushed to disk, one flush a batch: what the records store
adds is not in these figures. Processor times stand beside the clock's, since a busy machine stretches those. Nothing is
asserted.
"""

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rag_edit.provenance.anchor import FileAnchor
from rag_edit.provenance.checkpoint import Checkpoint
from rag_edit.provenance.commitment import committed
from rag_edit.provenance.merkle import Tree, hash_leaf
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.receipt import Asked, Decided, Models, Receipt, ReceiptBody, Used, Weighed
from rag_edit.provenance.receipt_log import ReceiptHead, ReceiptLog
from rag_edit.provenance.signer import SeedSigner
from rag_edit.provenance.verify import Trust, verify_receipt

LEDGER: Final = "bench.example/rag-edit/ledger"
RECEIPTS: Final = "bench.example/rag-edit/receipts"
DIGEST: Final = "sha256:" + "5a" * 32


class Forgetful:
    """A store that keeps the head alone, so that the log may begin at any size."""

    def __init__(self) -> None:
        self._head: ReceiptHead | None = None

    def append(self, start: int, receipts: Sequence[Receipt], head: ReceiptHead) -> None:
        """Keep the head."""
        del start, receipts
        self._head = head

    def head(self) -> ReceiptHead | None:
        """Return the head."""
        return self._head


def make_body(number: int, tree: Tree, note: str) -> ReceiptBody:
    """Return a receipt's body as an answer makes it: two commitments, one proof, 16 candidates."""
    record = number * 7919 % (tree.size - 16)
    salt = hashlib.sha256(f"salt {number}".encode()).digest()
    weighed = tuple(
        Weighed(
            f"vat-standard-rate-{record + k}", 1, ("DE", "EU", "GLOBAL")[k % 3], 934_000 if k == 0 else 300_000 - k,
            "IN_SCOPE" if k == 0 else "BELOW_THRESHOLD", {"lexical_u6": 410_000 + k, "similarity_u6": 833_000 - k},
        )
        for k in range(16)
    )  # fmt: skip
    used = Used(weighed[0].record, 1, DIGEST, record, tree.leaf_hash(record), tree.inclusion_proof(record))
    question = committed("question", salt, f"What is the standard VAT rate, asked {number} times?".encode())
    return ReceiptBody(
        id=f"receipt-{number:012d}",
        issued="2026-11-22T10:00:00.123456Z",
        asked=Asked(question, "DE-BY", "parameter", "2026-11-22", tree.size, "en"),
        decided=Decided(
            "OVERRIDE",
            "IN_SCOPE",
            "open",
            600_000,
            40_000,
            DIGEST,
            ("DE-BY", "DE", "EU", "GLOBAL"),
            weighed[0].name,
            (),
            weighed,
        ),
        models=Models(DIGEST, DIGEST, DIGEST, DIGEST, DIGEST),
        answer=committed("answer", salt, b"The standard rate is 19 %."),
        rung="verbatim",
        used=(used,),
        ledger=note,
    )


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    act()
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)


def quantiles(samples: list[tuple[float, float]]) -> dict[str, float]:
    """Return the median and the 99th percentile by the clock, and the median of the processor, in ms."""
    clock, processor = sorted(c for c, _ in samples), [p for _, p in samples]
    return {
        "p50_ms": round(statistics.median(clock), 3),
        "p99_ms": round(clock[int(0.99 * (len(clock) - 1))], 3),
        "cpu_p50_ms": round(statistics.median(processor), 3),
    }


def measure(entries: int, receipts: int, batch: int, directory: Path) -> dict[str, object]:
    """Return the figures for a ledger and a receipts log of ``entries`` each."""
    signer = SeedSigner(hashlib.sha256(b"bench").digest())
    tree = Tree(hash_leaf(b"entry %d" % n) for n in range(entries))
    note = Checkpoint(LEDGER, tree.size, tree.root()).sign(signer)
    start = Tree.resume(tree.size, tree.edge())
    log = ReceiptLog(RECEIPTS, Forgetful(), signer, start, FileAnchor(directory / "anchor.jsonl"))
    trust = Trust((NoteKey(RECEIPTS, signer.key),), (NoteKey(LEDGER, signer.key),))
    made: list[bytes] = []

    def issue(first: int, count: int) -> None:
        bodies = [make_body(number, tree, note).to_bytes() for number in range(first, first + count)]
        made.extend(receipt.to_bytes() for receipt in log.seal(bodies))

    single = [timed(lambda n=n: issue(n, 1)) for n in range(200)]  # type: ignore[misc]
    batches = [timed(lambda n=n: issue(n, batch)) for n in range(200, receipts, batch)]  # type: ignore[misc]
    verifying = [timed(lambda data=data: verify_receipt(data, trust)) for data in made[:1000]]  # type: ignore[misc]
    if not all(verify_receipt(data, trust).holds for data in made[::97]):
        raise SystemExit("a receipt does not hold")
    sizes = sorted(map(len, made))
    return {
        "ledger_entries": entries,
        "receipts": len(made),
        "decision_to_receipt_one_by_one": quantiles(single),
        f"receipts_a_second_in_batches_of_{batch}": round(batch * len(batches) / (sum(clock for clock, _ in batches) / 1000)),
        "receipts_a_processor_second": round(batch * len(batches) / (sum(cpu for _, cpu in batches) / 1000)),
        "verify_L1": quantiles(verifying),
        "bytes_p50": sizes[len(sizes) // 2],
        "bytes_p95": sizes[int(0.95 * (len(sizes) - 1))],
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--receipts", type=int, default=5_000)
    parser.add_argument("--batch", type=int, default=64)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(measure(args.entries, args.receipts, args.batch, Path(directory)), indent=1))


if __name__ == "__main__":
    main()
