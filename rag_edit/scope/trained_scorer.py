"""The trained scorer: `rag_edit.scope.trained` over an injected joint head, as the engine's `ScopeScorer`. Pure.

Records that read alike (the same subject and wording in several places or at several times) are one thing to be asked
about: they are scored once, and share the score; vetoes and precedence tell them apart. All pairs of a batch go to the pair
encoder in one call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rag_edit.core.decision import Candidate, ScopeScore
from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.pair import Pair
from rag_edit.scope.adjuncts import kept_for, text_for
from rag_edit.scope.background import REFERENCE, corrected
from rag_edit.scope.mentions import is_light
from rag_edit.scope.reading import Reading
from rag_edit.scope.scorer import ScopeItem, asks_verbatim
from rag_edit.scope.text import fold
from rag_edit.scope.trained import WHOLE, Calibration, PairEvidence, Scored, probability, read, shortlist, with_leads

LOOKED_AT: Final = 16  # groups that are read closely, nearest first; the rest neither name the subject nor read alike
ScorePairs = Callable[[Sequence[Pair]], Sequence[float]]
"""Logits of pairs, in order: the joint head over an encoder's token states."""


@dataclass(frozen=True, slots=True)
class TrainedScorer:
    """The trained model as a `ScopeScorer`.

    Attributes:
        score_pairs: The joint head.
        calibration: The last stage.
        artefact: Digest of the shipped model: weights, vocabulary and last stage.
        background: What the encoder behind the candidates' similarities gives unrelated texts; see `rag_edit.scope.background`.
    """

    score_pairs: ScorePairs
    calibration: Calibration
    artefact: Digest
    background: float = REFERENCE

    @property
    def kind(self) -> str:
        """Return the method's name."""
        return "trained-2"

    @property
    def digest(self) -> Digest:
        """Return the name of the artefact and the encoder's scale."""
        return digest_json({"scorer": self.kind, "artefact": self.artefact, "background": f"{self.background:.6f}"})

    def score(self, items: Sequence[ScopeItem]) -> list[tuple[ScopeScore, ...]]:
        """Return the scores, one a candidate."""
        groups = [_named_first(self._groups(item)) for item in items]
        pairs: list[Pair] = []
        asked: list[dict[int, int]] = []  # by item: place of the group, place of its pair
        for item_groups in groups:
            places = shortlist([evidence for evidence, _ in item_groups])
            asked.append({place: len(pairs) + n for n, place in enumerate(places)})
            pairs += [read(item_groups[place][0]).pair for place in places]
        logits = self.score_pairs(pairs) if pairs else ()
        return [self._spread(item, own, places, logits) for item, own, places in zip(items, groups, asked, strict=True)]

    def _spread(
        self, item: ScopeItem, groups: Sequence[tuple[PairEvidence, list[int]]], asked: dict[int, int], logits: Sequence[float]
    ) -> tuple[ScopeScore, ...]:
        scores: list[ScopeScore] = [ScopeScore(0.0)] * len(item.candidates)
        for place, (evidence, members) in enumerate(groups):
            known = replace(evidence, logit=logits[asked[place]]) if place in asked else evidence
            scored = probability(known, self.calibration)
            for member in members:
                own = scored
                if asks_verbatim(
                    text_for(item.reading, item.candidates[member].version.record), item.candidates[member].version.record
                ):
                    own = Scored(1.0, {"verbatim": 1.0})
                scores[member] = ScopeScore(own.value, own.features)
        return tuple(scores)

    def _groups(self, item: ScopeItem) -> list[tuple[PairEvidence, list[int]]]:
        """Return the evidence of each group of candidates that read alike, with the members' places; order does not matter."""
        groups: dict[tuple[object, ...], list[int]] = {}
        for place, candidate in enumerate(item.candidates):
            record = candidate.version.record
            key = (
                text_for(item.reading, record),
                fold(record.subject),
                record.aliases,
                fold(record.relation),
                _wording(candidate),
                record.paraphrases,
            )
            groups.setdefault(key, []).append(place)
        nearest = sorted(groups.values(), key=lambda members: min(_distance(item.candidates[m]) for m in members))[:LOOKED_AT]
        seen = with_leads([self._evidence(item.reading, [item.candidates[m] for m in members]) for members in nearest])
        return list(zip(seen, nearest, strict=True))

    def _evidence(self, reading: Reading, alike: Sequence[Candidate]) -> PairEvidence:
        """Return what the model sees of candidates that read alike: what all of them say, so that of any one."""
        shown = min(alike, key=lambda c: c.version.record.id)
        record = shown.version.record
        kept = kept_for(reading, record)
        is_whole = kept.text == reading.text
        return PairEvidence(
            question=kept.text,
            subject=record.subject,
            aliases=record.aliases,
            relation=record.relation,
            record_question=_wording(shown),
            paraphrases=tuple(q for q in record.questions() if q != _wording(shown)),
            dense=corrected(max(c.similarity for c in alike), self.background),
            whole="" if is_whole else reading.text,
            origin=() if is_whole else kept.origin,
        )


def _named_first(groups: list[tuple[PairEvidence, list[int]]]) -> list[tuple[PairEvidence, list[int]]]:
    """Return the groups without those whose subject is not named, where the question names a sibling of it whole.

    "The standard VAT rate is" asks of the standard rate: the reduced one, which shares words with it, may not win by sounding alike.
    """
    readings = [read(evidence) for evidence, _ in groups]
    named = {
        word
        for (evidence, _), r in zip(groups, readings, strict=True)
        if r.mention is not None and r.mention.cover >= WHOLE and not r.mention.longer
        for word in fold(evidence.subject).split()
        if not is_light(word)
    }
    return [
        (evidence, members)
        for (evidence, members), r in zip(groups, readings, strict=True)
        if r.is_named or not _is_sibling({word for word in fold(evidence.subject).split() if not is_light(word)}, named)
    ]


def _is_sibling(subject: set[str], named: set[str]) -> bool:
    """Return whether at least half of a subject's words stand in what is named."""
    return 0 < len(subject) <= 2 * len(subject & named)


def _distance(candidate: Candidate) -> tuple[bool, float, str]:
    """Return what candidates are looked at by: those whose name stands in the question first, then the most alike."""
    return (not candidate.alias, -max(candidate.similarity, candidate.lexical), candidate.version.record.id)


def _wording(candidate: Candidate) -> str:
    """Return the record's wording that is nearest to the question: a paraphrase in its language, where there is one."""
    record = candidate.version.record
    return candidate.view if candidate.view in record.paraphrases else record.question
