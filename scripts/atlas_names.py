"""Names of places for scripts/build_atlas.py: CLDR's names, cleaned and classed, and the hand-made tables of scripts/atlas.

The file written, place_names.json.gz, maps a folded name (`rag_edit.core.atlas.fold_name`) to ``CLASS CODE...``:
``n`` name in any case, ``N`` capital needed, ``w`` capital and a place word before it, ``d``/``D`` the same for demonyms,
``u`` uncertain, ``x`` code as written, ``-`` a phrase that names no place. First names are under ``"persons"``.
"""

# ruff: noqa: S314 - word lists read better as text; the XML files are of a pinned release
import gzip
import json
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

from atlas_forms import inflected, rows, spread_demonyms, variants, words

from rag_edit.core.atlas import fold_name

LANGUAGES = (
    "en de fr es it pt nl pl cs sv da no fi el tr ru uk ro hu bg hr sl sk et lv lt ga mt ar he hi ja ko zh vi id".split()
)
SUBDIVISION_LANGUAGES = "en de fr es it pt nl ja zh ar ru tr".split()
# Countries whose subdivisions are asked about by their bare name; elsewhere a place word must stand before it.
WELL_KNOWN = set("US CA AU DE AT CH GB ES FR IT NL BE JP CN IN BR MX AR NO SE FI DK PL TR ZA NZ KR PT RU UA AE".split())
LOWER_TOO = {"US", "CA", "AU", "DE", "AT", "GB"}  # ... and in lower case, as people type
SECOND_LEVEL = {"ES", "IT", "FR", "BE"}
SHORT_YET_CLEAR = set("peru cuba kuba iran iraq irak oman fiji togo laos".split())


def read_names(common: Path, language: str, known: set[str]) -> dict[str, list[str]]:
    """Return the names that CLDR gives in ``language``, by ISO code, the usual one first."""
    found: dict[str, list[str]] = {}
    for folder, tag in (("main", "territory"), ("subdivisions", "subdivision")):
        path = common / folder / f"{language}.xml"
        for element in ET.parse(path).iter(tag) if path.exists() else ():
            code = element.get("type", "")
            code = code if code.isupper() else f"{code[:2]}-{code[2:]}".upper()
            name = (element.text or "").strip()
            if code in known and name and name != "↑↑↑" and name not in found.setdefault(code, []):
                found[code].append(name)
    return {code: names for code, names in found.items() if names}


def class_of(key: str, codes: list[str], capital: set[str]) -> str:
    """Return how a name must be written to be read: see the module's docstring."""
    own = {code[:2] for code in codes}
    latin = ord(key[0]) < 0x0250
    if any(len(code) > 2 for code in codes):
        clear = own <= WELL_KNOWN and not (len(codes) == 1 and codes[0] in SECONDARY)
        return ("n" if own <= LOWER_TOO and key not in capital and len(key) > 4 else "N") if clear else "w"
    return "N" if {key, key.removesuffix("s")} & capital or (latin and len(key) <= 4 and key not in SHORT_YET_CLEAR) else "n"


SECONDARY: set[str] = set()


def write(common: Path, data: dict, where: Path) -> None:
    """Write place_names.json.gz."""
    parent = {code: above for code, (above, *_) in data["subdivisions"].items()}
    SECONDARY.update(c for c, above in parent.items() if above and len(above) > 2 and c[:2] in SECOND_LEVEL)
    wanted = (
        set(data["countries"]) | {c for c, above in parent.items() if above and len(above) == 2 and above == c[:2]} | SECONDARY
    )
    found: dict[str, set[str]] = defaultdict(set)
    plain_forms: set[str] = set()
    for language in LANGUAGES:
        for code, names in read_names(common, language, wanted).items():
            if len(code) == 2 or language in SUBDIVISION_LANGUAGES:
                for form in {v for name in names for v in variants(name, code)}:
                    plain_forms.add(fold_name(form))
                    for word in {form, *(inflected(form, language) if len(code) == 2 else ())}:
                        found[fold_name(word)].add(code)
    left_out, capital, persons = words("leave_out.txt"), words("capital.txt"), words("persons.txt")
    named: dict[str, str] = {}
    for key, codes in found.items():
        best = {c for c in codes if len(c) == 2} or {c for c in codes if c[:2] in WELL_KNOWN and c not in SECONDARY}
        picked = sorted(best or codes)
        short = len(key) < 4 and key.isascii() and " " not in key
        if key and not short and len(picked) <= 4 and left_out.isdisjoint((key, key.removesuffix("s"))):
            named[key] = f"{class_of(key, picked, capital)} {' '.join(picked)}"
    kept = left_out | (plain_forms & named.keys())
    for code, form in spread_demonyms(rows("demonyms.tsv")[1:]):
        if (key := fold_name(form)) not in kept:
            named[key] = f"{'D' if key in capital else 'd'} {code}"
    for kind, codes, names in rows("aliases.tsv")[1:]:
        for name in names.split("|"):
            named[name if kind == "x" else fold_name(name)] = f"{kind} {codes}"
    named |= {fold_name(phrase): "-" for (phrase,) in rows("phrases.txt")}
    for key in [k for k in named if len(k) > 4 and named[k][0] in "nNwd" and fold_name(k, accents=False) != k]:
        if (plain := fold_name(key, accents=False)) not in left_out | persons:
            named.setdefault(plain, named[key])
    text = json.dumps({"names": dict(sorted(named.items())), "persons": sorted(persons)}, ensure_ascii=False)
    (where / "place_names.json.gz").write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))
