"""What every partition does. One suite for the exact one and both kinds of FAISS base."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_edit.index.brute import BrutePartition, BruteShelf
from rag_edit.index.faiss_partition import FaissShelf
from rag_edit.index.partition import Partition, PartitionShelf

DIM = 8
SHELVES: dict[str, Callable[[Path], PartitionShelf]] = {
    "exact": lambda _: BruteShelf(),
    "flat": lambda root: FaissShelf(root),
    "ivf": lambda root: FaissShelf(root, flat_rows=0),  # few rows: every list is probed, so it is exact too
}


@pytest.fixture(params=SHELVES, ids=list(SHELVES))
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> PartitionShelf:
    return SHELVES[request.param](tmp_path)


def opened(shelf: PartitionShelf) -> Partition:
    return shelf.open("DE", dim=DIM, embedder="sha256:e")


def rows(count: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_an_empty_partition_finds_nothing(shelf: PartitionShelf) -> None:
    found, sims = opened(shelf).search(rows(2), 5)
    assert found.shape == sims.shape == (2, 0)


def test_nearest_rows_come_by_falling_similarity(shelf: PartitionShelf) -> None:
    partition, vectors = opened(shelf), rows(40)
    partition.add(np.arange(40) * 7, vectors)
    partition.compact()
    found, sims = partition.search(vectors[3:5], 10)
    assert found[:, 0].tolist() == [21, 28]
    assert np.all(np.diff(sims, axis=1) <= 0)
    assert np.allclose(sims[:, 0], 1.0)


def test_equal_similarities_come_by_rising_id_and_are_cut_by_it(shelf: PartitionShelf) -> None:
    partition = opened(shelf)
    order = np.random.default_rng(1).permutation(60)
    partition.add(order[:50], np.repeat(rows(1), 50, axis=0))
    partition.compact()
    partition.add(order[50:], np.repeat(rows(1), 10, axis=0))
    assert partition.search(rows(1), 5)[0].tolist() == [[0, 1, 2, 3, 4]]


def test_k_beyond_the_count_gives_all_rows_once(shelf: PartitionShelf) -> None:
    partition = opened(shelf)
    partition.add(ids(5, 6, 7), rows(3))
    assert sorted(partition.search(rows(1, 9), 50)[0][0].tolist()) == [5, 6, 7]


def test_a_removed_row_is_never_found_and_the_rest_are(shelf: PartitionShelf) -> None:
    partition, vectors = opened(shelf), rows(50)
    partition.add(np.arange(50), vectors)
    partition.compact()
    for gone in range(0, 48, 3):  # many removals, one by one
        partition.remove(ids(gone))
    kept = [each for each in range(50) if each % 3 or each >= 48]
    assert partition.ids().tolist() == kept
    assert partition.holds(ids(0, 1)).tolist() == [False, True]
    assert partition.search(vectors[kept], 1)[0].ravel().tolist() == kept
    assert sorted(partition.search(vectors[:1], 50)[0][0].tolist()) == kept


def test_a_removed_id_may_come_back_with_another_vector(shelf: PartitionShelf) -> None:
    partition, vectors = opened(shelf), rows(3)
    partition.add(ids(1, 2), vectors[:2])
    partition.compact()
    partition.remove(ids(1))
    partition.add(ids(1), vectors[2:])
    assert np.array_equal(partition.vectors(ids(2, 1)), vectors[[1, 2]])
    assert partition.search(vectors[2:], 1)[0].tolist() == [[1]]
    partition.compact()
    assert np.array_equal(partition.vectors(ids(1, 2)), vectors[[2, 1]])
    partition.remove(ids(1))
    assert partition.ids().tolist() == [2]


@pytest.mark.parametrize(
    ("new", "shape"),
    [((3, 3), (2, DIM)), ((1,), (1, DIM)), ((-1,), (1, DIM)), ((3,), (1, DIM + 1)), ((3, 4), (1, DIM))],
    ids=["an id given twice", "an id held already", "a negative id", "another dimension", "fewer vectors than ids"],
)
def test_an_addition_is_refused_whole(shelf: PartitionShelf, new: tuple[int, ...], shape: tuple[int, int]) -> None:
    partition = opened(shelf)
    partition.add(ids(1), rows(1))
    with pytest.raises(ValueError):
        partition.add(ids(*new), np.ones(shape, np.float32))
    assert partition.ids().tolist() == [1]


def test_vectors_that_are_not_finite_are_refused(shelf: PartitionShelf) -> None:
    with pytest.raises(ValueError, match="finite"):
        opened(shelf).add(ids(1), np.full((1, DIM), np.nan, np.float32))


@pytest.mark.parametrize("old", [(9,), (1, 1), (1, 9)], ids=["not held", "given twice", "one of two not held"])
def test_a_removal_is_refused_whole(shelf: PartitionShelf, old: tuple[int, ...]) -> None:
    partition = opened(shelf)
    partition.add(ids(1, 2), rows(2))
    with pytest.raises(ValueError):
        partition.remove(ids(*old))
    assert partition.ids().tolist() == [1, 2]


def test_vectors_of_a_row_not_held_are_refused(shelf: PartitionShelf) -> None:
    partition = opened(shelf)
    partition.add(ids(1), rows(1))
    partition.compact()
    partition.remove(ids(1))
    with pytest.raises(ValueError, match="1"):
        partition.vectors(ids(1))


def test_emptying_and_filling_again_works(shelf: PartitionShelf) -> None:
    partition = opened(shelf)
    partition.add(ids(1, 2), rows(2))
    partition.compact()
    partition.remove(ids(1, 2))
    assert partition.search(rows(1), 3)[0].shape == (1, 0)
    partition.compact()
    partition.add(ids(2), rows(1))
    assert partition.search(rows(1), 3)[0].tolist() == [[2]]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sets(st.integers(0, 30), min_size=1, max_size=12)),
        st.tuples(st.just("remove"), st.sets(st.integers(0, 30), min_size=1, max_size=6)),
        st.tuples(st.sampled_from(["save", "compact", "reopen"]), st.just(frozenset())),
    ),
    max_size=12,
)


@pytest.mark.parametrize("kind", ["flat", "ivf"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, seed=st.integers(0, 99))
def test_any_history_is_bit_equal_to_the_exact_partition(
    kind: str, steps: list, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shelf = SHELVES[kind](tmp_path_factory.mktemp("p"))
    partition, oracle, vectors = opened(shelf), BrutePartition("DE", dim=DIM), rows(31, seed)
    for act, given_ids in steps:
        held = set(oracle.ids().tolist())
        if act == "add":
            new = ids(*(given_ids - held))
            partition.add(new, vectors[new])
            oracle.add(new, vectors[new])
        elif act == "remove":
            old = ids(*(given_ids & held))
            partition.remove(old)
            oracle.remove(old)
        elif act == "reopen":
            partition.save()
            partition.close()
            partition = opened(shelf)
        else:
            getattr(partition, act)()
    queries = rows(3, seed + 1)
    for got, wanted in zip(partition.search(queries, 7), oracle.search(queries, 7), strict=True):
        assert np.array_equal(got, wanted)
    assert partition.status(0).digest == oracle.status(0).digest
    assert partition.status(0).rows == partition.count == oracle.count
