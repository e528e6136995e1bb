"""Decisions against the brute force of `tests/authority/oracle.py`, on random graphs of mandates that nobody checked before.

The graphs hold what admission would refuse as well: mandates wider than their source, under themselves, in circles, under
what came later or never was, granted by strangers, by removed or compromised keys, by too few custodians.
"""

import random
from datetime import UTC, datetime, timedelta

import pytest

from rag_edit.authority.decide import Request, decide
from rag_edit.authority.mandate import Mandate, Power, Remit
from rag_edit.authority.people import Institution, Key, Person
from rag_edit.authority.register import Custody, Granted, Register, Signed
from rag_edit.authority.verdict import Permit
from tests.authority.oracle import BELOW, TOPICS, FactMandate, Facts
from tests.authority.story import TREE

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = [f"person:p{n}" for n in range(5)]
HOUSES = ["inst:a", "inst:b"]
PLACES, SUBJECTS = list(BELOW), list(TOPICS)
POWERS = ["approve", "grant", "propose"]


def facts(rng: random.Random) -> Facts:
    """Return a random history: people and keys at 0 to 3, then grants, revocations and removals at 4 to 20."""
    found = Facts(parties=[(name, 0) for name in (*PEOPLE, *HOUSES)], custodians=[(0, frozenset(PEOPLE[:2]))])
    found.keys = [(f"k{n}", PEOPLE[n % 5], rng.choice(HOUSES), rng.choice((0, 0, 0, 5))) for n in range(6)]
    if rng.random() < 0.3:
        since = rng.choice((None, None, rng.randrange(4, 18)))
        found.removals.append((f"k{rng.randrange(6)}", rng.randrange(4, 20), since))
    if rng.random() < 0.15:
        found.removals.append((rng.choice([*PEOPLE, *HOUSES]), rng.randrange(4, 20), None))
    positions = sorted(rng.sample(range(4, 18), rng.randrange(1, 9)))
    for n, position in enumerate(positions):
        found.mandates.append(mandate(rng, found, n, len(positions), position))
    return found


def mandate(rng: random.Random, found: Facts, n: int, count: int, position: int) -> FactMandate:
    """Return a random mandate: mostly one that a sane granter would give under an earlier one, sometimes anything."""
    earlier = [m for m in found.mandates if m.depth > 0]
    above = rng.choice((earlier[-1], rng.choice(earlier))) if earlier and rng.random() < 0.8 else None
    under = above.name if above else ""
    if rng.random() < 0.06:
        under, above = f"m{rng.randrange(count)}", None  # itself, or what comes later
    depth = rng.choice((above.depth - 1, rng.randrange(above.depth))) if above else rng.choice((0, 1, 2, 3, 3, 3))
    powers = [p for p in ("approve", "propose") if (above is None or p in above.powers) and rng.random() < 0.8] or ["propose"]
    place = rng.choice([p for p in BELOW[above.place] if not p.endswith("*")]) if above else rng.choice(("GLOBAL", *PLACES))
    topic = rng.choice([t for t in TOPICS[above.topic] if not t.endswith("*")]) if above else rng.choice(("", "", *SUBJECTS))
    topic = topic if topic in TOPICS else ""
    start, end = (above.start, above.end) if above else (None, None)
    if rng.random() < 0.15:
        start = rng.randrange(1, 6)
    if rng.random() < 0.15:
        end = rng.randrange(6, 11)
    if above and rng.random() < 0.5:
        place, topic = above.place, above.topic
    wider = rng.choice(("depth", "place", "topic", "start", "end", "powers")) if rng.random() < 0.12 else ""
    depth = rng.randrange(4) if wider == "depth" else depth
    place = rng.choice(PLACES) if wider == "place" else place
    topic = rng.choice(SUBJECTS) if wider == "topic" else topic
    start, end = None if wider == "start" else start, None if wider == "end" else end
    powers = ["approve", "propose"] if wider == "powers" else powers
    holders = [house for key, _, house, _ in found.keys if above and above.holder == house]
    speakers = [k for k, person, house, _ in found.keys if above and above.holder in (person, house)] if above else []
    key = rng.choice(speakers) if speakers and rng.random() < 0.93 else f"k{rng.randrange(6)}"
    granters = ((key, position, rng.randrange(2, 9)),)
    needed = 1
    if not under:
        needed = rng.choice((1, 1, 2))
        granters = (
            tuple((f"k{k}", position - j, 5) for j, k in enumerate(rng.sample((0, 1, 2, 4), needed)))
            if rng.random() < 0.5
            else ()
        )
    holder = rng.choice((*PEOPLE, *PEOPLE, *HOUSES, *holders[:1]))
    return FactMandate(
        f"m{n}",
        holder,
        tuple(sorted([*set(powers), *(["grant"] if depth else [])])),
        place,
        rng.random() < 0.85,
        topic,
        start,
        end,
        depth,
        under,
        position,
        granters,
        needed,
        rng.randrange(position + 1, 21) if rng.random() < 0.08 else None,
    )


def day(number: int | None) -> datetime | None:
    return None if number is None else EPOCH + timedelta(days=number)


def register(known: Facts) -> Register:
    """Return the register of a history, written past every check."""
    made = Register(custody=[Custody(since, people, 2) for since, people in known.custodians])
    holders = {key: (holder, house) for key, holder, house, _ in known.keys}
    for name, since in known.parties:
        made.enrol((Person if name.startswith("person") else Institution)(name), since)
    for key, holder, house, since in known.keys:
        made.enrol(Key(key, holder, house), since)
    for name, position, since in known.removals:
        made.remove(name, position, since)
    for m in known.mandates:
        value = Mandate(
            m.name,
            m.holder,
            tuple(Power(p) for p in m.powers),
            Remit(m.place, m.topic, m.parts),
            day(m.start),
            day(m.end),
            m.depth,
            m.under,
        )
        signed = tuple(Signed(k, p, EPOCH + timedelta(days=d), *holders[k]) for k, p, d in m.granters)
        made.grant(Granted(value, m.position, signed, m.needed, m.revoked))
    return made


def compare(seed: int, graphs: int) -> tuple[int, int]:
    """Return how many decisions were compared and how many were permits; fail at the first difference."""
    compared = permits = 0
    for number in range(graphs):
        rng = random.Random(f"{seed}/{number}")
        known = facts(rng)
        made = register(known)
        for _ in range(4):
            m = rng.choice((known.mandates[-1], rng.choice(known.mandates)))
            keys = [k for k, person, house, _ in known.keys if m.holder in (person, house)]
            key = rng.choice(keys) if keys and rng.random() < 0.8 else f"k{rng.randrange(6)}"
            power = rng.choice(m.powers) if rng.random() < 0.8 else rng.choice(POWERS)
            place = m.place if rng.random() < 0.6 else rng.choice(PLACES)
            topic = m.topic if rng.random() < 0.6 else rng.choice(SUBJECTS)
            when, at = rng.choice((4, 5, 6, rng.randrange(0, 12))), rng.choice((18, 20, rng.randrange(4, 22)))
            known_at = rng.choice((at, at, at + rng.randrange(6)))
            request = Request(Power(power), key, (Remit(place, topic),), EPOCH + timedelta(days=when))
            verdict = decide(made, TREE, request, at=at, known_at=known_at)
            expected = known.allowed(key, (power, place, topic, when), at, known_at)
            assert isinstance(verdict, Permit) == expected, (seed, number, known, request, at, known_at, verdict.explain())
            compared += 1
            permits += expected
    return compared, permits


def test_decisions_are_those_of_the_brute_force() -> None:
    compared, permits = compare(seed=1, graphs=250)
    assert compared == 1000
    assert 0.1 < permits / compared < 0.9


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 10))
def test_decisions_are_those_of_the_brute_force_on_two_hundred_thousand_graphs(seed: int) -> None:
    compared, permits = compare(seed, graphs=25_000)
    assert compared == 100_000
    assert 0.1 < permits / compared < 0.9
