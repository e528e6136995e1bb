"""Views, folding, names and trigrams: what strings find."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.core.record import Record
from rag_edit.index.fold import fold, tokens
from rag_edit.index.names import Names, indexable
from rag_edit.index.ngrams import NGrams, _grams_of, grams
from rag_edit.index.views import MAX_VIEW_CHARS, row_id, statement, view_text, views


def record(**fields: object) -> Record:
    return Record(**{"id": "r", "jurisdiction": "DE", "question": "What is the VAT rate?", "answer": "19 %", **fields})


# -- views --


def test_views_are_question_paraphrases_and_statement_once_each() -> None:
    made = record(paraphrases=("How high  is VAT?", "What is the VAT rate?\n"), subject="Germany", relation="standard VAT rate")
    assert views(made) == ("What is the VAT rate?", "How high is VAT?", "Germany standard VAT rate")


def test_no_view_depends_on_the_answer() -> None:
    given_fields = {"subject": "Germany", "relation": "VAT rate", "paraphrases": ("How high is VAT?",)}
    told = record(**given_fields, answer="Nineteen.", target="19 %", target_aliases=("19 percent",), prior="16 %")
    assert views(told) == views(record(**given_fields))


def test_a_relation_that_is_a_template_takes_the_subject_in() -> None:
    assert statement(record(subject="Bach", relation="{} was born in")) == "Bach was born in"


@pytest.mark.parametrize(
    "fields", [{"subject": "Germany"}, {"relation": "VAT rate"}, {}], ids=["subject", "relation", "neither"]
)
def test_no_statement_without_both_subject_and_relation(fields: dict[str, str]) -> None:
    assert statement(record(**fields)) == ""


def test_a_long_text_is_cut() -> None:
    assert len(view_text("ab " * 3_000)) <= MAX_VIEW_CHARS


def test_row_ids_are_the_first_63_bits_of_sha256() -> None:
    assert row_id("abc") == 0xBA7816BF8F01CFEA >> 1


# -- folding --


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  The VAT-rate,  please! ", "the vat rate please"),
        ("Größe", "grosse"),
        ("Łódź and Ærø", "lodz and aero"),
        ("cafe\u0301 CAFÉ", "cafe cafe"),
        ("ＡＢＣ １２", "abc 12"),
        ("Germany's and Germany’s", "germany and germany"),
        ("İstanbul", "istanbul"),
        ("co\u00adop\u200b", "coop"),
        ("ドイツのVAT", "ド イ ツ の vat"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한 국"),
        ("한국은", "한 국 은"),
        ("Москва́", "москва"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_tokens_are_the_folded_text_and_stand_where_they_say(text: str) -> None:
    found = tokens(text)
    assert " ".join(token.text for token in found) == fold(text)
    for token in found:
        assert 0 <= token.start < token.end <= len(text)
    assert all(a.start <= b.start for a, b in pairwise(found))


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


# -- names --


def spans(text: str, *names: str) -> list[str]:
    held = Names()
    held.add(1, indexable(map(fold, names)))
    return [text[span.start : span.end] for span in held.find(tokens(text))]


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("Who founded Müller Inc. ?", ["muller"], ["Müller"]),
        ("Is New York City in New York?", ["New York", "New York City"], ["New York", "New York City", "New York"]),
        ("What about Germany's VAT?", ["Germany"], ["Germany"]),
        ("GERMANY , today", ["germany"], ["GERMANY"]),
        ("Is Germanys neighbour near?", ["Germany"], []),
        ("ドイツの首都は？", ["ドイツ"], ["ドイツ"]),
        ("독일은 어디", ["독일"], ["독일"]),
        ("Cote d'Ivoire", ["Côte d’Ivoire"], ["Cote d'Ivoire"]),
        ("The U.K. and the UK", ["U.K.", "UK"], ["U.K", "UK"]),
        ("x marks it", ["x"], []),
        ("nothing here", ["Germany"], []),
    ],
    ids=[
        "diacritics fold",
        "nested and overlapping names are all found",
        "a possessive is no part of the word",
        "case folds",
        "a longer word is another word",
        "Japanese has no word boundaries",
        "a Korean particle sticks to its word",
        "apostrophes of any shape",
        "an initialism with dots is another name",
        "one letter is no name",
        "nothing",
    ],
)
def test_names_in_a_question(text: str, names: list[str], found: list[str]) -> None:
    assert spans(text, *names) == found


def test_offsets_are_those_of_the_question_as_typed() -> None:
    text = "\u00adIn  ﬀ Straße, cafe\u0301-bar?"
    assert spans(text, "ff strasse") == ["ﬀ Straße"]
    assert spans(text, "café") == ["cafe\u0301"]


def test_a_name_stays_while_one_record_bears_it() -> None:
    held = Names()
    assert held.add(1, ["germany"]) == ["germany"]
    assert held.add(2, ["germany"]) == []
    assert held.remove(1, ["germany"]) == []
    assert list(held.keys("germany")) == [2]
    assert held.remove(2, ["germany"]) == ["germany"]
    assert held.find(tokens("Germany")) == []


# -- trigrams --


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="ab c", max_size=9).map(fold), max_size=8))
def test_trigrams_of_many_are_the_trigrams_of_each(texts: list[str]) -> None:
    sizes, flat = _grams_of(texts)
    parts = np.split(flat, np.cumsum(sizes)[:-1]) if texts else []
    assert [part.tolist() for part in parts] == [grams(text).tolist() for text in texts]


def test_a_misspelt_question_finds_its_text() -> None:
    held = NGrams()
    held.add({1: "who is the mayor of berlin", 2: "what is the capital of peru", 3: "how high is mount everest"})
    assert held.search(grams("waht is the captial of peru"), 5, 0.4)[0] == 2
    assert held.search(grams("zzz"), 5, 0.4) == []


WORDS = st.lists(st.sampled_from(["vat", "rate", "berlin", "peru", "holiday", "the", "of"]), min_size=1, max_size=4).map(
    " ".join
)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(WORDS, min_size=1, max_size=20, unique=True), gone=st.integers(0, 19), query=WORDS, data=st.data())
def test_trigram_search_does_not_depend_on_order_or_merging(
    texts: list[str], gone: int, query: str, data: st.DataObject
) -> None:
    kept = {row_id(text): text for text in texts[gone:]} or {row_id("x"): "x"}
    plain, moved = NGrams(), NGrams()
    plain._rebuild(kept)
    moved._rebuild({row_id(text): text for text in texts[:gone]})
    for each in data.draw(st.permutations(list(kept))):
        moved.add({each: kept[each]})
    moved.remove(row_id(text) for text in texts[:gone] if row_id(text) not in kept)
    assert len(moved) == len(kept)
    assert moved.search(grams(query), 3, 0.2) == plain.search(grams(query), 3, 0.2)
    every = np.array(sorted(kept), dtype=np.int64)
    shares = [
        len(set(grams(kept[each]).tolist()) & set(grams(query).tolist())) / len(grams(kept[each])) for each in every.tolist()
    ]
    assert moved.shares(grams(query), every).tolist() == plain.shares(grams(query), every).tolist() == shares
    assert np.array_equal(plain.shares(grams(query), every), moved.shares(grams(query), every))


def test_many_common_trigrams_are_skipped_for_the_rare_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_edit.index.ngrams.POSTINGS_READ", 50)
    held = NGrams()
    held.add({n: f"what is the public holiday number {n:04d}" for n in range(3_000)})
    assert held.search(grams("what is the public holiday number 1234"), 3, 0.4)[0] == 1234
