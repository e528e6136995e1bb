"""A question taken apart around the target that it names: what reversed questions are recognised by. Pure; words only."""

from dataclasses import dataclass
from typing import Final

from rag_edit.core.record import Record
from rag_edit.scope import reversed_words as w
from rag_edit.scope.text import fold

TARGET: Final = "\u00a7"  # stands for the target among folded words
_MAX_KIND: Final = 4  # words of the kind of thing asked for: "which programming language"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as folded words, the target in one piece: what it opens with, what stands before the target, what after."""

    before: tuple[str, ...]
    after: tuple[str, ...]


def relation_words(record: Record) -> tuple[str, ...]:
    """Return the folded words of the relation, a place left for the subject dropped."""
    return tuple(fold(record.relation.replace("{}", " ").replace("_", " ")).split()) if record.subject.strip() else ()


def alternatives(record: Record) -> list[tuple[str, ...]]:
    """Return the relation, and each of its parts where it names several ("director / manager")."""
    parts = record.relation.replace("{}", " ").replace("_", " ").split("/")
    return list(dict.fromkeys(words for part in ("/".join(parts), *parts) if (words := tuple(fold(part).split()))))


def targets(record: Record) -> list[str]:
    """Return the folded targets that can name a thing: no numbers, no yes or no, no sentences."""
    given = [fold(text) for text in (record.target, *record.target_aliases)]
    return [t for t in given if len(t) > 1 and any(c.isalpha() for c in t) and len(t.split()) <= 12 and t not in w.NO_THING]


def sides(record: Record) -> list[str]:
    """Return the targets that name a side: a thing only beside the relation's own words ("the driving side is the right")."""
    return [side for side in map(fold, (record.target, *record.target_aliases)) if side in w.SIDES]


def take_apart(text: str, target: str) -> Asked | None:
    """Return the question with its opening and kind cut off; None where it does not ask for a thing, or not of the target once."""
    padded = f" {fold(text)} "
    plural = next((f for f in (target, f"{target}s", target.removesuffix("s")) if f" {f} " in padded), None)
    if plural is None or padded.count(f" {plural} ") != 1:
        return None
    words = padded.replace(f" {plural} ", f" {TARGET} ").split()
    if words[0] in w.PREPOSITIONS:
        words = [*words[1:], words[0]] if words[0] in ("of", "for") else words[1:]  # "of which country is T the capital"
    if not words or words[0] not in w.ASKS_THING:
        return None
    if words[0] == "whose":
        words.insert(1, "s")
    at = words.index(TARGET)
    return Asked(tuple(words[1:at]), tuple(words[at + 1 :]))


def kind_length(before: tuple[str, ...]) -> int:
    """Return how many words name the kind of thing asked for: those before the first verb."""
    for at, word in enumerate(before[: _MAX_KIND + 1]):
        if word in w.PREPOSITIONS and word != "of":
            return 0
        if word in w.AUXILIARIES or word == "s" or (at and word.endswith(("s", "ed")) and word not in w.PLURALS):
            return at
    return 0
