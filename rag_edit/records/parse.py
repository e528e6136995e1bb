r"""Raw values to records: every fault of a record at once, each with its line and field.

Kept as written: every character of a text, but for three things that no reader of it can see. Texts are brought to NFC,
their line breaks become ``\n``, and an integer stands for exactly the characters it was written with. Ids and
jurisdictions are compared, never changed. Whether a jurisdiction exists is asked of the atlas; which records are live is
not known here.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

from rag_edit.core.errors import JurisdictionError
from rag_edit.core.record import (
    DATE_FIELDS,
    LIST_FIELDS,
    RECORD_FIELDS,
    REQUIRED_FIELDS,
    FaultyRecordError,
    Record,
    Serve,
    Source,
    derived_id,
)
from rag_edit.records.raw import FileFaults, Kind, Raw, RawRecord, Scalar, show
from rag_edit.records.store import MAX_NOTE_CHARS

FILE_FIELDS: Final = (*RECORD_FIELDS, "retract")
SOURCE_PARTS: Final = ("title", "url", "licence")
_OTHER_NAMES: Final = {  # what other programs call them
    "alias": "aliases", "attribute": "relation", "category": "topic", "country": "jurisdiction", "effective_from": "valid_from",
    "effective_to": "valid_to", "end": "valid_to", "lang": "language", "license": "source", "license_url": "source",
    "prompt": "question", "query": "question", "reason": "rationale", "region": "jurisdiction", "rephrase": "paraphrases",
    "response": "answer", "start": "valid_from", "target_new": "target", "target_true": "prior", "text": "answer",
    "url": "source", "valid_until": "valid_to",
}  # fmt: skip
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_URL: Final = re.compile(r"https?://\S+")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
# what changes the order in which a text is seen, or hides text in it: embeddings, overrides, isolates; BOM; tag characters
_HIDDEN: Final = re.compile("[\u202a-\u202e\u2066-\u206f\ufeff\U000e0000-\U000e007f]")
_NAME_FIELDS: Final = frozenset({"subject", "aliases"})
_PLACEHOLDER: Final = "x"


class KnowsJurisdictions(Protocol):
    """What is needed of an atlas."""

    def parse(self, text: str, /) -> str:
        """Return the jurisdiction with this code; raise `JurisdictionError` where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Retraction:
    """A record is withdrawn: which one, and why."""

    id: str
    rationale: str
    author: str = ""
    institution: str = ""


@dataclass(slots=True)
class Parser:
    """Parses the raw records of any number of files. Remembers what the atlas said of each code.

    Attributes:
        atlas: Knows the jurisdictions; None takes every code (for files this program wrote itself).
    """

    atlas: KnowsJurisdictions | None
    _codes: dict[str, tuple[str, str] | None] = field(default_factory=dict)

    def parse(self, raw: RawRecord, faults: FileFaults) -> Record | Retraction | None:
        """Return the record or retraction that ``raw`` states; None where it has faults, all of which are noted."""
        notes = _Notes(raw, faults)
        values: dict[str, Any] = {}
        for name, value in raw.values.items():
            if value is None:
                continue
            try:
                values[name] = self._field(name, value, notes)
            except _UnfitError as unfit:
                notes.add(name, unfit.wanted, unfit.found)
        withdraws = values.pop("retract", False)
        if withdraws:
            return _retraction(values, notes)
        for name in REQUIRED_FIELDS:
            if name not in values and name not in notes.bad:
                notes.add(name, "a text", "nothing")
        return self._record(values, notes)

    def _record(self, values: dict[str, Any], notes: "_Notes") -> Record | None:
        whole = not notes.bad
        for name in REQUIRED_FIELDS:
            if name in notes.bad:
                values[name] = _PLACEHOLDER  # the other fields are checked all the same
        if "source" in notes.bad:
            values.pop("source", None)
        if "id" not in values:
            values["id"] = _derived_id(values) if whole else _PLACEHOLDER
        try:
            record = Record(**values)
        except FaultyRecordError as error:
            for fault in error.faults:
                notes.add(fault.field, fault.wanted, fault.found)
            return None
        return record if whole else None

    def _field(self, name: str, value: Raw, notes: "_Notes") -> object:
        if name == "jurisdiction":
            return self._jurisdiction(value)
        if name in LIST_FIELDS:
            return _texts(name, value, notes)
        if name in DATE_FIELDS:
            return _day(value)
        if name == "source":
            return _source(value, notes)
        if name == "serve":
            return _serve(value)
        if name in ("binding", "retract"):
            if not isinstance(value, bool):
                raise _UnfitError("true or false", _describe(value))
            return value
        if name not in RECORD_FIELDS:
            raise _UnfitError("a field of the format", f"{show(name)}{_did_you_mean(name)}")
        text = _text(name, value)
        if name == "language" and text and not _LANGUAGE.fullmatch(text):
            raise _UnfitError("a BCP 47 tag such as de or pt-BR", show(text))
        return text

    def _jurisdiction(self, value: Raw) -> str:
        if not isinstance(value, str):
            raise _UnfitError("a code such as DE, DE-BY, EU or GLOBAL", _describe(value))
        if value not in self._codes:
            self._codes[value] = self._ask(value)
        refused = self._codes[value]
        if refused is not None:
            raise _UnfitError(*refused)
        return value

    def _ask(self, code: str) -> tuple[str, str] | None:
        if self.atlas is None:
            return None
        try:
            self.atlas.parse(code)
        except JurisdictionError as error:
            why = error.message.split(", found ", 1)
            found = why[1] if len(why) == 2 else f"{code[:40]!a}: {error.message}"
            return "a code of the atlas", f"{found}; {error.hint}" if error.hint else found
        return None


class _UnfitError(Exception):
    """One value does not fit its field."""

    def __init__(self, wanted: str, found: str) -> None:
        self.wanted, self.found = wanted, found
        super().__init__(wanted, found)


@dataclass(slots=True)
class _Notes:
    """Where the faults of one record go; ``bad`` names its fields that have one."""

    raw: RawRecord
    faults: FileFaults
    bad: set[str] = field(default_factory=set)

    def add(self, name: str, wanted: str, found: str) -> None:
        self.bad.add(name)
        self.faults.add(self.raw.line_of(name), name, wanted, found)


def _derived_id(values: Mapping[str, Any]) -> str:
    try:
        return derived_id(values["jurisdiction"], values["question"], values.get("valid_from"))
    except UnicodeEncodeError:
        return _PLACEHOLDER  # a lone surrogate: the record is refused for it


def _retraction(values: Mapping[str, Any], notes: _Notes) -> Retraction | None:
    for name in ("id", "rationale"):
        if not values.get(name, "").strip() and name not in notes.bad:
            notes.add(name, f"{'the id of the record' if name == 'id' else 'the reason'} to withdraw it", "nothing")
        elif len(values.get(name, "")) > MAX_NOTE_CHARS:
            notes.add(name, f"at most {MAX_NOTE_CHARS} characters", f"{len(values[name])}")
    if notes.bad:
        return None
    parts = {name: values[name] for name in ("id", "rationale", "author", "institution") if name in values}
    try:  # the rules of a record's texts hold here too
        Record(jurisdiction=_PLACEHOLDER, question=_PLACEHOLDER, answer=_PLACEHOLDER, **parts)
    except FaultyRecordError as error:
        for fault in error.faults:
            notes.add(fault.field, fault.wanted, fault.found)
        return None
    return Retraction(**parts)


def _text(name: str, value: Raw) -> str:
    if isinstance(value, Scalar) and value.kind is Kind.INTEGER:
        return value.text
    if not isinstance(value, str):
        raise _UnfitError("a text", _describe(value))
    text = value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    if text.isascii() or name == "id":
        return text
    if not text.isprintable():
        if name in _NAME_FIELDS:
            hidden = _hidden_in_name(text)
        else:
            found = _HIDDEN.search(_FLAG.sub("", text))
            hidden = found[0] if found else None
        if hidden:
            raise _UnfitError("text without hidden or direction characters", f"{_name_of(hidden)} in {show(text)}")
    return unicodedata.normalize("NFC", text)


def _texts(name: str, value: Raw, notes: _Notes) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _UnfitError("a list of texts", _describe(value))
    texts: list[str] = []
    for item in value:
        try:
            texts.append(_text(name, item))
        except _UnfitError as unfit:
            notes.add(name, f"{unfit.wanted} in each item", unfit.found)
    return tuple(texts)


def _day(value: Raw) -> date:
    text = value.text if isinstance(value, Scalar) and value.kind is not Kind.OTHER else value
    if not isinstance(text, str):
        raise _UnfitError("a day as YYYY-MM-DD", _describe(value))
    parts = _DAY.fullmatch(text)
    if parts is None:
        raise _UnfitError("a day as YYYY-MM-DD", f"{show(text)}{_why_no_day(text)}")
    try:
        return date(*map(int, parts.groups()))
    except ValueError as error:
        raise _UnfitError("a day of the calendar as YYYY-MM-DD", f"{text} ({error})") from None


def _why_no_day(text: str) -> str:
    if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", text):
        return " (a day has no time)"
    if re.fullmatch(r"[0-9]{8}", text):
        return " (write the hyphens)"
    if re.fullmatch(r"[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{1,4}", text):
        short = not re.search(r"[0-9]{4}", text)
        return (
            " (a year has four digits)" if short else " (year, month, day, with hyphens and two digits each for the last two)"
        )
    return ""


def _source(value: Raw, notes: _Notes) -> Source:
    if not isinstance(value, dict):
        text = _text("source", value)
        return Source(url=text) if _URL.fullmatch(text) else Source(title=text)
    parts: dict[str, str] = {}
    for name, part in value.items():
        if name not in SOURCE_PARTS:
            notes.add("source", f"only {', '.join(SOURCE_PARTS)} in it", show(name))
        elif part is not None:
            try:
                parts[name] = _text("source", part)
            except _UnfitError as unfit:
                notes.add("source", f"{unfit.wanted} as its {name}", unfit.found)
    return Source(**parts)


def _serve(value: Raw) -> Serve:
    if isinstance(value, str) and value in {each.value for each in Serve}:
        return Serve(value)
    raise _UnfitError(f"one of {', '.join(Serve)}", _describe(value))


def _describe(value: Raw) -> str:
    """Say what a value is that should have been something else, and what to do about it."""
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()} (put it in quotes if it is a text)"
    if isinstance(value, Scalar):
        if value.kind is Kind.OTHER:
            return f"{value.kind} {value.text}"
        named = value.kind if value.kind is Kind.NULL else f"{value.kind} {value.text[:40]}"
        return f"{named} (put it in quotes if it is a text)"
    if isinstance(value, str):
        return f"the text {show(value)}"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "nothing"


def _did_you_mean(name: str) -> str:
    from rapidfuzz import fuzz, process

    known = _OTHER_NAMES.get(name.casefold())
    if known is None and len(name) <= 40:
        near = process.extractOne(name.casefold(), FILE_FIELDS, scorer=fuzz.ratio, score_cutoff=70)
        known = near[0] if near else None
    return f", did you mean {known}?" if known else f" (the fields are {', '.join(FILE_FIELDS)})"


def _hidden_in_name(text: str) -> str | None:
    """Return the first format character of a name that its script does not need; None where there is none.

    ZWJ and ZWNJ are needed after a virama (Sinhala, Devanagari, ...), ZWNJ between letters of a right-to-left script.
    Source: the joiner rules of RFC 5892, appendix A, with bidirectional class AL for the joining types.
    """
    for at, char in enumerate(text):
        if unicodedata.category(char) != "Cf":
            continue
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        after_virama = char in "\u200c\u200d" and before and unicodedata.combining(before) == 9
        within = (
            char == "\u200c" and {unicodedata.bidirectional(c) for c in (before, after) if c} == {"AL"} and before and after
        )
        if not (after_virama or within):
            return char
    return None


def _name_of(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()
