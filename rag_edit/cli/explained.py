"""`ask --explain`: why each candidate won or lost, as values for the terminal and as plain JSON."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ExplainedCandidate:
    """One candidate: its score, its fate, the gates that it passed, sentences, and (name, words, value) of its features."""

    name: str
    partition: str
    probability: float
    reason: str
    gates: dict[str, str]
    sentences: list[str]
    features: list[tuple[str, str, float]]


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision, explained. ``heading`` is `rag_edit.scope.explain.Heading`."""

    heading: Any
    candidates: tuple[ExplainedCandidate, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as plain values; candidates in the order of the trace."""
        head = self.heading
        return {
            "summary": head.summary,
            "read_as": head.asked,
            "follows": head.follows,
            "form": str(head.form),
            "places": list(head.places),
            "dates": list(head.dates),
            "chain": list(head.chain),
            "crossed_to": list(head.crossed),
            "cut": head.cut,
            "cut_is_for_form": head.cut_is_for_form,
            "cut_chosen_on": head.chosen_on,
            "candidates": [
                {
                    "record": each.name,
                    "partition": each.partition,
                    "scope_score": round(each.probability, 6),
                    "reason": each.reason,
                    "gates": each.gates,
                    "sentences": each.sentences,
                    "features": [{"name": n, "words": words, "value": round(v, 4)} for n, words, v in each.features],
                }
                for each in self.candidates
            ],
        }


def explain(engine: Any, outcome: Any) -> Explained:
    """Return an outcome's decision, explained."""
    from rag_edit.scope.explain import features_in_words, gates, heading, sentences
    from rag_edit.scope.reading import read

    decision, query = outcome.decision, outcome.query
    reading = read(query, engine.read_places)
    chain = engine.atlas.chain(query.jurisdiction, query.as_of)
    place = engine.crossing.elsewhere(reading, engine.atlas.chain)
    outside = any(v.candidate.partition not in chain for v in decision.verdicts)
    crossed = engine.atlas.chain(place, query.as_of) if place is not None and outside else ()
    head = heading(reading, decision, engine.thresholds, chain, crossed)
    return Explained(
        head,
        tuple(
            ExplainedCandidate(
                v.candidate.version.name,
                v.candidate.partition,
                v.score.probability,
                str(v.reason),
                gates(v),
                sentences(v, head.cut),
                features_in_words(v),
            )
            for v in decision.verdicts
        ),
    )
