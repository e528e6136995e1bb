"""Adapters in sequence: the first still answer as they did, unrouted prompts are answered byte for byte as by the bare model.

A dozen on a model of random weights, and a few on the packaged one; RAG_EDIT_ADAPTERS=500 RAG_EDIT_UNROUTED=1000 runs the whole on that.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rag_edit.bench.adapter_sequence import Compared, run
from rag_edit.core.errors import ModelMissingError
from rag_edit.lm.edit_solve import Settings
from rag_edit.lm.edit_task import EditTask, asked
from rag_edit.lm.local import LocalModel
from rag_edit.lm.open import open_model
from tests.lm.tiny import write_language_model

CACHE = Path(os.environ.get("RAG_EDIT_CACHE", "~/.cache/rag-edit")).expanduser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(6 * 3600)]


def tasks(n: int) -> list[tuple[EditTask, str]]:
    return [
        (
            EditTask(f"r{i}@1", f"sha256:{i}", asked(f"Who is number {i}?"), f"name {i}", (), (), f"number {i}"),
            f"Number {i} is?",
        )
        for i in range(n)
    ]


def test_a_dozen_leave_no_trace_and_keep_their_answers(tmp_path: Path) -> None:
    model = LocalModel(write_language_model(tmp_path / "model"), cache=tmp_path)
    unrouted = [f"{i} and {i % 7}?" for i in range(50)]
    found = run(model, tasks(12), unrouted, tmp_path / "a", tmp_path, settings=Settings(steps=4), layers=(0, 1), tokens=6)
    assert found.ok, found
    assert (found.adapters, found.remeasured, found.logits, found.unrouted) == (12, 12, 50, 50)


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    model = LocalModel(write_language_model(tmp_path / "model"), cache=tmp_path)
    told: list[str] = []

    def cut_off(line: str) -> None:
        told.append(line)
        if line == "trained: 2 of 3":
            raise KeyboardInterrupt

    def once(hears: Callable[[str], None]) -> Compared:
        settings = Settings(steps=2)
        return run(
            model, tasks(3), ["One?", "Two?"], tmp_path / "a", tmp_path, settings=settings, layers=(0,), tokens=4, told=hears
        )

    with pytest.raises(KeyboardInterrupt):
        once(cut_off)
    told.clear()
    assert once(told.append).ok
    assert told[0] == "trained: 3 of 3"


@pytest.mark.model
def test_the_packaged_model_stays_what_it_was(tmp_path: Path) -> None:
    try:
        model = open_model("smollm2", CACHE)
    except ModelMissingError as error:
        pytest.skip(str(error))
    assert isinstance(model, LocalModel)
    n, prompts = int(os.environ.get("RAG_EDIT_ADAPTERS", "2")), int(os.environ.get("RAG_EDIT_UNROUTED", "3"))
    settings = Settings() if n > 12 else Settings(steps=2)
    unrouted = [f"What is {i} plus {i + 1}?" for i in range(prompts)]
    found = run(model, tasks(n), unrouted, tmp_path, CACHE, settings=settings, layers=(19, 20, 21), tokens=8)
    assert found.ok, found
