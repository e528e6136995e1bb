"""Every suite's shape, in a row or two of our own; and, where the public suites are, that acceptance asks the very same."""

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rag_edit.bench.suites import SUITES, Loaded, load, record_fields
from rag_edit.core.errors import UsageError
from rag_edit.core.record import Record

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


def item(label: str) -> dict[str, str]:
    return {"id": f"Q-{label}", "label": label}


def edit(subject: str, relation: str, old: str, new: str) -> dict[str, Any]:
    words = {
        "id": relation,
        "prompt": f"The {relation} of {{}} is",
        "query": f"What is the {relation} of {{}}?",
        "label": relation,
    }
    return {"relation": words, "subject": item(subject), "object": item(old), "new_object": item(new)}


def triple(subject: str, relation: str, value: str) -> dict[str, Any]:
    found = edit(subject, relation, value, value)
    del found["new_object"]
    return found


def cf(number: int, subject: str, locality: str) -> dict[str, Any]:
    return {
        "case_id": number,
        "prompt": f"{subject} was born in",
        "target_new": "Oslo",
        "subject": subject,
        "ground_truth": "Rome",
        "rephrase_prompt": f"{subject} hails from",
        "locality_prompt": locality,
    }


def hard(number: int, subject: str, neighbours: list[str]) -> dict[str, Any]:
    return {
        "id": number,
        "edit_statement": f"{subject} plays piano.",
        "subject_name": subject,
        "edit_scope": [[f"What does {subject} play?", "piano"], [f"Which instrument is {subject}'s?", "piano"]],
        "unrelated": {"neighbor_subj": neighbours, "same_subj": [f"Where did {subject} die?", f"Where did {subject} die?"]},
    }


def bilingual(language: str) -> dict[str, Any]:
    said = {
        "subject": "Ada",
        "src": "Who is Ada?",
        "rephrase": "Ada is who?",
        "alt": "a cook",
        "loc": "nq question: who is Bo?",
    }
    said["portability"] = {"New Question": "What does Ada cook?"}  # type: ignore[assignment]
    return {"en": {"case_id": 7, **said}, language: {**said, "rephrase": f"Ada ({language})?", "loc": f"Bo ({language})?"}}


HALLUEDIT = {
    "subject": "Moses",
    "relation": "made of",
    "object": "marble",
    "question": "What is Moses made of?",
    "paraphrased_question": "Of what is Moses?",
    "multiple_choice_with_letters": "A. marble  B. wood",
    "yes_question": "Is Moses made of marble?",
    "no_question": "Is Moses made of wood?",
    "locality_question": "Who made Moses?",
    "reversed_relation_question": "What is made of marble?",
    **{f"question_{n}hop": f"And hop {n}?" for n in range(2, 7)},
}
MQUAKE = {
    "case_id": 3,
    "requested_rewrite": [
        {
            "prompt": "{} is a citizen of",
            "relation_id": "P27",
            "target_new": {"str": "Chad"},
            "subject": "Ada",
            "question": "Where is Ada from?",
        }
    ],
    "questions": ["Who rules where Ada is from?", "Who rules Ada's land?", "Ada's ruler?"],
    "new_single_hops": [{"question": "Where is Ada from?"}, {"question": "Who rules Chad?"}],
    "orig": {"new_triples": [["Q1", "P27", "Q2"], ["Q2", "P35", "Q3"]], "edit_triples": [["Q1", "P27", "Q2"]]},
}
STORY = {
    "edits": [edit("Goya", "work", "a", "b"), edit("b", "maker", "Goya", "Strauss")],
    "triples": [triple("Goya", "work", "a"), triple("a", "maker", "Goya")],
}
TWICE = {"edits": [edit("Goya", "work", "a", "b"), edit("Goya", "work", "b", "c")], "triples": [triple("Goya", "work", "a")]}
ZSRE = {
    "case_id": 1,
    "subject": "Ada",
    "src": "Who is Ada?",
    "rephrase": "Ada is who?",
    "alt": "a cook",
    "loc": "nq question: who is Bo?",
}
QA = {
    "id": 5,
    "prompt": "who won?",
    "target": "Bo",
    "subject": "win",
    "rephrase": "the winner?",
    "locality": [{"loc": "why?"}, {"loc": "when?"}],
}
CASES: dict[str, tuple[dict[str, list[Any]], int, dict[str, int], dict[str, int]]] = {
    # suite: files, records, questions by kind, questions apart by kind
    "counterfact": (
        {"counterfact/dev": [cf(1, "Ada", "Bo was born in"), cf(2, "Eve", "Ada was born in")]},
        2,
        {"in": 2, "out": 1},
        {"out": 1},
    ),
    "counterfact_all": (
        {"counterfact/dev": [cf(1, "Ada", "Bo was born in")], "counterfact/train": [cf(2, "Bo", "Cy was born in")]},
        2,
        {"in": 1},
        {"out": 1},
    ),
    "counterfact_same": ({"counterfact/dev": [cf(1, "Ada", "Bo was born in")]}, 1, {}, {}),
    "counterfact_hard": (
        {"counterfact_hard/dev": [hard(1, "Ada", ["What does Bo play?", "What does Eve play?"]), hard(2, "Eve", [])]},
        2,
        {"in": 2, "neighbour": 1, "same": 2},
        {"neighbour": 1},
    ),
    "qaedit": ({"qaedit/dev": [QA]}, 1, {"own": 1, "in": 1, "out": 2}, {}),
    "halluedit": (
        {"halluedit/dev": [HALLUEDIT]},
        1,
        {"own": 1, "in": 1, "yes": 1, "no": 1, "choice": 1, "reversed": 1, "loc": 1},
        {f"hop{n}": 1 for n in range(2, 7)},
    ),
    **{
        f"mcounterfact_{code}": (
            {f"mcounterfact_{'de' if code == 'en' else code}/dev": [bilingual("de" if code == "en" else code)]},
            1,
            {"in": 1, "out": 1},
            {},
        )
        for code in ("en", "de", "fr", "es", "ja", "zh-cn", "ar", "tr")
    },
    "zsre": ({"zsre/dev": [ZSRE]}, 1, {"own": 1, "in": 1, "out": 1}, {}),
    **{
        f"bizsre_{name}": ({"bizsre/dev": [bilingual("zh")]}, 1, {"own": 1, "in": 1, "out": 1}, {"hop2": 1})
        for name in ("en", "zh", "from_zh_en", "from_zh_zh")
    },
    "conflictedit_reverse": ({"conflictedit_reverse/dev": [STORY]}, 2, {"own": 2, "in": 2, "out": 1}, {}),
    "conflictedit_composite": ({"conflictedit_composite/dev": [STORY]}, 2, {"own": 2, "in": 2, "out": 1}, {}),
    "conflictedit_coverage": ({"conflictedit_coverage/dev": [TWICE]}, 1, {"own": 1, "in": 1}, {}),
    "mquake_cf3k": ({"mquake_cf3k/dev": [MQUAKE, {**MQUAKE, "case_id": 4}]}, 1, {"own": 1, "in": 1, "out": 2}, {"hop2": 6}),
    "mquake_hard": ({"mquake_hard/dev": [MQUAKE]}, 1, {"own": 1, "in": 1, "out": 1}, {"hop2": 3}),
}


def written(tmp_path: Path, files: dict[str, list[Any]]) -> Path:
    for name, rows in files.items():
        path = tmp_path / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return tmp_path


def kinds(questions: tuple[Any, ...]) -> dict[str, int]:
    return dict(Counter(q.kind for q in questions))


@pytest.mark.parametrize("name", CASES)
def test_a_suite_becomes_records_and_questions(name: str, tmp_path: Path) -> None:
    files, records, asked, apart = CASES[name]
    found = load(name, written(tmp_path, files))
    assert (len(found.suite.records), kinds(found.suite.questions), kinds(found.suite.apart)) == (records, asked, apart)
    assert all(Record(**record_fields(live)) for live in found.suite.records)
    everything = [*found.suite.questions, *found.suite.apart]
    assert all(q.text and q.id for q in everything)
    assert len({q.id for q in everything}) == len(everything)
    assert set(found.digests) == {f"{file}.jsonl" for file in files}


def test_every_suite_has_a_case_here_but_the_products_own() -> None:
    assert set(SUITES) - set(CASES) == {"labelled"}


def test_of_several_questions_with_one_id_the_last_counts(tmp_path: Path) -> None:
    later = {**QA, "rephrase": "the one who won?"}
    found = load("qaedit", written(tmp_path, {"qaedit/dev": [QA, later]}))
    assert [q.text for q in found.suite.questions if q.kind == "in"] == ["the one who won?"]


def test_of_edits_of_one_fact_the_last_is_live(tmp_path: Path) -> None:
    found = load("conflictedit_coverage", written(tmp_path, {"conflictedit_coverage/dev": [TWICE]}))
    assert [live.target for live in found.suite.records] == ["c"]


def test_the_mark_before_unrelated_questions_is_dropped(tmp_path: Path) -> None:
    found = load("zsre", written(tmp_path, {"zsre/dev": [ZSRE]}))
    assert [q.text for q in found.suite.questions if q.kind == "out"] == ["who is Bo?"]


def test_an_edit_in_chinese_is_asked_about_in_english(tmp_path: Path) -> None:
    found = load("bizsre_from_zh_en", written(tmp_path, {"bizsre/dev": [bilingual("zh")]}))
    assert (found.suite.records[0].language, found.suite.questions[1].text) == ("zh", "Ada is who?")


def test_the_limit_cuts_rows_so_records_and_questions_alike(tmp_path: Path) -> None:
    rows = [cf(n, f"Person {n}", "Bo was born in") for n in range(5)]
    found = load("counterfact", written(tmp_path, {"counterfact/dev": rows}), limit=2)
    assert (len(found.suite.records), kinds(found.suite.questions)) == (2, {"in": 2, "out": 2})


def test_the_products_own_questions_are_asked_where_and_when_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"id": str(n), "question": "What?", "jurisdiction": "DE", "as_of": "2026-01-01", "language": "en", "expect": expect}
        for n, expect in enumerate(["r1", None, "r2"])
    ]
    written(tmp_path, {"tests/data/labelled_questions": rows})
    monkeypatch.chdir(tmp_path)
    asked = load("labelled", Path("elsewhere")).suite.questions
    assert [(q.kind, q.record, q.is_tune) for q in asked] == [("in", "r1", True), ("out", "", False), ("in", "r2", False)]
    assert {(q.jurisdiction, q.as_of) for q in asked} == {("DE", "2026-01-01")}


REFUSED = {
    "an unknown suite": ("nix", "", "wanted one of counterfact"),
    "a half that is not there": ("counterfact", "other", "wanted a suite's file"),
    "a folder that is not there": ("qaedit", "", "wanted a suite's file"),
    "a line that is no JSON": ("zsre", "", "zsre/dev.jsonl:1: wanted JSON"),
    "a line that is no object": ("bizsre_en", "", "bizsre/dev.jsonl:1: wanted an object, found list"),
}


@pytest.mark.parametrize("name, half, message", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_loaded_says_where_and_what_was_wanted(name: str, half: str, message: str, tmp_path: Path) -> None:
    written(tmp_path, {"counterfact/dev": [], "bizsre/dev": [[1]]})
    (tmp_path / "zsre").mkdir()
    (tmp_path / "zsre/dev.jsonl").write_text("{", "utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        load(name, tmp_path, half=half or "dev")
    assert caught.value.hint


def test_a_missing_half_hints_at_one_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load("zsre", written(tmp_path, {"zsre/train": []}))
    assert caught.value.hint == "--half train"


@pytest.mark.shared
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # its open files
@pytest.mark.parametrize(
    "name, its_name",
    [(n, n) for n in ("counterfact_hard", "counterfact", "qaedit")] + [("mcounterfact_en", "languages")],
)
def test_acceptance_applies_and_asks_the_very_same(name: str, its_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (SHARED / "accept/score.py").exists():
        pytest.skip("the public suites are not beside the clone")
    monkeypatch.setenv("DATA", str(SHARED / "data"))
    spec = importlib.util.spec_from_file_location("acceptance_score", SHARED / "accept/score.py")
    assert spec is not None
    assert spec.loader is not None
    score = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "acceptance_score", score)
    spec.loader.exec_module(score)
    taken: list[Any] = []

    class EnoughError(Exception): ...

    def take(records: Any, questions: Any, *_flags: str) -> None:
        taken.extend((records, questions))
        raise EnoughError

    score.run = take  # type: ignore[attr-defined]
    with pytest.raises(EnoughError):
        getattr(score, its_name)()
    found: Loaded = load(name, SHARED / "data")
    who = {"author": "bench", "institution": "bench"}
    assert [record_fields(live) for live in found.suite.records] == [{**record, **who} for record in taken[0]]
    assert {q.id: q.text for q in found.suite.questions} == {q["id"]: q["question"] for q in taken[1]}
