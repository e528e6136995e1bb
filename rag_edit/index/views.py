"""The views of a record: the texts under which it can be found.

Questions, paraphrases and a statement of subject and relation; never the answer or the target, so that what is found
does not depend on what would be answered. Equal views of different records are one row of the index.
"""

import hashlib
from typing import Final

from rag_edit.core.record import Record

MAX_VIEW_CHARS: Final = 1_000  # encoders read a few hundred tokens
SLOT: Final = "{}"  # a relation may be a template with the subject's place left open


def views(record: Record) -> tuple[str, ...]:
    """Return the record's distinct views: question, paraphrases, then the statement where subject and relation are given."""
    texts = [*record.questions(), statement(record)]
    return tuple(dict.fromkeys(view for view in map(view_text, texts) if view))


def statement(record: Record) -> str:
    """Return subject and relation as one phrase without the object; empty where either is missing."""
    if not (record.subject.strip() and record.relation.strip()):
        return ""
    if SLOT in record.relation:
        return record.relation.replace(SLOT, record.subject)
    return f"{record.subject} {record.relation}"


def view_text(text: str) -> str:
    """Return ``text`` with white space collapsed and cut at MAX_VIEW_CHARS: the form in which it is encoded and named."""
    collapsed = " ".join(text.split())[:MAX_VIEW_CHARS].rstrip()
    return text if collapsed == text else collapsed


def row_id(view: str) -> int:
    """Return the id of a view's row: the first 63 bits of its SHA-256, so that it is the same in every partition."""
    return int.from_bytes(hashlib.sha256(view.encode("utf-8", "surrogatepass")).digest()[:8], "big") >> 1
