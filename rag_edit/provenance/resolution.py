"""The resolution map: one hash for all that is live, and short proofs of what is there and of what is not.

A path-compressed binary Merkle map. A name has three parts (jurisdiction, topic, record); its key is one digest for each: of the
first part, of the first two, of all three. So whatever is live in a jurisdiction, or of a topic in it, stands beneath one node,
and a proof that leads there shows all of it, or that there is none.

Hashes are SHA-256 over a label, a tag and what follows: 0 a leaf (key, value), 1 a node (how many bits of the key all beneath it
share, these bits with zeros behind, both children), 2 the empty map, 3 a part of a key, 4 a value. A node's hash covers the shared
bits, so under one root nothing can be shown both to be there and not to be, whatever tree somebody made. That a root is of what
is live is another matter: whoever replays the ledger checks it (`rag_edit.provenance.replay`). This module knows no ledger.

A map is a value: `updated` gives another one and shares what is the same. One change costs as many hashes as the tree is deep.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from rag_edit.core.digest import Digest, Json
from rag_edit.provenance.canonical import from_base64, to_base64
from rag_edit.provenance.errors import MalformedError, VerificationError

LABEL: Final = b"rag-edit/map/v1\0"
PARTS: Final = 3
PART_BYTES: Final = 32
KEY_BYTES: Final = PARTS * PART_BYTES
KEY_BITS: Final = 8 * KEY_BYTES
EMPTY: Final = hashlib.sha256(LABEL + b"\x02").digest()

Pair = tuple[bytes, bytes]
"""A key of 96 bytes and the value under it, of 32."""


def key_of(*parts: str) -> bytes:
    """Return the key of a name of three parts; of fewer, what the keys of all names begin with that begin so."""
    if not 1 <= len(parts) <= PARTS or any("\0" in part for part in parts):
        raise ValueError(f"wanted 1 to {PARTS} parts without NUL, found {parts!r}")
    return _beginning(*parts[:-1]) + _part(parts)


def value_of(name: str, content: Digest) -> bytes:
    """Return the value for a version of a record: ``id@version``, and the commitment to its content that the ledger names."""
    return hashlib.sha256(LABEL + b"\x04" + f"{name}\0{content}".encode()).digest()


def _part(parts: Sequence[str]) -> bytes:
    return hashlib.sha256(LABEL + b"\x03" + "\0".join(parts).encode()).digest()


@lru_cache(maxsize=1024)
def _beginning(*parts: str) -> bytes:
    """Return the parts of a key that many names share."""
    return b"".join(_part(parts[:end]) for end in range(1, len(parts) + 1))


@dataclass(slots=True)  # not frozen: made ten thousand at a time, three times as fast; never changed
class _Node:
    """A leaf (``bits`` is the whole key) or a node over two; ``key`` is that of any leaf beneath."""

    bits: int
    key: int
    hash: bytes
    value: bytes = b""
    left: "_Node | None" = None
    right: "_Node | None" = None


def _hash_leaf(key: int, value: bytes) -> bytes:
    return hashlib.sha256(LABEL + b"\x00" + key.to_bytes(KEY_BYTES, "big") + value).digest()


def _hash_node(bits: int, key: int, left: bytes, right: bytes) -> bytes:
    shared = _first_bits(key, bits).to_bytes(KEY_BYTES, "big")
    return hashlib.sha256(LABEL + b"\x01" + bits.to_bytes(2, "big") + shared + left + right).digest()


def _first_bits(key: int, bits: int) -> int:
    return key >> (KEY_BITS - bits) << (KEY_BITS - bits)


def _shared(one: int, other: int) -> int:
    """Return how many bits two keys share from the first on."""
    return KEY_BITS - (one ^ other).bit_length()


def _bit(key: int, at: int) -> int:
    return key >> (KEY_BITS - 1 - at) & 1


def _join(bits: int, left: _Node | None, right: _Node | None) -> _Node | None:
    if left is None or right is None:
        return left or right
    return _Node(bits, left.key, _hash_node(bits, left.key, left.hash, right.hash), b"", left, right)


def _put(node: _Node | None, keys: Sequence[int], values: Sequence[bytes | None], start: int, end: int) -> _Node | None:
    """Return the subtree after the changes [start, end), sorted by key; they and the subtree share their bits up to it."""
    if start == end:
        return node
    first, last = keys[start], keys[end - 1]
    shared = _shared(first, last)
    if node is not None:
        shared = min(shared, _shared(first, node.key), _shared(last, node.key), node.bits)
    if shared == KEY_BITS:  # one change, to this very leaf or to none
        value = values[start]
        return None if value is None else _Node(KEY_BITS, first, _hash_leaf(first, value), value)
    middle = bisect_left(keys, _first_bits(first, shared) | 1 << (KEY_BITS - 1 - shared), start, end)
    left, right = (None, None) if node is None else (node.left, node.right)
    if node is not None and shared < node.bits:
        left, right = (None, node) if _bit(node.key, shared) else (node, None)
    return _join(shared, _put(left, keys, values, start, middle), _put(right, keys, values, middle, end))


def _leaves(node: _Node) -> Iterator[Pair]:
    if node.left is None or node.right is None:
        yield node.key.to_bytes(KEY_BYTES, "big"), node.value
    else:
        yield from _leaves(node.left)
        yield from _leaves(node.right)


@dataclass(frozen=True, slots=True)
class MapProof:
    """What stands under the keys that begin in some way, under one root. `found_in` says so, and checks it.

    Attributes:
        steps: From the root down, each node passed: how many bits all beneath it share, and the hash of the child not taken.
        leaves: All beneath where the steps end, sorted by key; empty where ``node`` or nothing is there.
        node: Where the steps end, not listed: bits, shared bits as a key, hashes of both children.
    """

    steps: tuple[tuple[int, bytes], ...] = ()
    leaves: tuple[Pair, ...] = ()
    node: tuple[int, bytes, bytes, bytes] | None = None

    def to_json(self) -> dict[str, Json]:
        """Return plain values."""
        return {
            "leaves": [[to_base64(key), to_base64(value)] for key, value in self.leaves],
            "node": [self.node[0], *map(to_base64, self.node[1:])] if self.node is not None else None,
            "steps": [[bits, to_base64(sibling)] for bits, sibling in self.steps],
        }


@dataclass(frozen=True, slots=True)
class ResolutionMap:
    """Keys and values under one root."""

    _top: _Node | None = field(default=None, repr=False)

    @property
    def root(self) -> bytes:
        """Return the hash that stands for all of it."""
        return EMPTY if self._top is None else self._top.hash

    def updated(self, changes: Mapping[bytes, bytes | None]) -> "ResolutionMap":
        """Return the map with other values under some keys; None takes a key away."""
        pairs = sorted((int.from_bytes(key, "big"), value) for key, value in changes.items())
        return ResolutionMap(_put(self._top, [key for key, _ in pairs], [value for _, value in pairs], 0, len(pairs)))

    def beneath(self, beginning: bytes) -> Iterator[Pair]:
        """Yield keys and values of all whose keys begin so, sorted."""
        _, end = self._walk(beginning)
        return (pair for pair in (_leaves(end) if end is not None else ()) if pair[0].startswith(beginning))

    def prove(self, beginning: bytes, *, listed: int) -> MapProof:
        """Return the proof of what stands under the keys that begin so.

        Args:
            beginning: From `key_of`.
            listed: At most this many are listed; of more it is proved that there are some.
        """
        steps, end = self._walk(beginning)
        if end is None:
            return MapProof()
        inside = end.bits >= 8 * len(beginning) and end.key.to_bytes(KEY_BYTES, "big").startswith(beginning)
        if end.left is None or end.right is None or (inside and _fit(end, listed)):
            return MapProof(steps, tuple(_leaves(end)))
        label = _first_bits(end.key, end.bits).to_bytes(KEY_BYTES, "big")
        return MapProof(steps, (), (end.bits, label, end.left.hash, end.right.hash))

    def _walk(self, beginning: bytes) -> tuple[tuple[tuple[int, bytes], ...], _Node | None]:
        """Return the nodes passed on the way to where a beginning ends or parts from the tree, and the node there."""
        wanted, length = _padded(beginning), 8 * len(beginning)
        steps, node = list[tuple[int, bytes]](), self._top
        while node is not None and node.left is not None and node.right is not None:
            if node.bits >= length or _shared(node.key, wanted) < node.bits:
                break
            right = _bit(wanted, node.bits)
            steps.append((node.bits, (node.left if right else node.right).hash))
            node = node.right if right else node.left
        return tuple(steps), node


def root_of(pairs: Sequence[Pair]) -> bytes:
    """Return the root over keys and values."""
    return ResolutionMap().updated(dict(pairs)).root


def found_in(proof: MapProof, beginning: bytes, root: bytes) -> tuple[Pair, ...] | None:
    """Return all keys and values under ``root`` whose keys begin so: none of them, these, or (None) some that are not listed.

    Raises:
        VerificationError: the proof does not lead to the root, or proves something else.
    """
    wanted, length = _padded(beginning), 8 * len(beginning)
    keys = [key for key, _ in proof.leaves]
    if keys != sorted(set(keys)) or (proof.leaves and proof.node is not None):
        raise VerificationError("map proof", "either leaves, each once and sorted, or a node", "something else")
    if proof.node is not None:
        bits, label, left, right = proof.node
        found = _hash_node(bits, int.from_bytes(label, "big"), left, right)
        meets = _shared(int.from_bytes(label, "big"), wanted) >= min(bits, length)
        if (meets and bits < length) or _first_bits(int.from_bytes(label, "big"), bits) != int.from_bytes(label, "big"):
            raise VerificationError("map proof", f"a node at or beside {length} bits of the key", f"one of {bits} on the way")
    else:
        found, meets = root_of(proof.leaves), False
        if not proof.leaves and proof.steps:
            raise VerificationError("map proof", "something at the end of its steps", "nothing")
    before = length
    for bits, sibling in reversed(proof.steps):
        if not bits < before:
            raise VerificationError("map proof", f"a step within {before} bits of the key", f"one at {bits}")
        pair = (sibling, found) if _bit(wanted, bits) else (found, sibling)
        found, before = _hash_node(bits, wanted, *pair), bits
    if found != root:
        raise VerificationError("map proof", f"the root {root.hex()[:16]}...", f"{found.hex()[:16]}...")
    return None if meets else tuple(pair for pair in proof.leaves if pair[0].startswith(beginning))


def read_map_proof(plain: Json, *, where: str = "map proof") -> MapProof:
    """Return the proof that `MapProof.to_json` wrote. Nothing is verified.

    Raises:
        MalformedError: another form.
    """

    def fields(value: Json, *lengths: int) -> list[bytes]:
        if not isinstance(value, list) or len(value) != len(lengths):
            raise MalformedError(where, f"a list of {len(lengths)}", repr(value)[:60])
        return [from_base64(str(each), where=where, length=length) for each, length in zip(value, lengths, strict=True)]

    def bits_of(value: Json) -> int:
        if type(value) is not int or not 0 <= value < KEY_BITS:
            raise MalformedError(where, f"a number of bits below {KEY_BITS}", repr(value)[:24])
        return value

    if not isinstance(plain, dict) or set(plain) != {"leaves", "node", "steps"}:
        raise MalformedError(where, "leaves, node and steps", repr(plain)[:60])
    leaves, node, steps = plain["leaves"], plain["node"], plain["steps"]
    if not isinstance(leaves, list) or not isinstance(steps, list) or not (node is None or (isinstance(node, list) and node)):
        raise MalformedError(where, "lists of leaves and steps, and a node or none", "other types")
    pairs = [fields(each, KEY_BYTES, PART_BYTES) for each in leaves]
    ways = [(bits_of(each[0]), *fields(each[1:], PART_BYTES)) for each in steps if isinstance(each, list) and each]
    if len(ways) != len(steps):
        raise MalformedError(where, "steps of bits and a hash", "other types")
    end = (bits_of(node[0]), *fields(node[1:], KEY_BYTES, PART_BYTES, PART_BYTES)) if node is not None else None
    return MapProof(tuple(ways), tuple((key, value) for key, value in pairs), end)  # type: ignore[arg-type]


def _padded(beginning: bytes) -> int:
    if len(beginning) not in range(PART_BYTES, KEY_BYTES + 1, PART_BYTES):
        raise ValueError(f"wanted 1 to {PARTS} parts of {PART_BYTES} bytes, found {len(beginning)} bytes")
    return int.from_bytes(beginning, "big") << (8 * (KEY_BYTES - len(beginning)))


def _fit(node: _Node, listed: int) -> bool:
    """Return whether at most so many are beneath."""
    return all(number < listed for number, _ in enumerate(_leaves(node)))
