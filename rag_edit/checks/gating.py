"""The gate: a plan is tried on its shadow, held against the home's policy, and refused where it fails. Also what a report is bound to.

It costs what the policy asks for: fields are looked at on all records, questions are asked of those that the rehearsal tries (of a large
plan a sample), the base model is not asked at all.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from rag_edit.checks.assessing import Assessor, Sides, sides_of_plan
from rag_edit.checks.inspecting import Rivalries, different, quantities, readers_of
from rag_edit.checks.rehearsal import Shadow, lay, versions_of
from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.errors import ConfigError
from rag_edit.core.record import Record, RecordVersion
from rag_edit.engine import Engine
from rag_edit.records.plan import Plan
from rag_edit.scope.calibration import Thresholds
from rag_edit.verify.budget import GATE_KINDS, Budget, Clock
from rag_edit.verify.finding import Finding, Trial
from rag_edit.verify.inspect import inspect
from rag_edit.verify.measures import Kin
from rag_edit.verify.policy import POLICY_NAME, Policy, read_policy
from rag_edit.verify.report import Conditions, Report, make_report

GATE: Final = Budget(kinds=GATE_KINDS)


def policy_of(home: Path) -> Policy:
    """Return the policy of a home: its file where there is one, else the defaults.

    Raises:
        ConfigError: the file does not hold.
    """
    path = home / POLICY_NAME
    if not path.is_file():
        return Policy()
    try:
        return read_policy(path.read_text("utf-8"), POLICY_NAME)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable: {error}", hint=f"mend or remove {path}") from error


def conditions_of(engine: Engine, policy: Policy, base: Digest = "") -> Conditions:
    """Return what a report is measured with. ``base`` is empty where no model was asked."""
    return Conditions(base, engine.embedder.digest, scope_name(engine.scorer.digest, engine.thresholds), policy.digest)


def scope_name(scorer: Digest, thresholds: Thresholds) -> Digest:
    """Return the name of the scope model with its cut."""
    return digest_json([scorer, repr(thresholds)])


def for_plan(policy: Policy, plan: Plan) -> Policy:
    """Return the policy as it holds for a plan: where the later statement is to win, only `SURE` refuses by default."""
    return policy.lenient() if plan.on_conflict == "newest" and policy.newest == "lenient" else policy


def try_plan(
    engine: Engine,
    plan: Plan,
    policy: Policy,
    *,
    shadow: Shadow | None = None,
    budget: Budget = GATE,
    user: Callable[[Record, date], Sequence[Trial]] = lambda _record, _day: (),
    title: str = "apply",
    extra: Sequence[Finding] = (),
) -> Report:
    """Return the report of a plan that is not in force. Its conflicts are findings, too.

    Args:
        engine: Open; nothing of it changes.
        plan: May be one that its conflicts refuse.
        policy: What has to hold.
        shadow: Of this plan, where it was laid already. None lays it; where only fields are asked for, none is needed.
        budget: What may be spent; without kinds only fields are looked at.
        user: Trials of users, by record and day.
        title: Of the report.
        extra: Findings that were made elsewhere: of adapters.
    """
    clock = Clock(time.monotonic, budget.seconds)
    strict = for_plan(policy, plan)
    everything = versions_of(plan)
    asked = bool(budget.kinds) and bool(everything)
    if asked:
        shadow = shadow or lay(engine, plan)
        sides = sides_of_plan(shadow)
        assessed = Assessor(sides, budget, clock, user, progress=engine.progress).run()
        findings, planned, texts = list(assessed.findings), assessed.planned, assessed.texts
        tried = {version.record.id for version in shadow.probed}
        rest = [version for version in everything if version.record.id not in tried]
    else:
        findings, planned, texts, rest = [], {}, 0, everything
    if rest:
        findings += _fields(engine, plan, rest, shadow.day if shadow else engine.today())
    findings += extra
    tested = [(version.name, version.digest) for version in everything]
    conditions = conditions_of(engine, policy)
    if not asked:
        conditions = replace(conditions, encoder="", scope="")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return make_report(title, at, conditions, tested, findings, strict, planned=planned, seconds=clock.spent, texts=texts)


def _fields(engine: Engine, plan: Plan, versions: Sequence[RecordVersion], day: date) -> list[Finding]:
    """Return the looks at fields of versions that are not tried."""
    live = {version.record.id: version for version in engine.store.live()}
    closed = {edit.version.record.id for edit in (*plan.supersessions, *plan.retractions)}
    stated = {version.record.id for version in versions_of(plan)}
    standing = [v for name, v in live.items() if name not in closed | stated]
    readers, everything = readers_of(engine.atlas, engine.read_places, day), versions_of(plan)
    kin = Kin((v.record for v in everything), (v.record for v in standing), quantities)
    rivals = Rivalries(everything, standing)
    found: list[Finding] = []
    for version in versions:
        old = live.get(version.record.id)
        found += inspect(
            version, readers, kin, live=old.record if old else None, rivals=different(rivals.of(version)), today=day
        )
    return found


def sides_for(engine: Engine, plan: Plan) -> Sides:
    """Return the sides of a plan, for a verification at length."""
    return sides_of_plan(lay(engine, plan))
