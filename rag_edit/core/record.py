"""The record: one fact or correction, in one jurisdiction; and its versions.

Values only. A `Record` that exists is well-formed: its constructor refuses what the format forbids with a `RecordFault`
a field, so that a reader of files can collect them all. It does not know which jurisdictions exist (the atlas does), nor
which records are live (the store does).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from rag_edit.core.digest import Digest, Json, digest_json

MAX_TEXT_CHARS: Final = 8_000  # one answer or question; a longer text is a document, not a record
MAX_ITEMS: Final = 48  # paraphrases, aliases: each is a view in the index
ID_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")


class Serve(StrEnum):
    """How a record wants to be answered."""

    AUTO = "auto"
    VERBATIM = "verbatim"
    GROUNDED = "grounded"


class Status(StrEnum):
    """Where a version stands. Only LIVE versions answer."""

    LIVE = "live"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class RecordFault:
    """One fault of one field: what was wanted and what was found."""

    field: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: wanted {self.wanted}, found {self.found}"


class FaultyRecordError(ValueError):
    """A record's values break the format. ``faults`` lists all of them."""

    def __init__(self, faults: Iterable[RecordFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from: a title or citation, a URL, a licence. At least one of the first two."""

    title: str = ""
    url: str = ""
    licence: str = ""

    def __str__(self) -> str:
        return f"{self.title} <{self.url}>" if self.title and self.url else self.title or self.url


@dataclass(frozen=True, slots=True)
class Record:
    """One fact or correction, in one jurisdiction.

    Attributes:
        id: Stable name of the fact; versions of one id succeed one another.
        jurisdiction: ``GLOBAL``, a bloc, an ISO 3166-1 or ISO 3166-2 code.
        question: The question that the record answers, as a person would put it.
        answer: The text served.
        subject, aliases: The entity that the fact is about, and its other names.
        relation: What is said of the subject, as a short phrase ("standard VAT rate").
        paraphrases: Other ways to put the question, in any language.
        target, target_aliases: The short object of the fact ("19 %"), and its other spellings.
        prior: What the base model says today, or the superseded answer.
        language: BCP 47 tag of the question and answer; empty when not stated.
        valid_from, valid_to: Half-open interval of days on which the fact holds; None is unbounded.
        source: Where it comes from.
        author, institution, rationale: Who says so, for whom, and why.
        topic: Dotted path, general to specific ("tax.vat").
        serve: How it wants to be answered.
        binding: Whether it is higher law that a more specific record may not displace.
        derogates: Ids of records that this one displaces expressly, whatever their rank.
        supersedes: Ids of records that this one replaces: they are closed when it is applied.
    """

    id: str
    jurisdiction: str
    question: str
    answer: str
    subject: str = ""
    aliases: tuple[str, ...] = ()
    relation: str = ""
    paraphrases: tuple[str, ...] = ()
    target: str = ""
    target_aliases: tuple[str, ...] = ()
    prior: str = ""
    language: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    source: Source | None = None
    author: str = ""
    institution: str = ""
    rationale: str = ""
    topic: str = ""
    serve: Serve = Serve.AUTO
    binding: bool = False
    derogates: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = tuple(_faults(self))
        if faults:
            raise FaultyRecordError(faults)

    def is_valid_at(self, day: date) -> bool:
        """Return whether the fact holds on ``day``: valid_from <= day < valid_to."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)

    def overlaps(self, other: "Record") -> bool:
        """Return whether there is a day on which both facts hold."""
        starts = [r.valid_from for r in (self, other) if r.valid_from is not None]
        ends = [r.valid_to for r in (self, other) if r.valid_to is not None]
        return not starts or not ends or max(starts) < min(ends)

    def names(self) -> tuple[str, ...]:
        """Return the subject and its aliases, without empty ones."""
        return tuple(name for name in (self.subject, *self.aliases) if name)

    def questions(self) -> tuple[str, ...]:
        """Return the question and its paraphrases."""
        return (self.question, *self.paraphrases)

    def targets(self) -> tuple[str, ...]:
        """Return the target and its other spellings; the answer where no target is given."""
        return tuple(text for text in (self.target, *self.target_aliases) if text) or (self.answer,)

    def to_json(self) -> dict[str, Json]:
        """Return the record as plain values, fields at their default left out. `record_from_json` reads it back."""
        plain: dict[str, Json] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value == each.default:
                continue
            if isinstance(value, date):
                plain[each.name] = value.isoformat()
            elif isinstance(value, tuple):
                plain[each.name] = list(value)
            elif isinstance(value, Source):
                plain[each.name] = {f.name: getattr(value, f.name) for f in fields(value) if getattr(value, f.name)}
            else:
                plain[each.name] = value if isinstance(value, bool) else str(value)
        return plain

    def digest(self) -> Digest:
        """Return the tagged digest of the record's canonical form. Every field counts."""
        return digest_json(self.to_json())


RECORD_FIELDS: Final = tuple(f.name for f in fields(Record))
LIST_FIELDS: Final = ("aliases", "paraphrases", "target_aliases", "derogates", "supersedes")
DATE_FIELDS: Final = ("valid_from", "valid_to")
REQUIRED_FIELDS: Final = ("jurisdiction", "question", "answer")


def record_from_json(plain: Mapping[str, Json]) -> Record:
    """Return the record that `Record.to_json` wrote.

    For stored records only: files from people are read by `rag_edit.records.parse`, which names line and field.

    Raises:
        FaultyRecordError: the values break the format.
        KeyError, TypeError, ValueError: not a form that ``to_json`` writes.
    """
    values: dict[str, object] = dict(plain)
    for name in LIST_FIELDS:
        if name in values:
            values[name] = tuple(values[name])  # type: ignore[arg-type]
    for name in DATE_FIELDS:
        if name in values:
            values[name] = date.fromisoformat(str(values[name]))
    if "source" in values:
        values["source"] = Source(**values["source"])  # type: ignore[arg-type]
    if "serve" in values:
        values["serve"] = Serve(str(values["serve"]))
    return Record(**values)  # type: ignore[arg-type]


def derived_id(jurisdiction: str, question: str, valid_from: date | None) -> str:
    """Return the id of a record that names none: the same fact gets the same id in every file."""
    key = digest_json([jurisdiction, " ".join(question.casefold().split()), valid_from.isoformat() if valid_from else None])
    return f"r-{key.removeprefix('sha256:')[:16]}"


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """One version of a record, as the store holds it.

    Attributes:
        record: The content. A RETRACTED version repeats the content of the one before.
        version: 1, 2, ... within the id.
        key: Position in the store's log: unique, rising, never reused.
        status: LIVE until a later act closes it.
        recorded_at: Wall clock of the append, in UTC; information only, order is by ``key``.
        digest: Digest of ``record``.
    """

    record: Record
    version: int
    key: int
    status: Status
    recorded_at: datetime
    digest: Digest = field(default="")

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", self.record.digest())

    @property
    def name(self) -> str:
        """Return ``id@version``."""
        return f"{self.record.id}@{self.version}"


def _faults(record: Record) -> Iterator[RecordFault]:
    """Yield every fault of a record's own values, in the order of its fields."""
    if not ID_PATTERN.fullmatch(record.id):
        yield RecordFault("id", "1 to 128 of A-Z a-z 0-9 . _ : / -, starting with a letter or digit", _show(record.id))
    for name in REQUIRED_FIELDS:
        if not getattr(record, name).strip():
            yield RecordFault(name, "a text", "nothing")
    for name in RECORD_FIELDS:
        value = getattr(record, name)
        if not value:
            continue
        texts = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
        for text in texts:
            yield from _text_faults(name, text)
        if isinstance(value, tuple):
            if len(value) > MAX_ITEMS:
                yield RecordFault(name, f"at most {MAX_ITEMS} items", f"{len(value)}")
            if any(not text.strip() for text in value):
                yield RecordFault(name, "items with text", "an empty item")
    if record.source is not None:
        if not (record.source.title or record.source.url):
            yield RecordFault("source", "a title or a url", "neither")
        for part in ("title", "url", "licence"):
            yield from _text_faults("source", getattr(record.source, part))
    if record.valid_from and record.valid_to and record.valid_from >= record.valid_to:
        yield RecordFault("valid_to", f"a day after valid_from ({record.valid_from})", str(record.valid_to))
    if record.id in record.supersedes or record.id in record.derogates:
        yield RecordFault("supersedes" if record.id in record.supersedes else "derogates", "ids of other records", "its own id")


def _text_faults(name: str, text: str) -> Iterator[RecordFault]:
    if len(text) > MAX_TEXT_CHARS:
        yield RecordFault(name, f"at most {MAX_TEXT_CHARS} characters", f"{len(text)}")
    if text.isprintable():  # true for most texts, and false for each category below: a look at every character is spared
        return
    for char in text[:MAX_TEXT_CHARS]:
        if char not in "\n\t" and (unicodedata.category(char) in ("Cc", "Cs") or _is_noncharacter(ord(char))):
            yield RecordFault(name, "text without control characters, lone surrogates or noncharacters", f"U+{ord(char):04X}")
            return


def _is_noncharacter(code: int) -> bool:
    """Return whether Unicode sets ``code`` aside for ever; a code point not assigned yet may be tomorrow's letter."""
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def _show(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
