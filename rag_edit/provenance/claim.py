"""Claims: what was live in a jurisdiction when the ledger had so many entries, or that nothing was, proved under one signed head.

A claim is a document of plain JSON that stands alone. It shows the last entry that gave a root of the resolution map, every entry
after it up to the position (so that nobody has to believe that none of them names versions), that all of them are in the ledger,
and what stands under that root. Whoever checks it needs the ledger's keys and nothing else.

It says what was live by the ledger, not that a question was about it: which records a question may mean is a model's work. Nor does
it say what was switched off: a suspension takes nothing out of the map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.digest import Digest, Json
from rag_edit.provenance.audit import AuditedLedger
from rag_edit.provenance.canonical import from_base64, read_json, to_base64
from rag_edit.provenance.checkpoint import open_checkpoint, read_checkpoint_text
from rag_edit.provenance.dsse import read_envelope
from rag_edit.provenance.errors import MalformedError, VerificationError
from rag_edit.provenance.merkle import HASH_BYTES, hash_leaf, verify_inclusion
from rag_edit.provenance.note import NoteKey, split_note
from rag_edit.provenance.replay import EDITS, Live, replay, root_named
from rag_edit.provenance.resolution import EMPTY, found_in, key_of, read_map_proof
from rag_edit.provenance.statement import Statement, read_statement

MAX_CLAIM_BYTES: Final = 64 * 1024 * 1024
LISTED: Final = 200  # live versions that one answer lists
WHERE: Final = "claim"


@dataclass(frozen=True, slots=True)
class Claimed:
    """One answer of a claim.

    Attributes:
        parts: What it is about: a jurisdiction; with a topic; with a record.
        live: All versions that were live there, by record; None: some were, too many to list.
    """

    parts: tuple[str, ...]
    live: tuple[Live, ...] | None


def make_claim(
    audited: AuditedLedger, leaves: Sequence[bytes], note: str, position: int, asked: Sequence[tuple[str, ...]]
) -> dict[str, Json]:
    """Return the claim on what was live under some names.

    Args:
        audited: The ledger, verified.
        leaves: Its entries, as stored.
        note: A signed head of it, of at least ``position`` entries.
        position: How many entries there were.
        asked: Names of one to three parts.

    Raises:
        VerificationError: the last entry before the position that names versions gives no root: it is from before there were any.
    """
    size = read_checkpoint_text(split_note(note)[0]).size
    if not 0 <= position <= size <= audited.tree.size:
        raise ValueError(f"wanted a position up to {size} of {audited.tree.size} entries, found {position}")
    statements = [entry.statement for entry in audited.entries[:position]]
    then = replay(statements)
    moving = [index for index, each in enumerate(statements) if each.kind == EDITS]
    start = moving[-1] if moving else 0
    if moving and root_named(statements[start]) is None:
        raise VerificationError(f"entry {start}", "a root of what is live", "none: it was written before there were any")
    shown: list[Json] = [
        {
            "index": index,
            "leaf": leaves[index].decode(),
            "path": [to_base64(each) for each in audited.tree.inclusion_proof(index, size)],
        }
        for index in range(start, position)
    ]
    about: list[Json] = []
    by_key = {live.key: live for live in then.live.values()}
    for parts in asked:
        beginning = key_of(*parts)
        proof = then.map.prove(beginning, listed=LISTED)
        found = found_in(proof, beginning, then.map.root)
        live: Json = None if found is None else [_to_json(by_key[key]) for key, _ in found]
        about.append({"live": live, "parts": list(parts), "proof": proof.to_json()})
    return {"about": about, "checkpoint": note, "entries": shown, "position": position, "v": 1}


def check_claim(data: bytes, keys: Sequence[NoteKey]) -> tuple[int, tuple[Claimed, ...]]:
    """Return the position of a claim and its answers, verified.

    Steps: (1) a trusted key signed the head; (2) the entries shown are in the ledger, one after the other up to the position;
    (3) the first of them gives the root, or there is nothing before it, and none after it names versions; (4) each answer is what
    its proof shows under that root.

    Raises:
        ProvenanceError: what does not hold.
    """
    plain = _object(read_json(data, where=WHERE, max_bytes=MAX_CLAIM_BYTES), "about", "checkpoint", "entries", "position", "v")
    head = open_checkpoint(str(plain["checkpoint"]), keys, where=WHERE)  # (1)
    position = plain["position"]
    if type(position) is not int or not 0 <= position <= head.size or plain["v"] != 1:
        raise MalformedError(WHERE, f"version 1 and a position up to {head.size}", f"{plain['v']!r}, {position!r}")
    statements = list[Statement]()
    shown = [_object(each, "index", "leaf", "path") for each in _list(plain["entries"])]
    first = position - len(shown)
    for index, each in enumerate(shown, first):  # (2)
        leaf = str(each["leaf"]).encode()
        path = [from_base64(str(one), where=WHERE, length=HASH_BYTES) for one in _list(each["path"])]
        if each["index"] != index or type(each["index"]) is not int:
            raise VerificationError(WHERE, f"entry {index}", f"{each['index']!r}")
        verify_inclusion(hash_leaf(leaf), index, head.size, path, head.root)
        statements.append(read_statement(read_envelope(leaf, where=WHERE).payload, where=WHERE))
    root = _root_of(statements, first)  # (3)
    return position, tuple(_answer(_object(each, "live", "parts", "proof"), root) for each in _list(plain["about"]))  # (4)


def _root_of(statements: Sequence[Statement], first: int) -> bytes:
    """Return the root that entries give, the first of them at ``first``."""
    moving = [at for at, each in enumerate(statements) if each.kind == EDITS]
    if not moving and first == 0:
        return EMPTY
    named = root_named(statements[0]) if moving == [0] else None
    if named is None:
        raise VerificationError(
            WHERE, "an entry with the root of what is live, and none after it that names versions", "others"
        )
    return bytes.fromhex(named.removeprefix("sha256:"))


def _answer(plain: Mapping[str, Json], root: bytes) -> Claimed:
    parts = tuple(str(part) for part in _list(plain["parts"]))
    if not 1 <= len(parts) <= 3 or list(parts) != plain["parts"]:
        raise MalformedError(WHERE, "1 to 3 names", repr(plain["parts"])[:60])
    found = found_in(read_map_proof(plain["proof"], where=WHERE), key_of(*parts), root)
    said = None if plain["live"] is None else tuple(_live(each) for each in _list(plain["live"]))
    if (None if said is None else tuple((live.key, live.value) for live in said)) != found:
        raise VerificationError(WHERE, f"what is proved of {'/'.join(parts)}", "another list")
    return Claimed(parts, said)


def _to_json(live: Live) -> dict[str, Json]:
    return {"content": live.content, "jurisdiction": live.jurisdiction, "name": live.name, "topic": live.topic}


def _live(plain: Json) -> Live:
    found = _object(plain, "content", "jurisdiction", "name", "topic")
    content: Digest = str(found["content"])
    return Live(str(found["jurisdiction"]), str(found["topic"]), str(found["name"]), content)


def _object(plain: Json, *keys: str) -> Mapping[str, Json]:
    if not isinstance(plain, dict) or set(plain) != set(keys):
        raise MalformedError(WHERE, f"an object of {', '.join(keys)}", repr(plain)[:60])
    return plain


def _list(plain: Json) -> list[Json]:
    if not isinstance(plain, list):
        raise MalformedError(WHERE, "a list", repr(plain)[:60])
    return plain
