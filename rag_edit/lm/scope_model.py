"""The shipped scope model: for each encoder that it was trained on, a joint head, the last stage and a manifest of figures.

A folder an encoder under ``rag_edit/scope/model``: ``head.safetensors`` and ``head.json`` (`lm.joint_head`), ``update.safetensors``
where the encoder was trained on with it (`lm.low_rank`), ``topics.safetensors`` (`lm.topic_bank`), ``doubts.safetensors`` and ``doubts.json`` (`lm.doubt_probe`), ``manifest.json`` (what they were trained and calibrated on, digests, figures).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.errors import ModelMissingError
from rag_edit.lm.doubt_probe import DoubtProbe, DoubtReader
from rag_edit.lm.encoder import TransformerEncoder
from rag_edit.lm.joint_head import JointHead
from rag_edit.lm.open import FLOAT_OF, open_encoder
from rag_edit.lm.packages import SHIPPED
from rag_edit.lm.token_encoder import REMEMBERED, TokenEncoder
from rag_edit.lm.token_file import TokenFile
from rag_edit.lm.topic_bank import TopicBank, TopicReader

MODEL_DIRECTORY: Final = SHIPPED


def trained_encoders(directory: Path = MODEL_DIRECTORY) -> tuple[str, ...]:
    """Return the encoders, as settings name them, that a head was trained on."""
    return tuple(sorted(path.parent.name for path in directory.glob("*/manifest.json")))


def trained_on(encoder: str) -> str:
    """Return the encoder whose head reads ``encoder``'s states: itself, or for one in int8 the same in float32."""
    return FLOAT_OF.get(encoder, encoder)


def read_manifest(encoder: str, directory: Path = MODEL_DIRECTORY) -> dict[str, Any]:
    """Return the manifest of an encoder's head: digests, seeds, figures, coefficients and thresholds.

    Raises:
        ModelMissingError: no head was trained on this encoder, or its manifest cannot be read.
    """
    path = directory / trained_on(encoder) / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelMissingError(f"the scope model of encoder {encoder}", [str(path)], hint="rag-edit doctor") from error
    return manifest


@dataclass(frozen=True, slots=True)
class ScopeModel:
    """The opened scope model of one encoder.

    Attributes:
        reader: The encoder, which scores pairs too.
        topics: How far a question and a record stand for the same known topics, 0 to 1; None where the model knows none.
        manifest: Figures, weights of the last stage, thresholds.
        artefact: The name of head, topics and last stage together.
        doubts: Tells turns that doubt an answer; None where nobody was trained to on this encoder.
    """

    reader: TokenEncoder
    topics: Callable[[Sequence[tuple[str, str]]], Sequence[float]] | None
    manifest: Mapping[str, Any]
    artefact: Digest
    doubts: DoubtReader | None = None


def open_scope_model(encoder: str, cache: Path, tokens: Path | None, directory: Path = MODEL_DIRECTORY) -> ScopeModel:
    """Return the scope model of an encoder.

    Args:
        encoder: One of `trained_encoders`, or its int8 form.
        cache: Where converted weights and digests are kept.
        tokens: Folder for the token states of records, one below it for each encoder and head; None keeps them in memory only.
        directory: Of the shipped model.

    Raises:
        ModelMissingError: weights or head are not there.
    """
    from safetensors import SafetensorError

    manifest = read_manifest(encoder, directory)
    try:
        head = JointHead.open(directory / trained_on(encoder))
        bank = TopicBank.open(directory / trained_on(encoder))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelMissingError(
            f"joint head and topics of encoder {encoder}", [str(directory / trained_on(encoder))], hint="rag-edit doctor"
        ) from error
    reader = open_reader(encoder, cache, head, tokens, directory=directory)
    try:
        probe = DoubtProbe.open(directory / trained_on(encoder), reader.digest)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelMissingError(
            f"the reader of doubts of encoder {encoder}", [str(directory / trained_on(encoder))], hint="rag-edit doctor"
        ) from error
    parts = {"head": head.digest, "pair": manifest["pair"], "last": json.dumps(manifest["calibration"], sort_keys=True)}
    artefact = digest_json(parts if bank is None else {**parts, "topics": bank.digest})
    return ScopeModel(
        reader,
        TopicReader(reader.vectors, bank) if bank is not None else None,
        manifest,
        artefact,
        DoubtReader(reader.means, probe) if probe is not None else None,
    )


def open_reader(
    encoder: str,
    cache: Path,
    head: JointHead,
    tokens: Path | None = None,
    *,
    remembered: int = REMEMBERED,
    directory: Path = MODEL_DIRECTORY,
) -> TokenEncoder:
    """Return an encoder that scores pairs by ``head``; see `open_scope_model` and `TokenEncoder`.

    Raises:
        ModelMissingError: its weights are not there.
    """
    opened = open_encoder(encoder, cache, shipped=directory)
    if not isinstance(opened, TransformerEncoder):
        raise ModelMissingError(f"an encoder {encoder} on this machine", [type(opened).__name__], hint="rag-edit doctor")
    name = digest_json({"encoder": opened.digest, "head": head.digest})
    file = TokenFile(tokens / name.removeprefix("sha256:")[:12], head.width) if tokens is not None else None
    return TokenEncoder(opened, head, file, remembered=remembered)
