"""Writing the artefact: float weights to int8 rows, the tokenizer, the manifest with digests and figures."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file


def quantise_rows(tensor: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 rows (rows, columns) and the scale (rows,) that widens each: ``row * scale``, error at most scale / 2."""
    scale = np.maximum(np.abs(tensor).max(axis=1), 1e-8) / 127.0
    return np.round(tensor / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def write_weights(source: Path, target: Path) -> None:
    """Write ``model.safetensors`` and ``tokenizer.json`` of the float folder ``source`` into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    stored: dict[str, NDArray[Any]] = {}
    for name, tensor in load_file(source / "model.safetensors").items():
        if name.endswith("position_ids"):
            continue
        if name.endswith("position_embeddings.weight"):
            stored[name] = tensor[:128].astype(np.float16)
        elif tensor.ndim == 2 and tensor.size > 4096:
            stored[name], stored[f"{name}.scale"] = quantise_rows(tensor.astype(np.float32))
        else:
            stored[name] = tensor.astype(np.float32)
    save_file(stored, target / "model.safetensors")
    shutil.copyfile(source / "tokenizer.json", target / "tokenizer.json")


def digest(path: Path) -> str:
    """Return the tagged digest of a file's bytes."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def write_manifest(target: Path, body: dict[str, Any]) -> None:
    """Write ``manifest.json`` with the digests of the files beside it added; keys sorted, one form."""
    names = ("model.safetensors", "tokenizer.json")
    whole = {
        **body,
        "files": {
            n: {"digest": digest(target / n), "bytes": (target / n).stat().st_size} for n in names if (target / n).exists()
        },
    }
    (target / "manifest.json").write_text(json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
