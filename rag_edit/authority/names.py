"""Names and times that acts use, and the one form of each. A value that breaks the form cannot be made.

People are named by pseudonyms (``person:a7f3``), never by their names: what is signed can not be taken back, and who a
pseudonym is stands in a table of its own that can be erased.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rag_edit.core.digest import Digest
from rag_edit.core.record import MAX_TEXT_CHARS

PERSON, INSTITUTION, SERVICE = "person", "inst", "service"
_PARTY: Final = re.compile(r"(person|inst|service):[a-z0-9][a-z0-9._-]{0,63}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:/@-]{0,199}")
_TOPIC: Final = re.compile(r"[^\s.\x00-\x1f]+(\.[^\s.\x00-\x1f]+)*")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
MAX_REASON_CHARS: Final = 2_000
MAX_TOPIC_CHARS: Final = 200


def kind_of(party: str) -> str:
    """Return ``person``, ``inst`` or ``service``."""
    return party.partition(":")[0]


def check_party(text: str, *kinds: str) -> None:
    """Refuse what does not name a person, an institution or a service.

    Raises:
        ValueError: another form, or none of ``kinds``.
    """
    if not _PARTY.fullmatch(text) or (kinds and kind_of(text) not in kinds):
        raise ValueError(
            f"wanted {' or '.join(f'{k}:name' for k in kinds or (PERSON, INSTITUTION, SERVICE))}, found {text[:80]!r}"
        )


def check_name(text: str) -> None:
    """Refuse what cannot name a key, a mandate, a change or a record.

    Raises:
        ValueError: another form.
    """
    if not _NAME.fullmatch(text):
        raise ValueError(f"wanted a name of 1 to 200 of A-Z a-z 0-9 + . _ : / @ -, found {text[:80]!r}")


def check_topic(text: str) -> None:
    """Refuse what is neither a dotted path nor empty, which means every topic.

    Raises:
        ValueError: another form.
    """
    if text and (len(text) > MAX_TOPIC_CHARS or not _TOPIC.fullmatch(text)):
        raise ValueError(f"wanted a dotted path like tax.vat, found {text[:80]!r}")


def check_text(text: str) -> None:
    """Refuse what a record's topic cannot be either.

    Raises:
        ValueError: too long, or U+0000.
    """
    if len(text) > MAX_TEXT_CHARS or "\0" in text:
        raise ValueError(f"wanted at most {MAX_TEXT_CHARS} characters, found {len(text)}")


def check_digest(text: Digest, *, optional: bool = False) -> None:
    """Refuse what is not ``sha256:<64 hex digits>``.

    Raises:
        ValueError: another form.
    """
    if not _DIGEST.fullmatch(text) and not (optional and text == ""):
        raise ValueError(f"wanted sha256:<64 hex digits>, found {text[:80]!r}")


def check_reason(text: str) -> None:
    """Refuse reasons that are too long to be read.

    Raises:
        ValueError: over 2,000 characters, or U+0000.
    """
    if len(text) > MAX_REASON_CHARS or "\0" in text:
        raise ValueError(f"wanted a reason of at most {MAX_REASON_CHARS} characters, found {len(text)}")


def check_time(value: datetime) -> None:
    """Refuse times that have another spelling: they are in UTC, to the second.

    Raises:
        ValueError: no zone, another zone, or a fraction of a second.
    """
    if value.tzinfo is not UTC or value.microsecond:
        raise ValueError(f"wanted a time in UTC, to the second, found {value.isoformat()}")


def check_order(what: str, values: Sequence[str]) -> None:
    """Refuse a set that is not written in its one order.

    Raises:
        ValueError: not sorted, or a member twice.
    """
    if list(values) != sorted(set(values)):
        raise ValueError(f"wanted {what} sorted, each once, found {list(values)[:8]}")


def write_time(value: datetime) -> str:
    """Return the RFC 3339 form, ``2026-11-22T09:00:00Z``."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value.year >= 1000 else value.isoformat().replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    """Return the time that `write_time` wrote.

    Raises:
        ValueError: another form.
    """
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
        raise ValueError(f"wanted a time like 2026-11-22T09:00:00Z, found {text[:40]!r}")
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
