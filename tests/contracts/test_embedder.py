"""What every encoder does. One suite for the fake, a server, a tiny directory and the packaged ones."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from rag_edit.index.embedder import Embedder, encode_checked
from rag_edit.lm.open import open_encoder
from rag_edit.lm.remote import UpstreamEncoder
from rag_edit.testing import FakeEmbedder
from tests.lm.tiny import write_encoder
from tests.lm.upstream_server import serving

TEXTS = ["What is the VAT rate?", "a", "What is the VAT rate?", "Grüße 日本 😀", "z " * 700, ""]
CACHE = Path(os.environ.get("RAG_EDIT_CACHE", "~/.cache/rag-edit")).expanduser()


@contextmanager
def fake(_: Path) -> Iterator[Embedder]:
    yield FakeEmbedder()


@contextmanager
def upstream(_: Path) -> Iterator[Embedder]:
    with serving() as server:
        encoder = UpstreamEncoder(server.url, "e")
        yield encoder
        encoder.upstream.close()


@contextmanager
def directory(root: Path) -> Iterator[Embedder]:
    yield open_encoder(str(write_encoder(root / "encoder")), root)


def packaged(spec: str) -> Callable[[Path], AbstractContextManager[Embedder]]:
    @contextmanager
    def opened(_: Path) -> Iterator[Embedder]:
        yield open_encoder(spec, CACHE)

    return opened


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(fake, id="fake"),
        pytest.param(upstream, id="upstream"),
        pytest.param(directory, id="directory"),
        pytest.param(packaged("minilm"), id="minilm", marks=pytest.mark.model),
    ],
)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    with request.param(tmp_path_factory.mktemp("encoder")) as opened:
        yield opened


def test_it_passes_the_check_of_the_index(encoder: Embedder) -> None:
    vectors = encode_checked(encoder, TEXTS, kind="record")
    assert vectors.shape == (len(TEXTS), encoder.dim)
    assert vectors.dtype == np.float32


def test_order_is_kept_and_a_text_has_one_vector(encoder: Embedder) -> None:
    together = encoder.encode(TEXTS, kind="record")
    np.testing.assert_allclose(together[0], together[2], atol=1e-5)
    for row, text in enumerate(TEXTS):
        np.testing.assert_allclose(together[row], encoder.encode([text], kind="record")[0], atol=1e-5)


def test_no_texts_are_no_vectors(encoder: Embedder) -> None:
    assert encoder.encode([], kind="query").shape == (0, encoder.dim)


def test_progress_adds_up_to_the_texts(encoder: Embedder) -> None:
    done: list[int] = []
    encoder.encode(TEXTS * 30, kind="record", progress=done.append)
    assert sum(done) == len(TEXTS) * 30


def test_the_digest_is_tagged_and_stays(encoder: Embedder) -> None:
    before = encoder.digest
    encoder.encode(["a"], kind="query")
    assert encoder.digest == before
    assert before.startswith("sha256:")
