"""The atlas that ships with the package, and the names of its places. Each is loaded on first use, once a process."""

import gzip
import json
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any, Final

from rag_edit.core.jurisdiction import Atlas

DATA: Final = "rag_edit.core.data"
_SEPARATORS: Final = str.maketrans(dict.fromkeys("-‐‑‒–—'’‘ʼ`´.&·・,/_", " "))
_ARABIC: Final = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ـ": None})


@cache
def default_atlas() -> Atlas:
    """Return the packaged atlas: ISO 3166 codes of CLDR 48 and the hand-made, dated memberships."""
    return Atlas(json.loads(_read("jurisdictions.json")), json.loads(_read("memberships.json")))


@cache
def default_place_names() -> dict[str, Any]:
    """Return the packaged names of places, as `rag_edit.scope.places.PlaceReader` takes them. Not to be changed."""
    loaded: dict[str, Any] = json.loads(gzip.decompress(_read("place_names.json.gz")))
    return loaded


def fold_name(name: str, *, accents: bool = True) -> str:
    """Return the form under which a name is stored and looked up: case, hyphens and apostrophes do not count.

    Args:
        name: A name, or a part of a text.
        accents: False to drop the accents of Latin, Greek and Cyrillic letters too ("México" as "mexico").
    """
    folded = unicodedata.normalize("NFKC", name).translate(_SEPARATORS).translate(_ARABIC).casefold().replace("i̇", "i")
    if not accents:
        split = unicodedata.normalize("NFD", folded)
        folded = unicodedata.normalize("NFC", "".join(c for c in split if not "\u0300" <= c <= "\u036f"))
    return " ".join(folded.split())


def _read(name: str) -> bytes:
    return files(DATA).joinpath(name).read_bytes()
