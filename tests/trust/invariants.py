"""What holds after every step of a home's life, checked from the outside: I1 to I14 of the simulator.

I10 (nothing acknowledged is lost) is for `tests.e2e.test_kill_trust`, which kills processes.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rag_edit.authority.book import Book
from rag_edit.authority.verdict import Permit
from rag_edit.core.decision import Decision, Route
from rag_edit.core.record import RecordVersion
from rag_edit.provenance.audit import AuditedLedger, audit_ledger, check_extends
from rag_edit.provenance.checkpoint import Checkpoint, open_checkpoint, read_checkpoint_text
from rag_edit.provenance.errors import RolledBackError
from rag_edit.provenance.explain import explain
from rag_edit.provenance.note import split_note
from rag_edit.provenance.receipt import read_body
from rag_edit.provenance.replay import Live, root_named
from rag_edit.provenance.resolution import root_of
from rag_edit.provenance.verify import verify_receipt
from rag_edit.records.conflicts import Rivals, Statement
from rag_edit.trust.adopting import is_on_record
from rag_edit.trust.changing import look
from rag_edit.trust.entries import commitments_of, payload_of, read_book
from rag_edit.trust.following import history_of
from rag_edit.trust.keeping import receipt_of
from rag_edit.trust.office import Office
from rag_edit.trust.receipting import RECEIPTS, redecide
from rag_edit.trust.trusting import territory
from tests.trust.house import House

LANGUAGES = ("en", "de", "fr", "es")


@dataclass
class Memory:
    """What an onlooker remembers from step to step.

    Attributes:
        heads: Signed heads of the ledger.
        decided: For each place, question, and what is live and off along its chain: what was decided.
        entries, receipts, said: How much was looked at for secrets.
        secrets: Every secret that there ever was, also salts that were destroyed since.
    """

    heads: list[str] = field(default_factory=list)
    decided: dict[object, object] = field(default_factory=dict)
    entries: int = 0
    receipts: int = 0
    said: int = 0
    secrets: set[bytes] = field(default_factory=set)


def check_all(house: House, memory: Memory, questions: dict[str, tuple[str, str]]) -> None:
    """Check every invariant.

    Args:
        house: As it is now; the store is made to follow the book first, as at every opening.
        memory: Of the steps before.
        questions: By name, what to ask and where.
    """
    office = house.open("home")
    office.ready()
    audited = check_ledger(office, memory)
    book = read_book(office.store.ledger.leaves(), territory())
    book.tick(house.clock.now)
    live = {version.record.id: version for version in office.store.live()}
    check_live(office, book, live)
    check_rights(office, book, live)
    check_map(office, audited, live)
    check_conflicts(house, book, live)
    check_receipts(office, audited)
    check_erased(office, book)
    check_witness(house, office)
    check_interference(house, book, memory, questions)
    check_secrets(house, office, memory)


def check_ledger(office: Office, memory: Memory) -> AuditedLedger:
    """I1: the ledger only grows, and begins as every head said that was signed before."""
    note = office.ledger.seal()
    audited = audit_ledger(office.store.ledger.leaves(), note, office.note_keys(), old=memory.heads)
    memory.heads = [*memory.heads[-3:], note]
    check_extends(open_checkpoint(memory.heads[0], office.note_keys()), audited.tree)
    return audited


def check_live(office: Office, book: Book, live: dict[str, RecordVersion]) -> None:
    """I3: what is live is what the ledger says. I11: nothing is live that no entry names."""
    assert set(live) == {line.record for line in book.state.records.values() if line.live}, "I3: live is what the log says"
    assert office.store.ledger.covered() == office.store.position()
    for version in live.values():
        assert is_on_record(office.writer, version), "I11: an orphan is served"


def check_rights(office: Office, book: Book, live: dict[str, RecordVersion]) -> None:
    """I4: every live record has the agreement it takes, as of its publication. I5: within the mandates of who said it."""
    for record in live:
        change = book.state.changes[book.state.records[record].live]
        rights = book.rights(change.id)
        assert rights
        assert all(isinstance(right.verdict, Permit) for right in rights), "I4, I5: by no right"
        if change.emergency is None and change.publication is not None:
            approvers = {signed.person for signed in change.approvals}
            assert approvers, "I4: nobody agreed"
            assert not approvers & {person for person, _ in change.authors}, "the author agreed"
        if change.emergency is not None:
            assert book.state.clock < change.emergency.until, "an emergency outlived its end"
    erased = erased_in(book)
    for name in book.state.unfinished:
        if not any(item.record in erased for item in book.state.changes[name].items):
            assert look(office, name).records


def check_map(office: Office, audited: AuditedLedger, live: dict[str, RecordVersion]) -> None:
    """I2: the root that the last entry gives is that of the log replayed, and of what the store serves."""
    served = []
    for version in live.values():
        entered = office.entered(version.name)
        assert entered is not None
        record = version.record
        served.append(Live(str(record.jurisdiction), record.topic, version.name, entered.content))
    root = root_of([(each.key, each.value) for each in served])
    assert audited.replay.map.root == root, "I2: the log leads to another map than the store"
    given = [found for entry in audited.entries if (found := root_named(entry.statement)) is not None]
    assert not given or given[-1] == f"sha256:{root.hex()}", "I2: the last root is another"
    assert office.writer.replay.root == audited.replay.root, "I2: the writer has another map"


def check_conflicts(house: House, book: Book, live: dict[str, RecordVersion]) -> None:
    """I6: of two live records of one place that say different things of the same, on a common day, neither is served alone."""
    rivals = Rivals()
    for version in live.values():
        statement = Statement(version.record, version.name)
        pairs = [each for each in rivals.of(statement) if not each.same_answer]
        rivals.add(statement)
        for pair in pairs:
            found, day = pair.found.record, house.engine.today()
            both = all(book.served(record.id).answers and holds(record, day) for record in (found, version.record))
            if both:
                query = house.engine.query(version.record.question, jurisdiction=str(version.record.jurisdiction))
                decision = house.engine.decide_many([query])[0][0]
                assert decision.route in (Route.ABSTAIN, Route.BASE), f"I6: {found.id} and {version.record.id}: {decision}"


def holds(record: object, day: object) -> bool:
    start, end = record.valid_from, record.valid_to  # type: ignore[attr-defined]
    return (start is None or start <= day) and (end is None or day < end)


def check_receipts(office: Office, audited: AuditedLedger) -> None:
    """I8: receipts hold, and lead to the same decision again."""
    trust = office.trust(RECEIPTS)
    for kept in office.store.receipts.newest(3):
        verified = verify_receipt(receipt_of(kept).to_bytes(), trust, ledger=audited, redecide=redecide)
        assert verified.holds, verified.checks


def check_erased(office: Office, book: Book) -> None:
    """I9: of what was erased there is no content, and no salt that would let anybody guess it."""
    erased = erased_in(book)
    for record in erased:
        assert {version.record.answer for version in history_of(office.store, record)} <= {"[erased]"}, "I9: a content is left"
    if erased:
        commitments = commitments_of(office.store.ledger.leaves(), frozenset(erased))
        assert not office.store.ledger.salts(sorted(commitments)), "I9: a salt is left"


def check_witness(house: House, office: Office) -> None:
    """I12: whoever keeps heads has one root for one size, and takes no second one, signed with the very key as it may be."""
    roots = dict[tuple[str, int], bytes]()
    for note in house.anchor.notes():
        head = read_checkpoint_text(split_note(note)[0])
        assert roots.setdefault((head.origin, head.size), head.root) == head.root, "I12: two roots for one size"
    head = read_checkpoint_text(split_note(office.ledger.seal())[0])
    before = house.anchor.newest()
    for size, root in ((head.size, bytes(32)), (head.size - 1, head.root)):
        with pytest.raises(RolledBackError):
            house.anchor.keep(Checkpoint(head.origin, size, root).sign(office.signer))
    assert house.anchor.newest() == before


def check_interference(house: House, book: Book, memory: Memory, questions: dict[str, tuple[str, str]]) -> None:
    """I13: what is decided in a place depends on what is live and off along its chain, and on nothing elsewhere."""
    engine = house.engine
    off = tuple(sorted(map(str, book.state.suspensions)))
    for name, (question, place) in questions.items():
        query = engine.query(question, jurisdiction=place)
        chain = engine.atlas.chain(engine.atlas.parse(place), query.as_of)
        live = tuple(version.name for version in engine.store.live(chain))
        found = plain(engine.decide_many([query])[0][0])
        assert memory.decided.setdefault((name, live, off), found) == found, f"I13: {place} hears of elsewhere"
        assert all(verdict[2] in chain for verdict in found[3]), f"I13: {place} sees elsewhere"


def plain(decision: Decision) -> tuple[object, object, object, list[tuple[str, str, str, float]]]:
    """Return a decision as values."""
    verdicts = [
        (each.candidate.version.name, str(each.reason), str(each.candidate.version.record.jurisdiction), each.score.probability)
        for each in decision.verdicts
    ]
    return decision.route, decision.reason, decision.winner.name if decision.winner else "", verdicts


def check_secrets(house: House, office: Office, memory: Memory) -> None:
    """I14: no output has a private key, a passphrase or a salt in it, in any spelling: entries, heads, receipts, words, errors."""
    table = office.store.ledger
    outputs = [out for leaf in table.leaves(memory.entries) for out in (leaf, payload_of(leaf))]
    fresh = office.store.receipts.newest(office.store.receipts.size() - memory.receipts)
    for kept in fresh:
        body = read_body(kept.body)
        outputs += [receipt_of(kept).to_bytes(), *(explain(body, language).encode() for language in LANGUAGES)]
    outputs += [*house.said[memory.said :], memory.heads[-1].encode()]
    memory.entries, memory.receipts, memory.said = table.size(), office.store.receipts.size(), len(house.said)
    memory.secrets |= set(secrets_of(house))
    check_no_secret(memory, outputs)


def check_no_secret(memory: Memory, outputs: list[bytes]) -> None:
    """Refuse outputs that have a secret in them."""
    everything = b"\n".join(outputs)
    for secret in memory.secrets:
        for spelled in (secret, secret.hex().encode(), base64.b64encode(secret), json.dumps(secret.decode("latin-1")).encode()):
            assert spelled not in everything, "I14: a secret is in an output"


def secrets_of(house: House) -> Iterator[bytes]:
    """Yield what must not be seen: keys and passphrases, and the salts of contents, questions and answers."""
    store = house.engine.store
    yield from house.secrets
    yield from store.ledger._salts.values()  # type: ignore[attr-defined]
    for kept in store.receipts.newest(20):
        yield from (kept.secret[at : at + 32] for at in range(0, len(kept.secret), 32))


def erased_in(book: Book) -> set[str]:
    """Return the records that were erased."""
    return {line.record for line in book.state.records.values() if line.erased}
