"""The committed demo knowledge: rebuilt byte for byte, free of contradictions, right on facts that anyone can check."""

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag_edit.core.atlas import default_atlas
from rag_edit.core.record import Record
from rag_edit.records.conflicts import Rivals, Statement
from rag_edit.records.files import read_records

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
LABELLED = ROOT / "tests" / "data" / "labelled_questions.jsonl"
REPORT = ROOT / "tests" / "data" / "labelled_questions_report.jsonl"


@pytest.fixture(scope="module")
def records() -> dict[str, Record]:
    return {each.record.id: each.record for each in read_records([ROOT / "knowledge"], default_atlas()).records}


@pytest.fixture(scope="module")
def labelled() -> list[dict[str, str | None]]:
    return [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def report() -> list[dict[str, Any]]:
    """The questions that nothing is built or tuned on."""
    return [json.loads(line) for line in REPORT.read_text(encoding="utf-8").splitlines()]


def find(records: dict[str, Record], topic: str, subject: str, code: str, on: str) -> Record | None:
    """Return the record that the most specific jurisdiction of the chain has on that day."""
    day = date.fromisoformat(on)
    for place in default_atlas().chain(code, day):
        for record in records.values():
            if record.jurisdiction == place and record.topic == topic and subject in record.names() and record.is_valid_at(day):
                return record
    return None


def run(script: str, *args: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *args],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_packages_give_the_committed_files_byte_for_byte() -> None:
    run("build_knowledge.py", "--check")


@pytest.mark.shared
@pytest.mark.slow
def test_the_packages_and_the_dated_tables_give_the_committed_files_byte_for_byte() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"the dated tables are not at {SHARED}")
    run("build_knowledge.py", "--data", str(SHARED), "--check")


@pytest.mark.slow
def test_the_labelled_questions_are_what_the_knowledge_gives() -> None:
    run("label_questions.py", "--check")


def test_thousands_of_records_in_hundreds_of_jurisdictions_in_each_format(records: dict[str, Record]) -> None:
    assert 4_000 <= len(records) <= 9_000
    assert len({r.jurisdiction for r in records.values()}) >= 300
    assert {path.suffix for path in (ROOT / "knowledge").rglob("*.*")} >= {".yaml", ".csv", ".jsonl"}
    assert sum(path.stat().st_size for path in (ROOT / "knowledge").rglob("*.*")) <= 12_000_000


def test_no_two_records_contradict_one_another(records: dict[str, Record]) -> None:
    rivals, found = Rivals(), []
    for record in records.values():
        statement = Statement(record, record.id)
        found += [(record.id, rival.found.where) for rival in rivals.of(statement) if not rival.same_answer]
        rivals.add(statement)
    assert found == []


def test_every_answer_states_its_target_and_every_record_its_source(records: dict[str, Record]) -> None:
    silent = [r.id for r in records.values() if not any(text.casefold() in r.answer.casefold() for text in r.targets())]
    unsourced = [r.id for r in records.values() if r.source is None or not (r.source.title and r.source.url)]
    assert (silent, unsourced) == ([], [])


def test_every_record_has_a_subject_a_relation_and_another_wording(records: dict[str, Record]) -> None:
    assert [r.id for r in records.values() if not (r.subject and r.relation and r.paraphrases and r.topic and r.author)] == []


def test_the_share_alike_table_is_named_in_each_of_its_records(records: dict[str, Record]) -> None:
    licences = Counter(r.source.licence for r in records.values() if r.source and "OpenStreetMap" in r.source.title)
    assert set(licences) == {"CC-BY-SA-2.0"}
    assert "CC BY-SA 2.0" in (ROOT / "knowledge" / "NOTICE.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("topic", "subject", "code", "on", "target"),
    [
        pytest.param("tax.vat.standard", "standard VAT rate", "DE", "2020-06-30", "19 %", id="German VAT before the cut"),
        pytest.param(
            "tax.vat.standard", "standard VAT rate", "DE-BY", "2020-07-01", "16 %", id="German VAT on the first day of the cut"
        ),
        pytest.param(
            "tax.vat.standard", "standard VAT rate", "DE", "2020-12-31", "16 %", id="German VAT on the last day of the cut"
        ),
        pytest.param("tax.vat.standard", "standard VAT rate", "DE", "2021-01-01", "19 %", id="German VAT after the cut"),
        pytest.param("tax.vat.reduced", "reduced VAT rate", "DE", "2020-10-01", "5 %", id="German reduced VAT in the cut"),
        pytest.param("tax.vat.standard", "standard VAT rate", "IE", "2020-09-01", "21 %", id="Irish VAT, which one list lacks"),
        pytest.param(
            "tax.vat.standard", "standard VAT rate", "HR", "2022-12-31", "25 %", id="Croatian VAT, no gap before the euro"
        ),
        pytest.param("tax.vat.standard", "standard VAT rate", "PT-20", "2026-11-22", "16 %", id="Azores, corrected"),
        pytest.param("tax.vat.standard", "standard VAT rate", "US-CA", "2026-11-22", None, id="no VAT in California"),
        pytest.param("money.currency", "currency", "BG", "2025-12-31", "Bulgarian lev", id="lev on its last day"),
        pytest.param("money.currency", "currency", "BG", "2026-01-01", "euro", id="Bulgaria's first euro day"),
        pytest.param("money.currency", "currency", "HR", "2022-12-31", "Croatian kuna", id="kuna on its last day"),
        pytest.param("money.currency", "currency", "HR", "2023-01-01", "euro", id="Croatia's first euro day"),
        pytest.param("holiday.day", "6 January", "DE-BY", "2026-11-22", "yes", id="Epiphany in Bavaria"),
        pytest.param("holiday.day", "6 January", "AT-9", "2027-11-22", "yes", id="Epiphany in Vienna, from Austria"),
        pytest.param("holiday.day", "6 January", "DE-BE", "2026-11-22", None, id="no Epiphany in Berlin"),
        pytest.param("holiday.day", "6 January", "DE-BY", "2029-01-01", None, id="nothing claimed after three years"),
        pytest.param("holiday.day", "6 April", "DE-BY", "2026-11-22", "yes", id="Easter Monday 2026 by date"),
        pytest.param("holiday.day", "6 April", "DE-BY", "2027-11-22", None, id="6 April 2027 is no holiday"),
        pytest.param("holiday.date", "Easter Monday", "CH-GE", "2027-05-01", "29 March 2027", id="Easter Monday 2027"),
        pytest.param("holiday.name", "Columbus Day", "US-HI", "2026-11-22", "no", id="Columbus Day is none in Hawaii"),
        pytest.param("holiday.name", "Columbus Day", "US-PA", "2026-11-22", "yes", id="Columbus Day, federal"),
        pytest.param("emergency.number", "emergency number", "DE-BY", "2026-11-22", "110 and 112", id="Germany"),
        pytest.param("emergency.number", "emergency number", "US-CA", "2026-11-22", "112 and 911", id="United States"),
        pytest.param(
            "emergency.number", "emergency number", "AU", "2026-11-22", "000, 106 and 112", id="Australia keeps its zeros"
        ),
        pytest.param("calendar.first-weekday", "first day of the week", "US", "2026-11-22", "Sunday", id="US week"),
        pytest.param("calendar.first-weekday", "first day of the week", "FR", "2026-11-22", "Monday", id="French week"),
        pytest.param("work.minimum-wage", "minimum wage", "US-CA", "2019-07-01", "$12.00", id="California 2019"),
        pytest.param("work.minimum-wage", "minimum wage", "US-GA", "2019-07-01", "$7.25", id="Georgia: the federal rate"),
        pytest.param("work.minimum-wage", "minimum wage", "US-CA", "2021-01-01", None, id="nothing after the table ends"),
        pytest.param(
            "work.minimum-wage", "minimum wage", "US-AL", "2007-07-23", "$5.15", id="federal rate on the eve of a change"
        ),
        pytest.param(
            "work.minimum-wage", "minimum wage", "US-AL", "2007-07-24", "$5.85", id="federal rate on the day of a change"
        ),
        pytest.param("traffic.speed-limit.urban", "urban speed limit", "GB-WLS", "2026-11-22", "20 mph", id="Wales"),
        pytest.param("traffic.speed-limit.urban", "urban speed limit", "GB-ENG", "2026-11-22", "30 mph", id="England"),
        pytest.param(
            "traffic.speed-limit.motorway", "motorway speed limit", "FR", "2026-11-22", "130 km/h", id="French motorways"
        ),
        pytest.param(
            "traffic.speed-limit.motorway",
            "motorway speed limit",
            "FR",
            "2020-01-01",
            None,
            id="nothing before the table's day",
        ),
        pytest.param("measurement.system", "system of measurement", "US-TX", "2026-11-22", "US customary", id="Texas"),
    ],
)
def test_facts_that_anyone_can_check(
    *, records: dict[str, Record], topic: str, subject: str, code: str, on: str, target: str | None
) -> None:
    found = find(records, topic, subject, code, on)
    assert (found.target if found else None) == target


def test_the_labelled_questions_are_balanced(labelled: list[dict[str, str | None]]) -> None:
    counts = Counter((row["language"], row["expect"] is None) for row in labelled)
    assert counts == {(language, null): 75 for language in ("en", "de", "fr", "es") for null in (True, False)}
    assert len({row["id"] for row in labelled}) == 600


def test_every_expected_record_is_valid_on_the_day_in_the_chain(
    records: dict[str, Record], labelled: list[dict[str, str | None]]
) -> None:
    for row in labelled:
        if row["expect"] is not None:
            record, day = records[row["expect"]], date.fromisoformat(str(row["as_of"]))
            assert record.is_valid_at(day), row
            assert record.jurisdiction in default_atlas().chain(str(row["jurisdiction"]), day), row


def test_no_labelled_question_is_worded_as_a_record(records: dict[str, Record], labelled: list[dict[str, str | None]]) -> None:
    own = {text.casefold() for record in records.values() for text in record.questions()}
    assert [row["question"] for row in labelled if str(row["question"]).casefold() in own] == []


def folded(text: str) -> str:
    """Return the words of the text without case, accents and punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain.casefold()))


def test_half_of_the_report_questions_are_out_of_scope_in_each_language(report: list[dict[str, Any]]) -> None:
    counts = Counter((row["language"], row["expect"] is None) for row in report)
    assert counts == {
        ("en", False): 134,
        ("en", True): 126,
        ("de", False): 55,
        ("de", True): 58,
        ("fr", False): 54,
        ("fr", True): 58,
        ("es", False): 57,
        ("es", True): 58,
    }
    assert len({row["id"] for row in report}) == len({(folded(row["question"]), row["jurisdiction"]) for row in report}) == 600
    assert all(row["why"].startswith("out of scope: " if row["expect"] is None else "in scope: ") for row in report)


def test_the_report_questions_ask_about_every_topic(records: dict[str, Record], report: list[dict[str, Any]]) -> None:
    asked = Counter(records[row["expect"]].topic for row in report if row["expect"])
    assert set(asked) == {record.topic for record in records.values()}
    families = Counter(records[row["expect"]].topic.partition(".")[0] for row in report if row["expect"])
    assert min(families[family] for family in ("holiday", "tax", "traffic", "emergency", "money", "work")) >= 18


def test_a_report_question_expects_the_record_of_the_most_specific_place_unless_it_asks_for_the_federal_one(
    records: dict[str, Record], report: list[dict[str, Any]]
) -> None:
    alike: dict[tuple[str, str, str], list[Record]] = {}
    for record in records.values():
        alike.setdefault((record.topic, record.subject, record.jurisdiction), []).append(record)
    for row in (row for row in report if row["expect"]):
        record, day = records[row["expect"]], date.fromisoformat(row["as_of"])
        chain = default_atlas().chain(row["jurisdiction"], day)
        assert record.is_valid_at(day), row
        assert record.jurisdiction in chain, row
        nearer = chain[: chain.index(record.jurisdiction)]
        rivals = [r for place in nearer for r in alike.get((record.topic, record.subject, place), ()) if r.is_valid_at(day)]
        assert not rivals or "federal" in row["question"], row


def test_no_report_question_is_worded_as_a_record_or_as_a_question_of_the_other_set(
    records: dict[str, Record], labelled: list[dict[str, str | None]], report: list[dict[str, Any]]
) -> None:
    texts = {text for record in records.values() for text in record.questions()} | {str(row["question"]) for row in labelled}
    taken = {folded(text) for text in texts}
    assert [row["question"] for row in report if folded(row["question"]) in taken] == []


def test_forty_report_questions_follow_up_on_an_exchange(report: list[dict[str, Any]]) -> None:
    talks = [row["messages"] for row in report if "messages" in row]
    assert len(talks) == 40
    assert all([turn["role"] for turn in talk] == ["user", "assistant"] for talk in talks)
    assert all(turn["content"].strip() for talk in talks for turn in talk)


def test_the_demo_asks_in_places_that_exist() -> None:
    lines = (ROOT / "knowledge" / "demo-questions.ndjson").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line) for line in lines]
    assert len(asked) >= 12
    assert all(row["jurisdiction"] in default_atlas() for row in asked)
