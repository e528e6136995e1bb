"""Where a causal language model can be edited: its blocks, the last linear layer of each block's MLP, its norm and head.

Read from the modules and their shapes, not from a table of model names: a block is a member of the one long list of equal
modules, the layer wanted is the linear one that leads back from the widest inner state to the hidden state. A model for
which that is not unique is refused. Knows nothing about edits.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag_edit.core.errors import ModelError

if TYPE_CHECKING:
    from rag_edit.lm.local import LocalModel


class NotEditableError(ModelError):
    """A model is not built in a way that parameter edits know; overrides and grounded answers work with it."""

    def __init__(self, model: str, found: str) -> None:
        self.model, self.found = model, found
        super().__init__(f"{model}: wanted a decoder of equal blocks with one MLP each, found {found}", hint="use another rung")


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of a model that edits touch or need.

    Attributes:
        decoder: Ids to last hidden states.
        blocks: In order.
        block_names: Their names within the whole model.
        outputs: Names, within the whole model, of each block's MLP output layer.
        norm, head: From the last block's hidden states to logits.
    """

    decoder: Any
    blocks: tuple[Any, ...]
    block_names: tuple[str, ...]
    outputs: tuple[str, ...]
    norm: Any
    head: Any


def anatomy_of(model: "LocalModel") -> Anatomy:
    """Return the parts of a model.

    Raises:
        NotEditableError: they cannot be told from one another.
    """
    import torch

    whole = model.torch_model
    decoder = whole.get_decoder()
    lists = [child for child in decoder.children() if isinstance(child, torch.nn.ModuleList) and len(child) > 1]
    if len(lists) != 1:
        raise NotEditableError(model.name, f"{len(lists)} lists of blocks")
    blocks = tuple(lists[0])
    norms = [
        child for name, child in decoder.named_children() if name in {"norm", "ln_f", "final_layernorm", "final_layer_norm"}
    ]
    if len(norms) != 1:
        raise NotEditableError(model.name, f"{len(norms)} last norms")
    names = {id(module): name for name, module in whole.named_modules()}
    outputs = []
    for block in blocks:
        linear = [module for module in block.modules() if isinstance(module, torch.nn.Linear)]
        widest = max((module.in_features for module in linear), default=0)
        hidden = whole.get_output_embeddings().weight.shape[1]
        found = [module for module in linear if module.in_features == widest and module.out_features == hidden]
        if len(found) != 1:
            raise NotEditableError(model.name, f"{len(found)} linear layers of shape ({hidden}, {widest}) in a block")
        outputs.append(names[id(found[0])])
    return Anatomy(
        decoder, blocks, tuple(names[id(block)] for block in blocks), tuple(outputs), norms[0], whole.get_output_embeddings()
    )
