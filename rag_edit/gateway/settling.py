"""What a deployment makes of a decision: its mode, languages and topics have the last word. Pure."""

import hashlib

from rag_edit.core.decision import Decision, Reason, Route
from rag_edit.core.record import RecordVersion
from rag_edit.gateway.config import LOCAL
from rag_edit.gateway.deployments import DeploymentSpec, Mode


def settled(spec: DeploymentSpec, decision: Decision, excluded: tuple[str, ...], *, sampled: bool) -> tuple[Route, Reason]:
    """Return route and reason when the deployment has had its say. Pure.

    Args:
        spec: The deployment.
        decision: What the engine decided.
        excluded: Patterns of topics that the conversation excludes.
        sampled: Whether the conversation is in the canary's sample.
    """
    versions = answering_versions(decision)
    if decision.route is Route.BASE:
        return decision.route, decision.reason
    if any(spec.excludes(version.record.topic, excluded) for version in versions):
        return Route.BASE, Reason.TOPIC_EXCLUDED
    if not all(spec.speaks(version.record.language) for version in versions):
        return Route.BASE, Reason.OTHER_LANGUAGE
    if spec.mode is Mode.OFF:
        return Route.BASE, Reason.SWITCHED_OFF
    if spec.mode is Mode.SHADOW:
        return Route.BASE, Reason.SHADOWED
    if spec.mode is Mode.CANARY and not sampled:
        return Route.BASE, Reason.NOT_SAMPLED
    if decision.route is Route.ADAPTER and spec.upstream != LOCAL:
        return Route.BASE, Reason.UNDECIDED  # the delta belongs to the home's own model
    return decision.route, decision.reason


def is_sampled(spec: DeploymentSpec, conversation: str) -> bool:
    """Return whether a conversation is in the canary's sample: the same answer for each of its turns, and for a larger sample."""
    digest = hashlib.sha256(f"{spec.name}\0{conversation}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8]) < spec.canary_percent / 100 * 2**64


def answering_versions(decision: Decision) -> tuple[RecordVersion, ...]:
    """Return the record versions that an answer rests on: the winner, or those that contradict one another."""
    return (decision.winner,) if decision.winner is not None else decision.contenders
