"""Holding a local model's decoding to a record: `rag_edit.lm.decoding` and `rag_edit.lm.adapter` behind the seam of `rag_edit.answer`.

An upstream model gives neither logits nor weights: there both ways say None, and the record's own words are served.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag_edit.core.decision import Message
from rag_edit.core.record import Record, RecordVersion
from rag_edit.lm.model import LanguageModel


@dataclass(frozen=True, slots=True)
class ModelObey:
    """The costlier rungs over one model.

    Attributes:
        open_model: Opens it, once.
        adapters: Folder of this home's adapters; None where there is no home.
    """

    open_model: Callable[[], LanguageModel]
    adapters: Path | None = None

    def constrained(
        self, asked: Sequence[Message], record: Record, accepts: Callable[[str], bool], *, max_new_tokens: int
    ) -> str | None:
        """Return the model's text with a target forced in and the prior kept out; None for a model that is not here."""
        from rag_edit.lm.decoding import constrained
        from rag_edit.lm.local import LocalModel

        model = self.open_model()
        if not isinstance(model, LocalModel):
            return None
        refused = (record.prior,) if record.prior.strip() else ()
        held = constrained(model, tuple(asked), record.targets(), accepts, refused=refused, max_new_tokens=max_new_tokens)
        return held.completion.text

    def adapted(self, asked: Sequence[Message], version: RecordVersion, *, max_new_tokens: int) -> str | None:
        """Return what the model writes with the version's adapter attached for this call; None where there is none.

        Raises:
            AdapterUnreadableError, AdapterMismatchError: there is one, but it cannot be trusted.
        """
        if self.adapters is None:
            return None
        from rag_edit.lm.adapter import AdaptedModel
        from rag_edit.lm.adapter_files import AdapterShelf
        from rag_edit.lm.local import LocalModel

        shelf = AdapterShelf(self.adapters)
        if not shelf.path(version.name).is_dir():
            return None
        model, adapter = self.open_model(), shelf.get(version.name)
        if adapter is None or not isinstance(model, LocalModel) or adapter.manifest.record_digest != version.digest:
            return None
        return AdaptedModel(model, adapter).chat([tuple(asked)], max_new_tokens=max_new_tokens)[0].text
