"""What a plan is: values only. `rag_edit.records.plan` makes one, `rag_edit.records.plan_view` shows it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from rag_edit.core.digest import Digest, Json, digest_json
from rag_edit.core.errors import ConflictError
from rag_edit.core.record import Record, RecordVersion
from rag_edit.records.store import MAX_NOTE_CHARS, Act, Edit

OnConflict: TypeAlias = Literal["refuse", "newest", "skip"]


@dataclass(frozen=True, slots=True)
class Addition:
    """A record becomes live under an id that is not. ``expected_version`` is above 0 where the id was closed before."""

    record: Record
    where: str
    expected_version: int


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, as `Record.to_json` has them; None is the field's default."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class Alteration:
    """A live record gets other content."""

    record: Record
    where: str
    live: RecordVersion

    def fields(self) -> tuple[FieldChange, ...]:
        """Return what differs, in the order of the format."""
        old, new = self.live.record.to_json(), self.record.to_json()
        names = (each.name for each in fields(Record))
        return tuple(FieldChange(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n))


@dataclass(frozen=True, slots=True)
class Closing:
    """A record stops answering: superseded by another, or retracted.

    Attributes:
        act: SUPERSEDE or RETRACT.
        version: What is closed, as it stands.
        where: Where the files say so.
        by: Id of the record that supersedes it; empty on RETRACT.
    """

    act: Act
    version: RecordVersion
    where: str
    by: str = ""
    reason: str = ""
    author: str = ""
    institution: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record of the files that is not put into force, and why."""

    id: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of two records that contradict one another. ``where`` is ``path:line``, or ``id@version`` where it is live."""

    id: str
    where: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two records that contradict one another, and what the plan does about it (empty: nothing, it is refused)."""

    jurisdiction: str
    about: str
    first: Side
    second: Side
    outcome: str = ""

    def __str__(self) -> str:
        sides = " against ".join(f"{s.id} ({s.where}) {_short(s.answer)}" for s in (self.first, self.second))
        return f"{self.jurisdiction}: {_short(self.about)}: {sides}{f': {self.outcome}' if self.outcome else ''}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying files would do. Every list is sorted by id: the order of files and records does not show.

    Attributes:
        on_conflict: What is done with records that contradict one another.
        adds, changes, supersessions, retractions: What becomes of which record.
        unchanged: Ids of records that are live with equal content.
        left_out: Records of the files that are not put into force.
        conflicts: Records that contradict one another; where ``on_conflict`` is ``refuse``, none may.
        warnings: What is carried out all the same, and may not be meant.
    """

    on_conflict: OnConflict
    adds: tuple[Addition, ...] = ()
    changes: tuple[Alteration, ...] = ()
    supersessions: tuple[Closing, ...] = ()
    retractions: tuple[Closing, ...] = ()
    unchanged: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Return whether conflicts forbid to carry it out."""
        return self.on_conflict == "refuse" and bool(self.conflicts)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Return the edits for the store: closings first, then changes, then additions.

        Raises:
            ConflictError: the plan is refused.
        """
        if self.refused:
            raise ConflictError(tuple(map(str, self.conflicts)))
        return tuple(self._edits())

    @property
    def key(self) -> Digest:
        """Return the idempotency key: the digest of the edits with the versions that they expect."""
        return digest_json(
            [
                [e.act.value, e.record.id, e.record.digest(), e.expected_version, e.reason, e.author, e.institution]
                for e in self.edits
            ]
        )

    def counts(self) -> dict[str, int]:
        """Return how many there are of each, by name."""
        return {
            "added": len(self.adds),
            "changed": len(self.changes),
            "superseded": len(self.supersessions),
            "retracted": len(self.retractions),
            "unchanged": len(self.unchanged),
            "left out": len(self.left_out),
            "conflicts": len(self.conflicts),
            "warnings": len(self.warnings),
        }

    def _edits(self) -> Iterator[Edit]:
        for closing in (*self.retractions, *self.supersessions):
            version = closing.version
            notes = (closing.reason, closing.author, closing.institution)
            yield Edit(closing.act, version.record, version.version, *map(_note, notes))
        for change in self.changes:
            yield _edit(Act.CHANGE, change.record, change.live.version)
        for addition in self.adds:
            yield _edit(Act.ADD, addition.record, addition.expected_version)


def _edit(act: Act, record: Record, expected_version: int) -> Edit:
    return Edit(act, record, expected_version, *map(_note, (record.rationale, record.author, record.institution)))


def _note(text: str) -> str:
    return text[:MAX_NOTE_CHARS]  # the record itself keeps the whole


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
