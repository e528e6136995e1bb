"""Turns of a conversation after an answer: those that doubt it, and all others; the texts that the reader of doubts learns from.

``turns.jsonl`` holds one turn a line: ``{"label": "doubt" or "other", "language": ..., "kind": ..., "text": ..., "author": ...}``, the first author's without
the last. A text may have slots
(``{value}``, ``{value2}``, ``{name}``, ``{name2}``, ``{place}``, ``{place2}``, ``{thing}``, ``{number}``, ``{year}``, ``{date}``), which are filled by chance, so that a reader learns
the shape of a doubt and not what is held against the answer. Questions of `rag_edit.scope.training.topics` and `.questions` are further turns
that doubt nothing. The texts were written for this. This module knows no encoder.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rag_edit.scope.training.names import written
from rag_edit.scope.training.questions import read_questions
from rag_edit.scope.training.topics import all_families
from rag_edit.scope.training.topics import fill as fill_topic

TURNS: Final = Path(__file__).with_name("turns.jsonl")
LABELS: Final = ("doubt", "other")
LANGUAGES: Final = ("en", "de", "fr", "es")
FILLS: Final = 2  # of a text with slots
CASUAL: Final = 0.25  # share of turns that are typed without capitals and marks
BANK_SHARE: Final = 0.5  # weight of all banked questions beside that of all other turns that doubt nothing
_SLOT: Final = re.compile(r"\{(\w+?)(2?)\}")
_BARE: Final = re.compile(r"(?i)\W*(?:(?:not|or|nicht|pas|ou|o|y no|et pas|und nicht|and not)\s+)?\{value\}\W*")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as written, its slots unfilled.

    Attributes:
        label: One of `LABELS`.
        language: One of `LANGUAGES`.
        kind: What manner of doubt, or what else is said.
        text: The turn.
        author: Who wrote it; empty: the first, who wrote most.
    """

    label: str
    language: str
    kind: str
    text: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One turn to learn from.

    Attributes:
        text: With its slots filled.
        group: Which turn it was made of: what was made of one is never learned from and counted on at once.
        kind: Of the turn.
        doubts: Whether it doubts.
        weight: How much it counts.
        author: Of the turn.
    """

    text: str
    group: int
    kind: str
    doubts: bool
    weight: float
    author: str = ""


def read_turns(path: Path = TURNS) -> tuple[Turn, ...]:
    """Return the turns of a file, in its order.

    Raises:
        ValueError: If a line is no turn; it names the file, the line and the fault.
    """
    turns = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                turn = Turn(**json.loads(line))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}:{number}: wanted label, language, kind and text, found {line[:80]!r}") from error
            if turn.label not in LABELS or turn.language not in LANGUAGES or not turn.text.strip():
                raise ValueError(
                    f"{path}:{number}: wanted a label of {LABELS} and a language of {LANGUAGES}, found {line[:80]!r}"
                )
            turns.append(turn)
    return tuple(turns)


def examples(turns: Sequence[Turn], rng: random.Random, *, banked: int = 3_000) -> list[Example]:
    """Return what is learned from: each turn with its slots filled by chance, and banked questions.

    Every turn weighs the same, however often it is filled; both labels weigh the same in sum.

    Args:
        turns: As written.
        rng: Chooses values, and what is typed carelessly.
        banked: How many questions are taken from the banks.
    """
    fillers = Fillers(rng)
    found: list[Example] = []
    for group, turn in enumerate(turns):
        times = FILLS if _SLOT.search(turn.text) else 1
        texts = {fillers.fill(turn.text, turn.language) for _ in range(times)}
        texts = {careless(text, rng) if rng.random() < CASUAL else text for text in sorted(texts)}
        found += [Example(text, group, turn.kind, turn.label == "doubt", 1 / len(texts), turn.author) for text in sorted(texts)]
    others = sum(each.weight for each in found if not each.doubts)
    bank = sorted(bank_questions(fillers))
    taken = rng.sample(bank, min(banked, len(bank)))
    found += [
        Example(text, len(turns) + n, "bank", doubts=False, weight=BANK_SHARE * others / len(taken))
        for n, text in enumerate(taken)
    ]
    weight = {label: sum(each.weight for each in found if each.doubts is label) for label in (True, False)}
    least = min(weight.values())
    return [replace(e, weight=e.weight * least / weight[e.doubts]) for e in found]


def bank_questions(fillers: "Fillers") -> Iterator[str]:
    """Yield the questions of the banks, one a topic and language, and all of the groups' near misses."""
    for family in all_families():
        for topic in family.topics:
            for language, texts in topic.wordings.items():
                if language in LANGUAGES:
                    values = {slot: fillers.value(slot, language) for slot in ("place", "year", "date")}
                    text = fill_topic(fillers.rng.choice(texts), values)
                    if text:
                        yield text
    for group in read_questions():
        yield from group.other
        yield group.same[0]


class Fillers:
    """Values for slots, drawn by chance; what a language calls them where it matters."""

    def __init__(self, rng: random.Random) -> None:
        """Take the source of chance."""
        self.rng = rng
        self._names: dict[str, list[str]] = {}
        for name in written():
            self._names.setdefault(name.kind, []).append(name.forms["en"][0])

    def fill(self, text: str, language: str) -> str:
        """Return a text with its slots filled."""
        numeric = _BARE.fullmatch(text) is not None  # a bare name asks of something else as often as it doubts
        values = {}
        for slot, second in dict.fromkeys(_SLOT.findall(text)):
            values[slot + second] = self.value("amount" if slot == "value" and numeric else slot, language)
        return _SLOT.sub(lambda found: values[found[1] + found[2]], text)

    def value(self, slot: str, language: str) -> str:
        """Return a value for a slot.

        Raises:
            KeyError: no such slot.
        """
        rng = self.rng
        match slot:
            case "value":
                kind = rng.choice(("amount", "amount", "date", "name", "name", "place", "place", "word", "word", "thing"))
                return self.value(kind, language)
            case "name":
                whole = rng.choice(self._names["person"])
                return whole if rng.random() < 0.7 else rng.choice(_FIRST)
            case "place":
                return rng.choice(_PLACES[language])
            case "thing":
                return rng.choice(self._names[rng.choice(("work", "work", "org", "product", "band", "place"))])
            case "word":
                return rng.choice(_WORDS[language])
            case "year":
                return str(rng.randint(1780, 2026))
            case "number":
                return str(rng.randint(2, 99))
            case "date":
                day = rng.randint(1, 28)
                month = rng.choice(_MONTHS[language])
                text = {"en": f"{day} {month}", "de": f"{day}. {month}", "fr": f"{day} {month}", "es": f"{day} de {month}"}[
                    language
                ]
                return rng.choice((text, f"{text} {self.value('year', language)}", self.value("year", language)))
            case "amount":
                number = rng.choice((rng.randint(0, 30), rng.randint(2, 400), rng.randint(1000, 90_000)))
                point = "." if language == "en" else ","
                shown = rng.choice((str(number), f"{number}{point}{rng.randint(1, 99)}"))
                return shown + rng.choice(
                    ("", "", " %", "%", " euros" if language != "de" else " Euro", " km/h", " km", " m", " kg", " €")
                )
            case _:
                raise KeyError(slot)


def careless(text: str, rng: random.Random) -> str:
    """Return a text as it is typed in haste: without capitals and marks, without the last mark, or with too many of it."""
    bare = text.strip("¿¡ ").rstrip(" .!?…")
    if len(bare.split()) < 3:
        return text.casefold()  # its marks may be all that tells
    return rng.choice(
        (bare.casefold(), bare.casefold(), bare, bare + rng.choice(("??", "?!") if "?" in text else ("!!", "...")))
    )


_FIRST: Final = tuple(
    "Anna Tom Maria Paul Lucia Peter Sophie Max Carmen Pierre Julia Omar Lena David Ines Yuki Priya Karl Emma Luis".split()
)
_PLACES: Final = {
    "en": tuple(
        "France|Germany|Spain|Italy|Poland|Japan|Canada|Brazil|Texas|California|London|Paris|Berlin|Vienna|Rome|Madrid|Oslo|Cairo|Lagos|Lima|Sydney|Boston|Prague|Malta|Norway|Sweden|Bavaria|Scotland|the United States|Switzerland".split(
            "|"
        )
    ),
    "de": tuple(
        "Frankreich|Deutschland|Spanien|Italien|Polen|Japan|Kanada|Brasilien|Texas|Bayern|London|Paris|Berlin|Wien|Rom|Madrid|Oslo|Kairo|Lima|Sydney|Hamburg|Prag|Malta|Norwegen|Schweden|Sachsen|Schottland|Österreich|Zürich|Graz".split(
            "|"
        )
    ),
    "fr": tuple(
        "Lyon|Paris|Marseille|Berlin|Vienne|Rome|Madrid|Oslo|Lima|Sydney|Londres|Prague|Malte|Genève|Bruxelles|Montréal|Dakar|Tunis|Lille|Bordeaux|Toulouse|Nantes|Tokyo|New York|Bamako|Luxembourg|Monaco|Chypre|Cuba|Singapour".split(
            "|"
        )
    ),
    "es": tuple(
        "Francia|Alemania|España|Italia|Polonia|Japón|Canadá|Brasil|México|Argentina|Londres|París|Berlín|Viena|Roma|Madrid|Sevilla|Lima|Bogotá|Quito|Chile|Praga|Malta|Noruega|Suecia|Valencia|Escocia|Cuba|Suiza|Portugal".split(
            "|"
        )
    ),
}
_WORDS: Final = {
    "en": tuple(
        "red|blue|copper|gold|English|French|Catholic|a dentist|a lawyer|the second one|an island|football|jazz|oxygen|the left one|north|spring|Tuesday|a river|a novel|cardiology|piano|the mother|a fish|the army|wood|yes|no|the bank|free of charge|two weeks|at noon|goalkeeper|physics|opera".split(
            "|"
        )
    ),
    "de": tuple(
        "rot|blau|Kupfer|Gold|Englisch|Französisch|katholisch|Zahnarzt|Anwältin|der zweite|eine Insel|Fußball|Jazz|Sauerstoff|links|Norden|Frühling|Dienstag|ein Fluss|ein Roman|Klavier|die Mutter|ein Fisch|Holz|ja|nein|die Bank|kostenlos|zwei Wochen|mittags|Torwart|Physik|Oper".split(
            "|"
        )
    ),
    "fr": tuple(
        "rouge|bleu|le cuivre|l'or|l'anglais|l'allemand|catholique|dentiste|avocate|le deuxième|une île|le football|le jazz|l'oxygène|à gauche|le nord|le printemps|mardi|un fleuve|un roman|le piano|la mère|un poisson|le bois|oui|non|la banque|gratuit|deux semaines|midi|gardien de but|la physique|l'opéra".split(
            "|"
        )
    ),
    "es": tuple(
        "rojo|azul|el cobre|el oro|inglés|francés|católico|dentista|abogada|el segundo|una isla|el fútbol|el jazz|el oxígeno|a la izquierda|el norte|la primavera|el martes|un río|una novela|el piano|la madre|un pez|la madera|sí|no|el banco|gratis|dos semanas|a mediodía|portero|la física|la ópera".split(
            "|"
        )
    ),
}
_MONTHS: Final = {
    "en": tuple("January February March April May June July August September October November December".split()),
    "de": tuple("Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()),
    "fr": tuple("janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()),
    "es": tuple("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()),
}
