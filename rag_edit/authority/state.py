"""The state that acts lead to: register, changes, records, suspensions. Data, and what is read from it; no rules on who may.

A record's versions are named by the changes that brought them. At most one is live. A version is superseded by the next,
retracted, erased, or lapses when the break-glass ends that brought it.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from rag_edit.authority.acts import EVERYTHING, Reach, Target
from rag_edit.authority.change import Change
from rag_edit.authority.mandate import Remit
from rag_edit.authority.register import Register, Signed
from rag_edit.authority.territory import Territory
from rag_edit.core.digest import Digest

LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)


class Standing(StrEnum):
    """What became of a version of a record."""

    LIVE = "live"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"
    LAPSED = "lapsed"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Line:
    """One record and its versions.

    Attributes:
        record: Its id.
        remit: Jurisdiction and topic of the newest version that was live.
        revision: How often what is live changed; what the next act has to expect.
        live: The change that brought the live version; empty: none is.
        versions: Each version's change and standing, oldest first.
        erased: For ever.
        review_due: Until when a break-glass on it has to be reviewed: ratified, or followed by a regular publication.
    """

    record: str
    remit: Remit
    revision: int = 0
    live: str = ""
    versions: tuple[tuple[str, Standing], ...] = ()
    erased: bool = False
    review_due: datetime | None = None

    def closed(self, standing: Standing) -> "Line":
        """Return the line with nothing live; what was is now ``standing``."""
        versions = tuple((c, standing if c == self.live and s is Standing.LIVE else s) for c, s in self.versions)
        return replace(self, revision=self.revision + 1, live="", versions=versions)

    def opened(self, change: str, remit: Remit) -> "Line":
        """Return the line with the version of ``change`` live: a new one, or one that is live again."""
        others = tuple((c, s) for c, s in self.versions if c != change)
        return replace(self, revision=self.revision + 1, live=change, remit=remit, versions=(*others, (change, Standing.LIVE)))


@dataclass(frozen=True, slots=True)
class Suspension:
    """Who switched something off, and where in the ledger."""

    position: int
    signed: Signed
    reason: str


@dataclass(frozen=True, slots=True)
class Served:
    """What a record serves.

    Attributes:
        change, content: The live version; both empty where there is none.
        emergency: Whether it is live by break-glass: every receipt says so.
        suspended: What switches it off; None: nothing. What is switched off is not served, whatever is live.
    """

    change: str = ""
    content: Digest = ""
    emergency: bool = False
    suspended: Target | None = None

    @property
    def answers(self) -> bool:
        """Return whether the record may answer."""
        return self.change != "" and self.suspended is None


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in the ledger and when an act is judged. ``now`` is the clock of whoever receives it, never the speaker's."""

    position: int
    now: datetime


@dataclass(slots=True)
class State:
    """All of it. Changed by `rag_edit.authority.book` alone.

    Attributes:
        territory: Which territory is governed by which.
        register: People, keys, mandates, policies.
        changes, records: By name.
        suspensions: What is switched off.
        said: Acts that take several people, by what they do: who has said so until now.
        timed: Changes of which something becomes by itself, and when.
        unfinished: Changes that are not published.
        position, clock: Of the last act; the clock never goes back.
    """

    territory: Territory
    register: Register = field(default_factory=Register)
    changes: dict[str, Change] = field(default_factory=dict)
    records: dict[str, Line] = field(default_factory=dict)
    suspensions: dict[Target, Suspension] = field(default_factory=dict)
    said: dict[Digest, tuple[Signed, ...]] = field(default_factory=dict)
    timed: dict[str, datetime] = field(default_factory=dict)
    unfinished: dict[str, None] = field(default_factory=dict)
    position: int = -1
    clock: datetime = LONG_AGO

    def put(self, change: Change) -> None:
        """Keep a change, and when something becomes of it by itself."""
        self.changes[change.id] = change
        due = change.emergency.until if change.emergency else change.not_before if change.is_open else None
        if due is None:
            self.timed.pop(change.id, None)
        else:
            self.timed[change.id] = due
        if change.is_open:
            self.unfinished[change.id] = None
        else:
            self.unfinished.pop(change.id, None)

    def go_live(self, change: Change, *, review_due: datetime | None) -> tuple[tuple[str, str], ...]:
        """Make a change's versions live. Return for each record the change that was live before."""
        displaced = []
        for item in change.items:
            line = self.records.get(item.record) or Line(item.record, item.remit)
            displaced.append((item.record, line.live))
            if line.live and line.live != change.id:
                line = line.closed(Standing.SUPERSEDED)
            self.records[item.record] = replace(line.opened(change.id, item.remit), review_due=review_due)
            for other in item.supersedes:
                if self.records[other].live:
                    self.records[other] = self.records[other].closed(Standing.SUPERSEDED)
        return tuple(displaced)

    def served(self, record: str) -> Served:
        """Return what a record serves; nothing where it is not known."""
        line = self.records.get(record)
        if line is None or not line.live:
            return Served()
        change = self.changes[line.live]
        switches = (EVERYTHING, Target(Reach.PARTITION, line.remit.jurisdiction), Target(Reach.RECORD, record))
        off = next((target for target in switches if target in self.suspensions), None)
        return Served(change.id, change.item(record).content, change.emergency is not None, off)
