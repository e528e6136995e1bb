"""A replica: an engine that answers from a home which another process has open, and edits nothing.

The owner of a home has its database; a replica has the same readers of texts, the same partitions on disk (read only) and a
`Source`: a line to the owner. Live records and changes come from there, up to a position that `FollowedStore.sync` takes over and
that stands still until the next one, so that a question is decided on one state of the log. Whether a record is switched off is
asked of the owner for every answer, and receipts are sealed there: what cannot be had from the owner is an error, never a guess.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn, Protocol

from rag_edit.core.decision import Answer, Decision, Query
from rag_edit.core.digest import Digest, Json, digest_json
from rag_edit.core.errors import StoreError
from rag_edit.core.record import RecordVersion, Status, record_from_json
from rag_edit.engine import Engine
from rag_edit.provenance.receipt import micro
from rag_edit.records.plan import Plan
from rag_edit.records.store import Act, Appended, Change
from rag_edit.trust.grounds import UNMEASURED, Grounds
from rag_edit.trust.receipting import Draft
from rag_edit.trust.trusting import Drafter
from rag_edit.verify.watch import Count, Tally


class Source(Protocol):
    """The owner of a home, as a replica sees it. Every call may raise a `StoreError`: the owner is gone, or does not answer."""

    def position(self) -> int:
        """Return how far the owner's log has come. Whoever was told of an edit finds it counted here."""
        ...

    def live(self, jurisdictions: Collection[str], at: int) -> Iterator[RecordVersion]:
        """Return what was live in jurisdictions after log line ``at``."""
        ...

    def changes(self, after: int, limit: int) -> Iterator[Change]:
        """Return ``limit`` lines of the log after line ``after``."""
        ...

    def is_off(self, version: RecordVersion) -> bool:
        """Return whether a record, its partition or everything is switched off now."""
        ...

    def seal(self, drafts: Sequence[Draft]) -> list[str]:
        """Return the names of sealed receipts."""
        ...

    def count(self, counts: Sequence[Count]) -> None:
        """Add to what is counted of the home's answers."""
        ...


class FollowedStore:
    """The store of another process, up to a position: live records and changes. Everything else of a store is refused."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0

    def sync(self) -> None:
        """Take over how far the owner's log has come; never backwards."""
        self._position = max(self._position, self._source.position())

    def position(self) -> int:
        """Return the position that was taken over last."""
        return self._position

    def live(self, jurisdictions: Collection[str] | None = None) -> Iterator[RecordVersion]:
        """Return what was live in jurisdictions at `position`."""
        if jurisdictions is None:
            raise _not_here("live records of all jurisdictions")
        return self._source.live(jurisdictions, self._position)

    def changes(self, after: int, limit: int | None = None) -> Iterator[Change]:
        """Return the lines after ``after``, up to `position`."""
        most = self._position - after
        return self._source.changes(after, most if limit is None else min(most, limit))

    def close(self) -> None:
        """Do nothing: the store is another's."""

    def __getattr__(self, name: str) -> NoReturn:
        raise _not_here(name)


class FollowedOffice:
    """The office of another process: it says what is switched off, and puts nothing into force."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def carry_out(self, plan: Plan, *, recorded_at: datetime, grounds: Grounds = UNMEASURED) -> Appended:
        """Refuse."""
        del plan, recorded_at, grounds
        raise StoreError(
            "wanted the process that owns this home, found one that answers for it", hint="ask the server's /api/v1"
        )

    def is_off(self, version: RecordVersion) -> bool:
        """Return what the owner says."""
        return self._source.is_off(version)

    def keep_up(self) -> None:
        """Do nothing: the owner does, and its log tells."""


class FollowedSealing:
    """Receipts drafted here, where the texts are, and sealed by the owner, who has the ledger. No text leaves this process."""

    def __init__(self, source: Source, drafter: Drafter) -> None:
        self._source, self._drafter = source, drafter

    def __call__(self, several: Sequence[tuple[Query, Decision, Answer, tuple[str, ...]]]) -> list[str]:
        """Return the names of the answers' receipts."""
        return self._source.seal(self._drafter(several))


class FollowedCounting(Tally):
    """What became of answers that were served here, told to the owner, who keeps the file."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def flush(self) -> None:
        """Tell the owner; what it could not be told is told the next time."""
        counts = self.take()
        if not counts:
            return
        try:
            self._source.count(counts)
        except StoreError:
            self.add(counts)


def _not_here(what: str) -> StoreError:
    return StoreError(
        f"{what}: wanted the process that owns this home, found one that only answers for it", hint="ask the server's /api/v1"
    )


def decides_with(engine: Engine) -> Digest:
    """Return the digest of what an engine decides with: two with equal ones and equal records decide alike."""
    cut = engine.thresholds
    crossing = repr(engine.crossing)
    named: list[Json] = [
        engine.embedder.digest,
        engine.scope_digest,
        micro(cut.in_scope),
        micro(cut.margin),
        {risk: micro(least) for risk, least in cut.by_risk.items()},
        engine.candidates,
        crossing,
    ]
    return digest_json([*named, engine.jurisdiction])


def version_to_json(version: RecordVersion) -> dict[str, Any]:
    """Return a record version as plain values; `version_from_json` reads it back equal."""
    return {
        "record": version.record.to_json(),
        "version": version.version,
        "key": version.key,
        "status": str(version.status),
        "recorded_at": version.recorded_at.isoformat(),
        "digest": version.digest,
    }


def version_from_json(plain: Mapping[str, Any]) -> RecordVersion:
    """Return the version that `version_to_json` wrote."""
    return RecordVersion(
        record_from_json(plain["record"]),
        int(plain["version"]),
        int(plain["key"]),
        Status(plain["status"]),
        datetime.fromisoformat(plain["recorded_at"]),
        plain["digest"],
    )


def change_to_json(change: Change) -> dict[str, Any]:
    """Return a line of the log as plain values."""
    who = {"reason": change.reason, "author": change.author, "institution": change.institution}
    return {"seq": change.seq, "act": str(change.act), "version": version_to_json(change.version), "batch": change.batch, **who}


def change_from_json(plain: Mapping[str, Any]) -> Change:
    """Return the line that `change_to_json` wrote."""
    return Change(**{**plain, "act": Act(plain["act"]), "version": version_from_json(plain["version"])})
