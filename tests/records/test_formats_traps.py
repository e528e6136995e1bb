"""What files do in the wild: each trap is read rightly or refused with its place and reason."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from rag_edit.core.atlas import default_atlas
from rag_edit.core.errors import InvalidRecordsError
from rag_edit.core.record import Record
from rag_edit.records.files import ReadResult, read_mappings, read_records
from rag_edit.records.raw import Limits

Reader = Callable[..., ReadResult]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.chdir(tmp_path)

    def _read(data: str | bytes, suffix: str = "jsonl", **limits: int) -> ReadResult:
        Path(f"f.{suffix}").write_bytes(data.encode() if isinstance(data, str) else data)
        return read_records([Path(f"f.{suffix}")], default_atlas(), limits=Limits(**limits))

    return _read


def faults_of(call: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidRecordsError) as caught:
        call()
    return list(caught.value.faults)


def only(result: ReadResult) -> Record:
    [located] = result.records
    return located.record


JSON = '{"jurisdiction": "DE", "question": "Q?", "answer": "A"%s}'
CSV = "jurisdiction,question,answer\nDE,Q?,%s\n"
YAML = "- jurisdiction: DE\n  question: Q?\n  answer: %s\n"


@pytest.mark.parametrize("suffix, text", [("jsonl", JSON % ""), ("csv", CSV % "A"), ("yaml", YAML % "A"), ("yml", YAML % "A")])
@pytest.mark.parametrize(
    "dress",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: (text.rstrip("\n")).encode(),
        lambda text: (text + "\n\n  \n").encode(),
    ],
    ids=["byte-order mark", "CRLF", "lone CR", "no line end at the end", "blank lines at the end"],
)
def test_the_dress_of_a_file_does_not_show(read: Reader, suffix: str, text: str, dress: Callable[[str], bytes]) -> None:
    assert only(read(dress(text), suffix)).answer == "A"


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "yaml"])
@pytest.mark.parametrize(
    "data, fault",
    [
        ((JSON % "").encode("utf-16"), "1:file: wanted UTF-8, found UTF-16 (save the file as UTF-8)"),
        (b"\xff\xfe\0\0a\0\0\0", "1:file: wanted UTF-8, found UTF-32 (save the file as UTF-8)"),
        (
            "ab".encode("utf-16-le"),
            "1:file: wanted text without NUL, found NUL at byte 1 (this looks like UTF-16: save the file as UTF-8)",
        ),
        (b"ab\r\ncd" + b"x" * 60 + b"\0e", "2:file: wanted text without NUL, found NUL at byte 66"),
        (b"ab\ncd\xe4e", "2:file: wanted UTF-8, found byte 0xe4 at offset 5 (invalid continuation byte)"),
        (b"ab\n\n\xff", "3:file: wanted UTF-8, found byte 0xff at offset 4 (invalid start byte)"),
        (b"ab\n\xc3", "2:file: wanted UTF-8, found byte 0xc3 at offset 3 (unexpected end of data)"),
    ],
    ids=["UTF-16", "UTF-32", "UTF-16 without mark", "NUL", "Latin-1", "no UTF-8", "cut in a letter"],
)
def test_bytes_that_are_no_text_are_refused_with_their_offset(read: Reader, suffix: str, data: bytes, fault: str) -> None:
    assert faults_of(lambda: read(data, suffix)) == [f"f.{suffix}:{fault}"]


@pytest.mark.parametrize(
    "suffix, data",
    [
        ("jsonl", ""),
        ("csv", ""),
        ("yaml", ""),
        ("yaml", "# none yet\n"),
        ("yaml", "[]"),
        ("yaml", "records:\n"),
        ("yaml", "---\n"),
        ("csv", "jurisdiction,question,answer\n"),
        ("csv", "\n\n"),
        ("jsonl", "\n \n"),
    ],
)
def test_a_file_without_records_states_nothing(read: Reader, suffix: str, data: str) -> None:
    assert read(data, suffix).records == ()


@pytest.mark.parametrize(
    "suffix, text",
    [
        ("jsonl", JSON % ', "prior": "%s"'),
        ("csv", "jurisdiction,question,answer,prior\nDE,Q?,A,%s\n"),
        ("yaml", YAML % "A" + "  prior: '%s'\n"),
    ],
)
def test_a_cell_of_ten_megabytes_is_refused_in_a_line(read: Reader, suffix: str, text: str) -> None:
    line = 4 if suffix == "yaml" else 2 if suffix == "csv" else 1
    big = "x" * (10_000_000 if suffix != "yaml" else 100_000)
    assert faults_of(lambda: read(text % big, suffix)) == [
        f"f.{suffix}:{line}:prior: wanted at most 8000 characters, found {len(big)}"
    ]


@pytest.mark.parametrize("suffix, data", [("jsonl", (JSON % "" + "\n") * 9), ("csv", CSV % "A" * 9), ("yaml", YAML % "A" * 9)])
def test_a_file_above_the_cap_is_refused_unread(read: Reader, suffix: str, data: str) -> None:
    [fault] = faults_of(lambda: read(data, suffix, max_file_bytes=100, max_yaml_bytes=100))
    assert fault == f"f.{suffix}:0:file: wanted at most 100 bytes, found {len(data)} (split it, or use JSONL)"


def test_more_records_than_the_cap_are_refused_where_it_is_passed(read: Reader) -> None:
    data = "".join(JSON % f', "id": "r{n}"' + "\n" for n in range(5))
    assert faults_of(lambda: read(data, max_records=3)) == ["f.jsonl:4:file: wanted at most 3 records in one call, found more"]


# --- YAML ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["NO", "no", "yes", "off", "0112", "112", "0x1F", "+49", "12:30:45", "2026-01-01", "=", "a#b", "1.2.3", "~x"]
)
def test_a_plain_word_of_yaml_is_the_text_as_written(read: Reader, word: str) -> None:
    assert only(read(YAML % word, "yaml")).answer == word


@pytest.mark.parametrize(
    "word, found",
    [
        ("19.5", "a number 19.5 (put it in quotes if it is a text)"),
        ("1e3", "a number 1e3 (put it in quotes if it is a text)"),
        (".inf", "a number .inf (put it in quotes if it is a text)"),
        ("true", "the truth value true (put it in quotes if it is a text)"),
        ("Null", "the word null (put it in quotes if it is a text)"),
        ("[a]", "a list"),
        ("{a: b}", "a mapping"),
        ("~", "nothing"),
        ("", "nothing"),
    ],
)
def test_a_plain_word_of_yaml_that_is_no_text_is_refused(read: Reader, word: str, found: str) -> None:
    [fault] = faults_of(lambda: read(YAML % word, "yaml"))
    assert fault == f"f.yaml:3:answer: wanted a text, found {found}"


@pytest.mark.parametrize("word", ["'19.5'", '"true"', "'null'", '"~"', "!!str 19.5"])
def test_quotes_make_any_word_of_yaml_a_text(read: Reader, word: str) -> None:
    assert only(read(YAML % word, "yaml")).answer == word.removeprefix("!!str ").strip("'\"")


def test_norway_is_a_jurisdiction(read: Reader) -> None:
    assert only(read("- jurisdiction: NO\n  question: Q?\n  answer: A\n", "yaml")).jurisdiction == "NO"


@pytest.mark.parametrize(
    "data, fault",
    [
        ("- answer: a\n  answer: b\n", "2:answer: wanted each field once, found it again (first in line 1)"),
        (
            "- !!python/object/apply:os.system [id]\n",
            "1:file: wanted no tags, found 'tag:yaml.org,2002:python/object/apply...'",
        ),
        ("- answer: !secret a\n", "1:file: wanted no tags, found '!secret'"),
        ("- &a\n  answer: b\n- <<: *a\n", "3:file: wanted defaults for what records share, found a merge key (<<)"),
        ("- [1, 2]: a\n", "1:file: wanted a field's name before the colon, found a list or a mapping"),
        ("- answer: *a\n", "1:file: wanted an alias of something complete above it, found *a"),
        ("&a [*a]\n", "1:file: wanted an alias of something complete above it, found *a"),
        ("- answer: a\n--- \n- answer: b\n", "2:file: wanted one document a file, found a second one (after ---)"),
        ("%YAML 1.1\n---\n- answer: no\n", "2:file: wanted YAML 1.2, found %YAML 1.1"),
        ("[" * 2000, "1:file: wanted at most 8 levels, found lists or mappings nested deeper"),
        ("- a:\n   - b: [[[[[[[x]]]]]]]\n", "2:file: wanted at most 8 levels, found lists or mappings nested deeper"),
        ("answer: a\n", "1:file: wanted a list of records, or the two keys defaults and records, found the fields 'answer'"),
        ("- just text\n", "1:file: wanted a record: field names, each with a colon and a value, found 'just text'"),
        ("text\n", "1:file: wanted a list of records (each starts with a hyphen), found 'text'"),
        ("records: {a: b}\n", "1:file: wanted a list of records (each starts with a hyphen), found a mapping"),
        ("default: {}\nrecords: []\n", "1:default: wanted only defaults and records beside records, found 'default'"),
        ("defaults: [a]\nrecords: []\n", "1:defaults: wanted fields shared by all records of the file, found a list"),
        ("defaults:\n  id: a\nrecords: []\n", "2:id: wanted it in each record, never in defaults, found it in defaults"),
        ("- answer: 'a\n", "2:file: wanted YAML 1.2, found while scanning a quoted scalar: found unexpected end of stream"),
        ("- answer: a: b\n", "1:file: wanted YAML 1.2, found mapping values are not allowed here"),
        ("- a\x07b\n", "1:file: wanted text without control characters, found U+0007"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) and ":file" not in value else "",
)
def test_yaml_beyond_the_format_is_refused(read: Reader, data: str, fault: str) -> None:
    assert f"f.yaml:{fault}" in faults_of(lambda: read(data, "yaml"))


def test_aliases_are_read_and_what_they_stand_for_is_counted(read: Reader) -> None:
    text = "- jurisdiction: DE\n  question: &q Q?\n  answer: A\n  subject: *q\n"
    assert only(read(text, "yaml")).subject == "Q?"
    bomb = "- a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 6)
    )
    assert faults_of(lambda: read(bomb, "yaml", max_depth=99)) == [
        "f.yaml:6:file: wanted aliases for at most 100000 values, found more"
    ]
    chain = "- a0: &a0 [x]\n" + "".join(f"  a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))
    assert faults_of(lambda: read(chain, "yaml")) == [
        "f.yaml:7:file: wanted at most 8 levels, found lists or mappings nested deeper"
    ]


def test_defaults_are_shared_overridden_and_blamed_once(read: Reader) -> None:
    text = "defaults:\n  jurisdiction: DE\n  language: de\nrecords:\n- question: Q1\n  answer: A\n- question: Q2\n  answer: A\n  jurisdiction: AT\n"
    assert [(r.record.jurisdiction, r.record.language, r.line) for r in read(text, "yaml").records] == [
        ("DE", "de", 5),
        ("AT", "de", 7),
    ]
    assert faults_of(lambda: read(text.replace("language: de", "language: d_e"), "yaml")) == [
        "f.yaml:3:language: wanted a BCP 47 tag such as de or pt-BR, found 'd_e'"
    ]


# --- CSV ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, fault",
    [
        ("jurisdiction;question;answer\nDE;Q;A\n", "1:file: wanted columns separated by commas, found semicolons (save the file as comma-separated)"),
        ("jurisdiction\tquestion\tanswer\n", "1:file: wanted columns separated by commas, found tabs (save the file as comma-separated)"),
        ("answer,question,answer\n", "1:answer: wanted each column once, found it over column 1 and 3"),
        ("answer,,question\n", "1:file: wanted a field's name over every column, found an empty cell over column 2"),
        ("jurisdiction,question,answer\nDE,Q\n", "2:file: wanted 3 cells, as in the header, found 2"),
        ("jurisdiction,question,answer\nDE,Q,A,B\n", "2:file: wanted 3 cells, as in the header, found 4"),
        ('jurisdiction,question,answer\nDE,a "b" c,A\n', '2:file: wanted a cell with a " in it to be quoted, and the " doubled, found a bare " in cell 2'),
        ('jurisdiction,question,answer\nDE,"a" b,A\n', '2:file: wanted a comma or the end of the line after the closing ", found more text in cell 2'),
        ('jurisdiction,question,answer\n\nDE,"a\nb,A\n', '3:file: wanted a " at the end of a quoted cell, found none after the one that opens cell 2'),
        ("jurisdiction,question,answer,aliases\nDE,Q,A,a\\b\n", "2:aliases: wanted \\ before |, \\ or a space only (write \\\\ for one \\), found '\\\\b'"),
        ("jurisdiction,question,answer,aliases\nDE,Q,A,a\\\n", "2:aliases: wanted \\ before |, \\ or a space only (write \\\\ for one \\), found a \\ at the end"),
        ("jurisdiction,question,answer,aliases\nDE,Q,A,a || b\n", "2:aliases: wanted items with text, found an empty item"),
        ("jurisdiction,question,answer,source,source_title\nDE,Q,A,x,y\n", "2:source: wanted source alone, or source_title with source_url and source_licence, found source and source_title"),
        ("jurisdiction,question,answer,binding\nDE,Q,A,1\n", "2:binding: wanted true or false, found the text '1'"),
        ("jurisdiction,question,answer,colour\nDE,Q,A,red\n", "2:colour: wanted a field of the format, found 'colour' (the fields are "),
    ],
)  # fmt: skip
def test_csv_beyond_the_format_is_refused(read: Reader, data: str, fault: str) -> None:
    [found] = faults_of(lambda: read(data, "csv"))
    assert found.startswith(f"f.csv:{fault}")


def test_line_numbers_count_line_breaks_inside_quoted_cells(read: Reader) -> None:
    data = 'jurisdiction,question,answer\r\nDE,"two\r\nlines","a\r\n\r\nb"\r\n\r\nDE,Q2,A\r\nxx,Q3,A\r\n'
    assert [fault.partition(": ")[0] for fault in faults_of(lambda: read(data, "csv"))] == ["f.csv:8:jurisdiction"]
    located = read(data.replace("xx", "FR"), "csv").records
    assert [each.line for each in located] == [2, 7, 8]
    assert located[0].record.question == "two\nlines"


@pytest.mark.parametrize(
    "cell, text",
    [
        ("=1+1", "=1+1"),
        ("'=1+1", "=1+1"),
        ("''=1+1", "'=1+1"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("'", "'"),
        ("' x", "' x"),
        ('"  x "', "  x "),
        ("  x ", "x"),
        ('"a ""b"""', 'a "b"'),
        ("'-5", "-5"),
    ],
)
def test_a_cell_of_csv_stands_for_its_text(read: Reader, cell: str, text: str) -> None:
    assert only(read(CSV % cell, "csv")).answer == text


def test_csv_has_lists_sources_and_truth_values(read: Reader) -> None:
    data = "jurisdiction,question,answer,aliases,source,source_licence,binding,serve\nDE,Q,A, a | b\\|c |\\ d,Law 1,CC0,TRUE,verbatim\n"
    record = only(read(data, "csv"))
    assert record.aliases == ("a", "b|c", " d")
    assert (str(record.source), record.source and record.source.licence, record.binding, record.serve) == (
        "Law 1",
        "CC0",
        True,
        "verbatim",
    )


# --- JSONL --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, fault",
    [
        (JSON % ', "answer": "B"', "answer: wanted each key once, found it twice"),
        (JSON % ', "source": {"url": "a", "url": "b"}', "url: wanted each key once, found it twice"),
        (JSON % ', "prior": NaN', "file: wanted one JSON object a line, found NaN, which is not JSON, in "),
        (JSON % ', "prior": -Infinity', "file: wanted one JSON object a line, found -Infinity, which is not JSON, in "),
        (JSON % ', "prior": 19.5', "prior: wanted a text, found a number 19.5 (put it in quotes"),
        (JSON % ', "prior": 1e999', "prior: wanted a text, found a number 1e999 (put it"),
        (JSON % ', "prior": false', "prior: wanted a text, found the truth value false (put it"),
        (JSON % ', "aliases": "a"', "aliases: wanted a list of texts, found the text 'a'"),
        (JSON % ', "aliases": ["a", 1.5, null]', "aliases: wanted a text in each item, found a number 1.5 (put"),
        (JSON % ', "prior": "\\u0000"', "prior: wanted text without control characters, lone surrogates or noncharacters, found U+0000"),
        (JSON % ', "prior": "\\ud800"', "prior: wanted text without control characters, lone surrogates or noncharacters, found U+D800"),
        ('{"jurisdiction": "DE", "question": "\\ud800", "answer": "A"}', "question: wanted text without control characters, lone surrogates or noncharacters, found U+D800"),
        ("[" * 100_000, "file: wanted an object of texts and lists, found brackets nested too deep"),
        ('[{"answer": "A"}]', "file: wanted one JSON object a line, found an array (write each of its objects on a line of its own)"),
        ('"text"', "file: wanted one JSON object a line, found '\"text\"'"),
        ("{", "file: wanted one JSON object a line, found expecting property name enclosed in double quotes at column 2 in '{'"),
        (JSON % "" + JSON % "", "file: wanted one JSON object a line, found more after the object, at column 56, in "),
    ],
)  # fmt: skip
def test_jsonl_beyond_the_format_is_refused(read: Reader, data: str, fault: str) -> None:
    assert any(found.startswith(f"f.jsonl:2:{fault}") for found in faults_of(lambda: read(f"\n{data}\n")))


def test_line_separators_of_unicode_do_not_end_a_line_of_jsonl(read: Reader) -> None:
    assert only(read(JSON % ', "prior": "a\u2028b\u0085c"'.replace("\u0085", ""))).prior == "a\u2028bc"


def test_whole_numbers_keep_their_digits(read: Reader) -> None:
    assert only(read(JSON % f', "prior": {"9" * 5000}')).prior == "9" * 5000


# --- files and directories ----------------------------------------------------------------------------------------------


def test_a_directory_is_walked_in_order_and_read_once_whatever_links_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(
        ["k/b.jsonl", "k/a/z.csv", "k/c.YAML", "k/.hidden.jsonl", "k/.git/x.jsonl", "k/README.md", "k/n.json"]
    ):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            {".csv": CSV % f"A{number}", ".YAML": YAML % f"A{number}"}.get(path.suffix, JSON % "").replace("Q?", f"Q{number}")
        )
    Path("k/a/loop").symlink_to(tmp_path / "k")
    Path("k/again.jsonl").symlink_to(tmp_path / "k/b.jsonl")
    Path("k/circle").symlink_to(tmp_path / "k/circle")
    read = read_records([Path("k"), Path("k"), Path("./k/b.jsonl")], default_atlas())
    assert read.files == ("k/a/z.csv", "k/again.jsonl", "k/c.YAML")
    assert [located.where for located in read.records] == ["k/a/z.csv:2", "k/again.jsonl:1", "k/c.YAML:1"]


def test_paths_that_cannot_be_read_are_named_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text("[]")
    Path("loop.jsonl").symlink_to("loop.jsonl")
    Path("d").mkdir()
    Path("d/broken.csv").symlink_to("nowhere")
    os.mkfifo("d/pipe.jsonl")
    wanted = "wanted a .yaml, .yml, .csv or .jsonl file, or a directory of them, found"
    assert faults_of(lambda: read_records([Path(p) for p in ("gone.csv", "a.json", "loop.jsonl", "d")], default_atlas())) == [
        f"gone.csv:0:file: {wanted} nothing there",
        f"a.json:0:file: {wanted} a file named 'a.json' (one record a line: .jsonl)",
        f"loop.jsonl:0:file: {wanted} Too many levels of symbolic links",
        "d/broken.csv:0:file: wanted a readable file, found No such file or directory",
        "d/pipe.jsonl:0:file: wanted a regular file, found a device, pipe or socket",
    ]


def test_every_fault_of_every_file_is_listed_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("jurisdiction,question,answer,valid_from\nDE,Q,,2026-13-01\nQQ,Q,A,\n")
    Path("b.jsonl").write_text('{"jurisdiction": "DE"}\n')
    found = [
        fault.partition(": ")[0] for fault in faults_of(lambda: read_records([Path("b.jsonl"), Path("a.csv")], default_atlas()))
    ]
    assert found == ["b.jsonl:1:question", "b.jsonl:1:answer", "a.csv:2:valid_from", "a.csv:2:answer", "a.csv:3:jurisdiction"]


def test_an_id_stated_twice_is_refused_in_one_file_and_over_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text((JSON % ', "id": "x"' + "\n") * 2)
    Path("b.yaml").write_text(YAML % "A" + YAML % "B" + "- id: x\n  retract: true\n  rationale: wrong\n")
    assert faults_of(lambda: read_records([Path("a.jsonl"), Path("b.yaml")], default_atlas())) == [
        "a.jsonl:2:id: wanted each id once, found 'x' also at a.jsonl:1",
        "b.yaml:4:id: wanted each fact (jurisdiction, question, valid_from) once, or an id, found 'r-34bc068802413245' also at b.yaml:1",
        "b.yaml:7:id: wanted a record stated or withdrawn, found both, 'x' also at a.jsonl:1",
    ]


def test_mappings_of_a_program_are_held_to_the_same_rules() -> None:
    from datetime import date, datetime

    good = {"jurisdiction": "DE", "question": "Q", "answer": 112, "aliases": ("a",), "valid_from": date(2026, 1, 1)}
    record = only(read_mappings([good], default_atlas()))
    assert (record.answer, record.aliases, record.valid_from) == ("112", ("a",), date(2026, 1, 1))
    bad = {**good, "valid_from": datetime(2026, 1, 1), "answer": 1.5, "prior": b"x"}  # noqa: DTZ001
    assert faults_of(lambda: read_mappings([good, bad], default_atlas())) == [
        "record:2:answer: wanted a text, found a number 1.5 (put it in quotes if it is a text)",
        "record:2:valid_from: wanted a day as YYYY-MM-DD, found a value of type datetime",
        "record:2:prior: wanted a text, found a value of type bytes",
    ]


@pytest.mark.slow
def test_ten_thousand_lines_are_read_line_by_line_not_each_against_each(read: Reader) -> None:
    import time

    more = ', "id": "r%d", "subject": "S %d", "paraphrases": ["a %d?", "über %d?"], "valid_from": "2026-01-01", "source": {"title": "T"}'
    text = "".join(JSON % (more % (n, n, n, n)) + "\n" for n in range(10_000))
    started = time.process_time()
    assert len(read(text).records) == 10_000
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    ("on_repeat", "answer"), [("newest", "B"), ("skip", "A")], ids=["the last is taken", "the first is taken"]
)
def test_an_id_stated_twice_is_settled_where_that_is_asked_for(
    tmp_path: Path, on_repeat: Literal["newest", "skip"], answer: str
) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"id": "x", "jurisdiction": "DE", "question": "Q?", "answer": each} for each in ("A", "B")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = read_records([path], default_atlas(), on_repeat=on_repeat)
    assert [located.record.answer for located in found.records] == [answer]
    assert len(found.repeats) == 1
    assert "x is stated twice" in found.repeats[0]
