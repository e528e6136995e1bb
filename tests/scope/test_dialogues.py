"""Conversations written by hand: what the last turn stands for after the turns before it.

A line of data/dialogues.jsonl: ``turns`` (a string is a user's, an object an assistant's), ``question``, and ``expect``: the
standalone question that it stands for (``text_means``, empty where nothing is asked). Where the wording is free, ``words``
must begin words of the resolved text and ``without`` must not; places and dates are always compared. The two parts are cut
by a digest of the id: the method was fixed on ``development``, ``report`` was only counted.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.decision import Message, Query, Route
from rag_edit.scope.dates import read_dates
from rag_edit.scope.reading import Reading, read
from rag_edit.scope.text import fold
from tests.scope.cases import ATLAS, READER, TODAY

DATA = Path(__file__).parent / "data"
Dialogue = dict[str, Any]
DIALOGUES: list[Dialogue] = [json.loads(line) for line in (DATA / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()]


def part(dialogue: Dialogue) -> str:
    if "-later-" in dialogue["id"]:  # written while the method was being fixed
        return "development"
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


def test_at_least_fifty_dialogues_are_kept_in_each_language() -> None:
    ids = [d["id"] for d in DIALOGUES]
    assert len(set(ids)) == len(ids) >= 220
    for language in ("en", "de", "fr", "es"):
        assert sum(d["language"] == language for d in DIALOGUES) >= 50


@pytest.mark.parametrize(("name", "least"), [("development", 0.98), ("report", 0.93)])
def test_the_last_turn_is_understood(name: str, least: float) -> None:
    found, wrong = share([d for d in DIALOGUES if part(d) == name])
    assert found >= least, wrong


def test_a_turn_that_asks_nothing_goes_nowhere() -> None:
    nothing = [d for d in DIALOGUES if not d["expect"]["text_means"]]
    assert len(nothing) >= 20
    assert {d["id"]: read(query(d), READER.read).text for d in nothing} == {d["id"]: "" for d in nothing}


@pytest.mark.parametrize(
    "dialogue", [d for d in DIALOGUES if not any(isinstance(t, dict) for t in d["turns"])][::8], ids=lambda d: d["id"]
)
def test_what_the_model_says_in_between_changes_nothing(dialogue: Dialogue) -> None:
    plain = query(dialogue)
    said = tuple(
        m
        for turn in plain.messages
        for m in (turn, Message("assistant", "In Portugal, since 2011: Ada Lovelace. And in Japan?"))
    )
    spoken = Query(plain.question, plain.jurisdiction, plain.as_of, said)
    assert read(spoken, READER.read).text == read(plain, READER.read).text


ALONE = [
    "What number do I call in an emergency?",
    "Who wrote Faust?", "Is Austria in the EU?", "What is the position of James H. Hamlin?", "Tamil Nadu is in", "Ireland, in", "They play as",
    "What sport does Megan Rapinoe play? They play", "Which number do I dial for help if there has been an accident?",
    "where did the charleston dance get its name?", "From which city does the band Thundering Asteroids! come?", "¿Es festivo el 18 de noviembre?",
    "Is it a public holiday on 3 October?", "Pourquoi le ciel est-il bleu ?", "Wanneer is Nieuwjaarsdag?", "Il 28 marzo è un giorno festivo?", "Intel 8086, a product manufactured by",
]  # fmt: skip


@pytest.mark.parametrize(
    "topic", ["What is the standard VAT rate in Germany?", "Wann ist Marie Curie gestorben?", "¿Cuál es el IVA en España?"]
)
@pytest.mark.parametrize("question", ALONE)
def test_a_full_question_is_not_pulled_to_the_topic_before(question: str, topic: str) -> None:
    asked = Query(question, "DE", TODAY, (Message("user", topic), Message("assistant", "Noted.")))
    assert read(asked, READER.read).follows is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=40) | st.sampled_from([d["question"] for d in DIALOGUES]), max_size=4), st.text(max_size=60))
def test_any_conversation_is_read_the_same_twice(turns: list[str], question: str) -> None:
    asked = Query(question, "DE", TODAY, tuple(Message("user", turn) for turn in turns))
    assert read(asked, READER.read) == read(asked, READER.read)


@pytest.mark.parametrize("filler", ["A de de ", "Is it? ", "1 May ", "Sí. Y en "])
def test_long_conversations_are_read_in_no_time(filler: str) -> None:
    turns = tuple(Message("user", filler * (8_000 // len(filler))) for _ in range(6))
    started = time.perf_counter()
    read(Query(filler * (8_000 // len(filler)) + "and in Austria?", "DE", TODAY, turns), READER.read)
    assert time.perf_counter() - started < 60


def needed(dialogues: Sequence[Dialogue]) -> set[str]:
    return {str(code) for d in dialogues for code in ATLAS.chain(ATLAS.parse(d["jurisdiction"]), TODAY)}


@pytest.mark.model
@pytest.mark.timeout(600)
def test_a_dialogue_is_decided_as_the_question_it_stands_for(tmp_path: Path) -> None:
    """Conversation handling answers for one thing: the last turn is decided as the standalone question is."""
    from rag_edit.config import Settings
    from rag_edit.opening import create_store, open_engine
    from rag_edit.records.files import ReadResult, read_records
    from rag_edit.records.plan import make_plan

    knowledge = DATA.parents[2] / "knowledge"
    files = [knowledge / name for name in ("tax", "emergency", "money", "calendar", "traffic", "work", "holiday")]
    stated = read_records([*files, DATA / "dialogue_records.jsonl"], ATLAS)
    codes = needed(DIALOGUES)
    kept = ReadResult(tuple(located for located in stated.records if located.record.jurisdiction in codes), (), stated.files)
    create_store(tmp_path)
    with open_engine(tmp_path, Settings(), today=lambda: TODAY) as engine:
        plan = make_plan(kept, engine.store.live(), engine.atlas, on_conflict="newest", today=TODAY)
        engine.apply(plan, recorded_at=datetime(2026, 11, 22, tzinfo=UTC))
        alone = [engine.query(d["expect"]["text_means"], jurisdiction=d["jurisdiction"]) for d in DIALOGUES]
        told = [engine.query(d["question"], jurisdiction=d["jurisdiction"], messages=messages(d)) for d in DIALOGUES]
        decisions = [o.decision for o in engine.ask_many([*alone, *told], route_only=True)]
    served = [(d.route, d.winner.name if d.winner else "") for d in decisions]
    right = {"record": Route.OVERRIDE, "base": Route.BASE}
    counts: dict[str, list[int]] = {}
    wrong = []
    for dialogue, by_itself, in_turn in zip(DIALOGUES, served[: len(alone)], served[len(alone) :], strict=True):
        row = counts.setdefault(part(dialogue), [0, 0, 0, 0, 0])
        kind = right[dialogue["expect"]["kind"]]
        same, gained = in_turn == by_itself, in_turn[0] is kind is not by_itself[0]
        for n, hit in enumerate((True, same, same or gained, in_turn[0] is kind, by_itself[0] is kind)):
            row[n] += hit
        if in_turn != by_itself and part(dialogue) == "development":
            wrong.append((dialogue["id"], by_itself, in_turn))
    shares = {name: [round(n / row[0], 3) for n in row[1:]] for name, row in counts.items()}
    print(
        "as the standalone question / or better / of the kind expected / the standalone question of that kind:",
        shares,
        counts,
        *wrong,
        sep="\n",
    )
    assert shares["development"][0] >= 0.95, wrong
    assert shares["report"][0] >= 0.93, shares
    assert min(row[1] for row in shares.values()) >= 0.93, shares
