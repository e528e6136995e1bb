"""Development suites as records and questions, in the very form that acceptance asks them, and their split in two.

The split is by the digest of the record's id: below 40 of 100 the question may be used to fit the last stage and choose
thresholds (``is_tune``), the rest is only reported on.
"""

import hashlib
import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rag_edit.scope.training.relations import read_relations
from rag_edit.scope.training.sources import last_sentence, mask_once, read_jsonl

SIBLINGS: Final = Path(__file__).with_name("siblings.jsonl")
TUNE_PERCENT: Final = 40
IN_SCOPE: Final = frozenset(("in", "own", "yes", "no", "choice", "reversed"))  # kinds of question that belong to their record
LANGUAGES: Final = ("en", "de", "fr", "es", "ja", "zh-cn", "ar", "tr")


@dataclass(frozen=True, slots=True)
class Live:
    """A live record, its fields as a record file names them. An empty answer is the target."""

    id: str
    subject: str
    question: str
    target: str
    answer: str = ""
    relation: str = ""
    prior: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the record that it was written for, and its kind: in scope, or why not.

    Attributes:
        id: Name of the question in its suite; empty where nobody asks for it.
        jurisdiction, as_of: Where and on which day (ISO) it is asked; the deployment's own where empty.
    """

    text: str
    kind: str
    record: str
    is_tune: bool
    id: str = ""
    jurisdiction: str = ""
    as_of: str = ""

    @property
    def is_in_scope(self) -> bool:
        """Whether the record should answer."""
        return self.kind in IN_SCOPE


@dataclass(frozen=True, slots=True)
class Suite:
    """Records that are live at once, and questions to them.

    Attributes:
        apart: Questions that are reported apart and decide nothing: known duplicates, several hops.
    """

    name: str
    records: tuple[Live, ...]
    questions: tuple[Asked, ...]
    apart: tuple[Asked, ...] = ()


def is_tune(record: str) -> bool:
    """Return whether questions of ``record`` may be fitted on."""
    return int(hashlib.sha256(record.encode()).hexdigest(), 16) % 100 < TUNE_PERCENT


def norm(text: object) -> str:
    """Return the comparison form of the acceptance script."""
    return re.sub(r"\W+", " ", unicodedata.normalize("NFKC", str(text)).casefold()).strip()


def counterfact_hard_of(rows: Sequence[dict[str, Any]]) -> Suite:
    """Natural questions: in scope, same subject with another relation, neighbour subjects; what a live record asks too, apart."""
    rows = [r for r in rows if r["edit_scope"]]
    known = {norm(q) for r in rows for q, _ in r["edit_scope"]}
    records, asked, apart = [], list[Asked](), list[Asked]()
    for row in rows:
        name, (first, target) = f"cfh-{row['id']}", row["edit_scope"][0]
        records.append(Live(name, row["subject_name"], first, target, row["edit_statement"]))
        groups = (
            ("in", [q for q, _ in row["edit_scope"][1:]]),
            ("neighbour", set(row["unrelated"]["neighbor_subj"])),
            ("same", set(row["unrelated"]["same_subj"])),
        )
        for kind, items in groups:
            for k, q in enumerate(sorted(items)):
                to = apart if kind != "in" and norm(q) in known else asked
                to.append(Asked(q, kind, name, is_tune(name), f"{name}/{kind}/{k}"))
    return Suite("counterfact_hard", tuple(records), tuple(asked), tuple(apart))


def counterfact_of(rows: Sequence[dict[str, Any]], also_live: Sequence[dict[str, Any]] = ()) -> Suite:
    """Cloze prompts: paraphrases, and neighbours; those that name a live subject, apart.

    Args:
        rows: Edits that are live and asked about.
        also_live: Edits that are live only.
    """
    live = [*rows, *also_live]
    subjects = {norm(r["subject"]) for r in live}
    asked, apart = list[Asked](), list[Asked]()
    for row in rows:
        name = f"cf-{row['case_id']}"
        asked.append(Asked(row["rephrase_prompt"], "in", name, is_tune(name), f"{name}/in"))
        words = norm(row["locality_prompt"]).split()
        is_known = any(
            " ".join(words[i:j]) in subjects for i in range(len(words)) for j in range(i + 1, min(i + 9, len(words) + 1))
        )
        (apart if is_known else asked).append(Asked(row["locality_prompt"], "out", name, is_tune(name), f"{name}/out"))
    records = tuple(
        Live(f"cf-{r['case_id']}", r["subject"], r["prompt"], r["target_new"], prior=r["ground_truth"]) for r in live
    )
    return Suite("counterfact", records, tuple(asked), tuple(apart))


def counterfact_same_of(source: Sequence[dict[str, Any]]) -> Suite:
    """Cloze prompts about a live subject that ask for another relation, made from other rows' paraphrases.

    The public suite has no such prompts; without them a threshold for clozes would be chosen blindly.
    """
    relations, rng, asked = read_relations(), random.Random(3), list[Asked]()
    rows: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    used: dict[str, set[str]] = defaultdict(set)
    for row in source:
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
                    text = form.replace("{}", row["subject"])
                    asked.append(Asked(text, "same", record, is_tune(record), f"{record}/same/{len(asked)}"))
    return Suite("counterfact_same", counterfact_of(source).records, tuple(asked))


def qaedit_of(rows: Sequence[dict[str, Any]]) -> Suite:
    """Real questions, their rephrasings, and unrelated ones. Ids repeat in the source: of equal ones the last counts, in acceptance."""
    asked = []
    for row in rows:
        name = f"qa-{row['id']}"
        groups = (("own", [row["prompt"]]), ("in", [row["rephrase"]]), ("out", [item["loc"] for item in row["locality"]]))
        asked += [Asked(q, kind, name, is_tune(name), f"{name}/{kind}/{k}") for kind, qs in groups for k, q in enumerate(qs)]
    return Suite("qaedit", tuple(Live(f"qa-{r['id']}", r["subject"], r["prompt"], r["target"]) for r in rows), tuple(asked))


_HALLUEDIT: Final = (
    ("own", "question"),
    ("in", "paraphrased_question"),
    ("yes", "yes_question"),
    ("no", "no_question"),
    ("loc", "locality_question"),
)


def halluedit_of(rows: Sequence[dict[str, Any]]) -> Suite:
    """Nine topics: paraphrase, yes/no forms, and the same subject with another relation ("loc")."""
    records, asked = [], []
    for number, row in enumerate(rows):
        name = f"he-{number}"
        records.append(Live(name, row["subject"], row["question"], row["object"], relation=row["relation"]))
        asked += [Asked(row[key], kind, name, is_tune(name), f"{name}/{kind}") for kind, key in _HALLUEDIT if row[key]]
    return Suite("halluedit", tuple(records), tuple(asked))


def language_of(rows: Sequence[dict[str, Any]], code: str) -> Suite:
    """English edits asked about in another language, and other subjects' prompts."""
    records = tuple(
        Live(f"m-{r['en']['case_id']}", r["en"]["subject"], r["en"]["src"], r["en"]["alt"], language="en") for r in rows
    )
    asked = []
    for row in rows:
        name = f"m-{row['en']['case_id']}"
        pairs = (("in", row[code]["rephrase"]), ("out", row[code]["loc"]))
        asked += [Asked(text, kind, name, is_tune(name), f"{name}/{kind}") for kind, text in pairs]
    return Suite(f"language_{code}", records, tuple(asked))


def counterfact_hard(data: Path) -> Suite:
    """Load `counterfact_hard_of` from the development half."""
    return counterfact_hard_of(read_jsonl(data / "counterfact_hard/dev.jsonl"))


def counterfact(data: Path) -> Suite:
    """Load `counterfact_of` from the development half."""
    return counterfact_of(read_jsonl(data / "counterfact/dev.jsonl"))


def counterfact_same(data: Path) -> Suite:
    """Load `counterfact_same_of` from the development half."""
    return counterfact_same_of(read_jsonl(data / "counterfact/dev.jsonl"))


def qaedit(data: Path) -> Suite:
    """Load `qaedit_of` from the development half."""
    return qaedit_of(read_jsonl(data / "qaedit/dev.jsonl"))


def halluedit(data: Path) -> Suite:
    """Load `halluedit_of` from the development half."""
    return halluedit_of(read_jsonl(data / "halluedit/dev.jsonl"))


def language(data: Path, code: str) -> Suite:
    """Load `language_of` from the development half that holds the language; English stands in each."""
    return language_of(read_jsonl(data / f"mcounterfact_{'de' if code == 'en' else code}/dev.jsonl"), code)


def siblings_of(rows: Sequence[dict[str, Any]], home: str, *, with_subject: bool) -> Suite:
    """Things written with a small letter: two wordings of each record, the same asked of a like thing, something else asked of it.

    Homes are small, and each by itself: two of them may hold the same fact.
    """
    rows = [row for row in rows if row["home"] == home]
    records = [Live(r["id"], r["subject"] if with_subject else "", r["question"], r["target"], r["answer"]) for r in rows]
    kinds = {"same": "in", "other_relation": "same", "other_thing": "neighbour", "other_thing_reworded": "neighbour"}
    asked = [Asked(text, kind, r["id"], is_tune(r["id"])) for r in rows for key, kind in kinds.items() for text in r[key]]
    return Suite(f"siblings_{home}" if with_subject else f"siblings_{home}_bare", tuple(records), tuple(asked))


def small_homes() -> Iterator[Suite]:
    """Yield the siblings that ship with this module, a home at a time, with subjects and of question and answer alone."""
    rows = read_jsonl(SIBLINGS)
    for home in sorted({row["home"] for row in rows}):
        for with_subject in (True, False):
            yield siblings_of(rows, home, with_subject=with_subject)


ENGLISH: Final[tuple[Callable[[Path], Suite], ...]] = (counterfact_hard, counterfact, counterfact_same, qaedit, halluedit)


def all_suites(data: Path) -> Iterator[Suite]:
    """Yield the English suites, then one for each language."""
    for load in ENGLISH:
        yield load(data)
    for code in LANGUAGES:
        yield language(data, code)
