"""The charter of one person on one machine: everything is theirs, nothing takes a second person."""

from datetime import datetime
from typing import Final

from rag_edit.authority.acts import EVERYWHERE, Found
from rag_edit.authority.mandate import ALL_POWERS, MAX_DEPTH, Mandate
from rag_edit.authority.people import Institution, Key, Person
from rag_edit.authority.policy import PERMISSIVE, Policy

LOCAL_PERSON: Final = "person:local"
LOCAL_INSTITUTION: Final = "inst:local"
LOCAL_MANDATE: Final = "local"


def local_charter(key: str, at: datetime, policy: Policy = PERMISSIVE) -> Found:
    """Return the charter under which the holder of one key may do everything, everywhere.

    Args:
        key: Its name.
        at: Now, in UTC, to the second.
        policy: How many people a change takes; by default nobody but its author.
    """
    return Found(
        by=key,
        at=at,
        people=(Person(LOCAL_PERSON),),
        institutions=(Institution(LOCAL_INSTITUTION),),
        services=(),
        keys=(Key(key, LOCAL_PERSON, LOCAL_INSTITUTION),),
        custodians=(LOCAL_PERSON,),
        threshold=1,
        mandates=(Mandate(LOCAL_MANDATE, LOCAL_PERSON, ALL_POWERS, EVERYWHERE, depth=MAX_DEPTH),),
        policy=policy,
    )
