"""The Merkle tree against public vectors and against its definition, written down naively."""

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_edit.provenance.errors import VerificationError
from rag_edit.provenance.merkle import (
    EMPTY_ROOT,
    Tree,
    hash_leaf,
    hash_node,
    root_of,
    verify_consistency,
    verify_inclusion,
)

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other work may slow it


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return hash_leaf(leaves[0])
    k = max(2**e for e in range(20) if 2**e < len(leaves))
    return hash_node(naive(leaves[:k]), naive(leaves[k:]))


def b64(text: str) -> bytes:
    return base64.b64decode(text)


def test_roots_equal_those_of_the_reference_tree(vectors: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(each) for each in vectors["merkle"]["leaves"]]
    tree = Tree(map(hash_leaf, leaves))
    assert [tree.root(size).hex() for size in range(9)] == vectors["merkle"]["roots"]


def test_inclusion_proofs_equal_the_published_ones(vectors: dict[str, Any]) -> None:
    tree = Tree(hash_leaf(bytes.fromhex(each)) for each in vectors["merkle"]["leaves"])
    for case in vectors["inclusion"]["vectors"]:
        path = [b64(each) for each in case["path"]]
        assert list(tree.inclusion_proof(case["index"], case["size"])) == path
        verify_inclusion(b64(case["leaf"]), case["index"], case["size"], path, b64(case["root"]))


def test_consistency_proofs_equal_the_published_ones(vectors: dict[str, Any]) -> None:
    tree = Tree(hash_leaf(bytes.fromhex(each)) for each in vectors["merkle"]["leaves"])
    for case in vectors["consistency"]["vectors"]:
        path = [b64(each) for each in case["path"]]
        assert list(tree.consistency_proof(case["old"], case["size"])) == path
        verify_consistency(case["old"], case["size"], path, b64(case["old_root"]), b64(case["root"]))


leaves_of = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


@quick
@given(leaves_of, st.data())
def test_every_proof_of_every_size_holds_and_its_root_is_the_definitions(leaves: list[bytes], data: st.DataObject) -> None:
    tree = Tree(map(hash_leaf, leaves))
    size = data.draw(st.integers(1, len(leaves)))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root = naive(leaves[:size])
    assert tree.root(size) == root == root_of(leaves[:size])
    verify_inclusion(hash_leaf(leaves[index]), index, size, tree.inclusion_proof(index, size), root)
    verify_consistency(old, size, tree.consistency_proof(old, size), naive(leaves[:old]), root)


@quick
@given(leaves_of, st.data())
def test_a_tree_resumed_from_its_edge_goes_on_as_the_whole_one(leaves: list[bytes], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(leaves)))
    whole = Tree(map(hash_leaf, leaves))
    resumed = Tree.resume(start, Tree(map(hash_leaf, leaves[:start])).edge())
    for leaf in leaves[start:]:
        resumed.append(hash_leaf(leaf))
    assert (resumed.size, resumed.root(), resumed.edge()) == (whole.size, whole.root(), whole.edge())
    for index in range(start, len(leaves)):
        assert resumed.inclusion_proof(index) == whole.inclusion_proof(index)


@quick
@given(leaves_of, st.data())
def test_a_proof_holds_for_no_other_leaf_index_size_path_or_root(leaves: list[bytes], data: st.DataObject) -> None:
    tree, size = Tree(map(hash_leaf, leaves)), len(leaves)
    index = data.draw(st.integers(0, size - 1))
    leaf, path, root = hash_leaf(leaves[index]), tree.inclusion_proof(index), tree.root()
    flipped = bytes([root[0] ^ 1]) + root[1:]
    wrong: list[tuple[bytes, int, int, tuple[bytes, ...], bytes]] = [
        (hash_leaf(leaves[index] + b"x"), index, size, path, root),
        (leaf, index, size, path, flipped),
        (leaf, index, size, (*path, root), root),
        (leaf, index, size, (root, *path), root),
        (leaf, size, size, path, root),
        (leaf, -1, size, path, root),
        (leaf, index, 0, path, root),
        (leaf, index, size, path, b""),
    ]
    wrong += [(leaf, index, size, path[:-1], root)] if path else []
    wrong += [(leaf, index, size, (*path[:k], flipped, *path[k + 1 :]), root) for k in range(len(path))]
    for case in wrong:
        with pytest.raises(VerificationError):
            verify_inclusion(*case)


@pytest.mark.parametrize(
    ("old", "size", "path"),
    [
        pytest.param(0, 3, [], id="from nothing: it would prove nothing"),
        pytest.param(4, 3, [], id="from the future"),
        pytest.param(2, 3, [], id="without hashes"),
        pytest.param(3, 3, [bytes(32)], id="with hashes where none are needed"),
        pytest.param(1, 3, [bytes(32), bytes(32)], id="with hashes that lead elsewhere"),
        pytest.param(2, 3, [b"short"], id="with a short hash"),
    ],
)
def test_a_consistency_proof_is_refused(old: int, size: int, path: list[bytes]) -> None:
    tree = Tree(map(hash_leaf, [b"a", b"b", b"c"]))
    with pytest.raises(VerificationError):
        verify_consistency(old, size, path, tree.root(min(old, 3)), tree.root(3))


def test_an_edge_of_another_size_is_refused() -> None:
    with pytest.raises(VerificationError):
        Tree.resume(3, [bytes(32)])


def test_a_resumed_tree_does_not_guess_what_it_does_not_know() -> None:
    tree = Tree.resume(4, Tree(hash_leaf(bytes([k])) for k in range(4)).edge())
    with pytest.raises(ValueError, match="known from 4"):
        tree.root(3)
    with pytest.raises(ValueError, match="no leaf 0"):
        tree.leaf_hash(0)
