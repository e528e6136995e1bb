"""Conversations written by hand: what the last turn stands for after the turns before it.

A line of data/dialogues.jsonl: ``turns`` (a string is a user's, an object an assistant's), ``question``, and ``expect``: the
standalone question that it stands for (``text_means``, empty where nothing is asked). Where the wording is free, ``words``
must begin words of the resolved text and ``without`` must not; places and dates are always compared. The two parts are cut
by a digest of the id: the method was fixed on ``development``, ``report`` was only counted.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag_edit.core.decision import Message, Query
from rag_edit.scope.dates import read_dates
from rag_edit.scope.reading import Reading, read
from rag_edit.scope.text import fold
from tests.scope.cases import READER, TODAY

DATA = Path(__file__).parent / "data"
Dialogue = dict[str, Any]
DIALOGUES: list[Dialogue] = [json.loads(line) for line in (DATA / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()]


def part(dialogue: Dialogue) -> str:
    return "development" if int(hashlib.sha256(dialogue["id"].encode()).hexdigest(), 16) % 100 < 60 else "report"


def messages(dialogue: Dialogue) -> tuple[Message, ...]:
    return tuple(Message("user", t) if isinstance(t, str) else Message("assistant", t["assistant"]) for t in dialogue["turns"])


def query(dialogue: Dialogue, as_of: date = TODAY) -> Query:
    return Query(dialogue["question"], dialogue["jurisdiction"], as_of, messages(dialogue))


def faults(dialogue: Dialogue, reading: Reading) -> list[str]:
    """Say in what the resolved text differs from what the dialogue stands for."""
    expect, text = dialogue["expect"], reading.text
    means = expect["text_means"]
    if not means or not text:
        return [] if bool(means) == bool(text) else [f"asks {text!r}, not {means!r}"]
    found = []
    if "words" in expect or "without" in expect:
        spoken = f" {fold(text)}"
        found += [f"lacks {word!r}" for word in expect.get("words", ()) if f" {fold(word)}" not in spoken]
        found += [f"has {word!r}" for word in expect.get("without", ()) if f" {fold(word)}" in spoken]
    elif fold(text) != fold(means):
        found.append(f"is not {means!r}")
    places = [{str(code) for m in ms for code in m.jurisdictions} for ms in (reading.places, READER.read(means))]
    if places[0] != places[1] or ("place" in expect and expect["place"] not in places[0]):
        found.append(f"names {places[0] or 'no place'}, not {places[1] or 'one'}")
    days = [{(m.year, m.month, m.day) for m in ms} for ms in (reading.dates, read_dates(means))]
    if days[0] != days[1]:
        found.append(f"names {days[0] or 'no date'}, not {days[1] or 'one'}")
    return [f"{text!r} {fault}" for fault in found]


def share(dialogues: Iterable[Dialogue]) -> tuple[float, dict[str, list[str]]]:
    """Return the share of dialogues whose last turn is understood, and the faults of the others."""
    wrong = {d["id"]: found for d in dialogues if (found := faults(d, read(query(d), READER.read)))}
    return 1 - len(wrong) / len(list(dialogues)), wrong
