"""A small ledger and its receipts, made from seeds: the same bytes in every run."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.commitment import committed
from rag_edit.provenance.ledger import Ledger, MemoryLedgerLog, open_ledger
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.receipt import Asked, Decided, Models, Receipt, ReceiptBody, Used, Weighed
from rag_edit.provenance.receipt_log import MemoryReceiptStore, ReceiptLog, open_receipts
from rag_edit.provenance.signer import SeedSigner
from rag_edit.provenance.statement import Statement, Subject, sign_statement
from rag_edit.provenance.verify import Trust

LEDGER, RECEIPTS = "example.org/rag-edit/ledger", "example.org/rag-edit/receipts"


def act(kind: str, predicate: dict[str, Any], *signers: Any) -> bytes:
    """Return an entry of any kind; its first signer speaks."""
    digest = "sha256:" + hashlib.sha256(kind.encode()).hexdigest()
    return sign_statement(Statement(kind, (Subject(kind, digest),), {"by": signers[0].key, **predicate}), signers)


def found(speaker: Any, holders: dict[str, str], custodians: tuple[str, ...] = ("service:a",)) -> bytes:
    """Return the first entry of a ledger: its keys and custodians, as acts of authority have them."""
    keys = [{"id": key, "holder": holder, "institution": "inst:a"} for key, holder in sorted(holders.items())]
    return act("found", {"keys": keys, "custodians": list(custodians), "threshold": 1}, speaker)


@dataclass
class World:
    """A service with a ledger of ``published`` record versions, and a receipts log."""

    service: SeedSigner
    person: SeedSigner
    log: MemoryLedgerLog = field(default_factory=MemoryLedgerLog)
    anchor: MemoryAnchor = field(default_factory=MemoryAnchor)
    store: MemoryReceiptStore = field(default_factory=MemoryReceiptStore)
    forged: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log.append(found(self.service, {self.service.key: "service:a", self.person.key: "person:p1"}))
        self.log.append(act("note", {"text": "begun"}, self.service))
        self.ledger: Ledger = open_ledger(self.log, self.anchor, self.service, LEDGER)
        self.receipts: ReceiptLog = open_receipts(self.store, self.service, RECEIPTS)

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        return (NoteKey(LEDGER, self.service.key),)

    @property
    def trust(self) -> Trust:
        return Trust((NoteKey(RECEIPTS, self.service.key),), self.keys)

    def content(self, number: int) -> str:
        return committed("record", hashlib.sha256(f"salt {number}".encode()).digest(), f"content {number}".encode())

    def publish(self, count: int) -> None:
        """Append statements that publish r1@1, r2@1, ... after those there are."""
        for number in range(self.log.size() - 1, self.log.size() - 1 + count):
            statement = Statement(
                "publish",
                (Subject(f"r{number}@1", self.content(number)),),
                {"jurisdiction": "DE", "topic": "tax.vat", "valid": {"from": "2026-01-01", "to": None}},
            )
            self.log.append(sign_statement(statement, [self.person]))
        self.ledger.seal()

    def used(self, number: int) -> Used:
        """Return the proof of r<number>@1."""
        proof = self.ledger.prove(number + 1)
        return Used(f"r{number}", 1, self.content(number), number + 1, self.ledger.tree.leaf_hash(number + 1), proof.path)

    def body(self, number: int, *, candidates: int = 3, route: str = "OVERRIDE", record: int = 1) -> ReceiptBody:
        """Return a receipt's body: record r<record> answers, or none."""
        digest = "sha256:" + hashlib.sha256(b"a model").hexdigest()
        winner = Weighed(f"r{record}", 1, "DE", 934_000, "IN_SCOPE", {"similarity_u6": 911_000, "veto": ""})
        others = tuple(
            Weighed(f"r{record + k}", 1, "EU", 400_000 - k, "BELOW_THRESHOLD", {"similarity_u6": 300_000, "veto": ""})
            for k in range(1, candidates)
        )
        wins = route == "OVERRIDE"
        return ReceiptBody(
            id=f"receipt-{number}",
            issued="2026-11-22T10:00:00Z",
            asked=Asked(committed("question", bytes(32), b"q"), "DE-BY", "parameter", "2026-11-22", self.log.size(), "de"),
            decided=Decided(
                route=route,
                reason="IN_SCOPE" if wins else "BELOW_THRESHOLD",
                form="open",
                cut_u6=600_000,
                margin_u6=40_000,
                policy=digest,
                chain=("DE-BY", "DE", "EU", "GLOBAL"),
                winner=winner.name if wins else "",
                candidates=((winner, *others) if wins else others),
            ),
            models=Models(digest, digest, digest, digest),
            answer=committed("answer", bytes(32), b"a"),
            rung="verbatim" if wins else "base",
            used=(self.used(record),) if wins else (),
            ledger=self.ledger.seal(),
        )

    def receipt(self, number: int = 1, **kwargs: Any) -> Receipt:
        return self.receipts.seal([self.body(number, **kwargs).to_bytes()])[0]


def seeded(name: str) -> SeedSigner:
    return SeedSigner(hashlib.sha256(name.encode()).digest())


@pytest.fixture
def signer_of() -> Callable[[str], SeedSigner]:
    """Return the maker of signers: one name, one key."""
    return seeded


@pytest.fixture
def make_act() -> Callable[..., bytes]:
    """Return the maker of entries."""
    return act


@pytest.fixture
def make_found() -> Callable[..., bytes]:
    """Return the maker of founding entries."""
    return found


@pytest.fixture
def make_world() -> Callable[[int], World]:
    """Return the maker of worlds with so many published records."""

    def make(count: int) -> World:
        world = World(seeded("service"), seeded("person"))
        world.publish(count)
        return world

    return make


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """Public test vectors; each group names its source."""
    data: dict[str, Any] = json.loads((Path(__file__).parent / "data/vectors.json").read_text("utf-8"))
    return data


@pytest.fixture
def flip() -> Callable[[bytes, int, random.Random], bytes]:
    """Return the changer of one byte into another."""

    def change(data: bytes, at: int, chance: random.Random) -> bytes:
        return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]

    return change


@pytest.fixture(scope="session")
def verifier() -> Any:
    """Return the stand-alone verifier, loaded from its one file."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("verify_rag_edit", Path(__file__).parents[2] / "verifier/verify_rag_edit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
