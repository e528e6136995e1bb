import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_edit.lm.sse import EventTooLargeError, event_data


def read(*chunks: bytes) -> list[str]:
    return list(event_data(chunks, max_bytes=10_000))


CASES = {
    "one event": (b"data: a\n\n", ["a"]),
    "no space after the colon": (b"data:a\n\n", ["a"]),
    "only one space is dropped": (b"data:  a\n\n", [" a"]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
    "CR": (b"data: a\r\rdata: b\r\r", ["a", "b"]),
    "lines of one event are joined": (b"data: a\ndata: b\n\n", ["a\nb"]),
    "comments and other fields are skipped": (b": ping\nevent: x\nid: 1\nretry: 5\ndata: a\n\n: ping\n\n", ["a"]),
    "byte order mark": (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
    "an event cut short is dropped": (b"data: a\n\ndata: b", ["a"]),
    "an event without its empty line is dropped": (b"data: a\n\ndata: b\n", ["a"]),
    "a field without a colon": (b"data\n\n", [""]),
    "letters of several bytes": ("data: Grüße 日本 😀\n\n".encode(), ["Grüße 日本 😀"]),
}


@pytest.mark.parametrize("body,wanted", CASES.values(), ids=CASES)
def test_a_stream_is_read_as_the_standard_says(body: bytes, wanted: list[str]) -> None:
    assert read(body) == wanted


@pytest.mark.parametrize("body,wanted", CASES.values(), ids=CASES)
def test_a_stream_reads_the_same_byte_by_byte(body: bytes, wanted: list[str]) -> None:
    assert read(*(body[i : i + 1] for i in range(len(body)))) == wanted


@given(st.lists(st.text(alphabet="aé日😀 :", max_size=8), max_size=5), st.data())
def test_where_a_stream_is_cut_does_not_matter(texts: list[str], data: st.DataObject) -> None:
    body = "".join(f": c\r\ndata: {text}\r\n\r\n" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert read(*chunks) == texts


def test_an_endless_line_is_refused() -> None:
    with pytest.raises(EventTooLargeError):
        list(event_data([b"data: " + b"x" * 100] * 200, max_bytes=1000))


def test_an_event_of_endless_lines_is_refused() -> None:
    with pytest.raises(EventTooLargeError):
        list(event_data([b"data: x\n"] * 1000, max_bytes=1000))


def test_a_line_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        read(b"data: \xff\n\n")
