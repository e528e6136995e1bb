"""The atlas that ships with the package, and the names of its places. Loaded on first use, once a process."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from rag_edit.core.jurisdiction import Atlas

DATA: Final = "rag_edit.core.data"


@cache
def default_atlas() -> Atlas:
    """Return the packaged atlas: ISO 3166 codes of CLDR 48 and the hand-made, dated memberships."""
    return Atlas(_load("jurisdictions.json"), _load("memberships.json"))


def _load(name: str) -> Any:
    return json.loads(files(DATA).joinpath(name).read_bytes())
