"""What the trained scope model reads from a question and a record, before and after the pair encoder."""

from dataclasses import replace

import pytest

from rag_edit.scope.mentions import find_mention, read_name
from rag_edit.scope.trained import SUBJECT, Calibration, PairEvidence, features, is_repeat, pair_texts, probability, shortlist

BACH = PairEvidence(
    "Where was Bach born?",
    "Johann Sebastian Bach",
    record_question="In which town was Johann Sebastian Bach born?",
    target="Eisenach",
    dense=0.8,
)
PLAIN = Calibration({"logit": 1.0, "missing": -2.0, "longer": -3.0}, 0.0)


@pytest.mark.parametrize(
    ("text", "name", "kind", "longer"),
    [
        pytest.param("Where did Herbert Austin die?", "Herbert Austin", "exact", False, id="the whole name"),
        pytest.param("where did herbert AUSTIN die", "Herbert Austin", "exact", False, id="case does not matter"),
        pytest.param("Where did Hebert Austin die?", "Herbert Austin", "fuzzy", False, id="a typing error"),
        pytest.param("Where did Austin die?", "Herbert Austin", "partial", False, id="the surname alone"),
        pytest.param("Where is the Moscow Monorail?", "Moscow", "exact", True, id="the name goes on behind"),
        pytest.param("Where did Arthur Hurst die?", "Arthur", "exact", True, id="a namesake with a surname"),
        pytest.param("Is Trinidad and Tobago large?", "Trinidad", "exact", True, id="the name goes on behind a light word"),
        pytest.param("Who was Rue d'Ankara named after?", "Ankara", "exact", True, id="the name is the end of another"),
        pytest.param("What is Moscow's twin city?", "Moscow", "exact", False, id="a possessive does not make it longer"),
        pytest.param("Who made the Renault 8?", "Renault 8", "exact", False, id="a number of its own"),
        pytest.param("Who made the Renault 8 GT?", "Renault 8", "exact", True, id="a model of the model"),
        pytest.param("Spike Hughesはどこの出身ですか", "Spike Hughes", "exact", False, id="another script adjoins"),
    ],
)
def test_a_mention_says_how_the_name_stands_there(text: str, name: str, kind: str, longer: bool) -> None:
    mention = find_mention(text, (name,))
    assert mention is not None
    assert (mention.kind, mention.longer) == (kind, longer)


def test_no_mention_where_no_word_of_the_name_stands() -> None:
    assert find_mention("Where did she die?", ("Herbert Austin",)) is None


def test_a_plain_word_that_stands_in_a_name_is_no_mention() -> None:
    assert find_mention("In what county is Oulu located?", ("Orange County",)) is None


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is the mother tongue of Danielle Darrieux?", "Danielle Darrieux"),
        ("Who founded the University of Yangon?", "University of Yangon"),
        ("what colour is grass?", ""),
    ],
)
def test_a_subject_is_read_from_capitals(question: str, name: str) -> None:
    assert read_name(question) == name


def test_the_subject_is_cut_out_of_both_texts() -> None:
    assert pair_texts(BACH) == (f"Where was {SUBJECT} born?", f"In which town was {SUBJECT} born? | Eisenach")


def test_a_record_without_subject_reads_the_same() -> None:
    assert pair_texts(replace(BACH, subject="")) == pair_texts(BACH)


def test_texts_stay_whole_where_the_question_names_nobody() -> None:
    asked = replace(BACH, question="Where was the composer born?")
    assert pair_texts(asked) == ("Where was the composer born?", "In which town was Johann Sebastian Bach born? | Eisenach")


def test_the_way_the_record_puts_the_name_is_a_name() -> None:
    lord = PairEvidence(
        "What language does Lord Goring speak?",
        "George Goring, Lord Goring",
        record_question="Which language does Lord Goring use?",
    )
    assert pair_texts(lord)[0] == f"What language does {SUBJECT} speak?"
    assert features(lord)["missing"] == 0.0


def test_only_named_or_like_candidates_are_shortlisted_best_first() -> None:
    stranger = PairEvidence("Where was Bach born?", "Lyon", record_question="Where is Lyon?", dense=0.3)
    reads_alike = replace(stranger, dense=0.7)
    assert shortlist([stranger, reads_alike, BACH]) == [2, 1]


def test_a_full_name_leaves_namesakes_out() -> None:
    asked = "Where was Michel Denisot born?"
    own = PairEvidence(asked, "Michel Denisot", record_question="Where was Michel Denisot born, then?", dense=0.9)
    other = PairEvidence(asked, "Michel Platini", record_question="Who is Michel Platini?", dense=0.5)
    assert shortlist([other, own]) == [1]


def test_a_repeated_question_needs_no_encoder() -> None:
    repeat = replace(BACH, question="in which town was johann sebastian bach born")
    assert is_repeat(repeat)
    assert shortlist([repeat]) == []
    assert probability(repeat, PLAIN).value > 0.99


def test_a_candidate_that_was_not_worth_asking_about_is_out_of_scope() -> None:
    assert probability(BACH, PLAIN).value == 0.0


def test_a_longer_name_lowers_the_probability() -> None:
    own = PairEvidence("Where is Moscow?", "Moscow", record_question="Where can Moscow be found?", pair_logit=2.0)
    assert probability(replace(own, question="Where is the Moscow Monorail?"), PLAIN).value < probability(own, PLAIN).value


def test_a_number_that_the_record_does_not_know_is_a_feature() -> None:
    dated = PairEvidence(
        "What was the VAT rate of Germany in 1998?",
        "Germany",
        record_question="What is the VAT rate of Germany?",
        pair_logit=1.0,
    )
    assert features(dated)["number"] == 1.0
    assert features(replace(dated, record_question="What was the VAT rate of Germany in 1998, roughly?"))["number"] == 0.0


def test_a_calibration_comes_from_the_manifest() -> None:
    assert Calibration.from_manifest({"weights": {"logit": 2}, "bias": -1}) == Calibration({"logit": 2.0}, -1.0)


def test_what_is_said_before_the_question_is_cut_off() -> None:
    chatty = replace(BACH, question="I love his music! Where was Johann Sebastian Bach born?")
    assert pair_texts(chatty)[0] == f"Where was {SUBJECT} born?"


def test_an_abbreviation_does_not_end_a_sentence() -> None:
    doctor = PairEvidence(
        "Who was Dr. Martin Luther King?", "Martin Luther King", record_question="Who was Martin Luther King?"
    )
    assert pair_texts(doctor)[0] == f"Who was Dr. {SUBJECT}?"


def test_part_of_a_long_plain_subject_is_not_cut_out() -> None:
    worst = PairEvidence(
        "Which NFL team has lost the most games?",
        "the most losing team in nfl history",
        record_question="who is the most losing team in nfl history?",
    )
    assert pair_texts(worst)[0] == worst.question
