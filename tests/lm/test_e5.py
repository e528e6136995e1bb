"""The reader of the packed file, on a file of its layout that is written here."""

import struct
from pathlib import Path

import numpy as np
import pytest

from rag_edit.lm.e5 import convert, e5_directory
from rag_edit.lm.encoder import TransformerEncoder
from rag_edit.lm.errors import UnreadableModelError
from rag_edit.lm.open import open_encoder

HIDDEN, LAYERS, FF, POSITIONS = 32, 1, 64, 20
PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0), ("▁a", -2.0), ("b", -4.0), ("a", -5.0)]
SQUARE = ("q", "k", "v", "ao")


def blocks(rng: np.random.Generator, rows: int, columns: int) -> tuple[bytes, np.ndarray]:
    made = np.zeros(rows * columns // 32, dtype=[("scale", "<f2"), ("halves", "u1", (16,))])
    made["scale"] = rng.uniform(0.01, 0.1, size=len(made)).astype(np.float16)
    made["halves"] = rng.integers(0, 256, size=(len(made), 16))
    wide = np.empty((len(made), 32), dtype=np.float32)
    for at, block in enumerate(made):
        for j in range(16):
            wide[at, j] = (int(block["halves"][j]) % 16 - 8) * np.float32(block["scale"])
            wide[at, j + 16] = (int(block["halves"][j]) // 16 - 8) * np.float32(block["scale"])
    return made.tobytes(), wide.reshape(rows, columns)


def packed(
    path: Path, *, magic: bytes = b"E5S1", block: int = 32, lose: str = "", normal: tuple[str, str] = ("\t", " ")
) -> dict:
    rng = np.random.default_rng(0)
    tensors: list[tuple[str, int, int, bytes]] = []
    wanted: dict[str, np.ndarray] = {}

    def quantised(name: str, rows: int, columns: int) -> None:
        data, wanted[name] = blocks(rng, rows, columns)
        tensors.append((name, 1, rows * columns, data))

    def whole(name: str, *shape: int) -> None:
        wanted[name] = rng.normal(size=shape).astype(np.float32)
        tensors.append((name, 0, wanted[name].size, wanted[name].tobytes()))

    quantised("emb.word", len(PIECES), HIDDEN)
    whole("emb.pos", POSITIONS, HIDDEN)
    whole("emb.type", 2, HIDDEN)
    for name in ("emb.ln.w", "emb.ln.b"):
        whole(name, HIDDEN)
    for name in SQUARE:
        quantised(f"l0.{name}.w", HIDDEN, HIDDEN)
        whole(f"l0.{name}.b", HIDDEN)
    quantised("l0.fi.w", FF, HIDDEN)
    whole("l0.fi.b", FF)
    quantised("l0.fo.w", HIDDEN, FF)
    whole("l0.fo.b", HIDDEN)
    for name in ("aln", "oln"):
        whole(f"l0.{name}.w", HIDDEN)
        whole(f"l0.{name}.b", HIDDEN)
    tensors = [entry for entry in tensors if entry[0] != lose]

    words = [piece.encode() for piece, _ in PIECES]
    head = magic + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, 2, FF, len(PIECES), POSITIONS, 2, 1e-12, block)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, words)))
    head += np.cumsum([0, *map(len, words)]).astype("<u4").tobytes()
    head += np.array([score for _, score in PIECES], dtype="<f4").tobytes() + b"".join(words)
    entry = struct.pack("<IB", ord(normal[0]), len(normal[1])) + b"".join(struct.pack("<I", ord(c)) for c in normal[1])
    head += struct.pack("<iI", 1, len(entry)) + entry
    head += struct.pack("<i", len(tensors))
    at = len(head) + sum(2 + len(name) + 21 for name, *_ in tensors)
    for name, kind, size, data in tensors:
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, size, at, len(data))
        at += len(data)
    path.write_bytes(head + b"".join(data for *_, data in tensors))
    return wanted


def test_weights_are_widened_under_berts_names(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    wanted = packed(tmp_path / "p.bin")
    found = load_file(e5_directory(tmp_path / "p.bin", tmp_path / "cache") / "model.safetensors")
    assert len(found) == len(wanted)
    np.testing.assert_array_equal(found["embeddings.word_embeddings.weight"], wanted["emb.word"])
    np.testing.assert_array_equal(found["encoder.layer.0.output.dense.weight"], wanted["l0.fo.w"])
    np.testing.assert_array_equal(found["encoder.layer.0.attention.output.LayerNorm.bias"], wanted["l0.aln.b"])


def test_the_directory_is_an_encoder(tmp_path: Path) -> None:
    packed(tmp_path / "p.bin")
    directory = e5_directory(tmp_path / "p.bin", tmp_path / "cache")
    encoder = open_encoder(str(directory), tmp_path / "cache")
    assert isinstance(encoder, TransformerEncoder)
    assert encoder.encode(["a", "b"], kind="query").shape == (2, HIDDEN)
    assert (encoder.settings.query_prefix, encoder.settings.record_prefix) == ("query: ", "passage: ")
    assert encoder.settings.max_tokens == POSITIONS


@pytest.mark.parametrize(
    "text,tokens",
    [
        ("a", ["▁a"]),
        ("ab", ["▁a", "b"]),
        ("b  a", ["▁", "b", "▁a"]),
        ("b\ta", ["▁", "b", "▁a"]),
        ("ａ", ["▁a"]),
        ("z", ["▁", "z"]),
    ],
    ids=["one piece", "two pieces", "spaces are one", "the file's own normaliser", "full width", "unknown"],
)
def test_text_is_split_as_the_vocabulary_says(tmp_path: Path, text: str, tokens: list[str]) -> None:
    from tokenizers import Tokenizer

    packed(tmp_path / "p.bin")
    found = Tokenizer.from_file(str(e5_directory(tmp_path / "p.bin", tmp_path / "cache") / "tokenizer.json")).encode(text)
    assert found.tokens == ["<s>", *tokens, "</s>"]


FAULTS = {
    "another magic": {"magic": b"GGUF"},
    "other blocks": {"block": 64},
    "a tensor lost": {"lose": "l0.k.w"},
    "an unknown normaliser": {"normal": ("x", "y")},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_another_layout_is_refused(tmp_path: Path, fault: dict) -> None:
    packed(tmp_path / "p.bin", **fault)
    with pytest.raises(UnreadableModelError):
        convert(tmp_path / "p.bin", tmp_path)


@pytest.mark.parametrize("cut", [3, 40, 500, 3000])
def test_a_file_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    packed(tmp_path / "p.bin")
    data = (tmp_path / "p.bin").read_bytes()
    (tmp_path / "p.bin").write_bytes(data[:cut])
    with pytest.raises(UnreadableModelError):
        convert(tmp_path / "p.bin", tmp_path)
