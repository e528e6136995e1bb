"""What the trained scope model sees of a question and a record, and the probability that the one falls under the other.

Pure: values in, values out; no model, no file. The joint head (`rag_edit.lm.joint_head`) lives elsewhere.

How a scorer uses it, for the candidates of one question:

1. For each candidate make a `PairEvidence` (``dense``: cosine of the question with the nearest of the record's question
   and paraphrases; ``logit`` None). Every string but the question comes from the record; its target is not among them.
2. `shortlist(evidences)` gives the positions, at most `MAX_PAIRS`, that are worth reading together with the question; all others are out of scope (`probability` gives them 0). A question that repeats the record's
   own words is left out too.
3. ``pair = read(evidence).pair`` for those, ``logits = score(pairs)``, then ``dataclasses.replace(evidence, logit=logit)``.
   A located topic is read in several wordings: `reread(evidences)` gives the positions, `rewordings` the pairs, `averaged` what follows;
   and beside the topics that the model knows: `located(evidences)` gives the positions, and the answer goes into ``agreement``.
4. ``scored = probability(evidence, last)``: `Scored.value` is the calibrated probability, `Scored.features` the named
   numbers for the trace. `LastStage.from_manifest` takes the artefact's ``calibration`` block.
5. `grey(evidences, last)` gives the positions, few and often none, of which that probability leaves doubt and that a second look may
   settle: a pair encoder reads `Reading.question` and `Reading.record`, subjects cut out, and its logit goes into
   ``pair_logit``; `probability` then takes the weights of the second look.

The likeliest record wins; its route is decided by the threshold of ``manifest["thresholds"]``. How far a record lies ahead of the next
one is no evidence: in a small home everything lies far ahead.
A negated question is about the same fact: in scope, its form is for others to tell. Place and date vetoes are policies.

A pair is in one of six regimes, each with weights of its own. A record of a jurisdiction about a topic that has no name is *local*: it
has siblings everywhere that differ by a word. Else the subject is *named* in both texts, and cut out where words are compared;
the same for a subject that is no proper name (*plain*); the record's name does not stand in the question (*unnamed*); the
record has none (*topical*); or the question is in another language than the record (*abroad*), where names may be spelt in
another script and only the head can tell.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Self

from rag_edit.core.pair import Pair, Span
from rag_edit.scope.language import guess_language
from rag_edit.scope.mentions import Mention, find_mention, fold_words, is_light, is_noun, read_name, spans
from rag_edit.scope.text import REMEMBERED

_UNUSED: Final = (
    *("named", "dense_named", "overlap_abroad"),  # the bias; tied to one encoder; words of two languages
    *("dense_local", "overlap_local"),  # added nothing on the labelled questions
)
_LEAST_SHARE: Final = 1e-5  # a smaller share of topics in common says no more
REGIMES: Final = ("named", "plain", "unnamed", "topical", "abroad", "local")
FEATURES: Final = (
    *(f"{kind}{regime}" for regime in REGIMES for kind in ("", "logit_", "dense_", "overlap_") if kind + regime not in _UNUSED),
    *(
        "absent",
        "missing",
        "longer",
        "cloze",
        "abroad_named",
        "agree_local",
    ),
)
SECOND: Final = tuple(f"pair_{regime}" for regime in REGIMES[:4])  # features of the second look
MAX_SECOND: Final = 2  # candidates of one question that get one
SUBJECT: Final = "[MASK]"  # stands for the subject where the words of both texts are compared
MAX_NAMED: Final = 4  # records read together with a question that names one of them whole, at most
MAX_PAIRS: Final = 10  # the same where it names none
MAX_REREAD: Final = 4  # located topics of one question that are read in their other wordings too
MAX_WORDINGS: Final = 4  # other wordings of each
_COVER: Final = 0.3  # share of a name from which a candidate is worth a look
_DENSE: Final = 0.4  # the same for the cosine, where no proper name stands there whole
WHOLE: Final = 0.999  # cover of a name that stands there whole
_BEHIND_NAME: Final = 0.15  # a candidate whose name stands there so much less than one that stands there whole is not read
_ELSEWHERE: Final = re.compile(
    r"[^\W\d_A-Za-z\u00aa-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a]|[ğışĞŞİ]"
)  # letters that are not Latin, or Turkish
_SENTENCE: Final = re.compile(r"(?:[!?;]|(?<=\w{4})\.|(?<=[)\]\"'])\.)[)\]\"']*\s+|\n+")  # not behind an abbreviation
_SAME: Final = 0.999  # probability where the question repeats the record's own words
_SPEAKERS: Final = frozenset(("i", "you", "me", "he", "she", "we", "they", "him", "them"))  # in "you must remember this"
_CLOSED: Final = frozenset(
    ("what who whom whose which where when why how is are was were does do did can could has have had tell name give").split()
)


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """A question beside one record: strings of both, and what the encoders said.

    Attributes:
        question: what is asked of the record; see `whole`.
        subject, aliases, relation, record_question, paraphrases: the record's; empty where it gives none.
        dense: cosine of the question with the nearest of the record's texts, -1 to 1.
        is_local: whether the record belongs to a jurisdiction other than the world.
        logit: the head's answer to the pair, None until it was asked.
        pair_logit: the pair encoder's answer, None where it was not asked.
        agreement: how far both stand for the same known topics, 0 to 1; None where that was not asked.
        whole, origin: the question as typed, where parts of it are left out of ``question``, and the place there of each
            character of ``question``; empty where nothing is left out.
    """

    question: str
    subject: str = ""
    aliases: tuple[str, ...] = ()
    relation: str = ""
    record_question: str = ""
    paraphrases: tuple[str, ...] = ()
    dense: float = 0.0
    is_local: bool = False
    logit: float | None = None
    pair_logit: float | None = None
    agreement: float | None = None
    whole: str = ""
    origin: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question and a record were read.

    Attributes:
        pair: what the head is given.
        question, record: the texts whose words are compared, the subject cut out of both where both name it.
        is_named: whether both name it.
        mention: where the question names the subject, wholly or in part; None where it does not.
    """

    pair: Pair
    question: str
    record: str
    is_named: bool
    mention: Mention | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression on named features."""

    weights: Mapping[str, float]
    bias: float

    @classmethod
    def from_manifest(cls, block: Mapping[str, Any]) -> Self:
        """Return the weights that a part of a manifest holds."""
        return cls({str(k): float(v) for k, v in block["weights"].items()}, float(block["bias"]))


@dataclass(frozen=True, slots=True)
class LastStage:
    """From features to a probability: at first sight, and after a second look where the first leaves doubt.

    Attributes:
        first: weights of what is read at first sight.
        second: weights of that and of the pair encoder's logit; None where there is no second look.
        doubt: probabilities at first sight between which a second look is taken.
    """

    first: Calibration
    second: Calibration | None = None
    doubt: tuple[float, float] = (0.05, 0.95)

    @classmethod
    def from_manifest(cls, block: Mapping[str, Any]) -> Self:
        """Return the last stage of a manifest's ``calibration`` block."""
        second = Calibration.from_manifest(block["second"]) if "second" in block else None
        return cls(Calibration.from_manifest(block["first"]), second, (float(block["doubt"][0]), float(block["doubt"][1])))


@dataclass(frozen=True, slots=True)
class Scored:
    """A calibrated probability, and the features that it was made of."""

    value: float
    features: Mapping[str, float]


def read(evidence: PairEvidence) -> Reading:
    """Return how the two are read: the subject marked for the head, and cut out for the second look, where both name it."""
    texts = evidence.question, evidence.subject, evidence.aliases, evidence.record_question
    return _read(*texts, evidence.whole, evidence.origin)


@lru_cache(maxsize=REMEMBERED)
def _read(text: str, subject: str, aliases: tuple[str, ...], own: str, whole: str, origin: tuple[int, ...]) -> Reading:
    names = tuple(n for n in (subject or read_name(own), *aliases) if n)
    there = _own_mention(own, names)
    own_name = (own[there.start : there.end],) if there is not None and there.kind != "exact" else ()
    here = find_mention(text, names, own_name)
    if (
        here is None
        or there is None
        or here.cover < _COVER
        or (here.kind == "partial" and (here.longer or not _is_short_form(text, here, names)))
    ):
        return Reading(_pair(text, own, whole, origin), text, own, is_named=False, mention=here)
    start = max(
        (m.end() for m in _SENTENCE.finditer(text[: here.start])), default=0
    )  # what is said before is not what is asked
    pair = _pair(text, own, whole, origin, start, (here.start, here.end), (there.start, there.end))
    asked = text[start : here.start] + SUBJECT + text[here.end :]
    return Reading(pair, asked, own[: there.start] + SUBJECT + own[there.end :], is_named=True, mention=here)


@lru_cache(maxsize=REMEMBERED)
def _own_mention(own: str, names: tuple[str, ...]) -> Mention | None:
    """Return where a record's own question names its subject."""
    there = find_mention(own, names)
    return None if there is None or there.cover < 0.25 else there


def _pair(
    text: str,
    own: str,
    whole: str,
    at: tuple[int, ...],
    start: int = 0,
    here: Span | None = None,
    there: Span | None = None,
) -> Pair:
    """Return the pair, places in ``text`` turned by ``at`` into places in the whole question."""
    if not at:
        return Pair(text, own, start, here, there)
    kept = set(at)
    skipped: list[Span] = []
    for place in range(len(whole)):
        if place not in kept:
            if skipped and skipped[-1][1] == place:
                skipped[-1] = (skipped[-1][0], place + 1)
            else:
                skipped.append((place, place + 1))
    return Pair(whole, own, at[start] if start else 0, here and (at[here[0]], at[here[1] - 1] + 1), there, tuple(skipped))


def _is_short_form(text: str, mention: Mention, names: tuple[str, ...]) -> bool:
    """Return whether a part of a name may stand for it: a proper name, whose other words do not stand elsewhere in ``text``."""
    if not _is_proper(names[0]):
        return False
    outside = {word for word, start, end in spans(text) if end <= mention.start or start >= mention.end}
    return not any(word in outside for word, _, _ in spans(names[0]) if not is_light(word))


def _is_proper(name: str) -> bool:
    """Return whether at least half of a name's weighty words have a capital or are numbers, or somebody speaks in small letters: a title."""
    if name.islower() and not _SPEAKERS.isdisjoint({word for word, _, _ in spans(name)}):
        return True  # with capitals, "I" may be a number, too
    weighty = [(word, start) for word, start, _ in spans(name) if not is_light(word)]
    return bool(weighty) and 2 * sum(name[start].isupper() or word.isdigit() for word, start in weighty) >= len(weighty)


def is_repeat(evidence: PairEvidence) -> bool:
    """Return whether the question is the record's own question or paraphrase, but for case and punctuation."""
    asked = fold_words(evidence.question)
    return bool(asked) and any(asked == fold_words(own) for own in (evidence.record_question, *evidence.paraphrases))


def shortlist(evidences: Sequence[PairEvidence]) -> list[int]:
    """Return the positions worth reading together with the question, best first: those that name the subject, then those alike.

    A proper name that stands there whole leaves few to ask about. Without one, what reads alike in any words or language is
    looked at, and much of it: telling those apart is the head's work.
    """
    ranked: list[tuple[float, float, int]] = []
    whole = 0.0  # cover of the best name that does not go on into a longer one
    is_name = False  # whether a proper name stands there whole
    for position, evidence in enumerate(evidences):
        mention = read(evidence).mention
        cover = 0.0 if mention is None else mention.cover
        if mention is not None and not mention.longer:
            whole = max(whole, cover)
            is_name |= cover >= WHOLE and _has_name(evidence)
        if not is_repeat(evidence):
            ranked.append((cover + evidence.dense, max(cover, evidence.dense - 0.3), position))
    if is_name:
        kept = [(rank, position) for rank, strength, position in ranked if strength >= whole - _BEHIND_NAME]
        return [position for _, position in sorted(kept, key=lambda r: (-r[0], r[1]))[:MAX_NAMED]]
    kept = [(rank, position) for rank, strength, position in ranked if strength >= _DENSE - 0.3]
    return [position for _, position in sorted(kept, key=lambda r: (-r[0], r[1]))[:MAX_PAIRS]]


def reread(evidences: Sequence[PairEvidence]) -> list[int]:
    """Return the positions of located topics that are worth reading in their other wordings too, the likeliest first.

    Where no name stands in both texts, one wording of a record says too little: the mean logit of several errs far less.
    """
    topics = [(-e.logit, n) for n, e in enumerate(evidences) if e.logit is not None and e.is_local and e.paraphrases]
    return [n for _, n in sorted(topics) if not _has_name(evidences[n])][:MAX_REREAD]


def rewordings(evidence: PairEvidence) -> list[Pair]:
    """Return the pairs of the question with the record's other wordings."""
    return [read(replace(evidence, record_question=text, paraphrases=())).pair for text in evidence.paraphrases[:MAX_WORDINGS]]


def averaged(evidences: Sequence[PairEvidence], logits: Mapping[int, Sequence[float]]) -> list[PairEvidence]:
    """Return the evidences with mean logits where other wordings were read; a located topic that was not read again wins over none that was."""
    found = list(evidences)
    for n, others in logits.items():
        own = found[n].logit
        assert own is not None
        found[n] = replace(found[n], logit=(own + sum(others)) / (1 + len(others)))
    lowest = min((e.logit for n in logits if (e := found[n]).logit is not None), default=None)
    for n, e in enumerate(found):
        if n not in logits and lowest is not None and e.logit is not None and e.is_local and not _has_name(e):
            found[n] = replace(e, logit=min(e.logit, lowest))
    return found


def located(evidences: Sequence[PairEvidence]) -> list[int]:
    """Return the positions of located topics that were read: those worth holding against the topics that the model knows."""
    return [n for n, e in enumerate(evidences) if e.logit is not None and e.is_local and not _has_name(e)]


def _has_name(evidence: PairEvidence) -> bool:
    """Return whether a record's subject, or what its question names, is a proper name."""
    if evidence.subject:
        return _is_proper(evidence.subject)
    name = read_name(evidence.record_question)
    return _is_proper(name) and not (evidence.is_local and is_noun(name, evidence.record_question))


def _overlap(left: str, right: str) -> float:
    """Return the Dice overlap of two texts' words, 0 to 1, the subject's mark counted as a word."""
    a, b = _words(left), _words(right)
    return 2.0 * len(a & b) / max(1, len(a) + len(b))


@lru_cache(maxsize=REMEMBERED)
def _words(text: str) -> frozenset[str]:
    return frozenset(word for word, _, _ in spans(text))


@lru_cache(maxsize=REMEMBERED)
def is_abroad(question: str, record_question: str) -> bool:
    """Return whether the two are in different languages, as far as their words and letters tell."""
    if _ELSEWHERE.search(question) and not _ELSEWHERE.search(record_question):
        return True
    asked = guess_language(question)
    return asked is not None and asked != (guess_language(record_question) or "en")


@lru_cache(maxsize=4096)
def features(evidence: PairEvidence) -> Mapping[str, float]:
    """Return the named features of the last stage; not to be changed. ``logit`` must be known."""
    reading = read(evidence)
    mention = reading.mention
    cover = 0.0 if mention is None else mention.cover
    first = next((word for word, _, _ in spans(evidence.question)), "")
    is_cloze = not evidence.question.rstrip().endswith("?") and first not in _CLOSED
    logit = 0.0 if evidence.logit is None else max(-10.0, min(10.0, evidence.logit))
    overlap = max(_overlap(reading.question, text) for text in (reading.record, *evidence.paraphrases))
    is_name = _has_name(evidence)
    abroad = is_abroad(evidence.question, evidence.record_question)
    regime = (
        "local"
        if evidence.is_local and not is_name
        else "abroad"
        if abroad
        else ("named" if is_name else "plain")
        if reading.is_named
        else ("unnamed" if is_name else "topical")
    )
    found = dict.fromkeys(FEATURES, 0.0)
    own = {regime: 1.0, f"logit_{regime}": logit, f"dense_{regime}": evidence.dense, f"overlap_{regime}": overlap}
    found |= {name: value for name, value in own.items() if name not in _UNUSED}
    if regime == "local" and evidence.agreement is not None:
        found["agree_local"] = 1.0 + math.log10(evidence.agreement + _LEAST_SHARE) / -math.log10(_LEAST_SHARE)
    if regime == "abroad":
        found["abroad_named"] = float(reading.is_named)
    if regime == "unnamed":
        found["absent"] = float(mention is None or cover < _COVER or (mention.longer and mention.kind == "partial"))
    if regime in ("named", "plain"):
        found["missing"] = 1.0 - cover
        found["longer"] = float(mention is not None and mention.longer and mention.kind != "partial")
        found["cloze"] = float(is_cloze)
    return found


def second_features(evidence: PairEvidence) -> dict[str, float]:
    """Return the features of a pair that got a second look."""
    named = features(evidence)
    regime = next((name for name in REGIMES[1:] if named[name]), REGIMES[0])
    logit = 0.0 if evidence.pair_logit is None else max(-8.0, min(8.0, evidence.pair_logit))
    return {**named, **{name: logit if name == f"pair_{regime}" else 0.0 for name in SECOND}}


def grey(evidences: Sequence[PairEvidence], last: LastStage) -> list[int]:
    """Return the positions that a second look is worth, the likeliest first: in doubt, and in one language."""
    if last.second is None:
        return []
    low, high = last.doubt
    found = []
    for position, evidence in enumerate(evidences):
        if evidence.logit is not None and not is_abroad(evidence.question, evidence.record_question):
            if features(evidence)["local"]:
                continue  # the pair encoder was not trained on topics
            value = probability(evidence, last).value
            if low < value < high:
                found.append((-value, position))
    return [position for _, position in sorted(found)[:MAX_SECOND]]


def probability(evidence: PairEvidence, last: LastStage) -> Scored:
    """Return the probability that the question falls under the record; 0 where the pair was not read."""
    if is_repeat(evidence):
        return Scored(_SAME, {"repeat": 1.0})
    if evidence.logit is None:
        return Scored(0.0, {"unasked": 1.0})
    named, weights = features(evidence), last.first
    if evidence.pair_logit is not None and last.second is not None:
        named, weights = second_features(evidence), last.second
    total = weights.bias + sum(weights.weights.get(name, 0.0) * value for name, value in named.items() if value)
    return Scored(1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, total)))), named)
