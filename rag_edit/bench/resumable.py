"""Lines of JSON that a later run goes on with: what was written for the same state stays, else the file starts anew.

The state is a digest of everything that a line depends on. A line cut off by a crash is dropped.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ResumableLines:
    """One file of lines, each with an ``id``, in the order in which they are due.

    Attributes:
        path: The file; its state stands beside it.
        state: What the lines belong to.
    """

    path: Path
    state: str

    def resume(self, due: Sequence[str]) -> list[dict[str, Any]]:
        """Return the lines that are there already, and cut the file after the last that is whole and due.

        Args:
            due: Ids of all lines, in order.
        """
        mark = self.path.with_name(self.path.name + ".state")
        if not (self.path.exists() and mark.exists() and mark.read_text("utf-8") == self.state):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            mark.write_text(self.state, "utf-8")
            return []
        lines: list[dict[str, Any]] = []
        data, whole = self.path.read_bytes(), 0
        for line in data.splitlines(keepends=True):
            found = _object(line)
            if found is None or len(lines) == len(due) or found.get("id") != due[len(lines)]:
                break
            lines.append(found)
            whole += len(line)
        if whole < len(data):
            os.truncate(self.path, whole)
        return lines

    def append(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Write lines after those that are there."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _object(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
