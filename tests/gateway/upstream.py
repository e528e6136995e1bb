"""A faithful fake of an OpenAI-compatible server: real sockets, chunked streams, tools, errors, usage; the same every time.

It answers from what it is asked, with fixed ids and times, so that two who ask the same must get the same bytes. What it was
sent is kept as it arrived. A test may queue scripts for the next answers: pieces with pauses, an end without an end.
"""

import base64
import json
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

ADAPTED = "the standard VAT rate is 19 %."
HEAD = {"created": 1_700_000_000, "system_fingerprint": "fp_fake"}


@dataclass
class Sent:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Script:
    """One answer: pieces of a chunked body, a number is a pause in seconds; ``cut`` closes without an end."""

    pieces: tuple[bytes | float, ...] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/event-stream"})
    cut: bool = False
    before_s: float = 0.0


@dataclass
class FakeUpstream:
    """The server's address, what it was sent, and what it will do."""

    url: str
    sent: list[Sent] = field(default_factory=list)
    scripts: deque[Script] = field(default_factory=deque)
    hung_up: threading.Event = field(default_factory=threading.Event)
    adapters: dict[str, str] = field(default_factory=dict)


def data(document: Any) -> bytes:
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def said(body: dict[str, Any]) -> str:
    last = body["messages"][-1]["content"] if body.get("messages") else body.get("prompt") or body.get("input")
    if isinstance(last, list):
        last = "+".join(part.get("type", "?") if isinstance(part, dict) else str(part) for part in last)
    return f"The base says: {last} \U0001f600 Grüße"


def usage(prompt: str) -> dict[str, int]:
    return {"prompt_tokens": 7, "completion_tokens": len(prompt.split()), "total_tokens": 7 + len(prompt.split())}


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}


def chat(body: dict[str, Any]) -> Script:
    text, calls = said(body), bool(body.get("tools")) and body["messages"][-1]["role"] == "user"
    form = (body.get("response_format") or {}).get("type")
    if form in ("json_object", "json_schema"):
        text = '{"answer": 42}'
    unknown = {key: value for key, value in body.items() if key.startswith("x_")}
    head = {"id": "chatcmpl-fake", "model": body["model"], **HEAD, **unknown}
    finish = "tool_calls" if calls else "stop"
    if not body.get("stream"):
        message: dict[str, Any] = {"role": "assistant", "content": None if calls else text}
        if calls:
            message["tool_calls"] = [CALL]
        logprobs = (
            {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]} if body.get("logprobs") else None
        )
        choices = [
            {"index": i, "message": message, "finish_reason": finish, "logprobs": logprobs} for i in range(body.get("n", 1))
        ]
        return whole({**head, "object": "chat.completion", "choices": choices, "usage": usage(text)})
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if calls:
        deltas += [
            {"tool_calls": [{"index": 0, **CALL, "function": {"name": "weather", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": CALL["function"]["arguments"]}}]},  # type: ignore[index]
        ]
    else:
        deltas += [{"content": word + " "} for word in text.split(" ")]
    chunk = {**head, "object": "chat.completion.chunk"}
    pieces = [data({**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) for delta in deltas]
    pieces.append(data({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}))
    if (body.get("stream_options") or {}).get("include_usage"):
        pieces.append(data({**chunk, "choices": [], "usage": usage(text)}))
    return Script((*pieces, b": a comment\n\n", b"data: [DONE]\n\n"))


def completions(body: dict[str, Any]) -> Script:
    head = {"id": "cmpl-fake", "object": "text_completion", "model": body["model"], **HEAD}
    text = said(body)
    if body.get("stream"):
        words = [{"index": 0, "text": word + " ", "finish_reason": None} for word in text.split(" ")]
        ends = [{"index": 0, "text": "", "finish_reason": "stop"}]
        return Script((*(data({**head, "choices": [each]}) for each in words + ends), b"data: [DONE]\n\n"))
    return whole({**head, "choices": [{"index": 0, "text": text, "finish_reason": "stop"}], "usage": usage(text)})


def responses(body: dict[str, Any]) -> Script:
    text = said(body)
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": "msg_fake", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    counted = {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 7,
    }
    response = {
        "id": "resp_fake",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "model": body["model"],
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": body.get("tools", []),
        "usage": counted,
        "x_unknown": {"kept": True},
    }
    if not body.get("stream"):
        return whole(response)
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_fake", "output_index": 0, "content_index": 0}
    steps = [
        ("response.created", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, "content": [], "status": "in_progress"}}),
        ("response.content_part.added", {**place, "part": {**part, "text": ""}}),
        *(("response.output_text.delta", {**place, "delta": word + " ", "logprobs": []}) for word in text.split(" ")),
        ("response.output_text.done", {**place, "text": text, "logprobs": []}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response}),
    ]
    return Script(
        tuple(
            f"event: {kind}\n".encode() + data({"type": kind, "sequence_number": at, **fields})
            for at, (kind, fields) in enumerate(steps)
        )
    )


def embeddings(body: dict[str, Any]) -> Script:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    vectors = [[float(len(text)), 0.25, -1.0] for text in texts]
    made = [
        base64.b64encode(struct.pack("<3f", *v)).decode() if body.get("encoding_format") == "base64" else v for v in vectors
    ]
    entries = [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(made)]
    return whole({"object": "list", "model": body["model"], "data": entries, "usage": {"prompt_tokens": 2, "total_tokens": 2}})


def whole(document: Any, status: int = 200, **headers: str) -> Script:
    body = json.dumps(document, ensure_ascii=False, indent=1).encode()
    return Script((body,), status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers})


def error(status: int, message: str, kind: str, code: str | None, **headers: str) -> Script:
    return whole({"error": {"message": message, "type": kind, "param": None, "code": code}}, status, **headers)


FAILURES = {
    "missing": lambda: error(404, "The model `missing` does not exist", "invalid_request_error", "model_not_found"),
    "limited": lambda: error(
        429,
        "Rate limit reached",
        "requests",
        "rate_limit_exceeded",
        **{"Retry-After": "7", "X-RateLimit-Remaining-Tokens": "0"},
    ),
    "broken": lambda: error(500, "The server had an error", "server_error", None),
    "unsaid": lambda: error(400, "content filtered: ä", "invalid_request_error", "content_filter"),
}
CALLS = {
    "/v1/chat/completions": chat,
    "/v1/completions": completions,
    "/v1/responses": responses,
    "/v1/embeddings": embeddings,
}
MODELS = [{"id": name, "object": "model", "created": 1, "owned_by": "fake"} for name in ("gpt", "vendor/small-model")]


def invalid(message: str, status: int = 400) -> Script:
    kind = "InvalidUserInput" if status == 400 else "NotFoundError"
    return whole({"error": {"message": message, "type": kind, "param": None, "code": status}}, status)


def load_adapter(loaded: dict[str, str], body: dict[str, Any]) -> Script:
    """Load a LoRA adapter as vLLM does: by name and path, once, from files in PEFT's layout."""
    name, path = body.get("lora_name"), body.get("lora_path")
    if not name or not path:
        return invalid("Both 'lora_name' and 'lora_path' must be provided.")
    if name in loaded:
        return invalid(f"The lora adapter '{name}' has already been loaded.")
    try:
        config = json.loads((Path(path) / "adapter_config.json").read_text())
        factors = load_file(str(Path(path) / "adapter_model.safetensors"))
    except (OSError, ValueError):
        return invalid(f"No adapter found for {path}", 404)
    ranks = {factor.shape[0] for key, factor in factors.items() if "lora_A" in key}
    if config["peft_type"] != "LORA" or ranks != {config["r"]}:
        return invalid("The adapter does not hold.")
    loaded[name] = path
    return Script((f"Success: LoRA adapter '{name}' added successfully.".encode(),), 200, {"Content-Type": "text/plain"})


def adapted(name: str) -> Script:
    message = {"role": "assistant", "content": f"With its adapter: {ADAPTED}"}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return whole(
        {"id": "chatcmpl-lora", "object": "chat.completion", "model": name, **HEAD, "choices": [choice], "usage": usage("")}
    )


def answered(method: str, target: str, body: bytes, loaded: dict[str, str]) -> Script:
    path = target.partition("?")[0]
    if method == "POST" and path == "/v1/load_lora_adapter":
        return load_adapter(loaded, json.loads(body))
    if method == "POST" and path == "/v1/chat/completions" and b'"rag-edit-' in body:
        name = json.loads(body)["model"]
        return adapted(name) if name in loaded else invalid(f"The model `{name}` does not exist.", 404)
    if method == "GET" and path == "/v1/models":
        return whole({"object": "list", "data": MODELS})
    if method == "GET" and path.startswith("/v1/models/"):
        found = [model for model in MODELS if model["id"] == path.removeprefix("/v1/models/").replace("%2F", "/")]
        return whole(found[0]) if found else FAILURES["missing"]()
    if method in ("GET", "DELETE") and path.startswith("/v1/responses/"):
        return whole({"id": path.rpartition("/")[2], "object": "response", "deleted": method == "DELETE"})
    if method != "POST" or path not in CALLS:
        return error(404, "no such path", "invalid_request_error", None)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return invalid("We could not parse the JSON body of your request.")
    if not isinstance(document, dict):
        return invalid("wanted an object")
    return FAILURES[document["model"]]() if document.get("model") in FAILURES else CALLS[path](document)


@contextmanager
def serving_upstream() -> Iterator[FakeUpstream]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.sent.append(Sent(self.command, self.path, dict(self.headers), body))
            script = state.scripts.popleft() if state.scripts else answered(self.command, self.path, body, state.adapters)
            try:
                if script.before_s:
                    self._wait(script.before_s)
            except OSError:
                state.hung_up.set()
                self.close_connection = True
                return
            self.send_response(script.status)
            for name, value in {
                "X-Request-Id": "req_fake",
                "Set-Cookie": "a=b",
                "Rag-Edit-Route": "FORGED",
                **script.headers,
            }.items():
                self.send_header(name, value)
            chunked = "Content-Length" not in script.headers
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for piece in script.pieces:
                    if isinstance(piece, bytes):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                        self.wfile.flush()
                    else:
                        self._wait(piece)
                if script.cut:
                    self.close_connection = True
                elif chunked:
                    self.wfile.write(b"0\r\n\r\n")
            except OSError:
                state.hung_up.set()
                self.close_connection = True

        def _wait(self, seconds: float) -> None:
            """Wait, and notice when who asked has hung up meanwhile."""
            self.connection.settimeout(seconds)
            try:
                if self.connection.recv(1) == b"":
                    raise ConnectionResetError
            except TimeoutError:
                pass
            finally:
                self.connection.settimeout(self.timeout)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - names that http.server looks for

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            """Say nothing: clients that hang up are what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    state = FakeUpstream(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
