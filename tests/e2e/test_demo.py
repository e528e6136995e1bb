"""`rag-edit demo` as a process, on tiny models: asked twice, the base model writes once, and the output says so."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lm.tiny import write_encoder, write_language_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # imports torch and transformers

RECORD = {"id": "vat", "jurisdiction": "DE", "question": "What is the VAT rate?", "answer": "It is 19 %.", "target": "19 %"}
QUESTIONS = [("What is the VAT rate?", "DE"), ("VAT?", "FR"), ("Who?", "DE")]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "r.jsonl").write_text(json.dumps(RECORD) + "\n", "utf-8")
    asked = [json.dumps({"question": question, "jurisdiction": place}) for question, place in QUESTIONS]
    (tmp_path / "knowledge" / "demo-questions.ndjson").write_text("\n".join(asked) + "\n", "utf-8")
    return {
        **os.environ,
        "RAG_EDIT_MODEL": str(write_language_model(tmp_path / "model")),
        "RAG_EDIT_ENCODER": str(write_encoder(tmp_path / "encoder")),
        "RAG_EDIT_SCORER": "overlap",
        "RAG_EDIT_CACHE": str(tmp_path / "cache"),
        "NO_COLOR": "1",
    }


def demo(place: Path, environment: dict[str, str], *options: str) -> str:
    command = [
        sys.executable,
        "-m",
        "rag_edit.cli",
        "--home",
        str(place / "home"),
        "demo",
        "--knowledge",
        str(place / "knowledge"),
    ]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=True, env=environment).stdout


def told(place: Path, environment: dict[str, str], *options: str) -> tuple[list[str], int, list[bool]]:
    """Return the base answers, how many are said to be an earlier run's, and which."""
    found: dict[str, Any] = json.loads(demo(place, environment, "--json", *options))
    rows = found["questions"]
    return (
        [row["base_answer"] for row in rows],
        found["base_answers_remembered"],
        [row.get("base_remembered", False) for row in rows],
    )


def test_the_base_model_writes_once_and_the_output_says_so(tmp_path: Path, environment: dict[str, str]) -> None:
    first, *how = told(tmp_path, environment)
    assert how == [0, [False] * 3]
    assert told(tmp_path, environment) == (first, 3, [True] * 3)
    assert "3 of 3 base answers are as the same model wrote them in an earlier run" in demo(tmp_path, environment)
    assert told(tmp_path, environment, "--fresh") == (first, 0, [False] * 3)
    write_language_model(tmp_path / "other", seed=1)
    other, *how = told(tmp_path, {**environment, "RAG_EDIT_MODEL": str(tmp_path / "other")})
    assert how == [0, [False] * 3]
    assert other != first
