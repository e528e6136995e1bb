"""The training corpus: what counts as the same fact, and what is never called a negative."""

import random

import numpy as np
import pytest

from rag_edit.scope.training.corpus import PAIR, label, question_groups, topic_groups
from rag_edit.scope.training.groups import Group, GroupMaker, Text, typo
from rag_edit.scope.training.questions import QuestionGroup
from rag_edit.scope.training.relations import read_relations
from rag_edit.scope.training.sources import Row
from rag_edit.scope.training.topics import Family, Topic

RELATIONS = """\
@ P19 place of birth | person | Paris; Rome
Where was {} born? / What is {}'s birthplace?
{} was born in / {} is from
@ P20 place of death | person | Vienna
Where did {} die? / Where did {}'s life end?
{} died in
@ P27 citizenship | person | France
What is {}'s nationality?
{} is a citizen of / {} is from
"""
CALLED = [("person", {"en": (f"Name {n}",), "ja": (f"名{n}",)}) for n in range(4)]
ABROAD = {
    "P19": {"ja": ("{}はどこで生まれましたか", "{}の出身地は"), "de": ("Wo wurde {} geboren?",)},
    "P20": {"ja": ("{}はどこで亡くなりましたか",)},
}


def maker(seed: int = 1) -> GroupMaker:
    rows = [
        Row("counterfact", f"Person {n}", "Paris", "P19", ("{} was born in", "Bells rang. {} is from")) for n in range(6)
    ] + [
        Row("zsre", "The Mill", "1900", "z:when was {} built?", ("When was {} built?", "What year did {} open?")),
        Row("zsre", "The Mole", "Ann", "z:who built {}?", ("Who built {}?", "By whom was {} made?")),
        Row("pokemqa", "Person 9", "Rome", "P20", ("Where did {} die?", "In what town did {} pass away?")),
    ]
    relations = read_relations(RELATIONS)
    forms = sorted(
        {f for r in relations.by_name.values() for f in r.forms()}
        | {a for row in rows for a in row.asks}
        | {"when was {} built?", "who built {}?"}
    )
    rng = np.random.default_rng(0)
    vectors = {
        f: v / np.linalg.norm(v) for f, v in zip(forms, rng.normal(size=(len(forms), 64)).astype(np.float32), strict=True)
    }
    return GroupMaker(relations, rows, vectors, ABROAD, CALLED, seed)


def text(fact: str, name: str = "Ann", facts: tuple[str, ...] = ()) -> Text:
    return Text(f"{fact} of {name}", (0, 1), name, fact, frozenset(facts or (fact,)))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param(text("P19"), text("P19"), 1, id="one relation of one subject"),
        pytest.param(text("P19"), text("P20"), 0, id="another relation of it"),
        pytest.param(text("P19"), text("P19", "Bob"), 0, id="the relation of another subject"),
        pytest.param(text("P19"), text("P19", "ANN"), 1, id="case does not make another subject"),
        pytest.param(text("P19", facts=("P19", "P27")), text("P27"), None, id="a wording that may say either is no negative"),
        pytest.param(text("z:when was {} built?"), text("z:who built {}?"), 0, id="rows that do not read alike"),
        pytest.param(text("z:when was {} built?"), text("z:when was {} built?"), 1, id="two questions of one row"),
    ],
)
def test_a_label_says_whether_two_texts_ask_for_one_fact(left: Text, right: Text, expected: int | None) -> None:
    assert maker().label(left, right) == expected


def test_one_seed_draws_the_same_groups() -> None:
    first, second = maker(3), maker(3)
    assert [first.draw() for _ in range(20)] == [second.draw() for _ in range(20)]


def test_spans_hold_the_name_also_within_a_longer_one() -> None:
    made = maker(5)
    for _ in range(60):
        for found in made.draw().texts:
            if found.span is not None:
                assert found.text[slice(*found.span)].casefold() in found.name.casefold() or found.language != "en"


def test_a_longer_name_and_somebody_reached_through_a_name_are_others() -> None:
    made = maker(6)
    kinds = [made.draw() for _ in range(80)]
    group = next(g for g in kinds if g.kind == "relation")
    own = group.texts[0]
    longer = [t for t in group.texts if own.name in t.name and t.name != own.name]
    assert longer
    assert all(made.label(own, t) == 0 for t in longer)


def test_siblings_of_a_topic_are_negatives_and_its_wordings_in_any_language_positives() -> None:
    wordings = {"en": ("How high is VAT[ in {place}]?", "VAT rate?"), "de": ("Wie hoch ist die Mehrwertsteuer?",)}
    other = {"en": ("When is VAT due?", "VAT deadline?"), "de": ("Wann ist die Mehrwertsteuer fällig?",)}
    families = (
        Family("vat", (Topic("rate", wordings), Topic("deadline", other))),
        Family("sea", (Topic("tide", {"en": ("When is high tide?",)}),)),
    )
    groups = topic_groups(families, 2, random.Random(1))
    corpus = label(groups, maker(), {})
    by_text = {t.text: t.fact for g in groups for t in g.texts}
    assert corpus.pairs.dtype == PAIR
    for pair in corpus.pairs:
        left, right = corpus.texts[pair["left"]], corpus.texts[pair["right"]]
        assert bool(pair["label"]) == (by_text[left] == by_text[right])


def test_near_misses_of_a_question_are_negatives() -> None:
    groups = [
        QuestionGroup(("who wrote emma", "Who is the author of Emma?", "emma author", "By whom was Emma written?"), ("who played emma", "when was emma written", "who published emma")),
        *(QuestionGroup(tuple(f"same {k} of {n}" for k in range(4)), tuple(f"other {k} of {n}" for k in range(3))) for n in range(3)),
    ]  # fmt: skip
    corpus = label(question_groups(groups, random.Random(2))[:1], maker(), {})
    positives = {corpus.texts[p["left"]] for p in corpus.pairs if p["label"]}
    assert "who played emma" not in positives
    assert corpus.kinds == ("question",)


def test_a_typing_error_changes_one_place_of_a_word() -> None:
    rng = random.Random(4)
    assert all(abs(len(typo("Where was Bach born", rng)) - 19) <= 1 for _ in range(50))
    assert typo("a b", rng) == "a b"


def test_a_pair_knows_whether_both_sides_spell_the_name_alike() -> None:
    group = Group(
        "relation",
        (
            Text("Ann was born in", (0, 3), "Ann", "P19", frozenset({"P19"})),
            Text("アンの出身地は", (0, 2), "Ann", "P19", frozenset({"P19"}), "ja"),
        ),
    )
    corpus = label([group], maker(), {})
    assert set(corpus.pairs["label"].tolist()) == {1}
    assert set(corpus.pairs["same_name"].tolist()) == {0}
