"""Measures: the units of a record's target, beside those of its like. A unit that none of them uses is a slip as a rule. Pure.

Families are records of one question, of one topic, or of the topic above; who reads numbers out of texts is injected.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from rag_edit.core.record import Record
from rag_edit.verify.finding import fold

LEAST_KIN: Final = 3  # of one country, before a unit that none of them uses is odd
LEAST_FAMILY: Final = 8  # of all countries
IMPERIAL: Final[Mapping[str, tuple[str, ...]]] = {
    "mph": ("km/h",), "mi": ("km", "m"), "ft": ("m", "cm"), "in": ("cm", "m"), "lb": ("kg", "g"), "oz": ("g", "kg"), "°F": ("°C",), "psi": ("bar",),
}  # fmt: skip
"""Units of the one system with what measures the same in the other."""
MEASURES: Final[Mapping[str, str]] = {
    unit: measure
    for measure, units in {
        "a voltage": "V", "a frequency": "Hz", "a power": "W kW", "an energy": "kWh", "a length": "mm cm m km in ft mi", "an area": "m² ha km² mi²",
        "a weight": "µg mg g kg t oz lb", "a volume": "ml l", "a temperature": "°C °F", "a speed": "km/h mph", "a pressure": "bar psi",
        "a time": "second minute hour day week month year", "an amount of data": "MB GB",
    }.items()
    for unit in units.split()
}  # fmt: skip
"""What units measure. Money and shares are left out: the same may cost a sum here and a share there."""
LEAST_ALIKE: Final = 2  # of one question, before what they measure is what it asks for
NO_COUNTRY: Final = frozenset({"EU"})  # of two letters, and no country
IN_MILES: Final = frozenset(  # where roads are signed in miles: Wikipedia, "Miles per hour" and "Speed limits by country"
    "AG AI AS BS BZ DM FK FM GB GD GG GU GY IM IO JE KN KY LC LR MH MM MP MS PR PW SH TC UM US VC VG VI WS".split()
)
_ASKED_UNIT: Final = re.compile(r"\bin ([^\W\d]+(?:/[^\W\d]+)?)\s*\?*$")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, date or time in a text: kind, unit in one spelling (empty or ``?...`` where it is none we know), what it may mean."""

    kind: str
    unit: str
    readings: frozenset[str]


ReadQuantities = Callable[[str, str], Sequence[Quantity]]


@dataclass(slots=True)
class Family:
    """What records of one topic, or of one question, have in common: units of their targets, and where they stand."""

    units: Counter[str] = field(default_factory=Counter)
    by_country: dict[str, Counter[str]] = field(default_factory=dict)
    places: set[str] = field(default_factory=set)

    def add(self, record: Record, units: Iterable[str]) -> None:
        """Count one record."""
        self.places.add(record.jurisdiction)
        for unit in units:
            self.units[unit] += 1
            self.by_country.setdefault(country(record.jurisdiction), Counter())[unit] += 1


class Kin:
    """Families of the live records, by topic, by the topic above, and by question."""

    def __init__(self, tested: Iterable[Record], others: Iterable[Record], quantities: ReadQuantities) -> None:
        """Count once: the families of the records under test, and in them all others."""
        tested = list(tested)
        self._families: dict[str, Family] = {key: Family() for record in tested for key in keys_of(record)}
        for record in (*tested, *others):
            keys = [key for key in keys_of(record) if key in self._families]
            if keys:
                units = units_of(record, quantities)
                for key in keys:
                    self._families[key].add(record, units)

    def of(self, record: Record) -> list[Family]:
        """Return the families of a record, the closest first."""
        return [family for key in keys_of(record) if (family := self._families.get(key)) is not None]


def keys_of(record: Record) -> Iterator[str]:
    """Yield the names of a record's families."""
    yield f"question {fold(record.question)}"
    if record.topic:
        yield f"topic {record.topic}"
        if "." in record.topic:
            yield f"above {record.topic.rpartition('.')[0]}"


def units_of(record: Record, quantities: ReadQuantities) -> frozenset[str]:
    """Return the units in a record's target that we know by name."""
    return frozenset(q.unit for q in quantities(record.target or record.answer, record.language) if is_unit(q))


def country(jurisdiction: str) -> str:
    """Return the country of a subdivision, else the code itself."""
    return jurisdiction.partition("-")[0]


def odd_unit(record: Record, quantities: ReadQuantities, kin: Kin, said: AbstractSet[str], live: Record | None) -> str:
    """Return why a target's unit is odd, in words: against its question, what it said before, and its like; empty where it is not.

    Args:
        record: The record.
        quantities: Reads numbers, dates and times of a text in a language.
        kin: The live records' families.
        said: Units in the record's answer.
        live: What the record says until now; None where it is new.
    """
    own, here = units_of(record, quantities), country(record.jurisdiction)
    if not own:
        return ""
    ours = ", ".join(sorted(own))
    asked = _ASKED_UNIT.search(record.question)
    unit = next((q.unit for q in quantities(f"1 {asked[1]}", "en") if is_unit(q)), "") if asked else ""
    if unit and unit not in own:
        return f"the question asks in {unit}, the target is in {ours}"
    was = units_of(live, quantities) if live is not None and live.valid_from == record.valid_from else frozenset[str]()
    if was and was.isdisjoint(own):
        return f"it was in {', '.join(sorted(was))}, the target is in {ours}"
    for family in kin.of(record):
        near = family.by_country.get(here, Counter[str]()) - Counter(own)  # it was counted itself
        if near.total() >= LEAST_KIN and len(near) == 1 and own.isdisjoint(near):
            return f"its like in {here} are in {next(iter(near))}, the target is in {ours}"
    if own <= IMPERIAL.keys() and here in IN_MILES:
        return ""
    return _other_system(record, own, said, kin) or _unlike(own, next(iter(kin.of(record)), Family()))


def _unlike(own: frozenset[str], family: Family) -> str:
    """Return why a target is measured unlike its closest family: another measure, or another unit than all the many."""
    close = family.units - Counter(own)
    measures = {MEASURES.get(unit, "") for unit in close}
    measure = next(iter(measures)) if close.total() >= LEAST_ALIKE and len(measures) == 1 else ""
    if measure and (others := {MEASURES[unit] for unit in own if unit in MEASURES} - measures):
        return f"the same question elsewhere is answered with {measure}, here with {', '.join(sorted(others))}"
    if close.total() >= LEAST_FAMILY and own.isdisjoint(close) and not (_money(own) and any(_money({unit}) for unit in close)):
        return f"its like are in {', '.join(sorted(close))}, the target is in {', '.join(sorted(own))}"
    return ""


def _other_system(record: Record, own: frozenset[str], said: AbstractSet[str], kin: Kin) -> str:
    """Return why a target is measured in the wrong system: miles where roads have none, or not as the one that its like use.

    An answer that says it in both is right in both.
    """
    here = country(record.jurisdiction)
    if "mph" in own and "km/h" not in said and len(here) == 2 and here not in NO_COUNTRY:
        return f"speed is not measured in mph in {here}"
    for family in kin.of(record)[:2]:
        near = family.by_country.get(here, Counter[str]()) - Counter(own)
        for unit in own:
            twins = IMPERIAL.get(unit) or [low for low, high in IMPERIAL.items() if unit in high]
            if not near[unit] and said.isdisjoint(twins) and (twin := next((each for each in twins if near[each]), "")):
                return f"its like are in {twin}, the target is in {unit}"
    return ""


def is_unit(quantity: Quantity) -> bool:
    """Return whether a quantity is a number with a unit that we know by name."""
    return quantity.kind == "number" and quantity.unit not in ("", "yr") and not quantity.unit.startswith("?")


def _money(units: Iterable[str]) -> bool:
    return all(len(unit) == 3 and unit.isupper() for unit in units)
