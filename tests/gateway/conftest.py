"""One upstream and one gateway in front of it for a whole file: starting them is what costs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.house import House, house
from tests.gateway.upstream import FakeUpstream, serving_upstream

DEPLOYMENTS = {
    "germany": {"upstream": "fake", "jurisdiction": "DE"},
    "austria": {"upstream": "fake", "jurisdiction": "AT"},
    "dach": {"upstream": "fake", "jurisdiction": "DE", "allowed": ["DE/*", "AT"]},
    "world": {"upstream": "fake"},
    "suffix": {"upstream": "fake", "jurisdiction": "DE", "cite": "suffix"},
    "bare": {"upstream": "fake", "jurisdiction": "DE", "cite": "header"},
    "shadow": {"upstream": "fake", "jurisdiction": "DE", "mode": "shadow"},
    "off": {"upstream": "fake", "jurisdiction": "DE", "mode": "off"},
    "half": {"upstream": "fake", "jurisdiction": "DE", "mode": "canary", "canary_percent": 50},
    "ground": {"upstream": "fake", "jurisdiction": "DE", "mode": "ground"},
    "french": {"upstream": "fake", "jurisdiction": "DE", "languages": ["fr"]},
    "untaxed": {"upstream": "fake", "jurisdiction": "DE", "exclude_topics": ["tax"]},
    "agents": {"upstream": "fake", "jurisdiction": "DE", "tools": "answer"},
    "dated": {"upstream": "fake", "jurisdiction": "DE", "date": "caller"},
    "home": {"jurisdiction": "DE"},
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with serving_upstream() as serving:
        yield serving


@pytest.fixture(scope="module")
def gate(upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home: Path = tmp_path_factory.mktemp("home")
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": {n: dict(d) for n, d in DEPLOYMENTS.items()}}
    with house(home, config) as running:
        yield running


@pytest.fixture(scope="session")
def client_at() -> Iterator[Callable[[str], Any]]:
    """The official client at any base URL, over one pool of connections: making one is slow."""
    import openai

    with openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="sk-test", max_retries=0) as client:
        yield lambda url: client.with_options(base_url=url)
