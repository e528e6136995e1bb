"""Where reports are kept: a folder each in a home, and a file that binds every record version to the report on it.

A report says what held for one content with one encoder, scope model, base model and policy. Where any of these is another now, the
report is stale: it is listed, and nothing is deleted. The binding file is appended to; the last line about a record counts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag_edit.core.digest import Digest, Json
from rag_edit.core.record import RecordVersion
from rag_edit.verify.finding import Finding
from rag_edit.verify.report import Conditions, Report

REPORTS_NAME: Final = "reports"
BOUND_NAME: Final = "bound.jsonl"
SUMMARY: Final = "report.json"
FINDINGS: Final = "findings.jsonl"
HTML: Final = "report.html"


@dataclass(frozen=True, slots=True)
class Bound:
    """What is known of one record version: content, report, conditions, whether it passed, and why it is live if it did not."""

    record: str
    content: Digest
    report: Digest
    conditions: Conditions
    ok: bool
    forced: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return plain values."""
        plain: dict[str, Json] = {"record": self.record, "content": self.content, "report": self.report, "ok": self.ok}
        return {**plain, "forced": self.forced, "conditions": self.conditions.to_json()}


@dataclass(frozen=True, slots=True)
class Stale:
    """A live record whose report no longer speaks of what is in force; ``why`` is empty where it has none at all."""

    record: str
    why: tuple[str, ...]


class ReportShelf:
    """The reports of one home. What cannot be read counts as missing."""

    def __init__(self, home: Path) -> None:
        self.root = home / REPORTS_NAME

    def put(self, report: Report, html: str = "") -> Path:
        """Write a report into a folder of its own and return the folder. It binds nothing yet."""
        digest = report.digest()
        folder = self.root / f"{report.at[:19].replace(':', '')}-{digest.removeprefix('sha256:')[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(f.to_json(), ensure_ascii=False) for f in report.findings)
        (folder / FINDINGS).write_text("".join(f"{line}\n" for line in lines), "utf-8")
        summary = {**report.to_json(), "digest": digest}
        (folder / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", "utf-8")
        if html:
            (folder / HTML).write_text(html, "utf-8")
        return folder

    def bind(self, report: Report) -> None:
        """Bind the versions under test to their report."""
        refused = {f.record for f in report.refusing}
        digest = report.digest()
        made = [Bound(n, c, digest, report.conditions, n not in refused, report.forced) for n, c in report.tested]
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / BOUND_NAME).open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(each.to_json(), ensure_ascii=False) + "\n" for each in made))

    def bound(self) -> dict[str, Bound]:
        """Return what is known, by ``id@version``."""
        found: dict[str, Bound] = {}
        path = self.root / BOUND_NAME
        for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
            try:
                each = json.loads(line)
                conditions = Conditions(**each.pop("conditions"))
                found[each["record"]] = Bound(conditions=conditions, **each)
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def stale(self, live: Iterable[RecordVersion], now: Conditions) -> list[Stale]:
        """Return the live records whose report is of other content or conditions, or is missing, by name."""
        known = self.bound()
        found = []
        for version in live:
            each = known.get(version.name)
            if each is None or each.content != version.digest:
                found.append(Stale(version.name, ()))
            elif changed := each.conditions.changed(now):
                found.append(Stale(version.name, tuple(changed)))
        return sorted(found, key=lambda stale: stale.record)

    def pace(self) -> float:
        """Return the questions a second of the newest report that took a while; 0 where there is none."""
        for folder in self._folders():
            try:
                summary = json.loads((folder / SUMMARY).read_text("utf-8"))
                asked, seconds = int(summary["asked"]), int(summary["seconds"])
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if asked and seconds > 10:
                return asked / seconds
        return 0.0

    def _folders(self) -> list[Path]:
        return sorted((p for p in self.root.iterdir() if (p / SUMMARY).is_file()), reverse=True) if self.root.is_dir() else []

    def last(self, title: str = "") -> tuple[Digest, list[Finding]] | None:
        """Return digest and findings of the newest report, of those with this title where one is given; None without any."""
        for folder in self._folders():
            try:
                summary = json.loads((folder / SUMMARY).read_text("utf-8"))
                if title and summary["title"] != title:
                    continue
                return str(summary["digest"]), read_findings(folder / FINDINGS)
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return None


def read_findings(path: Path) -> list[Finding]:
    """Return the findings of a file.

    Raises:
        ValueError, KeyError, TypeError, OSError: it is no file of findings.
    """
    return [Finding.from_json(json.loads(line)) for line in path.read_text("utf-8").split("\n") if line.strip()]


class Unfinished:
    """The findings of a verification as they come, so that one that was cut off goes on where it stopped.

    What belongs to another state (other records, conditions, budget) is dropped.
    """

    def __init__(self, home: Path, state: Digest) -> None:
        self.path = home / REPORTS_NAME / "unfinished.jsonl"
        self.state = state

    def resume(self) -> dict[str, Finding]:
        """Return the findings that are there, by trial; starts the file anew where they belong to another state."""
        try:
            first, *lines = self.path.read_text("utf-8").split("\n")
            if json.loads(first) == {"state": self.state}:
                self._end_line()
                made = [f for line in lines if (f := _read(line)) is not None]
                return {f.key: f for f in made if f.key}
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"state": self.state}) + "\n", "utf-8")
        return {}

    def _end_line(self) -> None:
        """End the last line, which may be half a finding: the next one shall stand on its own."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n")

    def append(self, findings: Sequence[Finding]) -> None:
        """Write findings down."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(f.to_json(), ensure_ascii=False) + "\n" for f in findings if f.key))

    def finish(self) -> None:
        """Drop the file: the report has it all."""
        self.path.unlink(missing_ok=True)


def _read(line: str) -> Finding | None:
    """Return the finding of a line; None where the machine stopped within it."""
    try:
        return Finding.from_json(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return None


def counts_of(summary: Mapping[str, Json]) -> dict[str, Json]:
    """Return the few values of a summary that a list of reports shows."""
    return {name: summary[name] for name in ("at", "title", "verdict", "records", "findings", "digest")}
