"""Builders that the scope tests share: records, readings, candidates."""

from datetime import UTC, date, datetime
from typing import Any

from rag_edit.core.atlas import default_atlas
from rag_edit.core.decision import Candidate, Message, Query
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.scope.places import default_reader
from rag_edit.scope.reading import Reading, read

TODAY = date(2026, 11, 22)
ATLAS = default_atlas()
READER = default_reader()


def reading(question: str, jurisdiction: str = "DE", as_of: date = TODAY, turns: tuple[str, ...] = ()) -> Reading:
    """Read a question; ``turns`` are the user's earlier turns, each answered by an assistant."""
    messages = tuple(m for turn in turns for m in (Message("user", turn), Message("assistant", "Noted.")))
    return read(Query(question, jurisdiction, as_of, messages), READER.read)


def candidate(jurisdiction: str = "DE", question: str = "What is the standard VAT rate?", **fields: Any) -> Candidate:
    """Make a candidate with a record of the given fields."""
    similarity = fields.pop("similarity", 0.9)
    record = Record(**{"id": "r", "jurisdiction": jurisdiction, "question": question, "answer": "19 %", **fields})
    version = RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))
    return Candidate(version, jurisdiction, similarity)
