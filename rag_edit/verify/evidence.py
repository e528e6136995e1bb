"""Where evidence is kept: one file of a home, bound to record and model by digest. It decides nothing.

What does not fit the version and the model in use is as good as none; the file may be deleted, and costs a new verification.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from rag_edit.core.digest import Digest
from rag_edit.core.record import RecordVersion
from rag_edit.verify.ladder import Evidence

EVIDENCE_NAME: Final = "evidence.jsonl"


class EvidenceFile:
    """The evidence of one home, one JSON line a record version. What cannot be read counts as missing."""

    def __init__(self, home: Path) -> None:
        self.path = home / EVIDENCE_NAME
        self._held: dict[str, Evidence] | None = None

    def all(self) -> dict[str, Evidence]:
        """Return the evidence by ``id@version``."""
        if self._held is None:
            held: dict[str, Evidence] = {}
            lines = self.path.read_text("utf-8").splitlines() if self.path.is_file() else []
            for line in lines:
                try:
                    evidence = Evidence.from_json(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue
                held[evidence.record] = evidence
            self._held = held
        return self._held

    def put(self, found: Iterable[Evidence]) -> None:
        """Keep evidence beside what is there; the file is replaced whole."""
        held = {**self.all(), **{evidence.record: evidence for evidence in found}}
        lines = [json.dumps(held[name].to_json(), ensure_ascii=False, sort_keys=True) for name in sorted(held)]
        fresh = self.path.with_name(f"{self.path.name}.new")
        fresh.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        fresh.replace(self.path)
        self._held = held

    def rung_of(self, version: RecordVersion, base: Callable[[], Digest]) -> str:
        """Return the rung found for this very version with this very model; empty where there is no such evidence.

        Args:
            version: The record.
            base: Names the model; asked only where there is evidence to compare.
        """
        evidence = self.all().get(version.name)
        return evidence.rung if evidence is not None and evidence.holds_for(version, base()) else ""
