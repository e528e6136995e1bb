"""A scorer that is asked about the bare question where a question proposes a value; see `rag_edit.scope.bare`. Pure.

It stands round another scorer. A yes/no question is scored as it is and, for each record that it names, as the bare question about
that record's subject; the likelier of the two counts, the bare one only where it is nearly sure: what one scorer makes of two
wordings errs more often than of one. Both look at the question and the record alone. All is asked in one call
of the inner scorer, so that a batch costs one pass; a question that proposes nothing costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag_edit.core.decision import Candidate, ScopeScore
from rag_edit.core.digest import Digest, digest_json
from rag_edit.scope.bare import bare_question
from rag_edit.scope.dates import read_dates
from rag_edit.scope.reading import PlaceReading, Reading
from rag_edit.scope.scorer import Relate, ScopeItem, ScopeScorer
from rag_edit.scope.text import numbers

VERSION = 1  # raise it when the same questions give other bare questions


@dataclass(frozen=True, slots=True)
class FormScorer:
    """A `ScopeScorer` round another.

    Attributes:
        inner: Who scores.
        relate: Cosines of the index's encoder: how near a bare question is to a record's wording.
        read_places: Reader of places.
        sure: Least probability at which a bare question counts.
    """

    inner: ScopeScorer
    relate: Relate
    read_places: PlaceReading
    sure: float = 0.9

    @property
    def kind(self) -> str:
        """Return the inner method's name: its cuts are used."""
        return self.inner.kind

    @property
    def digest(self) -> Digest:
        """Return the name of the inner scorer and of this way to ask it."""
        return digest_json({"inner": self.inner.digest, "bare": VERSION, "sure": f"{self.sure:.3f}"})

    def score(self, items: Sequence[ScopeItem]) -> list[tuple[ScopeScore, ...]]:
        """Return the scores, one a candidate.

        Steps: (1) find what is asked barely, by text; (2) the cosines of these texts; (3) score all; (4) take the likelier.
        """
        asked: list[tuple[int, str, list[int]]] = []  # (1) place of the item, bare text, places of its candidates
        for at, item in enumerate(items):
            groups: dict[str, list[int]] = {}
            for place, candidate in enumerate(item.candidates):
                bare = _bare(item.reading, candidate)
                if bare is not None and bare != item.reading.text:
                    groups.setdefault(bare, []).append(place)
            asked += [(at, text, places) for text, places in groups.items()]
        pairs = [(text, _wording(items[at].candidates[place])) for at, text, places in asked for place in places]
        near = iter(self.relate(pairs) if pairs else ())  # (2)
        extra = [
            ScopeItem(
                self._read(items[at].reading, text),
                tuple(replace(items[at].candidates[place], similarity=next(near)) for place in places),
            )
            for at, text, places in asked
        ]
        scores = self.inner.score([*items, *extra])  # (3)
        out = [list(each) for each in scores[: len(items)]]
        for (at, _, places), found in zip(asked, scores[len(items) :], strict=True):  # (4)
            for place, score in zip(places, found, strict=True):
                if self.sure <= score.probability > out[at][place].probability:
                    out[at][place] = ScopeScore(score.probability, {**score.features, "bare": 1.0})
        return [tuple(each) for each in out]

    def _read(self, reading: Reading, text: str) -> Reading:
        return replace(reading, text=text, places=tuple(self.read_places(text)), dates=read_dates(text), numbers=numbers(text))


def _bare(reading: Reading, candidate: Candidate) -> str | None:
    """Return the bare question about the candidate's subject; only for a question that stands alone."""
    if not reading.form.polar or reading.form.options or reading.follows is not None:
        return None
    record = candidate.version.record
    return bare_question(reading.form, record.names(), (*record.questions(), record.relation))


def _wording(candidate: Candidate) -> str:
    return candidate.view or candidate.version.record.question
