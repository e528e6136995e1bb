"""Which deployment a request is for, and where its question stands. Pure.

A deployment is named by the path (``/d/NAME/v1``), by a header, by a key that reaches one only, or is the only one there is;
two names that differ are an error. A place is chosen by header, key or model suffix (``gpt@DE-BY``) where the deployment
says so, and must be one that it allows. What is not understood or not allowed is refused, never taken for something wider.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from rag_edit.core.jurisdiction import Atlas, UnknownJurisdictionError
from rag_edit.gateway.config import DEFAULT
from rag_edit.gateway.deployments import Chooser, DeploymentSpec
from rag_edit.gateway.headers import AS_OF, DEPLOYMENT, JURISDICTION
from rag_edit.gateway.keys import Key
from rag_edit.gateway.problems import Refusal, bad_request, shown

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LIKE_A_CODE: Final = re.compile(r"[A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What callers may say about the place of their question; empty where they say nothing."""

    header: str = ""
    key: str = ""
    suffix: str = ""


def choose_deployment(deployments: Mapping[str, DeploymentSpec], key: Key | None, path: str, header: str) -> DeploymentSpec:
    """Return the deployment that a request is for.

    Args:
        deployments: All there are.
        key: The caller's; None where none is asked for.
        path: The name in the path; empty where there is none.
        header: The name in the header; empty where there is none.

    Raises:
        Refusal: none, an unknown one, two different ones, or one that the key does not reach: these last two read the same.
    """
    if path and header and path != header:
        raise bad_request(f"the path names another deployment than {DEPLOYMENT}", param=DEPLOYMENT)
    reached = {name: each for name, each in deployments.items() if key is None or key.reaches(name)}
    name = path or header
    if not name:
        name = next(iter(reached)) if len(reached) == 1 else DEFAULT
    if name not in reached:
        if not (path or header):
            raise bad_request(f"wanted a deployment, by the base URL /d/NAME/v1 or the header {DEPLOYMENT}", param=DEPLOYMENT)
        raise Refusal(404, "unknown_deployment", f"no deployment {shown(name)} is open to this caller", param=DEPLOYMENT)
    return reached[name]


def choose_day(spec: DeploymentSpec, header: str, today: date) -> date:
    """Return the day that a question is about.

    Raises:
        Refusal: no day, or one where the deployment takes none.
    """
    if not header:
        return spec.day(None, today)
    if not spec.takes_day:
        raise Refusal(403, "day_not_allowed", f"deployment {spec.name} takes no {AS_OF}", param=AS_OF)
    try:
        return spec.day(date.fromisoformat(header if _DAY.fullmatch(header) else ""), today)
    except ValueError:
        raise bad_request(f"wanted a day as YYYY-MM-DD, found {shown(header)}", param=AS_OF) from None


def choose_place(spec: DeploymentSpec, atlas: Atlas, on: date, chosen: Chosen) -> str:
    """Return where a question stands.

    Raises:
        Refusal: an unknown code, two that differ, a way that the deployment does not offer, or a place that it does not allow.
    """
    given = {Chooser.HEADER: chosen.header, Chooser.KEY: chosen.key, Chooser.MODEL: chosen.suffix}
    places: dict[str, Chooser] = {}
    for way, text in given.items():
        if not text or (way is Chooser.KEY and way not in spec.choose_by):
            continue
        param = JURISDICTION if way is Chooser.HEADER else "model" if way is Chooser.MODEL else None
        try:
            place = atlas.parse(text)
        except UnknownJurisdictionError as error:
            raise bad_request(f"{error.message}; {error.hint}", param=param, code="unknown_jurisdiction") from None
        if way not in spec.choose_by and place != spec.jurisdiction:
            raise _not_allowed(spec, place, param)
        if not spec.allows(place, atlas, on):
            raise _not_allowed(spec, place, param)
        places.setdefault(place, way)
    if len(places) > 1:
        named = " and ".join(f"{place} by {way}" for place, way in places.items())
        raise bad_request(f"wanted one jurisdiction, found {named}", param=JURISDICTION, code="two_jurisdictions")
    return next(iter(places), spec.jurisdiction)


def split_model(model: str, atlas: Atlas) -> tuple[str, str]:
    """Return a model's name without its suffix, and the suffix: what stands behind the last @ and looks like a code.

    ``gpt@DE-BY`` has one; ``@cf/meta/llama`` and ``claude@20240620`` have none. What only looks like a code is split off as
    well, so that a misspelt place is refused and not served as if nothing had been said.
    """
    bare, at, suffix = model.rpartition("@")
    if at and bare and (_LIKE_A_CODE.fullmatch(suffix) or suffix in atlas or suffix.upper() in atlas):
        return bare, suffix
    return model, ""


def _not_allowed(spec: DeploymentSpec, place: str, param: str | None) -> Refusal:
    return Refusal(403, "jurisdiction_not_allowed", f"deployment {spec.name} does not allow {place} here", param=param)
