"""The decision: might this key do this, there, about that, at that position of the ledger? Pure, total, deny by default.

An act is permitted if, for every place that it touches, one mandate carries it. A mandate carries an act if each of these
holds; the numbers are those in `_carry`:

1. It was granted before the act, and before whatever was granted under it.
2. It was not revoked. (A revocation takes back all that was granted under the mandate.)
3. The time of the act lies in its term.
4. It allows the act, and its remit covers the place: by the administrative tree, never through a bloc.
5. Whatever was granted under it is narrower in powers, remit, term and depth.
6. Whoever granted it might: with a key that counted then, holding the mandate above it, in its term; or enough custodians;
   or the charter.
7. No natural person stands twice on the way from the actor up to the source: nobody uses what they granted.

Every decision is made against a position. ``at`` is the act's; ``known_at`` (``at`` if not given) says up to where later
revocations and compromises are taken into account. So ``decide(..., at=p)`` says for ever what it said then, and
``decide(..., at=p, known_at=q)`` says whether what was done at ``p`` still counts at ``q``.

What cannot be decided is denied: an exception in here is the denial FAULT. There is no cache of decisions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rag_edit.authority.mandate import MAX_DEPTH, SERVICE_POWERS, Mandate, Power, Remit, covers, is_narrower
from rag_edit.authority.names import SERVICE, kind_of
from rag_edit.authority.people import Actor
from rag_edit.authority.register import CHARTER, Granted, Register, Signed
from rag_edit.authority.territory import Territory
from rag_edit.authority.verdict import Condition, Denial, Flaw, Permit, Verdict

MAX_CONSIDERED: Final = 16  # flaws that a denial lists


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        power: What is to be done.
        key: With which key.
        places: Every place that it touches; each takes a mandate.
        when: The time of the act.
        via: The one mandate that may carry it; empty: any.
    """

    power: Power
    key: str
    places: tuple[Remit, ...]
    when: datetime
    via: str = ""


def decide(register: Register, territory: Territory, request: Request, *, at: int, known_at: int | None = None) -> Verdict:
    """Return whether a request is permitted, with the mandates that carry it or the condition that failed.

    Args:
        register: The ledger's people, keys and mandates.
        territory: Which territory is governed by which.
        request: What is asked for.
        at: The ledger position of the act.
        known_at: Up to where later revocations count; ``at`` if not given, and never less.
    """
    try:
        return _decide(register, territory, request, at, at if known_at is None else max(at, known_at))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is not a permission)
        return Denial(Condition.FAULT, f"{type(error).__name__}: {error}"[:200])


def _decide(register: Register, territory: Territory, request: Request, at: int, known_at: int) -> Verdict:
    actor = register.actor(request.key, at=at, known_at=known_at)
    if isinstance(actor, Condition):
        return Denial(actor, request.key)
    if kind_of(actor.holder) == SERVICE and request.power not in SERVICE_POWERS:
        return Denial(Condition.NOT_FOR_SERVICES, actor.holder)
    office = _office_flaw(register, territory, request, actor, at, known_at)
    if office is not None:
        return office
    if not request.places:
        return Denial(Condition.FAULT, "an act that touches no place")
    chains = []
    for place in dict.fromkeys(request.places):
        found = _first_chain(register, territory, request, place, actor, at, known_at)
        if isinstance(found, Denial):
            return found
        chains.append(found)
    return Permit(actor, tuple(chains))


def held_by(register: Register, actor: Actor) -> Iterator[str]:
    """Yield the mandates that an actor may use: their own and, for a person, those of the institution they act for."""
    yield from register.held.get(actor.holder, ())
    if kind_of(actor.holder) != SERVICE:
        yield from register.held.get(actor.institution, ())


def _first_chain(
    register: Register, territory: Territory, request: Request, place: Remit, actor: Actor, at: int, known_at: int
) -> tuple[str, ...] | Denial:
    flaws = []
    for name in held_by(register, actor):
        if request.via and name != request.via:
            continue
        chain = _carry(register, territory, request, place, actor, name, at, known_at)
        if not isinstance(chain, Flaw):
            return chain
        if register.mandates[name].position < at:  # what came later is nobody's business at that position
            flaws.append(chain)
    if not flaws:
        return Denial(Condition.NO_MANDATE, f"{actor.person} for {actor.institution}, {request.power} in {place}")
    first = flaws[0].condition if len({flaw.condition for flaw in flaws}) == 1 else Condition.NO_MANDATE
    return Denial(first, f"{request.power} in {place}", tuple(flaws[:MAX_CONSIDERED]))


def _carry(
    register: Register,
    territory: Territory,
    request: Request,
    place: Remit,
    actor: Actor,
    name: str,
    at: int,
    known_at: int,
) -> tuple[str, ...] | Flaw:
    """Return the chain from a mandate up to its source if it carries the act; or the first flaw. Rules as in the module."""
    chain: list[str] = []
    below: Mandate | None = None
    before, used_by = at, {actor.person}
    for _ in range(MAX_DEPTH + 1):
        granted = register.mandates.get(name)
        if granted is None or granted.position >= before:  # 1
            return Flaw(Condition.UNKNOWN_MANDATE, name)
        mandate = granted.mandate
        if granted.revoked is not None and granted.revoked < known_at:  # 2
            return Flaw(Condition.MANDATE_REVOKED, name)
        if not mandate.in_term(request.when):  # 3
            early = mandate.start is not None and request.when < mandate.start
            return Flaw(Condition.MANDATE_NOT_YET if early else Condition.MANDATE_ENDED, name)
        if request.power not in mandate.powers:  # 4
            return Flaw(Condition.POWER_NOT_GIVEN, name)
        if not covers(mandate.remit, place, territory, request.when):
            return Flaw(Condition.OUTSIDE_REMIT, name)
        if below is not None and not is_narrower(below, mandate, territory, request.when):  # 5
            return Flaw(Condition.WIDER_THAN_ITS_SOURCE, chain[-1])
        granters = _granters(register, granted, known_at)  # 6
        if granters is None:
            return Flaw(Condition.GRANTER_NOT_ENTITLED, name)
        if granters & used_by:  # 7
            return Flaw(Condition.OWN_GRANT, name)
        chain.append(name)
        if not mandate.under:
            return tuple(chain)
        used_by |= granters
        below, before, name = mandate, granted.position, mandate.under
    return Flaw(Condition.WIDER_THAN_ITS_SOURCE, chain[-1])


def _granters(register: Register, granted: Granted, known_at: int) -> set[str] | None:
    """Return the natural persons who granted a mandate, or None where they might not. For the charter, nobody."""
    mandate = granted.mandate
    if not mandate.under:
        if granted.granters == CHARTER:
            return set()
        people = {p for p in (custodian(register, signed, known_at) for signed in granted.granters) if p}
        return people if len(people) >= granted.needed else None
    above = register.mandates.get(mandate.under)
    if above is None or len(granted.granters) != 1:
        return None
    signed = granted.granters[0]
    actor = register.actor(signed.key, at=signed.position, known_at=known_at)
    if isinstance(actor, Condition) or kind_of(actor.holder) == SERVICE:
        return None
    if above.mandate.holder not in {actor.holder, actor.institution} or Power.GRANT not in above.mandate.powers:
        return None
    return {actor.person} if above.position < signed.position and above.mandate.in_term(signed.when) else None


def custodian(register: Register, signed: Signed, known_at: int) -> str | None:
    """Return who spoke as a custodian, or None where they were none, or the key does not count."""
    actor = register.actor(signed.key, at=signed.position, known_at=known_at)
    if isinstance(actor, Condition) or actor.holder not in register.custody_before(signed.position).custodians:
        return None
    return actor.person


def _office_flaw(
    register: Register, territory: Territory, request: Request, actor: Actor, at: int, known_at: int
) -> Denial | None:
    """Return why an office forbids the act, where the policy keeps offices apart."""
    if not register.policy_before(at).separate_offices or request.power is Power.AUDIT:
        return None
    if actor.person in register.custody_before(at).custodians:
        return Denial(Condition.SEPARATE_OFFICE, f"{actor.person} is a custodian")
    for party in (actor.person, *sorted(register.institutions.get(actor.person, ()))):
        for name in register.held.get(party, ()):
            mandate = register.mandates[name].mandate
            audit = Request(Power.AUDIT, request.key, (mandate.remit,), request.when)
            if not isinstance(_carry(register, territory, audit, mandate.remit, actor, name, at, known_at), Flaw):
                return Denial(Condition.SEPARATE_OFFICE, f"{actor.person} is an auditor by mandate {name}")
    return None
