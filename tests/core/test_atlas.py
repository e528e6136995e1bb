"""The packaged data: complete against ISO 3166 (pycountry, where it is installed), rebuilt byte for byte where CLDR is."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from rag_edit.core.atlas import default_atlas, default_place_names, fold_name
from rag_edit.core.jurisdiction import Kind

ATLAS = default_atlas()
ROOT = Path(__file__).resolve().parents[2]


def of(kind: Kind) -> set[str]:
    return {str(j) for j in ATLAS if ATLAS.kind(j) is kind}


def test_the_atlas_has_249_countries_kosovo_and_5046_subdivisions() -> None:
    assert len(of(Kind.COUNTRY)) == 250
    assert len(of(Kind.SUBDIVISION)) == 5046


def test_countries_are_those_of_iso_3166_1_and_kosovo() -> None:
    pycountry = pytest.importorskip("pycountry")
    theirs = {country.alpha_2 for country in pycountry.countries}
    assert of(Kind.COUNTRY) - theirs == {"XK"}
    assert theirs - of(Kind.COUNTRY) == set()


def test_subdivisions_are_those_of_iso_3166_2() -> None:
    pycountry = pytest.importorskip("pycountry")
    assert {sub.code for sub in pycountry.subdivisions} == of(Kind.SUBDIVISION)


def test_parents_differ_from_iso_3166_2_only_where_a_territory_has_a_country_code_or_the_list_says_so() -> None:
    pycountry = pytest.importorskip("pycountry")
    on = date(2026, 1, 1)
    differ = set()
    for sub in pycountry.subdivisions:
        chain = ATLAS.chain(sub.code, on)
        wanted = sub.parent_code or sub.country_code
        if chain[1] != wanted:
            differ.add(sub.code)
    twins = {c for c in differ if ATLAS.kind(ATLAS.chain(c, on)[1]) is Kind.COUNTRY and ATLAS.chain(c, on)[1] != c[:2]}
    assert len(twins) == 27
    assert differ - twins == KNOWN_PARENT_DIFFERENCES


# Clipperton has no country code and stands alone; the islands of the Caribbean Netherlands lie below their codes in BQ.
KNOWN_PARENT_DIFFERENCES = {"FR-CP", "NL-BQ1", "NL-BQ2", "NL-BQ3"}


def test_every_jurisdiction_has_an_english_name() -> None:
    assert [j for j in ATLAS if not ATLAS.names(j) or not ATLAS.names(j)[0].strip()] == []


def test_every_subdivision_lies_in_a_country_but_clipperton() -> None:
    on = date(2026, 1, 1)
    stray = [j for j in of(Kind.SUBDIVISION) if not any(ATLAS.kind(a) is Kind.COUNTRY for a in ATLAS.chain(j, on))]
    assert stray == ["FR-CP"]


def test_place_names_are_folded_and_mean_known_codes() -> None:
    names = default_place_names()["names"]
    assert len(names) > 50_000
    for name, entry in names.items():
        assert entry[0] in "nNwdDux-", name
        assert entry[0] == "x" or fold_name(name) == name
        assert all(code in ATLAS for code in entry[2:].split()), (name, entry)


@pytest.mark.parametrize("language_name", ["deutschland", "allemagne", "alemania", "germania", "alemanha", "duitsland", "niemcy", "německo",
    "tyskland", "saksa", "γερμανία", "almanya", "германия", "німеччина", "németország", "njemačka", "nemčija", "saksamaa", "vācija", "vokietija",
    "ghearmáin", "ġermanja", "المانيا", "גרמניה", "जर्मनी", "ドイツ", "독일", "德国", "đức", "jerman"])  # fmt: skip
def test_germany_is_known_in_every_language(language_name: str) -> None:
    assert default_place_names()["names"][fold_name(language_name)].split()[1:] == ["DE"]


def test_names_of_places_weigh_little() -> None:
    assert (ROOT / "rag_edit/core/data/place_names.json.gz").stat().st_size < 2_500_000


def test_importing_the_atlas_loads_no_names_and_no_heavy_package() -> None:
    code = "import sys, rag_edit.core.atlas as a; a.default_atlas(); print(a.default_place_names.cache_info().currsize, *sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert out[0] == "0"
    assert not {"torch", "numpy", "duckdb", "faiss", "ahocorasick"} & set(out)


def test_the_data_are_what_the_script_builds(tmp_path: Path) -> None:
    """Runs where CLDR_COMMON names the folder ``common`` of the npm package cldr 8.0.0."""
    common = os.environ.get("CLDR_COMMON")
    if not common:
        pytest.skip("CLDR_COMMON is not set: the folder common of the npm package cldr 8.0.0")
    built = subprocess.run(
        [sys.executable, str(ROOT / "scripts/build_atlas.py"), common, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    for name in ("jurisdictions.json", "place_names.json.gz"):
        assert (tmp_path / name).read_bytes() == (ROOT / "rag_edit/core/data" / name).read_bytes()
