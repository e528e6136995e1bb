"""The local model on a two-layer Llama over bytes with random weights."""

from pathlib import Path

import pytest

from rag_edit.core.decision import Message
from rag_edit.core.errors import ModelMissingError, WeightsChangedError
from rag_edit.lm.errors import PromptTooLongError, UnreadableModelError
from rag_edit.lm.local import LocalModel, plain_chat
from tests.lm.tiny import write_language_model

pytestmark = pytest.mark.slow  # imports torch and transformers

TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}"
PROMPTS = ["The capital of", "x", "Grüße 日本", "", "one two three", "\ud800"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_language_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def model(directory: Path, cache: Path) -> LocalModel:
    return LocalModel(directory, cache=cache)


def test_what_is_written_is_what_the_bare_model_writes(model: LocalModel) -> None:
    import torch

    for prompt in PROMPTS[:3]:
        ids = model.tokenizer(prompt, return_tensors="pt").input_ids
        with torch.inference_mode():
            bare = model.torch_model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=20, pad_token_id=1
            )
        wanted = model.tokenizer.decode(bare[0, ids.shape[1] :], skip_special_tokens=True)
        assert model.complete([prompt], max_new_tokens=20)[0].text == wanted


def test_an_answer_does_not_depend_on_what_is_asked_beside_it(model: LocalModel) -> None:
    together = model.complete(PROMPTS, max_new_tokens=16)
    assert together == [model.complete([prompt], max_new_tokens=16)[0] for prompt in PROMPTS]
    assert together[::-1] == model.complete(PROMPTS[::-1], max_new_tokens=16)


def test_an_answer_ends_before_a_stop_string(model: LocalModel) -> None:
    (whole,) = model.complete(["The capital of"], max_new_tokens=20)
    mark = whole.text[5:7]
    (cut,) = model.complete(["The capital of"], max_new_tokens=20, stop=[mark, "never said"])
    assert cut.text == whole.text[: whole.text.index(mark)]
    assert cut.finish_reason == "stop"
    assert cut.completion_tokens < whole.completion_tokens


def test_the_limit_is_kept_and_told(model: LocalModel) -> None:
    (said,) = model.complete(["x"], max_new_tokens=3)
    assert (said.finish_reason, said.completion_tokens, said.prompt_tokens) == ("length", 3, 1)


def test_an_end_token_ends_the_answer_and_does_not_show(model: LocalModel) -> None:
    first = next(model.tokens(model._read("x", special=True), 1))
    model._ends = frozenset({first})
    (said,) = model.complete(["x"], max_new_tokens=9)
    assert (said.finish_reason, said.completion_tokens) == ("stop", 1)


def test_ends_are_the_configured_one_and_the_ends_of_a_turn(model: LocalModel) -> None:
    assert model._ends == {1, 2}


def test_a_prompt_that_does_not_fit_is_refused(model: LocalModel) -> None:
    with pytest.raises(PromptTooLongError, match="100 tokens of prompt and 64 of answer, the context holds 128"):
        model.complete(["x" * 100])


def test_a_model_without_a_template_gets_the_plain_one(model: LocalModel) -> None:
    turns = [Message("system", "Be brief."), Message("user", "Hi")]
    assert model.chat_prompt(turns) == plain_chat(turns) == "System: Be brief.\nUser: Hi\nAssistant:"
    assert model.chat([turns], max_new_tokens=8)[0].text == model.complete([plain_chat(turns)], max_new_tokens=8)[0].text


def test_a_model_with_a_template_gets_its_own(tmp_path: Path, cache: Path) -> None:
    model = LocalModel(write_language_model(tmp_path / "m", template=TEMPLATE), cache=cache)
    assert model.has_chat_template
    assert model.chat_prompt([Message("user", "Hi")]) == "<user>Hi<a>"


def test_an_empty_conversation_is_the_callers_mistake(model: LocalModel) -> None:
    with pytest.raises(ValueError, match="needs a message"):
        model.chat([[]])


def test_using_a_model_changes_none_of_its_weights(model: LocalModel) -> None:
    before = model.logits("The capital of")
    model.chat([[Message("user", "Hi")]], max_new_tokens=8)
    model.complete(PROMPTS, max_new_tokens=8)
    model.assert_unchanged()
    assert bool((model.logits("The capital of") == before).all())


def test_one_changed_weight_is_noticed(model: LocalModel) -> None:
    import torch

    weight = next(model.torch_model.parameters())
    with torch.no_grad():
        weight[3, 3] += 1e-6
    with pytest.raises(WeightsChangedError):
        model.assert_unchanged()


def test_a_model_that_would_learn_is_noticed(model: LocalModel) -> None:
    model.torch_model.requires_grad_(True)
    with pytest.raises(WeightsChangedError, match="no longer frozen"):
        model.assert_unchanged()


def test_the_digest_feels_weights_and_template_and_nothing_else(tmp_path: Path, directory: Path, cache: Path) -> None:
    first = LocalModel(directory, cache=cache)
    same = LocalModel(write_language_model(tmp_path / "same"), cache=cache)
    other = LocalModel(write_language_model(tmp_path / "other", seed=1), cache=cache)
    spoken = LocalModel(write_language_model(tmp_path / "spoken", template=TEMPLATE), cache=cache)
    assert first.digest == same.digest
    assert first.loaded_weights == spoken.loaded_weights
    assert len({first.digest, other.digest, spoken.digest}) == 3


def test_a_directory_without_a_model_is_a_clear_error(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ModelMissingError):
        LocalModel(tmp_path, cache=cache)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UnreadableModelError):
        LocalModel(tmp_path, cache=cache)


def test_code_in_a_models_directory_is_never_run(tmp_path: Path, cache: Path) -> None:
    directory = write_language_model(tmp_path / "m")
    config = (directory / "config.json").read_text(encoding="utf-8")
    auto = '{"auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}, "model_type": "evil",'
    (directory / "config.json").write_text(config.replace('"model_type": "llama",', "").replace("{", auto, 1), encoding="utf-8")
    (directory / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    with pytest.raises(UnreadableModelError):
        LocalModel(directory, cache=cache)
    assert not (tmp_path / "ran").exists()


def test_pickled_weights_are_not_read(tmp_path: Path, cache: Path) -> None:
    directory = write_language_model(tmp_path / "m")
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")
    with pytest.raises(UnreadableModelError):
        LocalModel(directory, cache=cache)
