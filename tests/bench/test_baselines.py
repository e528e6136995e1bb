"""The baselines on vectors small enough to see."""

from pathlib import Path

import numpy as np
import pytest

from rag_edit.bench.baselines import grace, named, nearest, serac
from rag_edit.bench.baselines.memory import Memory
from rag_edit.bench.figures import NOTHING, Choice
from rag_edit.scope.training.sources import Row
from rag_edit.testing import FakeEmbedder


def unit(*degrees: float) -> np.ndarray:
    """Return unit vectors in the plane, (n, 2)."""
    angles = np.radians(np.array(degrees, dtype=np.float32))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def memory(*degrees: float, names: tuple[tuple[str, ...], ...] | None = None, owner: tuple[int, ...] | None = None) -> Memory:
    owners = np.array(owner if owner is not None else range(len(degrees)), dtype=np.int64)
    count = int(owners.max()) + 1 if len(owners) else 0
    ids = tuple("abcdefgh"[:count])
    return Memory(ids, names if names is not None else ((),) * count, unit(*degrees), owners)


EMPTY = Memory((), (), np.zeros((0, 2), np.float32), np.zeros(0, np.int64))


def test_nearest_takes_the_record_with_the_nearest_wording() -> None:
    found = nearest.choices(memory(0, 90, 45, owner=(0, 1, 0)), ["x", "y"], unit(50, 80))
    assert [c.record for c in found] == ["a", "b"]
    assert found[0].score == pytest.approx(np.cos(np.radians(5)), abs=1e-6)


def test_nearest_never_says_less_than_nothing() -> None:
    assert nearest.choices(memory(0), ["x"], unit(180)) == [Choice("a", 0.0)]


def test_named_looks_only_at_records_that_the_question_names() -> None:
    some = memory(0, 10, 90, names=(("Ada",), ("Bo", "Bo the Great"), ("Ada Lovelace",)))
    asked = ["Where was ADA Lovelace born?", "Where was Bo born?", "Where was Cy born?", "Where was Adam born?"]
    found = named.choices(some, asked, unit(80, 90, 0, 0))
    assert [c.record for c in found] == ["c", "b", "", ""]


def test_named_folds_accents_and_compares_whole_words() -> None:
    some = memory(0, names=(("Évry Cathedral",),))
    assert named.choices(some, ["Who built evry cathedral?"], unit(0))[0].record == "a"
    assert named.choices(some, ["Who built Evry Cathedrals?"], unit(0)) == [NOTHING]


def test_a_codebook_key_far_from_all_keeps_its_first_radius() -> None:
    assert grace.Codebook.of(memory(0, 180)).radii(0.5).tolist() == [0.5, 0.5]


def test_two_close_keys_reach_to_the_middle_between_them() -> None:
    radii = grace.Codebook.of(memory(0, 20)).radii(0.5)
    middle = np.sin(np.radians(10))  # half of the chord of 20 degrees
    assert radii == pytest.approx([middle, middle], abs=1e-6)


def test_wordings_of_one_record_do_not_split_one_another() -> None:
    assert grace.Codebook.of(memory(0, 20, owner=(0, 0))).radii(0.5).tolist() == [0.5, 0.5]


def test_a_codebook_answers_inside_the_radius_and_defers_outside() -> None:
    book = grace.Codebook.of(memory(0, 90))
    found = book.choices(book.nearest(unit(10, 50, 85)), 0.3)
    assert found == [Choice("a", 1.0), NOTHING, Choice("b", 1.0)]


def test_a_radius_never_grows() -> None:
    book = grace.Codebook.of(memory(0, 2, 30))
    small, large = book.radii(0.1), book.radii(1.0)
    assert max(small) <= 0.1
    assert small[0] == pytest.approx(np.sin(np.radians(1)), abs=1e-6)
    assert large[0] == pytest.approx(np.sin(np.radians(1)), abs=1e-6)


def test_the_sweep_holds_every_radius() -> None:
    found = grace.sweep(memory(0), unit(20))
    assert tuple(found) == grace.RADII
    assert next(r for r, choices in found.items() if choices[0].record == "a") == 0.35  # the chord of 20 degrees is 0.347


def test_a_memory_of_some_records_keeps_their_rows() -> None:
    part = memory(0, 10, 20, 30, owner=(0, 1, 1, 2), names=(("A",), ("B",), ("C",))).only(np.array([False, True, True]))
    assert (part.ids, part.names, part.owner.tolist()) == (("b", "c"), (("B",), ("C",)), [0, 0, 1])
    assert part.keys.tolist() == unit(10, 20, 30).tolist()


def test_without_records_nothing_is_chosen() -> None:
    model = serac.Classifier(
        np.zeros((4, 2), np.float32), np.zeros(2, np.float32), np.zeros(2, np.float32), np.zeros((), np.float32)
    )
    assert nearest.choices(EMPTY, ["x"], unit(0)) == named.choices(EMPTY, ["x"], unit(0)) == [NOTHING]
    assert serac.choices(model, EMPTY, unit(0)) == grace.sweep(EMPTY, unit(0))[0.5] == [NOTHING]


ROWS = [
    Row("toy", f"{first} {last}", "", "", (f"What is the {word} of {{}}?", f"Tell me {{}}'s {word}"))
    for first in ("Ada", "Bo", "Cyrus", "Dora")
    for last, word in (("Lovelace", "height"), ("Miller", "salary"), ("Zhang", "birthplace"))
]


@pytest.fixture(scope="module")
def trained() -> serac.Classifier:
    embedder = FakeEmbedder()
    return serac.train(ROWS, lambda texts: embedder.encode(texts, kind="query"), seed=1, hidden=16, epochs=60, rate=1e-2)


def test_the_trained_classifier_tells_its_own_training_pairs_apart(trained: serac.Classifier) -> None:
    embedder = FakeEmbedder()
    asked, said = (embedder.encode([r.asks[k].replace("{}", r.subject) for r in ROWS], kind="query") for k in (1, 0))
    own, other = trained.probability(asked, said), trained.probability(asked, np.roll(said, 1, axis=0))
    assert own.min() > 0.5 > other.max()


def test_training_is_a_function_of_its_seed(trained: serac.Classifier) -> None:
    embedder = FakeEmbedder()
    again = serac.train(ROWS, lambda texts: embedder.encode(texts, kind="query"), seed=1, hidden=16, epochs=60, rate=1e-2)
    assert np.array_equal(again.w1, trained.w1)


def test_the_trained_classifier_reads_back_as_written(trained: serac.Classifier, tmp_path: Path) -> None:
    trained.save(tmp_path / "serac.npz")
    again = serac.Classifier.read(tmp_path / "serac.npz")
    assert all(np.array_equal(getattr(again, name), getattr(trained, name)) for name in ("w1", "b1", "w2", "b2"))


def test_the_trained_classifier_chooses_the_most_probable_of_the_nearest(trained: serac.Classifier) -> None:
    embedder = FakeEmbedder()
    keys = embedder.encode([r.asks[0].replace("{}", r.subject) for r in ROWS], kind="record")
    ids = tuple(r.subject for r in ROWS)
    some = Memory(ids, ((),) * len(ids), keys, np.arange(len(ids)))
    found = serac.choices(trained, some, embedder.encode(["Tell me Bo Miller's salary"], kind="query"))
    assert (found[0].record, found[0].score > 0.5) == ("Bo Miller", True)
