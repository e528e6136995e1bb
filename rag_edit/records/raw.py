"""What the readers of the file formats hand to `rag_edit.records.parse`: values as written, with their lines.

A reader knows a syntax; it does not know the fields of a record. Nothing that was written as something other than a text
is turned into one here: a number keeps its spelling, so that ``0112`` can become neither 74 nor 112.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeAlias

WHOLE_FILE: Final = "file"  # stands in the place of a field's name where a fault is no single field's


class Kind(StrEnum):
    """What a bare scalar was written as, where that is not a text."""

    INTEGER = "an integer"
    NUMBER = "a number"
    NULL = "the word null"
    OTHER = "a value of type"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A bare scalar: what it was written as, and its exact characters."""

    kind: Kind
    text: str


Raw: TypeAlias = "bool | str | Scalar | list[Raw] | dict[str, Raw] | None"


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record as its file has it.

    Attributes:
        values: By field name as written; None is "not given".
        line: First line of the record, from 1.
        lines: Line of each field, where it is not ``line``.
    """

    values: dict[str, Raw]
    line: int
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int:
        """Return the line of a field; of the record where the field is not there."""
        return self.lines.get(name, self.line)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader accepts before it refuses.

    Attributes:
        max_file_bytes: Size of one file.
        max_yaml_bytes: Size of one YAML file: reading it is about 30 times slower than JSONL.
        max_records: Records and retractions of one call, all files together.
        max_files: Files of one call.
        max_depth: Nesting of lists and mappings in YAML; a record needs 5.
        max_alias_nodes: Nodes that all YAML aliases of one file stand for, together.
    """

    max_file_bytes: int = 256 * 1024 * 1024
    max_yaml_bytes: int = 32 * 1024 * 1024
    max_records: int = 1_000_000
    max_files: int = 100_000
    max_depth: int = 8
    max_alias_nodes: int = 100_000


class FileFaults:
    """The faults of one file, collected; each with its line, field, what was wanted and what was found."""

    __slots__ = ("_found", "path")

    def __init__(self, path: str) -> None:
        """Collect for ``path``, which is shown as the user gave it."""
        self.path = path
        self._found: dict[tuple[int, str, str], None] = {}

    def add(self, line: int, where: str, wanted: str, found: str) -> None:
        """Note a fault. The same fault twice (a shared default) counts once."""
        self._found[line, where, f"wanted {wanted}, found {found}"] = None

    def __len__(self) -> int:
        return len(self._found)

    def lines(self) -> Sequence[str]:
        """Return ``path:line:field: wanted ..., found ...`` by line, in the order found within a line."""
        return [f"{self.path}:{line}:{where}: {text}" for line, where, text in sorted(self._found, key=lambda f: f[0])]


def show(text: str, width: int = 40) -> str:
    """Return ``text`` in quotes for a message: cut, and with what cannot be seen escaped."""
    return repr(text if len(text) <= width else f"{text[: width - 3]}...")


def raw_value(value: object) -> Raw:
    """Return a Python value as a reader would hand it on: JSON's types, `date` for a day, any sequence for a list.

    A value of another type becomes a scalar that no field takes.
    """
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return Scalar(Kind.INTEGER, str(value))
    if isinstance(value, float):
        return Scalar(Kind.NUMBER, repr(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): raw_value(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [raw_value(item) for item in value]
    return Scalar(Kind.OTHER, type(value).__name__)
