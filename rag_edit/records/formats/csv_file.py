r"""Comma-separated values with a header row: the format for spreadsheets.

Cells are read as RFC 4180 has them, strictly: a quote stands at the start and end of a cell or is doubled inside one.
White space around a bare cell is dropped, inside quotes it is kept. An empty cell is "not given".

- Items of a list stand in one cell with ``|`` between them. ``\`` before ``|``, ``\`` or white space takes it literally.
- The source is one column ``source``, or ``source_title``, ``source_url``, ``source_licence``.
- A cell that a spreadsheet would run as a formula is written with ``'`` before it, and that ``'`` is taken off when read
  (OWASP, CSV injection); a text that itself starts so gets one more. ``'s-Hertogenbosch`` is left alone.

Source: RFC 4180; OWASP Cheat Sheet Series, CSV injection.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rag_edit.core.record import LIST_FIELDS, RECORD_FIELDS, Record
from rag_edit.records.raw import WHOLE_FILE, FileFaults, Limits, Raw, RawRecord, show

SOURCE_COLUMNS: Final = {"source_title": "title", "source_url": "url", "source_licence": "licence"}
_ALWAYS: Final = ("id", "jurisdiction", "question", "answer")
_BOOLEANS: Final = ("binding", "retract")
_CELL: Final = re.compile(r'[ \t]*"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"[ \t]*+(?=[,\n]|\Z)|(?P<bare>[^,\n"]*+)(?=[,\n]|\Z)')
_UNCLOSED: Final = re.compile(r'"[^"]*+(?:""[^"]*+)*+\Z')
_FORMULA: Final = re.compile("'*[=+\\-@\t\n\r＝＋－＠]")
_ITEM: Final = re.compile(r"(?:[^\\|]|\\.)*", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def read(text: str, faults: FileFaults, limits: Limits) -> Iterator[RawRecord]:
    """Yield a record for each row below the header; blank lines are skipped."""
    del limits
    rows = _rows(text, faults)
    header = next(rows, None)
    if header is None:
        return
    columns = _columns(header[1], header[0], faults)
    if columns is None:
        return
    for line, cells in rows:
        if len(cells) != len(columns):
            faults.add(line, WHOLE_FILE, f"{len(columns)} cells, as in the header", f"{len(cells)}")
            continue
        yield _record({name: cell for name, cell in zip(columns, cells, strict=True) if name}, line, faults)


def write(records: Iterable[Record]) -> str:
    """Return a header of the columns in use, in the order of the format, and a row a record."""
    rows = [_row(record) for record in records]
    used = {name for row in rows for name in row} | set(_ALWAYS)
    order = [part for name in RECORD_FIELDS for part in (tuple(SOURCE_COLUMNS) if name == "source" else (name,))]
    columns = [name for name in order if name in used]
    lines = [",".join(columns), *(",".join(_quoted(row.get(name, "")) for name in columns) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _rows(text: str, faults: FileFaults) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, cells) of each row that is not blank. A row that breaks the syntax ends the file."""
    at, line, end = 0, 1, len(text)
    while at < end:
        first, blank = line, True
        cells: list[str] = []
        while True:
            cell = _CELL.match(text, at)
            if cell is None:
                _explain(text, at, line, len(cells) + 1, faults)
                return
            quoted = cell["quoted"]
            cells.append(_unguarded(cell["bare"].strip() if quoted is None else quoted.replace('""', '"')))
            blank = blank and quoted is None and not cells[-1]
            line += text.count("\n", at, cell.end())
            at = cell.end() + 1
            if text[at - 1 : at] != ",":
                break
        line += 1
        if not (blank and len(cells) == 1):
            yield first, cells


def _explain(text: str, at: int, line: int, number: int, faults: FileFaults) -> None:
    start = at + len(text[at : at + 1000]) - len(text[at : at + 1000].lstrip(" \t"))
    if text[start : start + 1] != '"':
        faults.add(line, WHOLE_FILE, 'a cell with a " in it to be quoted, and the " doubled', f'a bare " in cell {number}')
    elif _UNCLOSED.match(text, start):
        faults.add(line, WHOLE_FILE, 'a " at the end of a quoted cell', f"none after the one that opens cell {number}")
    else:
        faults.add(line, WHOLE_FILE, 'a comma or the end of the line after the closing "', f"more text in cell {number}")


def _columns(names: list[str], line: int, faults: FileFaults) -> list[str] | None:
    if len(names) == 1:
        for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if mark in names[0]:
                faults.add(line, WHOLE_FILE, "columns separated by commas", f"{word} (save the file as comma-separated)")
                return None
    before = len(faults)
    for number, name in enumerate(names, start=1):
        if not name:
            faults.add(line, WHOLE_FILE, "a field's name over every column", f"an empty cell over column {number}")
        elif names.index(name) < number - 1:
            faults.add(line, name, "each column once", f"it over column {names.index(name) + 1} and {number}")
    return None if len(faults) > before else names


def _record(cells: dict[str, str], line: int, faults: FileFaults) -> RawRecord:
    values: dict[str, Raw] = {}
    parts: dict[str, Raw] = {}
    for name, cell in cells.items():
        if name in SOURCE_COLUMNS:
            if cell:
                parts[SOURCE_COLUMNS[name]] = cell
        elif not cell:
            values[name] = None
        elif name in LIST_FIELDS:
            values[name] = list(_items(cell, name, line, faults))
        elif name in _BOOLEANS and cell.casefold() in ("true", "false"):
            values[name] = cell.casefold() == "true"
        else:
            values[name] = cell
    if parts:
        if values.get("source") is not None:
            wanted = "source alone, or source_title with source_url and source_licence"
            if "title" in parts:
                faults.add(line, "source", wanted, "source and source_title")
            parts = {"title": values["source"], **parts}
        values["source"] = parts
    return RawRecord(values, line)


def _row(record: Record) -> dict[str, str]:
    row: dict[str, str] = {}
    for name, value in record.to_json().items():
        if name == "source" and record.source is not None:
            row |= {column: getattr(record.source, part) for column, part in SOURCE_COLUMNS.items()}
        elif name in LIST_FIELDS:
            row[name] = " | ".join(map(_escaped, getattr(record, name)))
        else:
            row[name] = "true" if value is True else str(value)
    return {name: cell for name, cell in row.items() if cell}


def _items(cell: str, name: str, line: int, faults: FileFaults) -> Iterator[str]:
    at = 0
    while at <= len(cell):
        piece = _ITEM.match(cell, at)
        if piece is None or (piece.end() < len(cell) and cell[piece.end()] != "|"):
            faults.add(line, name, r"\ before |, \ or a space only (write \\ for one \)", r"a \ at the end")
            return
        raw = piece[0].lstrip()
        kept = raw.rstrip()
        if len(kept) < len(raw) and (len(kept) - len(kept.rstrip("\\"))) % 2:
            kept = raw[: len(kept) + 1]  # a white space that is taken literally
        for escape in _ESCAPE.finditer(kept):
            if not (escape[1] in "|\\" or escape[1].isspace()):
                faults.add(line, name, r"\ before |, \ or a space only (write \\ for one \)", show(escape[0]))
        yield _ESCAPE.sub(r"\1", kept)
        at = piece.end() + 1


def _escaped(item: str) -> str:
    item = item.replace("\\", "\\\\").replace("|", "\\|")
    if item[:1].isspace():
        item = "\\" + item
    return f"{item[:-1]}\\{item[-1]}" if len(item) > 1 and item[-1].isspace() else item


def _quoted(cell: str) -> str:
    if _FORMULA.match(cell):
        cell = f"'{cell}"
    if cell != cell.strip() or any(mark in cell for mark in ',"\n'):
        return '"{}"'.format(cell.replace('"', '""'))
    return cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell, 1) else cell
