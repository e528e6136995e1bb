"""docs/gateway.md does what it says: its walk-through, run line by line as a reader would, and its configuration, read."""

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag_edit.core.atlas import default_atlas
from rag_edit.gateway.actions import GRANTABLE
from rag_edit.gateway.announced import find_server
from rag_edit.gateway.config import read_gateway
from rag_edit.gateway.deployments import FIELDS, Cite, Faults, Mode
from rag_edit.gateway.headers import JURISDICTION, OVERHEAD, REASON, RECORD, REVISION, ROUTE, TRACE_ID
from tests.gateway.house import ask
from tests.gateway.upstream import serving_upstream

PAGE = (Path(__file__).parents[2] / "docs/gateway.md").read_text("utf-8")


def block(kind: str) -> str:
    found = re.search(rf"^```{re.escape(kind)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found, kind
    return found[1]


def test_the_pages_configuration_holds() -> None:
    faults = Faults()
    whole = "".join(block(f"toml {name}") for name in ("gateway.toml", "signers", "oidc"))
    config = read_gateway(tomllib.loads(whole), default_atlas(), faults)
    assert faults.lines == []
    assert set(config.deployments) == {"germany", "dach"}
    assert config.issuer is not None
    assert set(config.issuer.subjects) == {"7f3a"}


def test_the_page_names_every_field_mode_action_and_header() -> None:
    wanted = [*FIELDS, *Mode, *Cite, *(f"`{action}`" for action in GRANTABLE)]
    wanted += [ROUTE, REASON, RECORD, REVISION, JURISDICTION, TRACE_ID, OVERHEAD]
    assert [word for word in wanted if word not in PAGE] == []


@contextmanager
def serving(command: str, where: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a command in the background until the block ends; give the first line that it prints."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        cwd=where,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield line
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM), told
    assert "Traceback" not in told


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_hang_up_reads_the_configuration_anew_and_one_that_does_not_hold_changes_nothing(
    tmp_path: Path, workers: int
) -> None:
    home = tmp_path / "shop"
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": tools, "RAG_EDIT_ENCODER": "e5-fast", "RAG_EDIT_SCORER": "overlap"}
    subprocess.run(["rag-edit", "--home", str(home), "init"], check=True, env=environment, capture_output=True)
    with serving_upstream() as upstream:

        def write(place: str) -> None:
            table = f'upstream = "a"\njurisdiction = "{place}"\nmode = "off"\n'
            (home / "gateway.toml").write_text(f'[upstream.a]\nurl = "{upstream.url}"\n[deployment.one]\n{table}', "utf-8")

        write("DE")
        with serving(f"rag-edit --home {home} serve --port 0 --workers {workers}", tmp_path, environment) as said:
            url = said.split()[1].removesuffix("/v1")
            server = find_server(home)
            assert server is not None

            body = {"model": "gpt", "messages": [{"role": "user", "content": "Who wrote Faust?"}]}

            def place() -> str:
                return ask(url, "/v1/chat/completions", body).headers["rag-edit-jurisdiction"]

            def told(result: str) -> bool:
                return f'rag_edit_reloads_total{{result="{result}"}}' in ask(url, "/metrics").body.decode()

            assert place() == "DE"
            write("AT")
            os.kill(server.owner.pid, signal.SIGHUP)
            assert waited(lambda: told("done") and {place() for _ in range(8)} == {"AT"})
            write("nowhere")
            os.kill(server.owner.pid, signal.SIGHUP)
            assert waited(lambda: told("refused"))
            assert {place() for _ in range(8)} == {"AT"}


def waited(done: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if done():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_walk_through_corrects_an_unmodified_script(tmp_path: Path) -> None:
    for name, kind in (("chat.py", "python chat.py"), ("corrections.yaml", "yaml corrections.yaml")):
        (tmp_path / name).write_text(block(kind), "utf-8")
    lines = block("sh walk").splitlines()
    with serving_upstream() as upstream:
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": tools, "UPSTREAM": upstream.url, "PORT": "0", "OPENAI_API_KEY": "sk-theirs"}

        def run(line: str) -> str:
            done = subprocess.run(
                ["/bin/sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        run(lines[0])
        run(lines[1])
        assert lines[2].endswith("&")
        with serving(lines[2].removesuffix("&"), tmp_path, environment) as said:
            found = re.match(r"serving http://127\.0\.0\.1:(\d+)/v1 \(default; ", said)
            assert found, said
            environment["PORT"] = found[1]
            for _ in range(600):  # the encoder is being opened
                if ask(f"http://127.0.0.1:{found[1]}", "/readyz").status == 200:
                    break
                time.sleep(0.1)
            assert run(lines[3]) == "The standard VAT rate is 19 %.\n"
            assert upstream.sent == []
            other = block("python chat.py").replace("What is the standard VAT rate?", "Who wrote Faust?")
            (tmp_path / "chat.py").write_text(other, "utf-8")
            assert run(lines[3]).startswith("The base says: Who wrote Faust?")
            sent = {name.casefold(): value for name, value in upstream.sent[-1].headers.items()}
            assert sent["authorization"] == "Bearer sk-theirs"
        assert "DE/vat/standard" in run("rag-edit --home shop record list --json")  # the store is free again
