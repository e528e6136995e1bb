"""The adapter: one record's parameter edit as a value, and the model with it.

An adapter belongs to one version of one record and to one base model: it is never merged into weights, and attached to another
base it is refused. `train_adapter` makes one, `AdaptedModel` answers with one: a `LanguageModel` of its own for each routed
call, so that the engine needs to know nothing about layers. Knows no files (`lm.adapter_files`) and no routes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rag_edit.core.decision import Message
from rag_edit.core.digest import Digest, Json, digest_json
from rag_edit.core.errors import ModelError
from rag_edit.lm.attach import attached
from rag_edit.lm.digests import weight_digest
from rag_edit.lm.edit_layers import PROBE, chosen_layers
from rag_edit.lm.edit_math import LowRank
from rag_edit.lm.edit_solve import Settings, solve
from rag_edit.lm.edit_task import EditTask
from rag_edit.lm.model import DEFAULT_NEW_TOKENS, Completion

if TYPE_CHECKING:
    from rag_edit.lm.local import LocalModel

FORMAT: Final = "rag-edit-adapter-v1"


class AdapterMismatchError(ModelError):
    """An adapter was made for another base model, or does not fit its layers."""

    def __init__(self, record: str, wanted: str, found: str) -> None:
        self.record, self.wanted, self.found = record, wanted, found
        super().__init__(f"adapter of {record}: made for {wanted}, found {found}", hint=f"rag-edit adapter train {record}")


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One question put to the model with the adapter, by real generation.

    Attributes:
        name: What was asked, and in which form.
        passed: Whether the answer held.
    """

    name: str
    passed: bool


@dataclass(frozen=True, slots=True)
class AdapterManifest:
    """What an adapter is and what it was made from.

    Attributes:
        record: ``id@version``.
        record_digest: Digest of that version's record.
        task: Digest of what the solver saw.
        base: Digest of the base model.
        base_weights: Digest of its weights alone.
        base_name: What a person calls it.
        layers: Block numbers changed.
        modules: Names of the layers changed.
        rank: Of each change.
        solver: Settings, the seed among them; fractions as decimal strings.
        layer_probe: Which probe chose the layers; empty when they were given.
        steps: Adam steps made.
        worst_nll, kl, norm_share: As `edit_solve.Solution` has them, decimal strings.
        tensors: Digest of the factors.
        probes: What was asked of it afterwards; empty until then.
    """

    record: str
    record_digest: Digest
    task: Digest
    base: Digest
    base_weights: Digest
    base_name: str
    layers: tuple[int, ...]
    modules: tuple[str, ...]
    rank: int
    solver: Mapping[str, Json]
    layer_probe: str
    steps: int
    worst_nll: str
    kl: str
    norm_share: str
    tensors: Digest
    probes: tuple[ProbeResult, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return plain values; `manifest_from_json` reads them back."""
        plain: dict[str, Json] = {name: getattr(self, name) for name in self.__slots__}
        plain |= {"layers": list(self.layers), "modules": list(self.modules), "solver": dict(self.solver)}
        plain["probes"] = [{"name": probe.name, "passed": probe.passed} for probe in self.probes]
        return {"format": FORMAT, **plain}


def manifest_from_json(plain: Mapping[str, Json]) -> AdapterManifest:
    """Return the manifest that `AdapterManifest.to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: other values than it writes.
    """
    values = dict(plain)
    if (found := values.pop("format")) != FORMAT:
        raise ValueError(f"wanted format {FORMAT}, found {found!r}")
    probes = values.pop("probes")
    for name in ("layers", "modules"):
        values[name] = tuple(values[name])  # type: ignore[arg-type]
    made = AdapterManifest(**values, probes=tuple(ProbeResult(**probe) for probe in probes))  # type: ignore[arg-type,union-attr]
    if len(made.layers) != len(made.modules) or made.to_json() != dict(plain):
        raise ValueError("wanted a manifest as it is written, found other values")
    return made


@dataclass(frozen=True, slots=True)
class Adapter:
    """A low-rank change of a few layers, and its manifest.

    Attributes:
        manifest: What it is.
        deltas: By module name, in the manifest's order; float32 holding values that float16 can hold. Read only.
    """

    manifest: AdapterManifest
    deltas: Mapping[str, LowRank]

    def digest(self) -> Digest:
        """Return the digest of manifest and factors."""
        return digest_json(self.manifest.to_json())

    def with_probes(self, probes: Sequence[ProbeResult]) -> "Adapter":
        """Return the adapter with the evidence that verification gathered."""
        return replace(self, manifest=replace(self.manifest, probes=tuple(probes)))


def tensor_digest(deltas: Mapping[str, LowRank]) -> Digest:
    """Return the digest of all factors."""
    return weight_digest(pair for name, d in deltas.items() for pair in ((f"{name}.b", d.b), (f"{name}.a", d.a)))


def train_adapter(
    model: "LocalModel",
    task: EditTask,
    *,
    cache: Path,
    settings: Settings = Settings(),  # noqa: B008  (frozen)
    layers: Sequence[int] = (),
) -> Adapter:
    """Return the adapter that makes the model answer a task; a few seconds. The same arguments give the same adapter.

    Args:
        model: The frozen model, left as it was.
        task: What it shall answer, and what it shall leave.
        cache: Where the layers chosen for a model are remembered.
        settings: How it is solved.
        layers: Block numbers; empty takes those that the model's probe chose.

    Raises:
        NotEditableError: the model is built otherwise than edits know.
    """
    chosen = tuple(sorted(layers)) or chosen_layers(model, cache)
    found = solve(model, task, chosen, settings)
    manifest = AdapterManifest(
        record=task.record,
        record_digest=task.record_digest,
        task=task.digest(),
        base=model.digest,
        base_weights=model.loaded_weights,
        base_name=model.name,
        layers=chosen,
        modules=tuple(found.deltas),
        rank=settings.rank,
        solver=settings.to_json(),
        layer_probe="" if layers else PROBE,
        steps=found.steps,
        worst_nll=f"{found.worst_nll:.4f}",
        kl=f"{found.kl:.4f}",
        norm_share=f"{found.norm_share:.4f}",
        tensors=tensor_digest(found.deltas),
    )
    return Adapter(manifest, found.deltas)


@contextmanager
def using(model: "LocalModel", adapter: Adapter) -> Iterator["LocalModel"]:
    """Attach an adapter to its base in this context while the block runs; gives the model.

    Raises:
        AdapterMismatchError: it was made for another base.
        RuntimeError: another one is attached in this context.
    """
    if adapter.manifest.base != model.digest:
        raise AdapterMismatchError(adapter.manifest.record, adapter.manifest.base, model.digest)
    with attached(model.torch_model, adapter.deltas):
        yield model


class AdaptedModel:
    """The base with one record's adapter, as a `LanguageModel`. The adapter is attached within each call only."""

    def __init__(self, model: "LocalModel", adapter: Adapter) -> None:
        """Pair them.

        Raises:
            AdapterMismatchError: the adapter was made for another base.
        """
        if adapter.manifest.base != model.digest:
            raise AdapterMismatchError(adapter.manifest.record, adapter.manifest.base, model.digest)
        self.model, self.adapter = model, adapter

    @property
    def name(self) -> str:
        """Return what a person calls it."""
        return f"{self.model.name} + {self.adapter.manifest.record}"

    @property
    def digest(self) -> Digest:
        """Return the name of base and adapter together."""
        return digest_json([self.model.digest, self.adapter.digest()])

    def complete(
        self, prompts: Sequence[str], *, max_new_tokens: int = DEFAULT_NEW_TOKENS, stop: Sequence[str] = ()
    ) -> list[Completion]:
        """Return one continuation a prompt, in order; each is what it would be alone."""
        with using(self.model, self.adapter):
            return self.model.complete(prompts, max_new_tokens=max_new_tokens, stop=stop)

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int = DEFAULT_NEW_TOKENS) -> list[Completion]:
        """Return one assistant turn a conversation, in order; each is what it would be alone."""
        with using(self.model, self.adapter):
            return self.model.chat(conversations, max_new_tokens=max_new_tokens)
