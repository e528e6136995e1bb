"""Adapters behind an upstream that loads LoRA adapters while it runs: put where it looks, loaded once, addressed by name.

An adapter goes only to a server whose configuration names the digest of the very base model that it was made for. Its name holds its
own digest, so that another content is another adapter. What the server writes with it is checked like every text; where it does not
load, answer or hold, the record's own words are served. Called from another thread than the event loop's.

Source: vLLM, "LoRA adapters", dynamic serving: ``POST /v1/load_lora_adapter``.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag_edit.adapting import ADAPTERS_NAME, handed_over
from rag_edit.core.decision import Message
from rag_edit.core.errors import RagEditError
from rag_edit.core.record import Record, RecordVersion
from rag_edit.gateway import headers as h
from rag_edit.gateway.exchange import JSON
from rag_edit.gateway.passing import Upstream
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.state import LOG
from rag_edit.gateway.writing import Asking, UpstreamChat

LOAD: Final = "/load_lora_adapter"
_MAX_WORDS: Final = 4_096


@dataclass(frozen=True, slots=True)
class UpstreamAdapters:
    """The adapters of a home, over one upstream; behind the seam `rag_edit.answer.grounded.Obey`.

    Attributes:
        upstream: Its ``lora_dir`` is where it looks for adapters, ``lora_base`` the digest of the model that it serves.
        home: Whose adapters.
        credentials: Sent with each request.
        asking: Makes requests.
    """

    upstream: Upstream
    home: Path
    credentials: h.Headers
    asking: Asking

    def constrained(
        self, asked: Sequence[Message], record: Record, accepts: Callable[[str], bool], *, max_new_tokens: int
    ) -> str | None:
        """Return None: a server's decoding is not held from here."""
        del asked, record, accepts, max_new_tokens
        return None

    def adapted(self, asked: Sequence[Message], version: RecordVersion, *, max_new_tokens: int) -> str | None:
        """Return what the server writes with the version's adapter; None where none fits or it does not load."""
        spec = self.upstream.spec
        try:
            with self.upstream.handing:
                name = handed_over(self.home / ADAPTERS_NAME, version, spec.lora_base, Path(spec.lora_dir))
        except (RagEditError, OSError) as error:
            LOG.error("adapter of %s: %s", version.name, error)
            return None
        if name is None or not self._loaded(name):
            return None
        chat = UpstreamChat(self.upstream, name, self.credentials, self.asking)
        for _ in range(2):  # a server that was started anew has forgotten it
            text = chat.chat([asked], max_new_tokens=max_new_tokens)[0].text
            if text:
                return text
            self.upstream.adapters.discard(name)
            if not self._loaded(name):
                return None
        return None

    def _loaded(self, name: str) -> bool:
        """Load an adapter where it is not loaded; return whether it is."""
        if name in self.upstream.adapters:
            return True
        try:
            is_loaded = self.asking.result(self._load(name))
        except (Refusal, TimeoutError, CancelledError):
            return False
        if is_loaded:
            self.upstream.adapters.add(name)
        else:
            LOG.error("upstream %s did not load adapter %s", self.upstream.spec.name, name)
        return is_loaded

    async def _load(self, name: str) -> bool:
        body = json.dumps({"lora_name": name, "lora_path": str(Path(self.upstream.spec.lora_dir) / name)}).encode()
        async with self.upstream.answering("POST", LOAD.encode(), [JSON, *self.credentials], body) as response:
            words = b""
            async for piece in response.aiter_stream():
                words = (words + piece)[:_MAX_WORDS]
        return response.status == 200 or (response.status == 400 and b"already" in words and b"loaded" in words)
