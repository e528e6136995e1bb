"""What a frozen model wrote before, read back from disk: for a surface that puts the same conversations to it at every run.

A greedy model writes the same words again, so the words of the first run are the words of every run, until anything changes
that changes them: the key names the model, how it is run, the conversation and the length. Every text says that it was read
back. People's questions have no business in a cache: a surface has to ask for this, and only the demo does, whose questions
are published. The file may be deleted at any time; what is spoilt in it is written anew by the model. Knows no framework.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from rag_edit.core.decision import Message
from rag_edit.core.digest import Digest, Json, digest_json
from rag_edit.lm.digests import write_atomically
from rag_edit.lm.model import Completion

MAX_ENTRIES: Final = 256
MAX_CHARS: Final = 10_000
_FORMAT: Final = "rag-edit-remembered-v1"


class Chat(Protocol):
    """The part of a language model whose words are kept."""

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int) -> Sequence[Completion]:
        """Return one assistant turn a conversation, in order."""


class RememberedChat:
    """A `Chat` that asks the model only what it was not asked before."""

    def __init__(self, model: Chat, identity: Callable[[], Digest | None], path: Path) -> None:
        """Wrap ``model``; nothing is read before the first conversation.

        Args:
            model: Who writes; greedy.
            identity: Names everything but the conversation that changes what ``model`` writes; None when that cannot be
                named, and then nothing is kept.
            path: The file, made when there is something to keep.
        """
        self._model, self._identity, self._path = model, identity, path
        self._name: Digest | None = None
        self._held: dict[Digest, Completion] | None = None

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int) -> list[Completion]:
        """Return one assistant turn a conversation, in order; what the model has to write is kept turn by turn.

        Raises:
            ModelError: as the model does. What was written before that is kept.
        """
        if self._held is None:
            self._name = self._identity()
            self._held = {} if self._name is None else _read(self._path)
        held, written = self._held, []
        for turns in conversations:
            key = self._key(turns, max_new_tokens)
            found = held.get(key) if key is not None else None
            if found is None:
                found = self._model.chat([turns], max_new_tokens=max_new_tokens)[0]
                if key is not None and len(found.text) <= MAX_CHARS:
                    held.pop(key, None)
                    held[key] = found
                    _write(self._path, held)
            written.append(found)
        return written

    def _key(self, turns: Sequence[Message], max_new_tokens: int) -> Digest | None:
        if self._name is None:
            return None
        said = [[turn.role, turn.content] for turn in turns]
        with suppress(UnicodeEncodeError):  # half a character: it has no name
            return digest_json({"model": self._name, "max_new_tokens": max_new_tokens, "conversation": said})
        return None


def _read(path: Path) -> dict[Digest, Completion]:
    """Return what is kept, oldest first; nothing where the file is not as it was written."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        document = json.loads(path.read_text(encoding="utf-8"))
        said = document["said"]
        if document["format"] == _FORMAT and document["digest"] == digest_json(said):
            return {key: Completion(text, reason, read, wrote, remembered=True) for key, text, reason, read, wrote in said}
    return {}


def _write(path: Path, held: dict[Digest, Completion]) -> None:
    """Keep the newest entries; a disk that cannot be written costs time, nothing else."""
    for key in list(held)[:-MAX_ENTRIES]:
        del held[key]
    with suppress(OSError, UnicodeEncodeError):
        said: list[Json] = [[key, c.text, c.finish_reason, c.prompt_tokens, c.completion_tokens] for key, c in held.items()]
        document = {"format": _FORMAT, "digest": digest_json(said), "said": said}
        write_atomically(path, json.dumps(document, ensure_ascii=False, indent=0).encode())
