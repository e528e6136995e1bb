"""Record files in: paths to records, or every fault of every file at once.

Bytes, encodings, line ends, directories and what belongs to more than one record are settled here; syntax is the formats',
fields are `rag_edit.records.parse`'s. A byte-order mark is dropped; CRLF and a lone CR end a line as LF does. UTF-16,
bytes that are no UTF-8 and NUL are refused with their offset. Either all files hold or nothing is returned.
"""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from rag_edit.core.errors import InvalidRecordsError
from rag_edit.core.record import Record
from rag_edit.records.formats import SUFFIXES
from rag_edit.records.parse import KnowsJurisdictions, Parser, Retraction
from rag_edit.records.raw import WHOLE_FILE, FileFaults, Limits, RawRecord, raw_value

_BOMS: Final = ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))
OnRepeat: TypeAlias = Literal["refuse", "newest", "skip"]
_WANTED: Final = "a .yaml, .yml, .csv or .jsonl file, or a directory of them"


@dataclass(frozen=True, slots=True)
class LocatedRecord:
    """A record and where it is stated: the path as the user gave it, and the line."""

    record: Record
    path: str
    line: int

    @property
    def where(self) -> str:
        """Return ``path:line``."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class LocatedRetraction:
    """A retraction and where it is stated."""

    retraction: Retraction
    path: str
    line: int

    @property
    def where(self) -> str:
        """Return ``path:line``."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class ReadResult:
    """All that the files state, in the order read, with unique ids; and the files, as the user gave their paths.

    Attributes:
        records, retractions: What is stated.
        files: Where.
        repeats: One line for each record that another one of the same id, in the same files, was taken instead of.
    """

    records: tuple[LocatedRecord, ...]
    retractions: tuple[LocatedRetraction, ...] = ()
    files: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()


def read_records(
    paths: Sequence[Path],
    atlas: KnowsJurisdictions,
    *,
    on_repeat: OnRepeat = "refuse",
    limits: Limits = Limits(),  # noqa: B008  # frozen
) -> ReadResult:
    """Return the records and retractions of files and directories.

    A directory is walked in sorted order; hidden names and other suffixes are passed over. A file met twice is read once.

    Args:
        paths: Files and directories.
        atlas: Which jurisdictions there are.
        on_repeat: When an id is stated twice: ``refuse`` is a fault, ``newest`` takes the last one, ``skip`` the first.
        limits: What is read at most.

    Raises:
        InvalidRecordsError: with every fault of every file, as ``path:line:field: wanted ..., found ...``.
    """
    reading = _Reading(Parser(atlas), limits, on_repeat)
    for path in paths:
        reading.take(path)
    if reading.faults:
        raise InvalidRecordsError(reading.faults)
    return reading.result()


def read_mappings(values: Sequence[Mapping[str, Any]], atlas: KnowsJurisdictions, *, limits: Limits = Limits()) -> ReadResult:  # noqa: B008
    """Return the records and retractions that mappings of a record's fields state; faults name them ``record:1``, ``record:2``.

    Values are what JSON has, `datetime.date` for days, and tuples for lists.

    Raises:
        InvalidRecordsError: with every fault of every mapping.
    """
    reading = _Reading(Parser(atlas), limits)
    faults = FileFaults("record")
    reading.parse((RawRecord({n: raw_value(v) for n, v in fields.items()}, at) for at, fields in enumerate(values, 1)), faults)
    if len(faults):
        raise InvalidRecordsError(faults.lines())
    return reading.result()


class _Reading:
    """One call of `read_records`: what was found so far."""

    def __init__(self, parser: Parser, limits: Limits, on_repeat: OnRepeat = "refuse") -> None:
        self.records: list[LocatedRecord] = []
        self.repeats: list[str] = []
        self._on_repeat = on_repeat
        self.retractions: list[LocatedRetraction] = []
        self.files: list[str] = []
        self.faults: list[str] = []
        self._parser, self._limits = parser, limits
        self._seen: set[tuple[int, int]] = set()  # device and inode of every file and directory entered
        self._stated: dict[str, str] = {}
        self._withdrawn: dict[str, str] = {}
        self._full = False

    def result(self) -> ReadResult:
        """Return what was found."""
        return ReadResult(tuple(self.records), tuple(self.retractions), tuple(self.files), tuple(self.repeats))

    def take(self, path: Path) -> None:
        """Read one path that the user gave."""
        faults = FileFaults(str(path))
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            found = "nothing there" if isinstance(error, FileNotFoundError) else _reason(error)
            faults.add(0, WHOLE_FILE, _WANTED, found)
        else:
            if stat.S_ISDIR(status.st_mode):
                self._walk(path, status, faults)
            elif path.suffix.casefold() not in SUFFIXES:
                hint = " (one record a line: .jsonl)" if path.suffix.casefold() == ".json" else ""
                faults.add(0, WHOLE_FILE, _WANTED, f"a file named {path.name!r}{hint}")
            else:
                self._file(path, status, faults)
        self.faults += faults.lines()

    def _walk(self, folder: Path, status: os.stat_result, faults: FileFaults) -> None:
        if self._entered(status):
            return
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            faults.add(0, WHOLE_FILE, "a readable directory", _reason(error))
            return
        for name in names:
            if name.startswith("."):
                continue
            path = folder / name
            own = FileFaults(str(path))
            try:
                inner = path.stat()
            except OSError as error:
                if path.suffix.casefold() in SUFFIXES:
                    own.add(0, WHOLE_FILE, "a readable file", _reason(error))
            else:
                if stat.S_ISDIR(inner.st_mode):
                    self._walk(path, inner, own)
                elif path.suffix.casefold() in SUFFIXES:
                    self._file(path, inner, own)
            self.faults += own.lines()

    def _entered(self, status: os.stat_result) -> bool:
        """Return whether the file or directory was entered before (given twice, or a loop of links), and note that it is now."""
        key = (status.st_dev, status.st_ino)
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def _file(self, path: Path, status: os.stat_result, faults: FileFaults) -> None:
        if self._entered(status) or self._full:
            return
        if len(self.files) >= self._limits.max_files:
            faults.add(0, WHOLE_FILE, f"at most {self._limits.max_files} files", "more")
            self._full = True
            return
        form = SUFFIXES[path.suffix.casefold()]
        text = _load(path, status, form.max_bytes(self._limits), faults)
        if text is None:
            return
        self.files.append(faults.path)
        self.parse(form.read(text, faults, self._limits), faults)

    def parse(self, raws: Iterable[RawRecord], faults: FileFaults) -> None:
        """Parse the raw records of one file, and check what belongs to more than one record."""
        for raw in raws:
            parsed = self._parser.parse(raw, faults)
            if parsed is None:
                continue
            line, record_id = raw.line, parsed.id
            where = f"{faults.path}:{line}"
            twin = self._stated if isinstance(parsed, Record) else self._withdrawn
            other = self._withdrawn if isinstance(parsed, Record) else self._stated
            if record_id in twin and self._on_repeat != "refuse" and isinstance(parsed, Record):
                self._repeat(LocatedRecord(parsed, faults.path, line))
                continue
            if record_id in twin:
                given = raw.values.get("id") is not None
                wanted = "each id once" if given else "each fact (jurisdiction, question, valid_from) once, or an id"
                faults.add(raw.line_of("id"), "id", wanted, f"{record_id!r} also at {twin[record_id]}")
                continue
            if record_id in other:
                faults.add(
                    raw.line_of("id"), "id", "a record stated or withdrawn", f"both, {record_id!r} also at {other[record_id]}"
                )
                continue
            twin[record_id] = where
            if isinstance(parsed, Record):
                self.records.append(LocatedRecord(parsed, faults.path, line))
            else:
                self.retractions.append(LocatedRetraction(parsed, faults.path, line))
            if len(self.records) + len(self.retractions) > self._limits.max_records:
                faults.add(line, WHOLE_FILE, f"at most {self._limits.max_records} records in one call", "more")
                self._full = True
                return

    def _repeat(self, located: LocatedRecord) -> None:
        """Settle a record whose id was stated before."""
        at = next(n for n, known in enumerate(self.records) if known.record.id == located.record.id)
        kept, left = (located, self.records[at]) if self._on_repeat == "newest" else (self.records[at], located)
        self.records[at] = kept
        self._stated[kept.record.id] = kept.where
        self.repeats.append(f"{kept.record.id} is stated twice: {kept.where} is taken, {left.where} is left out")


def _load(path: Path, status: os.stat_result, max_bytes: int, faults: FileFaults) -> str | None:
    """Return the file's text with LF line ends; None where it is none (noted)."""
    if not stat.S_ISREG(status.st_mode):
        faults.add(0, WHOLE_FILE, "a regular file", "a device, pipe or socket")
        return None
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        faults.add(0, WHOLE_FILE, "a readable file", _reason(error))
        return None
    if len(data) > max_bytes:
        faults.add(0, WHOLE_FILE, f"at most {max_bytes} bytes", f"{max(status.st_size, len(data))} (split it, or use JSONL)")
        return None
    return decode(data, faults)


def decode(data: bytes, faults: FileFaults) -> str | None:
    """Return UTF-8 bytes as text without byte-order mark and with LF line ends; None where they are none (noted)."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            faults.add(1, WHOLE_FILE, "UTF-8", f"{name} (save the file as UTF-8)")
            return None
    data = data.removeprefix(b"\xef\xbb\xbf")
    if (at := data.find(b"\0")) >= 0:
        wide = " (this looks like UTF-16: save the file as UTF-8)" if data[:64].count(b"\0") >= len(data[:64]) // 3 else ""
        faults.add(_line_at(data, at), WHOLE_FILE, "text without NUL", f"NUL at byte {at}{wide}")
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at offset {error.start} ({error.reason})"
        faults.add(_line_at(data, error.start), WHOLE_FILE, "UTF-8", found)
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _line_at(data: bytes, at: int) -> int:
    return data[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
