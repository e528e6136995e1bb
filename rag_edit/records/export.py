"""Record files out: the live records as files that read back equal.

Order and fields are fixed, so equal records give equal bytes, and exporting what was read from an export changes none. Each
file appears whole or not at all. Every record is first taken through the reader's own rules: what would not come back equal
is refused before a byte is written.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from rag_edit.core.errors import RecordError, UsageError
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.records.durable import replacing
from rag_edit.records.formats import FORMATS, SUFFIXES
from rag_edit.records.parse import Parser
from rag_edit.records.raw import FileFaults, RawRecord, raw_value

_FILE_NAME: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,31}")


class ExportError(RecordError):
    """Records cannot be written so that they read back equal."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["nothing exported:", *self.faults]), hint="rag-edit record show ID")


def export_records(versions: Iterable[RecordVersion], target: Path, file_format: str = "jsonl") -> tuple[Path, ...]:
    """Write live records to one file, or to a directory with one file a jurisdiction, and return the paths written.

    Args:
        versions: Live versions, one an id, in any order.
        target: A path that ends as a format's files do (its format is that one), or a directory, made where missing.
        file_format: ``yaml``, ``csv`` or ``jsonl``, for a directory.

    Raises:
        UsageError: an unknown format, or a directory that holds other record files, which would be read with these.
        ExportError: some record would not read back equal, or a file cannot be written.
        ValueError: a version is not live, or an id comes twice.
    """
    records = _sorted(versions)
    _refuse_unequal(records)
    form = None if target.is_dir() else SUFFIXES.get(target.suffix.casefold())
    texts = {target: form.write(records)} if form else _by_jurisdiction(records, target, file_format)
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, mode=0o666) as file:
                file.write(text.encode())
    except OSError as error:
        raise ExportError([f"{target}: {error.strerror or error}"]) from error
    return tuple(texts)


def _by_jurisdiction(records: Sequence[Record], folder: Path, file_format: str) -> dict[Path, str]:
    form = FORMATS.get(file_format)
    if form is None:
        raise UsageError(f"wanted one of the formats {', '.join(FORMATS)}, found {file_format!r}")
    if folder.suffix and not folder.is_dir():
        raise UsageError(f"{folder}: wanted a directory, or a file named .yaml, .yml, .csv or .jsonl")
    grouped: dict[str, list[Record]] = {}
    for record in records:
        if not _FILE_NAME.fullmatch(record.jurisdiction):
            raise ValueError(f"no code of a jurisdiction: {record.jurisdiction!r}")
        grouped.setdefault(record.jurisdiction, []).append(record)
    texts = {folder / f"{code}{form.suffixes[0]}": form.write(group) for code, group in grouped.items()}
    _refuse_strangers(folder, set(texts))
    return texts


def _refuse_strangers(folder: Path, ours: set[Path]) -> None:
    if not folder.is_dir():
        return
    strangers = sorted(p.name for p in folder.rglob("*") if p.suffix.casefold() in SUFFIXES and p not in ours)
    if strangers:
        shown = ", ".join(strangers[:5]) + (" ..." if len(strangers) > 5 else "")
        raise UsageError(
            f"{folder} holds record files that this export would not replace: {shown}", hint="export to an empty directory"
        )


def _sorted(versions: Iterable[RecordVersion]) -> list[Record]:
    records: dict[str, Record] = {}
    for version in versions:
        if version.status is not Status.LIVE or version.record.id in records:
            raise ValueError(f"wanted one live version an id, found {version.name} ({version.status})")
        records[version.record.id] = version.record
    return sorted(records.values(), key=lambda record: (record.jurisdiction, record.id))


def _refuse_unequal(records: Iterable[Record]) -> None:
    parser, faults = Parser(None), FileFaults("record")
    unequal: list[str] = []
    for number, record in enumerate(records, start=1):
        back = parser.parse(RawRecord({name: raw_value(value) for name, value in record.to_json().items()}, number), faults)
        if back is not None and back != record:
            unequal.append(f"{record.id}: wanted texts in NFC with line breaks as \\n, found others")
    if unequal or len(faults):
        raise ExportError([*faults.lines(), *unequal])
