"""The training corpus of the joint head: groups of texts, and the labelled pairs that they make.

Everything is drawn from the public train sets, the hand-written relations in eleven languages, aligned names and families of
topics; what stands in a development half is dropped. One seed decides all draws.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_edit.scope.mentions import fold_words
from rag_edit.scope.training.groups import Group, GroupMaker, Text, typo
from rag_edit.scope.training.multilingual import read_phrases
from rag_edit.scope.training.names import Aligned, aligned_names, recombined, written
from rag_edit.scope.training.questions import QuestionGroup, read_questions
from rag_edit.scope.training.relations import read_relations
from rag_edit.scope.training.sources import Row, counterfact, held_out, pokemqa, zsre
from rag_edit.scope.training.topics import Family, Topic, all_families, fill

CITIES: Final = 9000  # the largest; more would drown the persons
PERSONS: Final = 6000  # recombined of written ones
PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "en": tuple(
        "Germany Austria France Spain Italy Portugal Ireland Bavaria Texas Japan Canada Poland Brazil Wales Ontario Sweden Kenya India".split()
    ),
    "de": tuple("Deutschland Österreich Frankreich Spanien Bayern Polen Italien".split()),
    "fr": tuple("France Belgique Allemagne Italie".split()),
    "es": tuple("España México Francia Portugal".split()),
}
DATES: Final[Mapping[str, str]] = {"en": "6 January", "de": "6. Januar", "fr": "6 janvier", "es": "6 de enero"}
YEARS: Final = ("2019", "2021", "2024", "2025", "2026")

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Unit vectors of texts under an untrained encoder."""

_FIELDS: Final = (("left", ()), ("right", ()), ("label", ()), ("left_name", (2,)), ("right_name", (2,)), ("same_name", ()))
PAIR: Final = np.dtype([(name, "<i4", shape) for name, shape in (*_FIELDS, ("group", ()), ("kind", ()))])


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts, and which two of them ask for the same fact.

    Attributes:
        texts: each once.
        kinds: what groups were made of, by number.
        pairs: of `PAIR`; names are characters, -1 where there is none; ``same_name`` says that both name one subject in the same letters.
        dropped: rows left out, by source.
    """

    texts: tuple[str, ...]
    kinds: tuple[str, ...]
    pairs: NDArray[np.void]
    dropped: Mapping[str, int]


def build(data: Path, embed: Embed, groups: int, topics: int, seed: int) -> Corpus:
    """Return the corpus.

    Args:
        data: folder of the suites.
        embed: only used to find negatives that read alike.
        groups: how many round a subject.
        topics: how many round a family, for each topic of it.
        seed: of all draws.
    """
    relations, dropped = read_relations(), Counter[str]()
    rows: list[Row] = [*counterfact(data, relations, dropped), *pokemqa(data, dropped), *zsre(data, dropped)]
    templates = sorted(
        {f for r in relations.by_name.values() for f in r.forms()}
        | {a for row in rows if row.source != "counterfact" for a in row.asks}
    )
    vectors = dict(zip(templates, embed([t.replace("{}", "it") for t in templates]), strict=True))
    abroad: dict[str, dict[str, tuple[str, ...]]] = {}
    for phrases in read_phrases():
        abroad.setdefault(phrases.relation, {})[phrases.language] = phrases.questions + phrases.clozes
    maker = GroupMaker(relations, rows, vectors, abroad, called(held_out(data)[0], seed), seed)
    made = [maker.draw() for _ in range(groups)]
    made += topic_groups(all_families(), topics, random.Random(seed))
    made += question_groups(read_questions(), random.Random(seed))
    return label(made, maker, dropped)


def called(dropped: set[str], seed: int) -> list[tuple[str, Mapping[str, tuple[str, ...]]]]:
    """Return (kind of subject, forms by language) of names known in several languages."""
    own = [name for name in written() if not any(fold_words(text) in dropped for text in name.texts())]
    rest = [n for n in aligned_names(("cldr", "iso", "cities"), dropped) if n.kind in ("place", "city")]
    cities = [n for n in rest if n.source == "cities"][:CITIES]
    names: list[Aligned] = [*own, *(n for n in rest if n.source != "cities"), *cities, *recombined(own, PERSONS, seed, dropped)]
    return [("place" if n.kind == "city" else n.kind, n.forms) for n in names]


def topic_groups(families: Sequence[Family], each: int, rng: random.Random) -> list[Group]:
    """Return groups of wordings of two or three topics of a family, the more written about the oftener, and of a topic of another one."""
    made = []
    for family in families:
        written = {topic.name: sum(1 for _ in topic.all_wordings()) for topic in family.topics}
        for _ in range(each * max(2, len(family.topics) // 2)):
            drawn = sorted(family.topics, key=lambda topic: rng.random() ** (1 / written[topic.name]), reverse=True)[:3]
            other = rng.choice(families)
            chosen = {topic.name: topic for topic in (*drawn, rng.choice(other.topics))}
            texts = [text for topic in chosen.values() for text in _wordings(topic, rng)]
            made.append(Group("topic", tuple({t.text: t for t in texts}.values())))
    return made


def question_groups(groups: Sequence[QuestionGroup], rng: random.Random) -> list[Group]:
    """Return a group for each question of hand-written ones: its wordings, and what may be mistaken for it."""
    made = []
    for number, group in enumerate(groups):
        texts = [_plain(text, f"q:{number}", rng, group.subject) for text in group.same]
        texts += [_plain(text, f"q:{number}/{n}", rng, group.subject) for n, text in enumerate(group.other)]
        texts += [
            _plain(rng.choice(other.same), f"q:{o}", rng) for o, other in rng.sample(list(enumerate(groups)), 3) if o != number
        ]
        made.append(Group("question", tuple({t.text: t for t in texts}.values())))
    return made


def _plain(text: str, fact: str, rng: random.Random, subject: str = "") -> Text:
    """Return a text, a typing error put in now and then, and where it names ``subject``, if it does."""
    text = typo(text, rng) if rng.random() < 0.06 else text
    found = re.search(rf"\b{re.escape(subject)}\b", text, re.IGNORECASE) if subject else None
    return Text(text, None if found is None else found.span(), "", fact, frozenset({fact}))


def _wordings(topic: Topic, rng: random.Random) -> list[Text]:
    """Return three wordings in English and three in other languages, places and years filled in now and then."""
    english = [w for w in topic.all_wordings() if w[0] == "en"]
    abroad = [w for w in topic.all_wordings() if w[0] != "en"]
    texts = []
    for language, wording in rng.sample(english, min(3, len(english))) + rng.sample(abroad, min(3, len(abroad))):
        place, year = rng.choice(PLACES.get(language, PLACES["en"])), rng.choice(YEARS)
        some = {"place": place if rng.random() < 0.3 else "", "year": year if rng.random() < 0.3 else ""}
        date = DATES.get(language, DATES["en"])
        text = fill(wording, some) or fill(wording, {"place": place, "year": year, "date": date})
        if text is None:
            continue
        if language == "en" and rng.random() < 0.1:
            text = typo(text, rng)
        if rng.random() < 0.08:
            text = text.lower()
        fact = f"t:{topic.name}"
        texts.append(Text(text, None, "", fact, frozenset({fact}), language))
    return texts


def label(groups: Sequence[Group], maker: GroupMaker, dropped: Mapping[str, int]) -> Corpus:
    """Return texts and labelled pairs of the groups; pairs that the data do not decide are left out."""
    places: dict[str, int] = {}
    kinds = sorted({group.kind for group in groups})
    rows: list[tuple[object, ...]] = []
    for number, group in enumerate(groups):
        ids = [places.setdefault(text.text, len(places)) for text in group.texts]
        for i, left in enumerate(group.texts):
            for j, right in enumerate(group.texts):
                found = maker.label(left, right) if i != j else None
                if found is None:
                    continue
                a, b = left.span, right.span
                same = a is not None and b is not None and left.text[slice(*a)].casefold() == right.text[slice(*b)].casefold()
                rows.append((ids[i], ids[j], found, a or (-1, -1), b or (-1, -1), same, number, kinds.index(group.kind)))
    return Corpus(tuple(places), tuple(kinds), np.array(rows, PAIR), dict(dropped))
