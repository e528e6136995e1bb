"""The options of a multiple-choice question: lettered, numbered, bulleted or announced. Pure.

A run of labels counts when it starts at A, a or 1, keeps one style, and each label is followed by words. Labels at a line
start or after a wide gap are trusted first, so that initials and abbreviations inside an option ("Washington, D. C.") do
not cut it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.form import Option

_LABEL: Final = re.compile(
    r"(?:(?<=\s)|(?<=^)|(?<=[?:;,]))(?P<open>\*\*|[(\[])?(?P<label>[A-Za-z]|\d{1,2})(?P<close>\*\*[.):]?|[.):\]]\*{0,2})[ \t]+(?=\S)"
)
_TIGHT: Final = re.compile(r"(?:(?<=\s)|(?<=^))(?P<open>[(\[])(?P<label>[A-Za-z]|\d{1,2})(?P<close>[)\]])(?=\S)")
_BULLET: Final = re.compile(r"^[ \t]*[-*•–][ \t]+(?P<text>\S.*)$", re.MULTILINE)
_ANNOUNCED: Final = re.compile(
    r"(?:\b(?:options?|choices|choose (?:from|one of|between)|pick (?:from|one of)|possible answers|auswahl|optionen|antwortmöglichkeiten"
    r"|wähle aus|choix|au choix|options possibles|opciones|elige entre|elija entre)\s*:\s*)(?P<list>[^\n?]+)",
    re.IGNORECASE,
)
_COMMAS: Final = re.compile(r"\s*(?:,|;|/|\||\bor\b|\boder\b|\bou\b|\bo\b)\s*")
MAX_OPTIONS: Final = 26


@dataclass(frozen=True, slots=True)
class _Label:
    start: int
    end: int
    letter: str
    style: tuple[str, str, str]
    strong: bool


def split_options(text: str) -> tuple[str, tuple[Option, ...], str]:
    """Return the text before the options, the options, and the text after them; no options: ``(text, (), "")``.

    The last option ends at its line; what follows on later lines is "after".
    """
    labels = _labels(text)
    run = max((_run([x for x in labels if x.strong]), _run(labels)), key=len)
    if len(run) >= 2 and _trusted(text, run):
        return _cut(text, run)
    bullets = list(_BULLET.finditer(text))
    if len(bullets) >= 2 and text[: bullets[0].start()].rstrip().endswith(("?", ":")):
        options = tuple(Option("", m.group("text").strip()) for m in bullets[:MAX_OPTIONS])
        return text[: bullets[0].start()].strip(), options, text[bullets[-1].end() :].strip()
    announced = _ANNOUNCED.search(text)
    if announced:
        parts = [part.strip(" .\"'()") for part in _COMMAS.split(announced.group("list"))]
        options = tuple(Option("", part) for part in parts if part)
        if 2 <= len(options) <= MAX_OPTIONS:
            return text[: announced.start()].strip(" \n("), options, text[announced.end() :].strip(" \n)")
    return text, (), ""


def _labels(text: str) -> list[_Label]:
    found = []
    for pattern in (_LABEL, _TIGHT):
        for match in pattern.finditer(text):
            letter = match.group("label")
            kind = "1" if letter.isdigit() else "A" if letter.isupper() else "a"
            before = text[: match.start()]
            strong = (
                not before.strip()
                or before.rstrip(" ").endswith(("?", ":"))
                or before.endswith(("\n", "  ", "\t", ";", "|"))
                or match.group("open") is not None
            )
            found.append(
                _Label(match.start(), match.end(), letter, (match.group("open") or "", match.group("close"), kind), strong)
            )
    return sorted(found, key=lambda x: x.start)


def _run(labels: Sequence[_Label]) -> list[_Label]:
    """Return the longest run of labels A, B, C, ... or 1, 2, 3, ... of one style, in order."""
    best: list[_Label] = []
    for i, first in enumerate(labels):
        if first.letter not in ("A", "a", "1"):
            continue
        run = [first]
        for label in labels[i + 1 :]:
            if label.style == first.style and label.letter == _next(run[-1].letter) and label.start > run[-1].end:
                run.append(label)
        if len(run) > len(best):
            best = run
    return best[:MAX_OPTIONS]


def _next(letter: str) -> str:
    return str(int(letter) + 1) if letter.isdigit() else chr(ord(letter) + 1)


def _trusted(text: str, run: Sequence[_Label]) -> bool:
    """Return whether a run is options: each has words, and the first stands where a list may start."""
    ends = [label.start for label in run[1:]] + [len(text)]
    if any(not re.search(r"\w", text[label.end : end]) for label, end in zip(run, ends, strict=True)):
        return False
    before = text[: run[0].start].rstrip()
    return run[0].strong or not before or before[-1] in "?:.!,;" or len(run) >= 3


def _cut(text: str, run: Sequence[_Label]) -> tuple[str, tuple[Option, ...], str]:
    last_line = text.find("\n", run[-1].end)
    end = len(text) if last_line < 0 else last_line
    ends = [label.start for label in run[1:]] + [end]
    options = tuple(
        Option(label.letter, text[label.end : stop].strip(" \n\t;,|*")) for label, stop in zip(run, ends, strict=True)
    )
    return text[: run[0].start].strip(), options, text[end:].strip()
