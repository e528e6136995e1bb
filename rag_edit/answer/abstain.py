"""The answer where records contradict one another: say so and cite each, decide nothing."""

from collections.abc import Sequence

from rag_edit.answer.base import Item
from rag_edit.answer.render_texts import say
from rag_edit.core.decision import Answer, Decision, Query
from rag_edit.core.form import ReadForm
from rag_edit.core.record import RecordVersion


class Abstain:
    """Cites the records that conflict, in the language of the question."""

    def __init__(self, read: ReadForm) -> None:
        self.read = read

    def answer(self, query: Query, decision: Decision) -> Answer:
        """Return one paragraph: that records conflict, then a line a record with its source and who stated it."""
        language = self.read(query.question, None).language or _language(decision)
        lines = [say("conflict", language), *(f"- {_cite(version, language)}" for version in decision.contenders)]
        return Answer("\n".join(lines), "abstain", note=", ".join(version.name for version in decision.contenders))

    def answer_many(self, items: Sequence[Item]) -> list[Answer]:
        """Return one answer an item."""
        return [self.answer(query, decision) for query, decision in items]


def _language(decision: Decision) -> str:
    return decision.contenders[0].record.language if decision.contenders else ""


def _cite(version: RecordVersion, language: str) -> str:
    record = version.record
    parts = [say("record", language, id=f"{version.name} ({record.jurisdiction})", answer=record.answer.rstrip("."))]
    by = ", ".join(dict.fromkeys(name for name in (record.author, record.institution) if name))
    if by:
        parts.append(say("by", language, by=by))
    sentence = "; ".join(parts) + "."
    return f"{sentence} {say('source', language, source=str(record.source))}" if record.source else sentence
