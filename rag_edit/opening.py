"""Opening a home: settings to parts. What is costly (encoder, language model) is opened when it is first used.

The engine gets its parts as arguments; this is where the real ones are made and wired, and where `doctor` looks at them.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from rag_edit.adapting import adapters_of
from rag_edit.answer.base import Chat
from rag_edit.answer.grounded import Obey
from rag_edit.calibrating import thresholds_in_force
from rag_edit.config import INDEX_NAME, STORE_NAME, Settings, load_settings
from rag_edit.core.atlas import default_atlas
from rag_edit.core.decision import Answer, Decision, Message, Query, Route
from rag_edit.core.errors import ConfigError, CorruptPartitionError, RagEditError, StoreCorruptError, StoreMissingError
from rag_edit.core.record import RecordVersion
from rag_edit.engine import Answering, Engine, Progress, no_progress
from rag_edit.index.embedder import Embedder
from rag_edit.lm.model import Completion, LanguageModel
from rag_edit.obeying import ModelObey
from rag_edit.records.store import RecordStore
from rag_edit.scope.background import background
from rag_edit.scope.calibration import Thresholds, packaged_thresholds, risk_name
from rag_edit.scope.cosines import Cosines
from rag_edit.scope.crossing import Crossing
from rag_edit.scope.form_scorer import FormScorer
from rag_edit.scope.overlap import OverlapScorer
from rag_edit.scope.policies import ReadPlaces
from rag_edit.scope.scorer import ScopeScorer
from rag_edit.scope.trained import LastStage
from rag_edit.scope.trained_scorer import TrainedScorer
from rag_edit.verify.evidence import EvidenceFile
from rag_edit.verify.watch import Watch

if TYPE_CHECKING:
    from rag_edit.lm.doubt_probe import DoubtReader
    from rag_edit.lm.pair_encoder import PairEncoder
    from rag_edit.provenance.signer import Signer
    from rag_edit.replica import Source

REMEMBERED_NAME: Final = "remembered.json"
TOKENS_NAME: Final = "tokens"  # beside the partitions: what records read like, token by token


def create_store(home: Path) -> bool:
    """Make the store of ``home`` if there is none; return whether one was made."""
    from rag_edit.records.duckdb_store import DuckDBStore

    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory = home / STORE_NAME
    made = not directory.is_dir() or not any(directory.iterdir())
    DuckDBStore(directory, create=True).close()  # finishes one that was cut off while being made
    return made


def open_store(home: Path) -> RecordStore:
    """Open the store of ``home``.

    Raises:
        StoreMissingError: no store there.
        StoreLockedError: another process has it.
        StoreCorruptError: it fails its check.
    """
    from rag_edit.records.duckdb_store import DuckDBStore

    try:
        return DuckDBStore(home / STORE_NAME)
    except StoreMissingError as error:
        raise StoreMissingError(str(home)) from error


def restore_store(home: Path, snapshot: Path) -> int:
    """Make a snapshot the store of ``home``, in place of what is there; return its last position. The index heals at opening.

    Raises:
        StoreCorruptError: the snapshot fails its check; nothing was changed.
        StoreLockedError: the store is open.
    """
    from rag_edit.records.duckdb_store import DuckDBStore

    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return DuckDBStore.restore(home / STORE_NAME, snapshot)


def open_engine(
    home: Path,
    settings: Settings | None = None,
    *,
    progress: Progress = no_progress,
    notify: Callable[[str], None] = lambda _: None,
    today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
    remember: bool = False,
    speakers: "Callable[[], Signer] | None" = None,
) -> Engine:
    """Open a home with its real parts.

    Args:
        home: Directory made by ``rag-edit init``.
        settings: In place of the home's own.
        progress: Told of long work.
        notify: Told in words when a partition had to be built again, or weights are converted.
        today: The clock for questions that name no day.
        remember: Keep on disk what the base model writes, and read it back: for questions that are nobody's secret.
        speakers: Gives the signer of whoever edits, where that is not the home.

    Raises:
        StoreMissingError, StoreLockedError, StoreCorruptError: from the store.
        ModelMissingError, MissingExtraError: the encoder is not installed.
    """
    from rag_edit.trust.trusting import open_office, open_receipts

    settings = settings or load_settings(home)
    store = open_store(home)
    try:
        engine = _compose(home, settings, store, progress=progress, notify=notify, today=today, remember=remember)
        office = engine.office = open_office(home, settings, store, speakers=speakers)
        readers = (engine.embedder.digest, engine.scope_digest)
        engine.sealing = open_receipts(home, settings, office, engine.thresholds, readers, engine.retriever.digest)
        engine.counting = Watch(home)
    except BaseException:
        store.close()
        raise
    return engine


def open_replica(
    home: Path,
    settings: Settings,
    source: "Source",
    *,
    notify: Callable[[str], None] = lambda _: None,
    today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
) -> Engine:
    """Return an engine that answers from a home which another process has open; see `rag_edit.replica`.

    Args:
        home: Its directory; partitions, adapters and evidence are read there.
        settings: The owner's.
        source: The line to the owner.
        notify: As of `open_engine`.
        today: As of `open_engine`.
    """
    from rag_edit.replica import FollowedCounting, FollowedOffice, FollowedSealing, FollowedStore
    from rag_edit.trust.trusting import open_drafter

    engine = _compose(home, settings, cast(RecordStore, FollowedStore(source)), keeps=False, notify=notify, today=today)
    readers = (engine.embedder.digest, engine.scope_digest)
    drafter = open_drafter(home, settings, engine.thresholds, readers, engine.retriever.digest)
    engine.office = FollowedOffice(source)
    engine.sealing = None if drafter is None else FollowedSealing(source, drafter)
    engine.counting = FollowedCounting(source)
    return engine


def _compose(
    home: Path,
    settings: Settings,
    store: RecordStore,
    *,
    notify: Callable[[str], None],
    today: Callable[[], date],
    progress: Progress = no_progress,
    remember: bool = False,
    keeps: bool = True,
) -> Engine:
    """Return an engine over a store, with nobody yet who makes edits acts or seals answers."""
    from rag_edit.index.faiss_partition import FaissShelf
    from rag_edit.index.kept import KeptVectors
    from rag_edit.index.retriever import Retriever

    readers = open_readers(settings, home / INDEX_NAME / TOKENS_NAME)
    embedder, scorer = KeptVectors(readers.embedder), readers.scorer
    return Engine(
        store=store,
        retriever=Retriever(FaissShelf(home / INDEX_NAME, keeps=keeps), embedder, notify=notify),
        embedder=embedder,
        scorer=scorer,
        thresholds=thresholds_in_force(home, readers.thresholds, scorer.kind),
        answering=_answering(settings, notify, home, remember=remember),
        atlas=default_atlas(),
        read_places=place_reader(),
        jurisdiction=settings.jurisdiction,
        today=today,
        candidates=settings.candidates,
        crossing=Crossing.from_setting(settings.cross_jurisdiction, default_atlas().parse),
        progress=progress,
        guard=settings.guard == "on",
        doubting=readers.doubts,
    )


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads texts: the encoder of the index, the scorer of candidates, where its scores are cut as shipped, and who tells doubts."""

    embedder: Embedder
    scorer: ScopeScorer
    thresholds: Thresholds
    doubts: "DoubtReader | None" = None


def open_readers(settings: Settings, tokens: Path | None = None) -> Readers:
    """Open the encoder and the scorer that the settings name.

    The trained scorer reads pairs over the token states of an encoder that it was trained on. Where the index has such an encoder, one
    pass over a question serves both; beside any other encoder the default one is opened for the scorer alone.

    Args:
        settings: ``encoder`` and ``scorer`` count.
        tokens: Folder where token states of records are kept; None keeps them in memory.

    Raises:
        ConfigError: no such encoder or scorer.
        ModelMissingError: the weights are not installed, or the shipped scope model cannot be read.
    """
    from rag_edit.lm.open import open_encoder

    if settings.scorer == "overlap":
        embedder: Embedder = open_encoder(settings.encoder, settings.cache_dir)
        scorer = OverlapScorer(Cosines(lambda texts: embedder.encode(texts, kind="query")), embedder.digest)
        return Readers(embedder, scorer, packaged_thresholds(scorer.digest, scorer.kind))
    if settings.scorer != "trained":
        raise ConfigError(f"scorer: wanted trained or overlap, found {settings.scorer!r}", hint="rag-edit doctor")
    from rag_edit.lm.scope_model import open_scope_model, trained_encoders, trained_on

    has_head = trained_on(settings.encoder) in trained_encoders()
    model = open_scope_model(settings.encoder if has_head else Settings().encoder, settings.cache_dir, tokens)
    reader, manifest = model.reader, model.manifest
    embedder = reader if has_head else open_encoder(settings.encoder, settings.cache_dir)
    scale = float(manifest["background"]) if has_head else background(lambda texts: embedder.encode(texts, kind="query"))
    last = LastStage.from_manifest(manifest["calibration"])
    trained = TrainedScorer(reader.score, LazyPairs(), last, model.artefact, scale, model.topics, place_reader())
    cut = manifest["thresholds"]
    chosen_on = f"{cut['default_risk']} wrong overrides; {cut['chosen_on']}"
    if not has_head:
        chosen_on = f"uncalibrated: chosen with {Settings().encoder}, used with {settings.encoder}; {chosen_on}"
    elif trained_on(settings.encoder) != settings.encoder:
        chosen_on = f"{chosen_on}; chosen in float32, used in int8"
    cosines = Cosines(lambda texts: embedder.encode(texts, kind="query"))
    asked = FormScorer(trained, cosines, place_reader())
    by_risk = MappingProxyType({risk_name(float(risk)): float(least) for risk, least in cut["by_risk"].items()})
    thresholds = Thresholds(float(cut["default"]), 0.0, asked.digest, chosen_on, by_risk=by_risk)
    return Readers(embedder, asked, thresholds, model.doubts)


class LazyPairs:
    """The pair encoder, opened by the first pair that needs a second look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoder: PairEncoder | None = None

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return one logit a pair, in order."""
        with self._lock:
            if self._encoder is None:
                from rag_edit.lm.pair_encoder import PairEncoder

                self._encoder = PairEncoder.open()
        return self._encoder.score_pairs(pairs)


@cache
def place_reader() -> ReadPlaces:
    """Return a reader of places; its names are loaded when it is first called, texts read lately are remembered."""
    from rag_edit.scope.places import default_reader
    from rag_edit.scope.text import REMEMBERED

    reader = cache(default_reader)
    return lru_cache(maxsize=REMEMBERED)(lambda text: reader().read(text))


class LazyModel:
    """A language model that is opened by the first conversation; a command that only routes never loads it."""

    def __init__(self, settings: Settings, notice: Callable[[str], None]) -> None:
        self._settings, self._notice = settings, notice
        self._model: LanguageModel | None = None

    @property
    def model(self) -> LanguageModel:
        """Return the open model."""
        if self._model is None:
            from rag_edit.lm.open import open_model
            from rag_edit.lm.secret import Secret

            settings = self._settings
            self._model = open_model(
                settings.model, settings.cache_dir, api_key=Secret(settings.upstream_key), notice=self._notice
            )
        return self._model

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int) -> list[Completion]:
        """Return one assistant turn a conversation, in order."""
        return self.model.chat(conversations, max_new_tokens=max_new_tokens)


def _answering(settings: Settings, notify: Callable[[str], None], home: Path, *, remember: bool) -> dict[Route, Answering]:
    model = LazyModel(settings, notify)
    obey, evidence = ModelObey(lambda: model.model, adapters_of(home, settings, lambda: model.model)), EvidenceFile(home)
    base: Chat = model
    if remember:
        from rag_edit.lm.open import model_identity
        from rag_edit.lm.remembered import RememberedChat

        base = RememberedChat(
            model,
            lambda: model_identity(settings.model, settings.cache_dir, notice=notify),
            settings.cache_dir / REMEMBERED_NAME,
        )
    return make_answering(
        model,
        base=base,
        max_new_tokens=settings.max_new_tokens,
        obey=obey,
        rung_of=lambda version: evidence.rung_of(version, lambda: model.model.digest),
    )


def make_answering(
    model: Chat,
    *,
    base: Chat | None = None,
    max_new_tokens: int = 64,
    obey: Obey | None = None,
    rung_of: Callable[[RecordVersion], str] = lambda _: "",
) -> dict[Route, Answering]:
    """Return who answers each route. A route that nobody answers yet is not in the table.

    Args:
        model: Writes from records where an answer has to be written.
        base: Who answers where no record does; ``model`` by default.
        max_new_tokens: Length at which generation is cut.
        obey: Holds the model to a record where a template does not.
        rung_of: The rung that verification found for a version; empty where none was looked for.
    """
    from rag_edit.answer.abstain import Abstain
    from rag_edit.answer.base import Base
    from rag_edit.scope.forms import read_form

    @cache
    def override() -> Answering:
        from rag_edit.answer.override import Override

        return Override(read_form, model, max_new_tokens=max_new_tokens, obey=obey, rung_of=rung_of).answer_many

    def answer_overrides(items: Sequence[tuple[Query, Decision]]) -> list[Answer]:
        return override()(items)  # its word lists take a sixth of a second, which edits and routing need not wait for

    return {
        Route.OVERRIDE: answer_overrides,
        Route.BASE: Base(base or model, max_new_tokens=max_new_tokens).answer_many,
        Route.ABSTAIN: Abstain(read_form).answer_many,
    }


@dataclass(frozen=True, slots=True)
class PartitionFiles:
    """A partition as its files on disk have it: ``state`` is ``ok``, ``stale``, ``missing`` or what is wrong with it."""

    jurisdiction: str
    rows: int
    generation: int
    bytes: int
    state: str


def partitions_on_disk(home: Path, store: RecordStore) -> list[PartitionFiles]:
    """Return the partitions that the live records ask for, as they are on disk: each checked against its manifest."""
    from rag_edit.index.catalogue import rows_of

    needed: dict[str, set[int]] = {}
    for version in store.live():
        needed.setdefault(version.record.jurisdiction, set()).update(rows_of(version))
    return [_files_of(home / INDEX_NAME, code, needed[code]) for code in sorted(needed)]


def _files_of(root: Path, jurisdiction: str, needed: set[int]) -> PartitionFiles:
    import numpy as np

    from rag_edit.index.manifest import check_file, digest_rows, directory_name, read_manifest

    directory = root / directory_name(jurisdiction)
    try:
        manifest = read_manifest(directory)
        if manifest is None:
            return PartitionFiles(jurisdiction, len(needed), 0, 0, "missing")
        sizes = [check_file(directory, file).stat().st_size for file in manifest.files()]
    except RagEditError as error:
        return PartitionFiles(jurisdiction, len(needed), 0, 0, error.message)
    fresh = manifest.rows == digest_rows(np.array(sorted(needed), dtype=np.int64))
    return PartitionFiles(jurisdiction, len(needed), manifest.generation, sum(sizes), "ok" if fresh else "stale")


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of `check_home`."""

    name: str
    ok: bool
    found: str
    hint: str = ""


def check_home(home: Path) -> list[Check]:
    """Look at everything that a home needs, and go on after a fault. Missing or stale partitions are no fault: they heal."""
    checks: list[Check] = []

    def look(name: str, act: Callable[[], str]) -> None:
        try:
            checks.append(Check(name, ok=True, found=act()))
        except RagEditError as error:
            checks.append(Check(name, ok=False, found=error.message, hint=error.hint))

    look("settings", lambda: repr(load_settings(home)))
    look("store", lambda: _store_health(home))
    look("partitions", lambda: _partition_health(home))
    look("encoder", lambda: _encoder_health(home))
    look("model", lambda: f"{LazyModel(load_settings(home), lambda _: None).model.digest}")
    return checks


def _store_health(home: Path) -> str:
    with open_store(home) as store:
        health = store.health()
    if not health.ok:
        raise StoreCorruptError(str(home / STORE_NAME), "; ".join(health.problems))
    return f"position {health.position}, {health.counts['live']} live records, {health.bytes} bytes"


def _partition_health(home: Path) -> str:
    with open_store(home) as store:
        found = partitions_on_disk(home, store)
    bad = [f"{p.jurisdiction}: {p.state}" for p in found if p.state not in ("ok", "stale", "missing")]
    if bad:
        raise CorruptPartitionError(str(home / INDEX_NAME), "files as their manifests say", "; ".join(bad))
    counts = {state: sum(p.state == state for p in found) for state in ("ok", "stale", "missing")}
    return f"{len(found)} partitions: " + ", ".join(
        f"{count} {state}" for state, count in counts.items() if count or state == "ok"
    )


def _encoder_health(home: Path) -> str:

    settings = load_settings(home)
    readers = open_readers(settings)
    scorer = readers.scorer
    thresholds = thresholds_in_force(home, readers.thresholds, scorer.kind)
    doubts = "rules alone" if readers.doubts is None else "rules and a trained reader"
    return f"{readers.embedder.digest:.19}, scorer {scorer.kind} cut at {thresholds.in_scope:.4f} ({thresholds.chosen_on}), doubts told by {doubts}"
