"""The trained scorer: `rag_edit.scope.trained` over an injected joint head, as the engine's `ScopeScorer`. Pure.

Records that read alike (the same subject and wording in several places or at several times) are one thing to be asked
about: they are scored once, and share the score; vetoes and precedence tell them apart. All pairs of a batch go to the head in one call,
and those that leave doubt to the pair encoder in another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Final

from rag_edit.core.decision import Candidate, ScopeScore
from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.pair import Pair
from rag_edit.scope.adjuncts import GLOBAL, at_home, kept_for, text_for
from rag_edit.scope.background import REFERENCE, corrected
from rag_edit.scope.mentions import is_light
from rag_edit.scope.reading import PlaceReading, Reading
from rag_edit.scope.scorer import ScopeItem, asks_verbatim
from rag_edit.scope.text import fold
from rag_edit.scope.trained import (
    WHOLE,
    LastStage,
    PairEvidence,
    Scored,
    averaged,
    grey,
    located,
    probability,
    read,
    reread,
    rewordings,
    shortlist,
)

LOOKED_AT: Final = 16  # groups that are read closely, nearest first; the rest neither name the subject nor read alike
ScorePairs = Callable[[Sequence[Pair]], Sequence[float]]
"""Logits of pairs, in order: the joint head over an encoder's token states."""
LookAgain = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""Logits of (question, record) texts, in order: the pair encoder."""
AskTopics = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""How far (question, record) texts stand for the same known topics, 0 to 1, in order."""


@dataclass(frozen=True, slots=True)
class TrainedScorer:
    """The trained model as a `ScopeScorer`.

    Attributes:
        score_pairs: The joint head.
        look_again: The pair encoder, for the few pairs that leave doubt.
        last: The last stage.
        artefact: Digest of the shipped model: weights, vocabulary and last stage.
        background: What the encoder behind the candidates' similarities gives unrelated texts; see `rag_edit.scope.background`.
        ask_topics: The topics that the model knows, for records of jurisdictions without a name; None where it knows none.
        read_places: Reader of places, for the wordings of located records; None leaves those as they are.
    """

    score_pairs: ScorePairs
    look_again: LookAgain
    last: LastStage
    artefact: Digest
    background: float = REFERENCE
    ask_topics: AskTopics | None = None
    read_places: PlaceReading | None = None

    @property
    def kind(self) -> str:
        """Return the method's name."""
        return "trained-5"

    @property
    def digest(self) -> Digest:
        """Return the name of the artefact and the encoder's scale."""
        return digest_json({"scorer": self.kind, "artefact": self.artefact, "background": f"{self.background:.6f}"})

    def score(self, items: Sequence[ScopeItem]) -> list[tuple[ScopeScore, ...]]:
        """Return the scores, one a candidate."""
        items = [self._at_home(item) for item in items]
        groups = [_named_first(self._groups(item)) for item in items]
        seen = [[evidence for evidence, _ in item_groups] for item_groups in groups]
        places = [(n, place) for n, evidences in enumerate(seen) for place in shortlist(evidences)]
        for (n, place), logit in zip(places, self._ask([read(seen[n][place]).pair for n, place in places]), strict=True):
            seen[n][place] = replace(seen[n][place], logit=logit)
        seen = self._beside_topics(self._read_again(seen))
        places = [(n, place) for n, evidences in enumerate(seen) for place in grey(evidences, self.last)]
        if places:
            readings = [read(seen[n][place]) for n, place in places]
            for (n, place), logit in zip(places, self.look_again([(r.question, r.record) for r in readings]), strict=True):
                seen[n][place] = replace(seen[n][place], pair_logit=logit)
        return [
            self._spread(item, [(evidence, members) for evidence, (_, members) in zip(known, own, strict=True)])
            for item, known, own in zip(items, seen, groups, strict=True)
        ]

    def _at_home(self, item: ScopeItem) -> ScopeItem:
        """Return the item with the located records' wordings as they are asked in their own place."""
        if self.read_places is None:
            return item
        return replace(item, candidates=tuple(_read_at_home(candidate, self.read_places) for candidate in item.candidates))

    def _read_again(self, seen: list[list[PairEvidence]]) -> list[list[PairEvidence]]:
        """Return the evidence of all questions, that of located topics over several wordings."""
        asked = [(n, place, rewordings(evidences[place])) for n, evidences in enumerate(seen) for place in reread(evidences)]
        logits = iter(self._ask([pair for _, _, pairs in asked for pair in pairs]))
        found: list[dict[int, list[float]]] = [{} for _ in seen]
        for n, place, pairs in asked:
            found[n][place] = [next(logits) for _ in pairs]
        return [averaged(evidences, own) if own else evidences for evidences, own in zip(seen, found, strict=True)]

    def _beside_topics(self, seen: list[list[PairEvidence]]) -> list[list[PairEvidence]]:
        """Return the evidence of all questions, that of located topics with what the known topics say of it."""
        places = [(n, place) for n, evidences in enumerate(seen) for place in located(evidences)]
        if self.ask_topics is None or not places:
            return seen
        texts = [(e.whole or e.question, e.record_question) for n, place in places for e in [seen[n][place]]]
        found = [list(evidences) for evidences in seen]
        for (n, place), agreement in zip(places, self.ask_topics(texts), strict=True):
            found[n][place] = replace(found[n][place], agreement=agreement)
        return found

    def _ask(self, pairs: Sequence[Pair]) -> Sequence[float]:
        return self.score_pairs(pairs) if pairs else ()

    def _spread(self, item: ScopeItem, groups: Sequence[tuple[PairEvidence, list[int]]]) -> tuple[ScopeScore, ...]:
        scores: list[ScopeScore] = [ScopeScore(0.0)] * len(item.candidates)
        for evidence, members in groups:
            scored = probability(evidence, self.last)
            for member in members:
                own, record = scored, item.candidates[member].version.record
                if asks_verbatim(text_for(item.reading, record), record):
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
                record.jurisdiction == GLOBAL,
            )
            groups.setdefault(key, []).append(place)
        distances = [_distance(candidate) for candidate in item.candidates]
        nearest = sorted(groups.values(), key=lambda members: min(map(distances.__getitem__, members)))[:LOOKED_AT]
        alike = [[item.candidates[m] for m in members] for members in nearest]
        cosines = [corrected(max(c.similarity for c in several), self.background) for several in alike]
        seen = map(_evidence, repeat(item.reading), alike, cosines)
        return list(zip(seen, nearest, strict=True))


def _evidence(reading: Reading, alike: Sequence[Candidate], dense: float) -> PairEvidence:
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
        dense=dense,
        is_local=record.jurisdiction != GLOBAL,
        whole="" if is_whole else reading.text,
        origin=() if is_whole else kept.origin,
    )


def _read_at_home(candidate: Candidate, read_places: PlaceReading) -> Candidate:
    record = candidate.version.record
    kept = at_home(record, read_places)
    if kept is record:
        return candidate
    view = candidate.view
    if view in record.paraphrases:
        view = at_home(replace(record, question=view, paraphrases=()), read_places).question
    return replace(candidate, version=replace(candidate.version, record=kept), view=view)


def _named_first(groups: list[tuple[PairEvidence, list[int]]]) -> list[tuple[PairEvidence, list[int]]]:
    """Return the groups without those whose subject is not named, where the question names a sibling of it whole.

    "The standard VAT rate is" asks of the standard rate: the reduced one, which shares words with it, may not win by sounding alike.
    """
    readings = [read(evidence) for evidence, _ in groups]
    whole = [r.mention is not None and r.mention.cover >= WHOLE and not r.mention.longer for r in readings]
    weighty = [{word for word in fold(evidence.subject).split() if not is_light(word)} for evidence, _ in groups]
    named = {word for own, is_whole in zip(weighty, whole, strict=True) if is_whole for word in own}
    return [
        group
        for group, r, is_whole, own in zip(groups, readings, whole, weighty, strict=True)
        if r.is_named or is_whole or not _is_sibling(own, named)  # named by an alias that its nearest wording does without
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
