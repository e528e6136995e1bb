"""The whole product on real models: records in, questions out, through the command line and the Python API."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import rag_edit
from rag_edit.core.decision import Route
from rag_edit.deployment import Deployment
from rag_edit.opening import LazyModel

pytestmark = [pytest.mark.model, pytest.mark.timeout(600), pytest.mark.xdist_group("models")]

RECORDS: list[dict[str, Any]] = [
    {
        "id": "vat-de-2020",
        "jurisdiction": "DE",
        "subject": "standard VAT rate",
        "relation": "rate",
        "question": "What is the standard VAT rate?",
        "paraphrases": ["How high is the standard rate of VAT?"],
        "answer": "The standard VAT rate was 16 % in the second half of 2020.",
        "target": "16 %",
        "valid_from": "2020-07-01",
        "valid_to": "2021-01-01",
        "source": "Zweites Corona-Steuerhilfegesetz",
    },
    {
        "id": "vat-de",
        "jurisdiction": "DE",
        "subject": "standard VAT rate",
        "relation": "rate",
        "question": "What is the standard VAT rate?",
        "paraphrases": ["How high is the standard rate of VAT?"],
        "answer": "The standard VAT rate is 19 %.",
        "target": "19 %",
        "valid_from": "2021-01-01",
        "source": "UStG § 12 (1)",
    },
    {
        "id": "vat-fr",
        "jurisdiction": "FR",
        "subject": "standard VAT rate",
        "question": "What is the standard VAT rate?",
        "answer": "It is 20 %.",
        "target": "20 %",
    },
]
CASES = {
    "the record of the place answers": ("What is the standard VAT rate?", "DE", None, "vat-de"),
    "a subdivision sees its country's record": ("What is the standard VAT rate?", "DE-BY", None, "vat-de"),
    "another place has its own": ("What is the standard VAT rate?", "FR", None, "vat-fr"),
    "another day has its own": ("What is the standard VAT rate?", "DE", "2020-10-01", "vat-de-2020"),
    "a place without a record goes to the base model": ("What is the standard VAT rate?", "ES", None, None),
    "another place named goes to the base model": ("What is the standard VAT rate in Austria?", "DE", None, None),
    "an unrelated question goes to the base model": ("Who wrote Faust?", "DE", None, None),
    "thanks go to the base model": ("Thank you!", "DE", None, None),
}


def cli(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rag_edit.cli", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})


def lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ask")
    where = directory / "home"
    assert cli(where, "init").returncode == 0
    done = cli(where, "apply", str(lines(directory / "records.jsonl", RECORDS)), "--json")
    assert (done.returncode, json.loads(done.stdout)["added"]) == (0, 3), done.stderr
    again = cli(where, "apply", str(directory / "records.jsonl"), "--json")
    assert (again.returncode, json.loads(again.stdout)["added"], json.loads(again.stdout)["position"]) == (0, 0, None)
    return where


def test_a_batch_is_routed_by_place_day_and_topic_without_a_language_model(home: Path, tmp_path: Path) -> None:
    asked = [
        {"id": name, "question": q, "jurisdiction": j, **({"as_of": day} if day else {})}
        for name, (q, j, day, _) in CASES.items()
    ]
    done = cli(
        home, "ask", "--batch", str(lines(tmp_path / "in.jsonl", asked)), "--out", str(tmp_path / "out.jsonl"), "--route-only"
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in found] == list(CASES)
    assert {row["id"]: row["record_id"] for row in found} == {name: expected for name, (_, _, _, expected) in CASES.items()}
    assert all(row["answer"] is None for row in found)


def test_a_batch_that_was_cut_off_goes_on_and_gives_the_same_file(home: Path, tmp_path: Path) -> None:
    asked = [{"id": str(n), "question": q, "jurisdiction": j} for n, (q, j, _, _) in enumerate(CASES.values())]
    source, out = lines(tmp_path / "in.jsonl", asked), tmp_path / "out.jsonl"
    arguments = ("ask", "--batch", str(source), "--out", str(out), "--route-only", "--json")
    assert cli(home, *arguments).returncode == 0
    whole = [{k: v for k, v in json.loads(line).items() if k != "timings_ms"} for line in out.read_text("utf-8").splitlines()]
    from rag_edit.cli.batch import _Partial, read_batch, run_batch
    from rag_edit.opening import open_engine

    with open_engine(home) as engine:

        class CutError(Exception):
            pass

        def cut(_stage: str, done: int, _total: int) -> None:
            if done == 4:
                raise CutError

        engine.progress = cut
        options: dict[str, Any] = {
            "jurisdiction": None,
            "as_of": None,
            "with_base": False,
            "route_only": True,
            "explain": False,
            "size": 2,
        }
        with pytest.raises(CutError):
            run_batch(engine, source, tmp_path / "cut.jsonl", **options)
        assert not (tmp_path / "cut.jsonl").exists()
        with (tmp_path / "cut.jsonl.partial").open("a", encoding="utf-8") as file:
            file.write('{"id": "half a li')
        engine.progress = lambda _stage, _done, _total: None
        summary = run_batch(engine, source, tmp_path / "cut.jsonl", **options)
        assert len(read_batch(engine, source, None, None)) == len(asked)
    assert (summary["resumed"], summary["asked"]) == (4, len(asked) - 4)
    assert [
        {k: v for k, v in json.loads(line).items() if k != "timings_ms"}
        for line in (tmp_path / "cut.jsonl").read_text("utf-8").splitlines()
    ] == whole
    assert not _Partial(tmp_path / "cut.jsonl", "").answers.exists()


def test_fields_of_the_callers_own_are_not_read(home: Path, tmp_path: Path) -> None:
    plain = [{"id": name, "question": q, "jurisdiction": j} for name, (q, j, _, _) in CASES.items()]
    told = [{**row, "expected": "19 %", "record_id": "vat-fr", "language": "xx"} for row in plain]
    found = []
    for name, rows in (("plain", plain), ("told", told)):
        out = tmp_path / f"{name}.out"
        done = cli(home, "ask", "--batch", str(lines(tmp_path / f"{name}.in", rows)), "--out", str(out), "--route-only")
        assert done.returncode == 0, done.stderr
        found.append(
            [{k: v for k, v in json.loads(line).items() if k != "timings_ms"} for line in out.read_text("utf-8").splitlines()]
        )
    assert found[0] == found[1]


BAD_LINES = {
    "no question": {"id": "1"},
    "an unknown jurisdiction": {"id": "1", "question": "x", "jurisdiction": "ZZ"},
    "a day that is none": {"id": "1", "question": "x", "as_of": "2026-02-30"},
    "a message without a role": {"id": "1", "question": "x", "messages": [{"content": "y"}]},
}


@pytest.mark.parametrize("row", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_refuses_the_batch_and_writes_nothing(home: Path, tmp_path: Path, row: dict[str, Any]) -> None:
    source = lines(tmp_path / "in.jsonl", [{"id": "0", "question": "fine"}, row])
    done = cli(home, "ask", "--batch", str(source), "--out", str(tmp_path / "out.jsonl"), "--route-only")
    assert done.returncode == 1
    assert f"{source}:2:" in done.stderr
    assert list(tmp_path.glob("out*")) == []


def test_one_question_gives_both_answers_and_the_source(home: Path) -> None:
    done = cli(home, "ask", "-j", "DE", "--with-base", "--explain", "--json", "How high is the standard rate of VAT?")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["route"], found["record_id"], found["source"]) == ("OVERRIDE", "vat-de", "UStG § 12 (1)")
    assert found["answer"] == "The standard VAT rate is 19 %."
    assert found["base_answer"]
    assert found["base_answer"] != found["answer"]
    assert {v["reason"] for v in found["trace"]} >= {"EXPIRED"}


@pytest.fixture(scope="module")
def deployment(home: Path) -> Iterator[Deployment]:
    with rag_edit.open(home) as opened:
        yield opened


def test_the_base_answer_is_the_bare_models_own_byte_for_byte(deployment: Deployment) -> None:
    questions = ["Who wrote Faust?", "What is the capital of France?"]
    served = [deployment.ask(q, jurisdiction="DE") for q in questions]
    model = lazy(deployment).model
    from rag_edit.core.decision import Message

    bare = model.chat([[Message("user", q)] for q in questions], max_new_tokens=64)
    assert [o.answer.text for o in served if o.answer] == [c.text for c in bare]


def test_overriding_leaves_the_frozen_model_as_it_was(deployment: Deployment) -> None:
    import torch

    model: Any = lazy(deployment).model
    before, digest = model.logits("The capital of France is"), model.weight_digest()
    for question in ("What is the standard VAT rate?", "Write a paragraph about the standard VAT rate."):
        deployment.ask(question, jurisdiction="DE")
    assert torch.equal(model.logits("The capital of France is"), before)
    assert model.weight_digest() == digest
    model.assert_unchanged()


def test_a_yes_no_question_is_answered_by_comparing_with_the_record(deployment: Deployment) -> None:
    outcome = deployment.ask("Is the standard VAT rate 19 %?", jurisdiction="DE")
    if outcome.decision.route is Route.OVERRIDE:  # whether it is routed is the scorer's business, measured elsewhere
        assert outcome.answer is not None
        assert outcome.answer.text.startswith("Yes")


def test_an_edit_is_served_at_once_and_retracting_it_gives_the_old_answer_back(tmp_path: Path) -> None:
    ask = {"jurisdiction": "DE", "as_of": date(2026, 1, 1)}
    with rag_edit.open(tmp_path / "home", create=True) as opened:
        first = opened.ask("What is the standard VAT rate?", **ask)  # type: ignore[arg-type]
        opened.apply(RECORDS)
        assert opened.ask("What is the standard VAT rate?", **ask).decision.route is Route.OVERRIDE  # type: ignore[arg-type]
        for record in RECORDS:
            opened.apply({"id": record["id"], "retract": True, "rationale": "undo"})
        assert opened.ask("What is the standard VAT rate?", **ask).answer == first.answer  # type: ignore[arg-type]


def test_wrap_answers_in_a_callables_own_shape_and_passes_the_rest_through(tmp_path: Path) -> None:
    heard: list[Any] = []

    def chatbot(prompt: Any, **options: Any) -> str:
        heard.append((prompt, options))
        return "base"

    with rag_edit.open(tmp_path / "home", create=True) as opened:
        opened.apply(RECORDS)
    with rag_edit.wrap(chatbot, home=tmp_path / "home", jurisdiction="DE") as wrapped:  # type: ignore[attr-defined]
        assert wrapped("What is the standard VAT rate?") == "The standard VAT rate is 19 %."
        assert wrapped([{"role": "user", "content": "What is the standard VAT rate?"}]) == "The standard VAT rate is 19 %."
        assert wrapped("Who wrote Faust?", temperature=0) == "base"
        assert wrapped(["Who wrote Faust?", "What is the standard VAT rate?"]) == ["base", "The standard VAT rate is 19 %."]
    assert heard == [("Who wrote Faust?", {"temperature": 0}), ("Who wrote Faust?", {})]


def test_wrap_answers_in_a_transformers_pipelines_own_shape(deployment: Deployment, tmp_path: Path) -> None:
    from transformers import pipeline

    local: Any = lazy(deployment).model
    generate = pipeline("text-generation", model=local.torch_model, tokenizer=local.tokenizer)
    with rag_edit.open(tmp_path / "home", create=True) as opened:
        opened.apply(RECORDS)
    with rag_edit.wrap(generate, home=tmp_path / "home", jurisdiction="DE") as wrapped:  # type: ignore[attr-defined]
        turns = [{"role": "user", "content": "What is the standard VAT rate?"}]
        assert wrapped(turns) == [
            {"generated_text": [*turns, {"role": "assistant", "content": "The standard VAT rate is 19 %."}]}
        ]
        assert wrapped(turns[0]["content"], return_full_text=False) == [{"generated_text": "The standard VAT rate is 19 %."}]
        other = wrapped("Who wrote Faust?", max_new_tokens=3, do_sample=False)
        assert other == generate("Who wrote Faust?", max_new_tokens=3, do_sample=False)


def lazy(deployment: Deployment) -> LazyModel:
    """Return the model behind the BASE route of an open deployment."""
    base: Any = deployment.engine.answering[Route.BASE]
    model = base.__self__.model
    assert isinstance(model, LazyModel)
    return model
