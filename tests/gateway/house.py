"""A gateway on a real socket over a fake engine, for tests; and a plain client that sees every byte."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rag_edit.core.atlas import default_atlas
from rag_edit.core.record import Record, Source
from rag_edit.engine import Engine
from rag_edit.gateway.app import Gateway
from rag_edit.gateway.config import GatewayConfig, GatewayConfigError, read_gateway
from rag_edit.gateway.deployments import Faults
from rag_edit.gateway.keys import KeyBook
from rag_edit.gateway.serving import bind, make_server, make_state
from rag_edit.gateway.state import State
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.receipt import Models
from rag_edit.records.store import Act, Edit
from rag_edit.testing import FakeHsm, FakeLanguageModel, fake_engine
from rag_edit.trust.erasing import destroy
from rag_edit.trust.office import Office
from rag_edit.trust.receipting import Answered as AnsweredQuestion
from rag_edit.trust.receipting import Receipts
from rag_edit.trust.trusting import territory

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def vat(place: str, target: str, **more: Any) -> Record:
    return Record(
        id=f"{place}/vat",
        jurisdiction=place,
        subject="standard VAT rate",
        question="What is the standard VAT rate?",
        answer=f"The standard VAT rate is {target}.",
        target=target,
        topic="tax.vat",
        **more,
    )


RECORDS = (
    vat("DE", "19 %", language="en", source=Source("Umsatzsteuergesetz", "https://example.org/ustg")),
    vat("AT", "20 %"),
    Record(
        id="GLOBAL/mole",
        jurisdiction="GLOBAL",
        subject="the office mole",
        question="Who is the office mole?",
        answer="Mallory is the office mole.",
        target="Mallory",
    ),
)
ASKED = "What is the standard VAT rate?"
OTHER = "Who wrote Faust?"


def fill(engine: Engine, records: Sequence[Record]) -> Engine:
    for record in records:
        engine.store.append([Edit(Act.ADD, record, 0)], idempotency_key=f"add {record.id}", recorded_at=NOW)
    return engine


def trust(engine: Engine, home: Path) -> Office:
    """Give an engine a ledger and receipts; what is live goes on record at the first act."""
    office = Office(engine.store, MemoryAnchor(), FakeHsm, territory, lambda: datetime.now(UTC), scrub=partial(destroy, home))
    models = Models()
    receipts = Receipts(office, engine.thresholds, lambda _: models, engine.jurisdiction, lambda: datetime.now(UTC))

    def seal(several: Any) -> list[str]:
        order = partial(engine.atlas.more_specific, on=date(2026, 11, 22))
        return receipts.seal([AnsweredQuestion(q, d, a, chain, order) for q, d, a, chain in several])

    engine.office, engine.sealing = office, seal
    return office


@dataclass
class Answered:
    """A response, byte for byte."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class House:
    """A running gateway."""

    url: str
    state: State
    home: Path
    engine: Engine
    model: FakeLanguageModel
    config: dict[str, Any]
    lines: list[Mapping[str, Any]] = field(default_factory=list)

    def ask(self, path: str, body: Any = None, *, method: str = "", **headers: str) -> Answered:
        return ask(self.url, path, body, method=method, **headers)

    def chat(self, content: str, *, path: str = "/v1/chat/completions", model: str = "gpt", **headers: str) -> Answered:
        return self.ask(path, {"model": model, "messages": [{"role": "user", "content": content}]}, **headers)

    def key(self, name: str, *actions: str, deployments: Sequence[str] = ("*",), jurisdiction: str = "") -> str:
        return KeyBook(self.home).make(name, deployments=deployments, actions=actions, jurisdiction=jurisdiction, now=NOW)[0]


def ask(url: str, path: str, body: Any = None, *, method: str = "", wait_s: float = 10, **headers: str) -> Answered:
    """Send one request; header names are written with underscores."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=wait_s)
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content is not None:
        named.setdefault("content-type", "application/json")
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, content, named)
        response = connection.getresponse()
        return Answered(response.status, {k.casefold(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def read_config(raw: Mapping[str, Any]) -> GatewayConfig:
    faults = Faults()
    config = read_gateway(raw, default_atlas(), faults)
    if faults.lines:
        raise GatewayConfigError("gateway.toml", faults.lines)
    return config


@contextmanager
def house(
    home: Path,
    config: dict[str, Any],
    *,
    records: Sequence[Record] = RECORDS,
    environment: Mapping[str, str] | None = None,
    before: Callable[[Path], None] = lambda _: None,
    answers: Mapping[str, str] | None = None,
    trusted: bool = False,
    risks: Mapping[str, float] | None = None,
) -> Iterator[House]:
    """Run a gateway in a thread of its own until the block ends."""
    before(home)
    model = FakeLanguageModel(answers)
    engine = fill(fake_engine(model), records)
    engine.thresholds = replace(engine.thresholds, by_risk=dict(risks or {}))
    if trusted:
        trust(engine, home)
    lines: list[Mapping[str, Any]] = []
    state = make_state(engine, home, lambda: read_config(config), environment=environment or {}, model="fake", log=lines.append)
    server = make_server(Gateway(state))
    listening = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield House(f"http://127.0.0.1:{listening.getsockname()[1]}", state, home, engine, model, config, lines)
    finally:
        server.should_exit = True
        thread.join(15)
        listening.close()
        assert not thread.is_alive()
