"""A rehearsal: the live records with a plan's change, as a shadow, and the probes of the change decided on it. Nothing goes live.

The shadow is a small index of the changed records laid over the live one, which is neither changed nor copied; what the plan
closes is hidden. Up to `PROBED_IN_FULL` new and changed records are all probed, each against every other. Of more, `SAMPLE` are,
chosen by digest, against the live records and those `KIN` of the plan that share the most telling words with each: the cost
is bounded whatever the size of the plan. What is probed, and how, stands in the report.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final

from rag_edit.core.decision import Candidate, Decision, Query
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.engine import Engine
from rag_edit.index.brute import BruteShelf
from rag_edit.index.embedder import Embedder, Vectors
from rag_edit.index.kept import KeptVectors
from rag_edit.index.retriever import Retriever
from rag_edit.records.planned import Plan
from rag_edit.scope.crossing import Crossing
from rag_edit.scope.radius import (
    Finding,
    Kind,
    Probe,
    Radius,
    day_of,
    judge,
    kin_of,
    neighbour_probes,
    own_probes,
    sample_of,
    withheld_twin,
)

PROBED_IN_FULL: Final = 200  # new and changed records: a file that a person wrote
SAMPLE: Final = 60  # of more: about 250 questions, a few seconds beside the minutes that encoding thousands takes
KIN: Final = 8
BATCH: Final = 256
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # versions of a rehearsal were recorded never


class Overlay(Retriever):
    """A small index laid over another: searched together, with some records of the lower one hidden."""

    def __init__(self, lower: Retriever, embedder: Embedder, versions: Sequence[RecordVersion], hidden: frozenset[str]) -> None:
        """Index ``versions`` in memory; of ``lower`` no record is changed.

        Args:
            lower: The index below; what is asked for and not loaded is loaded there.
            embedder: Encodes the views of ``versions``.
            versions: Live versions that only this index shows.
            hidden: Ids of records of ``lower`` that are not shown.
        """
        super().__init__(BruteShelf(), embedder)
        self._lower, self._hidden = lower, hidden
        groups: dict[str, list[RecordVersion]] = {}
        for version in versions:
            groups.setdefault(version.record.jurisdiction, []).append(version)
        super().refresh_all(groups)
        self._own = super().loaded()

    def refresh_all(
        self, live: Mapping[str, Iterable[RecordVersion]], progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Load partitions below: live records are never part of this index, where nothing would hide them."""
        self._lower.refresh_all(live, progress)

    def loaded(self) -> frozenset[str]:
        """Return the jurisdictions that can be searched: those loaded below; its own are there from the start."""
        return self._lower.loaded()

    def search(
        self, chain: Sequence[str], texts: Sequence[str], vectors: Vectors, *, k: int = 32
    ) -> list[tuple[Candidate, ...]]:
        """Return the candidates of both, as `Retriever.search` orders them."""
        below = self._lower.search(chain, texts, vectors, k=k)
        above = super().search([name for name in chain if name in self._own], texts, vectors, k=k)
        shown = [[c for c in group if c.version.record.id not in self._hidden] for group in below]
        return [tuple(sorted([*low, *high], key=_order)) for low, high in zip(shown, above, strict=True)]

    def saying(self, chain: Sequence[str], text: str) -> tuple[Candidate, ...]:
        """Return the records of both whose target ``text`` names."""
        below = [c for c in self._lower.saying(chain, text) if c.version.record.id not in self._hidden]
        return tuple(sorted([*below, *super().saying(chain, text)], key=_order))


@dataclass(slots=True)
class Shadow:
    """A plan as if it were in force, beside the live set: what a change is tried on before it is live.

    Attributes:
        live: The engine as it is.
        after: The same over the live index with the plan's records on top and what it closes hidden.
        probed: The versions that are tried.
        shown: Those that the shadow holds: all, or of a large plan the tried ones and their kin in words.
        changed: How many the plan has in all.
        closed: Ids of live records that the plan closes or replaces.
        how: Which are tried, and why these, in words.
        day: On which those that hold on it are tried.
    """

    live: Engine
    after: Engine
    probed: list[RecordVersion]
    shown: list[RecordVersion]
    changed: int
    closed: frozenset[str]
    how: str
    day: date
    _decided: dict[Query, Decision] = field(default_factory=dict)

    def decide(self, queries: Sequence[Query]) -> list[Decision]:
        """Return the decisions with the change, in order; the same question is decided once."""
        fresh = [query for query in dict.fromkeys(queries) if query not in self._decided]
        if fresh:
            self._decided |= zip(fresh, self.after.decide_many(fresh)[0], strict=True)
        return [self._decided[query] for query in queries]


def lay(engine: Engine, plan: Plan, *, today: date | None = None) -> Shadow:
    """Return the shadow of a plan. Partitions of the chains of those that are tried are loaded.

    Args:
        engine: Open; its records and its answers stay as they are.
        plan: What would be applied.
        today: The day on which records that hold on it are tried; the engine's by default.

    Raises:
        PartitionError, ModelError: the index or a model fails.
    """
    day = today or engine.today()
    versions = versions_of(plan)
    records = [version.record for version in versions]
    probed, shown, how = records, records, f"all {len(records)} new and changed records"
    if len(records) > PROBED_IN_FULL:
        probed = sample_of(records, SAMPLE)
        ids = {record.id for record in probed}
        shown = [*probed, *(r for r in kin_of(probed, records, KIN) if r.id not in ids)]
        how = (
            f"{SAMPLE} of {len(records)} new and changed records, chosen by digest, against the live records and the {KIN}"
            " of the plan nearest to each in words"
        )
    by_id = {version.record.id: version for version in versions}
    closed = closed_by(plan)
    engine.open_partitions(
        {code for r in probed for code in engine.atlas.chain(engine.atlas.parse(r.jurisdiction), day_of(r, day))}
    )
    embedder, stated = engine.embedder, [by_id[r.id] for r in shown]
    with embedder.keeping() if isinstance(embedder, KeptVectors) else nullcontext():
        after = replace(engine, retriever=Overlay(engine.retriever, embedder, stated, closed), crossing=Crossing())
    return Shadow(engine, after, [by_id[r.id] for r in probed], stated, len(records), closed, how, day)


def closed_by(plan: Plan) -> frozenset[str]:
    """Return the ids of which a plan closes or replaces what is live."""
    ended = [each.version.record.id for each in (*plan.supersessions, *plan.retractions)]
    return frozenset(ended + [version.record.id for version in versions_of(plan)])


def with_all_of(engine: Engine, plan: Plan) -> Engine:
    """Return the engine with all of a plan over its live records, however large the plan is; the home stays as it is."""
    versions = versions_of(plan)
    return replace(engine, retriever=Overlay(engine.retriever, engine.embedder, versions, closed_by(plan)))


def rehearse(engine: Engine, plan: Plan, *, today: date | None = None, shadow: Shadow | None = None) -> Radius:
    """Return what the probes of a plan's new and changed records find, decided as if the plan were in force.

    Args:
        engine: Open; its records and its answers stay as they are.
        plan: Not refused.
        today: The day on which records that hold on it are probed; the engine's by default.
        shadow: Of this plan, where it was laid already.

    Raises:
        PartitionError, ModelError: the index or a model fails.
    """
    if not (plan.adds or plan.changes):
        return Radius(how="nothing new to probe")
    return _Rehearsal(shadow or lay(engine, plan, today=today)).run()


class _Rehearsal:
    """One call of `rehearse`."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow, self._engine, self._today = shadow, shadow.live, shadow.day

    def run(self) -> Radius:
        """Probe; steps: (1) withheld twins over the shadow; (2) own wordings; (3) withheld ones; (4) neighbours' wordings; (5) findings."""
        shadow, engine, embedder, probed = self._shadow, self._engine, self._engine.embedder, self._shadow.probed
        own = {version.record.id: version for version in probed}
        asked = [probe for version in probed for probe in own_probes(version.record, self._today)]
        with embedder.keeping() if isinstance(embedder, KeptVectors) else nullcontext():  # (1)
            twins = [replace(v, record=twin, digest="") for v in probed if (twin := withheld_twin(v.record)) is not None]
            lacking = Overlay(shadow.after.retriever, embedder, twins, frozenset(v.record.id for v in twins))
        direct = [p for p in asked if p.kind is not Kind.WITHHELD]
        total = len(asked) + 2 * len(probed)
        decided = self._decide(shadow.decide, direct, 0, total)  # (2)
        twin_ids = {v.record.id for v in twins}
        held_out = [p for p in asked if p.kind is Kind.WITHHELD and p.of in twin_ids]
        without = replace(shadow.after, retriever=lacking)
        decided |= self._decide(lambda queries: without.decide_many(queries)[0], held_out, len(direct), total)  # (3)
        met: dict[str, list[Decision]] = {}
        for probe in direct:
            met.setdefault(probe.of, []).append(decided[probe])
        near = [probe for version in probed for probe in neighbour_probes(version, met[version.record.id], self._today)]
        engine.open_partitions({code for p in near for code in engine.atlas.chain(engine.atlas.parse(p.jurisdiction), p.as_of)})
        decided |= self._decide(shadow.decide, near, len(direct) + len(held_out), total)  # (4)
        every = [*direct, *held_out, *near]
        findings = [found for p in every if (found := judge(p, own[p.of], decided[p])) is not None]  # (5)
        reached = sum((winner := decided[p].winner) is not None and winner.record.id == p.of for p in held_out)
        engine.progress("probing", total, total)
        return Radius(
            shadow.changed, len(probed), len(every), len(held_out), reached, tuple(sorted(findings, key=_rank)), shadow.how
        )

    def _decide(
        self, decide: Callable[[Sequence[Query]], Sequence[Decision]], probes: Sequence[Probe], done: int, total: int
    ) -> dict[Probe, Decision]:
        found: dict[Probe, Decision] = {}
        for start in range(0, len(probes), BATCH):
            self._engine.progress("probing", done + start, total)
            batch = probes[start : start + BATCH]
            queries = [Query(p.text, p.jurisdiction, p.as_of) for p in batch]
            found |= zip(batch, decide(queries), strict=True)
        return found


def versions_of(plan: Plan) -> list[RecordVersion]:
    """Return the versions that a plan will make, as the store will name them."""
    made = [_version(each.record, each.expected_version + 1, n) for n, each in enumerate(plan.adds, start=1)]
    return made + [_version(c.record, c.live.version + 1, len(made) + n) for n, c in enumerate(plan.changes, start=1)]


def _version(record: Record, version: int, key: int) -> RecordVersion:
    return RecordVersion(record, version, key, Status.LIVE, _EPOCH)


def _rank(finding: Finding) -> tuple[bool, str, str, str]:
    return (not finding.collides, finding.probe.of, finding.probe.kind, finding.probe.text)


def _order(candidate: Candidate) -> tuple[float, float, str, int, str]:
    record = candidate.version.record
    return (-candidate.similarity, -candidate.lexical, record.id, candidate.version.version, candidate.partition)
