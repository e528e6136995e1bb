"""Development suites as records and questions, in the very form that acceptance asks them, and their split in two.

The split is by the digest of the record's id: below 40 of 100 the question may be used to fit the last stage and choose
thresholds (``is_tune``), the rest is only reported on.
"""

import hashlib
import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rag_edit.scope.training.relations import read_relations
from rag_edit.scope.training.sources import last_sentence, mask_once, read_jsonl

TUNE_PERCENT: Final = 40
IN_SCOPE: Final = frozenset(("in", "own", "yes", "no"))  # kinds of question that belong to their record
LANGUAGES: Final = ("en", "de", "fr", "es", "ja", "zh-cn", "ar", "tr")


@dataclass(frozen=True, slots=True)
class Live:
    """A live record."""

    id: str
    subject: str
    question: str
    target: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the record that it was written for, and its kind: in scope, or why not."""

    text: str
    kind: str
    record: str
    is_tune: bool

    @property
    def is_in_scope(self) -> bool:
        """Whether the record should answer."""
        return self.kind in IN_SCOPE


@dataclass(frozen=True, slots=True)
class Suite:
    """Records that are live at once, and questions to them."""

    name: str
    records: tuple[Live, ...]
    questions: tuple[Asked, ...]


def is_tune(record: str) -> bool:
    """Return whether questions of ``record`` may be fitted on."""
    return int(hashlib.sha256(record.encode()).hexdigest(), 16) % 100 < TUNE_PERCENT


def _norm(text: object) -> str:
    """Return the comparison form of the acceptance script."""
    return re.sub(r"\W+", " ", unicodedata.normalize("NFKC", str(text)).casefold()).strip()


def counterfact_hard(data: Path) -> Suite:
    """Natural questions: in scope, same subject with another relation, neighbour subjects."""
    rows = [r for r in read_jsonl(data / "counterfact_hard/dev.jsonl") if r["edit_scope"]]
    known = {_norm(q) for r in rows for q, _ in r["edit_scope"]}
    records, asked = [], []
    for row in rows:
        name, (first, target) = f"cfh-{row['id']}", row["edit_scope"][0]
        records.append(Live(name, row["subject_name"], first, target))
        asked += [Asked(q, "in", name, is_tune(name)) for q in sorted(q for q, _ in row["edit_scope"][1:])]
        for kind, key in (("neighbour", "neighbor_subj"), ("same", "same_subj")):
            asked += [Asked(q, kind, name, is_tune(name)) for q in sorted(set(row["unrelated"][key])) if _norm(q) not in known]
    return Suite("counterfact_hard", tuple(records), tuple(asked))


def counterfact(data: Path) -> Suite:
    """Cloze prompts: paraphrases, and neighbours that name no live subject."""
    rows = read_jsonl(data / "counterfact/dev.jsonl")
    subjects = {_norm(r["subject"]) for r in rows}
    asked = []
    for row in rows:
        name = f"cf-{row['case_id']}"
        asked.append(Asked(row["rephrase_prompt"], "in", name, is_tune(name)))
        words = _norm(row["locality_prompt"]).split()
        if not any(
            " ".join(words[i:j]) in subjects for i in range(len(words)) for j in range(i + 1, min(i + 9, len(words) + 1))
        ):
            asked.append(Asked(row["locality_prompt"], "out", name, is_tune(name)))
    return Suite(
        "counterfact", tuple(Live(f"cf-{r['case_id']}", r["subject"], r["prompt"], r["target_new"]) for r in rows), tuple(asked)
    )


def counterfact_same(data: Path) -> Suite:
    """Cloze prompts about a live subject that ask for another relation, made from other rows' paraphrases.

    The public suite has no such prompts; without them a threshold for clozes would be chosen blindly.
    """
    relations, rng, asked = read_relations(), random.Random(3), list[Asked]()
    rows: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    used: dict[str, set[str]] = defaultdict(set)
    for row in read_jsonl(data / "counterfact/dev.jsonl"):
        own, other = mask_once(row["prompt"], row["subject"]), mask_once(row["rephrase_prompt"], row["subject"])
        names = relations.of(own) if own else set()
        if len(names) == 1 and other:
            rows[next(iter(names))].append((row, last_sentence(other)))
            used[last_sentence(other)] |= names
    for name, members in rows.items():
        kinds = relations.by_name[name].kinds
        others = [o for o in rows if relations.by_name[o].kinds & kinds and not relations.undecided({o}, {name})]
        for row, _ in members:
            for _ in range(2 if others else 0):
                form = rng.choice(rows[rng.choice(others)])[1]
                vague = re.search(r" known for| greatest | incredible | is good at", form)
                if not vague and name not in used[form] and not relations.undecided(relations.of(form), {name}):
                    record = f"cf-{row['case_id']}"
                    asked.append(Asked(form.replace("{}", row["subject"]), "same", record, is_tune(record)))
    return Suite("counterfact_same", counterfact(data).records, tuple(asked))


def qaedit(data: Path) -> Suite:
    """Real questions, their rephrasings, and unrelated ones."""
    rows = read_jsonl(data / "qaedit/dev.jsonl")
    asked = []
    for row in rows:
        name = f"qa-{row['id']}"
        texts = [("own", row["prompt"]), ("in", row["rephrase"]), *(("out", item["loc"]) for item in row["locality"])]
        asked += [Asked(text, kind, name, is_tune(name)) for kind, text in texts]
    return Suite("qaedit", tuple(Live(f"qa-{r['id']}", r["subject"], r["prompt"], r["target"]) for r in rows), tuple(asked))


def halluedit(data: Path) -> Suite:
    """Nine topics: paraphrase, yes/no forms, and the same subject with another relation ("loc")."""
    records, asked = [], []
    keys = (
        ("own", "question"),
        ("in", "paraphrased_question"),
        ("yes", "yes_question"),
        ("no", "no_question"),
        ("loc", "locality_question"),
    )
    for number, row in enumerate(read_jsonl(data / "halluedit/dev.jsonl")):
        name = f"he-{number}"
        records.append(Live(name, row["subject"], row["question"], row["object"]))
        asked += [Asked(row[key], kind, name, is_tune(name)) for kind, key in keys if row[key]]
    return Suite("halluedit", tuple(records), tuple(asked))


def language(data: Path, code: str) -> Suite:
    """Load English edits asked about in another language, and other subjects' prompts."""
    rows = read_jsonl(data / f"mcounterfact_{'de' if code == 'en' else code}/dev.jsonl")
    records = tuple(Live(f"m-{r['en']['case_id']}", r["en"]["subject"], r["en"]["src"], r["en"]["alt"]) for r in rows)
    pairs = (
        (f"m-{r['en']['case_id']}", kind, r[code][key]) for r in rows for kind, key in (("in", "rephrase"), ("out", "loc"))
    )
    return Suite(f"language_{code}", records, tuple(Asked(text, kind, name, is_tune(name)) for name, kind, text in pairs))


ENGLISH: Final[tuple[Callable[[Path], Suite], ...]] = (counterfact_hard, counterfact, counterfact_same, qaedit, halluedit)


def all_suites(data: Path) -> Iterator[Suite]:
    """Yield the English suites, then one for each language."""
    for load in ENGLISH:
        yield load(data)
    for code in LANGUAGES:
        yield language(data, code)
