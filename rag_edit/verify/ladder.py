"""The reliability ladder: the cheapest way to answer that passes every probe of a record. Pure; asking is injected.

Rungs by cost: ``verbatim`` (the record's words, rendered by form: no model, nothing to probe), ``grounded`` (the model writes from the
record), ``constrained`` (its decoding is held to the record), ``adapter`` (a low-rank edit, attached for the call). A record that asks
for no model is done without one, so that thousands of records are verified in the time that it takes to look at them.
What it does not know: files, models, routes. It never lowers what a record demands.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from rag_edit.core.digest import Digest, Json, digest_json
from rag_edit.core.record import RecordVersion, Serve
from rag_edit.verify.probes import Probe, probes_of

FORMAT: Final = "rag-edit-evidence-v1"


class Rung(StrEnum):
    """A way to answer; in order of cost."""

    VERBATIM = "verbatim"
    GROUNDED = "grounded"
    CONSTRAINED = "constrained"
    ADAPTER = "adapter"


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether one answer held, and why not."""

    ok: bool
    why: str = ""


Attempt = Callable[[Rung, RecordVersion, Sequence[Probe]], Sequence[Judged] | None]
"""Asks a rung the probes, by real generation, and checks its answers, in order; None where the rung cannot be had (an upstream, no adapter)."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One rung's trial: how many probes, and which failed ("name: why")."""

    rung: Rung
    probes: int
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured of one record version, bound to it by digest.

    Attributes:
        record: ``id@version``.
        record_digest: Digest of the record's content.
        base: Digest of the model asked; empty where none was.
        rung: The cheapest that passed; empty where none did.
        tried: Every rung tried, in order.
        note: Why nothing was tried, where a person said so.
    """

    record: str
    record_digest: Digest
    base: Digest
    rung: str
    tried: tuple[Tried, ...] = ()
    note: str = ""

    @property
    def ok(self) -> bool:
        """Return whether a rung passed."""
        return bool(self.rung)

    def __str__(self) -> str:
        """Return the finding in one line: the rung, or why none."""
        if self.ok or not self.tried:
            return f"{self.record}: {self.rung or 'unverified'}{f' ({self.note})' if self.note else ''}"
        return f"{self.record}: " + "; ".join(
            f"{t.rung} fails {len(t.failed)} of {t.probes}: {t.failed[0]}" for t in self.tried if t.failed
        )

    def digest(self) -> Digest:
        """Return the digest of the evidence."""
        return digest_json(self.to_json())

    def holds_for(self, version: RecordVersion, base: Digest) -> bool:
        """Return whether the evidence is about this very content and, where a model was asked, this very model."""
        return self.record == version.name and self.record_digest == version.digest and self.base in ("", base)

    def to_json(self) -> dict[str, Json]:
        """Return plain values; `from_json` reads them back."""
        tried: list[Json] = [{"rung": str(t.rung), "probes": t.probes, "failed": list(t.failed)} for t in self.tried]
        return {
            "format": FORMAT,
            "record": self.record,
            "record_digest": self.record_digest,
            "base": self.base,
            "rung": self.rung,
            "tried": tried,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Json]) -> Self:
        """Return the evidence that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: other values than it writes.
        """
        tried = plain["tried"]
        if plain["format"] != FORMAT or not isinstance(tried, list):
            raise ValueError(f"wanted {FORMAT}, found {plain['format']!r}")
        made = cls(
            str(plain["record"]),
            str(plain["record_digest"]),
            str(plain["base"]),
            str(plain["rung"]),
            tuple(Tried(Rung(t["rung"]), t["probes"], tuple(t["failed"])) for t in tried),
            str(plain["note"]),
        )
        if made.to_json() != dict(plain):
            raise ValueError("wanted evidence as it is written, found other values")
        return made


def rungs_for(version: RecordVersion) -> tuple[Rung, ...]:
    """Return the rungs that a record admits, cheapest first: one that is served ``grounded`` wants the model's own words."""
    if version.record.serve is Serve.GROUNDED:
        return (Rung.GROUNDED, Rung.CONSTRAINED, Rung.ADAPTER)
    return (Rung.VERBATIM,)


def needs_model(version: RecordVersion) -> bool:
    """Return whether verifying a record asks a model."""
    return rungs_for(version)[0] is not Rung.VERBATIM


def climb(version: RecordVersion, base: Digest, attempt: Attempt, rungs: Sequence[Rung] = ()) -> Evidence:
    """Return the evidence of the cheapest rung that passes every probe; of none, with an empty rung, where all fail.

    Args:
        version: The record.
        base: Digest of the model that ``attempt`` asks.
        attempt: Asks a rung. Never called for ``verbatim``.
        rungs: Tried in order; empty takes `rungs_for`.
    """
    tried: list[Tried] = []
    for rung in rungs or rungs_for(version):
        if rung is Rung.VERBATIM:  # the record's own words state what the record states
            return Evidence(version.name, version.digest, base if tried else "", str(rung), (*tried, Tried(rung, 0)))
        probes = probes_of(version.record)
        judged = attempt(rung, version, probes)
        if judged is None:
            tried.append(Tried(rung, 0, ("not to be had with this model",)))
            continue
        failed = tuple(f"{probe.name}: {found.why}" for probe, found in zip(probes, judged, strict=True) if not found.ok)
        tried.append(Tried(rung, len(probes), failed))
        if not failed:
            return Evidence(version.name, version.digest, base, str(rung), tuple(tried))
    return Evidence(version.name, version.digest, base, "", tuple(tried))


@dataclass(frozen=True, slots=True)
class Cost:
    """What verifying will cost, said beforehand: records in all, those that ask the model, and generations at most."""

    records: int
    with_model: int
    generations: int


def cost_of(versions: Sequence[RecordVersion]) -> Cost:
    """Return what verifying these costs at most, every rung failing but the last."""
    asking = [version for version in versions if needs_model(version)]
    return Cost(len(versions), len(asking), sum(len(rungs_for(v)) * len(probes_of(v.record)) for v in asking))
