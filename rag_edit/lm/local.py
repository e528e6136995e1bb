"""A frozen language model on this machine: any transformers directory, float32, greedy.

Prompts run one by one: on a CPU a batched matrix product rounds otherwise than a single one, and an answer must not depend
on what was asked beside it. The weights are digested as loaded and can be checked at any time. Code inside a model's
directory is never run, and nothing is downloaded. A model without a chat template gets the plain one of `plain_chat`.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rag_edit.core.decision import Message
from rag_edit.core.digest import Digest, digest_json
from rag_edit.core.errors import ModelMissingError, WeightsChangedError
from rag_edit.lm.digests import file_digest, weight_digest
from rag_edit.lm.errors import PromptTooLongError, UnreadableModelError
from rag_edit.lm.model import DEFAULT_NEW_TOKENS, Completion, FinishReason
from rag_edit.lm.transformers_import import quiet_transformers

if TYPE_CHECKING:
    import torch

FORMAT: Final = "rag-edit-lm-v1"  # raise it when the same files would write other words
_TURN_ENDS: Final = ("<|im_end|>", "<end_of_turn>", "<|eot_id|>", "<|end|>", "<|endoftext|>")
_PLAIN_STOPS: Final = ("\nUser:", "\nSystem:", "\nAssistant:")

Steer: TypeAlias = "Callable[[Sequence[int], torch.Tensor], torch.Tensor]"
"""``steer(written, logits)``: the tokens written so far and the (vocabulary,) logits of the next to the logits to choose by."""


def plain_chat(messages: Sequence[Message]) -> str:
    """Return the prompt for a model without a chat template: ``Role: content`` lines, ending in ``Assistant:``."""
    lines = [f"{message.role.capitalize()}: {message.content}" for message in messages]
    return "\n".join([*lines, "Assistant:"])


class LocalModel:
    """A `LanguageModel` over a directory. One generation at a time; further threads wait.

    Attributes:
        torch_model: The module itself, for hooks and adapters, which must leave it as they found it.
        tokenizer: Its tokenizer.
    """

    def __init__(self, directory: Path, *, cache: Path, name: str = "", threads: int | None = None) -> None:
        """Load and freeze the model.

        Args:
            directory: ``config.json``, safetensors and a tokenizer.
            cache: Where file digests are remembered.
            name: What a person calls it; the directory's name by default.
            threads: Threads for torch in this whole process; None leaves them as they are.

        Raises:
            ModelMissingError: no ``config.json`` there.
            UnreadableModelError: not a causal language model that transformers can read without foreign code.
            MissingExtraError: torch or transformers is not installed.
        """
        if not (directory / "config.json").is_file():
            raise ModelMissingError("a transformers model (config.json)", [str(directory)], hint="rag-edit doctor")
        transformers = quiet_transformers()
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        try:
            self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False
            )
            self.torch_model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False, dtype=torch.float32, use_safetensors=True
            )
        except (ValueError, OSError, KeyError, RuntimeError) as error:
            found = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}"
            raise UnreadableModelError(directory, "a causal language model in safetensors", found) from error
        self.torch_model.eval().requires_grad_(requires_grad=False)
        self._name = name or directory.name
        self._lock = threading.RLock()
        self._ends = self._end_tokens()
        self._limit = int(getattr(self.torch_model.config, "max_position_embeddings", 0) or 2**31)
        self._weights = self.weight_digest()
        vocabulary = [path for path in sorted(directory.glob("*token*")) if path.suffix == ".json"]
        vocabulary += [path for path in (directory / "chat_template.jinja",) if path.is_file()]
        self._digest = digest_json(
            {
                "format": FORMAT,
                "weights": self._weights,
                "config": file_digest(directory / "config.json", cache),
                "tokenizer": {path.name: file_digest(path, cache) for path in vocabulary},
                "decoding": {"method": "greedy", "ends": sorted(self._ends)},
            }
        )

    @property
    def name(self) -> str:
        """Return what a person calls the model."""
        return self._name

    @property
    def digest(self) -> Digest:
        """Return the name of weights, vocabulary, configuration and decoding together."""
        return self._digest

    @property
    def loaded_weights(self) -> Digest:
        """Return the digest of the weights as they were loaded."""
        return self._weights

    @property
    def ends(self) -> frozenset[int]:
        """Return every token that ends an answer."""
        return self._ends

    @property
    def has_chat_template(self) -> bool:
        """Return whether the tokenizer brings one."""
        return bool(self.tokenizer.chat_template)

    def weight_digest(self) -> Digest:
        """Return the digest of the parameters and buffers as they are now."""
        state = self.torch_model.state_dict()
        tied = {name: tensor for name, tensor in self.torch_model.named_parameters()}  # a tied head once  # noqa: C416
        buffers = {name: tensor for name, tensor in self.torch_model.named_buffers() if name in state}
        return weight_digest({**tied, **buffers}.items())

    def assert_unchanged(self) -> None:
        """Check that the weights are bit-equal to what was loaded and that none would take a gradient.

        Raises:
            WeightsChangedError: they are not.
        """
        found = self.weight_digest()
        if found != self._weights:
            raise WeightsChangedError(self._weights, found)
        if any(parameter.requires_grad for parameter in self.torch_model.parameters()):
            raise WeightsChangedError(self._weights, f"{found}, but no longer frozen")

    def chat_prompt(self, messages: Sequence[Message]) -> str:
        """Return the text that the model reads for a conversation."""
        if not messages:
            raise ValueError("a conversation needs a message")
        if not self.has_chat_template:
            return plain_chat(messages)
        turns = [{"role": message.role, "content": message.content} for message in messages]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads from the model while the block runs."""
        with self._lock:
            yield

    def prompt_ids(self, ask: "str | Sequence[Message]") -> list[int]:
        """Return the tokens that the model reads for a raw prompt or for a conversation."""
        if isinstance(ask, str):
            return self._read(ask, special=True)
        # a chat template writes its own special tokens
        return self._read(self.chat_prompt(ask), special=not self.has_chat_template)

    def write(
        self, ask: "str | Sequence[Message]", *, max_new_tokens: int = DEFAULT_NEW_TOKENS, steer: "Steer | None" = None
    ) -> Completion:
        """Return the answer to a raw prompt or to a conversation, its tokens chosen by what ``steer`` makes of the logits.

        Raises:
            PromptTooLongError: prompt and ``max_new_tokens`` do not fit the context.
        """
        stop = () if isinstance(ask, str) or self.has_chat_template else _PLAIN_STOPS
        return self._write(self.prompt_ids(ask), max_new_tokens, stop, steer)

    def logits(self, prompt: str) -> "torch.Tensor":
        """Return the (vocabulary,) float32 logits after a raw prompt."""
        import torch

        with self._lock, torch.inference_mode():
            result: torch.Tensor = self.torch_model(torch.tensor([self._read(prompt, special=True)])).logits[0, -1].clone()
        return result

    def complete(
        self, prompts: Sequence[str], *, max_new_tokens: int = DEFAULT_NEW_TOKENS, stop: Sequence[str] = ()
    ) -> list[Completion]:
        """Return one continuation a prompt, in order.

        Raises:
            PromptTooLongError: a prompt and ``max_new_tokens`` do not fit the context.
        """
        return [self._write(self._read(prompt, special=True), max_new_tokens, stop) for prompt in prompts]

    def chat(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int = DEFAULT_NEW_TOKENS) -> list[Completion]:
        """Return one assistant turn a conversation, in order.

        Raises:
            PromptTooLongError: a conversation and ``max_new_tokens`` do not fit the context.
        """
        return [self.write(messages, max_new_tokens=max_new_tokens) for messages in conversations]

    def tokens(self, prompt: Sequence[int], max_new_tokens: int, steer: "Steer | None" = None) -> Iterator[int]:
        """Yield the greedy continuation token by token, the end token last when there is one.

        Args:
            prompt: Token ids, at least one.
            max_new_tokens: The most tokens to yield.
            steer: Changes the logits before each choice; None leaves them.
        """
        import torch

        with self._lock, torch.inference_mode():
            ids, past = torch.tensor([list(prompt)]), None
            written: list[int] = []
            for _ in range(max_new_tokens):
                out = self.torch_model(ids, past_key_values=past, use_cache=True, logits_to_keep=1)
                logits = out.logits[0, -1]
                past, token = out.past_key_values, int((logits if steer is None else steer(written, logits)).argmax())
                written.append(token)
                yield token
                if token in self._ends:
                    return
                ids = torch.tensor([[token]])

    def _read(self, prompt: str, *, special: bool) -> list[int]:
        text = prompt.encode("utf-8", "replace").decode("utf-8")
        ids: list[int] = self.tokenizer(text, add_special_tokens=special)["input_ids"]
        if not ids:
            start = self.tokenizer.bos_token_id
            ids = [self.tokenizer.eos_token_id if start is None else start]
        return ids

    def _write(self, prompt: list[int], max_new_tokens: int, stop: Sequence[str], steer: "Steer | None" = None) -> Completion:
        if len(prompt) + max_new_tokens > self._limit:
            raise PromptTooLongError(self._name, len(prompt), max_new_tokens, self._limit)
        written: list[int] = []
        reason: FinishReason = "length"
        text = ""
        for token in self.tokens(prompt, max_new_tokens, steer):
            written.append(token)
            if token in self._ends:
                reason = "stop"
                break
            if stop:
                text = self._text(written)
                if any(mark in text for mark in stop):
                    reason = "stop"
                    break
        text = self._text(written)
        cut = min((text.find(mark) for mark in stop if mark in text), default=len(text))
        return Completion(text[:cut], reason, len(prompt), len(written))

    def _text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _end_tokens(self) -> frozenset[int]:
        """Return every token that ends an answer: as configured, and the ends of a turn that the vocabulary knows."""
        ends: set[int] = set()
        for source in (self.torch_model.generation_config, self.torch_model.config):
            named = getattr(source, "eos_token_id", None)
            ends.update(named if isinstance(named, list) else [] if named is None else [named])
        if self.tokenizer.eos_token_id is not None:
            ends.add(int(self.tokenizer.eos_token_id))
        special = set(self.tokenizer.all_special_tokens)
        added = {str(token) for token in self.tokenizer.added_tokens_decoder.values()}
        known = self.tokenizer.get_vocab()
        ends.update(int(known[mark]) for mark in _TURN_ENDS if mark in known and mark in special | added)
        return frozenset(ends)
