"""Questions people ask of the world, in groups: several wordings of one question, and questions that only look like it.

``questions.jsonl`` holds one group a line: ``{"same": [...], "other": [...]}``, with the ``subject`` where a text names what all of ``same`` are about. Each two of ``same`` ask for the same fact;
each of ``other`` asks for another fact than ``same``, in nearly the same words. Two of ``other`` may ask for the same fact
or not: nothing is known of them. Groups have different subjects.

The texts were written for this, most in English. This module does not know the answers, nor how pairs are drawn from a group.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

QUESTIONS: Final = Path(__file__).with_name("questions.jsonl")
LEAST: Final = {"same": 4, "other": 3}  # texts that a group must have


@dataclass(frozen=True, slots=True)
class QuestionGroup:
    """One question.

    Attributes:
        same: its wordings.
        other: near misses; none of them asks what ``same`` asks.
        subject: what most of ``same`` name, as written there; empty where nothing is said of it.
    """

    same: tuple[str, ...]
    other: tuple[str, ...]
    subject: str = ""


def read_questions(path: Path = QUESTIONS) -> tuple[QuestionGroup, ...]:
    """Return the groups of a file, in its order.

    Raises:
        ValueError: If a line is no group; it names the file, the line and the fault.
    """
    groups = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                groups.append(_group(json.loads(line)))
            except ValueError as error:
                wanted = '{"same": [4 texts or more], "other": [3 or more]}'
                raise ValueError(f"{path}:{number}: wanted {wanted}, found {line[:80]!r}: {error}") from error
    return tuple(groups)


def _group(row: object) -> QuestionGroup:
    """Return the group that a line's JSON value stands for; ValueError where it stands for none."""
    if not isinstance(row, dict) or set(row) - {"subject"} != set(LEAST):
        raise ValueError("the keys are not same and other")
    for key, least in LEAST.items():
        texts = row[key]
        if not isinstance(texts, list) or not all(isinstance(text, str) and text and text == text.strip() for text in texts):
            raise ValueError(f"{key} is no list of trimmed texts")
        if len(texts) < least:
            raise ValueError(f"{key} has {len(texts)} texts")
    every = [text.casefold() for key in LEAST for text in row[key]]
    if len(set(every)) < len(every):
        raise ValueError("a text stands twice")
    subject = row.get("subject", "")
    if not isinstance(subject, str) or not all(subject.casefold() in text for text in (every[0],) if subject):
        raise ValueError("subject is nothing that the first of same names")
    return QuestionGroup(tuple(row["same"]), tuple(row["other"]), subject)
