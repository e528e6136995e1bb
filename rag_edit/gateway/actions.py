"""What a route does, as far as access is concerned: each route declares one action, each key holds some.

`HEALTH` needs no key. Where no key was ever made, and on loopback only, `OPEN_ACTIONS` are free to whoever is on the machine.
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
    DEPLOYMENTS = "deployments"
    DECIDE = "decide"
    APPLY = "apply"
    RELOAD = "reload"


GRANTABLE: Final = tuple(action for action in Action if action is not Action.HEALTH)
CHAT_ACTIONS: Final = frozenset({Action.ANSWER, Action.EMBED, Action.MODELS})
OPEN_ACTIONS: Final = CHAT_ACTIONS | {Action.METRICS, Action.DEPLOYMENTS, Action.DECIDE}
