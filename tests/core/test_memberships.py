"""Dated memberships: golden facts that a lawyer can check, and the form of every edge."""

from datetime import date

import pytest

from rag_edit.core.atlas import default_atlas
from rag_edit.core.jurisdiction import Kind

ATLAS = default_atlas()
BLOCS = [j for j in ATLAS if ATLAS.kind(j) is Kind.BLOC]

FACTS = """
DE in EU 1957-12-31: no | the Treaty of Rome is not in force yet
DE in EU 1958-01-01: yes | Germany is a founder of the EEC
GB in EU 1972-12-31: no | the United Kingdom has not joined yet
GB in EU 1973-01-01: yes | the United Kingdom joins
GB in EU 2019-12-31: yes | the United Kingdom is still a member
GB in EU 2020-01-31: yes | the United Kingdom's last day
GB in EU 2020-02-01: no | the United Kingdom has left
GB in EU 2020-07-01: no | the transition period is not membership
GB-SCT in EU 2020-01-31: yes | Scotland's last day
GB-NIR in EU 2021-01-01: no | Northern Ireland is out as well
GB in EEA 2020-01-31: yes | the United Kingdom's last day in the EEA
GB in EEA 2020-02-01: no | the United Kingdom has left the EEA
GB in SCHENGEN 2015-01-01: no | the United Kingdom stays out of Schengen
GB in EUROZONE 2005-01-01: no | the United Kingdom keeps the pound
IE in SCHENGEN 2026-01-01: no | Ireland stays out of Schengen
IE in EUROZONE 1999-01-01: yes | Ireland has the euro from the start
GR in EU 1980-12-31: no | Greece has not joined yet
GR in EU 1981-01-01: yes | Greece joins
ES in EU 1985-12-31: no | Spain has not joined yet
PT in EU 1986-01-01: yes | Portugal joins
AT in EU 1995-01-01: yes | Austria joins
PL in EU 2004-04-30: no | the day before the great enlargement
PL in EU 2004-05-01: yes | the great enlargement
CY in EU 2004-05-01: yes | Cyprus joins
RO in EU 2006-12-31: no | Romania has not joined yet
BG in EU 2007-01-01: yes | Bulgaria joins
HR in EU 2013-06-30: no | Croatia has not joined yet
HR in EU 2013-07-01: yes | Croatia joins
NO in EU 2026-01-01: no | Norway never joined
CH in EU 2026-01-01: no | Switzerland never joined
TR in EU 2026-01-01: no | Turkey is a candidate only
XK in EU 2026-01-01: no | Kosovo uses the euro but is no member
DE in EUROZONE 1998-12-31: no | the euro has not started yet
DE in EUROZONE 1999-01-01: yes | the euro starts
GR in EUROZONE 2000-12-31: no | Greece has the drachma
GR in EUROZONE 2001-01-01: yes | Greece has the euro
SI in EUROZONE 2007-01-01: yes | Slovenia has the euro
SK in EUROZONE 2008-12-31: no | Slovakia has the koruna
SK in EUROZONE 2009-01-01: yes | Slovakia has the euro
EE in EUROZONE 2011-01-01: yes | Estonia has the euro
LV in EUROZONE 2013-12-31: no | Latvia has the lats
LT in EUROZONE 2015-01-01: yes | Lithuania has the euro
HR in EUROZONE 2022-12-31: no | Croatia has the kuna
HR in EUROZONE 2023-01-01: yes | Croatia has the euro
BG in EUROZONE 2025-12-31: no | Bulgaria has the lev
BG in EUROZONE 2026-01-01: yes | Bulgaria has the euro
DK in EUROZONE 2026-01-01: no | Denmark keeps the krone
SE in EUROZONE 2026-01-01: no | Sweden keeps the krona
PL in EUROZONE 2026-01-01: no | Poland keeps the zloty
MC in EUROZONE 2026-01-01: no | Monaco uses the euro by agreement
ME in EUROZONE 2026-01-01: no | Montenegro uses the euro on its own
NO in EEA 1993-12-31: no | the EEA has not started yet
NO in EEA 1994-01-01: yes | Norway is in the EEA
IS in EEA 2026-01-01: yes | Iceland is in the EEA
LI in EEA 1995-04-30: no | Liechtenstein is late
LI in EEA 1995-05-01: yes | Liechtenstein is in the EEA
CH in EEA 2026-01-01: no | Switzerland said no to the EEA
AT in EEA 1994-06-01: yes | Austria was in the EEA before the EU
BG in EEA 2007-07-31: no | in the EU, not yet in the EEA
BG in EEA 2007-08-01: yes | provisional application begins
HR in EEA 2014-04-11: no | in the EU, not yet in the EEA
HR in EEA 2014-04-12: yes | provisional application begins
CH in EFTA 1960-05-03: yes | Switzerland is a founder of EFTA
GB in EFTA 1972-12-31: yes | the United Kingdom's last day in EFTA
GB in EFTA 1973-01-01: no | from EFTA to the EC
PT in EFTA 1986-01-01: no | from EFTA to the EC
FI in EFTA 1961-06-26: yes | Finland is an associate
FI in EFTA 1995-01-01: no | from EFTA to the EU
IS in EFTA 1970-02-28: no | Iceland has not joined yet
IS in EFTA 1970-03-01: yes | Iceland joins
LI in EFTA 1991-09-01: yes | Liechtenstein joins
DE in SCHENGEN 1995-03-25: no | the day before the checks fell
DE in SCHENGEN 1995-03-26: yes | the checks fall
IT in SCHENGEN 1997-10-26: yes | Italy follows
GR in SCHENGEN 1999-12-31: no | Greece checks still
NO in SCHENGEN 2001-03-25: yes | the Nordic passport union joins
PL in SCHENGEN 2007-12-20: no | the day before
PL in SCHENGEN 2007-12-21: yes | nine states join
CH in SCHENGEN 2008-12-11: no | the day before
CH in SCHENGEN 2008-12-12: yes | Switzerland joins
LI in SCHENGEN 2011-12-18: no | the day before
LI in SCHENGEN 2011-12-19: yes | Liechtenstein joins
HR in SCHENGEN 2022-12-31: no | the day before
HR in SCHENGEN 2023-01-01: yes | Croatia joins
BG in SCHENGEN 2024-03-30: no | the day before
RO in SCHENGEN 2024-03-31: yes | air and sea borders first
CY in SCHENGEN 2026-01-01: no | Cyprus is still outside
GL in EU 1984-06-01: yes | Greenland came in with Denmark
GL in EU 1985-01-31: yes | Greenland's last day
GL in EU 1985-02-01: no | Greenland has left
GL in EU 2026-01-01: no | Greenland is an overseas territory
FO in EU 1973-01-01: no | the Faroe Islands never joined
DK in EU 1985-02-01: yes | Denmark stays when Greenland leaves
JE in EU 2000-01-01: no | Jersey was never in
GG in EU 2000-01-01: no | Guernsey was never in
IM in EU 2000-01-01: no | the Isle of Man was never in
GI in EU 2020-01-31: yes | Gibraltar's last day
GI in EU 2020-02-01: no | Gibraltar has left
GP in EU 2026-01-01: yes | Guadeloupe is an outermost region
FR-974 in EU 2026-01-01: yes | La Reunion by its ISO 3166-2 code
YT in EU 2013-12-31: no | Mayotte was an overseas territory
YT in EU 2014-01-01: yes | Mayotte is an outermost region
BL in EU 2011-12-31: yes | Saint Barthelemy's last day
BL in EU 2012-01-01: no | Saint Barthelemy is an overseas territory
MF in EU 2012-01-01: yes | Saint Martin stays
NC in EU 2026-01-01: no | New Caledonia was never in
PF in EUROZONE 2026-01-01: no | French Polynesia has the CFP franc
GP in SCHENGEN 2026-01-01: no | the overseas departments are outside Schengen
SJ in EEA 2026-01-01: no | Svalbard is outside the EEA
SJ in SCHENGEN 2026-01-01: no | Svalbard is outside Schengen
AX in EU 2026-01-01: yes | Aland is in the EU
AW in EU 2026-01-01: no | Aruba is an overseas territory
ES-CN in EU 2026-01-01: yes | the Canary Islands are in the EU
PT-20 in EU 1986-01-01: yes | the Azores are in the EU
DE-SN in EU 1990-10-02: no | the last day before reunification
DE-SN in EU 1990-10-03: yes | reunification
DE-SN in DE 1990-10-02: no | the last day before reunification
DE-SL in EU 1958-01-01: yes | Saarland was German by then
FI in NATO 2023-04-03: no | the day before
FI in NATO 2023-04-04: yes | Finland joins NATO
SE in NATO 2024-03-07: yes | Sweden joins NATO
RU in COE 2022-03-15: yes | Russia's last day in the Council of Europe
RU in COE 2022-03-16: no | Russia is expelled
TL in ASEAN 2025-10-25: no | the day before
TL in ASEAN 2025-10-26: yes | Timor-Leste joins ASEAN
MX in NAFTA 2020-06-30: yes | NAFTA's last day
MX in USMCA 2020-07-01: yes | USMCA's first day
MX in NAFTA 2020-07-01: no | NAFTA is over
NL in BENELUX 1960-11-01: yes | Benelux begins
"""


def table() -> list[object]:
    rows = []
    for line in FACTS.strip().splitlines():
        fact, _, why = line.partition(" | ")
        claim, _, answer = fact.partition(": ")
        place, _, bloc, day = claim.split(" ")
        rows.append(pytest.param(place, bloc, date.fromisoformat(day), answer == "yes", id=f"{why} ({claim})"))
    return rows


@pytest.mark.parametrize(("place", "bloc", "day", "inside"), table())
def test_membership(place: str, bloc: str, day: date, inside: bool) -> None:
    assert ATLAS.covers(bloc, place, day) is inside


@pytest.mark.parametrize(
    ("bloc", "day", "count"),
    [
        ("EU", "1958-01-01", 6), ("EU", "1973-01-01", 9), ("EU", "1981-01-01", 10), ("EU", "1986-01-01", 12), ("EU", "1995-01-01", 15),
        ("EU", "2004-05-01", 25), ("EU", "2007-01-01", 27), ("EU", "2013-07-01", 28), ("EU", "2020-02-01", 27),
        ("EUROZONE", "1999-01-01", 11), ("EUROZONE", "2015-01-01", 19), ("EUROZONE", "2023-01-01", 20), ("EUROZONE", "2026-01-01", 21),
        ("EEA", "1994-01-01", 17), ("EEA", "2026-01-01", 30), ("EFTA", "1960-05-03", 7), ("EFTA", "2026-01-01", 4),
        ("SCHENGEN", "1995-03-26", 7), ("SCHENGEN", "2026-01-01", 29), ("COE", "2026-01-01", 46), ("NATO", "2026-01-01", 32),
        ("ASEAN", "2026-01-01", 11), ("GCC", "2026-01-01", 6), ("EAEU", "2026-01-01", 5), ("BENELUX", "2026-01-01", 3),
    ],
)  # fmt: skip
def test_the_number_of_member_states_is_the_official_one(bloc: str, day: str, count: int) -> None:
    territories = {"BL", "GF", "GI", "GL", "GP", "MF", "MQ", "RE", "YT"}
    assert len(set(ATLAS.members(bloc, date.fromisoformat(day))) - territories) == count


@pytest.mark.parametrize("bloc", BLOCS)
def test_every_bloc_had_members_and_they_are_sorted(bloc: str) -> None:
    days = sorted({e.start for e in ATLAS.edges if e.parent == bloc and e.start})
    assert days
    for day in days:
        members = ATLAS.members(bloc, day)
        assert members
        assert list(members) == sorted(members)


def test_every_dated_edge_has_a_source_a_start_and_half_open_days() -> None:
    dated = [e for e in ATLAS.edges if e.source]
    assert len(dated) > 250
    for edge in dated:
        assert len(edge.source) > 15, edge
        assert edge.start is not None, edge
        assert edge.end is None or edge.start < edge.end, edge
        assert edge.start < date(2027, 1, 1), edge


def test_every_edge_into_a_bloc_is_dated() -> None:
    assert all(e.source for e in ATLAS.edges if ATLAS.kind(e.parent) is Kind.BLOC)


def test_eurozone_members_are_eu_members_on_every_day_on_which_something_changed() -> None:
    for edge in ATLAS.edges:
        for day in (edge.start, edge.end):
            if day is not None and day >= date(1999, 1, 1):
                assert set(ATLAS.members("EUROZONE", day)) <= set(ATLAS.members("EU", day))
