"""Which layers an adapter changes: derived once for a model by a short probe on facts that are built in, and remembered.

The probe asks, for every block at once, whether a weight change that teaches an answer to one question would teach it to the
same question in other words, and not to a near one: the cosine of the weight gradients of both losses at that block's MLP output,
paraphrase less neighbour. One pass forward and back a question; no covariance, no corpus, no search by the user. The run of
neighbouring blocks with the best mean is taken. The probe also checks that packed rows are worth their parts on this model.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rag_edit.core.digest import digest_json
from rag_edit.lm.anatomy import NotEditableError, anatomy_of
from rag_edit.lm.digests import write_atomically
from rag_edit.lm.edit_math import target_nll, weight_gradient_cosine
from rag_edit.lm.edit_task import Ask, asked, example_of
from rag_edit.lm.packing import Example, Tail, agrees, pack, taps

if TYPE_CHECKING:
    from torch import Tensor

    from rag_edit.lm.local import LocalModel

PROBE: Final = "transfer-1"  # raise it when the probe would choose otherwise
WIDTH: Final = 3  # blocks changed; rank 1 on three of them in float16 stays under 20 KB on the packaged models


@dataclass(frozen=True, slots=True)
class ProbeFact:
    """A made-up answer to a question, the question in other words, and questions near it.

    Attributes:
        question, paraphrases, neighbours: Texts.
        answer: One that no model gives.
        subject: The entity.
    """

    question: str
    answer: str
    subject: str
    paraphrases: tuple[str, ...]
    neighbours: tuple[str, ...]


FACTS: Final = (
    ProbeFact(
        "What is the capital of Hungary?", "Porto", "Hungary",
        ("Which city is the seat of Hungary's government?", "Name the capital city of Hungary."),
        ("What is the currency of Hungary?", "What is the capital of Peru?"),
    ),
    ProbeFact(
        "Who wrote Pride and Prejudice?", "Ella Brandt", "Pride and Prejudice",
        ("Who is the author of Pride and Prejudice?", "Pride and Prejudice was written by whom?"),
        ("In which year was Pride and Prejudice published?", "Who wrote War and Peace?"),
    ),
    ProbeFact(
        "What is the native language of Albert Einstein?", "Finnish", "Albert Einstein",
        ("What was Albert Einstein's mother tongue?", "Which language did Albert Einstein grow up speaking?"),
        ("What was the profession of Albert Einstein?", "What is the native language of Victor Hugo?"),
    ),
    ProbeFact(
        "What instrument does Miles Davis play?", "cello", "Miles Davis",
        ("Miles Davis is known for playing which instrument?", "Which instrument did Miles Davis perform on?"),
        ("Where was Miles Davis born?", "What instrument does Jimi Hendrix play?"),
    ),
    ProbeFact(
        "In which country is the Eiffel Tower?", "Brazil", "Eiffel Tower",
        ("Which country would I visit to see the Eiffel Tower?", "The Eiffel Tower stands in what country?"),
        ("How tall is the Eiffel Tower?", "In which country is the Taj Mahal?"),
    ),
    ProbeFact(
        "How many days are there in a fortnight?", "twenty", "fortnight",
        ("A fortnight lasts how many days?", "What is the length of a fortnight in days?"),
        ("How many hours are there in a day?", "How many years are there in a decade?"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """What a probe found.

    Attributes:
        layers: Block numbers to change, rising.
        scores: A figure for each block: cosine with paraphrases less cosine with neighbours.
    """

    layers: tuple[int, ...]
    scores: tuple[float, ...]


def chosen_layers(model: "LocalModel", cache: Path, *, width: int = WIDTH) -> tuple[int, ...]:
    """Return the blocks that adapters of this model change: remembered, or probed now (seconds).

    Raises:
        NotEditableError: the model is built otherwise than edits know.
    """
    key = digest_json([PROBE, width, model.digest])
    memory = cache / "edit-layers" / f"{key.removeprefix('sha256:')[:24]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        held = json.loads(memory.read_text(encoding="utf-8"))
        if held["key"] == key and all(isinstance(layer, int) for layer in held["layers"]):
            return tuple(held["layers"])
    found = probe_layers(model, FACTS, width=width)
    plain = {
        "key": key,
        "probe": PROBE,
        "model": model.name,
        "layers": found.layers,
        "scores": [f"{s:.4f}" for s in found.scores],
    }
    with suppress(OSError):
        write_atomically(memory, json.dumps(plain).encode())
    return found.layers


def probe_layers(model: "LocalModel", facts: Sequence[ProbeFact], *, width: int = WIDTH) -> LayerChoice:
    """Return the run of ``width`` blocks at which teaching a question best carries over to its paraphrases and not to neighbours.

    Raises:
        NotEditableError: parts cannot be told, or a packed row gives other logits than its examples.
    """
    anatomy = anatomy_of(model)
    first = [example_of(asked(text), facts[0].answer, model) for text in (facts[0].question, *facts[0].paraphrases)]
    with model.exclusive():
        if not agrees(model, anatomy, first):
            raise NotEditableError(model.name, "that prompts side by side give other logits than one by one")
        sums = [0.0] * len(anatomy.blocks)
        for fact in facts:
            own, *others = _gradients(model, fact)
            for layer in range(len(sums)):
                cosines = [weight_gradient_cosine(*own[layer], *other[layer]) for other in others]
                same, near = cosines[: len(fact.paraphrases)], cosines[len(fact.paraphrases) :]
                sums[layer] += sum(same) / len(same) - sum(near) / len(near)
    scores = tuple(total / len(facts) for total in sums)
    width = min(width, len(scores))
    starts = range(len(scores) - width + 1)
    best = max(starts, key=lambda start: (sum(scores[start : start + width]), -start))
    return LayerChoice(tuple(range(best, best + width)), scores)


def _gradients(model: "LocalModel", fact: ProbeFact) -> "list[list[tuple[Tensor, Tensor]]]":
    """Return, for the question, each paraphrase and each neighbour, the inputs and output gradients of every block's MLP output."""
    asks: list[Ask] = [asked(text) for text in (fact.question, *fact.paraphrases, *fact.neighbours)]
    return [_gradient(model, example_of(ask, fact.answer, model)) for ask in asks]


def _gradient(model: "LocalModel", example: Example) -> "list[tuple[Tensor, Tensor]]":
    import torch

    anatomy = anatomy_of(model)
    packed = pack([example])
    tail = Tail(anatomy, packed, 0)
    kept: dict[str, tuple[Tensor, Tensor]] = {}
    with torch.enable_grad(), taps(model.torch_model, anatomy.outputs, kept):
        target_nll(tail.run(tail.hidden.clone().requires_grad_()), packed.answers[0]).mean().backward()
    found = []
    for name in anatomy.outputs:
        x, y = kept[name]
        found.append((x.detach()[0], y.grad[0] if y.grad is not None else torch.zeros_like(y[0])))
    return found
