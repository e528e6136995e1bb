"""Cosines of different encoders on one scale."""

from collections.abc import Sequence

import numpy as np
import pytest

from rag_edit.scope.background import REFERENCE, background, corrected
from rag_edit.scope.cosines import Vectors


def squeezed(texts: Sequence[str]) -> Vectors:
    """An encoder whose vectors all share one large part, as e5's do."""
    rows = np.random.default_rng(len(texts)).normal(size=(len(texts), 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    shared = np.sqrt(3.0, dtype=np.float32) * np.eye(1, 64, dtype=np.float32)
    both = rows + shared
    return both / np.linalg.norm(both, axis=1, keepdims=True)


def test_an_encoder_that_finds_everything_alike_has_a_high_background() -> None:
    assert background(squeezed) == pytest.approx(0.75, abs=0.05)


def test_the_background_falls_on_the_references_and_one_stays_one() -> None:
    assert corrected(0.75, 0.75) == pytest.approx(REFERENCE)
    assert corrected(1.0, 0.75) == 1.0


def test_the_reference_itself_is_left_as_it_is() -> None:
    assert corrected(0.4, REFERENCE) == pytest.approx(0.4)


@pytest.mark.model
def test_the_reference_is_the_default_encoders_background() -> None:
    from rag_edit.config import Settings
    from rag_edit.lm.open import open_encoder

    encoder = open_encoder("minilm", Settings().cache_dir)
    assert background(lambda texts: encoder.encode(texts, kind="query")) == pytest.approx(REFERENCE, abs=0.001)
