"""The trained scorer behind the seam: on the shipped last stage and a fake joint head."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from rag_edit.core.decision import Candidate
from rag_edit.core.pair import Pair
from rag_edit.lm.scope_model import read_manifest
from rag_edit.scope.scorer import ScopeItem
from rag_edit.scope.trained import LastStage
from rag_edit.scope.trained_scorer import LOOKED_AT, TrainedScorer
from rag_edit.testing import overlap_of_pairs, overlap_of_texts
from tests.scope.cases import candidate, reading


class Counting:
    def __init__(self) -> None:
        self.asked: list[Pair] = []

    def __call__(self, pairs: Sequence[Pair]) -> list[float]:
        self.asked += pairs
        return overlap_of_pairs(pairs)


def scorer() -> tuple[TrainedScorer, Counting]:
    pairs = Counting()
    return TrainedScorer(
        pairs, overlap_of_texts, LastStage.from_manifest(read_manifest("e5")["calibration"]), "sha256:test"
    ), pairs


def named(name: str, **fields: object) -> Candidate:
    return replace(
        candidate("GLOBAL", f"Where was {name} born?", id=name.replace(" ", "-"), subject=name, **fields), alias=name
    )


def test_the_records_own_wording_is_certain_and_is_not_read() -> None:
    trained, pairs = scorer()
    scores = trained.score([ScopeItem(reading("Where was Ada Lovelace born?"), (named("Ada Lovelace"),))])
    assert scores[0][0].probability == 1.0
    assert pairs.asked == []


def test_the_own_wording_with_the_records_place_is_certain_too() -> None:
    trained, _ = scorer()
    scores = trained.score([ScopeItem(reading("What is the standard VAT rate in Germany?"), (candidate("DE"),))])
    assert scores[0][0].probability == 1.0


def test_dated_records_of_one_wording_are_asked_about_once_and_share_the_score() -> None:
    trained, pairs = scorer()
    series = tuple(
        candidate("DE", id=f"vat-{year}", subject="standard VAT rate", target=f"{year} %", valid_from=date(year, 1, 1))
        for year in range(2000, 2020)
    )
    scores = trained.score([ScopeItem(reading("How high is the standard VAT rate?"), series)])
    assert len({score.probability for score in scores[0]}) == 1
    assert len(pairs.asked) == 1


def test_a_batch_scores_as_its_questions_alone() -> None:
    trained, _ = scorer()
    items = [
        ScopeItem(reading(q), (named("Ada Lovelace"), named("Alan Turing")))
        for q in ("Ada Lovelace was born in", "Where did Alan Turing die?", "Who?")
    ]
    assert trained.score(items) == [trained.score([item])[0] for item in items]


def test_the_order_of_candidates_changes_no_score() -> None:
    trained, _ = scorer()
    several = tuple(named(f"Ada Lovelace {n}") for n in range(LOOKED_AT + 4))
    asked = reading("In what city was Ada Lovelace 3 born?")
    forward, backward = trained.score([ScopeItem(asked, several)])[0], trained.score([ScopeItem(asked, several[::-1])])[0]
    assert forward == backward[::-1]


def test_the_digest_names_the_artefact_and_the_encoders_scale() -> None:
    trained, _ = scorer()
    assert trained.digest != replace(trained, background=0.74).digest
    assert trained.digest != replace(trained, artefact="sha256:other").digest


def test_a_sibling_that_is_not_named_may_not_win_by_sounding_alike() -> None:
    trained, pairs = scorer()
    standard = candidate("DE", id="standard", subject="standard VAT rate", similarity=0.79)
    reduced = candidate("DE", "How high is the lower rate of VAT?", id="reduced", subject="reduced VAT rate", similarity=0.99)
    scores = trained.score([ScopeItem(reading("The standard VAT rate in Germany is"), (reduced, standard))])[0]
    assert scores[0].probability == 0.0
    assert scores[1].probability > 0.0
    assert len(pairs.asked) == 1


def test_a_record_that_an_alias_names_is_no_sibling_of_itself_where_its_nearest_wording_has_another() -> None:
    trained, _ = scorer()
    motorway = candidate(
        "ES",
        "Qual è il limite di velocità in autostrada?",
        id="motorway",
        subject="motorway speed limit",
        aliases=("autopista",),
    )
    scores = trained.score([ScopeItem(reading("¿A qué velocidad se puede circular por autopista?"), (motorway,))])[0]
    assert "logit_local" in scores[0].features


def test_known_topics_are_asked_about_located_records_alone_and_raise_what_agrees() -> None:
    trained, _ = scorer()
    asked: list[tuple[str, str]] = []

    def topics(pairs: Sequence[tuple[str, str]]) -> list[float]:
        asked.extend(pairs)
        return [1.0 if "VAT" in question else 0.0 for question, _ in pairs]

    vat = candidate("DE", subject="standard VAT rate")
    world = named("Ada Lovelace")
    items = [ScopeItem(reading(q), (vat, world)) for q in ("How much VAT is charged?", "How much fuel is charged?")]
    weights = {**trained.last.first.weights, "agree_local": 3.0}
    last = replace(trained.last, first=replace(trained.last.first, weights=weights))
    agreed, other = (scores[0] for scores in replace(trained, last=last, ask_topics=topics).score(items))
    assert {record for _, record in asked} == {vat.version.record.question}
    assert agreed.features["agree_local"] > other.features["agree_local"]
    assert agreed.probability > other.probability
