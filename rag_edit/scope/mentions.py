"""Where a question names a record's subject: whole, as the record itself puts it, with typing errors, or in part.

Pure text work on words and capitals; no list of names, no language. It says how a name stands there, not whether the
question is about the record.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from rag_edit.scope.text import REMEMBERED

_WORD: Final = re.compile(r"[0-9]+|[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+|[^\W\d_A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_LIGHT: Final = frozenset(
    (
        "the a an of de la le les du des di da von van der den do dos in and et y e s d l for at on to is was st el al und il"
    ).split()
)
_NO_NAMES: Final = frozenset(  # words with a capital that name nothing by themselves
    (
        "i vat gst tva iva mwst ust smic monday tuesday wednesday thursday friday saturday sunday january february march april may june july "
        "august september october november december montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar marz mai juni juli oktober dezember"
    ).split()
)
_ARTICLE_BEFORE: Final = re.compile(
    r"\b(?:der|die|das|den|dem|des|im|am|zum|zur|beim|vom|ins|ans|(?:k?ein|mein|dein|sein|ihr|unser)(?:e[mnrs]?)?|(?:welch|dies|jed)e[mnrs]?|wie viele?)\s+(?:[^\W\d_][\w-]*[a-z](?:e|en|er|es|em)\s+)?$",
    re.IGNORECASE,
)
_ASKING: Final = frozenset(
    (
        "what who whom whose which where when why how is are was were does do did can could has have had in on at of "
        "from to for by the a an name tell please if and i my write give list since under after before during "
        "according say "
        "was wer wen wem wessen wo wann warum weshalb wie wieviel woher wohin womit welche welcher welches welchen welchem ist sind hat gibt "
        "quel quelle quels quelles qui que quoi quand comment combien pourquoi est sont cual cuales quien quienes donde cuando cuanto cuanta cuantos cuantas como hay"
    ).split()
)
_TITLES: Final = frozenset(
    (
        "mr mrs ms dr sir president king queen prince princess pope saint st lord lady professor prof general captain "
        "senator emperor bishop"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of a text that names a subject.

    Attributes:
        start, end: characters of the text.
        cover: share of the name's weighty words that stand there, 0 to 1.
        kind: ``exact``, ``own`` (as the record's question names it), ``fuzzy`` (typing errors) or ``partial``.
        longer: the name goes on in the text (``Moscow Monorail`` for ``Moscow``): it may be another's.
    """

    start: int
    end: int
    cover: float
    kind: str
    longer: bool = False


@lru_cache(maxsize=REMEMBERED)
def spans(text: str) -> tuple[tuple[str, int, int], ...]:
    """Return (folded word, start, end) of each word; a change of script or to digits ends a word."""
    return tuple((_plain(m.group()), m.start(), m.end()) for m in _WORD.finditer(text))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@lru_cache(maxsize=REMEMBERED)
def fold_words(text: str) -> str:
    """Return the folded words of ``text`` with single spaces."""
    return " ".join(word for word, _, _ in spans(text))


def is_light(word: str) -> bool:
    """Return whether a folded word says little in a name."""
    return word in _LIGHT


def find_mention(text: str, names: tuple[str, ...], own: tuple[str, ...] = ()) -> Mention | None:
    """Return the best mention of a subject in ``text``, or None.

    Args:
        text: the question, as typed.
        names: subject and aliases.
        own: how the record's own question names the subject, where that differs.
    """
    found: Mention | None = None
    for name in names:
        found = found or _exact(text, name)
    for name in own:
        if found is None and (hit := _exact(text, name)):
            found = replace(hit, kind="own")
    if found is None:
        for name in (*names, *own):
            hit = _loose(text, name)
            if hit is not None and (found is None or hit.cover > found.cover):
                found = hit
    return None if found is None else replace(found, longer=_goes_on(text, found, names))


def _exact(text: str, name: str) -> Mention | None:
    words, wanted = spans(text), tuple(word for word, _, _ in spans(name))
    if len(wanted) > 1 and wanted[0] == "the":
        wanted = wanted[1:]
    count = len(wanted)
    if count == 0:
        return None
    for i in range(len(words) - count + 1):
        if all(words[i + k][0] == wanted[k] for k in range(count)):
            return Mention(words[i][1], words[i + count - 1][2], 1.0, "exact")
    return None


def _like(left: str, right: str) -> bool:
    """Return whether two words are the same but for one typing error, two in a long word."""
    shorter = min(len(left), len(right))
    if left == right or shorter < 4 or left.isdigit():
        return left == right
    limit = 1 if shorter < 8 else 2
    if abs(len(left) - len(right)) > limit:
        return False
    return OSA.distance(left, right, score_cutoff=limit) <= limit


def _loose(text: str, name: str) -> Mention | None:
    """Return the run of words that covers most of ``name``; words may be missing, misspelt or two words apart."""
    words, wanted = spans(text), [word for word, _, _ in spans(name)]
    weights = [0.1 if word in _LIGHT else 1.0 for word in wanted]
    total = sum(weights)
    has_capitals = any(text[s].isupper() and not (k == 0 and word in _ASKING) for k, (word, s, _) in enumerate(words))
    hits = [
        (i, j)
        for i, (word, _, _) in enumerate(words)
        if (j := next((j for j, other in enumerate(wanted) if _like(word, other)), None)) is not None
    ]
    best: Mention | None = None
    for a, (first, j_first) in enumerate(hits):
        if weights[j_first] < 1.0:
            continue
        seen: set[int] = set()
        last, exact, capital = first, True, False
        for i, j in hits[a:]:
            if i - last > 2:
                break
            last = i
            if j in seen:
                continue
            seen.add(j)
            exact = exact and words[i][0] == wanted[j]
            capital = capital or not text[words[i][1]].islower()
            cover = min(1.0, sum(weights[k] for k in seen) / total)
            if weights[j] < 1.0 or (cover < 0.75 and has_capitals and not capital):
                continue  # ends on a light word, or a plain word that happens to stand in a name
            if best is None or cover > best.cover + 1e-9:
                best = Mention(words[first][1], words[i][2], cover, "fuzzy" if cover > 0.999 else "partial")
    return best


def _goes_on(text: str, mention: Mention, names: tuple[str, ...]) -> bool:
    """Return whether capitalised words or numbers that the record's names do not hold adjoin the mention."""
    words = spans(text)
    inside = {word for name in names for word, _, _ in spans(name)}
    first = next(i for i, (_, start, _) in enumerate(words) if start >= mention.start)
    last = next(i for i in range(len(words) - 1, -1, -1) if words[i][2] <= mention.end)

    def strange(i: int) -> bool:
        word, start, _ = words[i]
        return (
            (text[start].isupper() or word.isdigit())
            and word not in inside
            and word not in _TITLES
            and not (i == 0 and word in _ASKING)
        )

    def joined(i: int, gaps: tuple[str, ...]) -> bool:
        return text[words[i][2] : words[i + 1][1]] in gaps

    if any(strange(i) and not any(_like(words[i][0], word) for word in inside) for i in range(first, last + 1)):
        return True
    close = (" ", "-", "'", "’", "/", " (", "")
    i = last + 1
    while i < len(words) and joined(i - 1, close):
        if words[i][0] == "s" and text[words[i - 1][2] : words[i][1]] in ("'", "’"):
            break
        if strange(i):
            return True
        if words[i][0] not in ("and", "of", "de", "the", "und", "for"):
            break
        i += 1
    i = first - 1
    while i >= 0 and joined(i, close):
        if strange(i) and words[i][0] not in _ASKING:
            return True
        if words[i][0] not in ("of", "de", "d", "l", "di", "von", "du"):
            break
        i -= 1
    return False


@lru_cache(maxsize=REMEMBERED)
def is_noun(name: str, question: str) -> bool:
    """Return whether a German question speaks of ``name``, one word, with an article: "der Mindestlohn" is a thing, "Einstein" is somebody."""
    return " " not in name and _ARTICLE_BEFORE.search(question.partition(name)[0]) is not None


def names_nothing(word: str) -> bool:
    """Return whether a folded word has a capital, or is light or a number, and names nothing by itself: "I", "VAT", "March", "20"."""
    return word in _NO_NAMES or word in _LIGHT or word.isdigit()


def read_name(question: str) -> str:
    """Return the longest run of capitalised words in ``question``, or "": a subject for records that give none.

    Light words and numbers inside a run belong to it; the word that opens the sentence only if it does not ask. "I", months, weekdays and
    the names of a tax do not make a run by themselves.
    """
    best, run = "", list[tuple[str, int, int]]()

    def close() -> str:
        kept = list(run)
        while kept and not question[kept[-1][1]].isupper() and not kept[-1][0].isdigit():
            kept.pop()
        if all(names_nothing(word) for word, _, _ in kept):
            return ""
        return question[kept[0][1] : kept[-1][2]] if kept else ""

    for k, (word, start, end) in enumerate(spans(question)):
        capital = question[start].isupper() and not (k == 0 and word in _ASKING)
        gap = question[run[-1][2] : start] if run else ""
        if (
            run
            and gap.strip() in ("", "-", ".", "'", "’", "&", "/")
            and not (word == "s" and gap in ("'", "’"))
            and (capital or word in _LIGHT or word.isdigit())
        ):
            run.append((word, start, end))
            continue
        best = max(best, close(), key=len)
        run = [(word, start, end)] if capital else []
    return max(best, close(), key=len)
