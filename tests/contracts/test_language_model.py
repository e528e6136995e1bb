"""What every language model does. One suite for the fake, a server and a local model."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from rag_edit.core.decision import Message
from rag_edit.lm.model import LanguageModel
from rag_edit.lm.remote import UpstreamModel
from rag_edit.testing import FakeLanguageModel
from tests.lm.tiny import write_language_model
from tests.lm.upstream_server import serving

CHATS = [[Message("user", text)] for text in ("one two three", "four", "five six")]


@contextmanager
def fake(_: Path) -> Iterator[LanguageModel]:
    yield FakeLanguageModel({"four": "a known answer, and more."})


@contextmanager
def upstream(_: Path) -> Iterator[LanguageModel]:
    with serving() as server:
        model = UpstreamModel(server.url, "m")
        yield model
        model.upstream.close()


@contextmanager
def local(root: Path) -> Iterator[LanguageModel]:
    from rag_edit.lm.local import LocalModel

    yield LocalModel(write_language_model(root / "model"), cache=root)


MODELS: dict[str, Callable[[Path], AbstractContextManager[LanguageModel]]] = {"fake": fake, "upstream": upstream}


@pytest.fixture(
    scope="module",
    params=[
        *(pytest.param(made, id=name) for name, made in MODELS.items()),
        pytest.param(local, id="local", marks=pytest.mark.slow),
    ],
)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageModel]:
    with request.param(tmp_path_factory.mktemp("model")) as opened:
        yield opened


def test_it_has_a_name_and_a_tagged_digest_that_stays(model: LanguageModel) -> None:
    assert model.name
    assert model.digest.startswith("sha256:")
    before = model.digest
    model.chat(CHATS, max_new_tokens=4)
    assert model.digest == before


def test_there_is_one_answer_a_conversation_in_order(model: LanguageModel) -> None:
    together = model.chat(CHATS, max_new_tokens=12)
    assert together == [model.chat([messages], max_new_tokens=12)[0] for messages in CHATS]


def test_there_is_one_continuation_a_prompt_in_order(model: LanguageModel) -> None:
    prompts = ["one two", "three", "four five six"]
    together = model.complete(prompts, max_new_tokens=12)
    assert together == [model.complete([prompt], max_new_tokens=12)[0] for prompt in prompts]


def test_the_same_question_gets_the_same_answer(model: LanguageModel) -> None:
    assert model.chat(CHATS, max_new_tokens=8) == model.chat(CHATS, max_new_tokens=8)


def test_nothing_asked_is_nothing_answered(model: LanguageModel) -> None:
    assert model.chat([]) == []
    assert model.complete([]) == []


def test_an_answer_that_is_cut_says_so(model: LanguageModel) -> None:
    assert [said.finish_reason for said in model.complete(["one two three"], max_new_tokens=1)] == ["length"]


def test_an_answer_ends_before_a_stop_string(model: LanguageModel) -> None:
    (whole,) = model.complete(["one two three"], max_new_tokens=12)
    mark = whole.text[2:4]
    (cut,) = model.complete(["one two three"], max_new_tokens=12, stop=[mark])
    assert cut.text == whole.text[: whole.text.index(mark)]
    assert cut.finish_reason == "stop"


def test_an_empty_conversation_is_the_callers_mistake(model: LanguageModel) -> None:
    with pytest.raises(ValueError, match="needs a message"):
        model.chat([[]])
