"""Fields: what is taken, what is refused, and in which words."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.atlas import default_atlas
from rag_edit.core.record import Record, Serve, Source
from rag_edit.records.parse import Parser, Retraction
from rag_edit.records.raw import FileFaults, Kind, Raw, RawRecord, Scalar

NEEDED: dict[str, Raw] = {"jurisdiction": "DE", "question": "Q", "answer": "A"}


def parse(**values: Raw) -> tuple[Record | Retraction | None, list[str]]:
    faults = FileFaults("f")
    parsed = Parser(default_atlas()).parse(RawRecord({**NEEDED, **values}, 7), faults)
    return parsed, [line.removeprefix("f:7:") for line in faults.lines()]


def record(**values: Raw) -> Record:
    parsed, faults = parse(**values)
    assert faults == []
    assert isinstance(parsed, Record)
    return parsed


@pytest.mark.parametrize(
    "code, found",
    [
        ("DЕ", "'D\\u0415'"),
        ("ＤＥ", "'\\uff24\\uff25'"),
        ("de", "'de'"),
        ("DE ", "'DE '"),
        ("DE\u200b", "'DE\\u200b'"),
        ("\u202eED", "'\\u202eED'"),
        ("DE\n", "'DE\\n'"),
        ("Germany", "'Germany'"),
        ("UK", "'UK'"),
        ("", "''"),
    ],
    ids=[
        "Cyrillic E",
        "full width",
        "lower case",
        "space",
        "zero width",
        "right-to-left override",
        "line break",
        "name",
        "UK",
        "empty",
    ],
)
def test_a_code_that_only_looks_right_is_refused(code: str, found: str) -> None:
    parsed, faults = parse(jurisdiction=code)
    assert parsed is None
    assert len(faults) == 1
    assert faults[0].startswith(f"jurisdiction: wanted a code of the atlas, found {found}: ")


@pytest.mark.parametrize(
    "day, found",
    [
        ("2026-02-30", "2026-02-30 (day is out of range for month)"),
        ("2026-13-01", "2026-13-01 (month must be in 1..12)"),
        ("0000-01-01", "0000-01-01 (year 0 is out of range)"),
        ("26-01-01", "'26-01-01' (a year has four digits)"),
        ("01/02/26", "'01/02/26' (a year has four digits)"),
        ("01.02.2026", "'01.02.2026' (year, month, day, with hyphens and two digits each for the last two)"),
        ("2026-1-1", "'2026-1-1' (year, month, day, with hyphens and two digits each for the last two)"),
        ("2026-01-01T00:00:00Z", "'2026-01-01T00:00:00Z' (a day has no time)"),
        ("2026-01-01 12:00", "'2026-01-01 12:00' (a day has no time)"),
        (Scalar(Kind.INTEGER, "20260101"), "'20260101' (write the hyphens)"),
        ("2026-W01-1", "'2026-W01-1'"),
        ("٢٠٢٦-٠١-٠١", "'٢٠٢٦-٠١-٠١'"),
        ("tomorrow", "'tomorrow'"),
        ("", "''"),
        (" 2026-01-01", "' 2026-01-01'"),
        (True, "the truth value true (put it in quotes if it is a text)"),
    ],
)
def test_a_day_is_written_in_one_way(day: Raw, found: str) -> None:
    for name in ("valid_from", "valid_to"):
        parsed, faults = parse(**{name: day})
        assert parsed is None
        assert [fault.split(", found ", 1)[1] for fault in faults] == [found]


def test_days_in_the_wrong_order_are_refused() -> None:
    assert parse(valid_from="2026-01-01", valid_to="2026-01-01")[1] == [
        "valid_to: wanted a day after valid_from (2026-01-01), found 2026-01-01"
    ]
    assert record(valid_from="2026-01-01", valid_to="2026-01-02").valid_to == date(2026, 1, 2)


@pytest.mark.parametrize(
    "text", ["a\u202eb", "a\u2066b", "a\ufeffb", "a\U000e0041b", "🏴\U000e0067", "a\0b", "a\x1bb", "a\udc80b", "a\uffffb"]
)
@pytest.mark.parametrize("name", ["question", "answer", "prior", "rationale", "paraphrases", "subject", "aliases", "source"])
def test_what_hides_or_reorders_text_is_refused_everywhere(name: str, text: str) -> None:
    parsed, faults = parse(**{name: [text] if name in ("paraphrases", "aliases") else text})
    assert parsed is None
    assert [fault.split(":")[0] for fault in faults] == [name]


@pytest.mark.parametrize("text", ["ශ්‍රී ලංකාව", "می‌خواهم", "क्‍ष", "日本", "Ωμέγα", "İstanbul"])
@pytest.mark.parametrize("name", ["answer", "subject", "aliases"])
def test_what_scripts_need_is_kept(name: str, text: str) -> None:
    assert record(**{name: [text] if name == "aliases" else text}).to_json()[name] in (text, [text])


@pytest.mark.parametrize(
    "text",
    [
        "ر.س.\u200f",
        "👩\u200d🚀",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "soft\u00adhyphen",
        "a\u200bb",
        "tab\tand\nline",
    ],
)
def test_marks_of_free_text_are_kept(text: str) -> None:
    assert record(answer=text).answer == text


@pytest.mark.parametrize(
    "text", ["Ber\u200blin", "Ber\u200dlin", "Ber\u200clin", "\u200eBerlin", "Ber\u00adlin", "\u200dක", "علی\u200c"]
)
def test_invisible_characters_in_names_are_refused(text: str) -> None:
    for name, value in (("subject", text), ("aliases", [text])):
        parsed, faults = parse(**{name: value})  # type: ignore[arg-type]
        assert parsed is None
        assert "wanted text without hidden or direction characters" in faults[0] or "in each item" in faults[0]


@pytest.mark.parametrize("text", ["", "-x", "ä", "a b", "x" * 129, "a\u200b", "ｒ1", "a\n"])
def test_an_id_has_its_own_alphabet(text: str) -> None:
    assert [fault.split(":")[0] for fault in parse(id=text)[1]] == ["id"]


def test_texts_are_brought_to_nfc_and_their_line_breaks_to_one_kind() -> None:
    parsed = record(answer="Cafe\u0301\r\nbar\rbaz", aliases=["e\u0301"], source={"title": "e\u0301"})
    assert (parsed.answer, parsed.aliases, parsed.source) == ("Café\nbar\nbaz", ("é",), Source(title="é"))


@pytest.mark.parametrize(
    "given, source",
    [
        ("https://x.org/a", Source(url="https://x.org/a")),
        ("Law 12 of 2020, https://x.org", Source(title="Law 12 of 2020, https://x.org")),
        ({"title": "https://x.org", "licence": "CC0"}, Source(title="https://x.org", licence="CC0")),
        ({"title": "T", "url": None}, Source(title="T")),
    ],
)
def test_a_source_is_a_url_a_citation_or_its_parts(given: Raw, source: Source) -> None:
    assert record(source=given).source == source


@pytest.mark.parametrize(
    "name, value, fault",
    [
        ("source", {"license": "CC0"}, "source: wanted only title, url, licence in it, found 'license'"),
        ("source", {"licence": "CC0"}, "source: wanted a title or a url, found neither"),
        (
            "source",
            {"title": True},
            "source: wanted a text as its title, found the truth value true (put it in quotes if it is a text)",
        ),
        ("source", ["a"], "source: wanted a text, found a list"),
        ("serve", "Verbatim", "serve: wanted one of auto, verbatim, grounded, found the text 'Verbatim'"),
        ("binding", "true", "binding: wanted true or false, found the text 'true'"),
        (
            "retract",
            Scalar(Kind.INTEGER, "1"),
            "retract: wanted true or false, found an integer 1 (put it in quotes if it is a text)",
        ),
        ("language", "german", None),
        ("language", "de_DE", "language: wanted a BCP 47 tag such as de or pt-BR, found 'de_DE'"),
        ("paraphrases", ["a", ["b"]], "paraphrases: wanted a text in each item, found a list"),
        ("aliases", ["a"] * 49, "aliases: wanted at most 48 items, found 49"),
        ("aliases", ["a", " "], "aliases: wanted items with text, found an empty item"),
        ("answer", "  ", "answer: wanted a text, found nothing"),
        ("answer", "x" * 8001, "answer: wanted at most 8000 characters, found 8001"),
        ("paraphrase", ["a"], "paraphrase: wanted a field of the format, found 'paraphrase', did you mean paraphrases?"),
        ("licence_of_source", "a", None),
        ("country", "DE", "country: wanted a field of the format, found 'country', did you mean jurisdiction?"),
        ("valid_until", "x", "valid_until: wanted a field of the format, found 'valid_until', did you mean valid_to?"),
        ("supersedes", ["r1"], "supersedes: wanted ids of other records, found its own id"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_these_words(name: str, value: Raw, fault: str | None) -> None:
    faults = parse(id="r1", **{name: value})[1]
    assert faults == ([fault] if fault else faults)


def test_all_faults_of_a_record_come_at_once() -> None:
    parsed, faults = parse(jurisdiction="XX", answer=True, valid_from="2026-02-30", serve="x", aliases=[" "], colour="red")
    assert parsed is None
    assert {fault.split(":")[0] for fault in faults} == {"jurisdiction", "answer", "valid_from", "serve", "aliases", "colour"}


def test_what_is_not_given_has_its_default() -> None:
    parsed = record(subject=None, aliases=None, binding=None, serve=None, valid_from=None, source=None, id=None, retract=False)
    assert parsed == record()
    assert (parsed.serve, parsed.binding, parsed.aliases) == (Serve.AUTO, False, ())


def test_the_same_fact_gets_the_same_id_in_every_file() -> None:
    assert record(question="What  is IT?", answer="x").id == record(question="what is it?", answer="y").id
    assert record(valid_from="2026-01-01").id != record().id != record(jurisdiction="FR").id


def test_a_retraction_has_an_id_and_a_reason_and_may_stand_in_its_record() -> None:
    assert parse(retract=True, id="r1", rationale="wrong")[0] == Retraction("r1", "wrong")
    faults = FileFaults("f")
    bare = Parser(default_atlas()).parse(RawRecord({"id": "r1", "retract": True}, 1), faults)
    assert (bare, faults.lines()) == (None, ["f:1:rationale: wanted the reason to withdraw it, found nothing"])
    assert parse(retract=True, rationale="x" * 2001)[1] == [
        "id: wanted the id of the record to withdraw it, found nothing",
        "rationale: wanted at most 2000 characters, found 2001",
    ]
    assert parse(retract=True, id="r1", rationale="x", valid_from="soon")[1] == [
        "valid_from: wanted a day as YYYY-MM-DD, found 'soon'"
    ]


RAW = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=5)
    | st.builds(Scalar, st.sampled_from(Kind), st.text("0123456789.", max_size=4)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "url", "licence", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*NEEDED, "id", "aliases", "source", "valid_from", "serve", "retract", "binding", "x", ""]), RAW
    )
)
def test_whatever_is_written_gives_a_record_or_faults_never_neither(values: dict[str, Raw]) -> None:
    faults = FileFaults("f")
    parsed = Parser(default_atlas()).parse(RawRecord(values, 1), faults)
    assert (parsed is None) == bool(len(faults))
