"""The scorer that is asked about bare questions, round a fake."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from rag_edit.core.decision import Candidate, Query, ScopeScore
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.scope.form_scorer import FormScorer
from rag_edit.scope.reading import read
from rag_edit.scope.scorer import ScopeItem

BARE = "What is the capital of France?"


@dataclass
class Table:
    """Scores by the text that is asked."""

    scores: dict[str, float]
    asked: list[str] = field(default_factory=list)
    similarities: list[float] = field(default_factory=list)
    kind: str = "table"
    digest: str = "sha256:table"

    def score(self, items: Sequence[ScopeItem]) -> list[tuple[ScopeScore, ...]]:
        self.asked += [item.reading.text for item in items]
        self.similarities += [c.similarity for item in items for c in item.candidates]
        return [tuple(ScopeScore(self.scores.get(item.reading.text, 0.1)) for _ in item.candidates) for item in items]


def item(question: str, target: str = "Paris") -> ScopeItem:
    record = Record("r-1", "GLOBAL", BARE, target, subject="France", target=target)
    version = RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))
    return ScopeItem(
        read(Query(question, "GLOBAL", date(2026, 1, 1)), lambda _: ()), (Candidate(version, "GLOBAL", 0.3, BARE),)
    )


def scored(table: Table, *items: ScopeItem) -> list[float]:
    wrapped = FormScorer(table, lambda pairs: [0.8] * len(pairs), lambda _: ())
    return [found[0].probability for found in wrapped.score(items)]


def test_a_yes_no_question_counts_as_its_bare_question_where_that_is_nearly_sure() -> None:
    table = Table({BARE: 0.97})
    assert scored(table, item("Is Lyon the capital of France?")) == [0.97]
    assert table.asked == ["Is Lyon the capital of France?", BARE]
    assert table.similarities == [0.3, 0.8]


def test_a_bare_question_that_is_only_likely_changes_nothing() -> None:
    assert scored(Table({BARE: 0.8}), item("Is Lyon the capital of France?")) == [0.1]


def test_the_likelier_of_the_two_counts() -> None:
    question = "Is Lyon the capital of France?"
    assert scored(Table({BARE: 0.92, question: 0.99}), item(question)) == [0.99]


def test_an_open_question_is_asked_once() -> None:
    table = Table({})
    scored(table, item(BARE))
    assert table.asked == [BARE]


def test_a_true_and_a_false_proposal_get_the_same_score_whatever_the_record_says() -> None:
    asked = [item(f"Is {city} the capital of France?", target) for city in ("Lyon", "Paris") for target in ("Paris", "Nice")]
    assert len(set(scored(Table({BARE: 0.97}), *asked))) == 1


def test_a_batch_gives_what_its_items_give_alone() -> None:
    items = [item("Is Lyon the capital of France?"), item(BARE), item("Is France a republic?")]
    table = Table({BARE: 0.97})
    assert scored(table, *items) == [scored(table, each)[0] for each in items]
