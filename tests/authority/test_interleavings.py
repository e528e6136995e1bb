"""Whatever people do in whatever order, nothing is live that was not published by right: random stories, and a witness."""

import random

import pytest

from tests.authority.story import Story
from tests.authority.witness import wrongs

RECORDS = ("vat", "mask")
SENSIBLE = {
    "vat": (
        ("anna proposes vat", "arno proposes vat", "gina proposes vat"),
        ("checker verifies vat",),
        ("ben approves vat", "arno approves vat", "dora approves vat"),
        ("bea approves vat", "bert approves vat"),
        ("paul publishes vat", "paul publishes vat", "paul publishes vat on day 3"),
    ),
    "mask": (
        ("gina proposes mask",),
        ("checker verifies mask",),
        ("ben approves mask", "bert approves mask"),
        ("bea approves mask", "ben approves mask"),
        ("paul publishes mask",),
    ),
}
ANYTHING = (
    *(
        f"{who} {what} {change}"
        for who in ("anna", "arno", "olga")
        for what in ("proposes", "drafts")
        for change in ("vat", "vat+2")
    ),
    *(
        f"{who} approves {change}"
        for who in ("ben", "bea", "bert", "arno", "dora", "anna-court")
        for change in ("vat", "vat+2", "mask")
    ),
    *(f"{who} publishes {change}" for who in ("paul", "anna") for change in ("vat", "vat+2", "mask")),
    *(f"checker {what} {change}" for what in ("verifies", "fails") for change in ("vat", "vat+2", "mask")),
    "bea returns vat",
    "gina breaks-glass on vat",
    "gerd breaks-glass on vat",
    "gina breaks-glass on mask",
    "gerd breaks-glass on mask",
    *(f"cora revokes m-{who}" for who in ("anna", "bea", "bert", "paul", "checker", "arno")),
    "olga grants m-{n} to dora: approve in DE with its parts under m-olga",
    "olga grants m-{n} to inst:court: approve propose in DE under m-olga",
    "olga revokes m-{n}",
    *(f"{who} grants m-{name} to {name}: approve in DE" for name in ("anna", "bea", "arno") for who in ("cora", "carl")),
    *(f"{who} grants m-again to {name}: approve in DE" for name in ("anna", "bea") for who in ("cora", "carl")),
    *(f"{who} grants m-press to paul: publish in DE" for who in ("cora", "carl")),
    "cora removes bert",
    "cora removes {who} as compromised since {since}",
    "sam suspends vat",
    "sam resumes vat",
    "saul resumes vat",
    "rolf retracts vat",
    "day {day}",
    "hour {hour}",
)


def run(seed: str, steps: int = 36) -> tuple[int, int]:
    """Tell a random story; return how often something went live and how many publications were denied."""
    rng = random.Random(seed)
    story, since, published, denied = Story(), dict[str, int](), 0, 0
    stage = hour = 0
    flow = SENSIBLE[rng.choice(RECORDS)]
    for _ in range(steps):
        if rng.random() < 0.6:
            sentence = rng.choice(flow[stage % 5])
            stage += 1
        else:
            hour = max(hour, rng.randrange(220))
            names: dict[str, int | str] = {"n": rng.randrange(1, 3), "day": hour // 24, "hour": hour}
            names |= {"who": rng.choice(("ben", "arno", "checker", "paul")), "since": rng.randrange(story.position)}
            sentence = rng.choice(ANYTHING).format(**names)
        verdict = story.say(sentence)
        denied += " publishes " in sentence and verdict is not None and not story.told[-1].done
        before = dict(since)
        since = {}
        for record in RECORDS:
            line = story.book.line(record)
            if line is not None and line.live:
                key = f"{record}/{line.live}/{line.revision}"
                since[key] = before.get(key, story.position)
        new = {key.split("/")[0]: position for key, position in since.items() if key not in before}
        if new:
            published += len(new)
            assert wrongs(story, new) == [], (seed, sentence)
        suspended = {str(target) for target in story.book.state.suspensions}
        for record in RECORDS:
            assert not (f"record:{record}" in suspended and story.book.served(record).answers)
    return published, denied


def total(seed: int, stories: int) -> tuple[int, int]:
    counts = [run(f"{seed}/{number}") for number in range(stories)]
    return sum(p for p, _ in counts), sum(d for _, d in counts)


def test_nothing_is_live_that_was_not_published_by_right() -> None:
    published, denied = total(seed=1, stories=25)
    assert published > 5
    assert denied > 25


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 6))
def test_nothing_is_live_that_was_not_published_by_right_in_twenty_thousand_stories(seed: int) -> None:
    published, denied = total(seed, stories=5_000)
    assert published > 1_000
    assert denied > 5_000
