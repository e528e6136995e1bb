"""What is read from a record's own question, for the editor."""

import pytest

from rag_edit.core.record import Record
from rag_edit.scope.record_reading import RecordReading, read_record
from tests.scope.cases import ATLAS, READER, TODAY


def reading(jurisdiction: str, question: str, **fields: str) -> RecordReading:
    record = Record("r", jurisdiction, question, "An answer.", **fields)  # type: ignore[arg-type]
    return read_record(record, READER.read, lambda j, place: ATLAS.covers(j, place, TODAY))


READ = {
    # case: (jurisdiction, question, subject, relation, places)
    "a name": ("GLOBAL", "Who wrote Faust?", "Faust", "Who wrote {}?", []),
    "a name of several words": (
        "FR",
        "When was the University of Paris founded in France?",
        "University of Paris",
        "When was the {} founded?",
        ["FR-75C", "FR"],
    ),
    "a place before the question": ("DE", "In Bavaria, is Epiphany a holiday?", "Epiphany", "is {} a holiday?", ["DE-BY"]),
    "a place alone is taken for the name": (
        "DE",
        "What is the standard VAT rate in Germany?",
        "Germany",
        "What is the standard VAT rate in {}?",
        ["DE"],
    ),
    "nothing": ("DE", "wie hoch ist die mehrwertsteuer?", "", "wie hoch ist die mehrwertsteuer?", []),
}


@pytest.mark.parametrize(("place", "question", "subject", "relation", "codes"), READ.values(), ids=READ.keys())
def test_subject_relation_and_territory_are_read_from_the_question(
    place: str, question: str, subject: str, relation: str, codes: list[str]
) -> None:
    found = reading(place, question)
    assert (found.subject, found.relation, found.is_given) == (subject, relation, False)
    assert question[found.start : found.end] == subject
    assert [code for each in found.places for code in each.codes] == codes


def test_a_subject_that_the_record_states_is_not_guessed() -> None:
    found = reading("DE", "What is the standard VAT rate in Germany?", subject="standard VAT rate")
    assert (found.subject, found.is_given, found.relation) == ("standard VAT rate", True, "What is the {}?")


CONTRADICTIONS = {
    "another country": ("FR", "What is the minimum wage in Germany?", "", "names Germany (DE), which is not in FR"),
    "a wider place": ("DE-BY", "What is the speed limit in Germany?", "", "names Germany (DE), which is wider than DE-BY"),
    "its own country": ("FR", "What is the minimum wage in France?", "", None),
    "a place in it": ("DE", "When is Epiphany in Bavaria?", "", None),
    "a member of the bloc": ("EU", "What is the VAT in Italy?", "", None),
    "no member of the bloc": ("EU", "What is the VAT in Norway?", "", "names Norway (NO), which is not in EU"),
    "a place beside its own": ("FR", "Is VAT in France higher than in Italy?", "", None),
    "a place in the subject's name": ("FR", "Who signed the Treaty of Rome?", "Treaty of Rome", None),
    "records of everywhere": ("GLOBAL", "What is the capital of Germany?", "", None),
}


@pytest.mark.parametrize(("place", "question", "subject", "says"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_territory_that_contradicts_the_jurisdiction_is_said(
    place: str, question: str, subject: str, says: str | None
) -> None:
    found = reading(place, question, subject=subject).contradiction
    assert (says in found) if says else found == ""
