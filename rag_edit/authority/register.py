"""The register: which parties, keys, mandates, custodians and policies there were at every position of the ledger.

Nothing is overwritten or taken out: an entry keeps the position that made it and those that ended it, so that the state
before any position can be read at any time later. The register records; whether something may be recorded is decided in
`rag_edit.authority.book`, and what it is worth in `rag_edit.authority.decide`, which believes no entry without a check.

"Before": what an act at a position may rest on was recorded at a smaller one. ``known_at`` says how much of what came later
is taken into account: removals, revocations and compromises that were recorded before it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rag_edit.authority.mandate import Mandate
from rag_edit.authority.names import PERSON, kind_of
from rag_edit.authority.people import Actor, Institution, Key, Person, Service
from rag_edit.authority.policy import PERMISSIVE, Policy
from rag_edit.authority.verdict import Condition

CHARTER: Final = ()  # granted by nobody: by the charter


@dataclass(frozen=True, slots=True)
class Signed:
    """Who said something, where in the ledger, and when: enough to decide again whether they might."""

    key: str
    position: int
    when: datetime
    person: str
    institution: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A party or key went out of use at ``position``; nothing that it said from ``since`` on is believed."""

    position: int
    since: int | None = None


@dataclass(slots=True)
class Enrolled:
    """A party or key: since when it is known, and its removals."""

    party: Person | Institution | Service | Key
    position: int
    removals: list[Removal] = field(default_factory=list)


@dataclass(slots=True)
class Granted:
    """A mandate: since when it is in force, who granted it, and whether it was revoked.

    Attributes:
        position: Where the last of the grants stands that it takes.
        granters: Whoever granted it: one, under another mandate; custodians; or `CHARTER`.
        needed: How many custodians it took.
        revoked: Position of the revocation.
    """

    mandate: Mandate
    position: int
    granters: tuple[Signed, ...] = CHARTER
    needed: int = 1
    revoked: int | None = None


@dataclass(frozen=True, slots=True)
class Custody:
    """Who the custodians are from a position on, and how many of them an act takes."""

    position: int
    custodians: frozenset[str]
    threshold: int


@dataclass(slots=True)
class Register:
    """All of it.

    Attributes:
        enrolled: Parties and keys by name.
        mandates: By name.
        held: Names of mandates by holder.
        institutions: Those that a person or service ever had a key in.
        custody, policies: In the order of their positions.
    """

    enrolled: dict[str, Enrolled] = field(default_factory=dict)
    mandates: dict[str, Granted] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    institutions: dict[str, set[str]] = field(default_factory=dict)
    custody: list[Custody] = field(default_factory=list)
    policies: list[tuple[int, Policy]] = field(default_factory=list)

    def enrol(self, party: Person | Institution | Service | Key, position: int) -> None:
        """Record a party or key."""
        self.enrolled[party.id] = Enrolled(party, position)
        if isinstance(party, Key):
            self.institutions.setdefault(party.holder, set()).add(party.institution)

    def remove(self, name: str, position: int, since: int | None = None) -> None:
        """Record that a party or key went out of use."""
        self.enrolled[name].removals.append(Removal(position, since))

    def grant(self, granted: Granted) -> None:
        """Record a mandate."""
        self.mandates[granted.mandate.id] = granted
        self.held.setdefault(granted.mandate.holder, []).append(granted.mandate.id)

    def revoke(self, mandate: str, position: int) -> None:
        """Record that a mandate was taken back."""
        self.mandates[mandate].revoked = position

    def custody_before(self, position: int) -> Custody:
        """Return who the custodians were; nobody before there was a charter."""
        return next((c for c in reversed(self.custody) if c.position < position), Custody(-1, frozenset(), 1))

    def policy_before(self, position: int) -> Policy:
        """Return the policy in force."""
        return next((policy for since, policy in reversed(self.policies) if since < position), PERMISSIVE)

    def in_use(self, name: str, *, at: int, known_at: int) -> bool:
        """Return whether a party was known before ``at`` and not removed before it, as known before ``known_at``."""
        entry = self.enrolled.get(name)
        if entry is None or entry.position >= at:
            return False
        return not any(r.position < known_at and r.position < at for r in entry.removals)

    def actor(self, key: str, *, at: int, known_at: int) -> Actor | Condition:
        """Return for whom a key spoke at a position; or the condition that failed.

        Args:
            key: Its name.
            at: The position of what it said.
            known_at: Removals recorded before this position count, if they reach back to ``at``.
        """
        entry = self.enrolled.get(key)
        if entry is None or entry.position >= at or not isinstance(entry.party, Key):
            return Condition.UNKNOWN_KEY
        known = [r for r in entry.removals if r.position < known_at]
        if any(r.since is not None and r.since <= at for r in known):
            return Condition.KEY_COMPROMISED
        if any(r.position < at for r in known):
            return Condition.KEY_REMOVED
        holder = entry.party.holder
        if not self.in_use(holder, at=at, known_at=known_at):
            return Condition.PARTY_REMOVED
        person = holder
        if kind_of(holder) != PERSON:
            service = self.enrolled[holder].party
            if not isinstance(service, Service):
                return Condition.PARTY_REMOVED
            person = service.answers
            if not self.in_use(person, at=at, known_at=known_at):
                return Condition.PARTY_REMOVED
        if not self.in_use(entry.party.institution, at=at, known_at=known_at):
            return Condition.PARTY_REMOVED
        return Actor(holder, person, entry.party.institution)
