"""Many threads, one writer: everybody gets a receipt of their own, or the error that kept it from being written."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rag_edit.provenance.errors import MalformedError
from rag_edit.provenance.receipt_desk import ReceiptDesk
from rag_edit.provenance.receipt_log import MemoryReceiptStore, open_receipts
from rag_edit.provenance.verify import verify_receipt

RECEIPTS = "example.org/rag-edit/receipts"


class SlowStore(MemoryReceiptStore):
    """A store that takes a moment, and may be full."""

    full = False

    def append(self, *arguments: Any) -> None:
        time.sleep(0.005)
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(*arguments)


def test_everybody_gets_their_own_receipt_and_batches_form_by_themselves(make_world: Any) -> None:
    world, store = make_world(3), SlowStore()
    desk = ReceiptDesk(open_receipts(store, world.service, RECEIPTS), most=7)
    bodies = [world.body(n).to_bytes() for n in range(96)]
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(desk.issue, bodies))
    assert [receipt.body for receipt in receipts] == bodies
    assert sorted(receipt.proof.index for receipt in receipts) == list(range(96))
    assert all(verify_receipt(receipt.to_bytes(), world.trust).holds for receipt in receipts[::12])
    assert 96 / 7 <= desk.batches < 96


def test_a_full_store_is_everybodys_error_and_the_desk_goes_on_afterwards(make_world: Any) -> None:
    world, store = make_world(3), SlowStore()
    desk = ReceiptDesk(open_receipts(store, world.service, RECEIPTS))
    store.full = True
    errors: list[str] = []

    def ask(number: int) -> None:
        try:
            desk.issue(world.body(number).to_bytes())
        except OSError as error:
            errors.append(str(error.strerror))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == ["No space left on device"] * 6
    store.full = False
    assert desk.issue(world.body(9).to_bytes()).proof.index == 0


def test_a_body_of_two_lines_is_its_callers_error_alone(make_world: Any) -> None:
    world = make_world(3)
    desk = ReceiptDesk(world.receipts)
    with pytest.raises(MalformedError):
        desk.issue(b"{}\n{}")
    assert desk.issue(world.body(1).to_bytes()).proof.index == 0
