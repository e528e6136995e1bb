"""The relations of training in ten more languages: hand-written questions and clozes with ``{}`` for the subject.

A cloze is a statement that breaks off for its answer. Where a language puts the answer before the verb, a cloze has the
form that a translation of an English cloze takes ("{}の母国語は"). Case endings behind a subject vary from template to
template in Turkish, since they depend on the name; names are not inflected in Russian. A relation bears its name in
``relations.txt``, and a mark "!" there holds here too.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("de", "fr", "es", "ja", "zh", "ar", "tr", "it", "pt", "ru")


@dataclass(frozen=True, slots=True)
class Phrases:
    """How one relation is asked and stated in one language; every text has ``{}`` exactly once."""

    relation: str
    language: str
    questions: tuple[str, ...]
    clozes: tuple[str, ...]


def read_phrases(lines: Iterable[str] | None = None) -> list[Phrases]:
    """Return the templates of all relations and languages; ``lines`` replaces the packaged file in tests."""
    packaged = files("rag_edit.scope.training").joinpath("relations_multilingual.jsonl")
    body = lines if lines is not None else packaged.read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in body]
    return [Phrases(row["relation"], row["language"], tuple(row["questions"]), tuple(row["clozes"])) for row in rows]


def by_template(phrases: Iterable[Phrases]) -> dict[tuple[str, str], frozenset[str]]:
    """Return, for language and template, the relations that it may express: more than one makes no negative."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in phrases:
        for text in row.questions + row.clozes:
            found.setdefault((row.language, text), set()).add(row.relation)
    return {key: frozenset(names) for key, names in found.items()}
