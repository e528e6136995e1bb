"""Auditing a ledger from its entries alone: every root is computed anew, no stored hash is believed.

An auditor holds the keys that may sign the ledger's head and, at best, one old checkpoint obtained earlier by another way.
With that, reordering, dropping, doubling, exchanging and changing entries, cutting the log, and showing another history
to somebody else are all found, also where the one who does it holds the signing key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag_edit.provenance.checkpoint import Checkpoint, open_checkpoint
from rag_edit.provenance.errors import RolledBackError, VerificationError
from rag_edit.provenance.keyring import Keyring, read_entries
from rag_edit.provenance.merkle import Tree, hash_leaf
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.replay import Replay, replay
from rag_edit.provenance.statement import Entry


@dataclass(frozen=True, slots=True)
class AuditedLedger:
    """A ledger whose every entry was verified.

    Attributes:
        checkpoint: Its signed head.
        tree: Over its entries.
        entries: Verified, in order.
        keyring: After the last of them.
        replay: What is live after the last of them.
    """

    checkpoint: Checkpoint
    tree: Tree
    entries: tuple[Entry, ...]
    keyring: Keyring
    replay: Replay


def audit_ledger(
    leaves: Iterable[bytes], note: str | bytes, keys: Sequence[NoteKey], *, old: Iterable[str | bytes] = ()
) -> AuditedLedger:
    """Return a ledger as verified, or raise at the first thing that does not hold.

    Steps: (1) the head is signed by a trusted key; (2) the entries have its size and root; (3) they begin with the entries of
    every old head; (4) no entry stands twice: what was signed once is not said again by repeating it; (5) every entry's
    signatures hold, by keys that stood at its position; (6) every root of the resolution map that an entry gives is that of what
    is live by the entries up to it.

    Args:
        leaves: All entries, as stored.
        note: The signed head.
        keys: Trusted keys, each under a name that the log has or had.
        old: Signed heads that were obtained before; under the log's present or an earlier name.

    Raises:
        ProvenanceError: what does not hold, and where.
    """
    stored = list(leaves)
    head, tree = audit_log(stored, note, keys, old=old)  # (1) to (4)
    entries, keyring = read_entries(stored)  # (5)
    live = replay(entry.statement for entry in entries)  # (6)
    return AuditedLedger(head, tree, tuple(entries), keyring, live)


def audit_log(
    leaves: Iterable[bytes], note: str | bytes, keys: Sequence[NoteKey], *, old: Iterable[str | bytes] = ()
) -> tuple[Checkpoint, Tree]:
    """Return head and tree of a log, whatever its entries say, or raise: steps (1) to (4) of `audit_ledger`.

    So a log of receipts is audited: a receipt that was dropped, changed or exchanged is found, and one cut off at the end by
    whoever holds an old head.

    Args:
        leaves: All entries, as stored; they are not held in memory.
        note: The signed head.
        keys: Trusted keys, each under a name that the log has or had.
        old: Signed heads that were obtained before.

    Raises:
        ProvenanceError: what does not hold, and where.
    """
    head = open_checkpoint(note, keys, where="head")  # (1)
    tree = Tree(map(hash_leaf, leaves))
    if tree.size < head.size:  # (2)
        raise RolledBackError(head.origin, f"{head.size} entries", f"{tree.size}")
    if tree.size > head.size:
        raise VerificationError(f"log {head.origin}", f"{head.size} entries", f"{tree.size}: the last are not signed for")
    if tree.root() != head.root:
        raise VerificationError(f"log {head.origin}", f"the root {head.root.hex()[:16]}...", f"{tree.root().hex()[:16]}...")
    for before in old:  # (3)
        check_extends(open_checkpoint(before, keys, where="old checkpoint"), tree)
    seen: dict[bytes, int] = {}
    for index in range(tree.size):  # (4)
        first = seen.setdefault(tree.leaf_hash(index), index)
        if first != index:
            raise VerificationError(f"entry {index}", "an entry that stands once", f"the same as entry {first}: repeated")
    return head, tree


def check_extends(old: Checkpoint, tree: Tree) -> None:
    """Check that the entries of ``tree`` begin with those of an old head.

    Raises:
        RolledBackError: they do not: the log was cut, or is another one.
    """
    if tree.size < old.size:
        raise RolledBackError(old.origin, f"the {old.size} entries of an old checkpoint", f"{tree.size}")
    found = tree.root(old.size)
    if found != old.root:
        raise RolledBackError(
            old.origin, f"the root {old.root.hex()[:16]}... of an old checkpoint at {old.size}", f"{found.hex()[:16]}..."
        )
