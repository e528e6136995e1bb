"""A GGUF file to a transformers directory, once: what takes half a minute to read is kept as safetensors.

The directory is named by the file's digest and the version of this conversion, is written aside and renamed into place,
and is trusted only when its own list of sizes holds; two processes that convert at once end with one directory. Weights are
dequantised to float32, so nothing is lost twice. Reading is transformers' own; knows nothing about generation.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, Final

from rag_edit.core.digest import Digest, digest_file
from rag_edit.core.errors import MissingExtraError, ModelMissingError
from rag_edit.lm.converted import convert_once
from rag_edit.lm.digests import file_digest
from rag_edit.lm.errors import UnreadableModelError

CONVERTER: Final = "gguf-1"  # raise it when a conversion would write other bytes


def converted_directory(gguf: Path, cache: Path, *, notice: Callable[[str], None] | None = None) -> Path:
    """Return the transformers directory made from ``gguf``, converting it the first time.

    Args:
        gguf: The file.
        cache: Directory under which ``models/`` is kept.
        notice: Told, in words, when a conversion starts.

    Raises:
        ModelMissingError: no such file.
        MissingExtraError: torch, transformers or gguf is not installed.
        UnreadableModelError: the file is not a GGUF of an architecture that transformers knows.
    """
    if not gguf.is_file():
        raise ModelMissingError("a GGUF model", [str(gguf)], hint="check the path in the settings")
    digest = file_digest(gguf, cache)
    name = f"{digest.removeprefix('sha256:')[:12]}-{CONVERTER}"
    return convert_once(
        cache / "models" / name,
        {"source": digest, "converter": CONVERTER},
        lambda target: _convert(gguf, target),
        before=lambda: notice(f"converting {gguf.name} once, about half a minute") if notice else None,
    )


def joined_file(parts: Sequence[Path], name: str, digest: Digest, cache: Path) -> Path:
    """Return one file made of ``parts``, joined the first time.

    Raises:
        UnreadableModelError: the whole has not the digest wanted.
    """

    def join(target: Path) -> None:
        with (target / name).open("wb") as whole:
            for part in parts:
                with part.open("rb") as piece:
                    shutil.copyfileobj(piece, whole, 1 << 20)
        if (found := digest_file(target / name)) != digest:
            raise UnreadableModelError(parts[0], digest, found)

    return convert_once(cache / "models" / f"{digest.removeprefix('sha256:')[:12]}-joined", {"source": digest}, join) / name


def _convert(gguf: Path, target: Path) -> None:
    from rag_edit.lm.transformers_import import quiet_transformers

    transformers = quiet_transformers()
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise MissingExtraError("gguf", "lm") from error
    import torch
    from safetensors.torch import save_file
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    place: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    try:
        config = transformers.AutoConfig.from_pretrained(gguf.parent, **place)
        tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, config=config, **place)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        with redirect_stderr(StringIO()):  # a progress bar that cannot be turned off
            tensors = load_gguf_checkpoint(str(gguf), return_tensors=True, model_to_load=model)["tensors"]
        _restore_pre_tokenizer(GGUFReader(gguf), tokenizer)
    except (ValueError, KeyError, OSError, IndexError, TypeError) as error:
        raise UnreadableModelError(gguf, "a GGUF language model that transformers can read", _first_line(error)) from error
    wanted = {name: parameter.shape for name, parameter in model.named_parameters()}  # a tied head is not named twice
    found = {name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items() if name in wanted}
    wrong = [name for name, shape in wanted.items() if name not in found or found[name].shape != shape]
    if wrong:
        raise UnreadableModelError(
            gguf, f"tensors of {config.model_type}", f"{len(wrong)} missing or misshapen, first {wrong[0]}"
        )
    save_file(found, target / "model.safetensors", metadata={"format": "pt"})
    config.architectures = [type(model).__name__]
    config.dtype = torch.float32
    config.save_pretrained(target)
    tokenizer.save_pretrained(target)
    os.sync()


def _restore_pre_tokenizer(reader: Any, tokenizer: Any) -> None:
    """Put back the splitting of digits that the file names and transformers' reader of GGUF leaves out.

    Source: llama.cpp, ``llama-vocab.cpp``: the pre-tokenizer ``smollm`` splits every digit off, then as GPT-2.
    """
    from tokenizers import pre_tokenizers

    field = reader.get_field("tokenizer.ggml.pre")
    if field is not None and field.contents() == "smollm":
        own = tokenizer.backend_tokenizer
        own.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), own.pre_tokenizer])


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}"
