"""The engine: a question is answered by the record whose scope holds it, by that record's adapter, or by the frozen model.

The one place that knows all stages. It hands values from one stage to the next and holds both paths on a screen each:
`Engine.decide_many` and `Engine.ask_many` for questions, `Engine.apply` for edits. It decides nothing itself. Opening the
parts is `rag_edit.opening`'s; here they come as arguments, so a test gives fakes.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from types import MappingProxyType, TracebackType
from typing import Protocol, Self

from rag_edit.core.decision import Answer, Candidate, Decision, Message, Query, Reason, Route, ScopeScore
from rag_edit.core.digest import digest_json
from rag_edit.core.jurisdiction import Atlas
from rag_edit.core.record import RecordVersion
from rag_edit.index.embedder import Embedder
from rag_edit.index.retriever import Retriever
from rag_edit.records.plan import Plan
from rag_edit.records.store import Appended, RecordStore
from rag_edit.scope.calibration import Thresholds
from rag_edit.scope.crossing import Crossing
from rag_edit.scope.decide import decide
from rag_edit.scope.policies import Policy, ReadPlaces, standing_policies
from rag_edit.scope.precedence import MoreSpecific
from rag_edit.scope.reading import Doubting, Reading, read, read_doubted
from rag_edit.scope.reversed import decide_reversed, may_be_reversed
from rag_edit.scope.scorer import ScopeItem, ScopeScorer
from rag_edit.trust.grounds import UNMEASURED, Grounds

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``, called now and then during long work."""
Answering = Callable[[Sequence[tuple[Query, Decision]]], list[Answer]]
"""Answers questions of one route, in order."""
Sealing = Callable[[Sequence[tuple[Query, Decision, Answer, tuple[str, ...]]]], list[str]]
"""Makes receipts of answers (question, decision, answer, chain) before they are served, and returns their names."""


class Counting(Protocol):
    """Counts what becomes of answers; see `rag_edit.verify.watch`."""

    def __call__(self, items: Iterable[tuple[Query, Decision, Answer]]) -> None:
        """Count answers that were served."""
        ...

    def flush(self) -> None:
        """Write down what was counted."""
        ...


class Governing(Protocol):
    """Puts plans into force in somebody's name; see `rag_edit.trust.office`."""

    def carry_out(self, plan: Plan, *, recorded_at: datetime, grounds: Grounds = UNMEASURED) -> Appended:
        """Put a plan into force, judged, signed and in one transaction, on these grounds."""
        ...

    def is_off(self, version: RecordVersion) -> bool:
        """Return whether somebody switched off a record, its partition or everything."""
        ...

    def keep_up(self) -> None:
        """Let the store follow what becomes of changes by themselves, when their time has come."""
        ...


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, decided and answered.

    Attributes:
        query: What was asked.
        decision: Route, reason and trace.
        answer: What is served; None when only the route was asked for.
        base: The frozen model's own answer; None unless asked for.
        timings_ms: Milliseconds by stage; in a batch, the batch's divided by its size.
        receipt: Name of the answer's receipt; empty where none was made.
    """

    query: Query
    decision: Decision
    answer: Answer | None = None
    base: Answer | None = None
    timings_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    receipt: str = ""


@dataclass(slots=True)
class Engine:
    """All stages, composed.

    Attributes:
        store: The records.
        retriever: Partitions of the records' views.
        embedder: Encoder of questions and views.
        scorer, thresholds: Who scores, and where scores are cut.
        answering: Who answers each route. A table, so that a route is added without a branch.
        atlas, read_places: Jurisdictions, and the reader of places in a text.
        jurisdiction: Where questions stand that do not say.
        today: The clock of this surface.
        candidates: Records looked at in each partition.
        crossing: What is done with questions about places outside the chain.
        office: Makes edits acts of somebody, judged and signed; None: they are nobody's, as in tests.
        sealing: Makes a receipt of each answer; None: answers have none. Where it fails, nothing is served.
        counting: Counts by record what is served; None: nobody does.
        guard: Whether the base model's answers are read for what live records corrected; see `rag_edit.answer.guard`.
        doubting: Tells doubts that the rules do not know; None: the rules alone.
    """

    store: RecordStore
    retriever: Retriever
    embedder: Embedder
    scorer: ScopeScorer
    thresholds: Thresholds
    answering: Mapping[Route, Answering]
    atlas: Atlas
    read_places: ReadPlaces
    jurisdiction: str
    today: Callable[[], date]
    candidates: int = 24
    progress: Progress = no_progress
    crossing: Crossing = Crossing()  # noqa: RUF009 - frozen
    office: Governing | None = None
    sealing: Sealing | None = None
    counting: Counting | None = None
    guard: bool = False
    doubting: Doubting | None = None
    _seen: int = 0

    @property
    def scope_digest(self) -> str:
        """Return the name of who judges questions: the scorer, and who tells doubts."""
        if self.doubting is None:
            return self.scorer.digest
        return digest_json({"scorer": self.scorer.digest, "doubts": self.doubting.digest})

    def query(
        self,
        question: str,
        *,
        jurisdiction: str | None = None,
        as_of: date | None = None,
        messages: Sequence[Message] = (),
        id: str = "",  # noqa: A002 - the caller's word for it
    ) -> Query:
        """Return a query with this deployment's defaults filled in.

        Raises:
            UnknownJurisdictionError: no such jurisdiction.
        """
        where = self.atlas.parse(jurisdiction if jurisdiction is not None else self.jurisdiction)
        return Query(question, where, as_of or self.today(), tuple(messages), id)

    def ask(
        self,
        question: str,
        *,
        jurisdiction: str | None = None,
        as_of: date | None = None,
        messages: Sequence[Message] = (),
        with_base: bool = False,
    ) -> Outcome:
        """Answer one question. See `ask_many`."""
        query = self.query(question, jurisdiction=jurisdiction, as_of=as_of, messages=messages)
        return self.ask_many([query], with_base=with_base)[0]

    def ask_many(self, queries: Sequence[Query], *, with_base: bool = False, route_only: bool = False) -> list[Outcome]:
        """Decide and answer a batch; each outcome is what its question would get alone.

        Args:
            queries: From `query`.
            with_base: Also ask the frozen model itself, without any record.
            route_only: Decide only; no language model is loaded.
        """
        started = time.perf_counter()
        decisions, timings = self.decide_many(queries)
        share = max(1, len(queries))
        if route_only:
            return [Outcome(q, d, timings_ms=timings) for q, d in zip(queries, decisions, strict=True)]
        marked = time.perf_counter()
        answers: dict[int, Answer] = {}
        for route in Route:
            at = [i for i, decision in enumerate(decisions) if decision.route is route]
            if at:
                answers |= zip(at, self.answering[route]([(queries[i], decisions[i]) for i in at]), strict=True)
        timings = {**timings, "answer": 1000 * (time.perf_counter() - marked) / share}
        bare = dict(answers)
        if self.guard:
            marked = time.perf_counter()
            answers |= self.corrected(queries, decisions, answers)
            timings["guard"] = 1000 * (time.perf_counter() - marked) / share
        base: list[Answer | None] = [None] * len(queries)
        if with_base:
            marked = time.perf_counter()
            missing = [i for i, decision in enumerate(decisions) if decision.route is not Route.BASE]
            own = self.answering[Route.BASE]([(queries[i], decisions[i]) for i in missing]) if missing else []
            found = dict(zip(missing, own, strict=True))
            base = [found.get(i, bare[i]) for i in range(len(queries))]
            timings["base"] = 1000 * (time.perf_counter() - marked) / share
        receipts = [""] * len(queries)
        if self.sealing is not None and queries:
            marked = time.perf_counter()
            receipts = self.sealing([(q, decisions[i], answers[i], self._chain(q)) for i, q in enumerate(queries)])
            timings["receipt"] = 1000 * (time.perf_counter() - marked) / share
        if self.counting is not None:
            self.counting([(q, decisions[i], answers[i]) for i, q in enumerate(queries)])
        timings["total"] = 1000 * (time.perf_counter() - started) / share
        shown = MappingProxyType({name: round(ms, 3) for name, ms in timings.items()})
        return [Outcome(queries[i], decisions[i], answers[i], base[i], shown, receipts[i]) for i in range(len(queries))]

    def decide_many(self, queries: Sequence[Query]) -> tuple[list[Decision], dict[str, float]]:
        """Return the decisions of a batch and the milliseconds a question by stage.

        What no record answers is decided once more where a conversation holds a doubt that only `doubting` tells (see `_doubted`).
        """
        clock = [time.perf_counter()]
        readings = [read(query, self.read_places) for query in queries]  # (1)
        clock.append(time.perf_counter())
        decisions, timings = self._decide_read(readings)
        clock.append(time.perf_counter())
        self._doubted(readings, decisions)
        clock.append(time.perf_counter())
        share = max(1, len(queries))
        timings["read"] += 1000 * (clock[1] - clock[0]) / share
        timings["decide"] += 1000 * (clock[3] - clock[2]) / share
        return decisions, timings

    def reading(self, query: Query, decision: Decision) -> Reading:
        """Return the reading of a question that ``decision`` was made on, to explain it by."""
        reading = read(query, self.read_places)
        again = self._read_again([reading])
        return again[0] if again and self._decide_read([reading])[0][0] != decision else reading

    def _doubted(self, readings: Sequence[Reading], decisions: list[Decision]) -> None:
        """Decide again, in place, what no record answers, if that is or follows a doubt: then what was asked before it counts.

        A question that a record answers as it stands never comes here; a doubt of what no record answered stays as it was.
        """
        at = [
            i
            for i, d in enumerate(decisions)
            if d.route is Route.BASE and d.reason is not Reason.SUSPENDED and readings[i].text
        ]
        again = self._read_again([readings[i] for i in at])
        found = self._decide_read(list(again.values()))[0] if again else []
        for place, decision in zip(again, found, strict=True):
            if decision.route is not Route.BASE or decision.reason is Reason.SUSPENDED:
                decisions[at[place]] = decision

    def _read_again(self, readings: Sequence[Reading]) -> dict[int, Reading]:
        return {} if self.doubting is None else read_doubted(readings, self.doubting, self.read_places)

    def _decide_read(self, readings: Sequence[Reading]) -> tuple[list[Decision], dict[str, float]]:
        """Return the decisions of questions as they were read, and the milliseconds a question by stage.

        Steps, after (1), reading: (2) open the chains' partitions and encode; (3) candidates, partition by partition;
        (4) scope scores; (5) vetoes, cut, lead and precedence, in `rag_edit.scope.decide`; (6) what no
        record answers but names what one says is asked of whom; (7) where the deployment allows it, what
        no record of the chain answers is decided in the chain of the other place that it names; (8) what a suspended record would
        answer goes to the base model, not to the next record: whoever suspends wants no answer of ours.
        """
        clock = [time.perf_counter()]
        chains = [self._chain(reading.query) for reading in readings]
        self.open_partitions({code for codes in chains for code in codes})  # (2)
        clock.append(time.perf_counter())
        asked = [i for i, reading in enumerate(readings) if reading.text]
        texts = [readings[i].text for i in asked]
        vectors = self.embedder.encode(texts, kind="query") if texts else None
        clock.append(time.perf_counter())
        found: dict[int, tuple[Candidate, ...]] = dict.fromkeys(range(len(readings)), ())
        for codes in sorted({chains[i] for i in asked}):  # (3)
            rows = [row for row, i in enumerate(asked) if chains[i] == codes]
            assert vectors is not None
            groups = self.retriever.search(codes, [texts[row] for row in rows], vectors[rows], k=self.candidates)
            found |= {asked[row]: group for row, group in zip(rows, groups, strict=True)}
        clock.append(time.perf_counter())
        scores = self.scorer.score([ScopeItem(reading, found[i]) for i, reading in enumerate(readings)])  # (4)
        clock.append(time.perf_counter())
        decisions = [self._decide(reading, found[i], scores[i]) for i, reading in enumerate(readings)]  # (5)
        self._turn_round(readings, chains, decisions)  # (6)
        self._cross(readings, decisions)  # (7)
        decisions = [self._switched(decision) for decision in decisions]  # (8)
        clock.append(time.perf_counter())
        stages = ("read", "encode", "search", "score", "decide")
        share = max(1, len(readings))
        return decisions, {name: 1000 * (clock[n + 1] - clock[n]) / share for n, name in enumerate(stages)}

    def _switched(self, decision: Decision) -> Decision:
        serving = (decision.winner,) if decision.winner is not None else decision.contenders
        if self.office is None or not any(self.office.is_off(version) for version in serving):
            return decision
        return Decision(Route.BASE, Reason.SUSPENDED, score=decision.score, verdicts=decision.verdicts, form=decision.form)

    def _turn_round(self, readings: Sequence[Reading], chains: Sequence[tuple[str, ...]], decisions: list[Decision]) -> None:
        """Decide again, in place, the questions that name what a record says and ask whom it says it of."""
        for i, reading in enumerate(readings):
            if decisions[i].route is Route.BASE and may_be_reversed(reading):
                policies, more_specific = self._policies(reading.query.as_of)
                said = self.retriever.saying(chains[i], reading.text)
                found = decide_reversed(reading, said, policies=policies, more_specific=more_specific) if said else None
                if found is not None:
                    decisions[i] = replace(found, verdicts=(*found.verdicts, *decisions[i].verdicts))

    def _cross(self, readings: Sequence[Reading], decisions: list[Decision]) -> None:
        """Decide again, in place, the questions that are to be asked elsewhere."""
        again: dict[int, Reading] = {}
        for i, reading in enumerate(readings):
            if decisions[i].route is Route.BASE:
                place = self.crossing.elsewhere(reading, self.atlas.chain)
                if place is not None:
                    again[i] = replace(reading, query=replace(reading.query, jurisdiction=place))
        if again:
            for i, found in zip(again, self._decide_read(list(again.values()))[0], strict=True):
                if found.route is not Route.BASE:
                    decisions[i] = replace(found, verdicts=(*found.verdicts, *decisions[i].verdicts))

    def apply(self, plan: Plan, *, recorded_at: datetime, grounds: Grounds = UNMEASURED) -> Appended | None:
        """Put a plan into force: one transaction in the store, then the partitions; None when it changes nothing.

        The store's commit is the acknowledgement. What happens after it can be repeated: a partition that misses rows is
        completed when it is opened next.

        Args:
            plan: Not refused.
            recorded_at: Now.
            grounds: What was measured of it and what was waived: stands in the ledger with it.

        Raises:
            StaleVersionError: the store moved on since the plan was made; nothing was applied.
            RefusedActError: the home's charter does not permit it; nothing was applied.
        """
        if not plan.edits:
            return None
        if self.office is not None:
            appended = self.office.carry_out(plan, recorded_at=recorded_at, grounds=grounds)
        else:
            appended = self.store.append(plan.edits, idempotency_key=plan.key, recorded_at=recorded_at)
        self._follow()
        self.open_partitions({edit.record.jurisdiction for edit in plan.edits})
        self.retriever.save()
        return appended

    def newest(self) -> Iterable[RecordVersion]:
        """Return the newest version of every id, live ones first: what a plan is made against."""
        return chain(self.store.live(), self.store.closed())

    def close(self) -> None:
        """Close the partitions and the store."""
        if self.counting is not None:
            self.counting.flush()
        self.retriever.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def corrected(
        self, queries: Sequence[Query], decisions: Sequence[Decision], answers: Mapping[int, Answer]
    ) -> dict[int, Answer]:
        """Return the base model's answers that state a live record's prior, corrected; see `rag_edit.answer.guard`.

        What is suspended corrects nothing.
        """
        from rag_edit.answer.guard import correct_answers

        at = [i for i, d in enumerate(decisions) if d.route is Route.BASE and d.reason is not Reason.SUSPENDED]
        at = [i for i in at if answers[i].text.strip()]
        if not at:
            return {}
        texts = [f"{queries[i].question}\n{answers[i].text}" for i in at]
        vectors = self.embedder.encode(texts, kind="query")
        found = (
            self.retriever.search(self._chain(queries[i]), texts[row : row + 1], vectors[row : row + 1], k=1)[0]
            for row, i in enumerate(at)
        )
        named = [[each.version for each in group if each.alias and each.version.record.prior] for group in found]
        asked = [(queries[i], answers[i]) for i in at]
        mended = correct_answers(asked, named, lambda several: self.decide_many(several)[0])
        return {at[row]: answer for row, answer in mended.items()}

    def _chain(self, query: Query) -> tuple[str, ...]:
        return tuple(self.atlas.chain(self.atlas.parse(query.jurisdiction), query.as_of))

    def open_partitions(self, jurisdictions: Iterable[str]) -> None:
        """Load the partitions not loaded yet, building what is missing; those that are loaded follow the store's change feed."""
        self._follow()
        wanted = sorted(set(jurisdictions) - self.retriever.loaded())
        if wanted:
            self.retriever.refresh_all(
                self._grouped(wanted), progress=lambda done, total: self.progress("encoding texts", done, total)
            )

    def _grouped(self, wanted: Sequence[str]) -> dict[str, list[RecordVersion]]:
        groups: dict[str, list[RecordVersion]] = {code: [] for code in wanted}
        for version in self.store.live(tuple(wanted)):
            groups[version.record.jurisdiction].append(version)
        return groups

    def _follow(self) -> None:
        if self.office is not None:
            self.office.keep_up()
        position = self.store.position()
        if position > self._seen:
            if self.retriever.loaded():
                changes = (change.version for change in self.store.changes(self._seen))
                self.retriever.apply(changes, progress=lambda done, total: self.progress("encoding texts", done, total))
            self._seen = position

    def _decide(self, reading: Reading, candidates: Sequence[Candidate], scores: Sequence[ScopeScore]) -> Decision:
        policies, more_specific = self._policies(reading.query.as_of)
        # to the millionths in which receipts hold them, so that deciding again from a receipt meets the very same numbers
        scores = [ScopeScore(round(score.probability, 6), score.features) for score in scores]
        thresholds = self.thresholds.at(reading.query.risk)
        return decide(reading, candidates, scores, policies=policies, thresholds=thresholds, more_specific=more_specific)

    def _policies(self, day: date) -> tuple[tuple[Policy, ...], MoreSpecific]:
        """Return the vetoes and the order of jurisdictions on a day."""

        def covers(jurisdiction: str, place: str) -> bool:
            return self.atlas.covers(jurisdiction, place, day)

        def more_specific(a: str, b: str) -> bool:
            return self.atlas.more_specific(a, b, day)

        return standing_policies(covers, self.read_places), more_specific
