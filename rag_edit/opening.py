"""Opening a home: settings to parts. What is costly (encoder, language model) is opened when it is first used.

The engine gets its parts as arguments; this is where the real ones are made and wired, and where `doctor` looks at them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from rag_edit.config import INDEX_NAME, STORE_NAME, Settings, load_settings
from rag_edit.core.atlas import default_atlas
from rag_edit.core.errors import RagEditError, StoreMissingError
from rag_edit.engine import Engine, Progress, no_progress
from rag_edit.index.embedder import Embedder
from rag_edit.records.store import RecordStore


def create_store(home: Path) -> bool:
    """Make the store of ``home`` if there is none; return whether one was made."""
    from rag_edit.records.duckdb_store import DuckDBStore

    path = home / STORE_NAME
    if path.exists():
        return False
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    DuckDBStore(path, create=True).close()
    return True


def open_store(home: Path) -> RecordStore:
    """Open the store of ``home``.

    Raises:
        StoreMissingError: no store there.
        StoreLockedError: another process has it.
        StoreCorruptError: it fails its check.
    """
    from rag_edit.records.duckdb_store import DuckDBStore

    path = home / STORE_NAME
    if not path.exists():
        raise StoreMissingError(str(home))
    return DuckDBStore(path)


def open_engine(
    home: Path,
    settings: Settings | None = None,
    *,
    progress: Progress = no_progress,
    today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
) -> Engine:
    """Open a home with its real parts.

    Raises:
        StoreMissingError, StoreLockedError, StoreCorruptError: from the store.
        ModelMissingError, MissingExtraError: the encoder is not installed.
    """
    from rag_edit.index.retriever import Retriever
    from rag_edit.lm.open import open_encoder
    from rag_edit.scope.calibration import packaged_thresholds

    settings = settings or load_settings(home)
    store = open_store(home)
    try:
        embedder = open_encoder(settings.encoder, settings.cache_dir)
        scorer = make_scorer(settings, embedder)
        return Engine(
            store=store,
            retriever=Retriever(home / INDEX_NAME, embedder),
            embedder=embedder,
            scorer=scorer,
            thresholds=packaged_thresholds(scorer.name),
            answering=make_answering(settings),
            atlas=default_atlas(),
            read_places=place_reader(),
            jurisdiction=settings.jurisdiction,
            today=today,
            candidates=settings.candidates,
            progress=progress,
        )
    except BaseException:
        store.close()
        raise
