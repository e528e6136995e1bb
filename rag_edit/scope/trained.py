"""What the trained scope model sees of a question and a record, and the probability that the one falls under the other.

Pure: values in, values out; no model, no file. The pair encoder (`rag_edit.lm.pair_encoder`) lives elsewhere.

How a scorer uses it, for the candidates of one question:

1. For each candidate make a `PairEvidence` (``dense``: cosine of the question with the nearest of the record's question
   and paraphrases; ``pair_logit`` None). Every string but the question comes from the record.
2. `shortlist(evidences)` gives the positions, at most three, that are worth the pair encoder; all others are out of scope
   (`probability` gives them 0). A question that repeats the record's own words needs no encoder and is left out too.
3. ``texts = pair_texts(evidence)`` for those, ``logits = encoder.score_pairs(texts)``, then
   ``dataclasses.replace(evidence, pair_logit=logit)``.
4. ``scored = probability(evidence, calibration)``: `Scored.value` is the calibrated probability, `Scored.features` the named
   numbers for the trace. `Calibration.from_manifest` takes the artefact's ``calibration`` block.

The likeliest record wins; its route is decided by the threshold of ``manifest["thresholds"]``.
A negated question is about the same fact: in scope, its form is for others to tell. Place and date vetoes are policies.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

from rag_edit.scope.mentions import Mention, find_mention, fold_words, is_light, read_name, spans

SUBJECT: Final = "[MASK]"  # stands for the subject in both texts: one token of the encoder's vocabulary
MAX_PAIRS: Final = 3  # pair encoder calls of one question, at most
_TARGET_CHARACTERS: Final = 80  # a longer target is a text, not a value
_COVER: Final = 0.3  # share of a name from which a candidate is worth a look
_DENSE: Final = 0.55  # the same for the cosine, where no name is found
_BEHIND: Final = 0.45  # a candidate whose name stands there so much less than the best one's is not asked about
WHOLE: Final = 0.999  # cover of a name that stands there whole
_BEHIND_NAME: Final = 0.15  # the same, where a proper name stands there whole: each pair costs an encoder pass
_SENTENCE: Final = re.compile(r"(?:[!?;]|(?<=\w{4})\.|(?<=[)\]\"'])\.)[)\]\"']*\s+|\n+")  # not behind an abbreviation
_SAME: Final = 0.999  # probability where the question repeats the record's own words
_CLOSED: Final = frozenset(
    ("what who whom whose which where when why how is are was were does do did can could has have had tell name give").split()
)


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """A question beside one record: strings of both, and what the encoders said.

    Attributes:
        question: as typed.
        subject, aliases, relation, record_question, paraphrases, target: the record's; empty where it gives none.
        dense: cosine of the question with the nearest of the record's texts, -1 to 1.
        pair_logit: the pair encoder's answer to `pair_texts`, None until it was asked.
    """

    question: str
    subject: str = ""
    aliases: tuple[str, ...] = ()
    relation: str = ""
    record_question: str = ""
    paraphrases: tuple[str, ...] = ()
    target: str = ""
    dense: float = 0.0
    pair_logit: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question and a record were read: the texts for the pair encoder, and the mention of the subject."""

    question: str
    record: str
    is_masked: bool
    mention: Mention | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The last stage: a logistic regression on named features. ``weights`` and ``bias`` come from the manifest."""

    weights: Mapping[str, float]
    bias: float

    @classmethod
    def from_manifest(cls, block: Mapping[str, Any]) -> Self:
        """Return the calibration of a manifest's ``calibration`` block."""
        return cls({str(k): float(v) for k, v in block["weights"].items()}, float(block["bias"]))


@dataclass(frozen=True, slots=True)
class Scored:
    """A calibrated probability, and the features that it was made of."""

    value: float
    features: Mapping[str, float]


@lru_cache(maxsize=4096)
def read(evidence: PairEvidence) -> Reading:
    """Return the texts for the pair encoder: the subject cut out of both sides where both name it, else as they are."""
    own = evidence.record_question
    names = tuple(n for n in (evidence.subject or read_name(own), *evidence.aliases) if n)
    there = find_mention(own, names)
    if there is not None and there.cover < 0.25:
        there = None
    own_name = (own[there.start : there.end],) if there is not None and there.kind != "exact" else ()
    here = find_mention(evidence.question, names, own_name)
    tail = f" | {evidence.target}" if 0 < len(evidence.target) <= _TARGET_CHARACTERS else ""
    text = evidence.question
    if (
        here is None
        or there is None
        or here.cover < _COVER
        or (here.kind == "partial" and (here.longer or not _is_short_form(text, here, names)))
    ):
        return Reading(text, own + tail, is_masked=False, mention=here)
    start = max(
        (m.end() for m in _SENTENCE.finditer(text[: here.start])), default=0
    )  # what is said before is not what is asked
    asked = text[start : here.start] + SUBJECT + text[here.end :]
    return Reading(asked, own[: there.start] + SUBJECT + own[there.end :] + tail, is_masked=True, mention=here)


def _is_short_form(text: str, mention: Mention, names: tuple[str, ...]) -> bool:
    """Return whether a part of a name may stand for it: a proper name, whose other words do not stand elsewhere in ``text``."""
    if not _is_proper(names[0]):
        return False
    outside = {word for word, start, end in spans(text) if end <= mention.start or start >= mention.end}
    return not any(word in outside for word, _, _ in spans(names[0]) if not is_light(word))


def _is_proper(name: str) -> bool:
    """Return whether at least half of a name's weighty words have a capital or are numbers."""
    weighty = [(word, start) for word, start, _ in spans(name) if not is_light(word)]
    return bool(weighty) and 2 * sum(name[start].isupper() or word.isdigit() for word, start in weighty) >= len(weighty)


def pair_texts(evidence: PairEvidence) -> tuple[str, str]:
    """Return the pair encoder's two texts for this evidence."""
    reading = read(evidence)
    return reading.question, reading.record


def is_repeat(evidence: PairEvidence) -> bool:
    """Return whether the question is the record's own question or paraphrase, but for case and punctuation."""
    asked = fold_words(evidence.question)
    return bool(asked) and any(asked == fold_words(own) for own in (evidence.record_question, *evidence.paraphrases))


def shortlist(evidences: Sequence[PairEvidence], limit: int = MAX_PAIRS) -> list[int]:
    """Return the positions worth the pair encoder, best first: those that name the subject, then those that read alike."""
    ranked: list[tuple[float, float, int]] = []
    whole = 0.0  # cover of the best name that does not go on into a longer one
    is_name = False  # whether a proper name stands there whole
    for position, evidence in enumerate(evidences):
        mention = read(evidence).mention
        cover = 0.0 if mention is None else mention.cover
        if mention is not None and not mention.longer:
            whole = max(whole, cover)
            is_name |= cover >= WHOLE and _is_proper(evidence.subject or read_name(evidence.record_question))
        if (cover >= _COVER or evidence.dense >= _DENSE) and not is_repeat(evidence):
            ranked.append((cover + evidence.dense, max(cover, evidence.dense - 0.3), position))
    least = whole - (_BEHIND_NAME if is_name else _BEHIND)
    kept = [(rank, position) for rank, strength, position in ranked if strength >= least]
    return [position for _, position in sorted(kept, key=lambda r: (-r[0], r[1]))[:limit]]


def _overlap(left: str, right: str) -> float:
    """Return the Dice overlap of two texts' words, 0 to 1, the subject's mark counted as a word."""
    a, b = ({word for word, _, _ in spans(text)} for text in (left, right))
    return 2.0 * len(a & b) / max(1, len(a) + len(b))


def features(evidence: PairEvidence) -> dict[str, float]:
    """Return the named features of the last stage. ``pair_logit`` must be known."""
    reading = read(evidence)
    mention = reading.mention
    cover = 0.0 if mention is None else mention.cover
    first = next((word for word, _, _ in spans(evidence.question)), "")
    is_cloze = not evidence.question.rstrip().endswith("?") and first not in _CLOSED
    numbers = {w for w, _, _ in spans(reading.question) if w.isdigit()}
    known = {
        w
        for text in (evidence.subject, evidence.record_question, *evidence.paraphrases, evidence.target)
        for w, _, _ in spans(text)
        if w.isdigit()
    }
    logit = 0.0 if evidence.pair_logit is None else max(-8.0, min(8.0, evidence.pair_logit))
    unnamed = not reading.is_masked
    is_name = _is_proper(evidence.subject or read_name(evidence.record_question))
    is_plain = reading.is_masked and not is_name
    overlap = max(_overlap(reading.question, text) for text in (reading.record.partition(" | ")[0], *evidence.paraphrases))
    return {
        "logit": 0.0 if unnamed else logit,
        "logit_unnamed": logit if unnamed else 0.0,
        "unnamed": float(unnamed),
        "dense_unnamed": evidence.dense if unnamed else 0.0,
        "overlap": 0.0 if unnamed else overlap,
        "overlap_unnamed": overlap if unnamed else 0.0,
        "absent": float(
            is_name and unnamed and (mention is None or cover < _COVER or (mention.longer and mention.kind == "partial"))
        ),
        "plain": float(is_plain),
        "dense_plain": evidence.dense if is_plain else 0.0,
        "missing": 0.0 if unnamed else 1.0 - cover,
        "fuzzy": float(mention is not None and mention.kind == "fuzzy"),
        "longer": float(mention is not None and mention.longer and mention.kind != "partial"),
        "cloze": float(is_cloze and not unnamed),
        "number": float(bool(numbers - known)),
    }


def probability(evidence: PairEvidence, calibration: Calibration) -> Scored:
    """Return the probability that the question falls under the record; 0 where nothing was worth asking the encoder."""
    if is_repeat(evidence):
        return Scored(_SAME, {"repeat": 1.0})
    if evidence.pair_logit is None:
        return Scored(0.0, {"unasked": 1.0})
    named = features(evidence)
    total = calibration.bias + sum(calibration.weights.get(name, 0.0) * value for name, value in named.items())
    return Scored(1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, total)))), named)
