"""Jurisdictions: parsing refuses what is not a code, chains run from specific to general, the order is a partial order."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.core.atlas import default_atlas
from rag_edit.core.errors import RagEditError
from rag_edit.core.jurisdiction import GLOBAL, Atlas, Jurisdiction, Kind, UnknownJurisdictionError

ATLAS = default_atlas()
TODAY = date(2026, 11, 22)
codes = st.sampled_from(sorted(ATLAS))
busy = st.sampled_from(
    [j for j in sorted(ATLAS) if ATLAS.kind(j) is not Kind.SUBDIVISION]
    + ["DE-BY", "ES-M", "ES-MD", "GB-GLG", "GB-SCT", "FR-971"]
)
days = st.dates(date(1950, 1, 1), date(2035, 1, 1))


def small(edges: list[dict[str, str]]) -> Atlas:
    blocs = [{"code": "IN1", "names": ["Inner"]}, {"code": "OUT", "names": ["Outer"]}]
    places = {"countries": {"AA": ["A"], "BB": ["B"]}, "subdivisions": {"AA-1": ["AA", "A one"]}, "former": {"ZZ": ["AA"]}}
    return Atlas(places, {"blocs": blocs, "edges": [{"source": "s", **edge} for edge in edges]})


@pytest.mark.parametrize("code", ["GLOBAL", "EU", "EUROZONE", "DE", "XK", "DE-BY", "FR-971", "GB-GLG", "ES-M"])
def test_a_code_of_the_atlas_is_parsed_to_itself(code: str) -> None:
    assert ATLAS.parse(code) == code
    assert isinstance(ATLAS.parse(code), Jurisdiction)


@pytest.mark.parametrize(
    ("text", "why", "suggestions"),
    [
        pytest.param("de", "capitals", ("DE",), id="lower case"),
        pytest.param("DE\n", "line break", ("DE",), id="a trailing line break"),
        pytest.param(" DE", "space", ("DE",), id="a leading space"),
        pytest.param("ＤＥ", "fullwidth", ("DE",), id="full-width letters"),
        pytest.param("DЕ", "cyrillic capital letter ie", ("DE",), id="a Cyrillic look-alike"),
        pytest.param("ΕS", "greek", ("ES",), id="a Greek look-alike"),
        pytest.param("D\u200bE", "invisible", ("DE",), id="a zero-width space"),
        pytest.param("UK", "the code is GB", ("GB",), id="UK for GB"),
        pytest.param("EL", "the code is GR", ("GR",), id="EL for GR"),
        pytest.param("DEU", "the place has DE", ("DE",), id="an alpha-3 code"),
        pytest.param("CS", "the place has RS, ME", ("RS", "ME"), id="a former country code"),
        pytest.param("FR-75", "the place has FR-75C", ("FR-75C",), id="a former subdivision code"),
        pytest.param("CN-11", "the place has CN-BJ", ("CN-BJ",), id="a former numeric subdivision code"),
        pytest.param("Germany", "name", ("DE",), id="a name"),
        pytest.param("bavaria", "capitals", ("DE-BY",), id="a name in lower case"),
        pytest.param("DE_BY", "hyphen", ("DE-BY",), id="an underscore"),
        pytest.param("EURZONE", "no jurisdiction", ("EUROZONE",), id="a misspelt bloc"),
        pytest.param("DE-XX", "no jurisdiction", ("DE",), id="an unknown subdivision of a known country"),
        pytest.param("QQ", "no jurisdiction", (), id="an unassigned code"),
        pytest.param("", "empty", (), id="nothing"),
        pytest.param("🇩🇪", "not an ASCII letter", (), id="a flag"),
        pytest.param("X" * 10_000, "no jurisdiction", (), id="a very long text"),
    ],
)
def test_what_is_not_a_code_is_refused_with_the_reason_and_a_suggestion(
    text: str, why: str, suggestions: tuple[str, ...]
) -> None:
    with pytest.raises(UnknownJurisdictionError) as caught:
        ATLAS.parse(text)
    assert why in caught.value.message
    assert caught.value.suggestions == suggestions
    assert isinstance(caught.value, RagEditError)
    assert str(caught.value).isascii()


@given(st.text(max_size=30))
def test_a_text_is_either_a_code_byte_for_byte_or_refused(text: str) -> None:
    if text in ATLAS:
        assert ATLAS.parse(text) == text
    else:
        with pytest.raises(UnknownJurisdictionError):
            ATLAS.parse(text)


@pytest.mark.parametrize(
    ("code", "chain"),
    [
        ("GLOBAL", "GLOBAL"),
        ("DE-BY", "DE-BY DE EUROZONE EU SCHENGEN EEA COE NATO GLOBAL"),
        ("ES-M", "ES-M ES-MD ES EUROZONE EU SCHENGEN EEA COE NATO GLOBAL"),
        ("FR-75C", "FR-75C FR-IDF FR EUROZONE EU SCHENGEN EEA COE NATO GLOBAL"),
        ("GB-GLG", "GB-GLG GB-SCT GB COE NATO GLOBAL"),
        ("NL", "NL BENELUX EUROZONE EU SCHENGEN EEA COE NATO GLOBAL"),
        ("NO", "NO SCHENGEN EEA EFTA COE NATO GLOBAL"),
        ("CH-ZH", "CH-ZH CH SCHENGEN EFTA COE GLOBAL"),
        ("US-CA", "US-CA US NATO USMCA GLOBAL"),
        ("US-PR", "US-PR PR US NATO USMCA GLOBAL"),
        ("AX", "AX FI EUROZONE EU SCHENGEN EEA COE NATO GLOBAL"),
        ("GP", "GP EUROZONE EU EEA GLOBAL"),
        ("FR-971", "FR-971 GP EUROZONE EU EEA GLOBAL"),
        ("GL", "GL GLOBAL"),
        ("CN-HK", "CN-HK HK GLOBAL"),
        ("JP-13", "JP-13 JP GLOBAL"),
        ("EUROZONE", "EUROZONE EU EEA GLOBAL"),
        ("EU", "EU EEA GLOBAL"),
    ],
)
def test_a_chain_runs_from_specific_to_general_in_the_documented_order(code: str, chain: str) -> None:
    assert " ".join(ATLAS.chain(code, TODAY)) == chain


def test_parents_are_the_nearest_and_none_of_them_lies_in_another() -> None:
    assert ATLAS.parents("DE", TODAY) == ("EUROZONE", "SCHENGEN", "COE", "NATO")
    assert ATLAS.parents("DE-BY", TODAY) == ("DE",)
    assert ATLAS.parents("JP", TODAY) == (GLOBAL,)
    assert ATLAS.parents("GLOBAL", TODAY) == ()


def test_blocs_that_do_not_nest_are_incomparable() -> None:
    assert not ATLAS.more_specific("EU", "SCHENGEN", TODAY)
    assert not ATLAS.more_specific("SCHENGEN", "EU", TODAY)
    assert not ATLAS.more_specific("EFTA", "SCHENGEN", TODAY)
    assert ATLAS.more_specific("EUROZONE", "EU", TODAY)


def test_a_bloc_lies_in_another_only_while_its_members_do() -> None:
    assert ATLAS.covers("EEA", "EU", date(2013, 6, 30))
    assert not ATLAS.covers("EEA", "EU", date(2013, 7, 1))
    assert ATLAS.covers("EEA", "EU", date(2014, 4, 12))


def test_unknown_codes_are_refused_by_every_question() -> None:
    for ask in (
        lambda: ATLAS.chain("uk", TODAY),
        lambda: ATLAS.covers("EU", "QQ", TODAY),
        lambda: ATLAS.more_specific("QQ", "EU", TODAY),
        lambda: ATLAS.members("QQ", TODAY),
        lambda: ATLAS.kind("QQ"),
        lambda: ATLAS.names("QQ"),
    ):
        with pytest.raises(UnknownJurisdictionError):
            ask()


@given(codes, days)
def test_a_chain_starts_with_its_own_and_ends_with_global_without_repeats(j: str, on: date) -> None:
    chain = ATLAS.chain(j, on)
    assert chain[0] == j
    assert chain[-1] == GLOBAL
    assert len(set(chain)) == len(chain)


@given(codes, days)
def test_a_day_between_two_breaks_gives_the_same_chain_as_a_fresh_atlas(j: str, on: date) -> None:
    assert ATLAS.chain(j, on) == ATLAS._order(ATLAS.parse(j), on)


@given(busy, busy, busy, days)
def test_covers_is_reflexive_and_transitive(a: str, b: str, c: str, on: date) -> None:
    assert ATLAS.covers(a, a, on)
    if ATLAS.covers(a, b, on) and ATLAS.covers(b, c, on):
        assert ATLAS.covers(a, c, on)


def test_covers_is_transitive_for_every_jurisdiction_at_every_break() -> None:
    above_subdivisions = [j for j in ATLAS if ATLAS.kind(j) is not Kind.SUBDIVISION or j.startswith("DE-")]
    for on in [date(1950, 1, 1), *ATLAS._breaks]:
        for j in ATLAS if on == ATLAS._breaks[-1] else above_subdivisions:
            chain = ATLAS.chain(j, on)
            for above in chain:
                assert set(ATLAS.chain(above, on)) <= set(chain), (j, above, on)


@given(codes, days)
def test_more_specific_is_a_strict_partial_order_that_the_chain_follows(j: str, on: date) -> None:
    chain = ATLAS.chain(j, on)
    for at, a in enumerate(chain):
        assert not ATLAS.more_specific(a, a, on)
        for b in chain[at + 1 :]:
            assert not ATLAS.more_specific(b, a, on)


@given(codes, days)
def test_the_nearest_parents_give_back_the_chain(j: str, on: date) -> None:
    reached: set[str] = {j}
    for parent in ATLAS.parents(j, on):
        reached |= set(ATLAS.chain(parent, on))
    assert reached == set(ATLAS.chain(j, on))


def test_an_edge_holds_on_its_first_day_and_no_longer_on_its_end() -> None:
    atlas = small([{"child": "AA", "parent": "OUT", "start": "2000-01-01", "end": "2001-01-01"}])
    for offset, member in ((-1, False), (0, True), (365, True), (366, False)):
        assert ("OUT" in atlas.chain("AA-1", date(2000, 1, 1) + timedelta(days=offset))) is member


@pytest.mark.parametrize(
    ("edges", "fault"),
    [
        ([{"child": "AA", "parent": "QQ", "start": "2000-01-01"}], "wanted known codes"),
        ([{"child": "AA", "parent": "OUT", "start": "2001-01-01", "end": "2000-01-01"}], "start before end"),
        ([{"child": "AA", "parent": "OUT", "start": "2000-01-01", "source": ""}], "a source"),
        ([{"child": "AA", "parent": "OUT", "start": "2000-02-30"}], "day is out of range"),
        (
            [
                {"child": "AA", "parent": "OUT", "start": "2000-01-01"},
                {"child": "AA", "parent": "OUT", "start": "2005-01-01"},
            ],
            "hold on one day",
        ),
        (
            [
                {"child": "AA-1", "parent": "AA", "start": "2000-01-01"},
                {"child": "AA-1", "parent": "BB", "start": "2005-01-01"},
            ],
            "hold on one day",
        ),
        (
            [
                {"child": "AA", "parent": "IN1", "start": "2000-01-01"},
                {"child": "IN1", "parent": "OUT", "start": "2000-01-01"},
            ],
            "do not",
        ),
        ([{"child": "OUT", "parent": "IN1", "start": "2000-01-01"}], "must be listed before"),
    ],
)
def test_contradictory_data_are_refused_when_the_atlas_is_built(edges: list[dict[str, str]], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        small(edges)


def test_a_code_defined_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Atlas(
            {"countries": {"AA": ["A"]}, "subdivisions": {"AA": ["AA", "A"]}, "former": {}},
            {"blocs": [], "edges": []},
        )


def test_a_place_may_change_what_it_lies_in() -> None:
    atlas = small(
        [
            {"child": "AA-1", "parent": "AA", "start": "2000-01-01", "end": "2005-01-01"},
            {"child": "AA-1", "parent": "BB", "start": "2005-01-01"},
        ]
    )
    assert atlas.chain("AA-1", date(1999, 1, 1)) == ("AA-1", GLOBAL)
    assert atlas.chain("AA-1", date(2004, 12, 31)) == ("AA-1", "AA", GLOBAL)
    assert atlas.chain("AA-1", date(2005, 1, 1)) == ("AA-1", "BB", GLOBAL)


def test_names_and_kinds_are_given() -> None:
    assert ATLAS.names("DE") == ("Germany",)
    assert ATLAS.names("HK")[0] == "Hong Kong"
    assert [ATLAS.kind(j) for j in ("GLOBAL", "EU", "DE", "DE-BY")] == list(Kind)
