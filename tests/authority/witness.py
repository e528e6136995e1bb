"""The witness: by what right is a record live? Found from the acts of a story alone, by the brute force, not from the book.

It believes of the book only which acts took effect; whether what they led to is right, it finds out by itself.
"""

from rag_edit.authority import acts
from rag_edit.authority.mandate import Mandate
from rag_edit.authority.verdict import Permit
from tests.authority.oracle import FactMandate, Facts
from tests.authority.story import START, STRICT, Story, Told


def day_number(told: Told) -> int:
    return min((told.now - START).days + 1, 11)


def wrongs(story: Story, since: dict[str, int]) -> list[str]:
    """Return what is wrong with what is live.

    Args:
        story: As told until now.
        since: From each live record to the position before which it went live.
    """
    facts = known_facts(story)
    found = []
    for record, position in since.items():
        live = story.book.line(record).live  # type: ignore[union-attr]
        found += [f"{record} by {live}: {wrong}" for wrong in _wrongs_of(story, facts, record, live, position)]
    return found


def known_facts(story: Story) -> Facts:
    """Return people, keys, mandates and revocations as the acts of a story made them."""
    facts, custodian_grants = Facts(), {}
    for told in story.told:
        act, position = told.act, told.position
        if isinstance(act, acts.Grant) and not act.mandate.under and isinstance(told.verdict, Permit):
            custodian_grants.setdefault(act.mandate, []).append((act.by, position, day_number(told)))
        if not told.done:
            continue
        match act:
            case acts.Found():
                facts.parties += [(p.id, position) for p in (*act.people, *act.institutions, *act.services)]
                facts.keys += [(k.id, k.holder, k.institution, position) for k in act.keys]
                facts.custodians.append((position, frozenset(act.custodians)))
                facts.mandates += [_fact(m, position, (), 1) for m in act.mandates]
            case acts.Grant():
                alone = ((act.by, position, day_number(told)),)
                granters = alone if act.mandate.under else tuple(dict.fromkeys(custodian_grants[act.mandate]))
                facts.mandates.append(_fact(act.mandate, position, granters, 1 if act.mandate.under else 2))
            case acts.Revoke():
                at = next(i for i, m in enumerate(facts.mandates) if m.name == act.mandate)
                old = facts.mandates[at]
                values = {name: getattr(old, name) for name in FactMandate.__dataclass_fields__}
                facts.mandates[at] = FactMandate(**{**values, "revoked": position})
            case acts.Remove():
                facts.removals.append((act.id, position, act.compromised_since))
    return facts


def _fact(m: Mandate, position: int, granters: tuple[tuple[str, int, int], ...], needed: int) -> FactMandate:
    start, end = (None if t is None else min((t - START).days + 1, 11) for t in (m.start, m.end))
    return FactMandate(
        m.id,
        m.holder,
        tuple(str(p) for p in m.powers),
        m.remit.jurisdiction,
        m.remit.subtree,
        m.remit.topic,
        start,
        end,
        m.depth,
        m.under,
        position,
        granters,
        needed,
        None,
    )


def _wrongs_of(story: Story, facts: Facts, record: str, name: str, known_at: int) -> list[str]:
    mine = [t for t in story.told if t.done and isinstance(t.act, acts.ChangeAct) and t.act.change == name]
    calls = [t for t in story.told if isinstance(t.act, acts.BreakGlass) and t.act.change == name and t.position < known_at]
    writings = [t for t in mine if isinstance(t.act, acts.Draft) and t.position < known_at]
    writing = writings[-1]
    assert isinstance(writing.act, acts.Draft)
    item = next(i for i in writing.act.items if i.record == record)
    writers = {facts.speaker(t.act.by, t.position, t.position)[0] for t in writings}  # type: ignore[index]
    houses = {facts.speaker(t.act.by, t.position, t.position)[1] for t in writings}  # type: ignore[index]

    def might(told: Told, power: str) -> bool:
        thing = (power, item.remit.jurisdiction, item.remit.topic, day_number(told))
        return facts.allowed(told.act.by, thing, told.position, known_at)

    after = [t for t in mine if writing.position < t.position < known_at]
    publication = next((t for t in reversed(after) if isinstance(t.act, acts.Publish)), None)
    if publication is None:
        speaking = {facts.speaker(t.act.by, t.position, known_at) for t in calls if might(t, "breakglass")}
        people = {speaker[0] for speaker in speaking if speaker}
        return [] if len(people) >= 2 and people - writers else ["neither published nor by break-glass"]
    found = []
    if not isinstance(writing.act, acts.Propose) or not might(writing, "propose"):
        found.append("not proposed by who might")
    if not might(publication, "publish"):
        found.append("not published by who might")
    reports = [t for t in after if isinstance(t.act, acts.Verify) and t.position < publication.position]
    if not reports or not reports[-1].act.passed or not might(reports[-1], "verify"):  # type: ignore[union-attr]
        return [*found, "not verified"]
    approvals = {
        facts.speaker(t.act.by, t.position, known_at)
        for t in after
        if isinstance(t.act, acts.Approve) and reports[-1].position < t.position < publication.position and might(t, "approve")
    }
    counted = {speaker for speaker in approvals if speaker and speaker[0] not in writers}
    quorum = STRICT.quorum(item.remit.topic)
    if len({person for person, _ in counted}) < quorum.approvals:
        found.append(f"approved by {sorted(counted)} only")
    if len({house for _, house in counted}) < quorum.institutions:
        found.append("approved by too few institutions")
    if sum(house not in houses for _, house in counted) < quorum.outside:
        found.append("approved by nobody from outside")
    return found
