"""Count how many turns of a labelled file are taken for doubts, by the rules alone and with the trained reader, by language.

usage: measure_doubts.py FILE [--encoder e5]

A line of FILE: ``{"lang", "context_question", "context_answer", "turn", "label": "doubt" or "other"}``. Only counts are shown.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rag_edit.config import Settings
from rag_edit.core.interval import wilson
from rag_edit.opening import open_readers, place_reader
from rag_edit.scope.training.doubts import taken_for_doubts


def main() -> None:
    """Read, ask, count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--encoder", default="e5")
    options = parser.parse_args()
    readers = open_readers(Settings(encoder=options.encoder))
    if readers.doubts is None:
        print("no reader of doubts for this encoder: rules alone")
    rows = [json.loads(line) for line in options.file.read_text("utf-8").splitlines()]
    conversations = [(row["context_question"], row["context_answer"], row["turn"]) for row in rows]
    found = taken_for_doubts(conversations, readers.doubts or (lambda turns: [False] * len(turns)), place_reader())
    for label in ("doubt", "other"):
        for language in (*sorted({row["lang"] for row in rows}), "all"):
            own = [
                pair
                for row, pair in zip(rows, found, strict=True)
                if row["label"] == label and language in (row["lang"], "all")
            ]
            print(
                f"{label:6} {language:4} rules {_share([by for by, _ in own])}   with the reader {_share([by for _, by in own])}"
            )


def _share(taken: Sequence[bool]) -> str:
    low, high = wilson(sum(taken), len(taken))
    return f"{sum(taken):4} of {len(taken):4}, {sum(taken) / max(1, len(taken)):6.1%} ({low:.0%}-{high:.0%})"


if __name__ == "__main__":
    main()
