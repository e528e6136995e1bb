"""Policies as people write them, and quorums as people count."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag_edit.authority.change import lacking
from rag_edit.authority.errors import PolicyFileError
from rag_edit.authority.policy import PERMISSIVE, Kind, Policy, Quorum, Risk
from rag_edit.authority.policy_file import STRICT_EXAMPLE, read_policy
from rag_edit.authority.register import Signed


def test_the_example_says_what_it_seems_to_say() -> None:
    policy = read_policy(STRICT_EXAMPLE, where="policy.toml")
    assert policy.quorum("tax.vat") == Quorum(2)
    assert policy.quorum("health.masks") == Quorum(2, institutions=2, outside=1)
    assert policy.quorum("holiday") == Quorum(1)
    assert policy.quorum("health", Kind.ADAPTER) == Quorum(3, institutions=2, outside=1)
    assert policy.quorum("healthy") == Quorum(2)
    assert policy.verification
    assert policy.separate_offices
    assert policy.erase_people == 2
    assert policy.breakglass_jurisdictions == ("DE", "GLOBAL")


def test_the_page_on_authority_shows_the_example() -> None:
    page = (Path(__file__).parents[2] / "docs/adr/0008-authority.md").read_text("utf-8")
    block = page.split("```toml\n")[1].split("```")[0]
    assert block == STRICT_EXAMPLE


def test_what_is_left_out_asks_for_nobody() -> None:
    assert read_policy("", where="one person") == PERMISSIVE
    assert PERMISSIVE.quorum("health", Kind.ADAPTER) == Quorum(0)


def test_high_precedes_low_whatever_is_more_specific() -> None:
    policy = Policy("p", low_topics=("health.tips",), high_topics=("health",))
    assert policy.risk("health.tips") is Risk.HIGH


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("verificaton = true", "'verificaton'", id="a misspelt rule"),
        pytest.param("[quorum.normal]\napproval = 2", "'approval'", id="a misspelt number"),
        pytest.param("[quorum.medium]\napprovals = 2", "'medium'", id="a class that is none"),
        pytest.param("verification = 1", "true or false", id="a number for a truth"),
        pytest.param("erase_people = true", "whole number", id="a truth for a number"),
        pytest.param("erase_people = 0", "erase_people from 1", id="nobody erases"),
        pytest.param("[breakglass]\nhours = 25", "breakglass_hours from 1 to 24", id="more than a day of break-glass"),
        pytest.param("[quorum.high]\napprovals = 1\ninstitutions = 2", "1, 2, 0", id="more institutions than people"),
        pytest.param("[quorum.high]\napprovals = -1", "-1", id="fewer than nobody"),
        pytest.param('[risk]\ndefault = "medium"', "medium", id="a risk that is none"),
        pytest.param("[risk]\nhigh = [1]", "list of texts", id="a number for a topic"),
        pytest.param('[risk]\nhigh = [""]', "empty", id="a topic without text"),
        pytest.param('[risk]\nhigh = ["tax."]', "tax.", id="a topic with an empty part"),
        pytest.param("= 1", "policy.toml", id="no TOML"),
    ],
)
def test_a_faulty_policy_is_refused_whole(text: str, found: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        read_policy(text, where="policy.toml")
    assert "policy.toml" in str(caught.value)
    assert found in str(caught.value)


def approval(person: str, institution: str) -> Signed:
    return Signed(person, 1, datetime(2026, 1, 1, tzinfo=UTC), person, institution)


AUTHORS = frozenset({("anna", "finance")})
COUNTS = {
    "two people of two houses": (Quorum(2, 2, 1), [("ben", "finance"), ("bea", "court")], None),
    "two people of the authors' house, one has to be from outside": (
        Quorum(2, 0, 1),
        [("ben", "finance"), ("arno", "finance")],
        "TOO_FEW_OUTSIDE",
    ),
    "two people of one house, where two houses are asked": (
        Quorum(2, 2),
        [("bea", "court"), ("bert", "court")],
        "TOO_FEW_INSTITUTIONS",
    ),
    "one person for two houses is one person": (Quorum(2, 2), [("bea", "court"), ("bea", "union")], "TOO_FEW_APPROVALS"),
    "an author does not count": (Quorum(1), [("anna", "court")], "TOO_FEW_APPROVALS"),
    "nobody, where nobody is asked": (Quorum(0), [], None),
}


@pytest.mark.parametrize(("quorum", "people", "lack"), COUNTS.values(), ids=COUNTS)
def test_approvals_are_counted_by_people_and_by_houses(quorum: Quorum, people: list[tuple[str, str]], lack: str | None) -> None:
    found = lacking(quorum, tuple(approval(*each) for each in people), AUTHORS)
    assert (found[0] if found else None) == lack
