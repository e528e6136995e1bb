"""Public train sets as masked rows, with what also stands in a development half dropped.

A row keeps the texts of one edit with the subject cut out (``{}``), the relation where it is known, and the target.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_edit.scope.mentions import fold_words
from rag_edit.scope.training.relations import STATEMENTS, Relations

_JOB = re.compile(r"(?i)\b(occupation|profession|job|career|for a living|kind of work|who is)\b")


@dataclass(frozen=True, slots=True)
class Row:
    """One edit of a train set: masked texts that all ask for the same fact."""

    source: str
    subject: str
    target: str
    relation: str
    asks: tuple[str, ...]  # masked questions or clozes, the record's own first


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def held_out(data: Path) -> tuple[set[str], set[str]]:
    """Return folded subjects and folded questions of the development halves: neither may be trained on."""
    subjects: set[str] = set()
    questions: set[str] = set()
    for row in read_jsonl(data / "counterfact_hard/dev.jsonl"):
        subjects.add(fold_words(row["subject_name"]))
        asked = [q for q, _ in row["edit_scope"]] + row["unrelated"]["neighbor_subj"] + row["unrelated"]["same_subj"]
        questions.update(map(fold_words, asked))
    for row in read_jsonl(data / "counterfact/dev.jsonl"):
        subjects.add(fold_words(row["subject"]))
        questions.update(fold_words(row[k]) for k in ("prompt", "rephrase_prompt", "locality_prompt"))
    for row in read_jsonl(data / "halluedit/dev.jsonl"):
        subjects.add(fold_words(row["subject"]))
    for row in read_jsonl(data / "qaedit/dev.jsonl"):
        questions.update((fold_words(row["prompt"]), fold_words(row["rephrase"])))
    for row in read_jsonl(data / "mcounterfact_de/dev.jsonl"):
        subjects.add(fold_words(row["en"]["subject"]))
    for row in read_jsonl(data / "bizsre/dev.jsonl"):
        subjects.update(fold_words(str(v["subject"])) for v in row.values() if isinstance(v, dict) and "subject" in v)
    return subjects - {""}, questions - {""}


def mask_once(text: str, subject: str) -> str | None:
    """Return ``text`` with ``{}`` for the subject, or None where it does not occur."""
    found = re.search(rf"(?<!\w){re.escape(subject)}(?!\w)", text, re.IGNORECASE)
    return None if found is None else text[: found.start()] + "{}" + text[found.end() :]


def last_sentence(template: str) -> str:
    """Return the sentence with the subject: CounterFact puts unrelated text in front of some paraphrases."""
    start = max((m.end() for m in re.finditer(r"[.!?:)\]\"]\s+", template[: template.find("{}")])), default=0)
    return template[start:]


def counterfact(data: Path, relations: Relations, dropped: Counter[str]) -> Iterator[Row]:
    """Yield CounterFact's train rows; the relation by template, else by the vocabulary of its values."""
    subjects, questions = held_out(data)
    kept: list[tuple[dict[str, Any], str, str]] = []
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for row in read_jsonl(data / "counterfact/train.jsonl"):
        own, other = mask_once(row["prompt"], row["subject"]), mask_once(row["rephrase_prompt"], row["subject"])
        if (
            own is None
            or other is None
            or fold_words(row["subject"]) in subjects
            or fold_words(row["rephrase_prompt"]) in questions
        ):
            dropped["counterfact"] += 1
            continue
        kept.append((row, own, other))
        names = relations.of(own)
        if len(names) == 1:
            for key in ("ground_truth", "target_new"):
                values[row[key]][next(iter(names))] += 1
    for row, own, other in kept:
        names = relations.of(own)
        relation = next(iter(names)) if len(names) == 1 else ""
        if not relation:
            votes = values[row["ground_truth"]] + values[row["target_new"]]
            if names:
                votes = Counter({k: v for k, v in votes.items() if k in names})
            best = votes.most_common(1)
            relation = best[0][0] if best and best[0][1] >= 0.7 * votes.total() else ""
        yield Row("counterfact", row["subject"], row["target_new"], relation, (own, other))


def pokemqa(data: Path, dropped: Counter[str]) -> Iterator[Row]:
    """Yield PokeMQA's rows whose statement has a known shape and whose subject stands in the questions."""
    subjects, questions = held_out(data)
    for row in read_jsonl(data / "pokemqa_scope/train.jsonl"):
        for shape, relation in STATEMENTS:
            if (found := re.fullmatch(shape, row["edit"].rstrip(". "))) is None:
                continue
            subject, target = found["s"], found["o"]
            if fold_words(subject) in subjects or any(fold_words(q) in questions for q in row["questions"]):
                dropped["pokemqa"] += 1
                break
            asks = [m for q in row["questions"] if (m := mask_once(q, subject)) is not None]
            if relation == "P101":  # some rows ask for the job where the statement tells the field: other relations here
                asks = [a for a in asks if not _JOB.search(a)]
            if len(asks) > 1:
                yield Row("pokemqa", subject, target, relation, tuple(dict.fromkeys(asks)))
            break
        else:
            dropped["pokemqa, unknown shape"] += 1


def zsre(data: Path, dropped: Counter[str]) -> Iterator[Row]:
    """Yield zsRE's rows; its relations are unknown: the template of the first question stands for one."""
    subjects, _ = held_out(data)
    for row in read_jsonl(data / "zsre/train.jsonl"):
        own, other = mask_once(row["src"], row["subject"]), mask_once(row["rephrase"], row["subject"])
        if own is None or other is None or fold_words(row["subject"]) in subjects:
            dropped["zsre"] += 1
            continue
        yield Row("zsre", row["subject"], row["alt"], f"z:{own.casefold()}", (own, other))
