"""The home's own model behind the calls of OpenAI's API: chat, completions, responses, models, embeddings.

It writes greedily, up to the length that the home's settings say, and whole: a stream is the finished text in pieces. Sampling
parameters and lengths of the request are not followed; tools, JSON mode and several answers that differ are refused, since
pretending would be worse. A raw prompt is put as one user turn.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from rag_edit.core.decision import Decision, Query
from rag_edit.engine import Engine
from rag_edit.gateway.asked import Asked
from rag_edit.gateway.exchange import Exchange
from rag_edit.gateway.problems import Refusal, bad_request
from rag_edit.gateway.shapes import Served
from rag_edit.gateway.state import State

MAX_TEXTS: Final = 256
MAX_TEXT_CHARS: Final = 20_000


async def answer_locally(state: State, asked: Asked, query: Query, decision: Decision, exchange: Exchange) -> Served:
    """Return the home's model's answer to a request.

    Raises:
        Refusal: the request wants what the model cannot do.
        RagEditError: the model is not installed or failed.
    """
    if asked.aside is not None or asked.tools:
        raise bad_request(
            "the home's own model takes text and gives text: no tools, formats, images or token lists", code="unsupported"
        )
    if not query.question.strip():
        raise bad_request("wanted a last turn of the user with text", param="messages")
    began = exchange.overhead_ms()
    said = await state.lane.base(query, decision)
    exchange.waited_s += (exchange.overhead_ms() - began) / 1000
    if not said.text and said.note:
        raise bad_request(said.note)
    served = Served(
        exchange.trace_id,
        asked.model or state.model,
        int(state.now_s()),
        said.text,
        asked="\n".join((*(message.content for message in query.messages), query.question)),
        choices=asked.choices,
        with_usage=asked.with_usage,
    )
    return replace(served, echo=asked.echo or {})


def model_list(state: State) -> dict[str, Any]:
    """Return the one model there is, as ``/models`` lists it."""
    return {"object": "list", "data": [model_entry(state)]}


def model_entry(state: State) -> dict[str, Any]:
    """Return the home's model as ``/models/NAME`` shows it."""
    return {"id": state.model, "object": "model", "created": 0, "owned_by": "rag-edit"}


async def embed(state: State, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the home's encoder's vectors as ``/embeddings`` does.

    Raises:
        Refusal: not a text or a list of texts, too many, or of another length.
    """
    given = fields.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise bad_request("wanted a text or a list of texts", param="input")
    if len(texts) > MAX_TEXTS or any(len(text) > MAX_TEXT_CHARS for text in texts):
        raise Refusal(413, "input_too_large", f"wanted at most {MAX_TEXTS} texts of {MAX_TEXT_CHARS} characters", param="input")
    form = fields.get("encoding_format", "float")
    if form not in ("float", "base64"):
        raise bad_request("wanted float or base64", param="encoding_format")
    cleaned = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]

    def encode(engine: Engine) -> Any:
        return engine.embedder.encode(cleaned, kind="query")

    vectors = await state.lane.run(encode)
    if fields.get("dimensions") not in (None, vectors.shape[1]):
        raise bad_request(f"wanted no dimensions, or {vectors.shape[1]}", param="dimensions")
    read = sum(len(text.split()) for text in cleaned)
    return {
        "object": "list",
        "model": fields.get("model") if isinstance(fields.get("model"), str) else state.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": _written(vector, form)} for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": read, "total_tokens": read},
    }


def _written(vector: Any, form: str) -> list[float] | str:
    if form == "base64":
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")
    return [float(x) for x in vector]
