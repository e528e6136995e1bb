"""Specs to models: the words of a setting (``minilm``, a directory, a URL) to an open encoder or language model.

An open table, so that a new kind is a line. Nothing is downloaded: packaged weights are found, converted once where their
format needs it, and cached under the directory given.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rag_edit.core.errors import ConfigError
from rag_edit.lm.encoder import TransformerEncoder
from rag_edit.lm import packages


def _minilm(cache: Path) -> TransformerEncoder:
    return TransformerEncoder(packages.MINILM.locate()[0], cache=cache)


_ENCODERS: Final[Mapping[str, Callable[[Path], TransformerEncoder]]] = {"minilm": _minilm}


def open_encoder(spec: str, cache: Path) -> TransformerEncoder:
    """Open an encoder.

    Args:
        spec: ``minilm``, or a sentence-transformers directory.
        cache: Where converted weights and digests are kept.

    Raises:
        ConfigError: the spec is none of these.
        ModelMissingError: the weights are not installed; the hint installs them.
    """
    if spec in _ENCODERS:
        return _ENCODERS[spec](cache)
    path = Path(spec).expanduser()
    if path.is_dir():
        return TransformerEncoder(path, cache=cache)
    raise ConfigError(f"encoder: wanted {', '.join(sorted(_ENCODERS))}, a directory or a URL, found {spec!r}")
