"""What the gateway is running on: one immutable snapshot of the configuration, swapped as a whole, and what outlives it.

A reload that fails keeps the snapshot in force and says why. Requests that have begun end on the snapshot they began with.
"""

import asyncio
import hmac
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rag_edit.config import Settings, load_settings
from rag_edit.core.errors import ConfigError, RagEditError
from rag_edit.core.jurisdiction import Atlas
from rag_edit.gateway.actions import GRANTABLE
from rag_edit.gateway.config import GatewayConfig, GatewayConfigError, SignerSpec
from rag_edit.gateway.issuer import Issuer
from rag_edit.gateway.jobs import Jobs
from rag_edit.gateway.kept import KeptResponses
from rag_edit.gateway.keys import ANY, OPERATOR, Key, KeyBook, digest_of
from rag_edit.gateway.lane import Lane
from rag_edit.gateway.limits import Rate
from rag_edit.gateway.metrics import Metrics
from rag_edit.gateway.passing import Upstream
from rag_edit.gateway.problems import Refusal
from rag_edit.gateway.tracing import Tracing, no_tracing
from rag_edit.provenance.keyfile import read_passphrase
from rag_edit.provenance.signer import Signer
from rag_edit.scope.calibration import Thresholds
from rag_edit.trust.signing import person_signer

LOG = logging.getLogger("rag_edit.gateway")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One configuration and the clients made for it."""

    config: GatewayConfig
    upstreams: Mapping[str, Upstream]
    issuer: Issuer | None = None


def make_snapshot(
    config: GatewayConfig, environment: Mapping[str, str], before: Snapshot | None = None, *, home: Path = Path()
) -> Snapshot:
    """Return a snapshot; clients whose upstream has not changed are taken over from the one before.

    Raises:
        GatewayConfigError: a key's environment variable is not set.
    """
    upstreams: dict[str, Upstream] = {}
    faults: list[str] = []
    for name, spec in config.upstreams.items():
        key = environment.get(spec.key_env, "") if spec.key_env else ""
        if spec.key_env and not key:
            faults.append(f"upstream.{name}.key_env: wanted the environment variable {spec.key_env}, found it unset")
        old = before.upstreams.get(name) if before else None
        upstreams[name] = old if old is not None and old.spec == spec and old.key == key else Upstream(spec, key)
    if faults:
        raise GatewayConfigError("gateway", faults)
    issuer = before.issuer if before is not None else None
    if config.issuer is None or issuer is None or issuer.spec != config.issuer:
        issuer = Issuer(config.issuer, home) if config.issuer is not None else None
    return Snapshot(config, MappingProxyType(upstreams), issuer)


@dataclass(slots=True)
class State:
    """Everything that requests share.

    Attributes:
        lane: The engine.
        atlas: Jurisdictions.
        keys: API keys.
        snapshot: The configuration in force.
        load: Reads the configuration anew.
        model: What the home's own model is called.
        today: The clock for questions that name no day.
        now_s: Seconds since 1970, for objects that carry a time.
        kept: Responses that records gave, for the turn after them.
        jobs: Long work.
        measuring: Held while a change is measured.
        thresholds: Where the engine cuts: deployments may ask for the risks that it has cuts for.
        trace: Gets what each request came to, for spans.
        forget: Called when a record was erased: other processes of this server must not remember it.
        operator_digest: Of the key that this process made for whoever can read the home; empty: none was made.
        log: Gets one mapping of plain values a request; never its content.
    """

    lane: Lane
    atlas: Atlas
    keys: KeyBook
    snapshot: Snapshot
    load: Callable[[], GatewayConfig]
    model: str = "local"
    today: Callable[[], date] = date.today
    now_s: Callable[[], float] = time.time
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    log: Callable[[Mapping[str, Any]], None] = lambda _: None
    metrics: Metrics = field(default_factory=Metrics)
    rate: Rate = field(default_factory=lambda: Rate(time.monotonic))
    kept: KeptResponses = field(default_factory=KeptResponses)
    jobs: Jobs = field(default_factory=Jobs)
    measuring: asyncio.Lock = field(default_factory=asyncio.Lock)
    thresholds: Thresholds | None = None
    trace: Tracing = no_tracing
    forget: Callable[[], None] = lambda: None
    operator_digest: str = ""
    in_flight: int = 0
    draining: bool = False
    warm: bool = True
    _reloading: threading.Lock = field(default_factory=threading.Lock)
    _signers: dict[SignerSpec, Signer] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """Return the home's directory."""
        return self.keys.path.parent

    @property
    def settings(self) -> Settings:
        """Return the home's settings, as the file has them now."""
        return load_settings(self.home, self.environment)

    def signer_of(self, name: str) -> Signer:
        """Return the signer of somebody who has their own.

        Raises:
            Refusal: the configuration has none of that name.
            KeyFileError: it cannot be opened.
        """
        spec = self.snapshot.config.signers.get(name)
        if spec is None:
            raise Refusal(409, "unknown_signer", "the signer of this key is not configured")
        if spec not in self._signers:
            passphrase = self.home / Path(spec.passphrase_file).expanduser()
            self._signers[spec] = person_signer(
                self.home / Path(spec.key_file).expanduser(), lambda: read_passphrase(passphrase)
            )
        return self._signers[spec]

    def operator(self, token: str) -> Key | None:
        """Return what the key of this process may do, where ``token`` is it."""
        if not self.operator_digest or not hmac.compare_digest(digest_of(token), self.operator_digest):
            return None
        return Key(OPERATOR, self.operator_digest, (ANY,), frozenset(GRANTABLE), kind=OPERATOR)

    def check_open(self) -> None:
        """Check that nobody beyond this machine is let in without a key.

        Raises:
            ConfigError: the address is not loopback and no key was made.
        """
        server = self.snapshot.config.server
        if not server.is_loopback and not self.keys.in_force:
            raise ConfigError(
                f"serve: wanted an API key before listening on {server.host}, found none",
                hint="rag-edit key create NAME, or listen on 127.0.0.1",
            )

    def check_risks(self, config: GatewayConfig) -> None:
        """Check that there is a cut for the risk of each deployment.

        Raises:
            GatewayConfigError: there is none.
        """
        faults = []
        for spec in config.deployments.values():
            try:
                if self.thresholds is not None:
                    self.thresholds.at(spec.risk)
            except ConfigError as error:
                faults.append(f"deployment.{spec.name}.{error.message}; {error.hint}")
        if faults:
            raise GatewayConfigError("gateway", faults)

    async def reload(self) -> GatewayConfig:
        """Read the configuration anew and put it into force as a whole.

        Raises:
            RagEditError: it does not hold; the one in force stays.
        """
        try:
            config = await asyncio.to_thread(self.load)
            self.check_risks(config)
            with self._reloading:
                before = self.snapshot
                address = before.config.server
                config = config.with_server(host=address.host, port=address.port)  # where it listens changes by a restart only
                self.snapshot = make_snapshot(config, self.environment, before, home=self.home)
        except RagEditError as error:
            self.metrics.count("rag_edit_reloads_total", result="refused")
            LOG.error("reload refused, the configuration in force stays: %s", error.message)  # noqa: TRY400 - its words say all
            raise
        self.metrics.count("rag_edit_reloads_total", result="done")
        kept = set(map(id, self.snapshot.upstreams.values()))
        for upstream in before.upstreams.values():
            if id(upstream) not in kept:
                await upstream.retire()
        return config

    async def close(self) -> None:
        """Let what was begun end; close upstreams and engine."""
        self.draining = True
        await asyncio.to_thread(self.jobs.close)
        for upstream in self.snapshot.upstreams.values():
            await upstream.close()
        await asyncio.to_thread(self.lane.close)
