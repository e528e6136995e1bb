"""What a route does, as far as access is concerned: each route declares one action, each key holds some.

`HEALTH` needs no key. Where no key was ever made, and on loopback only, `OPEN_ACTIONS` are free to whoever is on the machine.
`WHOLE_ACTIONS` concern the home and not one deployment: a key of some deployments does not have them.
"""

from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What a request wants to do."""

    HEALTH = "health"
    ANSWER = "answer"
    EMBED = "embed"
    MODELS = "models"
    METRICS = "metrics"
    DESCRIBE = "describe"
    DEPLOYMENTS = "deployments"
    DECIDE = "decide"
    ASK = "ask"
    RECORDS = "records"
    PLAN = "plan"
    APPLY = "apply"
    RETRACT = "retract"
    ERASE = "erase"
    CHANGES = "changes"
    DRAFT = "draft"
    APPROVE = "approve"
    PUBLISH = "publish"
    VERIFY = "verify"
    RECEIPTS = "receipts"
    LEDGER = "ledger"
    SUSPEND = "suspend"
    RELOAD = "reload"
    BACKUP = "backup"


GRANTABLE: Final = tuple(action for action in Action if action is not Action.HEALTH)
CHAT_ACTIONS: Final = frozenset({Action.ANSWER, Action.EMBED, Action.MODELS})
OPEN_ACTIONS: Final = CHAT_ACTIONS | {Action.METRICS, Action.DESCRIBE, Action.DEPLOYMENTS, Action.DECIDE}
WHOLE_ACTIONS: Final = frozenset(GRANTABLE) - OPEN_ACTIONS | {Action.METRICS}
