"""The relations that training knows: hand-written templates, and which relation a public row expresses.

A template is a question or a cloze with ``{}`` for the subject. The text file beside this module holds them; CounterFact's
own templates are among them, so a CounterFact row can be given its Wikidata property although the data omit it.
"""

import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

from rag_edit.scope.mentions import fold_words

# Statements of PokeMQA, in its own spelling, and the relation that each expresses. Groups: s subject, o object.
STATEMENTS: Final[tuple[tuple[str, str], ...]] = (
    (r"(?P<s>.+) is a citizen of (?P<o>.+)", "P27"),
    (r"(?P<s>.+) is affiliated with the religion of (?P<o>.+)", "P140"),
    (r"(?P<s>.+) speaks the language of (?P<o>.+)", "P1412"),
    (r"(?P<s>.+) was born in the city of (?P<o>.+)", "P19"),
    (r"(?P<s>.+) plays the position of (?P<o>.+)", "P413"),
    (r"(?P<s>.+) is associated with the sport of (?P<o>.+)", "P641"),
    (r"The headquarters of (?P<s>.+) is located in the city of (?P<o>.+)", "P159"),
    (r"(?P<s>.+) died in the city of (?P<o>.+)", "P20"),
    (r"The type of music that (?P<s>.+) plays is (?P<o>.+)", "P136"),
    (r"(?P<s>.+) was created in the country of (?P<o>.+)", "P495"),
    (r"(?P<s>.+) works in the field of (?P<o>.+)", "P101"),
    (r"The company that produced (?P<s>.+) is (?P<o>.+)", "P176"),
    (r"(?P<s>.+) worked in the city of (?P<o>.+)", "P937"),
    (r"(?P<s>.+) was written in the language of (?P<o>.+)", "P407"),
    (r"The univeristy where (?P<s>.+) was educated is (?P<o>.+)", "educated"),
    (r"(?P<s>.+) was developed by (?P<o>.+)", "P178"),
    (r"The chairperson of (?P<s>.+) is (?P<o>.+)", "chair"),
    (r"The origianl broadcaster of (?P<s>.+) is (?P<o>.+)", "P449"),
    (r"(?P<s>.+) is employed by (?P<o>.+)", "P108"),
    (r"(?P<s>.+) is located in the continent of (?P<o>.+)", "P30"),
    (r"(?P<s>.+) was founded in the city of (?P<o>.+)", "P740"),
    (r"(?P<s>.+) was performed by (?P<o>.+)", ""),
    (r"The author of (?P<s>.+) is (?P<o>.+)", "author"),
    (r"(?P<s>.+)'s child is (?P<o>.+)", "child"),
    (r"The chief executive officer of (?P<s>.+) is (?P<o>.+)", "ceo"),
    (r"The capital of (?P<s>.+) is (?P<o>.+)", "P36"),
    (r"(?P<s>.+) was created by (?P<o>.+)", "discoverer"),
    (r"(?P<s>.+) was founded by (?P<o>.+)", "founder"),
    (r"The name of the current head of state in (?P<s>.+) is (?P<o>.+)", "head"),
    (r"(?P<s>.+) is married to (?P<o>.+)", "spouse"),
    (r"The name of the current head of the (?P<s>.+) government is (?P<o>.+)", "head of government"),
    (r"The director of (?P<s>.+) is (?P<o>.+)", "director"),
    (r"The official language of (?P<s>.+) is (?P<o>.+)", "P37"),
    (r"The original language of (?P<s>.+) is (?P<o>.+)", "P364"),
)
# Two relations between which the public data do not decide: no negative is made across such a pair.
UNDECIDED: Final[frozenset[frozenset[str]]] = frozenset(
    frozenset(pair.split(" ", 1))
    for pair in (
        "P103 P1412",
        "P178 P176",
        "P740 P495",
        "P276 P159",
        "P276 P17",
        "P276 P131",
        "P276 P30",
        "P39 P106",
        "P127 parent",
        "P127 P176",
        "P127 P178",
        "P364 P407",
        "P137 P127",
        "discoverer P178",
        "discoverer P176",
        "founder ceo",
        "founder discoverer",
        "ceo chair",
        "P740 P159",
        "general notable",
        "P413 role",
        "P176 producer",
        "P178 producer",
        "P449 release",
        "performer P175",
        "lyrics author",
        "lyrics composer",
        "mayor ceo",
        "size area",
        "head ethnicity",
        "P136 notable",
        "author discoverer",
        "P19 P740",
        "P19 P495",
        "place P37",
        "P463 team",
        "P463 party",
        "P108 P463",
        "inception discovery",
        "general ethnicity",
        "P937 residence",
        "notable discoverer",
        "head chair",
        "head head of government",
        "head of government ceo",
        "P138 discoverer",
        "P101 educated",
        "military P463",
        "geography P30",
        "ethnicity P27",
    )
)


@dataclass(slots=True)
class Relation:
    """One relation: subject kinds, example values of the target, and masked questions and clozes."""

    name: str
    kinds: frozenset[str]
    values: list[str]
    questions: list[str] = field(default_factory=list)
    clozes: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    mixed: bool = False  # a mark "!" in the file: templates that differ among themselves, only used as negatives

    def forms(self) -> list[str]:
        """Return all templates."""
        return self.questions + self.clozes


@dataclass(slots=True)
class Relations:
    """All relations, and under which of them a template stands."""

    by_name: dict[str, Relation]
    members: dict[str, set[str]]

    def of(self, template: str) -> set[str]:
        """Return the names of the relations that ``template`` may express; empty where unknown."""
        return self.members.get(fold_words(template.replace("{}", " subj ")), set())

    def add(self, name: str, template: str) -> None:
        """Add ``template`` to the relation ``name``, once."""
        relation = self.by_name[name]
        wanted = relation.questions if is_question(template) else relation.clozes
        key = fold_words(template.replace("{}", " subj "))
        if name not in self.members.setdefault(key, set()):
            wanted.append(template)
            self.members[key].add(name)

    def undecided(self, left: set[str], right: set[str]) -> bool:
        """Return whether the two sets share a relation, or a pair that the data do not decide."""
        return bool(left & right) or any(frozenset((a, b)) in UNDECIDED for a in left for b in right)


def is_question(template: str) -> bool:
    """Return whether a template asks, rather than breaks off for the answer."""
    return template.rstrip().endswith(("?", ".")) or bool(
        re.match(r"(?i)(what|who|where|when|which|how|is|does|tell)\b", template)
    )


def read_relations(text: str | None = None) -> Relations:
    """Return the hand-written relations; ``text`` replaces the packaged file in tests."""
    body = text if text is not None else files("rag_edit.scope.training").joinpath("relations.txt").read_text("utf-8")
    found = Relations({}, {})
    name = ""
    for line in body.splitlines():
        if line.startswith("@"):
            title, kinds, values = (part.strip() for part in line[1:].split("|"))
            mixed, title = title.startswith("!"), title.removeprefix("!").strip()
            name = title.split()[0] if title.split()[0] not in found.by_name else title
            kept = [v.strip() for v in values.split(";") if v.strip()]
            found.by_name[name] = Relation(name, frozenset(k.strip() for k in kinds.split(",")), kept, mixed=mixed)
        elif line and not line.startswith("#"):
            for template in line.split(" / "):
                found.add(name, template.strip())
    return found
