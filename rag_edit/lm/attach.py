"""Changes of a model's layers for one call: put on by forward hooks inside a ``with``, and gone after it.

Rules: weights are not touched. A hook acts only in the context (thread, task) that entered the ``with``, and only until it is
left, so that calls in other threads run the bare model and calls with different adapters do not mix. One change at a time:
a ``with`` inside another is refused. The sum is made as ``peft`` makes it, so that both give the same bits.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from rag_edit.lm.edit_math import LowRank, apply_low_rank

if TYPE_CHECKING:
    from torch import Tensor

Change: TypeAlias = Callable[["Tensor", "Tensor"], "Tensor"]
"""``change(x, y)``: a layer's input and output to its new output."""


class _Call:
    """One ``with`` block; identity is its name."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open = True


_current: ContextVar[_Call | None] = ContextVar("rag_edit_attached", default=None)
_registering = threading.Lock()


@contextmanager
def hooked(torch_model: Any, changes: Mapping[str, Change]) -> Iterator[None]:
    """Change the outputs of named modules in this context while the block runs.

    Args:
        torch_model: Left as it was found, also after an exception.
        changes: By module name; a module must take its input as first positional argument.

    Raises:
        RuntimeError: another block is open in this context.
        AttributeError: no such module.
    """
    if (running := _current.get()) is not None and running.open:
        raise RuntimeError("a change of the model is attached already; leave its `with` first")
    modules = {name: torch_model.get_submodule(name) for name in changes}
    call = _Call()

    def hook_for(change: Change) -> Callable[[Any, tuple[Any, ...], Any], Any]:
        def hook(_: Any, inputs: tuple[Any, ...], output: Any) -> Any:
            return change(inputs[0], output) if call.open and _current.get() is call else None

        return hook

    handles = []
    token = _current.set(call)
    try:
        with _registering:
            handles += [modules[name].register_forward_hook(hook_for(change)) for name, change in changes.items()]
        yield
    finally:
        call.open = False  # a task that inherited the context and lives on gets the bare model
        _current.reset(token)
        with _registering:
            for handle in handles:
                handle.remove()


@contextmanager
def attached(torch_model: Any, deltas: Mapping[str, LowRank]) -> Iterator[None]:
    """Add low-rank changes to named linear layers in this context while the block runs.

    Raises:
        RuntimeError, AttributeError: as `hooked`.
    """

    def change_by(delta: LowRank) -> Change:
        return lambda x, y: y + apply_low_rank(x, delta)

    with hooked(torch_model, {name: change_by(delta) for name, delta in deltas.items()}):
        yield
