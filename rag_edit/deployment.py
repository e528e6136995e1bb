"""The Python API: one open home, asked and edited. What `rag_edit.open` returns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from rag_edit.core.decision import Message, Query
from rag_edit.core.errors import CollisionError, ConflictError, GateError
from rag_edit.engine import Engine, Outcome
from rag_edit.records.plan import Plan, make_plan
from rag_edit.scope.radius import Radius

if TYPE_CHECKING:
    from rag_edit.checks.rehearsal import Shadow

Records = str | Path | Mapping[str, Any] | Iterable[str | Path | Mapping[str, Any]]
OnConflict = Literal["refuse", "newest", "skip"]


@dataclass(frozen=True, slots=True)
class Deployment:
    """An open home. Use it in a ``with``: it owns the store's lock until it is closed.

    Attributes:
        engine: The stages, for what this class does not offer.
        home: Whose policy counts and where reports are kept; None: over an engine alone the defaults count, and nothing is kept.
    """

    engine: Engine
    home: Path | None = None

    @classmethod
    def open(cls, home: Path, *, create: bool = False) -> Self:
        """Open the home at ``home``, making it first when ``create`` is set."""
        from rag_edit.opening import create_store, open_engine

        if create:
            create_store(home)
        return cls(open_engine(home), home)

    def ask(
        self,
        question: str,
        *,
        jurisdiction: str | None = None,
        as_of: date | None = None,
        messages: Sequence[Message | Mapping[str, str]] = (),
        with_base: bool = False,
    ) -> Outcome:
        """Answer a question.

        Args:
            question: The last user turn.
            jurisdiction: Where the question stands; the home's setting by default.
            as_of: The day on which the answer must hold; today by default.
            messages: Earlier turns, oldest first: `Message` or ``{"role": ..., "content": ...}``.
            with_base: Also ask the frozen model itself.
        """
        turns = [m if isinstance(m, Message) else Message(m["role"], m["content"]) for m in messages]
        return self.engine.ask(question, jurisdiction=jurisdiction, as_of=as_of, messages=turns, with_base=with_base)

    def ask_many(self, queries: Sequence[Query], *, with_base: bool = False) -> list[Outcome]:
        """Answer a batch of queries made by ``deployment.engine.query``."""
        return self.engine.ask_many(queries, with_base=with_base)

    def plan(self, records: Records, *, on_conflict: OnConflict = "refuse") -> Plan:
        """Return what `apply` would do with records: paths of files, or mappings of a record's fields.

        Raises:
            InvalidRecordsError: some records break the format; lists all faults.
        """
        from rag_edit.records.files import read_mappings, read_records

        several = [records] if isinstance(records, str | Path | Mapping) else list(records)
        paths = [Path(r) for r in several if isinstance(r, str | Path)]
        values = [r for r in several if isinstance(r, Mapping)]
        read = (
            read_records(paths, self.engine.atlas, on_repeat=on_conflict) if paths else read_mappings(values, self.engine.atlas)
        )
        if paths and values:
            raise TypeError("give paths or mappings, not both")
        return make_plan(read, self.engine.newest(), self.engine.atlas, on_conflict=on_conflict, today=self.engine.today())

    def rehearse(self, plan: Plan) -> Radius:
        """Return what probes of a plan's new and changed records find before these are live; see `rag_edit.checks.rehearsal`."""
        from rag_edit.checks.rehearsal import rehearse

        return rehearse(self.engine, plan)

    def apply(
        self,
        records: Records,
        *,
        on_conflict: OnConflict = "refuse",
        on_collision: Literal["warn", "refuse", "ignore"] = "warn",
        force: str = "",
    ) -> Plan:
        """Put records into force in one transaction and return the plan that was carried out. They pass the gate first.

        Args:
            records: Paths of files, or mappings of a record's fields.
            on_conflict: What is done with records that contradict live ones.
            on_collision: What is done where probes of new or changed records go to others: ``warn`` puts them among the
                plan's warnings, ``refuse`` applies nothing, ``ignore`` does not probe: the gate looks at fields only.
            force: Why they shall be in force whatever the gate finds; kept with the report and in the ledger. Empty refuses.

        Raises:
            InvalidRecordsError: some records break the format; nothing was applied.
            ConflictError: records contradict live ones and ``on_conflict`` is ``refuse``; nothing was applied.
            CollisionError: probes go to other records and ``on_collision`` is ``refuse``; nothing was applied.
            NotVerifiedError: a record that asks for the model's words held on no rung; nothing was applied.
            GateError: the home's policy refuses what was found; it names record, probe and texts; nothing was applied.
        """
        from rag_edit.checks.rehearsal import lay, rehearse

        plan = self.plan(records, on_conflict=on_conflict)
        if plan.refused:
            raise ConflictError([str(conflict) for conflict in plan.conflicts])
        shadow = None
        if on_collision != "ignore" and (plan.adds or plan.changes):
            shadow = lay(self.engine, plan)
            collisions = [str(finding) for finding in rehearse(self.engine, plan, shadow=shadow).collisions]
            if collisions and on_collision == "refuse":
                raise CollisionError(collisions)
            plan = replace(plan, warnings=(*plan.warnings, *(f"collision: {each}" for each in collisions)))
        if plan.edits:
            self._put(plan, shadow, force)
        return plan

    def _put(self, plan: Plan, shadow: "Shadow | None", force: str) -> None:
        """Put a plan into force that the gate lets pass, or that is forced."""
        from rag_edit.checks.gating import GATE, for_plan, try_plan
        from rag_edit.checks.putting import FIELDS_ONLY, put, try_out
        from rag_edit.checks.verifying import probed
        from rag_edit.config import load_settings
        from rag_edit.verify.policy import SURE, Policy

        now = datetime.now(UTC)
        if self.home is not None:
            settings = load_settings(self.home)
            probed(self.home, settings, plan, lambda _: None, self.engine.today(), waived=force)
            report = try_out(self.home, settings, self.engine, plan, shadow, lambda _: None, force=force)
            put(self.home, settings, self.engine, plan, report, recorded_at=now)
            return
        policy = for_plan(Policy(), plan)
        if not force:
            asks = shadow is not None and policy.judged > SURE  # else no answer to a question could refuse it
            report = try_plan(self.engine, plan, policy, shadow=shadow, budget=GATE if asks else FIELDS_ONLY)
            if not report.ok:
                raise GateError([str(finding) for finding in report.refusing])
        self.engine.apply(plan, recorded_at=now)

    def close(self) -> None:
        """Close the home and free its store."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()
