"""Putting a plan into force, or a change before those who agree to it: one report, made in one way, whoever asks.

The report is what `rag_edit.checks.gating` measures, with what the ladder found of records that ask for the model's words. Publication is
bound to it by digest; what was waived stands in the publication, signed, with its reason. Report and evidence are kept in the home.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from rag_edit.checks.adapter_measuring import measured_adapters
from rag_edit.checks.assessing import Turn, at_once
from rag_edit.checks.gating import GATE, policy_of, try_plan
from rag_edit.checks.rehearsal import Shadow, lay, versions_of
from rag_edit.checks.verifying import open_verifier, planned
from rag_edit.config import Settings
from rag_edit.core.digest import Digest, canonical_json
from rag_edit.core.errors import GateError
from rag_edit.engine import Engine
from rag_edit.records.planned import Plan
from rag_edit.records.store import Appended
from rag_edit.trust import grounds as why
from rag_edit.trust.grounds import Grounds
from rag_edit.trust.trusting import conditions_of
from rag_edit.verify.budget import Budget
from rag_edit.verify.evidence import EvidenceFile
from rag_edit.verify.finding import Cause, Finding, Kind
from rag_edit.verify.ladder import Evidence, needs_model
from rag_edit.verify.report import Report
from rag_edit.verify.shelf import ReportShelf

FIELDS_ONLY: Final = Budget(kinds=frozenset())
NOT_PROBED: Final = "nobody asked the model"
LADDER: Final = "ladder"  # how a finding of the ladder was made

Notify = Callable[[str], None]


def try_out(
    home: Path, settings: Settings, engine: Engine, plan: Plan, shadow: Shadow | None, notify: Notify, *, force: str = ""
) -> Report:
    """Return the report of a plan that is about to be applied.

    Args:
        home: Whose policy counts.
        settings: Name the model, for adapters.
        engine: Open.
        plan: Not refused.
        shadow: Of the plan; None looks at fields only.
        notify: Told in words.
        force: Why it shall be applied whatever the report says; empty refuses.

    Raises:
        GateError: the policy refuses it.
    """
    policy = policy_of(home)
    extra = measured_adapters(home, settings, versions_of(plan), policy, notify)
    report = try_plan(engine, plan, policy, shadow=shadow, budget=GATE if shadow is not None else FIELDS_ONLY, extra=extra)
    if not report.ok and not force:
        raise GateError([str(finding) for finding in report.refusing])
    return report if report.ok else replace(report, forced=force)


def put(
    home: Path, settings: Settings, engine: Engine, plan: Plan, report: Report, *, recorded_at: datetime
) -> Appended | None:
    """Put a plan into force on a report, and keep the report, bound to what is live by it now.

    Records that ask for the model's words and of which the home has no evidence that a rung holds count as waived.

    Args:
        home: Keeps report and evidence.
        settings: Of the home.
        engine: Open.
        plan: Not refused.
        report: On this plan, from `try_out`.
        recorded_at: Now.

    Raises:
        StaleVersionError, RefusedActError: as from `Engine.apply`; nothing was applied.
    """
    waived = {name: reason for name, reason in ((why.GATE, report.forced), (why.LADDER, _unprobed(home, plan))) if reason}
    # where nothing was asked, nothing was verified: fields alone are no report that people could rest on
    holds = report.ok and bool(report.conditions.encoder)
    parts = conditions_of(
        settings, engine.embedder.digest, engine.scorer.digest, engine.thresholds, policy_of(home).digest, model=False
    )
    appended = engine.apply(plan, recorded_at=recorded_at, grounds=Grounds(text_of(report), holds, parts, waived))
    shelf = ReportShelf(home)
    shelf.put(report)
    shelf.bind(report)
    return appended


def _unprobed(home: Path, plan: Plan) -> str:
    """Return why a record of a plan that asks for the model's words was not probed; empty where all were, or there are none."""
    asking = [version for version in planned(plan) if needs_model(version)]
    held = EvidenceFile(home).all() if asking else {}
    for version in asking:
        found = held.get(version.name)
        about = found is not None and found.record_digest == version.digest
        if found is None or not about or not found.ok:
            return found.note.removeprefix("unverified: ") if found is not None and about and found.note else NOT_PROBED
    return ""


def measure(
    home: Path, settings: Settings, engine: Engine, plan: Plan, name: str, notify: Notify, *, turn: Turn = at_once
) -> Report:
    """Return the report on a change that others are to agree to: what `apply` would be held to, and the ladder's findings. Kept.

    Args:
        home: Whose policy counts; keeps report and evidence.
        settings: Of the home.
        engine: Open; nothing of it changes.
        plan: The change as a plan.
        name: Of the change.
        notify: Told in words.
        turn: Does what needs the engine when that is free for it; the model is asked beside it.
    """
    policy, shadow, day = policy_of(home), turn(lambda: lay(engine, plan)), engine.today()
    extra = measured_adapters(home, settings, versions_of(plan), policy, notify)
    asking = [version for version in planned(plan) if needs_model(version)]
    evidence = open_verifier(home, settings, notify, day).verify(asking) if asking else []
    extra += ladder_findings(plan, evidence)
    report = turn(lambda: try_plan(engine, plan, policy, shadow=shadow, extra=extra, title=f"change {name}"))
    fell = tuple(f for f in report.findings if f.made == LADDER and not f.passed and f not in report.refusing)
    report = replace(report, refusing=(*report.refusing, *fell))
    if evidence:
        EvidenceFile(home).put(evidence)
    shelf = ReportShelf(home)
    shelf.put(report)
    shelf.bind(report)
    return report


def ladder_findings(plan: Plan, evidence: Sequence[Evidence]) -> list[Finding]:
    """Return what the ladder found as findings: of each record that asks for the model's words, whether any rung holds."""
    records = {version.name: version.record for version in versions_of(plan)}
    return [
        Finding(
            Kind.EFFICACY,
            each.record,
            each.ok,
            Cause.NONE if each.ok else Cause.TEXT,
            question=records[each.record].question,
            jurisdiction=records[each.record].jurisdiction,
            made=LADDER,
            expected="the model says what the record says",
            note=str(each),
            topic=records[each.record].topic,
            place=records[each.record].jurisdiction,
        )
        for each in evidence
    ]


def text_of(report: Report) -> bytes:
    """Return a report as people agree to it: its summary, which holds the digest of all findings."""
    return canonical_json(report.to_json())


def conditions_in_force(home: Path, settings: Settings, engine: Engine) -> Digest:
    """Return the digest of what a report on a change holds for, now."""
    return conditions_of(settings, engine.embedder.digest, engine.scorer.digest, engine.thresholds, policy_of(home).digest)


def refused_in(text: bytes) -> bool:
    """Return whether a report that was made elsewhere says itself, in our form, that it does not hold."""
    try:
        plain = json.loads(text)
    except ValueError:
        return False
    return isinstance(plain, dict) and plain.get("verdict") == "refused"
