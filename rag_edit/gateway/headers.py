"""Headers: the few that the gateway reads and writes, all under one prefix, and those that are passed on.

What is not on a list is not passed, in either direction. An upstream cannot write headers of our prefix.
"""

from collections.abc import Iterable
from typing import Final

PREFIX: Final = "rag-edit-"

# read
DEPLOYMENT: Final = "rag-edit-deployment"
JURISDICTION: Final = "rag-edit-jurisdiction"
AS_OF: Final = "rag-edit-as-of"
KEY: Final = "rag-edit-key"
DEBUG: Final = "rag-edit-debug"
STICKY: Final = "rag-edit-sticky"
READ_ONCE: Final = (DEPLOYMENT, JURISDICTION, AS_OF, KEY, DEBUG, STICKY, "authorization", "host", "content-type")

# written
ROUTE: Final = "rag-edit-route"
REASON: Final = "rag-edit-reason"
RECORD: Final = "rag-edit-record"
RECEIPT: Final = "rag-edit-receipt"
REVISION: Final = "rag-edit-revision"
TRACE_ID: Final = "rag-edit-trace-id"
OVERHEAD: Final = "rag-edit-overhead-ms"

TO_UPSTREAM: Final = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "content-type",
        "idempotency-key",
        "openai-beta",
        "openai-organization",
        "openai-project",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-client-request-id",
        "x-request-id",
    ]
)
TO_UPSTREAM_PREFIXES: Final = ("x-stainless-",)
FROM_UPSTREAM: Final = frozenset(
    [
        "cache-control",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "etag",
        "openai-model",
        "openai-organization",
        "openai-processing-ms",
        "openai-project",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "vary",
        "x-request-id",
        "x-should-retry",
    ]
)
FROM_UPSTREAM_PREFIXES: Final = ("x-ratelimit-",)

Headers = list[tuple[bytes, bytes]]


def passed(
    headers: Iterable[tuple[bytes, bytes]], names: frozenset[str], prefixes: tuple[str, ...], more: tuple[str, ...] = ()
) -> Headers:
    """Return the headers on the list, as they came and in their order."""
    kept: Headers = []
    for name, value in headers:
        lower = name.decode("latin-1").casefold()
        if (lower in names or lower in more or lower.startswith(prefixes)) and not lower.startswith(PREFIX):
            kept.append((name, value))
    return kept


def encoded(headers: dict[str, str]) -> Headers:
    """Return our own headers as bytes; values are ASCII and short by construction."""
    return [(name.encode("ascii"), value.encode("ascii", "replace")) for name, value in headers.items() if value]
