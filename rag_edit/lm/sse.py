"""Server-sent events from bytes, as far as model servers use them: the data of each event.

Lines end in LF, CRLF or CR; a character or a line break may be split over chunks; comments and other fields are skipped; an
event that the stream cuts short is dropped, as the standard says, so that who reads must know whether the end was the end.

Source: WHATWG HTML, 9.2.6 "Interpreting an event stream".
"""

from collections.abc import Iterable, Iterator


class EventTooLargeError(ValueError):
    """One event is larger than allowed."""


def event_data(chunks: Iterable[bytes], *, max_bytes: int) -> Iterator[str]:
    """Yield the data of each event, its lines joined by a line feed; events without data are skipped.

    Args:
        chunks: The body, cut anywhere.
        max_bytes: The largest event.

    Raises:
        UnicodeDecodeError: a line is not UTF-8.
        EventTooLargeError: an event is larger than ``max_bytes``.
    """
    data: list[str] = []
    size = 0
    for line in _lines(chunks, max_bytes):
        size += len(line)
        if size > max_bytes:
            raise EventTooLargeError(f"an event of more than {max_bytes} bytes")
        if not line:
            if data:
                yield "\n".join(data)
            data, size = [], 0
            continue
        name, _, value = line.decode().partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))


def _lines(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    held = b""
    first = True
    skip_line_feed = False
    for chunk in chunks:
        if skip_line_feed and chunk:
            chunk, skip_line_feed = chunk.removeprefix(b"\n"), False  # noqa: PLW2901
        held += chunk
        if first and len(held) >= 3:
            held, first = held.removeprefix(b"\xef\xbb\xbf"), False
        parts = held.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        skip_line_feed = held.endswith(b"\r")
        held = parts.pop()
        if len(held) > max_bytes:
            raise EventTooLargeError(f"a line of more than {max_bytes} bytes")
        yield from parts
