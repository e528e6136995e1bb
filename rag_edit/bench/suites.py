"""The suites that speak about scope, by name: which files each is read from and how its rows become records and questions.

The form of CounterFact, CounterFact-Hard, QAEdit, HalluEditBench and the languages is `rag_edit.scope.training.suites`'s,
which is also what thresholds are fitted on: one form for both. Here are the rest, and what is only reported. Fields of a record and ids of
questions are those that acceptance uses, all records of a suite are live at once, and of several questions with one
id the last counts. A suite says which of its questions stand apart: known duplicates, and questions of several hops.
It does not know an engine.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from rag_edit.core.digest import digest_file, digest_json
from rag_edit.core.errors import UsageError
from rag_edit.scope.training.suites import (
    LANGUAGES,
    Asked,
    Live,
    Suite,
    counterfact_hard_of,
    counterfact_of,
    counterfact_same_of,
    halluedit_of,
    is_tune,
    language_of,
    norm,
    qaedit_of,
)

Row = dict[str, Any]
Build = Callable[..., Suite]
_NQ: Final = "nq question: "  # a mark of the source before its unrelated questions; no person types it
_HOPS: Final = tuple((f"hop{n}", f"question_{n}hop") for n in range(2, 7))


@dataclass(frozen=True, slots=True)
class Goal:
    """What a kind of question has to reach.

    Attributes:
        least: Least share right; None where there is none.
        most: Largest share wrongly overridden.
        of: A suite whose own share of the same kind ``least`` is a part of.
    """

    least: float | None = None
    most: float | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a suite comes from.

    Attributes:
        build: Rows of each file, in order, to a suite.
        files: Names without ``.jsonl``; ``{half}`` stands for the half asked for.
        goals: By kind of question.
        note: What a reader of the figures has to know.
        records: A directory of record files that is live in place of the suite's own records; under the project's root.
    """

    build: Build
    files: tuple[str, ...]
    goals: Mapping[str, Goal] = field(default_factory=dict)
    note: str = ""
    records: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A suite in the form in which it is asked, and the digests of the files it was read from."""

    suite: Suite
    digests: Mapping[str, str]
    source: Source

    @property
    def digest(self) -> str:
        """Return one digest over all files."""
        return digest_json(dict(self.digests))


def load(name: str, data: Path, *, half: str = "dev", limit: int | None = None) -> Loaded:
    """Return the suite ``name``.

    Args:
        name: One of `SUITES`.
        data: Folder of the public suites; files of the project itself are looked for in the working directory.
        half: Which half, by the name of its file.
        limit: Rows of each file that are used, so records and questions alike; all by default.

    Raises:
        UsageError: no such suite, or its files are not there or not JSON Lines.
    """
    if name not in SUITES:
        raise UsageError(f"--suite: wanted one of {', '.join(SUITES)}, found {name!r}", hint="rag-edit bench scope --help")
    source, tables, digests = SUITES[name], [], {}
    for pattern in source.files:
        relative = pattern.format(half=half) + ".jsonl"
        path = (Path() if source.records else data) / relative
        tables.append(read_rows(path)[:limit])
        digests[relative] = digest_file(path)
    suite = source.build(*tables)
    last = {q.id: q for q in suite.questions}
    return Loaded(replace(suite, name=name, questions=tuple(last.values())), digests, source)


def read_rows(path: Path) -> list[Row]:
    """Return the objects of a JSON Lines file.

    Raises:
        UsageError: not there, or a line that is no object.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except OSError as error:
        there = sorted(p.stem for p in path.parent.glob("*.jsonl")) if path.parent.is_dir() else []
        hint = f"--half {there[0]}" if there else "--data DIR, the folder of the suites"
        raise UsageError(f"{path}: wanted a suite's file, found none", hint=hint) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UsageError(f"{path}:{number}: wanted JSON, found {error}", hint=f"mend {path}") from error
            if not isinstance(row, dict):
                raise UsageError(f"{path}:{number}: wanted an object, found {type(row).__name__}", hint=f"mend {path}")
            rows.append(row)
    return rows


def record_fields(live: Live) -> dict[str, str]:
    """Return a record as a record file states it; all of one suite have one author and institution."""
    fields = {
        "id": live.id,
        "jurisdiction": "GLOBAL",
        "subject": live.subject,
        "relation": live.relation,
        "question": live.question,
        "answer": live.answer or live.target,
        "target": live.target,
        "prior": live.prior,
        "language": live.language,
    }
    return {name: value for name, value in fields.items() if value} | {"author": "bench", "institution": "bench"}


def counterfact_all_of(dev: Sequence[Row], train: Sequence[Row]) -> Suite:
    """Ask the development half while the train half is live too."""
    return counterfact_of(dev, train)


def halluedit_all_of(rows: Sequence[Row]) -> Suite:
    """HalluEditBench with multiple choice and the reversed question as acceptance puts them; several hops, apart."""
    suite = halluedit_of(rows)
    asked, apart = list(suite.questions), list[Asked]()
    for live, row in zip(suite.records, rows, strict=True):
        choice = f"{row['question']}\n{row['multiple_choice_with_letters']}\nAnswer with one letter."
        for kind, text in (("choice", choice), ("reversed", row["reversed_relation_question"])):
            if text and text != "nan":
                asked.append(Asked(text, kind, live.id, is_tune(live.id), f"{live.id}/{kind}"))
        apart += [Asked(row[key], kind, live.id, is_tune(live.id), f"{live.id}/{kind}") for kind, key in _HOPS if row.get(key)]
    return replace(suite, questions=tuple(asked), apart=tuple(apart))


def zsre_of(rows: Sequence[Row]) -> Suite:
    """Questions, one rephrasing and one unrelated question each."""
    records, asked = [], []
    for row in rows:
        name = f"zs-{row['case_id']}"
        records.append(Live(name, row["subject"], row["src"], row["alt"]))
        texts = (("own", row["src"]), ("in", row["rephrase"]), ("out", row["loc"].removeprefix(_NQ)))
        asked += [Asked(text, kind, name, is_tune(name), f"{name}/{kind}") for kind, text in texts]
    return _known_apart(Suite("zsre", tuple(records), tuple(asked)))


def bizsre_of(rows: Sequence[Row], edit: str, ask: str) -> Suite:
    """Bi-ZsRE: an edit in one language, asked about in the same or the other one; a question that needs the fact, apart."""
    records, asked, apart = [], [], []
    for number, row in enumerate(rows):
        name, said, put = f"bz-{number}", row[edit], row[ask]
        records.append(Live(name, said["subject"], said["src"], said["alt"], language=edit))
        texts = (("own", put["src"]), ("in", put["rephrase"]), ("out", put["loc"].removeprefix(_NQ)))
        asked += [Asked(text, kind, name, is_tune(name), f"{name}/{kind}") for kind, text in texts]
        apart.append(Asked(put["portability"]["New Question"], "hop2", name, is_tune(name), f"{name}/hop2"))
    return _known_apart(Suite("bizsre", tuple(records), tuple(asked), tuple(apart)))


def conflictedit_of(rows: Sequence[Row]) -> Suite:
    """Edits that overlay or contradict one another: of several about one fact the last is live, and is asked for.

    "own" is the edit's question, "in" its statement without the object; "out" asks for a fact of the same story that no
    edit changes.
    """
    live: dict[tuple[str, str], Live] = {}
    for number, row in enumerate(rows):
        for k, edit in enumerate(row["edits"]):
            key, question = _fact(edit), edit["relation"]["query"].format(edit["subject"]["label"])
            subject, target = edit["subject"]["label"], edit["new_object"]["label"]
            relation = edit["relation"]["label"]
            live.pop(key, None)
            live[key] = Live(f"ce-{number}-{k}", subject, question, target, relation=relation)
    asked: dict[str, Asked] = {}
    for number, row in enumerate(rows):
        for edit in row["edits"]:
            kept = live[_fact(edit)]
            cloze = edit["relation"]["prompt"].format(edit["subject"]["label"])
            for kind, text in (("own", kept.question), ("in", cloze)):
                asked[f"{kept.id}/{kind}"] = Asked(text, kind, kept.id, is_tune(kept.id), f"{kept.id}/{kind}")
        for k, triple in enumerate(row["triples"]):
            if _fact(triple) not in live:
                name, text = f"ce-{number}-0", triple["relation"]["query"].format(triple["subject"]["label"])
                asked[f"ce-{number}/out/{k}"] = Asked(text, "out", name, is_tune(name), f"ce-{number}/out/{k}")
    return _known_apart(Suite("conflictedit", tuple(live.values()), tuple(asked.values())))


def _fact(edit: Row) -> tuple[str, str]:
    return edit["subject"]["id"], edit["relation"]["id"]


def mquake_of(rows: Sequence[Row]) -> Suite:
    """MQuAKE: single hops that were edited or not; questions of several hops, apart, since no one record answers them.

    Two cases may change one fact differently: the first is live. "own" is the edit's question, "in" its completion prompt.
    """
    live: dict[tuple[str, str], Live] = {}
    asked: dict[str, Asked] = {}
    apart = []
    for row in rows:
        for k, edit in enumerate(row["requested_rewrite"]):
            key = (norm(edit["subject"]), edit["relation_id"])
            if key not in live:
                name = f"mq-{row['case_id']}-{k}"
                live[key] = Live(name, edit["subject"], edit["question"], edit["target_new"]["str"])
                prompt = edit["prompt"].format(edit["subject"])
                for kind, text in (("own", edit["question"]), ("in", prompt)):
                    asked[f"{name}/{kind}"] = Asked(text, kind, name, is_tune(name), f"{name}/{kind}")
    edited = {norm(q) for record in live.values() for q in (record.question,)}
    for row in rows:
        first = f"mq-{row['case_id']}-0"
        changed = {tuple(triple) for triple in row["orig"]["edit_triples"]}
        facts = {(subject, relation) for subject, relation, _ in changed}
        for k, (hop, triple) in enumerate(zip(row["new_single_hops"], row["orig"]["new_triples"], strict=True)):
            if (triple[0], triple[1]) not in facts and norm(hop["question"]) not in edited:
                asked[f"{first}/out/{k}"] = Asked(hop["question"], "out", first, is_tune(first), f"{first}/out/{k}")
        kind = f"hop{len(row['new_single_hops'])}"
        apart += [
            Asked(q, kind, first, is_tune(first), f"mq-{row['case_id']}/{kind}/{k}") for k, q in enumerate(row["questions"])
        ]
    return _known_apart(Suite("mquake", tuple(live.values()), tuple(asked.values()), tuple(apart)))


def labelled_of(rows: Sequence[Row]) -> Suite:
    """Ask the product's own questions of the demo knowledge; every third row was looked at while building and is the tuning part."""
    asked = tuple(
        Asked(
            row["question"],
            "in" if row["expect"] else "out",
            row["expect"] or "",
            number % 3 == 0,
            row["id"],
            row["jurisdiction"],
            row["as_of"],
        )
        for number, row in enumerate(rows)
    )
    return Suite("labelled", (), asked)


def _known_apart(suite: Suite) -> Suite:
    """Return the suite with those out-of-scope questions set apart that a live record asks word for word."""
    known = {norm(record.question) for record in suite.records}
    known |= {norm(q.text) for q in suite.questions if q.is_in_scope}
    is_known = {q.id for q in suite.questions if not q.is_in_scope and norm(q.text) in known}
    apart = tuple(q for q in suite.questions if q.id in is_known)
    return replace(suite, questions=tuple(q for q in suite.questions if q.id not in is_known), apart=(*apart, *suite.apart))


def _language(code: str) -> Source:
    goals = {"in": Goal(least=0.95, of="" if code == "en" else "mcounterfact_en"), "out": Goal(most=0.01)}
    file = f"mcounterfact_{'de' if code == 'en' else code}/{{half}}"
    return Source(lambda rows: language_of(rows[:400], code), (file,), goals, "edit in English")


def _bizsre(edit: str, ask: str) -> Source:
    return Source(lambda rows: bizsre_of(rows, edit, ask), ("bizsre/{half}",), note=f"edit in {edit}, asked in {ask}")


_COUNTERFACT: Final = {"in": Goal(least=0.98), "out": Goal(most=0.005)}
SUITES: Final[Mapping[str, Source]] = {
    "counterfact": Source(counterfact_of, ("counterfact/{half}",), _COUNTERFACT),
    "counterfact_all": Source(
        counterfact_all_of, ("counterfact/{half}", "counterfact/train"), _COUNTERFACT, "train half live too; trained on it"
    ),
    "counterfact_same": Source(
        counterfact_same_of, ("counterfact/{half}",), note="clozes of our own about a live subject, adversarial"
    ),
    "counterfact_hard": Source(
        counterfact_hard_of,
        ("counterfact_hard/{half}",),
        {"in": Goal(least=0.98), "same": Goal(most=0.02), "neighbour": Goal(most=0.005)},
    ),
    "qaedit": Source(qaedit_of, ("qaedit/{half}",), {"own": Goal(least=0.99), "in": Goal(least=0.97), "out": Goal(most=0.005)}),
    "halluedit": Source(
        halluedit_all_of,
        ("halluedit/{half}",),
        {"in": Goal(least=0.98), "loc": Goal(most=0.01)},
        "some locality questions ask for the record's own fact in other words",
    ),
    **{f"mcounterfact_{code}": _language(code) for code in LANGUAGES},
    "zsre": Source(zsre_of, ("zsre/{half}",), note="a train set of the scope model: a check of memory, not of skill"),
    "bizsre_en": _bizsre("en", "en"),
    "bizsre_zh": _bizsre("en", "zh"),
    "bizsre_from_zh_en": _bizsre("zh", "en"),
    "bizsre_from_zh_zh": _bizsre("zh", "zh"),
    **{
        f"conflictedit_{kind}": Source(
            conflictedit_of, (f"conflictedit_{kind}/{{half}}",), note="of edits of one fact the last"
        )
        for kind in ("reverse", "composite", "coverage")
    },
    "mquake_cf3k": Source(mquake_of, ("mquake_cf3k/{half}",), note="noisy; several hops are reported only"),
    "mquake_hard": Source(mquake_of, ("mquake_hard/{half}",), note="noisy; several hops are reported only"),
    "labelled": Source(
        labelled_of,
        ("tests/data/labelled_questions",),
        {"in": Goal(least=0.98), "out": Goal(most=0.0)},
        "every third row was looked at while building: read the report part",
        records="knowledge",
    ),
}
