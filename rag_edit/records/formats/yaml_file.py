"""YAML 1.2: the format for people.

A file is a list of records, or a mapping of ``defaults`` (fields shared by all its records) and ``records``. Plain words
have the meaning of the core schema of YAML 1.2, so Norway's ``NO`` is a text; numbers keep their spelling; a plain date
is a text. Records are composed here from ruamel's events, without recursion and without constructing any object: tags
other than ``!!str``, merge keys (``<<``) and keys that are no texts are refused; what aliases stand for is counted.

Source: YAML 1.2.2, sections 3.2.1.3 (keys are unique) and 10.3 (core schema).
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from rag_edit.core.record import DATE_FIELDS, Record
from rag_edit.records.raw import WHOLE_FILE, FileFaults, Kind, Limits, Raw, RawRecord, Scalar, show

_INTEGER: Final = re.compile(r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULLS: Final = frozenset({"null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_STR_TAG: Final = "tag:yaml.org,2002:str"
_SHARED_NEVER: Final = ("id", "question", "retract")


def read(text: str, faults: FileFaults, limits: Limits) -> Iterator[RawRecord]:
    """Yield the records of the file's one document, each with its defaults filled in."""
    root = _compose(text, faults, limits)
    if root is None or root.value is None:
        return
    defaults: dict[str, _Node] = {}
    listed: _Node | None = root
    if isinstance(root.value, dict):
        defaults, listed = _sections(root, faults)
    if listed is None or listed.value is None:
        return
    if not isinstance(listed.value, list):
        faults.add(listed.line, WHOLE_FILE, "a list of records (each starts with a hyphen)", _describe(listed))
        return
    for node in listed.value:
        if not isinstance(node.value, dict):
            faults.add(node.line, WHOLE_FILE, "a record: field names, each with a colon and a value", _describe(node))
            continue
        members = {**defaults, **node.value}
        lines = {name: each.line for name, each in members.items()}
        yield RawRecord({name: _plain(each) for name, each in members.items()}, node.line, lines)


def write(records: Iterable[Record]) -> str:
    """Return a list of records: every text in double quotes, days bare, lists one item a line."""
    blocks = []
    for record in records:
        lines: list[str] = []
        for name, value in record.to_json().items():
            if isinstance(value, dict):
                lines += [f"{name}:", *(f"  {part}: {_quoted(str(text))}" for part, text in value.items())]
            elif isinstance(value, list):
                lines += [f"{name}:", *(f"  - {_quoted(str(item))}" for item in value)]
            elif isinstance(value, bool):
                lines.append(f"{name}: {'true' if value else 'false'}")
            else:
                lines.append(f"{name}: {value if name in DATE_FIELDS else _quoted(str(value))}")
        blocks.append("\n".join(f"{'  ' if number else '- '}{line}" for number, line in enumerate(lines)))
    return "\n\n".join(blocks) + "\n" if blocks else "[]\n"


@dataclass(slots=True)
class _Node:
    """A composed node: a scalar, a list of nodes, or nodes by key with the line of the key."""

    value: "bool | str | Scalar | list[_Node] | dict[str, _Node] | None"
    line: int
    size: int = 1  # nodes in it, aliases expanded
    depth: int = 0  # levels of lists and mappings in it, aliases expanded
    pending: str | None = field(default=None)  # key of a mapping that waits for its value
    pending_line: int = 0


def _sections(root: _Node, faults: FileFaults) -> "tuple[dict[str, _Node], _Node | None]":
    assert isinstance(root.value, dict)
    sections = root.value
    if "records" not in sections:
        found = f"the fields {', '.join(map(show, list(sections)[:5]))}"
        faults.add(root.line, WHOLE_FILE, "a list of records, or the two keys defaults and records", found)
        return {}, None
    for name, node in sections.items():
        if name not in ("defaults", "records"):
            faults.add(node.line, name, "only defaults and records beside records", show(name))
    shared = sections.get("defaults")
    if shared is None or shared.value is None:
        return {}, sections["records"]
    if not isinstance(shared.value, dict):
        faults.add(shared.line, "defaults", "fields shared by all records of the file", _describe(shared))
        return {}, sections["records"]
    for name in _SHARED_NEVER:
        if name in shared.value:
            faults.add(shared.value[name].line, name, "it in each record, never in defaults", "it in defaults")
    return {name: node for name, node in shared.value.items() if name not in _SHARED_NEVER}, sections["records"]


def _compose(text: str, faults: FileFaults, limits: Limits) -> _Node | None:
    """Return the root of the only document; None where there is none or it breaks the syntax (noted)."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    composer = _Composer(faults, limits)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            if not composer.take(event):
                return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"{error.context}: {error.problem}" if error.context else str(error.problem)
        faults.add(mark.line + 1 if mark else 1, WHOLE_FILE, "YAML 1.2", " ".join(problem.split()))
        return None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        faults.add(line, WHOLE_FILE, "text without control characters", f"U+{ord(text[error.position]):04X}")
        return None
    except (YAMLError, RecursionError, ValueError) as error:
        faults.add(1, WHOLE_FILE, "YAML 1.2", show(" ".join(str(error).split()), 200))
        return None
    return composer.root


class _Composer:
    """Turns the events of one document into nodes, with a stack of its own."""

    def __init__(self, faults: FileFaults, limits: Limits) -> None:
        self.root: _Node | None = None
        self._faults, self._limits = faults, limits
        self._open: list[_Node] = []
        self._anchored: dict[str, _Node] = {}
        self._anchor_of_open: list[str | None] = []
        self._documents, self._alias_nodes = 0, 0

    def take(self, event: Any) -> bool:
        """Take the next event; return False where the file is to be given up (the fault is noted)."""
        kind, line = type(event).__name__, event.start_mark.line + 1
        if kind == "ScalarEvent":
            return self._scalar(event, line)
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._open) >= self._limits.max_depth:
                return self._refuse(line, f"at most {self._limits.max_depth} levels", "lists or mappings nested deeper")
            self._tag(event.tag, line)
            node = _Node({} if kind == "MappingStartEvent" else [], line, depth=1)
            if self._wants_key():
                return self._refuse(line, "a field's name before the colon", "a list or a mapping")
            self._open.append(node)
            self._anchor_of_open.append(event.anchor)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            node, anchor = self._open.pop(), self._anchor_of_open.pop()
            if anchor is not None:
                self._anchored[anchor] = node
            self._place(node)
        elif kind == "AliasEvent":
            return self._alias(event.anchor, line)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                return self._refuse(line, "one document a file", "a second one (after ---)")
            if event.version is not None and tuple(event.version) != (1, 2):
                return self._refuse(line, "YAML 1.2", f"%YAML {'.'.join(map(str, event.version))}")
        return True

    def _scalar(self, event: Any, line: int) -> bool:
        tag = event.tag
        self._tag(tag, line)
        plain = event.style is None and tag is None
        if self._wants_key():
            if plain and event.value == "<<":
                return self._refuse(line, "defaults for what records share", "a merge key (<<)")
            holder = self._open[-1]
            holder.pending, holder.pending_line = event.value, line
            return True
        node = _Node(_resolved(event.value) if plain else event.value, line)
        if event.anchor is not None:
            self._anchored[event.anchor] = node
        self._place(node)
        return True

    def _alias(self, name: str, line: int) -> bool:
        node = self._anchored.get(name)
        if node is None:
            return self._refuse(line, "an alias of something complete above it", f"*{show(name)[1:-1]}")
        if self._wants_key():
            return self._refuse(line, "a field's name before the colon", "an alias")
        self._alias_nodes += node.size
        if self._alias_nodes > self._limits.max_alias_nodes:
            return self._refuse(line, f"aliases for at most {self._limits.max_alias_nodes} values", "more")
        if len(self._open) + node.depth > self._limits.max_depth:
            return self._refuse(line, f"at most {self._limits.max_depth} levels", "lists or mappings nested deeper")
        self._place(_Node(node.value, line, node.size, node.depth))
        return True

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].pending is None

    def _place(self, node: _Node) -> None:
        if not self._open:
            self.root = node
            return
        holder = self._open[-1]
        holder.size += node.size
        holder.depth = max(holder.depth, node.depth + 1)
        if isinstance(holder.value, list):
            holder.value.append(node)
            return
        assert isinstance(holder.value, dict)
        assert holder.pending is not None
        key, holder.pending = holder.pending, None
        if key in holder.value:
            first = holder.value[key].line
            self._faults.add(holder.pending_line, key, "each field once", f"it again (first in line {first})")
        else:
            holder.value[key] = _Node(node.value, holder.pending_line, node.size, node.depth)

    def _tag(self, tag: object, line: int) -> None:
        if tag is not None and str(tag) not in (_STR_TAG, "!"):
            self._faults.add(line, WHOLE_FILE, "no tags", show(str(tag)))

    def _refuse(self, line: int, wanted: str, found: str) -> bool:
        self._faults.add(line, WHOLE_FILE, wanted, found)
        return False


def _resolved(text: str) -> bool | str | Scalar | None:
    """Return what a plain scalar stands for under the core schema."""
    if text in ("", "~"):
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NULLS:
        return Scalar(Kind.NULL, text)
    if text[0] in "+-.0123456789":
        if _INTEGER.fullmatch(text):
            return Scalar(Kind.INTEGER, text)
        if _NUMBER.fullmatch(text):
            return Scalar(Kind.NUMBER, text)
    return text


def _plain(node: _Node) -> Raw:
    value = node.value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _describe(node: _Node) -> str:
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    return show(node.value.text if isinstance(node.value, Scalar) else str(node.value))


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in quoted)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
