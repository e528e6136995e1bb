"""Labelled text pairs for the pair encoder: what is asked, what a record answers, and whether it is the same.

Most pairs have the subject cut out (``[MASK]``): the model learns relations, names are the string matcher's work. The
rest keep names, for records without a subject. Every draw comes from one seeded generator.
"""

import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag_edit.scope.training.relations import Relation, Relations, is_question
from rag_edit.scope.training.sources import Row, last_sentence

SUBJECT: Final = "[MASK]"
LONGER: Final = (  # a name that only contains the subject
    "{} Jr.",
    "{} II",
    "{} County",
    "{} University",
    "University of {}",
    "{} Airport",
    "{} FC",
    "New {}",
    "North {}",
    "{} Street",
    "{} 2",
    "{} School",
    "{} Museum",
    "{} Symphony Orchestra",
    "{} Monorail",
    "{}, season 12",
    "{} GT1",
    "{} Smith",
    "John {}",
    "the {} family",
    "{} Records",
    "{} (film)",
    "Saint {}",
    "{} Township",
    "{} Railway Station",
    "Lake {}",
    "the {} Foundation",
    "{} and Tobago",
    "{} Price",
    "{} Award",
    "{} Cathedral",
    "{} III",
    "Little {}",
    "{} Bay",
)
OTHERS: Final = (  # somebody or something else, reached through the subject
    "the father of {}",
    "{}'s father",
    "{}'s wife",
    "the wife of {}",
    "the son of {}",
    "{}'s mother",
    "the brother of {}",
    "the author of {}",
    "the founder of {}",
    "the capital of {}",
    "the director of {}",
    "the CEO of {}",
    "{}'s daughter",
    "the country where {} was born",
    "the city where {} died",
    "the creator of {}",
    "{}'s employer",
    "the team that {} plays for",
    "the president of {}",
    "the twin city of {}",
    "the company that made {}",
    "the neighbour of {}",
    "the band of {}",
)
PLACES: Final = (
    "Austria",
    "Germany",
    "France",
    "Italy",
    "Spain",
    "Switzerland",
    "Bavaria",
    "Texas",
    "California",
    "Canada",
    "Japan",
    "Georgia",
    "Ireland",
    "Poland",
    "Brazil",
    "India",
    "Scotland",
)
OPENERS: Final = (
    "Please tell me: ",
    "Hi! ",
    "Quick question: ",
    "Do you know ",
    "I would like to know: ",
    "Can you tell me ",
    "Hey, ",
    "tell me ",
    "Answer in one word: ",
    "Just curious, ",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One example: the question's text, the record's text, 1 for the same fact, and how it was made."""

    question: str
    record: str
    label: int
    kind: str


class PairMaker:
    """Draws pairs. Holds templates by relation, rows, and names by kind of subject."""

    def __init__(self, relations: Relations, rows: list[Row], vectors: dict[str, NDArray[np.float32]], seed: int) -> None:
        self.relations, self.rng = relations, random.Random(seed)
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.zsre: dict[str, list[Row]] = defaultdict(list)
        self.vectors = vectors  # template -> (384,) unit vector: only used to find negatives that read alike
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            self.rows[row.source].append(row)
            if row.source == "zsre":
                self.zsre[row.relation].append(row)
                continue
            if row.relation in relations.by_name:
                relation = relations.by_name[row.relation]
                relation.subjects.append(row.subject)
                relation.values.append(row.target)
                for ask in row.asks:
                    counts[last_sentence(ask)][row.relation] += 1
        for template, seen in counts.items():  # a template joins a relation that it serves often, not by one stray row
            known, most = relations.of(template), max(seen.values())
            for name, count in seen.items():
                if name in known or (not known and count == most) or count >= max(4, 0.2 * most):
                    relations.add(name, template)
        self.names: dict[str, list[str]] = defaultdict(list)
        for relation in relations.by_name.values():
            if len(relation.kinds) == 1:
                self.names[next(iter(relation.kinds))].extend(relation.subjects)
        self.names["any"] = [n for r in relations.by_name.values() for n in r.subjects]
        self.list = list(relations.by_name.values())
        self.clean = [r for r in self.list if not r.mixed]
        self.weights = [1.0 + min(6.0, len(r.subjects) ** 0.5 / 2) for r in self.clean]
        self.near = self._near()

    def _near(self) -> dict[str, list[str]]:
        """Return for each relation the others of its kinds, the ones that read alike first."""
        centre = {}
        for relation in self.list:
            known = [self.vectors[f] for f in relation.forms() if f in self.vectors]
            centre[relation.name] = np.mean(known, axis=0) if known else np.zeros(384, np.float32)
        near: dict[str, list[str]] = {}
        for relation in self.list:
            others = [
                o
                for o in self.list
                if o.name != relation.name
                and o.kinds & relation.kinds
                and not self.relations.undecided({o.name}, {relation.name})
            ]
            near[relation.name] = [o.name for o in sorted(others, key=lambda o: -float(centre[o.name] @ centre[relation.name]))]
        return near

    # -- texts

    def value(self, relation: Relation) -> str:
        """Return a target value of the relation, or ""."""
        return self.rng.choice(relation.values) if relation.values else ""

    def record(self, template: str, target: str, name: str) -> tuple[str, bool]:
        """Return the record's text and whether it carries the target."""
        text = template.replace("{}", name)
        with_target = bool(target) and self.rng.random() < 0.75
        return (f"{text} | {target}" if with_target else text), with_target

    def ask(self, template: str, name: str) -> str:
        """Return the question's text, now and then with an opener, a typing error or without its mark."""
        rng, text = self.rng, template.replace("{}", name)
        if rng.random() < 0.3:
            text = text.rstrip(" ?.")
        if rng.random() < 0.06:
            text = rng.choice(OPENERS) + text
        if rng.random() < 0.07:
            spots = [m.start() for m in re.finditer(r"[a-z]{4,}", text.replace("[MASK]", "      "))]
            if spots:
                i = rng.choice(spots) + rng.randrange(1, 4)
                text = rng.choice((text[:i] + text[i + 1 :], text[:i] + text[i + 1 : i + 2] + text[i : i + 1] + text[i + 2 :]))
        return text

    def name_of(self, relation: Relation) -> str:
        """Return a subject that the relation can be asked of."""
        if relation.subjects and self.rng.random() < 0.8:
            return self.rng.choice(relation.subjects)
        kind = self.rng.choice(sorted(relation.kinds))
        return self.rng.choice(self.names[kind] or self.names["any"])

    def form(self, relation: Relation, questions: float) -> str:
        """Return a template of the relation, a question with the given probability."""
        first, second = (
            (relation.questions, relation.clozes) if self.rng.random() < questions else (relation.clozes, relation.questions)
        )
        return self.rng.choice(first or second)

    # -- pairs

    def draw(self) -> Pair:
        """Return the next pair."""
        kinds = (
            (20, self.same_relation),
            (9, self.same_counterfact),
            (7, self.same_pokemqa),
            (9, self.same_zsre),
            (4, self.same_statement),
            (27, self.other_relation),
            (5, self.other_counterfact),
            (7, self.other_zsre),
            (5, self.longer_name),
            (3, self.chain),
            (4, self.place_or_year),
            (6, self.other_name),
        )
        while True:
            make = self.rng.choices([m for _, m in kinds], [w for w, _ in kinds])[0]
            if (pair := make()) is not None:
                return pair

    def _name(self, relation: Relation | None, row: Row | None = None, named: float = 0.3) -> str:
        if self.rng.random() >= named:
            return SUBJECT
        return row.subject if row is not None else self.name_of(relation) if relation is not None else SUBJECT

    def same_relation(self) -> Pair:
        """Return two templates of one relation."""
        relation = self.rng.choices(self.clean, self.weights)[0]
        name = self._name(relation)
        left, right = self.form(relation, 0.8), self.form(relation, 0.75)
        target = self.value(relation)
        text, with_target = self.record(right, target, name)
        if not with_target and len(self.relations.of(left) | self.relations.of(right)) > 1 and target:
            text = f"{right.replace('{}', name)} | {target}"
        return Pair(self.ask(left, name), text, 1, "same relation")

    def same_counterfact(self) -> Pair:
        """Return the two prompts of a CounterFact row."""
        row = self.rng.choice(self.rows["counterfact"])
        own, other = row.asks
        if self.rng.random() < 0.4:
            other = last_sentence(other)
        if self.rng.random() < 0.15:
            own, other = last_sentence(other), own
        name = self._name(None, row)
        return Pair(self.ask(other, name), self.record(own, row.target, name)[0], 1, "counterfact row")

    def same_pokemqa(self) -> Pair:
        """Return two questions of a PokeMQA row."""
        row = self.rng.choice(self.rows["pokemqa"])
        left, right = self.rng.choice(row.asks), self.rng.choice(row.asks)
        name = self._name(None, row, 0.4)
        return Pair(self.ask(left, name), self.record(right, row.target, name)[0], 1, "pokemqa row")

    def same_zsre(self) -> Pair:
        """Return the two questions of a zsRE row, or of two rows that share one."""
        row = self.rng.choice(self.rows["zsre"])
        left, right = row.asks if self.rng.random() < 0.5 else row.asks[::-1]
        if self.rng.random() < 0.3:
            right = self.rng.choice(self.rng.choice(self.zsre[row.relation]).asks)
        name = self._name(None, row, 0.5)
        return Pair(self.ask(left, name), self.record(right, row.target, name)[0], 1, "zsre row")

    def same_statement(self) -> Pair | None:
        """Return a yes/no, negated or tag question that states a value: about the same fact, whichever value it states."""
        relation = self.rng.choices(self.clean, self.weights)[0]
        clozes = [c for c in relation.clozes if c.startswith(("{} ", "The "))]
        if not clozes or not relation.values:
            return None
        name, target = self._name(relation), self.value(relation)
        stated = target if self.rng.random() < 0.5 else self.value(relation)
        claim = f"{self.rng.choice(clozes)} {stated}"
        text = self.rng.choice(
            (
                "Is it true that {c}?",
                "{c}, right?",
                "Is it correct that {c}?",
                "{c}?",
                "{c}, isn't that so?",
                "Is it false that {c}?",
                "Do you agree that {c}?",
            )
        ).replace("{c}", claim)
        return Pair(self.ask(text, name), self.record(self.form(relation, 0.75), target, name)[0], 1, "statement")

    def _other(self, relation: Relation) -> Relation | None:
        near = self.near[relation.name]
        if not near:
            return None
        cut = max(3, len(near) // 5) if self.rng.random() < 0.7 else len(near)
        return self.relations.by_name[self.rng.choice(near[:cut])]

    def other_relation(self) -> Pair | None:
        """Return templates of two relations about one subject; the target says which is which where wording does not."""
        relation = self.rng.choices(self.clean, self.weights)[0]
        other = self._other(relation)
        if other is None:
            return None
        left, right = self.form(other, 0.85), self.form(relation, 0.75)
        asked = self.relations.of(left)
        name = self._name(relation)
        text, with_target = self.record(right, self.value(relation), name)
        answers = {relation.name} if with_target else self.relations.of(right) | {relation.name}
        if self.relations.undecided(asked | {other.name}, answers):
            return None
        return Pair(self.ask(left, name), text, 0, "other relation")

    def other_counterfact(self) -> Pair | None:
        """Return a CounterFact prompt and another relation of the same subject."""
        row = self.rng.choice(self.rows["counterfact"])
        if row.relation not in self.near or (other := self._other(self.relations.by_name[row.relation])) is None:
            return None
        left = self.form(other, 0.6)
        if self.relations.undecided(self.relations.of(left) | {other.name}, self.relations.of(row.asks[0]) | {row.relation}):
            return None
        name = self._name(None, row)
        return Pair(self.ask(left, name), self.record(row.asks[0], row.target, name)[0], 0, "counterfact other relation")

    def other_zsre(self) -> Pair | None:
        """Return questions of two zsRE rows that do not read alike, about one subject."""
        row, other = self.rng.choice(self.rows["zsre"]), self.rng.choice(self.rows["zsre"])
        left, right = self.rng.choice(other.asks), self.rng.choice(row.asks)
        if row.relation == other.relation or self.alike(left, right) > 0.72:
            return None
        if self.alike(left, right) < 0.35 and self.rng.random() < 0.6:
            return None
        name = self._name(None, row, 0.4)
        return Pair(self.ask(left, name), self.record(right, row.target, name)[0], 0, "zsre other relation")

    def alike(self, left: str, right: str) -> float:
        """Return the cosine of two templates under the untrained encoder; 0 where one has no vector."""
        a, b = self.vectors.get(left), self.vectors.get(right)
        return 0.0 if a is None or b is None else float(a @ b)

    def _any_row(self) -> tuple[str, str, str, str]:
        if self.rng.random() < 0.7:
            relation = self.rng.choices(self.clean, self.weights)[0]
            return self.form(relation, 0.85), self.form(relation, 0.75), self.value(relation), self.name_of(relation)
        row = self.rng.choice(self.rows[self.rng.choice(("zsre", "pokemqa"))])
        return self.rng.choice(row.asks), self.rng.choice(row.asks), row.target, row.subject

    def longer_name(self) -> Pair:
        """Return a question about a name that only contains the subject."""
        left, right, target, name = self._any_row()
        name = SUBJECT if self.rng.random() < 0.75 else name
        return Pair(
            self.ask(left, self.rng.choice(LONGER).replace("{}", name)), self.record(right, target, name)[0], 0, "longer name"
        )

    def chain(self) -> Pair:
        """Return a question about somebody else, reached through the subject."""
        left, right, target, name = self._any_row()
        name = SUBJECT if self.rng.random() < 0.75 else name
        return Pair(
            self.ask(left, self.rng.choice(OTHERS).replace("{}", name)), self.record(right, target, name)[0], 0, "chain"
        )

    def place_or_year(self) -> Pair | None:
        """Return a question and a record with places or years, the same or not."""
        left, right, target, name = self._any_row()
        if not (is_question(left) and is_question(right)):
            return None
        name = SUBJECT if self.rng.random() < 0.7 else name
        years = self.rng.random() < 0.5
        first, second = self.rng.sample([str(y) for y in range(1900, 2030)] if years else list(PLACES), 2)
        same = self.rng.random() < 0.45
        second = first if same else second
        put = (
            (lambda t, w: t.rstrip(" ?.") + f" in {w}?")
            if self.rng.random() < 0.6
            else (lambda t, w: f"In {w}, {t[0].lower()}{t[1:]}")
        )
        return Pair(
            self.ask(put(left, first), name),
            self.record(put(right, second), target, name)[0],
            int(same),
            "year" if years else "place",
        )

    def other_name(self) -> Pair | None:
        """Return the same relation asked of two subjects, names kept."""
        left, right, target, name = self._any_row()
        other = self.rng.choice(self.names["any"])
        if self.rng.random() < 0.4 and len(name.split()) > 1:  # a namesake
            parts, strange = name.split(), other.split()
            parts[self.rng.randrange(len(parts))] = self.rng.choice(strange)
            other = " ".join(parts)
        if other.casefold() == name.casefold():
            return None
        return Pair(self.ask(left, other), self.record(right, target, name)[0], 0, "other name")
