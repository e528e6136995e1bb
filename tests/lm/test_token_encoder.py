"""The encoder that keeps tokens: the same vectors, and pairs that cost no second pass."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag_edit.core.pair import Pair
from rag_edit.lm.encoder import TransformerEncoder
from rag_edit.lm.token_encoder import TokenEncoder
from rag_edit.lm.token_file import TokenFile
from tests.lm.heads import SMALL, random_head
from tests.lm.tiny import write_encoder

QUESTION, RECORD = "what is a b c?", "a b is"


class Counting(TransformerEncoder):
    passes = 0

    def encode_tokens(self, texts: Sequence[str], **options: Any) -> Any:
        self.passes += len(texts)
        return super().encode_tokens(texts, **options)


@pytest.fixture
def encoder(tmp_path: Path) -> Counting:
    return Counting(write_encoder(tmp_path / "encoder"), cache=tmp_path)


def test_vectors_and_digest_are_those_of_the_encoder(encoder: Counting) -> None:
    reader = TokenEncoder(encoder, random_head(encoder.dim))
    texts = ["what is a", "b", "", "c d e f"]
    np.testing.assert_allclose(reader.encode(texts, kind="query"), encoder.encode(texts, kind="query"), atol=1e-6)
    assert (reader.digest, reader.dim) == (encoder.digest, encoder.dim)


def test_tokens_stand_where_their_characters_do_prefix_and_specials_left_out(tmp_path: Path) -> None:
    prefixed = TransformerEncoder(write_encoder(tmp_path / "e"), cache=tmp_path, query_prefix="query: ")
    text = "What is 12?"
    found = TokenEncoder(prefixed, random_head(prefixed.dim)).tokens({text: None})[text]
    assert [text[a:b] for a, b in found.spans.tolist()] == ["What", "is", "12", "?"]


def test_a_pair_of_texts_that_were_encoded_costs_no_pass(encoder: Counting) -> None:
    reader = TokenEncoder(encoder, random_head(encoder.dim))
    reader.encode([QUESTION], kind="query")
    reader.encode([RECORD], kind="record")
    passes = encoder.passes
    reader.score([Pair(QUESTION, RECORD)])
    assert encoder.passes == passes


def test_a_record_is_read_from_the_file_by_a_later_process(encoder: Counting, tmp_path: Path) -> None:
    head = random_head(encoder.dim)
    TokenEncoder(encoder, head, TokenFile(tmp_path / "t", SMALL.width)).encode([RECORD], kind="record")
    later = TokenEncoder(encoder, head, TokenFile(tmp_path / "t", SMALL.width))
    later.encode([QUESTION], kind="query")
    passes = encoder.passes
    kept = later.score([Pair(QUESTION, RECORD)])
    assert encoder.passes == passes
    assert kept == pytest.approx(TokenEncoder(encoder, head).score([Pair(QUESTION, RECORD)]), abs=0.02)


def test_what_is_forgotten_is_encoded_again_and_scores_the_same(encoder: Counting) -> None:
    head = random_head(encoder.dim)
    pairs = [Pair(f"what is {n}?", f"{n} is") for n in range(9)]
    roomy, narrow = TokenEncoder(encoder, head), TokenEncoder(encoder, head, remembered=2)
    assert narrow.score(pairs) == pytest.approx(roomy.score(pairs), abs=0.02)
    assert narrow.score(pairs[:1]) == pytest.approx(roomy.score(pairs[:1]), abs=0.02)


def test_what_stands_before_the_asking_sentence_is_not_read(encoder: Counting) -> None:
    reader = TokenEncoder(encoder, random_head(encoder.dim))
    text = f"x y z. {QUESTION}"
    whole, part = reader.score([Pair(text, RECORD), Pair(text, RECORD, start=7)])
    assert whole != part


def test_a_text_without_tokens_is_no_error(encoder: Counting) -> None:
    reader = TokenEncoder(encoder, random_head(encoder.dim))
    assert len(reader.score([Pair("", RECORD), Pair(QUESTION, "")])) == 2
