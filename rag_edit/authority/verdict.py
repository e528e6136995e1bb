"""What a decision says: a permit with the mandates that carry it, or a denial with the condition that failed.

Neither has a truth value. Were a denial false, ``flaw or go_on()`` would go on; were it true, ``if decide(...)`` would. Whoever
asks for one by mistake gets an error, which is a denial where it happens inside a decision.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from rag_edit.authority.people import Actor

NO_TRUTH: Final = "a verdict is neither true nor false: ask isinstance(verdict, Permit)"


class Condition(StrEnum):
    """What has to hold, named by how it fails. One list for programs and people; `WORDS` says each in a sentence."""

    # who speaks
    UNKNOWN_KEY = "UNKNOWN_KEY"
    KEY_REMOVED = "KEY_REMOVED"
    KEY_COMPROMISED = "KEY_COMPROMISED"
    PARTY_REMOVED = "PARTY_REMOVED"
    NOT_FOR_SERVICES = "NOT_FOR_SERVICES"
    SEPARATE_OFFICE = "SEPARATE_OFFICE"
    NOT_A_CUSTODIAN = "NOT_A_CUSTODIAN"
    # with which mandate
    NO_MANDATE = "NO_MANDATE"
    UNKNOWN_MANDATE = "UNKNOWN_MANDATE"
    MANDATE_REVOKED = "MANDATE_REVOKED"
    MANDATE_NOT_YET = "MANDATE_NOT_YET"
    MANDATE_ENDED = "MANDATE_ENDED"
    POWER_NOT_GIVEN = "POWER_NOT_GIVEN"
    OUTSIDE_REMIT = "OUTSIDE_REMIT"
    WIDER_THAN_ITS_SOURCE = "WIDER_THAN_ITS_SOURCE"
    GRANTER_NOT_ENTITLED = "GRANTER_NOT_ENTITLED"
    OWN_GRANT = "OWN_GRANT"
    # on what
    NO_CHARTER = "NO_CHARTER"
    CHARTER_STANDS = "CHARTER_STANDS"
    NAME_TAKEN = "NAME_TAKEN"
    UNKNOWN_PARTY = "UNKNOWN_PARTY"
    UNKNOWN_CHANGE = "UNKNOWN_CHANGE"
    UNKNOWN_RECORD = "UNKNOWN_RECORD"
    UNKNOWN_PLACE = "UNKNOWN_PLACE"
    NOT_LIVE = "NOT_LIVE"
    NOT_SUSPENDED = "NOT_SUSPENDED"
    STALE = "STALE"
    STALE_BASE = "STALE_BASE"
    WRONG_STAGE = "WRONG_STAGE"
    ERASED = "ERASED"
    # separation and numbers
    OWN_PROPOSAL = "OWN_PROPOSAL"
    SAID_ALREADY = "SAID_ALREADY"
    OTHER_CONTENT = "OTHER_CONTENT"
    OTHER_REPORT = "OTHER_REPORT"
    OTHER_CONDITIONS = "OTHER_CONDITIONS"
    NOT_VERIFIED = "NOT_VERIFIED"
    FAILED_VERIFICATION = "FAILED_VERIFICATION"
    PROPOSAL_LAPSED = "PROPOSAL_LAPSED"
    REPORT_LAPSED = "REPORT_LAPSED"
    TOO_FEW_APPROVALS = "TOO_FEW_APPROVALS"
    TOO_FEW_INSTITUTIONS = "TOO_FEW_INSTITUTIONS"
    TOO_FEW_OUTSIDE = "TOO_FEW_OUTSIDE"
    NOT_ARMED = "NOT_ARMED"
    GLASS_BROKEN_ALREADY = "GLASS_BROKEN_ALREADY"
    REVIEW_OWED = "REVIEW_OWED"
    # otherwise
    OUT_OF_ORDER = "OUT_OF_ORDER"
    FROM_THE_FUTURE = "FROM_THE_FUTURE"
    FAULT = "FAULT"


WORDS = {
    Condition.UNKNOWN_KEY: "the key was not enrolled before the act",
    Condition.KEY_REMOVED: "the key was removed before the act",
    Condition.KEY_COMPROMISED: "the key counts as compromised since before the act",
    Condition.PARTY_REMOVED: "the person, service or institution was removed before the act",
    Condition.NOT_FOR_SERVICES: "this takes a person, not a program",
    Condition.SEPARATE_OFFICE: "custodians hold no mandate of their own, and auditors do nothing but audit",
    Condition.NOT_A_CUSTODIAN: "this takes a custodian",
    Condition.NO_MANDATE: "no mandate was granted to them",
    Condition.UNKNOWN_MANDATE: "there was no such mandate before the act",
    Condition.MANDATE_REVOKED: "the mandate was revoked",
    Condition.MANDATE_NOT_YET: "the mandate had not started",
    Condition.MANDATE_ENDED: "the mandate had ended",
    Condition.POWER_NOT_GIVEN: "the mandate does not allow this",
    Condition.OUTSIDE_REMIT: "the mandate is for another jurisdiction or topic",
    Condition.WIDER_THAN_ITS_SOURCE: "the mandate is wider than the one that it was granted under",
    Condition.GRANTER_NOT_ENTITLED: "whoever granted the mandate might not grant it",
    Condition.OWN_GRANT: "nobody uses a mandate that they granted, or that was granted under one",
    Condition.NO_CHARTER: "there is no charter yet",
    Condition.CHARTER_STANDS: "there is a charter already",
    Condition.NAME_TAKEN: "the name was used before",
    Condition.UNKNOWN_PARTY: "no such person, institution, service or key is enrolled",
    Condition.UNKNOWN_CHANGE: "there is no such change",
    Condition.UNKNOWN_RECORD: "there is no such record",
    Condition.UNKNOWN_PLACE: "there is no such jurisdiction",
    Condition.NOT_LIVE: "no version of the record is live",
    Condition.NOT_SUSPENDED: "it is not suspended",
    Condition.STALE: "it was changed since it was looked at",
    Condition.STALE_BASE: "the record has another version now than the change was made from",
    Condition.WRONG_STAGE: "the change is not at a stage at which this can be done",
    Condition.ERASED: "the record was erased; that is for ever",
    Condition.OWN_PROPOSAL: "nobody approves what they wrote",
    Condition.SAID_ALREADY: "one person counts once",
    Condition.OTHER_CONTENT: "the content is another one than was looked at",
    Condition.OTHER_REPORT: "the verification report is another one than was looked at",
    Condition.OTHER_CONDITIONS: "the report was measured under other conditions than the present ones",
    Condition.NOT_VERIFIED: "there is no verification report, and the policy asks for one",
    Condition.FAILED_VERIFICATION: "the verification failed",
    Condition.PROPOSAL_LAPSED: "the proposal no longer counts",
    Condition.REPORT_LAPSED: "the verification no longer counts",
    Condition.TOO_FEW_APPROVALS: "too few people have approved",
    Condition.TOO_FEW_INSTITUTIONS: "the approvals come from too few institutions",
    Condition.TOO_FEW_OUTSIDE: "too few approvals come from institutions other than the authors'",
    Condition.NOT_ARMED: "break-glass is not armed here by the policy",
    Condition.GLASS_BROKEN_ALREADY: "a break-glass on this topic is in force already",
    Condition.REVIEW_OWED: "a break-glass on the record ended, and no regular publication has followed",
    Condition.OUT_OF_ORDER: "the position is not after the last one",
    Condition.FROM_THE_FUTURE: "the act is dated after it was received",
    Condition.FAULT: "the decision could not be made, and what cannot be decided is denied",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why one mandate does not carry an act: the condition, and the mandate on whose chain it failed."""

    condition: Condition
    mandate: str

    def __str__(self) -> str:
        return f"{self.mandate}: {WORDS[self.condition]}"


@dataclass(frozen=True, slots=True)
class Permit:
    """An act may be done.

    Attributes:
        actor: Who does it.
        chains: For each place that the act touches, the mandates that carry it, from the one used up to its source. Empty
            for acts of custodians.
        count, needed: How many people have said it with this one, and how many it takes; it takes effect with the last.
    """

    actor: Actor
    chains: tuple[tuple[str, ...], ...] = ()
    count: int = 1
    needed: int = 1

    def __bool__(self) -> NoReturn:
        raise TypeError(NO_TRUTH)

    @property
    def takes_effect(self) -> bool:
        """Return whether enough people have said it."""
        return self.count >= self.needed

    def explain(self) -> str:
        """Return the permit in words."""
        who = f"{self.actor.person} for {self.actor.institution}"
        if self.actor.holder != self.actor.person:
            who = f"{self.actor.holder} (answered for by {self.actor.person}) for {self.actor.institution}"
        chains = sorted(set(self.chains))
        by = "; ".join(", granted under ".join(chain) for chain in chains)
        lines = [f"permitted: {who}" + (f", by mandate {by}" if by else "")]
        if not self.takes_effect:
            lines.append(f"  it takes effect when {self.needed} people have said it; so far {self.count}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Denial:
    """An act may not be done.

    Attributes:
        condition: The first that failed.
        detail: What was found, where there is more to say.
        considered: For each mandate that was looked at, why it does not carry the act.
    """

    condition: Condition
    detail: str = ""
    considered: tuple[Flaw, ...] = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(NO_TRUTH)

    def explain(self) -> str:
        """Return the denial in words."""
        first = f"denied ({self.condition}): {WORDS[self.condition]}" + (f": {self.detail}" if self.detail else "")
        return "\n".join([first, *(f"  {flaw}" for flaw in self.considered)])


Verdict = Permit | Denial
