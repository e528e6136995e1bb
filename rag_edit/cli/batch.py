"""`rag-edit ask --batch`: a file of questions, in order, resumable.

A line is ``{"id", "question", "jurisdiction", "as_of"?, "messages"?}``; what else it holds is the caller's and is not read.
All lines are checked before the first is asked: a bad one refuses the file and nothing is written. Answers go to
``OUT.partial``, which becomes ``OUT`` when it is whole; a run that was cut off goes on where it stopped, if the input, the
flags and the store are still the same, and starts anew otherwise.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from rag_edit.cli.home import parse_date
from rag_edit.core.decision import MAX_QUESTION_CHARS, Message, Query
from rag_edit.core.digest import digest_file, digest_json
from rag_edit.core.errors import RagEditError, UsageError

ROLES: Final = frozenset({"system", "user", "assistant"})
MAX_FAULTS: Final = 50


class BadBatchError(RagEditError):
    """Lines of a batch break its format; every fault is listed and nothing was asked."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        more = f"\n... and {len(faults) - MAX_FAULTS} more" if len(faults) > MAX_FAULTS else ""
        super().__init__(
            "\n".join([f"{len(faults)} fault{'s' if len(faults) != 1 else ''}, nothing asked:", *faults[:MAX_FAULTS]]) + more,
            hint="rag-edit ask --help",
        )


@dataclass(frozen=True, slots=True)
class _Partial:
    """The answers so far and what they belong to."""

    out: Path
    state: str

    @property
    def answers(self) -> Path:
        return self.out.with_name(self.out.name + ".partial")

    @property
    def mark(self) -> Path:
        return self.out.with_name(self.out.name + ".partial.state")

    def resume(self, queries: Sequence[Query]) -> int:
        """Return how many answers are there already and belong to this very run; the file is cut after the last whole one."""
        if not (self.answers.exists() and self.mark.exists() and self.mark.read_text("utf-8") == self.state):
            self.answers.unlink(missing_ok=True)
            self.mark.write_text(self.state, "utf-8")
            return 0
        data = self.answers.read_bytes()
        whole, done = 0, 0
        for line in data.splitlines(keepends=True):
            if not line.endswith(b"\n") or done >= len(queries) or json.loads(line)["id"] != queries[done].id:
                break
            whole, done = whole + len(line), done + 1
        if whole != len(data):
            os.truncate(self.answers, whole)
        return done

    def finish(self) -> None:
        self.answers.replace(self.out)
        self.mark.unlink(missing_ok=True)


def run_batch(
    engine: Any,
    source: Path,
    out: Path,
    *,
    jurisdiction: str | None,
    as_of: date | None,
    with_base: bool,
    route_only: bool,
    explain: bool,
    size: int,
) -> dict[str, Any]:
    """Ask every line of ``source``; return a summary with counts by route.

    Raises:
        BadBatchError: lines break the format.
    """
    from rag_edit.gateway.outcomes import outcome_to_json

    queries = read_batch(engine, source, jurisdiction, as_of)
    state = digest_json(
        {
            "input": digest_file(source),
            "as_of": [q.as_of.isoformat() for q in queries[:1]],
            "flags": [with_base, route_only, explain],
            "store": engine.store.position(),
            "scorer": engine.scope_digest,
        }
    )
    partial = _Partial(out, state)
    done = resumed = partial.resume(queries)
    with partial.answers.open("a", encoding="utf-8") as file:
        engine.progress("ask", done, len(queries))
        while done < len(queries):
            outcomes = engine.ask_many(queries[done : done + size], with_base=with_base, route_only=route_only)
            file.write("".join(json.dumps(outcome_to_json(o, explain=explain), ensure_ascii=False) + "\n" for o in outcomes))
            file.flush()
            done += len(outcomes)
            engine.progress("ask", done, len(queries))
    partial.finish()
    return {"asked": len(queries) - resumed, "resumed": resumed, "out": str(out)}


def read_batch(engine: Any, source: Path, jurisdiction: str | None, as_of: date | None) -> list[Query]:
    """Return the queries of a batch file, all checked.

    Raises:
        BadBatchError: lines break the format.
        UsageError: the file cannot be read.
    """
    queries: list[Query] = []
    faults: list[str] = []
    try:
        lines = source.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UsageError(f"{source}: {error.strerror}", hint="give a file of questions") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            queries.append(_query(engine, line, number, jurisdiction, as_of))
        except (ValueError, TypeError, RagEditError) as error:
            message = error.message if isinstance(error, RagEditError) else str(error)
            faults.append(f"{source}:{number}: {message}")
    if faults:
        raise BadBatchError(faults)
    return queries


def _query(engine: Any, line: bytes, number: int, jurisdiction: str | None, as_of: date | None) -> Query:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise TypeError(f"wanted an object, found {type(found).__name__}")
    messages = tuple(_message(m) for m in found.get("messages") or ())
    question = found.get("question")
    if question is None and messages and messages[-1].role == "user":
        question = messages[-1].content
    if not isinstance(question, str) or len(question) > MAX_QUESTION_CHARS:
        raise ValueError(f"question: wanted a text of at most {MAX_QUESTION_CHARS} characters")
    if messages and messages[-1] == Message("user", question):
        messages = messages[:-1]
    where = found.get("jurisdiction")
    day = found.get("as_of")
    if not isinstance(where, str | None) or not isinstance(day, str | None):
        raise TypeError("jurisdiction and as_of: wanted texts")
    query = engine.query(
        question,
        jurisdiction=where or jurisdiction,
        as_of=parse_date(day, "as_of") or as_of,
        messages=messages,
        id=str(found.get("id", number)),
    )
    assert isinstance(query, Query)
    return query


def _message(found: object) -> Message:
    if not isinstance(found, dict) or found.get("role") not in ROLES or not isinstance(found.get("content"), str):
        raise ValueError(f"messages: wanted objects with role ({', '.join(sorted(ROLES))}) and content")
    return Message(found["role"], found["content"])
