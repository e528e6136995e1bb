"""Writing acts: each judged as of the position that it will have, signed, and stored in one transaction with the edits that it leads to.

The book is held here, since whatever is written has to be judged by it first, and beside it the replay of what is live, whose root
the last entry gives that names versions. Where a write fails, both have seen what was not done, and are read from the ledger again
when they are needed next.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from rag_edit.authority.acts import Act
from rag_edit.authority.book import Book
from rag_edit.authority.names import write_time
from rag_edit.authority.statement import to_statement
from rag_edit.authority.territory import Territory
from rag_edit.authority.verdict import Condition, Permit
from rag_edit.core.digest import Digest, digest_bytes
from rag_edit.core.errors import UsageError
from rag_edit.provenance.commitment import Commitment
from rag_edit.provenance.errors import KeyRefusedError
from rag_edit.provenance.replay import MAP, Replay
from rag_edit.provenance.signer import Signer
from rag_edit.provenance.statement import Statement, sign_statement, statement_of
from rag_edit.records.leaves import Leaves
from rag_edit.records.store import Act as EditAct
from rag_edit.records.store import Edit, RecordStore
from rag_edit.trust.entries import read_book
from rag_edit.trust.following import DRAFT_PAPER
from rag_edit.trust.governed import Said, acts_of, edits_statement, gone_statement, may_close
from rag_edit.trust.grounds import NOTHING_FILED, UNMEASURED, Grounds
from rag_edit.trust.heads import Heads
from rag_edit.trust.refusal import RefusedActError, RepeatedActError

MAX_NAMED: Final = 150  # versions that one entry names: it holds 60 KiB


@dataclass(slots=True)
class Writer:
    """Writes entries, and the edits that they cover, to one store.

    Attributes:
        store: Records and entries.
        heads: Sign what was written.
        territory: For the book.
        now: The clock.
    """

    store: RecordStore
    heads: Heads
    territory: Callable[[], Territory]
    now: Callable[[], datetime]
    _book: Book | None = None
    _replay: Replay = field(default_factory=Replay)

    @property
    def book(self) -> Book:
        """Return who may do what, from the ledger's entries, each verified and judged again as of its position.

        Raises:
            ProvenanceError: an entry is not signed as it has to be, or was not permitted.
        """
        with self.heads.turn:
            if self._book is None:
                self._replay = Replay()
                self._book = read_book(self.store.ledger.leaves(), self.territory(), self._replay)
            return self._book

    @property
    def replay(self) -> Replay:
        """Return what is live by the entries. Raises as `book` does."""
        _ = self.book
        return self._replay

    def forget(self) -> None:
        """Read book and replay anew when they are needed next: they have seen what was not done, or have not seen what was."""
        self._book = None

    def second(self) -> datetime:
        """Return the time of an act said now; it never goes back."""
        now = self.now().astimezone(UTC).replace(microsecond=0)
        return now if self._book is None else max(now, self._book.state.clock.replace(microsecond=0))

    def judged(self, act: Act, position: int, signer: Signer, *, what: str, at_once: bool = False) -> tuple[bytes, Permit]:
        """Return an act as an entry, signed, and what was said of it; the book has it from now on.

        Args:
            act: To be judged.
            position: That it will have.
            signer: Of whoever says it.
            what: Is being done; named in the refusal.
            at_once: Whether it has to take effect with this one word.

        Raises:
            RefusedActError: it is not permitted.
            RepeatedActError: the same was said before.
        """
        verdict = self.book.apply(act, position=position, now=act.at)
        if not isinstance(verdict, Permit) or (at_once and not verdict.takes_effect):
            self.forget()
            raise RefusedActError(what, verdict)
        statement = statement_of(to_statement(act))
        leaf = sign_statement(statement, [signer])
        if self.heads.ledger.has(leaf):
            self.forget()
            raise RepeatedActError(what)
        self._replay.hear(statement)
        return leaf, verdict

    def leaves_of(
        self,
        several: Iterable[Said],
        speaker: Signer,
        *,
        what: str,
        after: int,
        reason: str = "",
        grounds: Grounds = UNMEASURED,
    ) -> Leaves:
        """Return the entries of a plan's chunks, judged and signed; nothing is written.

        Args:
            several: The chunks.
            speaker: Whose acts they are.
            what: Is being done; named in a refusal.
            after: How far the edit log has come before them.
            reason: Why, where the edits do not say it.
            grounds: What was measured of the plan, and what was waived.

        Raises:
            RefusedActError: an act is not permitted.
            UsageError: what was waived cannot be said like this.
        """
        start, entries, salts = self.store.ledger.size(), list[bytes | Statement](), dict[Digest, bytes]()
        papers: dict[str, bytes | None] = {}
        for said in several:
            at = self.second()
            denied = may_close(said, self.book, speaker.key, at)
            if denied is not None:
                self.forget()
                raise RefusedActError(what, denied)
            change = f"change-{start + len(entries)}" if said.items else ""
            try:
                filed = grounds.filed(change) if said.items else NOTHING_FILED
            except ValueError as error:  # a reason that is none, or too long
                self.forget()
                raise UsageError(f"{what}: {error}", hint="give a short reason") from error
            for act in acts_of(said, self.book, speaker.key, at, change, reason, filed):
                entries.append(self.judged(act, start + len(entries), speaker, what=what, at_once=True)[0])
            if said.edits:
                after = min(after + len(said.edits), self.store.position()) if what == "adopt" else after + len(said.edits)
                entries.append(self._named(said.edits, change, after))
            elif said.retractions:  # of what the store has not live
                entries.append(self._gone([record for record, _ in said.retractions], min(after, self.store.position())))
            salts |= {commitment.digest: commitment.salt for _, commitment in said.edits}
            salts |= filed.salts
            papers |= filed.papers
        return Leaves(start, self._signed(entries), salts, papers)

    def write(self, leaves: Leaves, edits: Sequence[tuple[Edit, Commitment]], change: str = "") -> None:
        """Write entries, and the edits that the store owes the book for them with theirs, in one transaction; sign the head.

        Args:
            leaves: The entries.
            edits: With commitments to their contents.
            change: That they carry out; empty where there is none. What goes live is named with the change that brings it.
        """
        line, entries = self.store.position(), list[bytes | Statement](leaves.entries)
        edits = sorted(edits, key=lambda each: self._carried(each[0], change))
        for carried, several in groupby(edits, key=lambda each: self._carried(each[0], change)):
            named = list(several)
            for start in range(0, len(named), MAX_NAMED):
                some = named[start : start + MAX_NAMED]
                line += len(some)
                entries.append(self._named(some, carried, line))
        kept = self.store.ledger.salts([commitment.digest for _, commitment in edits])
        salts = {**leaves.salts, **{c.digest: c.salt for _, c in edits if c.digest not in kept}}
        signed = self._signed(entries)
        leaves = Leaves(leaves.start, signed, salts, leaves.papers)
        try:
            if edits:
                key = digest_bytes(b"\n".join(signed))
                self.store.append([edit for edit, _ in edits], idempotency_key=key, recorded_at=self.now(), leaves=leaves)
            else:
                self.store.ledger.extend(leaves)
        except BaseException:
            self.forget()
            raise
        self.heads.ledger.seal()

    def note(self, statement: Statement, papers: Mapping[str, bytes | None]) -> None:
        """Write a statement of the home's own that is nobody's act."""
        leaf = sign_statement(statement, [self.heads.signer])
        self.write(Leaves(self.store.ledger.size(), (leaf,), {}, papers), [])

    def spent(self) -> dict[str, bytes | None]:
        """Return the drafts that are in the store by now, to be taken away."""
        names = (name for name in self.store.ledger.papers() if name.startswith(DRAFT_PAPER))
        changes = ((name, self.book.change(name.removeprefix(DRAFT_PAPER))) for name in names)
        return {name: None for name, change in changes if change is not None and not change.is_open}

    def _carried(self, edit: Edit, change: str) -> str:
        """Return the change that an edit carries out."""
        line = self.book.line(edit.record.id) if edit.act in (EditAct.ADD, EditAct.CHANGE) else None
        return line.live if line is not None else change

    def _named(self, edits: Sequence[tuple[Edit, Commitment]], change: str, line: int) -> Statement:
        """Return the entry that names the store's versions, to be signed by the home's key.

        Raises:
            KeyRefusedError: that key is not in use any more.
        """
        statement = edits_statement(edits, self._home(), write_time(self.second()), change, line)
        self._replay.hear(statement)
        return statement

    def _gone(self, records: Sequence[str], line: int) -> Statement:
        """Return the entry that ends what was live of records, to be signed by the home's key. Raises as `_named` does."""
        names = [live.name for record in records if (live := self.replay.live.get(record)) is not None]
        statement = gone_statement(names, self._home(), write_time(self.second()), line)
        self._replay.hear(statement)
        return statement

    def _home(self) -> str:
        """Return the home's key, by which versions are named.

        Raises:
            KeyRefusedError: it is not in use any more.
        """
        position, key = self.book.state.position + 1, self.heads.signer.key
        actor = self.book.state.register.actor(key, at=position, known_at=position)
        if isinstance(actor, Condition):
            self.forget()
            raise KeyRefusedError(key, "the home's key in use, to enter what is live", str(actor))
        return key

    def _signed(self, entries: Sequence[bytes | Statement]) -> tuple[bytes, ...]:
        """Return entries, those signed that name versions. The last of these gives the root of what is live after it."""
        last = max((at for at, each in enumerate(entries) if isinstance(each, Statement)), default=None)
        found = []
        for at, each in enumerate(entries):
            if isinstance(each, Statement):
                rooted = replace(each, predicate={**each.predicate, MAP: self._replay.root}) if at == last else each
                found.append(sign_statement(rooted, [self.heads.signer]))
            else:
                found.append(each)
        return tuple(found)
