"""A local HTTP server that answers as an OpenAI-compatible upstream does on its good and on its bad days.

Real sockets, standard library. A test queues what the next requests get; without a queue the server is well. Requests are
kept, so that a test can see what was sent and how often.
"""

import json
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SAID = "Grüße, 日本 😀!"


@dataclass
class Quirk:
    """One answer: pieces of a body, with pauses, under any status and headers.

    Attributes:
        pieces: Written and flushed one by one; a number is a pause in seconds.
        length: A ``Content-Length`` other than the true one; the connection is closed after the pieces.
        before_s: Pause before the status line.
    """

    status: int = 200
    pieces: tuple[bytes | float, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    before_s: float = 0.0


@dataclass
class UpstreamServer:
    """The server's address, what it was asked and what it will do."""

    url: str
    queue: deque[Quirk] = field(default_factory=deque)
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def next(self, *quirks: Quirk) -> None:
        self.queue.extend(quirks)


def as_json(value: Any, **headers: str) -> Quirk:
    return Quirk(
        pieces=(json.dumps(value, ensure_ascii=False).encode(),), headers={"Content-Type": "application/json", **headers}
    )


def as_stream(*pieces: bytes | float) -> Quirk:
    return Quirk(pieces=pieces, headers={"Content-Type": "text/event-stream"})


def event(content: str | None = None, finish: str | None = None) -> bytes:
    delta = {} if content is None else {"content": content}
    value = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def chat_answer(content: Any = SAID, finish: str | None = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return {"object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}


def vector_of(text: str) -> list[float]:
    return [float(1 + (zlib.crc32(f"{n}{text}".encode()) % 1000)) for n in range(8)]


def well(path: str, body: Any) -> Quirk:
    if path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": at, "embedding": vector_of(text)} for at, text in enumerate(body["input"])]
        return as_json({"object": "list", "data": data[::-1]})
    if path.endswith("/chat/completions"):
        said = f"You said: {body['messages'][-1]['content']}"
        if body.get("stream"):
            return as_stream(*(event(c) for c in said), event(finish="stop"), b"data: [DONE]\n\n")
        return _limited(body, said, chat_answer)
    if path.endswith("/completions"):
        said = f"{body['prompt']} and so on"
        return _limited(body, said, lambda text, finish: {"choices": [{"index": 0, "text": text, "finish_reason": finish}]})
    return Quirk(404, (b'{"error": {"message": "no such route"}}',), {"Content-Type": "application/json"})


def _limited(body: Any, said: str, made: Any) -> Quirk:
    words = said.split(" ")
    text = " ".join(words[: body["max_tokens"]])
    ends = [at for mark in body.get("stop", []) if (at := text.find(mark)) >= 0]
    text = text[: min(ends)] if ends else text
    return as_json(made(text, "stop" if ends or len(words) <= body["max_tokens"] else "length"))


@contextmanager
def serving() -> Iterator[UpstreamServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append((self.path, dict(self.headers), body))
            quirk = state.queue.popleft() if state.queue else well(self.path, body)
            time.sleep(quirk.before_s)
            self.send_response(quirk.status)
            for name, value in quirk.headers.items():
                self.send_header(name, value)
            true = sum(len(piece) for piece in quirk.pieces if isinstance(piece, bytes))
            self.send_header("Content-Length", str(true if quirk.length is None else quirk.length))
            if quirk.length is not None:
                self.close_connection = True
            self.end_headers()
            try:
                for piece in quirk.pieces:
                    if isinstance(piece, bytes):
                        self.wfile.write(piece)
                        self.wfile.flush()
                    else:
                        time.sleep(piece)
            except OSError:  # the client had enough
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            """Say nothing: clients that hang up are what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    state = UpstreamServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
