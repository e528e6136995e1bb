"""What is exported reads back equal, and exporting again changes no byte."""

import stat
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.atlas import default_atlas
from rag_edit.core.errors import InvalidRecordsError, UsageError
from rag_edit.core.record import Record, RecordVersion, Serve, Source, Status
from rag_edit.records.export import ExportError, export_records
from rag_edit.records.files import read_records
from rag_edit.records.formats import FORMATS
from rag_edit.records.parse import Parser
from rag_edit.records.raw import FileFaults, Limits, RawRecord, raw_value

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
NASTY = [
    "NO", "null", "~", "true", "yes", "0112", "19.5", "1e3", "2026-01-01", "=1+1", "'=1+1", "''@x", "+49", "-5", "@x", "'", "'tis", "＝1",
    " lead", "trail ", "\ttab", "a\nb", "\na", "a\n", "a\n\n  b", 'say "hi"', '"', '""', "a,b", "a;b", "a|b", "a | b", "\\", "a\\", "\\|", "|",
    "a: b", "- a", "# a", "a #b", "[a]", "{a}", "&a", "*a", "!a", "%a", "`a", "---", "...", "? a", "<<", "مرحبا", "שלום\u200f", "👩\u200d🚀", "日本語", "Zürich",
    "a\u2028b", "\u3000a\u3000", "\u00a0", "\\u0041", "\\n", "x" * 300,
]  # fmt: skip


def version(record: Record, number: int = 1) -> RecordVersion:
    return RecordVersion(record, number, number, Status.LIVE, WHEN)


def readable(values: dict[str, object]) -> Record | None:
    """The record that the reader makes of values; None where it refuses them."""
    parsed = Parser(None).parse(RawRecord({name: raw_value(value) for name, value in values.items()}, 1), FileFaults("f"))
    return parsed if isinstance(parsed, Record) else None


TEXT = (
    st.sampled_from(NASTY)
    | st.text(st.sampled_from("a ,;|\\\"'=\n\té\u200d-:#0"), min_size=1, max_size=9)
    | st.text(min_size=1, max_size=6)
)
TEXTS = st.lists(TEXT, max_size=3)
RECORDS = st.fixed_dictionaries(
    {"jurisdiction": st.sampled_from(["DE", "NO", "DE-BY", "EU", "GLOBAL"]), "question": TEXT, "answer": TEXT},
    optional={
        "subject": TEXT, "aliases": TEXTS, "relation": TEXT, "paraphrases": TEXTS, "target": TEXT, "target_aliases": TEXTS, "prior": TEXT,
        "language": st.sampled_from(["de", "pt-BR", "no"]), "author": TEXT, "institution": TEXT, "rationale": TEXT, "topic": TEXT,
        "valid_from": st.dates(max_value=date(2030, 1, 1)), "valid_to": st.dates(min_value=date(2030, 1, 2)),
        "serve": st.sampled_from(sorted(Serve)), "binding": st.booleans(), "supersedes": st.just(["x/1"]), "derogates": st.just(["y", "z"]),
        "source": TEXT | st.fixed_dictionaries({"title": TEXT}, optional={"url": TEXT, "licence": TEXT}),
    },
).map(readable).filter(bool)  # fmt: skip


@given(st.lists(RECORDS, max_size=3, unique_by=lambda record: record.id))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_reads_back_what_it_wrote(name: str, records: list[Record]) -> None:
    form = FORMATS[name]
    text = form.write(records)
    faults = FileFaults("f")
    parser = Parser(default_atlas())
    back = [parser.parse(raw, faults) for raw in form.read(text, faults, Limits())]
    assert faults.lines() == []
    assert back == records
    assert form.write(r for r in back if isinstance(r, Record)) == text


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nasty_texts_survive_a_file_in_every_field(name: str, tmp_path: Path) -> None:
    plain = [
        {
            "id": f"r{n}",
            "jurisdiction": "NO",
            "question": f"Q{n}",
            "answer": text,
            "aliases": [text],
            "target": text,
            "paraphrases": [text, "b", text],
            "source": {"title": text},
        }
        for n, text in enumerate(NASTY)
    ]
    records = [record for record in map(readable, plain) if record]
    assert len(records) >= len(NASTY) - 8  # blank ones, and marks that no name may hold
    path = tmp_path / f"out.{name}"
    export_records(map(version, records), path)
    assert {each.record for each in read_records([path], default_atlas()).records} == set(records)


def some(*ids: str) -> list[RecordVersion]:
    return [
        version(
            Record(
                id=name,
                jurisdiction=["DE", "NO", "DE-BY"][at % 3],
                question=f"Q {name}?",
                answer="A",
                source=Source("T", "https://x.org"),
            )
        )
        for at, name in enumerate(ids)
    ]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_directory_gets_one_file_a_jurisdiction_whatever_the_order(name: str, tmp_path: Path) -> None:
    versions = some("b", "a", "d", "c")
    written = export_records(versions, tmp_path / "out", name)
    assert [path.name for path in written] == [f"{code}.{name}" for code in ("DE", "DE-BY", "NO")]
    before = {path: path.read_bytes() for path in written}
    read = read_records([tmp_path / "out"], default_atlas())
    assert [each.record.id for each in read.records] == ["d", "b", "c", "a"]
    assert export_records((version(each.record) for each in reversed(read.records)), tmp_path / "out", name) == written
    assert {path: path.read_bytes() for path in written} == before
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.name for path in written}


def test_the_suffix_of_a_file_decides_its_format(tmp_path: Path) -> None:
    for suffix, start in (
        (".yaml", b'- id: "a"'),
        (".YML", b'- id: "a"'),
        (".csv", b"id,jurisdiction,"),
        (".jsonl", b'{"id": "a"'),
    ):
        [path] = export_records(some("a"), tmp_path / "new" / f"x{suffix}", "csv")
        assert path.read_bytes().startswith(start)
        assert stat.S_IMODE(path.stat().st_mode) & 0o400


@pytest.mark.parametrize("suffix", [".yaml", ".csv", ".jsonl"])
def test_no_records_make_a_file_that_states_nothing(suffix: str, tmp_path: Path) -> None:
    [path] = export_records([], tmp_path / f"x{suffix}")
    assert read_records([path], default_atlas()).records == ()


def test_spreadsheets_are_given_no_formula(tmp_path: Path) -> None:
    record = Record(id="a", jurisdiction="DE", question="Q", answer="=HYPERLINK(1)", aliases=("@x", "y"), prior="+1")
    [path] = export_records([version(record)], tmp_path / "x.csv")
    assert path.read_text() == "id,jurisdiction,question,answer,aliases,prior\na,DE,Q,'=HYPERLINK(1),'@x | y,'+1\n"


def test_a_directory_with_other_record_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "FR.yaml").write_text("[]\n")
    with pytest.raises(UsageError, match=r"holds record files that this export would not replace: FR\.yaml"):
        export_records(some("a"), tmp_path, "yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["FR.yaml"]


def test_a_target_or_format_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"wanted one of the formats yaml, csv, jsonl, found 'xlsx'"):
        export_records(some("a"), tmp_path, "xlsx")
    with pytest.raises(UsageError, match=r"out\.json: wanted a directory, or a file named"):
        export_records(some("a"), tmp_path / "out.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="nothing exported"):
        export_records(some("a"), tmp_path / "file" / "x.csv")


@pytest.mark.parametrize(
    "values, fault",
    [
        ({"answer": "e\u0301"}, "a: wanted texts in NFC"),
        ({"answer": "a\u202eb"}, "record:1:answer: wanted text without hidden or direction characters"),
        ({"language": "?"}, "record:1:language: wanted a BCP 47 tag"),
    ],
)
def test_what_would_not_read_back_equal_is_refused_before_a_byte_is_written(
    values: dict[str, str], fault: str, tmp_path: Path
) -> None:
    record = Record(**{"id": "a", "jurisdiction": "DE", "question": "Q", "answer": "A", **values})  # type: ignore[arg-type]
    with pytest.raises(ExportError, match=fault):
        export_records([version(record)], tmp_path / "x.yaml")
    assert list(tmp_path.iterdir()) == []


def closed_and_double() -> Iterable[list[RecordVersion]]:
    [one] = some("a")
    yield [one, one]
    yield [RecordVersion(one.record, 1, 1, Status.RETRACTED, WHEN)]


@pytest.mark.parametrize("versions", list(closed_and_double()), ids=["twice", "closed"])
def test_only_live_versions_one_an_id_are_exported(versions: list[RecordVersion], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted one live version an id"):
        export_records(versions, tmp_path / "x.csv")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("old")
    bad = Record(id="a", jurisdiction="DE", question="Q", answer="a\u202eb")
    with pytest.raises(ExportError):
        export_records([version(bad)], path)
    assert path.read_text() == "old"


def test_faults_in_an_exported_file_are_found_where_they_are(tmp_path: Path) -> None:
    day = date(2026, 1, 1)
    record = Record(id="a", jurisdiction="DE", question="Q\nQ", answer="A", valid_from=day, valid_to=day + timedelta(1))
    for suffix, line in (("csv", 2), ("yaml", 6), ("jsonl", 1)):
        [path] = export_records([version(record)], tmp_path / f"x.{suffix}")
        path.write_text(path.read_text().replace("2026-01-02", "2025-01-02"))
        with pytest.raises(InvalidRecordsError) as caught:
            read_records([path], default_atlas())
        assert caught.value.faults[0].startswith(f"{path}:{line}:valid_to: wanted a day after valid_from")
