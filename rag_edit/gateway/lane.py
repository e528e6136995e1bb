"""The engine behind the event loop: one thread that decides in small batches, so that streams are never held up.

The engine is synchronous and has one owner: everything that touches store, index or encoder runs here, in the order in which
it was handed in. Questions that wait together are decided together; each gets what it would get alone. An edit that was
applied is therefore seen by every question handed in after it. Texts that the home's model has to write are written in a second
thread, since a generation takes seconds and a decision must not wait for it; those that another server writes are waited for in threads
of their own, so that a slow one holds up nobody else. Receipts are sealed in one more, those that wait together at once, since a disk's
or another process's word is waited for there.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from rag_edit.core.decision import Answer, Decision, Query, Route
from rag_edit.engine import Answering, Engine
from rag_edit.opening import make_answering

T = TypeVar("T")
Sealed = tuple[Query, Decision, Answer, tuple[str, ...]]
Item = Query | Callable[[Engine], object] | None
BATCH: Final = 32
SEALED: Final = 256  # receipts that are sealed together
WAITING: Final = 64  # threads that wait for words of other servers


def _nothing(*_: object) -> None:
    """Do nothing."""


class LaneClosedError(Exception):
    """The engine is being closed; nothing more is decided."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One question, decided.

    Attributes:
        query, decision: The engine's values.
        revision: Position of the store that it was decided on.
        answer: What its records say, by rule alone; None on BASE.
        wants_writer: Whether a model should write it instead, and ``answer`` stands in as the record has it.
    """

    query: Query
    decision: Decision
    revision: int
    answer: Answer | None = None
    wants_writer: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a model wrote, as answers read it."""

    text: str = ""
    remembered: bool = False


class _Silent:
    """A model that says nothing: what would be written from a record is then given as the record has it.

    Attributes:
        was_asked: Set when somebody wanted words.
    """

    was_asked = False

    def chat(self, conversations: Sequence[object], *, max_new_tokens: int) -> list[Said]:
        """Return one empty text a conversation."""
        del max_new_tokens
        self.was_asked = True
        return [Said()] * len(conversations)


class Lane:
    """One engine, owned. Call from the event loop; close when nothing asks any more.

    Args:
        engine: Synchronous, used by this alone.
        batch: Questions decided together at most.
        sync: Called before the engine is used: takes over what another process has put into force.
        publish: Called with the store's position after the engine was used, before anybody is told what came of it.
        standing: Gives the store's position where another process keeps it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        batch: int = BATCH,
        sync: Callable[[], None] = _nothing,
        publish: Callable[[int], None] = _nothing,
        standing: Callable[[], int] = lambda: 0,
    ) -> None:
        self._engine, self._batch = engine, batch
        self._sync, self._publish, self._standing = sync, publish, standing
        self._queue: queue.SimpleQueue[tuple[Item, Future[object]]] = queue.SimpleQueue()
        self._seals: queue.SimpleQueue[tuple[Sealed | None, Future[object]]] = queue.SimpleQueue()
        self._silent = _Silent()
        self._by_rule = make_answering(self._silent)
        self._closed = False
        self._revision = 0
        self._mark()
        self._thread = threading.Thread(target=self._work, name="rag-edit-engine", daemon=True)
        self._sealer = threading.Thread(target=self._work_seals, name="rag-edit-sealer", daemon=True)
        self._thread.start()
        self._sealer.start()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="rag-edit-writer")
        self._waiting = ThreadPoolExecutor(WAITING, thread_name_prefix="rag-edit-waiting")

    @property
    def revision(self) -> int:
        """Return the position of the store, as far as it was put into force."""
        return max(self._revision, self._standing())

    async def decide(self, query: Query) -> Decided:
        """Return the decision on one question, with what its records say by rule.

        Raises:
            RagEditError, Exception: whatever the engine raises for this question.
        """
        found = await self._hand_in(query)
        assert isinstance(found, Decided)
        return found

    async def run(self, act: Callable[[Engine], T]) -> T:
        """Return what ``act`` makes of the engine; it runs alone, in its turn."""
        return await self._hand_in(act)  # type: ignore[return-value]

    async def write(self, decided: Decided, answering: Answering | None = None, *, elsewhere: bool = False) -> Answer:
        """Return the answer to a decided question where a model may have to write it.

        Args:
            decided: From `decide`.
            answering: Who answers; the engine's own by default.
            elsewhere: Whether another server writes, so that nothing here is in use meanwhile and others need not wait for it.
        """
        answer = answering or self._engine.answering[decided.decision.route]
        loop, threads = asyncio.get_running_loop(), self._waiting if elsewhere else self._writer
        return (await loop.run_in_executor(threads, lambda: answer([(decided.query, decided.decision)])))[0]

    async def seal(self, decided: Decided, answer: Answer) -> str:
        """Return the name of the receipt of an answer that is about to be served; empty where the home makes none.

        Raises:
            RagEditError, Exception: no receipt could be made; the answer must not be served.
        """
        engine, query = self._engine, decided.query
        if engine.counting is not None:
            engine.counting([(query, decided.decision, answer)])
        if engine.sealing is None:
            return ""
        chain = tuple(engine.atlas.chain(engine.atlas.parse(query.jurisdiction), query.as_of))
        found = await self._wait(self._seals, (query, decided.decision, answer, chain))
        assert isinstance(found, str)
        return found

    async def base(self, query: Query, decision: Decision) -> Answer:
        """Return the home's own model's answer."""
        return await self.write(Decided(query, decision, self.revision), self._engine.answering[Route.BASE])

    @property
    def depth(self) -> int:
        """Return how many wait in line, about."""
        return self._queue.qsize()

    def close(self) -> None:
        """Let what was handed in end, then close the engine."""
        if not self._closed:
            self._closed = True
            self._queue.put((None, Future()))
            self._seals.put((None, Future()))
            self._thread.join()
            self._sealer.join()
            for threads in (self._writer, self._waiting):
                threads.shutdown(wait=True, cancel_futures=True)
            self._engine.close()

    async def _hand_in(self, item: Item) -> object:
        return await self._wait(self._queue, item)

    async def _wait(self, line: "queue.SimpleQueue[Any]", item: object) -> object:
        if self._closed:
            raise LaneClosedError
        future: Future[object] = Future()
        line.put((item, future))
        return await asyncio.wrap_future(future)

    def _work(self) -> None:
        held: deque[tuple[Item, Future[object]]] = deque()
        while True:
            item, future = held.popleft() if held else self._queue.get()
            if item is None:
                return
            if not isinstance(item, Query):
                self._settle(future, partial(self._act, item))
                continue
            batch = [(item, future)]
            while len(batch) < self._batch and not held:
                try:
                    more, its_future = self._queue.get_nowait()
                except queue.Empty:
                    break
                if isinstance(more, Query):
                    batch.append((more, its_future))
                else:
                    held.append((more, its_future))  # its turn comes after what was handed in before it
            self._decide(batch)

    def _act(self, act: Callable[[Engine], object]) -> object:
        self._sync()
        try:
            return act(self._engine)
        finally:
            self._mark()

    def _mark(self) -> None:
        """Note how far the store has come, and tell it."""
        self._revision = self._engine.store.position()
        self._publish(self._revision)

    def _work_seals(self) -> None:
        while True:
            several = [self._seals.get()]
            while len(several) < SEALED and several[-1][0] is not None:
                try:
                    several.append(self._seals.get_nowait())
                except queue.Empty:
                    break
            waiting = [(item, future) for item, future in several if item is not None and not future.cancelled()]
            try:
                names = self._engine.sealing([item for item, _ in waiting]) if waiting and self._engine.sealing else []
            except Exception:  # noqa: BLE001 - told to the one whose it is
                for item, future in waiting:
                    self._settle(future, partial(self._seal_one, item))
            else:
                for (_, future), name in zip(waiting, names, strict=True):
                    if future.set_running_or_notify_cancel():
                        future.set_result(name)
            if several[-1][0] is None:
                return

    def _seal_one(self, item: Sealed) -> str:
        assert self._engine.sealing is not None
        return self._engine.sealing([item])[0]

    def _decide(self, batch: Sequence[tuple[Query, "Future[object]"]]) -> None:
        """Decide a batch; where it fails, each question alone, so that one cannot fail another."""
        asked = [(query, future) for query, future in batch if not future.cancelled()]
        if not asked:
            return
        try:
            found = self._decided([query for query, _ in asked])
        except Exception:  # noqa: BLE001 - told to the one whose it is
            for query, future in asked:
                self._settle(future, partial(self._decide_one, query))
            return
        for (_, future), each in zip(asked, found, strict=True):
            if future.set_running_or_notify_cancel():
                future.set_result(each)

    def _decide_one(self, query: Query) -> Decided:
        return self._decided([query])[0]

    def _decided(self, queries: Sequence[Query]) -> list[Decided]:
        self._sync()
        decisions, _ = self._engine.decide_many(queries)
        self._mark()
        revision = self._revision
        return [self._with_answer(query, decision, revision) for query, decision in zip(queries, decisions, strict=True)]

    def _with_answer(self, query: Query, decision: Decision, revision: int) -> Decided:
        if decision.route not in (Route.OVERRIDE, Route.ABSTAIN):
            return Decided(query, decision, revision)
        self._silent.was_asked = False
        answer = self._by_rule[decision.route]([(query, decision)])[0]
        return Decided(query, decision, revision, answer, wants_writer=self._silent.was_asked)

    def _settle(self, future: "Future[object]", act: Callable[[], object]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(act())
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            future.set_exception(error)
