"""A policy as TOML, as people write it. Text in, `Policy` out; unknown words are errors, since a misspelt rule is no rule.

Whatever is left out keeps the value of `PERMISSIVE`: strictness is written down, never assumed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from rag_edit.authority.errors import PolicyFileError
from rag_edit.authority.policy import Policy, Quorum, Risk

STRICT_EXAMPLE: Final = """\
# How many people a change takes. What is left out asks for nobody but the author.
name = "four eyes"
verification = true          # a passing verification report before anyone approves
separate_offices = true      # custodians edit nothing; auditors do nothing but audit
retract_people = 1
erase_people = 2

[quorum.low]                 # natural persons other than the authors
approvals = 1
[quorum.normal]
approvals = 2
[quorum.high]
approvals = 2
institutions = 2             # different ones among the approvers
outside = 1                  # from an institution that wrote none of it
[quorum.adapter]             # changes to parameters, on top of the risk class
approvals = 3

[risk]                       # by topic, and all below it
default = "normal"
high = ["election", "health", "law"]
low = ["holiday"]

[breakglass]                 # two people, at most 24 hours, then undone by itself
jurisdictions = ["DE", "GLOBAL"]
hours = 24
review_hours = 72
"""

_TOP: Final = {
    "name": str,
    "verification": bool,
    "separate_offices": bool,
    "retract_people": int,
    "erase_people": int,
    "quorum": dict,
    "risk": dict,
    "breakglass": dict,
}
_QUORUM: Final = {f.name: int for f in fields(Quorum)}
_RISK: Final = {"default": str, "high": list, "low": list}
_BREAKGLASS: Final = {"jurisdictions": list, "hours": int, "review_hours": int}


def read_policy(text: str, *, where: str) -> Policy:
    """Return the policy that a file states.

    Args:
        text: The file, as TOML.
        where: Its name, for errors.

    Raises:
        PolicyFileError: not TOML, an unknown word, another type, or a value out of range.
    """
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyFileError(where, "TOML", str(error)) from error
    top = _table(plain, _TOP, where)
    quorums = _table(top.pop("quorum", {}), dict.fromkeys(("low", "normal", "high", "adapter"), dict), f"{where}: quorum")
    risk = _table(top.pop("risk", {}), _RISK, f"{where}: risk")
    glass = _table(top.pop("breakglass", {}), _BREAKGLASS, f"{where}: breakglass")
    values: dict[str, Any] = {"name": where, **top}
    try:
        for name, table in quorums.items():
            values[name] = Quorum(**_table(table, _QUORUM, f"{where}: quorum.{name}"))
        if "default" in risk:
            values["default_risk"] = Risk(risk["default"])
        for word, field, table in (
            ("high", "high_topics", risk),
            ("low", "low_topics", risk),
            ("jurisdictions", "breakglass_jurisdictions", glass),
        ):
            if word in table:
                values[field] = _texts(table[word], f"{where}: {word}")
        for word, field in (("hours", "breakglass_hours"), ("review_hours", "review_hours")):
            if word in glass:
                values[field] = glass[word]
        return Policy(**values)
    except ValueError as error:
        raise PolicyFileError(where, "a policy", str(error)) from error


def _table(plain: Mapping[str, Any], known: Mapping[str, type], where: str) -> dict[str, Any]:
    for name, value in plain.items():
        if name not in known:
            raise PolicyFileError(where, f"one of {', '.join(known)}", repr(name))
        if type(value) is not known[name]:
            raise PolicyFileError(f"{where}: {name}", _WORDS[known[name]], repr(value)[:80])
    return dict(plain)


def _texts(values: list[Any], where: str) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise PolicyFileError(where, "a list of texts", repr(values)[:80])
    return tuple(sorted(set(values)))


_WORDS: Final[Mapping[type, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    dict: "a table",
    list: "a list",
}
