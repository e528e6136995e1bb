"""The baselines that need vectors alone, on a suite's questions: each question sees the records of its chain that hold on its day."""

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np

from rag_edit.bench.baselines import grace, named, nearest, serac
from rag_edit.bench.baselines.memory import Memory, Vectors
from rag_edit.bench.figures import NOTHING, Choice
from rag_edit.bench.summary import System
from rag_edit.bench.training import Training
from rag_edit.core.digest import digest_json
from rag_edit.engine import Engine, Progress
from rag_edit.scope.training.suites import Asked

Encode = Callable[[Sequence[str]], Vectors]
Way = Callable[[Memory, Sequence[str], Vectors], list[Choice]]


def vector_systems(
    engine: Engine, wanted: Sequence[str], asked: Sequence[Asked], training: Training, as_of: date, progress: Progress
) -> list[System]:
    """Return the baselines named, with what each chooses for every question.

    Args:
        engine: With the suite's records live; its encoder is used.
        wanted: Some of ``nearest``, ``named``, ``grace``, ``serac``.
        asked: The questions.
        training: Of the trained one; where its data is not there, it is said to be missing.
        as_of: The day of questions that name none.
        progress: Told of long work.
    """

    def encode(texts: Sequence[str]) -> Vectors:
        def told(done: int) -> None:
            progress("encoding for baselines", done, len(texts))

        return engine.embedder.encode(list(texts), kind="query", progress=told)

    ways: dict[str, Way] = {"nearest": nearest.choices, "named": named.choices}
    missing: list[System] = []
    if "serac" in wanted:
        try:
            ways["serac"] = _trained(engine.embedder.digest, training, encode)
        except OSError as error:
            missing.append(System.absent_for("serac", f"no train set: {error}"))
    chosen: dict[str, list[Choice]] = {name: [NOTHING] * len(asked) for name in wanted if name in ways}
    radii = grace.RADII if "grace" in wanted else ()
    swept: dict[float, list[Choice]] = {radius: [NOTHING] * len(asked) for radius in radii}
    records = [version.record for version in sorted(engine.store.live(), key=lambda version: version.key)]
    memory = Memory(
        tuple(r.id for r in records),
        tuple(r.names() for r in records),
        engine.embedder.encode([text for r in records for text in r.questions()], kind="record"),
        np.array([at for at, r in enumerate(records) for _ in r.questions()], dtype=np.int64),
    )
    vectors = encode([q.text for q in asked])
    groups: dict[tuple[str, str], list[int]] = {}
    for at, q in enumerate(asked):
        groups.setdefault((q.jurisdiction, q.as_of), []).append(at)
    for done, ((where, day), members) in enumerate(sorted(groups.items()), start=1):
        query = engine.query("", jurisdiction=where or None, as_of=date.fromisoformat(day) if day else as_of)
        chain = set(engine.atlas.chain(engine.atlas.parse(query.jurisdiction), query.as_of))
        seen = np.array([r.jurisdiction in chain and r.is_valid_at(query.as_of) for r in records], dtype=np.bool_)
        part, texts, found = memory.only(seen), [asked[i].text for i in members], vectors[members]
        for name, column in chosen.items():
            _place(column, members, ways[name](part, texts, found))
        if swept:
            for radius, choices in grace.sweep(part, found).items():
                _place(swept[radius], members, choices)
        progress("baselines", done, len(groups))
    made = [System.of_choices(name, column) for name, column in chosen.items()]
    return [*made, *missing, *([System.of_settings("grace", swept)] if swept else [])]


def _place(column: list[Choice], members: Sequence[int], choices: Sequence[Choice]) -> None:
    for at, choice in zip(members, choices, strict=True):
        column[at] = choice


def _trained(encoder: str, training: Training, encode: Encode) -> Way:
    """Return the trained baseline, from its file where another suite had it trained already.

    Raises:
        OSError: a train set is not there.
    """
    name = digest_json([encoder, training.seed, training.rows, serac.data_digest(training.data)])
    path = training.out / f"serac-{name.removeprefix('sha256:')[:16]}.npz"
    if path.exists():
        classifier = serac.Classifier.read(path)
    else:
        rows = serac.train_rows(training.data, training.rows, training.seed)
        classifier = serac.train(rows, encode, seed=training.seed)
        classifier.save(path)
    return lambda memory, _texts, vectors: serac.choices(classifier, memory, vectors)
