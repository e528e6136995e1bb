"""rag_edit: change what a language model says by updating a record, without touching the model.

    import rag_edit
    with rag_edit.open("my-home") as deployment:
        print(deployment.ask("What is the standard VAT rate?", jurisdiction="DE").answer.text)

`open` opens a home; `wrap` puts the same layer round a transformers pipeline or any callable. Nothing heavy is imported
before one of them is called.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_edit.deployment import Deployment

__all__ = ["open", "wrap"]


def open(home: str | Path, *, create: bool = False) -> "Deployment":  # noqa: A001 - reads as rag_edit.open(home)
    """Open the home at ``home``; with ``create``, make it first where there is none.

    Raises:
        RagEditError: no such home, held by another process, or unsound; the message says what to do.
    """
    from rag_edit.deployment import Deployment

    return Deployment.open(Path(home), create=create)


def wrap(chatbot: Callable[..., Any], *, home: str | Path, jurisdiction: str) -> Callable[..., Any]:
    """Put the layer round ``chatbot``: a transformers text-generation pipeline, or any callable from text to text.

    A question in a record's scope is answered by the record, in the shape that ``chatbot`` returns; every other call goes
    to ``chatbot`` with its arguments untouched.
    """
    from rag_edit.wrapping import Wrapped

    return Wrapped(chatbot, open(home), jurisdiction)
