"""The office: every edit of a home is an act, judged under its charter, signed, and written with the edit into the ledger.

A home of one person notices nothing: the first act makes a key and a charter under which that person may do everything.
What is stricter is a policy in the ledger, not other code.

Order of one edit: the acts are made from the plan; the book judges each as of the position that it will have; they are
signed; entries and edits are written in one transaction; the ledger's head is signed and kept outside the database too. A
refusal leaves store and ledger as they were. A kill at any instant leaves both before or both after; a head that is missing
is signed at the next opening.

The book (who may do what) is made from the ledger when it is first needed: questions do not need it. Edits that came without
acts (from before there was a ledger, or from a restored snapshot) are found by what the ledger covers, and put on record.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Final

from rag_edit.authority.acts import EVERYTHING, Act, Reach, Target
from rag_edit.authority.book import Book
from rag_edit.authority.charter import local_charter
from rag_edit.authority.names import write_time
from rag_edit.authority.statement import from_statement, is_act, to_statement
from rag_edit.authority.territory import Territory
from rag_edit.authority.verdict import Denial, Permit, Verdict
from rag_edit.core.digest import Digest, Json, canonical_json
from rag_edit.core.errors import RagEditError
from rag_edit.core.record import RecordVersion
from rag_edit.governed import LABEL, Said, acts_of, chunks, edits_statement, may_close
from rag_edit.provenance.anchor import Anchor
from rag_edit.provenance.canonical import from_base64
from rag_edit.provenance.commitment import committed
from rag_edit.provenance.errors import VerificationError
from rag_edit.provenance.keyring import Keyring
from rag_edit.provenance.ledger import Ledger, generation, open_ledger, succeed
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.signer import Signer
from rag_edit.provenance.statement import KIND_PREFIX, KIND_SUFFIX, TYPE, Statement, sign_statement, statement_of
from rag_edit.provenance.verify import Trust
from rag_edit.records.leaves import Leaves
from rag_edit.records.plan import Plan
from rag_edit.records.store import Act as EditAct
from rag_edit.records.store import Appended, Edit, RecordStore

ADOPTED: Final = "found in the store without an act: from before there was a ledger, or from a restored snapshot"
_SUBJECT: Final = re.compile(rb'\{"digest":\{"sha256":"([0-9a-f]{64})"\},"name":"([^"\\]+@[0-9]+)"\}')
_PAYLOAD: Final = re.compile(rb'"payload":"([^"]*)"')
_SUSPEND: Final = b'"predicateType":"urn:rag-edit:suspend:v1"'
_EDITS: Final = b'"predicateType":"urn:rag-edit:edits:v1"'


class RefusedActError(RagEditError):
    """An act is not permitted: nothing was changed. ``denial`` says which condition failed."""

    def __init__(self, what: str, verdict: Verdict) -> None:
        self.verdict = verdict
        if isinstance(verdict, Denial):
            said = verdict.explain()
        else:
            said = f"it takes {verdict.needed} people at once, this was said by {verdict.count}"
        super().__init__(f"{what}: {said}", hint="rag-edit who")


@dataclass(frozen=True, slots=True)
class Entered:
    """Where the ledger names a version: the entry's index, and the commitment to the content."""

    index: int
    content: Digest


@dataclass(slots=True)
class Office:
    """The ledger of an open store, and who signs for this home. Made by `open_office`.

    Attributes:
        store: Records, entries and receipts.
        anchor: Keeps signed heads outside the database.
        signers: Gives the signer of this home; makes its key at the first call.
        territory: For the book.
        now: The clock.
    """

    store: RecordStore
    anchor: Anchor
    signers: Callable[[], Signer]
    territory: Callable[[], Territory]
    now: Callable[[], datetime]
    _signer: Signer | None = None
    _ledger: Ledger | None = None
    _book: Book | None = None
    _named: dict[str, Entered] = field(default_factory=dict)
    _named_to: int = 0
    _ever_suspended: bool = False
    _turn: RLock = field(default_factory=RLock)

    @property
    def signer(self) -> Signer:
        """Return the signer of this home."""
        if self._signer is None:
            self._signer = self.signers()
        return self._signer

    @property
    def origin(self) -> str:
        """Return the name that the ledger had first."""
        return f"rag-edit.local/{self.signer.key.partition(':')[2][:16]}"

    @property
    def ledger(self) -> Ledger:
        """Return the ledger, checked against every head that was signed.

        Raises:
            RolledBackError: the store lacks, or contradicts, what was signed.
        """
        if self._ledger is None:
            with self._turn:
                self._ledger = open_ledger(self.store.ledger, self.anchor, self.signer, self.origin)
                if self._ledger.tree.size:
                    self._ledger.seal()
        return self._ledger

    def check(self) -> None:
        """Check the ledger where there is one; a home without any is as it should be.

        Raises:
            RolledBackError: the store lacks, or contradicts, what was signed.
        """
        if self.store.ledger.size() or self.anchor.newest() is not None:
            _ = self.ledger

    @property
    def book(self) -> Book:
        """Return who may do what, from the ledger's entries, each verified and judged again as of its position.

        Raises:
            ProvenanceError: an entry is not signed as it has to be, or was not permitted.
        """
        with self._turn:
            if self._book is None:
                self._book = read_book(self.store.ledger.leaves(), self.territory())
            return self._book

    def ready(self) -> None:
        """Make charter and acts where there are none yet, so that every live record has its entry."""
        with self._turn:
            _ = self.ledger
            if not self.store.ledger.size():
                self._write([local_charter(self.signer.key, self._second())], what="charter")
            if self.store.ledger.covered() != self.store.position():
                self._adopt()

    def carry_out(self, plan: Plan, *, recorded_at: datetime) -> Appended:
        """Put a plan into force: judged, signed, and written in one transaction with its entries.

        Raises:
            RefusedActError: the charter does not permit it; nothing was changed.
            StaleVersionError: the store moved on since the plan was made; nothing was changed.
        """
        edits = plan.edits
        by = {closing.version.record.id: closing.by for closing in plan.supersessions}
        with self._turn:
            self.ready()
            leaves = self._leaves(chunks(edits, by, self.book), what="apply")
            try:
                done = self.store.append(edits, idempotency_key=plan.key, recorded_at=recorded_at, leaves=leaves)
            except BaseException:
                self._book = None  # it has seen acts that were not done
                raise
            if done.replayed:
                self._book = None
            self.ledger.seal()
            return done

    def act(self, make: Callable[[Book, str, datetime], Act]) -> Verdict:
        """Do one act that changes no record: suspend, resume, enrol, grant...

        Args:
            make: Makes it from the book, the key and the time.

        Raises:
            RefusedActError: it is not permitted; nothing was changed.
        """
        with self._turn:
            self.ready()
            act = make(self.book, self.signer.key, self._second())
            return self._write([act], what=act.KIND)

    def go_on(self, reason: str) -> Ledger:
        """Go on from a store that contradicts a signed head, under a new name of the ledger, for all to see."""
        with self._turn:
            self._book = None
            if not self.store.ledger.size():
                self.store.ledger.append(self._signed(local_charter(self.signer.key, self._second())))
            self._ledger = succeed(
                self.store.ledger, self.anchor, self.signer, self.origin, reason=reason, at=write_time(self._second())
            )
            self.ready()
            return self._ledger

    def entered(self, name: str) -> Entered | None:
        """Return where the ledger names ``id@version``; the newest place where there are several."""
        with self._turn:
            self._read_names()
            return self._named.get(name)

    def is_off(self, version: RecordVersion) -> bool:
        """Return whether somebody switched off a record, its partition or everything.

        The book is asked only where the ledger holds a suspension at all.
        """
        with self._turn:
            self._read_names()
            if not self._ever_suspended:
                return False
            off = self.book.state.suspensions
        record = version.record
        return any(
            t in off for t in (EVERYTHING, Target(Reach.PARTITION, record.jurisdiction), Target(Reach.RECORD, record.id))
        )

    def _read_names(self) -> None:
        size = self.ledger.tree.size  # what is committed and sealed
        if size > self._named_to:
            for index, leaf in enumerate(self.store.ledger.leaves(self._named_to, size), self._named_to):
                payload = payload_of(leaf)
                self._ever_suspended |= _SUSPEND in payload
                for digest, found in named_in(payload):
                    self._named[found] = Entered(index, digest)
            self._named_to = size

    def note_keys(self) -> tuple[NoteKey, ...]:
        """Return the keys that sign the ledger's heads, under each name that the ledger has had."""
        names = [self.origin, *(f"{self.origin}/{n}" for n in range(2, generation(self.ledger.origin, self.origin) + 1))]
        return tuple(NoteKey(name, self.signer.key) for name in names)

    def trust(self, receipts: str) -> Trust:
        """Return whose signatures on receipts count here: our own.

        Args:
            receipts: What the receipts log is called below the ledger.
        """
        return Trust((NoteKey(f"{self.origin}/{receipts}", self.signer.key),), self.note_keys())

    def _second(self) -> datetime:
        now = self.now().astimezone(UTC).replace(microsecond=0)
        return now if self._book is None else max(now, self._book.state.clock.replace(microsecond=0))

    def _signed(self, act: Act) -> bytes:
        return sign_statement(statement_of(to_statement(act)), [self.signer])

    def _judged(self, act: Act, position: int, *, what: str) -> tuple[bytes, Permit]:
        verdict = self.book.apply(act, position=position, now=act.at)
        if not isinstance(verdict, Permit) or not verdict.takes_effect:
            self._book = None
            raise RefusedActError(what, verdict)
        leaf = self._signed(act)
        if self.ledger.has(leaf):
            self._book = None
            raise VerificationError(what, "an act that was not said before", "the same, said in this second")
        return leaf, verdict

    def _write(self, acts: Iterable[Act], *, what: str) -> Permit:
        """Write acts that come without edits."""
        position, leaves, verdict = self.store.ledger.size(), list[bytes](), None
        for act in acts:
            leaf, verdict = self._judged(act, position + len(leaves), what=what)
            leaves.append(leaf)
        assert verdict is not None
        self.store.ledger.extend(Leaves(position, tuple(leaves)))
        self.ledger.seal()
        return verdict

    def _leaves(self, several: Iterable[Said], *, what: str, reason: str = "") -> Leaves:
        """Return the entries of chunks, judged and signed."""
        start, entries, salts = self.store.ledger.size(), list[bytes](), dict[Digest, bytes]()
        for said in several:
            at = self._second()
            denied = may_close(said, self.book, self.signer.key, at)
            if denied is not None:
                self._book = None
                raise RefusedActError(what, denied)
            change = f"change-{start + len(entries)}" if said.items else ""
            for act in acts_of(said, self.book, self.signer.key, at, change, reason):
                entries.append(self._judged(act, start + len(entries), what=what)[0])
            if said.edits:
                statement = edits_statement(said.edits, self.signer.key, write_time(at), change)
                entries.append(sign_statement(statement, [self.signer]))
            salts |= {commitment.digest: commitment.salt for _, commitment in said.edits}
        return Leaves(start, tuple(entries), salts)

    def _adopt(self) -> None:
        """Put on record what is live in the store and not in the book, and close in the book what is not live in the store."""
        position, live = self.store.position(), {v.record.id: v for v in self.store.live()}
        strange = [version for version in live.values() if not self._is_on_record(version)]
        gone = [line.record for line in self.book.state.records.values() if line.live and line.record not in live]
        adds = [Edit(EditAct.ADD, v.record, v.version - 1) for v in strange]
        several = [Said(retractions=[(record, ADOPTED) for record in gone])] if gone else []
        leaves = self._leaves([*several, *chunks(adds, {}, self.book)], what="adopt", reason=ADOPTED)
        self.store.ledger.extend(leaves, covers=position)
        self.ledger.seal()

    def _is_on_record(self, version: RecordVersion) -> bool:
        line, entered = self.book.line(version.record.id), self.entered(version.name)
        if line is None or not line.live or entered is None:
            return False
        content = self.book.state.served(version.record.id).content
        salts = self.store.ledger.salts([content, entered.content])
        plain = canonical_json(version.record.to_json())
        return all(
            digest in salts and committed(LABEL, salts[digest], plain) == digest for digest in (content, entered.content)
        )


def read_book(leaves: Iterable[bytes], territory: Territory) -> Book:
    """Return the book of a ledger.

    Raises:
        ProvenanceError: an entry is not signed as it has to be, or holds an act that was not permitted at its position.
    """
    book, keyring = Book(territory), Keyring()
    for index, leaf in enumerate(leaves):
        entry, keyring = keyring.admit(leaf, index)
        plain = plain_statement(entry.statement)
        if not is_act(plain):
            continue
        act = from_statement(plain, where=f"entry {index}")
        verdict = book.apply(act, position=index, now=act.at)
        if not isinstance(verdict, Permit):
            raise VerificationError(f"entry {index}", "an act that was permitted", verdict.explain())
    return book


def plain_statement(statement: Statement) -> dict[str, Json]:
    """Return a statement as `rag_edit.authority` reads it."""
    return {
        "_type": TYPE,
        "predicate": dict(statement.predicate),
        "predicateType": f"{KIND_PREFIX}{statement.kind}{KIND_SUFFIX}",
        "subject": [{"digest": {"sha256": s.digest.removeprefix("sha256:")}, "name": s.name} for s in statement.subjects],
    }


def payload_of(leaf: bytes) -> bytes:
    """Return the statement of an entry of our own, verified ledger."""
    found = _PAYLOAD.search(leaf)
    return from_base64(found[1].decode("ascii"), where="entry") if found else b""


def named_in(payload: bytes) -> Iterator[tuple[Digest, str]]:
    """Yield the commitments and names that a statement of kind ``edits`` gives; none for others."""
    if _EDITS in payload:
        for digest, name in _SUBJECT.findall(payload):
            yield f"sha256:{digest.decode()}", name.decode()
