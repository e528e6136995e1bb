"""kill -9 while partitions are written: a real process, killed at any instant, and a restart without help.

RAG_EDIT_KILLS sets the number of kills of the slow test.
"""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.index.brute import BruteShelf
from rag_edit.index.faiss_partition import FaissShelf
from rag_edit.index.retriever import Retriever
from rag_edit.testing import FakeEmbedder
from tests.e2e.pipes import Lines

KILLS = int(os.environ.get("RAG_EDIT_KILLS", "200"))
THEN = datetime(2026, 1, 1, tzinfo=UTC)
QUESTIONS = ["question 3 about tax 3", "qestion 17", "tax 40", "question 61 about tax 61"]

# A process that has its libraries loaded and forks one writer a line read: the line is the writer's seed. The writer makes
# the partition hold other records again and again, saving and compacting, until it is killed.
WRITERS = """
import os, random, sys
from pathlib import Path
from kill_index import versions
import faiss
from rag_edit.index.faiss_partition import FaissShelf
from rag_edit.index.retriever import Retriever
from rag_edit.testing import FakeEmbedder

def write(seed):
    notify = lambda text: os.write(1, f"NOTICE {text}\\n".encode())
    made = Retriever(FaissShelf(Path(sys.argv[1]), flat_rows=40), FakeEmbedder(), notify=notify)
    chance = random.Random(seed)
    made.refresh("DE", [])
    os.write(1, b"%d\\n" % os.getpid())
    while True:
        made.refresh("DE", versions(chance.sample(range(60), chance.randint(1, 60))))
        made.compact() if chance.random() < 0.5 else made.save()
        os.write(1, b"saved\\n")

for line in iter(sys.stdin.readline, ""):
    writer = os.fork()
    if writer == 0:
        write(int(line))
    os.write(1, b"status %d\\n" % os.waitpid(writer, 0)[1])
"""


def versions(numbers: list[int]) -> list[RecordVersion]:
    return [
        RecordVersion(
            Record(f"r{n}", "DE", f"question {n} about tax {n}", "yes", subject=f"tax {n}"), 1, n + 1, Status.LIVE, THEN
        )
        for n in sorted(numbers)
    ]


def kill_loop(root: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    (root / "kill_index.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{Path(__file__).parents[2]}", "OMP_NUM_THREADS": "1"}
    vectors = FakeEmbedder().encode(QUESTIONS, kind="query")
    reused = 0
    command = [sys.executable, "-c", WRITERS, str(root / "indexes")]
    writers = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
    )
    assert writers.stdin is not None
    assert writers.stdout is not None
    lines = Lines(writers.stdout)
    try:
        for kill in range(kills):
            writers.stdin.write(b"%d\n" % (seed + kill))
            ready = lines.next(20)
            assert ready is not None
            assert ready[0].isdigit(), f"a partition was found corrupt after a kill: {ready}"
            for _ in range(chance.randint(0, 3)):
                assert lines.next(20) == ["saved"]
            time.sleep(chance.uniform(0.0, 0.03))
            os.kill(int(ready[0]), signal.SIGKILL)
            while (line := lines.next(20)) == ["saved"]:
                pass
            assert line == ["status", str(int(signal.SIGKILL))]

            numbers = chance.sample(range(60), chance.randint(1, 60))  # few enough that every list of the IVF is probed
            notices: list[str] = []
            embedder = FakeEmbedder()
            again = Retriever(FaissShelf(root / "indexes", flat_rows=40), embedder, notify=notices.append)
            oracle = Retriever(BruteShelf(), FakeEmbedder())
            for made in (again, oracle):
                made.refresh("DE", versions(numbers))
            assert notices == []
            assert again.search(("DE",), QUESTIONS, vectors, k=5) == oracle.search(("DE",), QUESTIONS, vectors, k=5)
            reused += len(embedder.encoded) < again.status()[0].rows
    finally:
        os.killpg(writers.pid, signal.SIGKILL)
        writers.communicate()
    assert reused > kills // 2  # what was saved is used again: the kills did not simply leave nothing


def test_a_few_kills_during_index_writes_need_no_help(tmp_path: Path) -> None:
    kill_loop(tmp_path, 4, seed=int(np.random.default_rng().integers(1_000_000)))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_kills_during_index_writes_need_no_help(tmp_path: Path) -> None:
    kill_loop(tmp_path, KILLS, seed=1)
