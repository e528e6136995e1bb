"""The control plane over HTTP: what is asked for is done, signed and in the ledger; what cannot be done changes nothing."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rag_edit.gateway.keys import KeyBook, digest_of
from rag_edit.provenance.keyfile import create_key_file
from rag_edit.trust.office import Office
from rag_edit.trust.signing import RANDOM_WORK
from tests.gateway.house import ASKED, OTHER, Answered, House, ask, house
from tests.gateway.upstream import FakeUpstream, Script

pytestmark = pytest.mark.slow
MOON = {
    "id": "DE/moon",
    "jurisdiction": "DE",
    "question": "What is the fee for flying to the moon?",
    "answer": "Flying to the moon costs 7 euros.",
    "subject": "fee for flying to the moon",
    "target": "7 euros",
}
DEARER = {**MOON, "answer": "Flying to the moon costs 8 euros.", "target": "8 euros"}


class Desk:
    """Somebody at the control plane."""

    def __init__(self, running: House, token: str) -> None:
        self.house, self._bearer = running, {"authorization": f"Bearer {token}"}

    def ask(self, path: str, body: Any = None, method: str = "", wait_s: float = 10) -> Answered:
        return ask(self.house.url, f"/api/v1{path}", body, method=method, wait_s=wait_s, **self._bearer)

    def get(self, path: str) -> Any:
        found = self.ask(path)
        assert found.status == 200, found.body
        return found.json

    def post(self, path: str, body: Any = None, method: str = "POST") -> Any:
        found = self.ask(path, {} if body is None else body, method=method)
        assert found.status == 200, found.body
        return found.json

    def chat(self, content: str, **headers: str) -> Answered:
        return self.house.chat(content, **self._bearer, **headers)

    @property
    def office(self) -> Office:
        found = self.house.engine.office
        assert isinstance(found, Office)
        return found


@pytest.fixture
def desk(upstream: FakeUpstream, tmp_path: Path) -> Iterator[Desk]:
    tables = {
        "one": {"upstream": "fake", "jurisdiction": "DE"},
        "shadow": {"upstream": "fake", "jurisdiction": "DE", "mode": "shadow"},
        "off": {"upstream": "fake", "jurisdiction": "DE", "mode": "off"},
        "default": {"upstream": "fake", "jurisdiction": "DE"},
    }
    config = {"upstream": {"fake": {"url": upstream.url}}, "deployment": tables}
    config["signer"] = {"anna": {"key_file": "anna.key", "passphrase_file": "anna.pass"}}
    with house(tmp_path, config, trusted=True) as running:
        running.state.operator_digest = digest_of("rek_operator")
        yield Desk(running, "rek_operator")


def test_records_are_listed_in_pages_by_place_day_topic_and_words(desk: Desk) -> None:
    first = desk.get("/records?limit=2")
    assert ([r["id"] for r in first["records"]], first["total"], first["next"]) == (["AT/vat", "DE/vat"], 3, "DE/vat")
    assert [r["id"] for r in desk.get(f"/records?limit=2&after={first['next'].replace('/', '%2F')}")["records"]] == [
        "GLOBAL/mole"
    ]
    assert [r["id"] for r in desk.get("/records?jurisdiction=AT&topic=tax&as_of=2026-01-31")["records"]] == ["AT/vat"]
    assert [r["id"] for r in desk.get("/records?q=mallory")["records"]] == ["GLOBAL/mole"]
    assert desk.get("/records/DE%2Fvat")["answer"] == "The standard VAT rate is 19 %."


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/records/DE%2Fnone", 404, "unknown_record"),
        ("/records/DE%2Fvat?version=9", 404, "unknown_record"),
        ("/records/%20x", 400, "invalid_request"),
        ("/records?as_of=2026-13-01", 400, "invalid_request"),
        ("/records?jurisdiction=XX", 400, "unknown_jurisdiction"),
        ("/records?limit=0", 400, "invalid_request"),
        ("/records?limit=1&limit=2", 400, "invalid_request"),
        ("/records?colour=red", 400, "unknown_parameter"),
        ("/records?q=%ff", 400, "invalid_query"),
        ("/changes/none", 404, "unknown_change"),
        ("/receipts/r-none", 404, "unknown_receipt"),
        ("/ledger/99999", 404, "unknown_entry"),
        ("/verifications/none", 404, "unknown_job"),
    ],
)
def test_what_is_not_there_or_cannot_be_read_is_said_so(desk: Desk, path: str, status: int, code: str) -> None:
    found = desk.ask(path)
    assert (found.status, found.json["error"]["code"]) == (status, code)


def test_an_applied_record_is_an_act_in_the_ledger_that_names_who_asked(desk: Desk) -> None:
    planned = desk.post("/plan", {"records": [MOON], "probe": True})
    assert (planned["plan"]["counts"]["added"], planned["radius"]["probed"], planned["revision"]) == (1, 1, 3)
    assert desk.post("/apply", {"records": [MOON], "on_collision": "refuse"})["revision"] == 4
    entries = desk.get("/ledger")["entries"]
    said = [desk.get(f"/ledger/{each['index']}")["statement"]["predicate"] for each in entries if each["kind"] == "publish"]
    assert said[-1]["reason"] == "asked by operator:operator"
    assert desk.chat("What is the fee for flying to the moon?").headers["rag-edit-record"] == "DE/moon@1"


def test_a_change_is_led_from_draft_to_live_and_each_step_says_what_it_lacks(desk: Desk) -> None:
    desk.post("/apply", {"records": [MOON]})
    drafted = desk.post("/changes/dearer", {"records": [DEARER], "reason": "it is dearer now"}, "PUT")
    assert (drafted["change"]["stage"], drafted["revision"]) == ("draft", 4)
    shown = desk.get("/changes/dearer")
    assert {"field": "target", "old": "7 euros", "new": "8 euros"} in shown["fields"]["DE/moon"]
    assert desk.post("/changes/dearer/propose", {"revision": 1})["change"]["stage"] == "proposed"
    assert desk.ask("/changes/dearer/propose", {"revision": 1}).status == 403  # it is another revision by now
    desk.post("/changes/dearer/measure")
    assert desk.get("/changes/dearer")["passed"] is True
    own = desk.ask("/changes/dearer/approve", {})
    assert (own.status, own.json["error"]["code"]) == (403, "act_refused")
    published = desk.post("/changes/dearer/publish", {"reason": "agreed"})
    assert (published["takes_effect"], published["change"]["stage"], published["revision"]) == (True, "published", 5)
    assert b"8 euros" in desk.chat("What is the fee for flying to the moon?").body
    assert desk.get("/changes")["changes"] == []


def test_a_measurement_of_another_revision_than_the_caller_saw_is_not_begun(desk: Desk) -> None:
    desk.post("/changes/dearer", {"records": [MOON], "propose": True}, "PUT")
    refused = desk.ask("/changes/dearer/measure", {"revision": 99})
    assert (refused.status, refused.json["error"]["code"]) == (409, "stale")
    assert desk.get("/changes/dearer")["passed"] is None
    seen = desk.get("/changes/dearer")["revision"]
    assert desk.post("/changes/dearer/measure", {"revision": seen})["change"]["stage"] == "verified"


@pytest.mark.model
@pytest.mark.timeout(240)
def test_questions_are_answered_while_the_model_is_asked_about_a_change(desk: Desk) -> None:
    desk.post("/changes/moon", {"records": [{**MOON, "serve": "grounded"}], "propose": True}, "PUT")
    found: list[Any] = []
    measure = partial(desk.ask, "/changes/moon/measure", {}, wait_s=200)
    measuring = threading.Thread(target=lambda: found.append(measure()))
    measuring.start()
    answered = 0
    while measuring.is_alive():
        assert desk.chat(ASKED).status == 200
        answered += desk.house.state.measuring.locked()
        time.sleep(0.05)
    measuring.join()
    assert found[0].status == 200, found[0].body
    assert answered > 5  # the model takes seconds to open alone


def test_two_changes_of_one_record_are_compared_and_one_is_sent_back(desk: Desk) -> None:
    for name, target in (("a", "8 euros"), ("b", "9 euros")):
        desk.post(f"/changes/{name}", {"records": [{**MOON, "target": target, "answer": f"{target}."}], "propose": True}, "PUT")
    found = desk.get("/changes/a/compare/b")
    assert "DE/moon" in found["clashes"]
    assert desk.get("/changes")["changes"][0]["rivals"] == ["b"]
    assert desk.post("/changes/b/reject", {"reason": "no"})["change"]["stage"] == "draft"


def test_a_kill_switch_counts_for_the_next_question_and_resuming_for_the_one_after(desk: Desk) -> None:
    assert desk.chat(ASKED).headers["rag-edit-route"] == "OVERRIDE"
    for switch in ({"reach": "record", "id": "DE/vat"}, {"reach": "partition", "id": "DE"}, {"reach": "all"}):
        desk.post("/suspensions", {**switch, "reason": "wrong"})
        off = desk.chat(ASKED)
        assert (off.headers["rag-edit-route"], off.headers["rag-edit-reason"]) == ("BASE", "SUSPENDED")
        assert len(desk.get("/suspensions")["suspensions"]) == 1
        desk.post("/resumptions", {**switch, "reason": "right"})
        assert desk.chat(ASKED).headers["rag-edit-route"] == "OVERRIDE"


def test_a_record_is_withdrawn_and_destroyed_only_by_its_own_name(desk: Desk) -> None:
    desk.post("/apply", {"records": [MOON]})
    assert desk.ask("/records/DE%2Fmoon/erase", {"reason": "x", "confirm": "DE/vat"}).status == 400
    assert desk.post("/records/DE%2Fmoon/retract", {"reason": "gone"})["takes_effect"]
    assert desk.get("/records/DE%2Fmoon")["status"] == "retracted"
    desk.post("/records/DE%2Fmoon/erase", {"reason": "asked to", "confirm": "DE/moon"})
    assert "7 euros" not in str(desk.ask("/records/DE%2Fmoon").body)


def test_a_verification_runs_beside_the_questions_and_leaves_a_report(desk: Desk) -> None:
    job = desk.post("/verifications", {"everything": True, "trials": 40})
    until = time.monotonic() + 30
    while job["state"] in ("waiting", "running") and time.monotonic() < until:
        assert desk.chat(ASKED).status == 200
        job = desk.get(f"/verifications/{job['id']}")
    assert (job["state"], job["report"]["records"]) == ("done", 3)
    assert desk.get("/verifications")["jobs"][-1]["state"] == "done"
    assert desk.ask("/verifications", {"records": ["DE/none"]}).status == 404


def test_the_ledger_is_audited_and_its_head_can_be_kept(desk: Desk) -> None:
    desk.post("/apply", {"records": [MOON]})
    found = desk.post("/audit")
    assert (found["ok"], found["live_records"]) == (True, 4)
    assert desk.get("/checkpoint")["checkpoint"].startswith("rag-edit.local/")
    assert desk.get("/authority")["custodians"] == ["person:local"]
    assert {each["power"] for each in desk.get("/who?jurisdiction=DE")["may"]} >= {"publish", "suspend"}


def test_every_answer_has_a_receipt_that_verifies_whoever_gave_it(desk: Desk) -> None:
    tools = {"model": "gpt", "messages": [{"role": "user", "content": ASKED}], "tools": [{"type": "function"}]}
    answers = {
        "OVERRIDE IN_SCOPE": desk.chat(ASKED),
        "BASE BELOW_THRESHOLD": desk.chat(OTHER),
        "BASE SHADOWED": desk.chat(ASKED, path="/d/shadow/v1/chat/completions"),
        "BASE TOOLS_ASKED": desk.house.ask("/v1/chat/completions", tools, authorization="Bearer rek_operator"),
    }
    for wanted, found in answers.items():
        receipt = found.headers["rag-edit-receipt"]
        body = desk.get(f"/receipts/{receipt}")["body"]
        assert f"{body['decided']['route']} {body['decided']['reason']}" == wanted
        checks = desk.post(f"/receipts/{receipt}/verify", {"question": ASKED if "BELOW" not in wanted else OTHER})
        assert checks["holds"], checks
        assert desk.post(f"/receipts/{receipt}/replay", {"question": OTHER if "BELOW" in wanted else ASKED})["holds"]
    wrong = desk.post(f"/receipts/{receipt}/verify", {"question": "Another question?"})
    assert not wrong["holds"]
    assert "rag-edit-receipt" not in desk.chat(ASKED, path="/d/off/v1/chat/completions").headers  # nothing was decided
    assert len(desk.get("/receipts?record=DE%2Fvat")["receipts"]) == 1


def test_where_no_receipt_can_be_made_nothing_is_served_and_the_upstream_is_cut(desk: Desk, upstream: FakeUpstream) -> None:
    def fail(_: Any) -> list[str]:
        raise RuntimeError("the disk is full")

    desk.house.engine.sealing = fail
    for question in (ASKED, OTHER):
        found = desk.chat(question)
        assert (found.status, found.json["error"]["code"]) == (503, "no_receipt")
        assert b"Faust" not in found.body


def test_a_receipt_does_not_hold_a_stream_back(desk: Desk, upstream: FakeUpstream) -> None:
    upstream.scripts.append(Script((b"data: 1\n\n", 0.05, b"data: 2\n\n")))
    found = desk.chat(OTHER)
    assert (found.body, bool(found.headers["rag-edit-receipt"])) == (b"data: 1\n\ndata: 2\n\n", True)


def test_a_key_bound_to_a_signer_signs_as_that_person(desk: Desk) -> None:
    home = desk.house.home
    (home / "anna.pass").write_text("correct horse battery staple\n")
    (home / "anna.pass").chmod(0o600)
    anna = create_key_file(home / "anna.key", b"correct horse battery staple", work=RANDOM_WORK)
    token, _ = KeyBook(home).make("anna", deployments=["*"], actions=["suspend"], signer="anna", now=desk.office.now())
    refused = Desk(desk.house, token).ask("/suspensions", {"reach": "all", "reason": "fire"})
    assert (refused.status, refused.json["error"]["code"]) == (403, "act_refused")  # the ledger does not know her
    enrol(desk.office, anna.key)
    Desk(desk.house, token).post("/suspensions", {"reach": "all", "reason": "fire"})
    assert desk.get("/suspensions")["suspensions"][0] == {
        "reach": "all", "id": "", "reason": "fire", "by": "person:anna", "position": desk.get("/ledger")["size"] - 1,
    }  # fmt: skip


def enrol(office: Office, key: str) -> None:
    """Make Anna known, with the power to switch off."""
    from rag_edit.authority.acts import EVERYWHERE, Enrol, Grant
    from rag_edit.authority.mandate import Mandate, Power
    from rag_edit.authority.people import Key, Person

    office.act(lambda _b, by, at: Enrol(by, at, Person("person:anna")))
    office.act(lambda _b, by, at: Enrol(by, at, Key(key, "person:anna", "inst:local")))
    mandate = Mandate("anna", "person:anna", (Power.SUSPEND,), EVERYWHERE)
    office.act(lambda _b, by, at: Grant(by, at, mandate))


def test_the_same_said_twice_in_a_second_is_a_conflict_and_no_fault_of_the_servers(desk: Desk) -> None:
    off = {"reach": "record", "id": "DE/vat", "reason": "a test"}
    found = {desk.ask("/suspensions", off).status for _ in range(6)}
    assert found <= {200, 409}
