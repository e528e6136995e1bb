"""What the entries of a home's ledger say, as authority, receipts and time travel want to read it.

`read_book` verifies and judges every entry again. `Names` reads our own, verified ledger quickly, and further as it grows: which
entry names which version, how far the edit log had come, and whether anything was ever switched off or left to the clock.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rag_edit.authority.book import Book
from rag_edit.authority.statement import from_statement, is_act
from rag_edit.authority.territory import Territory
from rag_edit.authority.verdict import Permit
from rag_edit.core.digest import Digest, Json
from rag_edit.provenance.canonical import from_base64
from rag_edit.provenance.errors import VerificationError
from rag_edit.provenance.keyring import Keyring
from rag_edit.provenance.replay import Replay
from rag_edit.provenance.statement import KIND_PREFIX, KIND_SUFFIX, TYPE, Statement

_SUBJECT: Final = re.compile(rb'\{"digest":\{"sha256":"([0-9a-f]{64})"\},"name":"([^"\\]+@[0-9]+)"\}')
_PAYLOAD: Final = re.compile(rb'"payload":"([^"]*)"')
_LINE: Final = re.compile(rb'"line":([0-9]+)')
_CHANGE: Final = re.compile(rb'"change":"([^"\\]+)"')
_OFF: Final = (b'"predicateType":"urn:rag-edit:suspend:v1"', b'"compromised_since":')
_TIMED: Final = (b'"predicateType":"urn:rag-edit:breakglass:v1"', b'"not_before":')
_EDITS: Final = b'"predicateType":"urn:rag-edit:edits:v1"'
_KEYS: Final = (b'"predicateType":"urn:rag-edit:enrol:v1"',)


@dataclass(frozen=True, slots=True)
class Entered:
    """Where the ledger names a version: the entry's index, and the commitment to the content."""

    index: int
    content: Digest


@dataclass(slots=True)
class Names:
    """What was read so far.

    Attributes:
        named: By ``id@version``, the newest entry that names it.
        size: Entries read.
        ever_off: Whether anything was ever switched off.
        timed: Changes that were ever left to the clock: scheduled, or live by break-glass.
        ever_enrolled: Whether anybody was ever enrolled after the charter.
        marks: Indexes of entries of kind ``edits``.
        lines: For each of these, how far the edit log had come with it.
    """

    named: dict[str, Entered] = field(default_factory=dict)
    size: int = 0
    ever_off: bool = False
    timed: set[str] = field(default_factory=set)
    ever_enrolled: bool = False
    marks: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def read(self, leaves: Iterable[bytes]) -> None:
        """Read further."""
        for leaf in leaves:
            payload = payload_of(leaf)
            self.ever_off |= any(sign in payload for sign in _OFF)
            if any(sign in payload for sign in _TIMED) and (change := _CHANGE.search(payload)):
                self.timed.add(change[1].decode())
            self.ever_enrolled |= any(sign in payload for sign in _KEYS)
            if _EDITS in payload:
                found = list(named_in(payload))
                for digest, name in found:
                    self.named[name] = Entered(self.size, digest)
                line = _LINE.search(payload)
                self.marks.append(self.size)
                self.lines.append(int(line[1]) if line else (self.lines[-1] if self.lines else 0) + len(found))
            self.size += 1

    def line_at(self, position: int) -> int | None:
        """Return how far the edit log had come when the ledger had ``position`` entries.

        None where the log was put back since: then its lines are others now.
        """
        at = bisect_left(self.marks, position)
        line = self.lines[at - 1] if at else 0
        return line if all(line <= later for later in self.lines[at:]) else None


def read_book(leaves: Iterable[bytes], territory: Territory, replay: Replay | None = None) -> Book:
    """Return the book of a ledger.

    Args:
        leaves: Its entries.
        territory: For the book.
        replay: Hears the entries too.

    Raises:
        ProvenanceError: an entry is not signed as it has to be, holds an act that was not permitted at its position, or gives
            another root of what is live than the entries lead to.
    """
    book, keyring = Book(territory), Keyring()
    for index, leaf in enumerate(leaves):
        entry, keyring = keyring.admit(leaf, index)
        if replay is not None:
            replay.hear(entry.statement, where=f"entry {index}")
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


def founder_of(leaf: bytes) -> str:
    """Return the key that founded a ledger, from its first entry."""
    plain = json.loads(payload_of(leaf) or b"{}")
    predicate = plain.get("predicate", {}) if isinstance(plain, dict) else {}
    return str(predicate.get("by", "")) if isinstance(predicate, Mapping) else ""


def commitments_of(leaves: Iterable[bytes], records: frozenset[str], changes: frozenset[str] = frozenset()) -> set[Digest]:
    """Return every commitment to a content of the records that any entry names, and to a report that may hold their words.

    Contents stand in changes, also unfinished ones, and in edits; reports in what was measured or waived of such a change.

    Args:
        leaves: The entries.
        records: Ids of the records.
        changes: Further changes whose reports hold their words.
    """
    found: set[Digest] = set()
    about = set(changes)
    for leaf in leaves:
        plain = json.loads(payload_of(leaf) or b"{}")
        predicate = plain.get("predicate", {})
        for item in predicate.get("items", ()):
            if item["record"] in records:
                found.add(item["content"])
                about.add(predicate["change"])
        if predicate.get("change") in about:
            reports = {predicate.get("report", ""), *(each.get("report", "") for each in predicate.get("waived", ()))}
            found |= reports - {""}
        if str(plain.get("predicateType")) == f"{KIND_PREFIX}edits{KIND_SUFFIX}":
            for subject in plain["subject"]:
                if subject["name"].rpartition("@")[0] in records:
                    found.add(f"sha256:{subject['digest']['sha256']}")
    return found
