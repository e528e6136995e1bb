"""What the trained scope model reads from a question and a record, before and after the joint head."""

from dataclasses import replace

import pytest

from rag_edit.scope.mentions import find_mention, read_name
from rag_edit.scope.trained import (
    SUBJECT,
    Calibration,
    LastStage,
    PairEvidence,
    features,
    grey,
    is_abroad,
    is_repeat,
    located,
    probability,
    read,
    shortlist,
)

BACH = PairEvidence(
    "Where was Bach born?",
    "Johann Sebastian Bach",
    record_question="In which town was Johann Sebastian Bach born?",
    dense=0.8,
)
PLAIN = LastStage(Calibration({"logit_named": 1.0, "missing": -2.0, "longer": -3.0}, 0.0))


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
    seen = read(BACH)
    assert (seen.question, seen.record) == (f"Where was {SUBJECT} born?", f"In which town was {SUBJECT} born?")


def test_the_pair_holds_both_texts_as_they_are_and_where_each_names_the_subject() -> None:
    pair = read(BACH).pair
    assert (pair.question, pair.record) == (BACH.question, BACH.record_question)
    assert pair.question_name is not None
    assert pair.record_name is not None
    assert pair.question[slice(*pair.question_name)] == "Bach"
    assert pair.record[slice(*pair.record_name)] == "Johann Sebastian Bach"


def test_a_record_without_subject_reads_the_same() -> None:
    assert read(replace(BACH, subject="")) == read(BACH)


def test_texts_stay_whole_where_the_question_names_nobody() -> None:
    asked = replace(BACH, question="Where was the composer born?")
    seen = read(asked)
    assert (seen.question, seen.record, seen.pair.question_name) == (asked.question, asked.record_question, None)


def test_the_way_the_record_puts_the_name_is_a_name() -> None:
    lord = PairEvidence(
        "What language does Lord Goring speak?",
        "George Goring, Lord Goring",
        record_question="Which language does Lord Goring use?",
    )
    assert read(lord).question == f"What language does {SUBJECT} speak?"
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


def test_a_repeated_question_is_not_read_again() -> None:
    repeat = replace(BACH, question="in which town was johann sebastian bach born")
    assert is_repeat(repeat)
    assert shortlist([repeat]) == []
    assert probability(repeat, PLAIN).value > 0.99


def test_a_candidate_that_was_not_worth_reading_is_out_of_scope() -> None:
    assert probability(BACH, PLAIN).value == 0.0


def test_a_longer_name_lowers_the_probability() -> None:
    own = PairEvidence("Where is Moscow?", "Moscow", record_question="Where can Moscow be found?", logit=2.0)
    assert probability(replace(own, question="Where is the Moscow Monorail?"), PLAIN).value < probability(own, PLAIN).value


@pytest.mark.parametrize(
    ("question", "record", "abroad"),
    [
        pytest.param("Wo wurde Bach geboren?", "Where was Bach born?", True, id="German asked, English on record"),
        pytest.param("Where was Bach born?", "Wo wurde Bach geboren?", True, id="English asked, German on record"),
        pytest.param("バッハはどこで生まれましたか", "Where was Bach born?", True, id="another script"),
        pytest.param("Where was Bach born?", "Bach was born in", False, id="one language"),
        pytest.param("Bach?", "Wo wurde Bach geboren?", False, id="nothing tells the language asked in"),
    ],
)
def test_a_question_is_abroad_where_its_words_are_of_another_language(question: str, record: str, abroad: bool) -> None:
    assert is_abroad(question, record) == abroad


def test_a_question_in_another_language_is_not_held_to_the_spelling_of_a_name() -> None:
    asked = replace(BACH, question="バッハはどこで生まれましたか", logit=3.0)
    named = features(asked)
    assert (named["abroad"], named["logit_abroad"], named["absent"], named["missing"]) == (1.0, 3.0, 0.0, 0.0)


def test_a_calibration_comes_from_the_manifest() -> None:
    assert Calibration.from_manifest({"weights": {"logit": 2}, "bias": -1}) == Calibration({"logit": 2.0}, -1.0)


def test_what_is_said_before_the_question_is_cut_off() -> None:
    chatty = replace(BACH, question="I love his music! Where was Johann Sebastian Bach born?")
    assert read(chatty).question == f"Where was {SUBJECT} born?"
    assert chatty.question[read(chatty).pair.start :] == "Where was Johann Sebastian Bach born?"


def test_an_abbreviation_does_not_end_a_sentence() -> None:
    doctor = PairEvidence(
        "Who was Dr. Martin Luther King?", "Martin Luther King", record_question="Who was Martin Luther King?"
    )
    assert read(doctor).question == f"Who was Dr. {SUBJECT}?"


def test_part_of_a_long_plain_subject_is_not_cut_out() -> None:
    worst = PairEvidence(
        "Which NFL team has lost the most games?",
        "the most losing team in nfl history",
        record_question="who is the most losing team in nfl history?",
    )
    assert read(worst).question == worst.question


DOUBTING = LastStage(Calibration({"logit_named": 1.0}, 0.0), Calibration({"pair_named": 1.0}, 0.0), (0.2, 0.8))


@pytest.mark.parametrize(
    ("logit", "again"),
    [
        pytest.param(0.5, [0], id="in doubt"),
        pytest.param(4.0, [], id="surely in scope"),
        pytest.param(-4.0, [], id="surely out of scope"),
        pytest.param(None, [], id="never read"),
    ],
)
def test_only_doubt_is_looked_at_again(logit: float | None, again: list[int]) -> None:
    assert grey([replace(BACH, logit=logit)], DOUBTING) == again


def test_a_second_look_decides_with_weights_of_its_own() -> None:
    seen = replace(BACH, logit=0.5)
    assert probability(replace(seen, pair_logit=-3.0), DOUBTING).value < 0.1 < probability(seen, DOUBTING).value
    assert probability(replace(seen, pair_logit=3.0), DOUBTING).value > 0.9


def test_a_question_in_another_language_gets_no_second_look_by_an_english_encoder() -> None:
    asked = replace(BACH, question="Wo wurde Johann Sebastian Bach geboren?", logit=0.5)
    assert grey([asked], replace(DOUBTING, first=Calibration({}, 0.0))) == []


@pytest.mark.parametrize(
    ("subject", "is_local", "regime"),
    [
        pytest.param("standard VAT rate", True, "local", id="a topic of a jurisdiction"),
        pytest.param("standard VAT rate", False, "plain", id="the same topic of the world"),
        pytest.param("Acme GmbH", True, "named", id="a name is a name in any jurisdiction"),
    ],
)
def test_only_topics_without_a_name_are_local(subject: str, is_local: bool, regime: str) -> None:
    asked = PairEvidence(
        f"How old is the {subject}?", subject, record_question=f"What age has the {subject}?", is_local=is_local, logit=1.0
    )
    assert features(asked)[f"logit_{regime}"] == 1.0


@pytest.mark.parametrize(
    ("question", "regime"),
    [
        ('Who is the artist behind the song "I\'m Gonna Run Away From You"?', "named"),
        ("who sings i hate my life", "unnamed"),
        ("who sang the song same as it ever was", "unnamed"),
    ],
)
def test_a_title_in_which_somebody_speaks_is_a_name_also_without_capitals(question: str, regime: str) -> None:
    song = "i'm gonna run away from you"
    seen = features(PairEvidence(question, song, record_question=f"who sang {song}?", dense=0.7, logit=2.0))
    assert (seen[f"logit_{regime}"], seen["absent"]) == (2.0, float(regime == "unnamed"))


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("average US federal minimum wage", id="the country, not us"),
        pytest.param("treatment of type I diabetes", id="a number"),
        pytest.param("minimum wage for us", id="no title"),
    ],
)
def test_a_topic_with_a_word_like_a_pronoun_is_no_title(subject: str) -> None:
    seen = features(PairEvidence(f"What is the {subject}?", subject, record_question=f"How high is the {subject}?", logit=1.0))
    assert seen["logit_plain"] == 1.0


def test_a_located_topic_is_held_against_the_topics_that_the_model_knows() -> None:
    topic = PairEvidence(
        "How high is VAT?", "standard VAT rate", record_question="What is the VAT rate?", is_local=True, logit=1.0
    )
    others = [replace(topic, is_local=False), replace(topic, logit=None), replace(topic, subject="Acme GmbH")]
    assert located([topic, *others]) == [0]
    agreed, not_agreed = (features(replace(topic, agreement=share)) for share in (1.0, 0.0))
    assert agreed["agree_local"] == pytest.approx(1.0, abs=1e-4)
    assert not_agreed["agree_local"] == pytest.approx(0.0)
    assert features(topic)["agree_local"] == 0.0


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What number do I call in an emergency?", ""),
        ("What is the standard VAT rate?", ""),
        ("Is 20 February a public holiday?", ""),
        ("¿Cuál es el tipo de IVA?", ""),
        ("Quel est le taux de TVA ?", ""),
        ("What does the VAT Act say?", "VAT Act"),
        ("When was Theresa May born?", "Theresa May"),
    ],
)
def test_words_that_only_look_like_names_are_none(question: str, name: str) -> None:
    assert read_name(question) == name


@pytest.mark.parametrize(
    ("question", "regime"),
    [
        ("Wie hoch ist der Mindestlohn?", "local"),
        ("Wie hoch ist die ermäßigte Mehrwertsteuer?", "local"),
        ("Wie schnell darf ich auf der Autobahn fahren?", "local"),
        ("Wie viel Urlaub steht mir zu?", "local"),
        ("Wer leitet Siemens?", "unnamed"),
        ("Wer leitet die Deutsche Bahn?", "unnamed"),
    ],
)
def test_a_german_noun_with_an_article_is_no_name_of_a_located_record(question: str, regime: str) -> None:
    topic = PairEvidence("Frage ich was anderes?", record_question=question, is_local=True, logit=1.0)
    assert features(topic)[f"logit_{regime}"] == 1.0
