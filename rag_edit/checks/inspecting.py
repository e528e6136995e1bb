"""Who reads texts for `rag_edit.verify.inspect`, and which records speak of the same: the parts that answer and store, as it wants them."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from rag_edit.answer import normalise
from rag_edit.core.jurisdiction import Atlas
from rag_edit.core.record import Record, RecordVersion
from rag_edit.records.conflicts import Rivals, Statement
from rag_edit.scope.dates import read_dates
from rag_edit.scope.policies import ReadPlaces
from rag_edit.scope.radius import day_of
from rag_edit.scope.record_reading import read_record
from rag_edit.verify.inspect import Dated, Readers, Rival
from rag_edit.verify.measures import Quantity


def readers_of(atlas: Atlas, read_places: ReadPlaces, today: date) -> Readers:
    """Return the readers of texts, over the atlas as of a day."""

    def places(text: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(m.text, tuple(map(str, m.jurisdictions))) for m in read_places(text) if m.certain and m.jurisdictions]

    def contradicts(record: Record) -> str:
        day = day_of(record, today)
        return read_record(record, read_places, lambda j, place: atlas.covers(j, place, day)).contradiction

    return Readers(
        quantities=quantities,
        dates=dated,
        places=places,
        contradicts=contradicts,
        covers=lambda j, place: atlas.covers(j, place, today),
        is_code=lambda text: text != "GLOBAL" and text in atlas,
    )


@lru_cache(maxsize=20_000)
def quantities(text: str, language: str) -> tuple[Quantity, ...]:
    """Return the numbers, dates and times of a text."""
    return tuple(Quantity(v.kind, v.unit, v.readings) for v in normalise.values(normalise.plain(text), language))


def dated(text: str) -> list[Dated]:
    """Return the dates of a text that name a year."""
    found = [(m, m.days()) for m in read_dates(text)]
    return [Dated(text[max(0, m.start - 40) : m.start], *days) for m, days in found if days is not None]


class Rivalries:
    """Records that speak of the same, found among the live ones and those that a change states."""

    def __init__(self, tested: Sequence[RecordVersion], others: Iterable[RecordVersion]) -> None:
        """Take those under test, and of all others that are or will be live the ones that stand where these do."""
        self._rivals, self._by_id = Rivals(), dict[str, RecordVersion]()
        places = {version.record.jurisdiction for version in tested}
        for version in (*tested, *(each for each in others if each.record.jurisdiction in places)):
            self._by_id[version.record.id] = version
            self._rivals.add(Statement(version.record, version.name))

    def of(self, version: RecordVersion) -> list[Rival]:
        """Return the rivals of one of them."""
        found = self._rivals.of(Statement(version.record, version.name))
        return [Rival(self._by_id[r.found.record.id], r.about, r.same_answer) for r in found]


def different(rivals: Sequence[Rival]) -> list[Rival]:
    """Return the rivals, each once."""
    return list({rival.other.record.id: rival for rival in rivals}.values())
