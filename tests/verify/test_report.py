"""Policy, report and its figures: counted again from the raw lines by other code; bound, stale, and shown as a page."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rag_edit.core.errors import ConfigError
from rag_edit.core.record import Record, RecordVersion, Status
from rag_edit.verify.finding import Cause, Finding, Kind, Side
from rag_edit.verify.html import page_of
from rag_edit.verify.policy import DEFAULT_POLICY_FILE, Policy, read_policy
from rag_edit.verify.report import Conditions, Report, make_report, matrix_of
from rag_edit.verify.shelf import FINDINGS, HTML, SUMMARY, ReportShelf, Unfinished

HERE = Conditions("", "sha256:encoder", "sha256:scope", "sha256:policy")
AT = "2026-11-23T06:00:00+00:00"


def finding(
    kind: Kind, *, cause: Cause = Cause.NONE, n: int = 0, record: str = "vat@1", after: str = "", **more: str
) -> Finding:
    side = Side("OVERRIDE", "IN_SCOPE", after or record, "It is 19 %.")
    return Finding(
        kind, record, cause is Cause.NONE, cause, f"What is it, {n}?", "DE", "2026-11-23", "given", "", "so it is", after=side,
        topic=more.get("topic", "tax.vat"), place=more.get("place", "DE"), key=f"{kind}-{record}-{n}",
    )  # fmt: skip


MIXED = [
    *(finding(Kind.EFFICACY, n=n) for n in range(20)),
    *(finding(Kind.PARAPHRASE, n=n, cause=Cause.UNREACHABLE if n % 4 == 0 else Cause.NONE) for n in range(40)),
    *(finding(Kind.NEIGHBOUR, n=n, after="wage@2") for n in range(9)),
    finding(Kind.NEIGHBOUR, n=9, cause=Cause.OVER_BROAD),
    *(finding(Kind.RESTORING, n=n, record="wage@2", cause=Cause.OLD_ANSWER, topic="work.wage") for n in range(3)),
]


def report_of(
    findings: Sequence[Finding], policy: Policy | None = None, last: tuple[str, Sequence[Finding]] | None = None
) -> Report:
    return make_report(
        "all", AT, HERE, [("vat@1", "sha256:v")], findings, policy or Policy(), planned={"paraphrase": 99}, last=last
    )


def wilson_again(hits: int, total: int) -> tuple[float, float]:
    z, p = 1.959964, hits / total
    half = z * math.sqrt((p * (1 - p) + z * z / (4 * total)) / total) / (1 + z * z / total)
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    return centre - half, centre + half


RULED = '[[rule]]\ntopic = "tax"\njurisdiction = "DE"\nleast = { paraphrase = 0.9 }\n'


@pytest.mark.parametrize("rules", ["", RULED], ids=["the defaults", "a rule for a topic in a place"])
def test_every_figure_is_recomputed_from_the_raw_lines(tmp_path: Path, rules: str) -> None:
    """Independent of the report's code: plain JSON in, counts and intervals out."""
    then = [replace(f, passed=True, cause=Cause.NONE) if f.kind is Kind.RESTORING else f for f in MIXED]
    elsewhere = [replace(f, place="AT", key=f"{f.key}-at") for f in MIXED if f.kind is Kind.PARAPHRASE][:7]
    report = report_of([*MIXED, *elsewhere], read_policy(rules, "p"), last=("sha256:old", then))
    folder = ReportShelf(tmp_path).put(report, page_of(report))
    lines = [json.loads(line) for line in (folder / FINDINGS).read_text("utf-8").splitlines()]
    summary = json.loads((folder / SUMMARY).read_text("utf-8"))
    page = (folder / HTML).read_text("utf-8")
    assert summary["findings"] == len(lines) == len(MIXED) + len(elsewhere)
    assert summary["asked"] == sum(line["key"] != "" for line in lines)
    counted: dict[tuple[str, str], list[bool]] = {}
    for line in lines:
        ruled = rules and line["kind"] == "paraphrase" and line["topic"] == "tax.vat" and line["place"] == "DE"
        counted.setdefault((line["kind"], "tax in DE" if ruled else "all"), []).append(line["passed"])
        if line["kind"] in ("neighbour", "jurisdiction"):
            stolen = not line["passed"] and line["after"]["record"].split("@")[0] == line["record"].split("@")[0]
            counted.setdefault(("hijack", "all"), []).append(not stolen)
    assert {(f["property"], f["rule"]) for f in summary["figures"]} == set(counted)
    for figure in summary["figures"]:
        passed = counted[figure["property"], figure["rule"]]
        low, high = wilson_again(sum(passed), len(passed))
        assert (figure["passed"], figure["total"]) == (sum(passed), len(passed))
        assert figure["share"] == round(1000 * sum(passed) / len(passed))
        assert abs(figure["low"] - 1000 * max(0, low)) <= 1
        assert abs(figure["high"] - 1000 * min(1, high)) <= 1
        assert figure["ok"] == (1000 * sum(passed) >= figure["least"] * len(passed))
        assert f"{sum(passed)} of {len(passed)}<br>" in page
    causes = {c: sum(line["cause"] == c for line in lines) for c in {line["cause"] for line in lines} - {""}}
    assert summary["causes"] == causes
    short = {(f["property"], f["rule"]) for f in summary["figures"] if not f["ok"]}
    assert (("paraphrase", "tax in DE") in short) is bool(rules)
    refused = any(line["cause"] == "over-broad wording" for line in lines) or bool(short)
    assert summary["verdict"] == ("refused" if refused else "passed")
    assert f"<b>{sum(not line['passed'] for line in lines)}</b>" in page
    assert "3 checks passed then and fail now; 0 checks failed then" in page


def test_a_cause_that_is_never_let_pass_refuses_alone_and_a_share_refuses_below_its_threshold() -> None:
    assert [f.cause for f in report_of(MIXED).refusing] == [Cause.OVER_BROAD]
    short = [finding(Kind.PARAPHRASE, n=n, cause=Cause.UNREACHABLE if n else Cause.NONE) for n in range(3)]
    assert len(report_of(short).refusing) == 2
    assert report_of([f for f in MIXED if f.cause is not Cause.OVER_BROAD]).ok


def test_a_lenient_policy_reports_slips_and_refuses_orders_and_what_was_measured() -> None:
    slip = replace(finding(Kind.FIELDS, cause=Cause.WRONG_UNIT), key="")
    large = replace(finding(Kind.ADAPTER, cause=Cause.ADAPTER_NORM), key="")
    order = replace(finding(Kind.INSTRUCTION, cause=Cause.INSTRUCTION), key="")
    assert report_of([*MIXED, slip], Policy().lenient()).ok
    assert not report_of([*MIXED, large], Policy().lenient()).ok
    assert not report_of([*MIXED, order], Policy().lenient()).ok


def test_a_rule_for_a_topic_and_a_place_is_stricter_there_alone() -> None:
    policy = read_policy('[[rule]]\ntopic = "tax"\njurisdiction = "DE"\nleast = { paraphrase = 0.9 }\n', "verify.toml")
    assert policy.least("paraphrase", "tax.vat", "DE-BY") == (900, "tax in DE")
    assert policy.least("paraphrase", "tax.vat", "AT") == (500, "all")
    assert policy.least("paraphrase", "taxi", "DE") == (500, "all")
    rows = [f for f in MIXED if f.kind is Kind.PARAPHRASE]
    assert not report_of(rows, policy).ok
    assert report_of([replace(f, place="AT") for f in rows], policy).ok


def test_a_policy_may_let_a_cause_pass() -> None:
    assert report_of(
        [finding(Kind.CONFLICT, cause=Cause.DUPLICATE)], read_policy("never = []\nleast = { conflict = 0.0 }", "p")
    ).ok


@pytest.mark.parametrize(
    "text",
    [
        "leest = {}",
        "least = { efficacy = 2 }",
        "least = { speed = 0.5 }",
        'never = ["bad mood"]',
        "[[rule]]\nleast = {}",
        "newest = 'maybe'",
        "[adapter]\nnorm_share = true",
        "least =",
        "rule = 3",
    ],
)
def test_a_misspelt_policy_is_no_policy(text: str) -> None:
    with pytest.raises(ConfigError, match="p"):
        read_policy(text, "p")


def test_the_documented_policy_is_the_default() -> None:
    assert read_policy(DEFAULT_POLICY_FILE, "p").digest == Policy().digest
    stated = "\n".join(
        line.removeprefix("# ")
        for line in DEFAULT_POLICY_FILE.splitlines()
        if line.startswith(("# [l", "# [a", "# efficacy", "# hijack", "# norm"))
    )
    assert read_policy(stated, "p").digest == Policy().digest


def test_another_policy_has_another_name() -> None:
    assert read_policy("least = { efficacy = 0.9 }", "p").digest != Policy().digest


def test_what_changed_since_the_last_report_is_told() -> None:
    then = [replace(f, passed=True, cause=Cause.NONE) if f.kind is Kind.RESTORING else f for f in MIXED]
    since = report_of(MIXED, last=("sha256:old", then)).since
    assert since is not None
    assert (len(since.broken), len(since.mended), since.shares["restoring"]) == (3, 0, (1000, 0))


def version(digest: str = "") -> RecordVersion:
    record = Record("vat", "DE", "What is the VAT rate?", "19 %")
    return RecordVersion(record, 1, 1, Status.LIVE, datetime(2026, 1, 1, tzinfo=UTC), digest)


def test_a_report_is_bound_to_content_and_conditions_and_goes_stale_with_either(tmp_path: Path) -> None:
    live = version()
    report = make_report("all", AT, HERE, [(live.name, live.digest)], MIXED[:1], Policy())
    shelf = ReportShelf(tmp_path)
    assert [(s.record, s.why) for s in shelf.stale([live], HERE)] == [("vat@1", ())]
    shelf.put(report)
    shelf.bind(report)
    assert shelf.stale([live], HERE) == []
    assert shelf.stale([live], replace(HERE, base="sha256:another model")) == []  # it was not asked
    assert [s.why for s in shelf.stale([live], replace(HERE, scope="x", policy="y"))] == [("scope", "policy")]
    assert [s.why for s in shelf.stale([version("sha256:other")], HERE)] == [()]
    found = shelf.last("all")
    assert found is not None
    assert (found[0], len(found[1])) == (report.digest(), 1)


def test_why_something_was_forced_is_kept_with_it(tmp_path: Path) -> None:
    shelf = ReportShelf(tmp_path)
    shelf.bind(replace(report_of(MIXED), forced="the minister asked"))
    assert [(b.ok, b.forced) for b in shelf.bound().values()] == [(False, "the minister asked")]


def test_a_run_that_was_cut_off_goes_on_and_another_one_starts_anew(tmp_path: Path) -> None:
    first = Unfinished(tmp_path, "sha256:a")
    assert first.resume() == {}
    first.append(MIXED[:5])
    with first.path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "effi')  # the machine stopped here
    again = Unfinished(tmp_path, "sha256:a")
    assert len(again.resume()) == 5
    again.append(MIXED[5:7])
    with again.path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "efficacy", "before": {}')  # and here once more
    assert len(Unfinished(tmp_path, "sha256:a").resume()) == 7
    assert Unfinished(tmp_path, "sha256:b").resume() == {}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "onload", "onclick")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_stands_alone_and_says_the_verdict_first() -> None:
    page = page_of(report_of(MIXED, last=("sha256:old", MIXED[:10])))
    reader = _Reader()
    reader.feed(page)
    assert (reader.loads, "script" in reader.tags, "link" in reader.tags) == ([], False, False)
    assert reader.tags.count("svg") == len(report_of(MIXED).figures)
    text = reader.text.partition("}\n")[2] or reader.text
    assert text.index("Refused") < text.index("What was measured") < text.index("What failed")
    assert "http" not in page.replace("http-equiv", "")


def test_texts_of_records_are_escaped_on_the_page() -> None:
    hostile = replace(
        MIXED[-1], question="<script>alert(1)</script>", note='"><img src=x onerror=y>', after=Side(text="<b>bold</b>")
    )
    page = page_of(report_of([hostile]))
    assert "<script>" not in page
    assert "<img" not in page
    assert "<b>bold" not in page


def test_the_matrix_shows_what_one_question_gets_in_each_place() -> None:
    asked = [replace(finding(Kind.JURISDICTION, n=1), jurisdiction=code, passed=code != "FR") for code in ("DE", "FR", "IT")]
    places, rows = matrix_of(asked)
    assert places == ["DE", "FR", "IT"]
    assert [(q, sorted(p for p, c in cells.items() if not c.passed)) for q, cells in rows] == [("What is it, 1?", ["FR"])]
