"""Opening a home: settings to parts. What is costly (encoder, language model) is opened when it is first used.

The engine gets its parts as arguments; this is where the real ones are made and wired, and where `doctor` looks at them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from rag_edit.config import INDEX_NAME, STORE_NAME, Settings, load_settings
from rag_edit.core.atlas import default_atlas
from rag_edit.core.decision import Answer, Decision, Query, Route
from rag_edit.core.errors import RagEditError, StoreMissingError
from rag_edit.engine import Answering, Engine, Progress, no_progress
from rag_edit.index.embedder import Embedder
from rag_edit.lm.model import LanguageModel
from rag_edit.records.store import RecordStore
from rag_edit.scope.policies import ReadPlaces
from rag_edit.scope.scorer import ScopeScorer


def create_store(home: Path) -> bool:
    """Make the store of ``home`` if there is none; return whether one was made."""
    from rag_edit.records.duckdb_store import DuckDBStore

    if (home / STORE_NAME).is_dir() and any((home / STORE_NAME).iterdir()):
        return False
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    DuckDBStore(home / STORE_NAME, create=True).close()
    return True


def open_store(home: Path) -> RecordStore:
    """Open the store of ``home``.

    Raises:
        StoreMissingError: no store there.
        StoreLockedError: another process has it.
        StoreCorruptError: it fails its check.
    """
    from rag_edit.records.duckdb_store import DuckDBStore

    if not (home / STORE_NAME).is_dir():
        raise StoreMissingError(str(home))
    return DuckDBStore(home / STORE_NAME)


def open_engine(
    home: Path,
    settings: Settings | None = None,
    *,
    progress: Progress = no_progress,
    notify: Callable[[str], None] | None = None,
    today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
) -> Engine:
    """Open a home with its real parts.

    Args:
        home: Directory made by ``rag-edit init``.
        settings: In place of the home's own.
        progress: Told of long work.
        notify: Told in words when a partition had to be built again.
        today: The clock for questions that name no day.

    Raises:
        StoreMissingError, StoreLockedError, StoreCorruptError: from the store.
        ModelMissingError, MissingExtraError: the encoder is not installed.
    """
    from rag_edit.index.faiss_partition import FaissShelf
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
            retriever=Retriever(FaissShelf(home / INDEX_NAME), embedder, notify=notify),
            embedder=embedder,
            scorer=scorer,
            thresholds=packaged_thresholds(scorer.digest),
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


def make_scorer(settings: Settings, embedder: Embedder) -> ScopeScorer:
    """Return the scorer that the settings name."""
    from rag_edit.scope.cosines import Cosines
    from rag_edit.scope.overlap import OverlapScorer

    return OverlapScorer(Cosines(lambda texts: embedder.encode(texts, kind="query")), embedder.digest)


def place_reader() -> ReadPlaces:
    """Return the reader of places; its names are loaded when it is first called."""
    from rag_edit.scope.places import default_reader

    return lambda text: default_reader().read(text)
