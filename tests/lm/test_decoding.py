"""Decoding that obeys, on a two-layer Llama over bytes with random weights: what it writes by itself is noise, so obeying shows."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.decision import Message
from rag_edit.lm.decoding import Contrast, SpanForcing, _places, _words_of, chained, constrained, contrast, trie_of
from rag_edit.lm.local import LocalModel
from tests.lm.tiny import write_language_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # imports torch and transformers

ASK = (Message("user", "Hi"),)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    root = tmp_path_factory.mktemp("tiny")
    return LocalModel(write_language_model(root / "model"), cache=root)


def ids(model: LocalModel, text: str) -> list[int]:
    return model.tokenizer(text, add_special_tokens=False)["input_ids"]


def text(model: LocalModel, tokens: Sequence[int]) -> str:
    return str(model.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))


@given(
    target=st.sampled_from(["Rome", "19 %", "a", "New York"]), prefix=st.sampled_from(["", "It is", "x. "]), alias=st.booleans()
)
@settings(max_examples=12, deadline=None)
def test_the_beginning_and_then_a_target_are_written(model: LocalModel, target: str, prefix: str, alias: bool) -> None:
    spans = [target, "Roma"] if alias else [target]
    steer = SpanForcing(lambda t: text(model, t), [ids(model, f" {s}") for s in spans], prefix=ids(model, prefix))
    said = model.write(ASK, max_new_tokens=24, steer=steer).text
    assert any(said.startswith(f"{prefix} {span}") for span in spans)


def test_behind_a_target_no_word_runs_on(model: LocalModel) -> None:
    import torch

    steer = SpanForcing(lambda t: text(model, t), [ids(model, "19")])
    written, word, dot = ids(model, "19"), ids(model, "5")[0], ids(model, ".")[0]
    logits = torch.zeros(model.torch_model.config.vocab_size)
    logits[word] = 9.0
    logits[dot] = 8.0
    assert int(steer(written, logits).argmax()) == dot
    assert int(steer([*written, dot], logits).argmax()) == dot  # "19.5" would be another number


@pytest.mark.parametrize("prior", ["Paris", "PARIS", " paris "], ids=["as written", "another case", "with space round it"])
def test_a_refused_text_is_not_written(model: LocalModel, prior: str) -> None:
    import torch

    steer = SpanForcing(lambda t: text(model, t), [ids(model, "Rome")], refused=[prior])
    written = [*ids(model, "Rome"), *ids(model, " Pari")]
    logits = torch.zeros(model.torch_model.config.vocab_size)
    logits[ids(model, "s")[0]] = 9.0
    logits[ids(model, "t")[0]] = 8.0
    assert int(steer(written, logits).argmax()) == ids(model, "t")[0]
    assert (
        int(steer([*ids(model, "Rome, x"), *ids(model, "Pari")], logits).argmax()) == ids(model, "s")[0]
    )  # "xParis" is another word


def test_a_target_that_begins_another_may_end_or_go_on(model: LocalModel) -> None:
    assert trie_of([[1, 2], [1, 2, 3], [4]]) == {1: {2: {3: {}}}, 4: {}}


def test_what_holds_already_is_left_as_the_model_wrote_it(model: LocalModel) -> None:
    free = model.chat([ASK], max_new_tokens=12)[0]
    found = constrained(model, ASK, ["Rome"], lambda _: True, max_new_tokens=12)
    assert (found.completion, found.how, found.held, found.drafts) == (free, "free", True, 1)


def test_a_draft_that_does_not_hold_gets_the_target(model: LocalModel) -> None:
    found = constrained(model, ASK, ["Rome"], lambda said: "Rome" in said, max_new_tokens=24)
    assert "Rome" in found.completion.text
    assert (found.how, found.held) == ("forced", True)


def test_the_prior_is_replaced_where_it_stood(model: LocalModel) -> None:
    draft = ids(model, "It is Paris, I say")
    at, *_ = _places(model, draft, [0.0] * len(draft), _words_of(["Paris"]))
    assert text(model, draft[:at]).rstrip() == "It is"


def test_where_nothing_else_holds_the_target_alone_is_said(model: LocalModel) -> None:
    found = constrained(model, ASK, ["Rome"], lambda said: said.strip() == "Rome", max_new_tokens=24)
    assert (found.completion.text.strip(), found.how, found.held) == ("Rome", "target", True)
    assert found.completion.finish_reason == "stop"


def test_what_never_holds_says_so(model: LocalModel) -> None:
    found = constrained(model, ASK, ["Rome"], lambda _: False, max_new_tokens=8)
    assert (found.how, found.held) == ("target", False)


def test_a_contrast_of_nothing_changes_no_choice(model: LocalModel) -> None:
    bare = model.chat([ASK], max_new_tokens=10)[0]
    assert model.write(ASK, max_new_tokens=10, steer=Contrast(model, ASK, alpha=0.7)) == bare
    other = (Message("user", "something else"),)
    assert model.write(ASK, max_new_tokens=10, steer=Contrast(model, other, alpha=0.0)) == bare


@given(st.integers(0, 1000), st.floats(0, 3), st.floats(0.01, 1))
@settings(max_examples=20, deadline=None)
def test_a_contrast_prefers_what_the_context_adds_among_the_plausible(seed: int, alpha: float, plausible: float) -> None:
    import torch

    generator = torch.Generator().manual_seed(seed)
    known, bare = torch.randn(2, 9, generator=generator)
    mixed = contrast(known, bare, alpha=alpha, plausible=plausible)
    chances = known.softmax(-1)
    assert bool((mixed.isfinite() == (chances >= plausible * chances.max() * (1 - 1e-6))).all()) or plausible == 1
    chosen = int(mixed.argmax())
    top = int(known.argmax())
    gain = (known - bare)[chosen] - (known - bare)[top]
    assert chosen == top or float(gain) > 0


def test_a_contrast_serves_one_generation(model: LocalModel) -> None:
    steer = Contrast(model, ASK, alpha=0.5)
    model.write(ASK, max_new_tokens=3, steer=steer)
    with pytest.raises(ValueError, match="one generation"):
        model.write(ASK, max_new_tokens=3, steer=steer)


def test_steers_are_applied_in_order(model: LocalModel) -> None:
    import torch

    steer = chained(lambda _, logits: logits + 1, lambda _, logits: logits * 2)
    assert float(steer([], torch.zeros(1))[0]) == 2.0
