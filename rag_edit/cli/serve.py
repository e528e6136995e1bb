"""`rag-edit serve`: the OpenAI-compatible gateway over this home."""

import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from rag_edit.cli.home import home_of, notice
from rag_edit.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on. Default: gateway.toml's, else 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="Port; 0 takes a free one. Default: gateway.toml's, else 8080."),
    ] = None,
    upstream: Annotated[
        str | None, typer.Option("--upstream", metavar="URL", help="The chatbot behind it, where there is no gateway.toml.")
    ] = None,
    jurisdiction: Annotated[
        str | None,
        typer.Option(
            "-j",
            "--jurisdiction",
            metavar="CODE",
            help="Where questions stand, where there is no gateway.toml. Default: the home's.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No line a request on stderr.")] = False,
) -> None:
    """Serve OpenAI's API: records answer where one is in scope, the chatbot behind it where none is."""
    from rag_edit.core.atlas import default_atlas
    from rag_edit.gateway.config import GATEWAY_NAME, GatewayConfig, implied, load_gateway
    from rag_edit.gateway.serving import check_installed, make_state, run
    from rag_edit.opening import open_engine

    home = home_of(context)
    declared = home.path / GATEWAY_NAME
    if declared.exists() and (upstream is not None or jurisdiction is not None):
        raise UsageError(f"serve: wanted upstream and jurisdiction in {declared} alone, found options beside it")
    check_installed()

    def load() -> GatewayConfig:
        settings, atlas = home.settings, default_atlas()
        if jurisdiction is not None:
            settings = replace(settings, jurisdiction=jurisdiction)
        found = implied(settings, atlas, upstream) if upstream is not None else load_gateway(home.path, settings, atlas)
        return found.with_server(host=host, port=port)

    load()  # what does not hold is told before anything costly is opened
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    engine = open_engine(home.path, home.settings, notify=lambda line: notice(f"rag-edit: {line}"))
    state = make_state(
        engine,
        home.path,
        load,
        environment=os.environ,
        model=home.settings.model.rpartition("/")[2],
        log=(lambda _: None) if quiet else _log_line,
    )
    names = ", ".join(state.snapshot.config.deployments)

    def ready(url: str) -> None:
        keys = "API keys" if state.keys.in_force else "no API key needed on this machine"
        sys.stdout.write(f"serving {url} ({names}; {keys})\n")
        sys.stdout.flush()

    run(state, ready=ready)


def _log_line(fields: Mapping[str, Any]) -> None:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **{name: v for name, v in fields.items() if v not in ("", 0)},
    }
    sys.stderr.write(json.dumps(line, ensure_ascii=True) + "\n")
