"""kill -9 at random points of acts, receipts, erasures and rotations: what was acknowledged holds, and nothing is half done.

A life opens a home and does one thing after another, saying on a pipe what it begins and what is done. It is forked by a process
that has done nothing but import, so that it costs milliseconds, and killed. After each life the home is opened here: the ledger is
audited against every head that was ever signed, every act judged again, every receipt that was acknowledged verified, and what
was erased searched for in every byte. RAG_EDIT_KILLS sets the number of kills of the slow lane.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rag_edit.authority.acts import EVERYTHING, Act, Erase, Resume, Suspend
from rag_edit.authority.book import Book
from rag_edit.config import Settings
from rag_edit.core.atlas import default_atlas
from rag_edit.core.decision import Answer, Candidate, Decision, Query, Reason, Route, ScopeScore, Verdict
from rag_edit.core.errors import StoreMissingError
from rag_edit.core.record import Status
from rag_edit.opening import create_store, open_store
from rag_edit.provenance.audit import audit_ledger
from rag_edit.provenance.receipt import Models
from rag_edit.provenance.verify import verify_receipt
from rag_edit.records.files import read_mappings
from rag_edit.records.plan import make_plan
from rag_edit.scope.calibration import Thresholds
from rag_edit.trust.entries import read_book
from rag_edit.trust.keeping import KeptReceipts, receipt_of
from rag_edit.trust.receipting import RECEIPTS, Answered, Receipts, open_log, redecide
from rag_edit.trust.rotating import rotate
from rag_edit.trust.trusting import open_office, receipts_anchor, territory
from tests.e2e.pipes import Lines

LIVES_PER_HOME = 12
SETTINGS = Settings()
NURSERY = """
import importlib.util, os, sys
from pathlib import Path
import duckdb, numpy, rag_edit.index.purge, rag_edit.lm.adapter_files, rag_edit.adapting
spec = importlib.util.spec_from_file_location("kill_trust", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["kill_trust"] = module
spec.loader.exec_module(module)
module.territory()
for line in sys.stdin:
    place, number = line.split()
    child = os.fork()
    if child == 0:
        os.write(1, b"born %d\\n" % os.getpid())
        module.live(Path(place), int(number))
    os.waitpid(child, 0)
    os.write(1, b"dead\\n")
"""


def live(home: Path, number: int) -> None:
    """Do things that no life before did, until killed."""
    chance = random.Random(f"{home}/{number}")
    create_store(home)
    with open_store(home) as store:
        office = open_office(home, SETTINGS, store)
        receipts = Receipts(
            office, Thresholds(0.5, 0.0, "s", "nothing"), lambda _a: Models(), "GLOBAL", lambda: datetime.now(UTC),
            receipts_anchor(home, SETTINGS),
        )  # fmt: skip
        for step in range(1000):
            name = f"r{number}x{step}"
            there = [v for v in store.live() if v.record.id != name]
            what = chance.choice(("put", "put", "seal", "seal", "seal", "switch", "erase", "rotate"))
            if not there:
                what = "put"
            victim = chance.choice(there).record.id if there else ""
            say(f"begin {what} {name if what == 'put' else victim}")
            match what:
                case "put":
                    fact = {"id": name, "jurisdiction": "DE", "question": f"What is {name}?", "answer": f"secret-{name}-secret"}
                    plan = make_plan(
                        read_mappings([fact], default_atlas()),
                        [],
                        default_atlas(),
                        on_conflict="refuse",
                        today=date(2026, 1, 1),
                    )
                    office.carry_out(plan, recorded_at=datetime.now(UTC))
                    say(f"done put {name}")
                case "seal":
                    names = receipts.seal([answered(store.get(victim), n) for n in range(chance.randint(1, 3))])
                    say(f"done seal {','.join(names)}")
                case "switch":
                    office.act(switch)
                    say("done switch -")
                case "erase":
                    office.act(lambda book, key, at, victim=victim: Erase(key, at, victim, book.line(victim).revision))
                    say(f"done erase {victim}")
                case "rotate":
                    before = office.signer.key
                    rotate(home, home / SETTINGS.passphrase_file, office)
                    say(f"done rotate {before}")


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # one write: killed before it or after it, not within


def switch(book: Book, key: str, at: datetime) -> Act:
    found = book.state.suspensions.get(EVERYTHING)
    if found is not None:
        return Resume(key, at, EVERYTHING, found.position)
    return Suspend(key, at, EVERYTHING, reason=f"after entry {book.state.position}")  # the same twice in a second is refused


def answered(version: object, number: int) -> Answered:
    found = Candidate(version, "DE", 0.9)  # type: ignore[arg-type]
    verdict = Verdict(found, ScopeScore(0.9), Reason.IN_SCOPE)
    decision = Decision(Route.OVERRIDE, Reason.IN_SCOPE, found.version, 0.9, (verdict,))
    query = Query(f"question {number}", default_atlas().parse("DE"), date(2026, 1, 1))
    return Answered(query, decision, Answer("words", "verbatim"), ("DE",), lambda _a, _b: False)


@dataclass
class Known:
    """What the lives of a home acknowledged."""

    put: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)  # begun, and nobody knows
    receipts: set[str] = field(default_factory=set)
    retired: set[str] = field(default_factory=set)

    def hear(self, words: list[str]) -> None:
        assert len(words) == 3, "the life ended by itself"
        said, what, about = words
        match what:
            case "put" if said == "done":
                self.put.add(about)
            case "erase":
                (self.erased if said == "done" else self.doubtful).add(about)
            case "seal" if said == "done":
                self.receipts |= set(about.split(","))
            case "rotate" if said == "done":
                self.retired.add(about)


def look(home: Path, known: Known) -> dict[str, int]:
    """Open the home as the kill left it and check all that must hold."""
    try:
        store = open_store(home)
    except StoreMissingError:
        assert known == Known(), "a home with acknowledged acts is missing"
        return {}
    with store:
        office = open_office(home, SETTINGS, store)
        office.ready()
        assert office.pending() == ()
        leaves = list(store.ledger.leaves())
        audited = audit_ledger(leaves, office.ledger.seal(), office.note_keys(), old=list(office.anchor.notes()))
        book = read_book(leaves, territory())
        live = {v.record.id for v in store.live()}
        assert live == {line.record for line in book.state.records.values() if line.live}, "store and ledger differ"
        assert {each.name for each in audited.replay.live.values()} == {version.name for version in store.live()}
        assert store.ledger.covered() == store.position()
        assert store.health().ok
        erased = {line.record for line in book.state.records.values() if line.erased}
        assert known.erased <= erased <= known.erased | known.doubtful
        assert known.put - erased <= live, "an acknowledged record is lost"
        trust = office.trust(RECEIPTS)
        for kept in store.receipts.all():
            known.receipts.discard(kept.id)
            verified = verify_receipt(receipt_of(kept).to_bytes(), trust, ledger=audited, redecide=redecide)
            assert verified.holds, verified.checks
        assert not known.receipts, "an acknowledged receipt is lost"
        known.receipts = {kept.id for kept in store.receipts.all()}
        assert open_log(office, KeptReceipts(store.receipts), receipts_anchor(home, SETTINGS)).size == len(known.receipts)
        for key in known.retired:
            assert key != office.signer.key
            assert not book.state.register.in_use(key, at=len(leaves), known_at=len(leaves)), "a retired key is still in use"
        assert all(v.status is not Status.LIVE for name in erased for v in store.history(name))
        size = len(leaves)
    found = [
        path
        for path in home.rglob("*")
        if path.is_file()
        for data in [path.read_bytes()]
        for n in erased
        if f"secret-{n}-".encode() in data
    ]
    assert found == [], "erased bytes are left"
    return {"entries": size, "erased": len(erased), "receipts": len(known.receipts), "retired": len(known.retired)}


@pytest.fixture
def nursery() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        yield process
        process.kill()


def one_life(
    nursery: subprocess.Popen[bytes], lines: Lines, home: Path, number: int, chance: random.Random, known: Known
) -> int:
    """Let one life do things and kill it; return how many it acknowledged."""
    assert nursery.stdin is not None
    nursery.stdin.write(f"{home} {number}\n".encode())
    born = lines.next(300)
    assert born is not None
    assert born[0] == "born", born
    done, target = 0, chance.choice((0, 1, 2, 4, 8))
    while done < target:
        line = lines.next(300)
        assert line is not None
        known.hear(line)
        done += line[0] == "done"
    time.sleep(chance.uniform(0.0, 0.05))
    os.kill(int(born[1]), signal.SIGKILL)
    while (line := lines.next(300)) != ["dead"]:
        assert line is not None
        known.hear(line)
        done += line[0] == "done"
    return done


def kill(times: int, nursery: subprocess.Popen[bytes], root: Path, seed: int) -> dict[str, int]:
    assert nursery.stdout is not None
    lines, chance, known, home = Lines(nursery.stdout), random.Random(seed), Known(), root
    totals, last = {"kills": 0, "acknowledged": 0, "erased": 0, "receipts": 0, "retired": 0, "entries": 0}, dict[str, int]()
    for life in range(times):
        if life % LIVES_PER_HOME == 0:
            totals = {name: count + last.get(name, 0) for name, count in totals.items()}
            known, home, last = Known(), root / f"home-{life}", {}
        totals["acknowledged"] += one_life(nursery, lines, home, life, chance, known)
        totals["kills"] += 1
        last = look(home, known)
    return {name: count + last.get(name, 0) for name, count in totals.items()}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_and_nothing_half_done_when_acts_are_killed(
    nursery: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert kill(6, nursery, tmp_path, seed=int.from_bytes(os.urandom(4)))["kills"] == 6


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_and_nothing_half_done_in_hundreds_of_kills(
    nursery: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    found = kill(int(os.environ.get("RAG_EDIT_KILLS", "500")), nursery, tmp_path, seed=11)
    print(found)
    assert min(found["erased"], found["receipts"], found["retired"]) > 0
