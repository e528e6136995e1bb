"""The bank of known topics: what question and record stand by, near misses apart, and the same answer alone as in a batch."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag_edit.core.digest import digest_bytes
from rag_edit.core.errors import ModelMissingError
from rag_edit.lm.scope_model import MODEL_DIRECTORY, open_scope_model
from rag_edit.lm.topic_bank import FILE, TopicBank, TopicReader
from rag_edit.scope.training.bank import wordings, write_bank
from rag_edit.scope.training.topics import Family, Topic

FAMILIES = (
    Family(
        "limits",
        (
            Topic("town", {"en": ("town limit[ in {place}]", "speed in town"), "de": ("Tempo in der Stadt",)}),
            Topic("town with a trailer", {"en": ("town limit with a trailer", "trailer in town {year}")}),
            Topic("vat", {"en": ("vat rate", "rate of vat")}),
        ),
    ),
)
WORDS = sorted({word for _, text in wordings(FAMILIES) for word in text.split()})


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return (n, words) unit vectors: which words stand in a text."""
    counts = np.array([[float(word in text.split()) for word in WORDS] for text in texts], np.float32) + 1e-3
    found: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    return found


def bank_in(directory: Path) -> TopicBank:
    write_bank(FAMILIES, embed, directory / FILE, dims=8)
    bank = TopicBank.open(directory)
    assert bank is not None
    return bank


def test_a_wording_stands_without_place_where_it_can_and_with_one_where_it_must() -> None:
    assert list(wordings(FAMILIES)) == [
        *(("town", text) for text in ("town limit", "speed in town", "Tempo in der Stadt")),
        *(("town with a trailer", text) for text in ("town limit with a trailer", "trailer in town 2024")),
        *(("vat", text) for text in ("vat rate", "rate of vat")),
    ]


def test_a_question_agrees_with_the_record_of_its_topic_and_not_with_a_near_miss(tmp_path: Path) -> None:
    read = TopicReader(embed, bank_in(tmp_path))
    same, miss, far = read(
        [("speed in town", "town limit"), ("town limit with a trailer", "town limit"), ("vat rate", "town limit")]
    )
    assert same > 0.9
    assert 0.5 > miss >= far


def test_a_text_agrees_with_itself_wholly_also_where_it_stands_nowhere_in_particular(tmp_path: Path) -> None:
    read = TopicReader(embed, bank_in(tmp_path))
    assert read([("in a", "in a"), ("town limit", "town limit"), ("vat", "vat")]) == [1.0, 1.0, 1.0]


def test_a_text_stands_nearest_to_the_topic_of_its_own_wording(tmp_path: Path) -> None:
    rows = list(wordings(FAMILIES))
    likeness = bank_in(tmp_path).likeness(embed([text for _, text in rows]))
    names = sorted({name for name, _ in rows})
    assert likeness.shape == (len(rows), len(names))
    assert [names[n] for n in likeness.argmax(1)] == [name for name, _ in rows]


def test_a_pair_says_alone_what_it_says_in_a_batch(tmp_path: Path) -> None:
    bank = bank_in(tmp_path)
    pairs = [(left, right) for _, left in wordings(FAMILIES) for _, right in wordings(FAMILIES)]
    assert TopicReader(embed, bank)(pairs) == [TopicReader(embed, bank)([pair])[0] for pair in pairs]


def test_a_records_wording_is_read_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def counting(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        return embed(texts)

    read = TopicReader(counting, bank_in(tmp_path))
    for question in ("speed in town", "vat rate"):
        read([(question, "town limit")])
    assert asked == ["speed in town", "town limit", "vat rate"]
    assert read([]) == []


def test_a_folder_without_a_bank_has_none_and_a_bank_is_named_by_its_bytes(tmp_path: Path) -> None:
    assert TopicBank.open(tmp_path) is None
    bank = bank_in(tmp_path)
    assert bank.digest == digest_bytes((tmp_path / FILE).read_bytes())


@pytest.mark.parametrize("broken", ["topics.safetensors", "head.safetensors"])
def test_a_broken_file_of_the_model_is_named_with_what_to_run_next(tmp_path: Path, broken: str) -> None:
    shutil.copytree(MODEL_DIRECTORY / "e5", tmp_path / "e5")
    (tmp_path / "e5" / broken).write_bytes(b"cut off")
    with pytest.raises(ModelMissingError) as found:
        open_scope_model("e5", tmp_path / "cache", None, tmp_path)
    assert str(tmp_path / "e5") in str(found.value)
    assert "rag-edit doctor" in str(found.value)


@pytest.mark.parametrize("encoder", ["e5"])
def test_the_shipped_bank_holds_every_topic_that_is_written(encoder: str) -> None:
    from rag_edit.scope.training.topics import all_families

    bank = TopicBank.open(MODEL_DIRECTORY / encoder)
    assert bank is not None
    names = {name for name, _ in wordings(all_families())}
    assert bank.likeness(np.ones((1, 384), np.float32)).shape == (1, len(names))
