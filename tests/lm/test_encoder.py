import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.errors import ModelMissingError
from rag_edit.lm.encoder import TransformerEncoder, read_settings
from rag_edit.lm.errors import UnreadableModelError
from tests.lm.tiny import bert_config, write_encoder

TEXTS = ["what is a", "b", "", "c d e f g h i j", "what is a", "what is 1 2 3?"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture(scope="module")
def encoder(directory: Path, cache: Path) -> TransformerEncoder:
    return TransformerEncoder(directory, cache=cache)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([*TEXTS, "x y z", "é", "\ud800", "a " * 40]), max_size=12))
def test_a_text_has_one_vector_whatever_is_encoded_beside_it(encoder: TransformerEncoder, texts: list[str]) -> None:
    together = encoder.encode(texts, kind="record")
    assert together.shape == (len(texts), encoder.dim)
    for row, text in enumerate(texts):
        np.testing.assert_allclose(together[row], encoder.encode([text], kind="record")[0], atol=1e-5)


def test_means_hold_a_middle_layer_and_the_last_one_whatever_is_read_beside_a_text(encoder: TransformerEncoder) -> None:
    means = encoder.encode_means(TEXTS, 1)
    assert means.shape == (len(TEXTS), 2 * encoder.dim)
    last = means[:, encoder.dim :]
    vectors = encoder.encode(TEXTS, kind="query")
    np.testing.assert_allclose(last / np.linalg.norm(last, axis=1, keepdims=True), vectors, atol=1e-5)
    for row, text in enumerate(TEXTS):
        np.testing.assert_allclose(means[row], encoder.encode_means([text], 1)[0], atol=1e-5)
    assert encoder.encode_means([], 1).shape == (0, 2 * encoder.dim)


def test_progress_counts_every_text_once_repeats_included(encoder: TransformerEncoder) -> None:
    done: list[int] = []
    encoder.encode(TEXTS * 3, kind="record", progress=done.append)
    assert sum(done) == len(TEXTS) * 3


def test_batches_side_by_side_give_what_one_after_another_gives(directory: Path, cache: Path) -> None:
    texts = [" ".join("abcdefghijklmn"[: 1 + n % 13]) + f" {n % 10} {n // 10}" for n in range(200)]
    one, many = (TransformerEncoder(directory, cache=cache, threads=threads).encode(texts, kind="record") for threads in (1, 4))
    np.testing.assert_array_equal(one, many)


def test_a_text_is_cut_at_the_length_limit(encoder: TransformerEncoder) -> None:
    fits = " ".join("abcdefghijklmn")  # 14 words and two special tokens
    longer = encoder.encode([fits, f"{fits} o", f"{fits} o p q"], kind="query")
    np.testing.assert_allclose(longer[1:], longer[[0, 0]], atol=1e-5)
    assert encoder.count_tokens([fits + " o"]) == 16


def test_padding_and_truncation_of_the_tokenizer_file_are_not_obeyed(encoder: TransformerEncoder) -> None:
    assert encoder.count_tokens(["a"]) == 3
    assert encoder.count_tokens(["a b c d e f"]) == 8


def test_a_prefix_is_put_before_the_texts_of_its_kind_and_named_in_the_digest(
    directory: Path, cache: Path, encoder: TransformerEncoder
) -> None:
    prefixed = TransformerEncoder(directory, cache=cache, query_prefix="query: ")
    np.testing.assert_array_equal(prefixed.encode(["a"], kind="query"), encoder.encode(["query: a"], kind="query"))
    np.testing.assert_array_equal(prefixed.encode(["a"], kind="record"), encoder.encode(["a"], kind="record"))
    assert prefixed.digest != encoder.digest


def test_the_digest_feels_weights_pooling_and_limit_and_nothing_else(tmp_path: Path, cache: Path) -> None:
    def digest(name: str, **changes: object) -> str:
        return TransformerEncoder(write_encoder(tmp_path / name, **changes), cache=cache).digest  # type: ignore[arg-type]

    first = digest("one")
    assert digest("same") == first
    assert len({first, digest("seed", seed=1), digest("cls", pooling="cls_token"), digest("limit", limit=8)}) == 4


def test_first_token_pooling_takes_the_first_token(tmp_path: Path, cache: Path, encoder: TransformerEncoder) -> None:
    first = TransformerEncoder(write_encoder(tmp_path / "cls", pooling="cls_token"), cache=cache)
    state = encoder._run([encoder._tokenizer.encode("what is a").ids])[0][0, 0]
    np.testing.assert_allclose(first.encode(["what is a"], kind="query")[0], state / np.linalg.norm(state), atol=1e-6)


@pytest.mark.parametrize("lost", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, cache: Path, lost: str) -> None:
    directory = write_encoder(tmp_path / "e")
    (directory / lost).unlink()
    with pytest.raises(ModelMissingError, match=lost):
        TransformerEncoder(directory, cache=cache)


@pytest.mark.parametrize("name", ["modules.json", "config.json"])
def test_a_file_that_is_no_json_is_named(tmp_path: Path, cache: Path, name: str) -> None:
    directory = write_encoder(tmp_path / "e")
    (directory / name).write_text("{", encoding="utf-8")
    with pytest.raises(UnreadableModelError, match=name):
        TransformerEncoder(directory, cache=cache)


REFUSED = {
    "a dense layer": ("modules.json", [{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}], "Dense"),
    "a transformer elsewhere": ("modules.json", [{"type": "x.Transformer", "path": "0_T"}], "0_T"),
    "maximum pooling": ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "max_tokens"),
    "two poolings": ("1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, "cls_token"),
    "no pooling": ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False}, "none"),
}


@pytest.mark.parametrize("name,content,words", REFUSED.values(), ids=REFUSED)
def test_what_is_not_supported_is_refused(tmp_path: Path, name: str, content: object, words: str) -> None:
    directory = write_encoder(tmp_path / "e")
    (directory / name).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UnreadableModelError, match=words):
        read_settings(directory, bert_config())


def test_prompts_of_the_directory_are_its_prefixes(tmp_path: Path) -> None:
    directory = write_encoder(tmp_path / "e")
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}}
    (directory / "config_sentence_transformers.json").write_text(json.dumps(prompts), encoding="utf-8")
    own = read_settings(directory, bert_config())
    given_ones = read_settings(directory, bert_config(), query_prefix="", record_prefix="q: ")
    assert (own.query_prefix, own.record_prefix) == ("query: ", "passage: ")
    assert (given_ones.query_prefix, given_ones.record_prefix) == ("", "q: ")


def test_the_newer_spelling_of_pooling_is_read(tmp_path: Path) -> None:
    directory = write_encoder(tmp_path / "e")
    (directory / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}', encoding="utf-8")
    assert read_settings(directory, bert_config()).pooling == "cls"
