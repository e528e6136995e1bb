"""Cosines of pairs: the memory saves work and changes nothing."""

from collections.abc import Sequence

import numpy as np

from rag_edit.scope.cosines import Cosines, Vectors


class Counting:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        rows = np.array([[len(t), 1.0] for t in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_text_is_encoded_once_while_it_is_remembered() -> None:
    encode = Counting()
    cosines = Cosines(encode)
    cosines([("a", "bb"), ("a", "ccc")])
    cosines([("bb", "ccc")])
    assert encode.seen == ["a", "bb", "ccc"]


def test_forgetting_changes_no_result() -> None:
    pairs = [("a", "bb"), ("ccc", "a"), ("bb", "ccc")]
    assert Cosines(Counting(), kept=1)(pairs) == Cosines(Counting())(pairs)


def test_a_text_with_itself_has_cosine_one() -> None:
    assert abs(Cosines(Counting())([("abc", "abc")])[0] - 1.0) < 1e-6
