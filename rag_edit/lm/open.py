"""Specs to models: the words of a setting (``minilm``, a directory, a URL) to an open encoder or language model.

Two open tables, so that a new kind is a line. Nothing is downloaded: packaged weights are found, converted once where their
format needs it, and cached under the directory given.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from rag_edit.core.errors import ConfigError
from rag_edit.lm import packages
from rag_edit.lm.encoder import EncoderProtocol, TransformerEncoder
from rag_edit.lm.model import LanguageModel
from rag_edit.lm.secret import Secret

Notice: TypeAlias = Callable[[str], None]

_NO_KEY: Final = Secret("")
_URL: Final = re.compile(r"(?P<url>https?://[^\s#]+)(?:#(?P<model>.+))?")


def _silent(_: str) -> None:
    """Say nothing."""


def _minilm(cache: Path, _: Notice) -> EncoderProtocol:
    return TransformerEncoder(packages.MINILM.locate()[0], cache=cache)


def _smollm2(cache: Path, notice: Notice, threads: int | None) -> LanguageModel:
    return _from_gguf(packages.SMOLLM2.locate()[0], cache, notice, threads, name="SmolLM2-135M-Instruct")


def _gemma3_270m(cache: Path, notice: Notice, threads: int | None) -> LanguageModel:
    from rag_edit.lm.gguf import joined_file

    path = joined_file(packages.GEMMA3_270M.locate(), "gemma-3-270m-q4_k_m.gguf", packages.GEMMA3_270M_DIGEST, cache)
    return _from_gguf(path, cache, notice, threads, name="gemma-3-270m")


def _from_gguf(path: Path, cache: Path, notice: Notice, threads: int | None, name: str) -> LanguageModel:
    from rag_edit.lm.gguf import converted_directory
    from rag_edit.lm.local import LocalModel

    return LocalModel(converted_directory(path, cache, notice=notice), cache=cache, name=name, threads=threads)


def _e5(cache: Path, notice: Notice) -> EncoderProtocol:
    from rag_edit.lm.e5 import e5_directory

    # questions are compared with questions: one prefix for both, as the model card asks for symmetric tasks
    directory = e5_directory(packages.E5.locate()[0], cache, notice=notice)
    return TransformerEncoder(directory, cache=cache, query_prefix="query: ", record_prefix="query: ")


_ENCODERS: Final[Mapping[str, Callable[[Path, Notice], EncoderProtocol]]] = {"minilm": _minilm, "e5": _e5}
_MODELS: Final[Mapping[str, Callable[[Path, Notice, int | None], LanguageModel]]] = {
    "smollm2": _smollm2,
    "gemma3-270m": _gemma3_270m,
}


def open_encoder(
    spec: str, cache: Path, *, api_key: Secret = _NO_KEY, notice: Notice = _silent, verify: bool = False
) -> EncoderProtocol:
    """Open an encoder.

    Args:
        spec: ``minilm``, ``e5``, a sentence-transformers directory, or ``URL#model`` of an OpenAI-compatible server.
        cache: Where converted weights and digests are kept.
        api_key: For a server.
        notice: Told, in words, when something takes long.
        verify: Read a directory's digests afresh.

    Raises:
        ConfigError: the spec is none of these.
        ModelMissingError, MissingExtraError: something is not installed; the hint installs it.
        UpstreamError: the server does not answer.
    """
    if spec in _ENCODERS:
        return _ENCODERS[spec](cache, notice)
    if found := _URL.fullmatch(spec):
        from rag_edit.lm.remote import UpstreamEncoder

        return UpstreamEncoder(found["url"], _model_of(spec, found), api_key=api_key)
    path = Path(spec).expanduser()
    if path.is_dir():
        return TransformerEncoder(path, cache=cache, verify=verify)
    raise ConfigError(f"encoder: wanted {', '.join(sorted(_ENCODERS))}, a directory or URL#model, found {spec!r}")


def open_model(
    spec: str, cache: Path, *, api_key: Secret = _NO_KEY, notice: Notice = _silent, threads: int | None = None
) -> LanguageModel:
    """Open a language model.

    Args:
        spec: ``smollm2``, ``gemma3-270m``, a transformers directory, a ``.gguf`` file, or ``URL#model``.
        cache: Where converted weights and digests are kept.
        api_key: For a server.
        notice: Told, in words, when something takes long.
        threads: Threads for torch in this whole process; None leaves them as they are.

    Raises:
        ConfigError: the spec is none of these.
        ModelMissingError, MissingExtraError: something is not installed; the hint installs it.
        UnreadableModelError: the files are not a model that can be read.
    """
    if spec in _MODELS:
        return _MODELS[spec](cache, notice, threads)
    if found := _URL.fullmatch(spec):
        from rag_edit.lm.remote import UpstreamModel

        return UpstreamModel(found["url"], _model_of(spec, found), api_key=api_key)
    path = Path(spec).expanduser()
    if path.suffix == ".gguf":
        return _from_gguf(path, cache, notice, threads, name=path.stem)
    if path.is_dir():
        from rag_edit.lm.local import LocalModel

        return LocalModel(path, cache=cache, threads=threads)
    raise ConfigError(f"model: wanted {', '.join(sorted(_MODELS))}, a directory, a .gguf file or URL#model, found {spec!r}")


def _model_of(spec: str, found: re.Match[str]) -> str:
    if not found["model"]:
        raise ConfigError(f"wanted URL#model, found no model in {spec!r}", hint=f"{found['url']}#NAME")
    return found["model"]
