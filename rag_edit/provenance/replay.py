"""Replaying a ledger: which version of which record was live after each entry, and the root of the map of these.

Read of the entries is this:

- ``draft`` and ``propose`` say, for each record of a change, its jurisdiction and topic, and commit to its content.
- ``edits`` says what the store did: it ``add``s or ``change``s a record to the version that it names, as the change says that it
  carries out; any other act ends what was live. Its ``map``, where it has one, is the root after it, as whoever wrote it found.
- From the first root on, what goes live is named by its change's own commitment to its content: nothing else may be served under an
  agreed change. Entries before that may name no change, or make a commitment of their own.

So the map is a function of the entries alone, and every root that was ever signed is found again or refused. What is switched off
stays in the map: a suspension is over what is live, and says so itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rag_edit.core.digest import Digest, Json
from rag_edit.provenance.errors import MalformedError, VerificationError
from rag_edit.provenance.resolution import ResolutionMap, key_of, value_of
from rag_edit.provenance.statement import DIGEST, Statement, Subject

EDITS: Final = "edits"
MAP: Final = "map"
GOES_LIVE: Final = frozenset({"add", "change"})

Item = tuple[str, str, Digest]
"""Jurisdiction, topic, and the commitment to the content."""


@dataclass(frozen=True, slots=True)
class Live:
    """A version that is live.

    Attributes:
        jurisdiction, topic: As the change says that brought it.
        name: ``id@version``.
        content: The commitment to its content.
    """

    jurisdiction: str
    topic: str
    name: str
    content: Digest

    @property
    def record(self) -> str:
        """Return the record's id."""
        return self.name.rpartition("@")[0]

    @property
    def key(self) -> bytes:
        """Return where it stands in the map."""
        return key_of(self.jurisdiction, self.topic, self.record)

    @property
    def value(self) -> bytes:
        """Return what stands there."""
        return value_of(self.name, self.content)


@dataclass(slots=True)
class Replay:
    """What the entries that were heard lead to.

    Attributes:
        live: By record.
        brought: By record, the change that brought what is live; empty where the entry names none.
    """

    live: dict[str, Live] = field(default_factory=dict)
    brought: dict[str, str] = field(default_factory=dict)
    _items: dict[str, dict[str, Item]] = field(default_factory=dict)  # by change, then record
    _newest: dict[str, Item] = field(default_factory=dict)  # for entries from before they named their changes
    _has_root: bool = False
    _map: ResolutionMap = field(default_factory=ResolutionMap)
    _changes: dict[bytes, bytes | None] = field(default_factory=dict)

    @property
    def map(self) -> ResolutionMap:
        """Return the map of what is live."""
        if self._changes:
            self._map = self._map.updated(self._changes)
            self._changes = {}
        return self._map

    def hear(self, statement: Statement, *, where: str = "entry") -> None:
        """Take the next entry.

        Raises:
            MalformedError: a change or an edit in another form.
            VerificationError: the root that it gives is not the one that the entries lead to.
        """
        plain = statement.predicate
        if statement.kind in ("draft", "propose"):
            found = dict(map(_item, _list(plain.get("items"), where)))
            self._items[str(plain.get("change"))] = found
            self._newest |= found
        elif statement.kind == EDITS:
            acts, change = _list(plain.get("acts"), where), str(plain.get("change"))
            if len(acts) != len(statement.subjects):
                raise MalformedError(where, f"{len(statement.subjects)} acts", f"{len(acts)}")
            for act, subject in zip(acts, statement.subjects, strict=True):
                self._edit(str(act), subject, change, where)
            claimed = plain.get(MAP)
            if claimed is not None and claimed != self.root:
                raise VerificationError(where, f"{self.root[:23]}..., the root of what is live", f"{str(claimed)[:23]}...")
            self._has_root |= claimed is not None

    @property
    def root(self) -> Digest:
        """Return the map's root, tagged."""
        return f"sha256:{self.map.root.hex()}"

    def _edit(self, act: str, subject: Subject, change: str, where: str) -> None:
        record = subject.name.rpartition("@")[0]
        before = self.live.pop(record, None)
        self.brought.pop(record, None)
        if before is not None:
            self._changes[before.key] = None
        if act in GOES_LIVE:
            agreed = self._items.get(change, {}).get(record)
            item = agreed or self._newest.get(record)
            if item is None:
                raise MalformedError(where, f"a change that says where {record} belongs", "none")
            if self._has_root and (agreed is None or agreed[2] != subject.digest):
                raise VerificationError(where, f"{subject.name} with the content that change {change} commits to", "another")
            live = self.live[record] = Live(item[0], item[1], subject.name, subject.digest)
            self.brought[record] = change if agreed is not None else ""
            self._changes[live.key] = live.value


def replay(statements: Iterable[Statement]) -> Replay:
    """Return what entries lead to, from the first on. Raises as `Replay.hear` does."""
    found = Replay()
    for index, statement in enumerate(statements):
        found.hear(statement, where=f"entry {index}")
    return found


def root_named(statement: Statement) -> Digest | None:
    """Return the root that an entry gives; None where it gives none."""
    found = statement.predicate.get(MAP) if statement.kind == EDITS else None
    return found if isinstance(found, str) and DIGEST.fullmatch(found) else None


def _item(item: Json) -> tuple[str, Item]:
    remit = item.get("remit") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(remit, dict):
        raise MalformedError("a change's item", "a record and its remit", repr(item)[:60])
    return str(item.get("record")), (str(remit.get("jurisdiction")), str(remit.get("topic", "")), str(item.get("content")))


def _list(plain: Json, where: str) -> Sequence[Json]:
    if not isinstance(plain, list):
        raise MalformedError(where, "a list", repr(plain)[:60])
    return plain
