"""The desk: many threads ask for one receipt each, and whoever comes first seals for all who wait.

While one batch is being written the next gathers by itself, so batches grow with the load and a lone caller waits for
nobody: there is no timer and no thread of the desk's own. `issue` returns when the caller's receipt is durable, or raises
what kept the whole batch from being written; then the answer must not be served.
"""

from dataclasses import dataclass
from threading import Lock

from rag_edit.provenance.receipt import Receipt
from rag_edit.provenance.receipt_log import MAX_BATCH, ReceiptLog, check_body


@dataclass(slots=True)
class _Waiting:
    """One caller: its body, and what became of it."""

    body: bytes
    receipt: Receipt | None = None
    failed: BaseException | None = None


class ReceiptDesk:
    """Seals bodies of many threads in batches. The log must be used through one desk alone.

    Attributes:
        batches: How many batches were written.
    """

    def __init__(self, log: ReceiptLog, *, most: int = MAX_BATCH) -> None:
        self._log, self._most = log, most
        self._turn, self._guard = Lock(), Lock()
        self._queue: list[_Waiting] = []
        self.batches = 0

    def issue(self, body: bytes) -> Receipt:
        """Return the durable receipt of one body.

        Args:
            body: From `ReceiptBody.to_bytes`.

        Raises:
            MalformedError: not a body's line; nobody else is affected.
            Exception: whatever the store raised for the batch.
        """
        check_body(body)
        mine = _Waiting(body)
        with self._guard:
            self._queue.append(mine)
        with self._turn:  # one writes; whoever waited here may find the own receipt made by then
            while mine.receipt is None and mine.failed is None:
                self._seal_next()
        if mine.failed is not None:
            raise mine.failed
        assert mine.receipt is not None
        return mine.receipt

    def _seal_next(self) -> None:
        with self._guard:
            batch, self._queue = self._queue[: self._most], self._queue[self._most :]
        try:
            receipts = self._log.seal([each.body for each in batch])
        except BaseException as error:  # noqa: BLE001 - handed to each caller of the batch
            for each in batch:
                each.failed = error
            return
        self.batches += 1
        for each, receipt in zip(batch, receipts, strict=True):
            each.receipt = receipt
