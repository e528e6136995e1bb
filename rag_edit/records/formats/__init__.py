"""File formats of records: one module each, with the same two functions.

``read(text, faults, limits)`` yields a `RawRecord` each and notes what breaks the syntax; ``write(records)`` returns the
text of a file that reads back as equal records. Text in and out: bytes, encodings and line ends are `rag_edit.records.files`'.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rag_edit.core.record import Record
from rag_edit.records.formats import csv_file, jsonl_file, yaml_file
from rag_edit.records.raw import FileFaults, Limits, RawRecord


@dataclass(frozen=True, slots=True)
class Format:
    """One file format."""

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[str, FileFaults, Limits], Iterator[RawRecord]]
    write: Callable[[Iterable[Record]], str]
    max_bytes: Callable[[Limits], int]


FORMATS: Final = {
    "yaml": Format("yaml", (".yaml", ".yml"), yaml_file.read, yaml_file.write, lambda limits: limits.max_yaml_bytes),
    "csv": Format("csv", (".csv",), csv_file.read, csv_file.write, lambda limits: limits.max_file_bytes),
    "jsonl": Format("jsonl", (".jsonl",), jsonl_file.read, jsonl_file.write, lambda limits: limits.max_file_bytes),
}
SUFFIXES: Final = {suffix: each for each in FORMATS.values() for suffix in each.suffixes}
