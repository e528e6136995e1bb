"""Acts that take several people: each says the same, and it takes effect with the last of them that it takes.

What counts is the natural person, and only what still counts when the last one speaks: whose mandate was revoked in between,
whose key turned out to be compromised, who is no longer a custodian, is not counted; nor what was said too long ago, or under another policy.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from rag_edit.authority.acts import Act
from rag_edit.authority.register import Signed
from rag_edit.authority.state import Moment, State
from rag_edit.authority.statement import joint_digest
from rag_edit.authority.verdict import Condition, Denial, Permit, Verdict

JOINT_TERM: Final = timedelta(days=7)  # for so long somebody's word waits for the others'


def said_before(state: State, act: Act, counts: Callable[[Signed], bool], moment: Moment) -> tuple[Signed, ...]:
    """Return who has said the same until now, as far as it still counts."""
    said = state.said.get(joint_digest(act), ())
    return tuple(signed for signed in said if signed.when + JOINT_TERM > moment.now and counts(signed))


def joint_verdict(permit: Permit, before: tuple[Signed, ...], needed: int) -> Verdict:
    """Return the permit of one of several people, with the count; a person who has said it already says nothing new."""
    if any(signed.person == permit.actor.person for signed in before):
        return Denial(Condition.SAID_ALREADY, permit.actor.person)
    return Permit(permit.actor, permit.chains, len(before) + 1, needed)


def keep_or_take(state: State, act: Act, signed: Signed, before: tuple[Signed, ...], verdict: Permit) -> tuple[Signed, ...]:
    """Note that somebody said it. Return all who did where it takes effect now, else nobody."""
    digest = joint_digest(act)
    if verdict.takes_effect:
        state.said.pop(digest, None)
        return (*before, signed)
    state.said[digest] = (*before, signed)
    return ()
