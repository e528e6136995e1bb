"""The one way in which transformers is imported: offline, without progress bars or chatter, and only when it is needed."""

import os
from functools import cache
from typing import Any

from rag_edit.core.errors import MissingExtraError


@cache
def quiet_transformers() -> Any:
    """Return the transformers module; nothing that it does in this process reaches a model hub.

    Raises:
        MissingExtraError: torch or transformers is not installed.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError(error.name or "transformers", "lm") from error
    del torch
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return transformers
