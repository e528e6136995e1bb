"""Answers over the packaged model: the base untouched, and grounded answers that are checked or verbatim."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rag_edit.answer.base import Base, conversation
from rag_edit.answer.check import check
from rag_edit.answer.override import Override
from rag_edit.core.decision import Decision, Message, Query, Reason, Route
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.lm.model import LanguageModel
from rag_edit.lm.open import open_model
from rag_edit.scope.forms import read_form

CACHE = Path(os.environ.get("RAG_EDIT_CACHE", "~/.cache/rag-edit")).expanduser()

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return open_model("smollm2", CACHE)


def test_base_answers_are_the_models_own_byte_for_byte(model: LanguageModel) -> None:
    turns = (Message("user", "Name a river."), Message("assistant", "The Rhine."))
    queries = [Query("And a lake?", "GLOBAL", date(2026, 1, 1), turns), Query("  What is 2+2?\n", "DE", date(2026, 1, 1))]
    direct = [model.chat([conversation(query)], max_new_tokens=12)[0].text for query in queries]
    base = Base(model, max_new_tokens=12)
    assert [base.answer(query, Decision(Route.BASE, Reason.NO_CANDIDATE)).text for query in queries] == direct


def test_a_long_answer_states_the_record_or_is_the_record(model: LanguageModel) -> None:
    record = Record(
        id="v",
        jurisdiction="DE",
        question="What is the standard VAT rate in Germany?",
        answer="The standard VAT rate in Germany is 19 %.",
        target="19 %",
        prior="16 %",
    )
    version = RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC))
    query = Query("Write a short paragraph about VAT in Germany.", "DE", date(2026, 1, 1))
    answer = Override(read_form, model, long_new_tokens=60).answer(
        query, Decision(Route.OVERRIDE, Reason.IN_SCOPE, version, 1.0)
    )
    assert answer.rung in ("grounded", "verbatim")
    assert check(answer.text, record).ok
