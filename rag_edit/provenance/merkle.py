"""The Merkle tree of RFC 6962: one hash stands for a list, and short proofs show what is in it and what it grew from.

A leaf's hash covers 0x00 and its bytes, a node's 0x01 and its two children, so neither can pass for the other. `Tree`
grows by one leaf at a time and answers for every size that it had. It may also be resumed from its right edge alone (one
hash for each power of two in its size): it then proves what is appended from there on. Verifying needs no tree.

Source: RFC 6962, section 2.1 (hashes); RFC 9162, sections 2.1.3.2 and 2.1.4.2 (verifying). A consistency proof from size 0
is refused: it would prove nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, Self

from rag_edit.provenance.errors import VerificationError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def hash_leaf(leaf: bytes) -> bytes:
    """Return the hash of one entry, as it is stored."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """An append-only Merkle tree; 64 bytes a leaf, in memory.

    Level h holds the hashes of the complete subtrees of 2^h leaves, from the subtree number ``_first[h]`` on.
    """

    __slots__ = ("_first", "_levels", "_start", "size")

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._start = 0
        self._levels: list[bytearray] = [bytearray()]
        self._first: list[int] = [0]
        for each in leaf_hashes:
            self.append(each)

    @classmethod
    def resume(cls, size: int, edge: Sequence[bytes]) -> Self:
        """Return a tree of ``size`` leaves that knows its right edge only: it grows, and proves what it gains.

        Args:
            size: Leaves it has.
            edge: From `edge`: (popcount of size) hashes, the largest subtree first.

        Raises:
            VerificationError: the edge does not fit the size.
        """
        if len(edge) != size.bit_count() or any(len(each) != HASH_BYTES for each in edge):
            raise VerificationError("right edge of a tree", f"{size.bit_count()} hashes for size {size}", f"{len(edge)}")
        tree = cls()
        tree.size = tree._start = size
        hashes = iter(reversed(edge))
        tree._levels, tree._first = [bytearray()], [size & ~1]
        for height in range(max(1, size.bit_length())):
            if height:
                tree._levels.append(bytearray())
                tree._first.append((size >> height) & ~1)
            if size >> height & 1:
                tree._levels[height] += next(hashes)
        return tree

    def edge(self) -> tuple[bytes, ...]:
        """Return the hashes of the complete subtrees that make up the tree, the largest first: all that growing needs."""
        return tuple(self._node(h, (self.size >> h) - 1) for h in reversed(range(self.size.bit_length())) if self.size >> h & 1)

    def append(self, leaf_hash: bytes) -> int:
        """Add a leaf by its hash and return its index."""
        index = self.size
        self.size += 1
        height, node = 0, leaf_hash
        self._levels[0] += node
        while index >> height & 1:
            node = hash_node(self._node(height, (index >> height) - 1), node)
            height += 1
            if height == len(self._levels):
                self._levels.append(bytearray())
                self._first.append(0)
            self._levels[height] += node
        return index

    def root(self, size: int | None = None) -> bytes:
        """Return the root hash, now or when the tree had ``size`` leaves."""
        size = self._known(self.size if size is None else size)
        return self._range(0, size) if size else EMPTY_ROOT

    def leaf_hash(self, index: int) -> bytes:
        """Return the hash of one leaf."""
        if not self._first[0] <= index < self.size:
            raise ValueError(f"no leaf {index} in a tree of {self.size} known from {self._first[0]}")
        return self._node(0, index)

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the sibling hashes from leaf ``index`` up to the root at ``size``, lowest first."""
        size = self._known(self.size if size is None else size)
        if not 0 <= index < size:
            raise ValueError(f"no leaf {index} in a tree of {size}")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return tuple(reversed(path))

    def consistency_proof(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the tree at ``size`` begins with the tree at ``old``."""
        size = self._known(self.size if size is None else size)
        self._known(old)
        if not 0 < old <= size:
            raise ValueError(f"no consistency proof from {old} to {size}")
        path: list[bytes] = []
        start, end, whole = 0, size, True  # whole: the subtree [start, old) is the old tree itself, which the reader knows
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        return tuple(reversed(path if whole else [*path, self._range(start, end)]))

    def _known(self, size: int) -> int:
        if not (0 <= size <= self.size and (size >= self._start or self._start == 0)):
            raise ValueError(f"size {size} asked of a tree of {self.size} known from {self._start}")
        return size

    def _node(self, height: int, number: int) -> bytes:
        at = (number - self._first[height]) * HASH_BYTES
        if at < 0:
            raise ValueError(f"subtree {number} of height {height} lies before the resumed edge")
        return bytes(self._levels[height][at : at + HASH_BYTES])

    def _range(self, start: int, end: int) -> bytes:
        """Return the hash over leaves [start, end), start a multiple of the largest power of two below the width."""
        width = end - start
        if width & (width - 1) == 0:
            height = width.bit_length() - 1
            return self._node(height, start >> height)
        middle = start + _split(width)
        return hash_node(self._range(start, middle), self._range(middle, end))


def _split(width: int) -> int:
    """Return the largest power of two smaller than ``width`` (> 1)."""
    return 1 << ((width - 1).bit_length() - 1)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over entries, from their bytes alone."""
    return Tree(map(hash_leaf, leaves)).root()


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf stands at ``index`` of the tree of ``size`` leaves with this root.

    Raises:
        VerificationError: it does not, or the proof has another shape.
    """
    if not 0 <= index < size:
        raise VerificationError("inclusion proof", f"an index below the size {size}", f"{index}")
    _check_hashes("inclusion proof", (leaf_hash, root, *path))
    fn, sn, found = index, size - 1, leaf_hash
    for sibling in path:
        if sn == 0:
            raise VerificationError("inclusion proof", f"{_inner(index, size)} hashes", f"{len(path)}")
        if fn & 1 or fn == sn:
            found = hash_node(sibling, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = hash_node(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise VerificationError("inclusion proof", f"{_inner(index, size)} hashes", f"{len(path)}")
    if found != root:
        raise VerificationError("inclusion proof", f"the root {root.hex()[:16]}...", f"{found.hex()[:16]}...")


def verify_consistency(old: int, size: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """Check that the tree of ``size`` leaves begins with the tree of ``old`` leaves.

    Raises:
        VerificationError: it does not, the proof has another shape, or ``old`` is 0.
    """
    if not 0 < old <= size:
        raise VerificationError("consistency proof", f"an old size from 1 to {size}", f"{old}")
    _check_hashes("consistency proof", (old_root, root, *path))
    if old == size:
        if path or old_root != root:
            raise VerificationError("consistency proof", "equal roots and no hashes for equal sizes", f"{len(path)} hashes")
        return
    if not path:
        raise VerificationError("consistency proof", "hashes", "none")
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    found_old = found = hashes[0]
    for each in hashes[1:]:
        if sn == 0:
            raise VerificationError("consistency proof", "fewer hashes", f"{len(path)}")
        if fn & 1 or fn == sn:
            found_old, found = hash_node(each, found_old), hash_node(each, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = hash_node(found, each)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or found_old != old_root or found != root:
        raise VerificationError("consistency proof", f"roots of sizes {old} and {size}", "hashes that lead elsewhere")


def _check_hashes(where: str, hashes: Iterable[bytes]) -> None:
    for each in hashes:
        if len(each) != HASH_BYTES:
            raise VerificationError(where, f"hashes of {HASH_BYTES} bytes", f"{len(each)}")


def _inner(index: int, size: int) -> int:
    """Return how many hashes an inclusion proof has."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()
