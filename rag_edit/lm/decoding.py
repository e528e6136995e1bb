"""Decoding that obeys a record: the target's words forced where the answer stands, the prior refused, the record's context amplified.

A `Steer` (see `lm.local`) sees the tokens written and the logits, and returns logits; greedy choice follows. `SpanForcing` and
`Contrast` are two; `chained` puts several in a row. `constrained` is the whole rung: the model writes freely; where that does
not hold, its own draft is kept up to the place where the answer belongs and the target is written there. Works on texts, not on
records: what counts as an answer that holds is the caller's function.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from rag_edit.lm.model import DEFAULT_NEW_TOKENS, Completion

if TYPE_CHECKING:
    from torch import Tensor

    from rag_edit.lm.edit_task import Ask
    from rag_edit.lm.local import LocalModel, Steer

How = Literal["free", "forced", "target"]
_PLACES: Final = 3  # places in a draft at which the target is tried, besides the prior's
_TAIL_TOKENS: Final = 48  # how far back a refused text is looked for
_MOST_REFUSED: Final = 64  # tokens refused in one step before the choice is left as it is
_RUNS_ON: Final = re.compile(r"\w|[.,:/'’-](?=\w)")  # what behind a target would make another word or number of it


@dataclass(frozen=True, slots=True)
class Constrained:
    """An answer that was held to a target.

    Attributes:
        completion: The text and its cost; tokens of drafts are not counted.
        how: ``free`` where the model's own draft held, ``forced`` where the target was put into it, ``target`` where nothing but the target is said.
        held: Whether the caller's function accepts the text.
        drafts: How many texts were written for it.
    """

    completion: Completion
    how: How
    held: bool
    drafts: int


class SpanForcing:
    """Write a beginning as it stands, then one of several spans, then go on freely, never writing a refused text.

    A pure function of what is written: the same tokens give the same choice.
    """

    def __init__(
        self,
        decode: Callable[[Sequence[int]], str],
        spans: Sequence[Sequence[int]],
        *,
        prefix: Sequence[int] = (),
        refused: Sequence[str] = (),
    ) -> None:
        """Take what is forced and what is refused.

        Args:
            decode: Token ids to text.
            spans: Token sequences of which one is written, each at least one token; the model chooses among them.
            prefix: Tokens that are written first.
            refused: Texts that are not written as words of their own behind the prefix, whatever their case.
        """
        if not spans or not all(spans):
            raise ValueError("wanted at least one span of at least one token")
        self._decode, self._prefix = decode, tuple(prefix)
        self._spans = [tuple(span) for span in spans]
        self._trie = trie_of(self._spans)
        self._refused = _words_of(refused)

    def __call__(self, written: Sequence[int], logits: "Tensor") -> "Tensor":
        """Return the logits with all but the allowed tokens at minus infinity."""
        at = len(written)
        if at < len(self._prefix):
            return _only(logits, [self._prefix[at]])
        behind = tuple(written[len(self._prefix) :])
        node: Mapping[int, Trie] | None = self._trie
        for token in behind:
            node = node.get(token) if node else None
        done = [span for span in self._spans if behind[: len(span)] == span]
        if node and not done:
            return _only(logits, list(node))
        longest = max((len(span) for span in done), default=0)
        if node:  # a target is complete and a longer one begins with it: the model may go on or leave
            return logits
        return _without(logits, lambda token: self._breaks(written, behind[longest:], token))

    def _breaks(self, written: Sequence[int], since: Sequence[int], token: int) -> bool:
        """Return whether a token would run the target on into another word, or complete a refused text."""
        if _RUNS_ON.match(self._decode([*since, token])) and not _RUNS_ON.match(self._decode(since)):
            return True
        if self._refused is None:
            return False
        tail = written[max(len(self._prefix), len(written) - _TAIL_TOKENS) :]
        return bool(self._refused.search(self._decode([*tail, token])))


class Contrast:
    """Context-aware decoding: what the record's context adds to the model's belief is amplified. One object a generation.

    Logits become ``(1 + alpha) * log p(with) - alpha * log p(without)``; tokens that are far from likely with the context stay out.

    Source: Shi et al. 2023 (arXiv:2305.14739), eq. 3; the plausibility cut: Li et al. 2022 (arXiv:2210.15097), eq. 2.
    """

    def __init__(self, model: "LocalModel", without: "Ask", *, alpha: float, plausible: float = 0.1) -> None:
        """Take what the model reads without the record.

        Args:
            model: The same that writes.
            without: The prompt or conversation without the record.
            alpha: At least 0; 0 leaves the order of the plausible tokens.
            plausible: Share of the likeliest token's probability below which a token is out, 0 to 1.
        """
        if alpha < 0 or not 0 <= plausible <= 1:
            raise ValueError(f"wanted alpha >= 0 and plausible in [0, 1], found {alpha} and {plausible}")
        self._model, self._next, self._seen = model, model.prompt_ids(without), 0
        self._alpha, self._plausible = alpha, plausible
        self._past: object = None

    def __call__(self, written: Sequence[int], logits: "Tensor") -> "Tensor":
        """Return the contrasted logits.

        Raises:
            ValueError: called for another generation, or out of order.
        """
        import torch

        if len(written) != self._seen:
            raise ValueError("a Contrast serves one generation, token by token")
        ids = [*self._next, *written[-1:]] if self._seen == 0 else [written[-1]]
        out = self._model.torch_model(torch.tensor([ids]), past_key_values=self._past, use_cache=True, logits_to_keep=1)
        self._past, self._seen = out.past_key_values, self._seen + 1
        return contrast(logits, out.logits[0, -1], alpha=self._alpha, plausible=self._plausible)


def contrast(with_context: "Tensor", without: "Tensor", *, alpha: float, plausible: float) -> "Tensor":
    """Return contrasted logits, (vocabulary,), from two of the same shape; see `Contrast`."""
    import math

    from torch import log_softmax

    known, bare = log_softmax(with_context, -1), log_softmax(without, -1)
    mixed = (1 + alpha) * known - alpha * bare
    if plausible == 0:
        return mixed
    return mixed.masked_fill(known < known.max() + math.log(plausible), float("-inf"))


def chained(*steers: "Steer") -> "Steer":
    """Return the steer that applies each to what the one before made."""

    def steer(written: Sequence[int], logits: "Tensor") -> "Tensor":
        for each in steers:
            logits = each(written, logits)
        return logits

    return steer


def constrained(
    model: "LocalModel",
    ask: "Ask",
    targets: Sequence[str],
    accepts: Callable[[str], bool],
    *,
    refused: Sequence[str] = (),
    max_new_tokens: int = DEFAULT_NEW_TOKENS,
    contrasted: Callable[[], "Steer"] | None = None,
) -> Constrained:
    """Return an answer that states a target, by the lightest hand that holds.

    (1) The model's own draft. (2) The draft up to where the prior stands in it, then a target, then freely on without the prior.
    (3) The same at the places where the target is likeliest. (4) The target alone. The last always states it.

    Args:
        model: Writes; with an adapter where one is attached.
        ask: What it reads, the record's context included.
        targets: The texts of which one must be said, the first preferred where only one can be.
        accepts: Whether a text holds.
        refused: The prior, in its spellings.
        max_new_tokens: Of each text.
        contrasted: Makes a fresh `Contrast` for each text, where wanted.
    """
    if not targets:
        raise ValueError("wanted a target")
    seen = _Watch([_ids(model, text, spaced=spaced)[0] for text in targets for spaced in (False, True)])
    drafts = 0

    def write(steer: "Steer") -> Completion:
        nonlocal drafts
        drafts += 1
        return model.write(ask, max_new_tokens=max_new_tokens, steer=chained(contrasted(), steer) if contrasted else steer)

    free = write(seen)
    if accepts(free.text):
        return Constrained(free, "free", held=True, drafts=drafts)
    draft = [token for token in seen.written if token not in model.ends]
    words = _words_of(refused)
    for at in _places(model, draft, seen.likelihoods, words):
        prefix = draft[:at]
        spans = [_ids(model, text, spaced=_spaced(model, ask, prefix)) for text in targets]
        forced = write(SpanForcing(lambda ids: _text(model, ids), spans, prefix=prefix, refused=refused))
        if accepts(forced.text):
            return Constrained(forced, "forced", held=True, drafts=drafts)
    alone = [*_ids(model, targets[0], spaced=_spaced(model, ask, ())), min(model.ends)]
    said = write(SpanForcing(lambda ids: _text(model, ids), [alone]))
    return Constrained(said, "target", held=accepts(said.text), drafts=drafts)


class _Watch:
    """A steer that changes nothing and keeps, for each step, how likely a target could begin there."""

    def __init__(self, roots: Sequence[int]) -> None:
        self._roots = sorted(set(roots))
        self.likelihoods: list[float] = []
        self.written: list[int] = []

    def __call__(self, written: Sequence[int], logits: "Tensor") -> "Tensor":
        self.likelihoods.append(float(logits.log_softmax(-1)[self._roots].max()))
        self.written = [*written, int(logits.argmax())]
        return logits


Trie = dict[int, "Trie"]


def trie_of(spans: Sequence[Sequence[int]]) -> "Mapping[int, Trie]":
    """Return nested mappings from token to what may follow it; an empty one ends a span."""
    root: Trie = {}
    for span in spans:
        node = root
        for token in span:
            node = node.setdefault(token, {})
    return root


def _places(
    model: "LocalModel", draft: Sequence[int], likelihoods: Sequence[float], words: "re.Pattern[str] | None"
) -> list[int]:
    """Return the places in a draft to put the target: where the prior begins, then where a target is likeliest."""
    found: list[int] = []
    if words is not None and (hit := words.search(_text(model, draft))):
        found.append(next(i for i in range(len(draft)) if len(_text(model, draft[: i + 1])) > hit.start()))
    ranked = sorted(range(min(len(draft) + 1, len(likelihoods))), key=lambda i: (-likelihoods[i], i))
    return list(dict.fromkeys([*found, *ranked[:_PLACES]]))


def _words_of(texts: Sequence[str]) -> "re.Pattern[str] | None":
    """Return the pattern that finds any of the texts as words of their own, whatever their case; None without texts."""
    given = [re.escape(text.strip()) for text in texts if text.strip()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(given)})(?!\w)", re.IGNORECASE) if given else None


def _spaced(model: "LocalModel", ask: "Ask", prefix: Sequence[int]) -> bool:
    """Return whether a word behind ``prefix`` needs a space before it."""
    before = _text(model, prefix) if prefix else ask if isinstance(ask, str) else model.chat_prompt(ask)
    return bool(before) and not before[-1].isspace() and before[-1] not in "([{\"“«„'‘"


def _ids(model: "LocalModel", text: str, *, spaced: bool) -> list[int]:
    ids: list[int] = model.tokenizer(f" {text.strip()}" if spaced else text.strip(), add_special_tokens=False)["input_ids"]
    return ids


def _text(model: "LocalModel", ids: Sequence[int]) -> str:
    return str(model.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _only(logits: "Tensor", tokens: Sequence[int]) -> "Tensor":
    kept = logits.new_full(logits.shape, float("-inf"))
    kept[list(tokens)] = logits[list(tokens)].clamp_min(-1e30)  # what another steer ruled out is still to be chosen from here
    return kept


def _without(logits: "Tensor", refuses: Callable[[int], bool]) -> "Tensor":
    """Return logits whose likeliest token is not refused; after many refusals, as they came."""
    left = logits
    for _ in range(_MOST_REFUSED):
        token = int(left.argmax())
        if not refuses(token):
            return left
        left = left.clone() if left is logits else left
        left[token] = float("-inf")
    return logits
