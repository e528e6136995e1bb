"""Verification with the parts that answer: trials asked of the live set and of its shadow, and what they say, as findings.

Decisions come from the engine itself, texts from its own answering: what is measured is what is served. Nothing goes live, nothing is
sealed. The base model is asked only for the few answers that the budget allows; all that a record answers by rule costs no model.
Where no record under test came near a question, before and after are the same by construction, and it is decided once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Final, Protocol, TypeVar

from rag_edit.answer.check import check
from rag_edit.checks.inspecting import Rivalries, different, quantities, readers_of
from rag_edit.checks.kinship import ASKED_ELSEWHERE, Kinship
from rag_edit.checks.rehearsal import Overlay, Shadow
from rag_edit.checks.rewording import reworded_trials
from rag_edit.core.decision import Answer, Decision, Form, Query, Reason, Route
from rag_edit.core.record import Record, RecordVersion, Serve, Status
from rag_edit.engine import Engine
from rag_edit.index.retriever import Retriever
from rag_edit.scope.crossing import Crossing
from rag_edit.scope.precedence import said_by, same_fact
from rag_edit.scope.radius import day_of, neighbour_probes
from rag_edit.verify.budget import Budget, Clock, in_order, risk, shares
from rag_edit.verify.finding import Finding, Kind, Ran, Trial, Want
from rag_edit.verify.inspect import inspect
from rag_edit.verify.judge import judge
from rag_edit.verify.measures import Kin
from rag_edit.verify.trials import (
    connecting,
    language_trials,
    namesake_trials,
    neighbour_trials,
    own_trials,
    place_trials,
    portability_trials,
    restoring_trials,
)

BATCH: Final = 128
GIVEN: Final = "given"  # how a wording was made that the record itself states
REWORDED: Final = 20  # records whose questions the model is asked to put otherwise: it takes seconds each
_NEAR: Final = frozenset({Reason.BELOW_THRESHOLD, Reason.NO_CANDIDATE})
Deciding = Callable[[Sequence[Query]], Sequence[Decision]]


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared: the live set before and after a change, and the versions that changed.

    Attributes:
        engine: Open: its atlas, readers, records and answering.
        after: Decides with the change.
        before: Decides without; None where there is no change to compare with.
        versions: Under test.
        standing: All other records that are live with the change.
        ids: Ids of all that the change adds, changes or closes.
        closes: Whether it takes records out: then every question is decided on both sides.
        earlier: What an id said before, where it was live.
        day: On which records that hold on it are tried.
    """

    engine: Engine
    after: Deciding
    before: Deciding | None
    versions: Sequence[RecordVersion]
    standing: Sequence[RecordVersion]
    ids: frozenset[str]
    closes: bool = False
    earlier: dict[str, Record] = field(default_factory=dict)
    day: date = date.min


def sides_of_plan(shadow: Shadow) -> Sides:
    """Return the sides of a plan that was laid as a shadow."""
    engine = shadow.live
    live = {version.record.id: version for version in engine.store.live()}
    earlier = {each.record.id: live[each.record.id].record for each in shadow.shown if each.record.id in live}
    standing = [version for name, version in live.items() if name not in shadow.closed]
    ids = shadow.closed | {version.record.id for version in shadow.shown}
    before = replace(engine, crossing=Crossing())
    closes = any(name in live for name in shadow.closed)
    tested = {v.record.id for v in shadow.probed}
    others = [version for version in shadow.shown if version.record.id not in tested]
    return Sides(
        engine, shadow.decide, lambda queries: before.decide_many(queries)[0], shadow.probed, [*standing, *others], ids, closes, earlier, shadow.day
    )  # fmt: skip


def sides_of_live(engine: Engine, versions: Sequence[RecordVersion], *, compare: bool) -> Sides:
    """Return the sides of live records: as they are, beside what was live before them.

    Args:
        engine: Open.
        versions: Live.
        compare: Whether to compare with their earlier versions, hidden where there were none; else there is no before.
    """
    day, ids = engine.today(), frozenset(version.record.id for version in versions)
    standing = [version for version in engine.store.live() if version.record.id not in ids]
    plain = replace(engine, crossing=Crossing())
    before: Deciding | None = None
    earlier: dict[str, Record] = {}
    if compare:
        old = [
            v
            for version in versions
            if version.version > 1
            for v in engine.store.history(version.record.id)
            if v.version == version.version - 1
        ]
        old = [replace(v, status=Status.LIVE) for v in old]  # as they stood then
        earlier = {v.record.id: v.record for v in old}
        retriever: Retriever = Overlay(engine.retriever, engine.embedder, old, ids)
        lower = replace(plain, retriever=retriever)

        def before_of(queries: Sequence[Query]) -> list[Decision]:
            return lower.decide_many(queries)[0]

        before = before_of
    return Sides(
        engine, lambda queries: plain.decide_many(queries)[0], before, versions, standing, ids, bool(earlier), earlier, day
    )


@dataclass(frozen=True, slots=True)
class Assessed:
    """What verification found.

    Attributes:
        findings: In the order of asking; looks at fields first.
        planned: Trials by kind that could have been asked.
        seconds: How long it took.
        texts: Answers that the model wrote.
    """

    findings: tuple[Finding, ...]
    planned: dict[str, int]
    seconds: float
    texts: int


Progress = Callable[[str, int, int], None]
T = TypeVar("T")


class Turn(Protocol):
    """Gives what a piece of work comes to, done when its turn has come."""

    def __call__(self, act: Callable[[], T], /) -> T:
        """Do it and give what it comes to."""
        ...


def at_once(act: Callable[[], T], /) -> T:
    """Do it now: nobody else uses the engine."""
    return act()


@dataclass(slots=True)
class Assessor:
    """One verification.

    Attributes:
        sides: What is compared.
        budget: What may be spent.
        clock: Time.
        user: Trials that users wrote, by record id.
        known: Findings of a run that was cut off, by trial.
        keep: Told of every batch of findings, to write them down.
        progress: Told of long work.
        turn: Does a piece of the work that needs the engine, when the engine is free for it.
        batch: Questions in such a piece.
    """

    sides: Sides
    budget: Budget
    clock: Clock
    user: Callable[[Record, date], Sequence[Trial]] = lambda _record, _day: ()
    known: dict[str, Finding] = field(default_factory=dict)
    keep: Callable[[Sequence[Finding]], None] = lambda _: None
    progress: Progress = lambda _stage, _done, _total: None
    turn: Turn = at_once
    batch: int = BATCH
    _texts_left: int = 0
    _by_id: dict[str, RecordVersion] = field(default_factory=dict)
    _ceded: dict[str, str] = field(default_factory=dict)  # by record under test, who answered its own question before

    def run(self) -> Assessed:
        """Verify; steps: (1) fields; (2) trials of the records alone and of their kin; (3) those of their neighbours; (4) the report's values."""
        self._texts_left = self.budget.texts
        self._ceded = {f.record_id: f.before.record.rpartition("@")[0] for f in self.known.values() if f.kind is Kind.EFFICACY}
        found = self._fields()  # (1)
        self.keep(found)
        kinship = Kinship(self.sides.versions, self.sides.standing, self.sides.engine.read_places)
        risks = {v.record.id: risk(v.record, len(kinship.namesakes(v))) for v in self.sides.versions}
        own = [t for v in self.sides.versions for t in self._own(v, kinship)]  # (2)
        if self.budget.reworded:
            riskiest = sorted(self.sides.versions, key=lambda v: (-risks[v.record.id], v.record.id))[:REWORDED]
            own += reworded_trials(self.sides.engine, riskiest, self.budget.reworded, self.sides.day)
        trials = in_order(own, risks)
        planned: dict[str, int] = {}
        for trial in trials:
            planned[trial.kind] = planned.get(trial.kind, 0) + 1
        wants_near = Kind.NEIGHBOUR in self.budget.kinds
        limit = self.budget.trials
        if wants_near:
            planned[Kind.NEIGHBOUR] = 3 * len(self.sides.versions)
            limit = None if limit is None else max(len(self.sides.versions) // 8, limit * 3 // 4)
        met: dict[str, list[Decision]] = {}
        done = self._ask(shares(trials, limit), met)
        found += done
        if wants_near:  # (3)
            near = in_order(
                [t for v in self.sides.versions if v.record.id in met for t in self._near(v, met[v.record.id], kinship)], risks
            )
            planned[Kind.NEIGHBOUR] = max(len(near), planned[Kind.NEIGHBOUR] if len(met) < len(self.sides.versions) else 0)
            left = None if self.budget.trials is None else max(0, self.budget.trials - len(done))
            found += self._ask(near[:left], {}, len(done))
        return Assessed(tuple(found), planned, self.clock.spent, self.budget.texts - self._texts_left)  # (4)

    def estimate(self) -> tuple[int, int]:
        """Return how many records there are and how many questions will be decided at most, before anything is asked."""
        each = 4 * sum(kind in self.budget.kinds for kind in Kind)
        most = each * len(self.sides.versions) + (ASKED_ELSEWHERE if Kind.JURISDICTION in self.budget.kinds else 0)
        return len(self.sides.versions), most if self.budget.trials is None else min(most, self.budget.trials)

    def _fields(self) -> list[Finding]:
        sides, engine = self.sides, self.sides.engine
        readers = readers_of(engine.atlas, engine.read_places, sides.day)
        kin = Kin((v.record for v in sides.versions), (v.record for v in sides.standing), quantities)
        rivals = Rivalries(sides.versions, sides.standing)
        found: list[Finding] = []
        for n, version in enumerate(sides.versions):
            if n % BATCH == 0:
                self.progress("looking at fields", n, len(sides.versions))
            live = sides.earlier.get(version.record.id)
            found += inspect(version, readers, kin, live=live, rivals=different(rivals.of(version)), today=sides.day)
        self.progress("looking at fields", len(sides.versions), len(sides.versions))
        return found

    def _own(self, version: RecordVersion, kinship: Kinship) -> list[Trial]:
        """Return the trials of one record that need no search."""
        record, sides = version.record, self.sides
        day = day_of(record, sides.day)
        found = [kinship.in_its_language(record, trial) for trial in own_trials(record, day)]
        kinds = self.budget.kinds
        if Kind.RESTORING in kinds:
            found += restoring_trials(record, day)
        if Kind.JURISDICTION in kinds:
            found += place_trials(record, day, kinship.places(record, sides.engine.atlas, day))
        if Kind.LANGUAGE in kinds:
            asked = {trial.made for trial in found if trial.kind is Kind.LANGUAGE}
            wordings = {tongue: texts for tongue, texts in kinship.wordings(record).items() if tongue not in asked}
            found += language_trials(record, day, wordings)
        if Kind.NAMESAKE in kinds and not kinship.is_kind(record):
            found += namesake_trials(record, day)
        if Kind.PORTABILITY in kinds:
            met = [other for other in connecting(record, kinship.by_name) if self._meet(record, other)]
            found += portability_trials(record, day, met)
        return [trial for trial in found if trial.kind in kinds] + list(self.user(record, day))

    def _near(self, version: RecordVersion, decisions: Sequence[Decision], kinship: Kinship) -> list[Trial]:
        """Return the questions of records that its own questions met, and of those that share a name with it."""
        day = self.sides.day
        met = {v.candidate.version.record.id: v.candidate.version.record for decision in decisions for v in decision.verdicts}
        near = [(met[p.expected], p.as_of, "met by its question") for p in neighbour_probes(version, decisions, day)]
        known = {record.id for record, _, _ in near}
        near += [
            (other.record, day_of(other.record, day, version.record), "shares a name")
            for other in kinship.namesakes(version)
            if other.record.id not in known and self._meet(version.record, other.record)
        ][:2]
        return neighbour_trials(version.record, near)

    def _meet(self, a: Record, b: Record) -> bool:
        """Return whether the one can be seen where the other stands."""
        return a.overlaps(b) and self.sides.engine.atlas.covers(b.jurisdiction, a.jurisdiction, day_of(b, self.sides.day, a))

    def _ask(self, trials: Sequence[Trial], met: dict[str, list[Decision]], before: int = 0) -> list[Finding]:
        """Return the findings of trials, batch by batch, as long as there is time; ``met`` collects decisions by record."""
        own = {version.record.id: version for version in self.sides.versions}
        found: list[Finding] = []
        for start in range(0, len(trials), self.batch):
            batch = trials[start : start + self.batch]
            if self.clock.is_up(before + start, len(batch)):
                break
            self.progress("asking", start, len(trials))
            found += self.turn(partial(self._ask_batch, batch, own, met))
        self.progress("asking", len(trials), len(trials))
        return found

    def _ask_batch(
        self, batch: Sequence[Trial], own: Mapping[str, RecordVersion], met: dict[str, list[Decision]]
    ) -> list[Finding]:
        asked = [t for t in batch if t.key not in self.known or t.kind is Kind.EFFICACY]  # by that one neighbours are met
        queries = [Query(t.question, t.jurisdiction, t.as_of, t.messages) for t in asked]
        open_chains(self.sides.engine, queries)
        decided = dict(zip((t.key for t in asked), zip(queries, self.sides.after(queries), strict=True), strict=True))
        met.update({t.of: [decided[t.key][1]] for t in asked if t.kind is Kind.EFFICACY})
        fresh = [t for t in asked if t.key not in self.known]
        sides = self._both(fresh, [decided[t.key][0] for t in fresh], [decided[t.key][1] for t in fresh])
        made = {t.key: judge(t, own[t.of], *each) for t, each in zip(fresh, sides, strict=True)}
        self.keep(list(made.values()))
        return [made.get(t.key) or self.known[t.key] for t in batch]

    def _both(
        self, trials: Sequence[Trial], queries: Sequence[Query], after: Sequence[Decision]
    ) -> list[tuple[Ran | None, Ran]]:
        """Return before and after of each trial. Before is asked only where it may differ."""
        sides = self.sides
        own = {version.record.id: version for version in sides.versions}
        earlier: dict[int, Decision] = {}
        if sides.before is not None:
            at = [i for i, t in enumerate(trials) if t.want is Want.RECORD or sides.closes or self._touched(after[i])]
            at = [i for i in at if trials[i].kind is not Kind.PARAPHRASE or trials[i].made == GIVEN]
            if at:
                earlier = dict(zip(at, sides.before([queries[i] for i in at]), strict=True))
            self._ceded |= {trials[i].of: _winner(earlier[i]) for i in at if trials[i].kind is Kind.EFFICACY}
        made: list[tuple[Ran | None, Ran]] = []
        for i, trial in enumerate(trials):
            then = self._ran(own[trial.of], queries[i], after[i], wanted=trial.want is Want.RECORD)
            if trial.kind is Kind.PORTABILITY and then.winner is not None and trial.expected in self._known_versions():
                then = replace(then, same_answer=said_by(self._known_versions()[trial.expected]) == said_by(then.winner))
            was = self._ran(own[trial.of], queries[i], earlier[i], wanted=False) if i in earlier else None
            if was is not None and was.record in sides.ids:  # it goes, or is itself the change: nothing is said twice
                was = None if trial.kind is Kind.PARAPHRASE else replace(was, same_answer=False)
            elif was is not None and was.record:
                was = replace(was, ceded=was.record == self._ceded.get(trial.of))
            if was is None and sides.before is not None and trial.want is not Want.RECORD:
                was = then
            made.append((was, then))
        return made

    def _known_versions(self) -> dict[str, RecordVersion]:
        """Return all versions that are live with the change, by id."""
        if not self._by_id:
            self._by_id |= {version.record.id: version for version in (*self.sides.standing, *self.sides.versions)}
        return self._by_id

    def _touched(self, decision: Decision) -> bool:
        """Return whether a record that the change adds or alters stood above the cut."""
        return any(v.candidate.version.record.id in self.sides.ids and v.reason not in _NEAR for v in decision.verdicts)

    def _ran(self, own: RecordVersion, query: Query, decision: Decision, *, wanted: bool) -> Ran:
        answer = self._answer(query, decision, wanted=wanted)
        winner = decision.winner
        mine = next((v for v in decision.verdicts if v.candidate.version.record.id == own.record.id), None)
        others = [v for v in decision.contenders if v.record.id != own.record.id]
        holds, why = None, ""
        if answer is not None and winner is not None and decision.form in (Form.OPEN, Form.CLOZE, Form.DOUBT, Form.LONG):
            found = check(answer.text, winner.record)
            holds, why = found.ok or answer.text == winner.record.answer, found.why
        return Ran(
            decision.route,
            decision.reason,
            winner,
            decision.score,
            tuple(version.name for version in decision.contenders),
            answer.text if answer else "",
            answer.rung if answer else "",
            str(mine.reason) if mine else "",
            mine.note if mine else "",
            winner is not None and same_fact(own, winner),
            winner is not None and said_by(own) == said_by(winner),
            holds,
            why,
            others[0] if others else None,
        )

    def _answer(self, query: Query, decision: Decision, *, wanted: bool) -> Answer | None:
        """Return what is served; None where a model would have to write it and the budget has no more of that."""
        if is_written(decision):
            if not wanted or self._texts_left <= 0:
                return None
            self._texts_left -= 1
        return self.sides.engine.answering[decision.route]([(query, decision)])[0]


def is_written(decision: Decision) -> bool:
    """Return whether a model would have to write the answer; all others are made by rule."""
    record = decision.winner.record if decision.winner else None
    if record is None:
        return decision.route is not Route.ABSTAIN
    asks = decision.form is Form.LONG or (record.serve is Serve.GROUNDED and decision.form is Form.OPEN)
    return asks and record.serve is not Serve.VERBATIM


def _winner(decision: Decision) -> str:
    return decision.winner.record.id if decision.winner is not None else ""


def open_chains(engine: Engine, queries: Iterable[Query]) -> None:
    """Load what questions need in the live index, which shadows lie on."""
    asked = {(query.jurisdiction, query.as_of) for query in queries}
    engine.open_partitions({code for place, day in asked for code in engine.atlas.chain(engine.atlas.parse(place), day)})
