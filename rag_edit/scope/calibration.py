"""Thresholds: where a scope score is cut, what that was chosen on, and for which scorer. Pure values, read from a file.

A cut belongs to one scorer (by digest) and names its data. With another encoder under the same method the numbers are
taken and said to be uncalibrated; another method's numbers would mean nothing, and are refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from typing import Final

from rag_edit.core.decision import Form
from rag_edit.core.errors import ConfigError

PACKAGED: Final = "calibration.json"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where scores are cut.

    Attributes:
        in_scope: Least probability of an override.
        margin: Least lead over a candidate about another fact.
        scorer: Digest of the scorer that the numbers belong to.
        chosen_on: The data and the risk that they were chosen for, in words.
        by_form: Least probability for a form, where data gave one; forms not named use ``in_scope`` and count as uncalibrated.
    """

    in_scope: float
    margin: float
    scorer: str
    chosen_on: str
    by_form: Mapping[Form, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for value in (self.in_scope, *self.by_form.values()):
            if not 0.0 < value <= 1.0:
                raise ConfigError(f"thresholds: wanted a probability above 0, found {value}", hint="rag-edit doctor")

    def least(self, form: Form) -> float:
        """Return the least probability of an override for a form."""
        return self.by_form.get(form, self.in_scope)


def read_thresholds(text: str, scorer: str, kind: str) -> Thresholds:
    """Return the thresholds of ``scorer`` from the JSON of a calibration file.

    Args:
        text: ``{"scorers": {KIND: {"digest": ..., "in_scope": ..., "margin": ..., "by_form": {...}, "chosen_on": ...}}}``.
        scorer: Digest of the scorer in use.
        kind: Its method. Numbers made for the same method with another encoder are taken, and said to be uncalibrated.

    Raises:
        ConfigError: not such a file, or nothing in it for this method.
    """
    try:
        found = json.loads(text)["scorers"][kind]
        by_form = {Form(name): float(value) for name, value in found.get("by_form", {}).items()}
        chosen_on = str(found["chosen_on"])
        if found["digest"] != scorer:
            chosen_on = f"uncalibrated: chosen for {found['digest']}, used with {scorer}; {chosen_on}"
        return Thresholds(float(found["in_scope"]), float(found["margin"]), scorer, chosen_on, MappingProxyType(by_form))
    except KeyError as error:
        raise ConfigError(
            f"calibration file: wanted thresholds for the scorer {kind}, found no {error}", hint="rag-edit doctor"
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"calibration file: not readable: {error}", hint="rag-edit doctor") from error


def packaged_thresholds(scorer: str, kind: str) -> Thresholds:
    """Return the thresholds that ship with the package for a scorer, by digest and method."""
    return read_thresholds(resources.files("rag_edit.scope").joinpath(PACKAGED).read_text("utf-8"), scorer, kind)
