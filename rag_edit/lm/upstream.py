"""A client of one OpenAI-compatible server: JSON in, JSON or a stream of JSON out, and nothing believed.

Rules: no redirects, no proxies or credentials from the environment; a body is read up to a size and a time; what is not the
JSON object that was asked for is an error; only what surely was not served is asked again (no connection, 429, 502, 503,
504), no sooner than the server wants; no key shows in an error. Knows the transport; `lm.remote` knows the fields.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, NoReturn, TypeAlias
from urllib.parse import urlsplit

from rag_edit.core.errors import ConfigError, MissingExtraError, UpstreamError
from rag_edit.lm.secret import Secret
from rag_edit.lm.sse import EventTooLargeError, event_data

JsonObject: TypeAlias = Mapping[str, Any]

_RETRIED: Final = frozenset({429, 502, 503, 504})
_SHOWN_CHARS: Final = 300
_EVENT_BYTES: Final = 4 * 2**20
_NO_KEY: Final = Secret("")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a server is waited for.

    Attributes:
        connect_s, read_s: For a connection, and between two pieces of an answer.
        total_s: For a whole answer, retries and waits included.
        retries: Further tries after the first.
        backoff_s: Wait before the first of them; doubled each time.
        longest_wait_s: A server that wants a longer pause is not waited for.
        max_bytes: The largest answer.
    """

    connect_s: float = 5.0
    read_s: float = 60.0
    total_s: float = 120.0
    retries: int = 2
    backoff_s: float = 0.25
    longest_wait_s: float = 10.0
    max_bytes: int = 32 * 2**20


_DEFAULT_PATIENCE: Final = Patience()


class Upstream:
    """One server. Safe to use from several threads.

    Attributes:
        base_url: Where ``/chat/completions`` is appended; without a path, ``/v1`` is meant.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: Secret = _NO_KEY,
        patience: Patience = _DEFAULT_PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare a client; nothing is sent.

        Raises:
            ConfigError: not an http(s) URL, or one with credentials in it.
            MissingExtraError: httpx2 is not installed.
        """
        try:
            import httpx2
        except ImportError as error:
            raise MissingExtraError("httpx2", "upstream") from error
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"upstream: wanted an http(s) URL, found {base_url!r}")
        if parts.username or parts.password or parts.query:
            raise ConfigError("upstream: wanted a URL without credentials or query", hint="set RAG_EDIT_UPSTREAM_KEY")
        self.base_url = base_url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")
        self._key, self._patience, self._clock, self._sleep = api_key, patience, clock, sleep
        self._http = httpx2
        headers = {"Authorization": f"Bearer {api_key.reveal()}"} if api_key else {}
        self._client = httpx2.Client(
            headers={"Accept-Encoding": "identity", **headers},
            timeout=httpx2.Timeout(patience.read_s, connect=patience.connect_s),
            trust_env=False,
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"Upstream({self.base_url!r}, api_key={self._key!r})"

    def close(self) -> None:
        """Close the connections held."""
        self._client.close()

    def post(self, path: str, body: JsonObject) -> JsonObject:
        """Return the JSON object answered to ``body``.

        Raises:
            UpstreamError: no answer, a status other than 200, or something other than a JSON object.
        """
        with self._opened(path, body) as (response, deadline):
            data = b"".join(self._bounded(response, deadline))
        try:
            found = json.loads(data)
        except ValueError as error:
            self._fail(f"wanted JSON, found {self._shown(data)}", status=200, cause=error)
        return self._object(found)

    def stream(self, path: str, body: JsonObject) -> Iterator[JsonObject]:
        """Yield the JSON objects of an event stream until ``[DONE]`` or the end of the body.

        Whether an end without ``[DONE]`` is one, the reader must see from the objects. Not retried once it has begun.

        Raises:
            UpstreamError: as `post`, and where an event is an error or is no JSON object.
        """
        with self._opened(path, body) as (response, deadline):
            kind = response.headers.get("content-type", "")
            if "text/event-stream" not in kind:
                self._fail(f"wanted an event stream, found {kind or 'no content type'}", status=200)
            try:
                for data in event_data(self._bounded(response, deadline), max_bytes=_EVENT_BYTES):
                    if data.strip() == "[DONE]":
                        return
                    yield self._object(json.loads(data))
            except EventTooLargeError as error:
                self._fail(str(error), status=200, cause=error)
            except ValueError as error:
                self._fail("wanted JSON in UTF-8 in each event, found something else", status=200, cause=error)

    @contextmanager
    def _opened(self, path: str, body: JsonObject) -> Iterator[tuple[Any, float]]:
        """Send, and again where that is safe; give the open response of status 200 and the time at which it must be read."""
        deadline = self._clock() + self._patience.total_s
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json"}
        for attempt in range(self._patience.retries + 1):
            request = self._client.build_request("POST", f"{self.base_url}{path}", content=content, headers=headers)
            last = attempt == self._patience.retries
            wait = self._patience.backoff_s * 2**attempt
            try:
                response = self._client.send(request, stream=True)
            except (self._http.ConnectError, self._http.ConnectTimeout) as error:
                if last or self._clock() + wait > deadline:
                    self._fail(f"no connection: {error or type(error).__name__}", retryable=True, cause=error)
            except self._http.HTTPError as error:
                self._fail(_words(error), retryable=isinstance(error, self._http.TimeoutException), cause=error)
            else:
                try:
                    if response.status_code == 200:
                        yield response, deadline
                        return
                    wait = max(wait, _retry_after(response.headers))
                    gives_up = last or wait > self._patience.longest_wait_s or self._clock() + wait > deadline
                    if response.status_code not in _RETRIED or gives_up:
                        self._refuse(response, deadline)
                finally:
                    response.close()
            self._sleep(wait)

    def _bounded(self, response: Any, deadline: float) -> Iterator[bytes]:
        size = 0
        try:
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > self._patience.max_bytes:
                    self._fail(f"an answer of more than {self._patience.max_bytes} bytes", status=response.status_code)
                yield chunk
                if self._clock() > deadline:
                    self._fail(f"not done after {self._patience.total_s} s", status=response.status_code, retryable=True)
        except self._http.HTTPError as error:
            self._fail(_words(error), status=response.status_code, retryable=True, cause=error)

    def _refuse(self, response: Any, deadline: float) -> NoReturn:
        status = response.status_code
        data = b""
        try:
            for chunk in self._bounded(response, deadline):
                data += chunk
                if len(data) > 64 * 1024:
                    break
        except UpstreamError:  # the status says more than a broken body
            data = data or b""
        found = self._shown(data)
        try:
            message = json.loads(data)["error"]["message"]
            found = self._shown(str(message).encode())
        except (ValueError, KeyError, TypeError):
            pass
        self._fail(f"status {status}: {found}", status=status, retryable=status in _RETRIED or status == 500)

    def _object(self, found: Any) -> JsonObject:
        if not isinstance(found, dict):
            self._fail(f"wanted a JSON object, found {type(found).__name__}", status=200)
        if found.get("error"):
            error = found["error"]
            words = error.get("message", error) if isinstance(error, dict) else error
            self._fail(f"error: {self._shown(str(words).encode())}", status=200)
        return found

    def _shown(self, data: bytes) -> str:
        text = " ".join(self._key.redact(data[: 16 * 1024].decode("utf-8", "replace")).split())
        return repr(text[:_SHOWN_CHARS] + ("..." if len(text) > _SHOWN_CHARS else "")) if text else "an empty body"

    def _fail(
        self, found: str, *, status: int | None = None, retryable: bool = False, cause: Exception | None = None
    ) -> NoReturn:
        raise UpstreamError(self.base_url, self._key.redact(found), status=status, retryable=retryable) from cause


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that a server wants to be left alone; a date is read against the answer's own ``Date``."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (ValueError, TypeError):
        return 0.0
