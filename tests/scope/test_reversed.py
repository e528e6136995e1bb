"""Reversed questions: recognised by rule, in one direction only."""

import pytest

from rag_edit.core.record import Record
from rag_edit.scope.reversed import asks_reversed


def fact(subject: str, relation: str, target: str, **more: object) -> Record:
    question = f"What is the {relation} of {subject}?"
    return Record(
        "r-1",
        "GLOBAL",
        question,
        target,
        subject=subject,
        relation=relation,
        target=target,
        **more,  # type: ignore[arg-type]
    )


FATHER = fact("Lewis Elton", "father", "Victor Ehrenberg")
CREATOR = fact("David", "creator", "Bernini", target_aliases=("Gian Lorenzo Bernini",))
MATERIAL = fact("Moses", "made from material", "marble")
PRACTISED = fact("floristry", "practiced by", "florist")
USES = fact("upholstery", "uses", "antimacassar")
GENRE = fact("Toute seule", "genre", "French pop")
HEAD = fact("Namibia", "head of state", "Nangolo Mbumba")
STREET = fact("Cenotaph", "located on street", "Whitehall")
RATE = fact("VAT", "standard rate", "19 %")
SPOUSE = fact("Marie", "spouse", "Pierre")
COUNTRY = fact("San Félix Island", "country", "Chile")
PARK = fact("Mount Haku", "located in protected area", "Hakusan National Park")
TOOLKIT = fact("Scilab", "GUI toolkit or framework", "GTK")
RANGE = fact("Gorely", "mountain range", "Eastern Range")
CAUSE = fact("suicidal ideation", "has cause", "mental disorder")
SPONSOR = fact("Berlin Marathon", "sponsor", "BMW")
NAMED = fact("Sarychev Peak", "named after", "Gavril Sarychev")
DEATH = fact("Henry Heimlich", "manner of death", "natural causes")
TEXT = fact("Italy", "main regulatory text", "Constitution of Italy")
SIDE = fact("Sweden", "driving side", "right")
LANGUAGE = fact("Te Amo", "language of work or name", "English")
CONTINENT = fact("Antuco", "continent", "Americas")
FOUNTAIN = fact("Bartholdi Fountain", "genre", "public art")
DISASTER = fact("Mount Erebus", "significant event", "Air New Zealand Flight 901")
PUBLISHED = fact("Boku to Hana", "place of publication", "Japan")
COINING = fact("coining", "uses", "die")
MANAGER = fact("Billie Jean King Cup", "director / manager", "Katrina Adams")

REVERSED = [
    ("Who is the son of Victor Ehrenberg?", FATHER),
    ("Whose father is Victor Ehrenberg?", FATHER),
    ("Who is Victor Ehrenberg the father of?", FATHER),
    ("What was created by Bernini?", CREATOR),
    ("Which statue was created by Gian Lorenzo Bernini?", CREATOR),
    ("What did Bernini create?", CREATOR),
    ("Which statue has Bernini as its creator?", CREATOR),
    ("What is made from marble?", MATERIAL),
    ("What does a florist practice?", PRACTISED),
    ("What is practiced by florists?", PRACTISED),
    ("What uses an antimacassar?", USES),
    ("Which song belongs to the genre French pop?", GENRE),
    ("Who is Nangolo Mbumba the head of state of?", HEAD),
    ("Which country's head of state is Nangolo Mbumba?", HEAD),
    ("What is located on Whitehall?", STREET),
    ("Who is the spouse of Pierre?", SPOUSE),
    ("Of which country is Nangolo Mbumba the head of state?", HEAD),
    ("Which island belongs to Chile?", COUNTRY),
    ("Which mountain is located in Hakusan National Park?", PARK),
    ("Which software uses GTK as its GUI toolkit or framework?", TOOLKIT),
    ("Which mountain is part of the Eastern Range?", RANGE),
    ("What does mental disorder cause?", CAUSE),
    ("What event does BMW sponsor?", SPONSOR),
    ("Which peak is named after Gavril Sarychev?", NAMED),
    ("Who died of natural causes?", DEATH),
    ("Who is managed by Katrina Adams?", MANAGER),
    ("Which fountain is an example of public art?", FOUNTAIN),
    ("Which mountain is associated with Air New Zealand Flight 901?", DISASTER),
    ("What is published in Japan?", PUBLISHED),
    ("What uses a die in its process?", COINING),
    ("Which country has the Constitution of Italy as its main regulatory text?", TEXT),
    ("In which country is the driving side the right?", SIDE),
    ("Which work or name is in English?", LANGUAGE),
    ("Which place is located on the continent of the Americas?", CONTINENT),
]
OTHERS = [
    ("the relation asked of the target itself", "Who is the father of Victor Ehrenberg?", FATHER),
    ("the same, with a possessive", "Who is Victor Ehrenberg's father?", FATHER),
    ("another relation", "Where was Victor Ehrenberg born?", FATHER),
    ("the subject is named", "Is Lewis Elton the son of Victor Ehrenberg?", FATHER),
    ("who acts on the target", "Who created Bernini?", CREATOR),
    ("the value's kind is asked for", "Which creator is Bernini?", CREATOR),
    ("more is said than the record knows", "Which statue in Rome was created by Bernini?", CREATOR),
    ("what belongs to the target is asked about", "Who created Bernini's tomb?", CREATOR),
    ("a verb that acts on the target", "Who practices florist?", PRACTISED),
    ("passive of an active relation", "What is used by antimacassar?", USES),
    ("active of an active relation", "What does an antimacassar use?", USES),
    ("the genre of the target", "What is the genre of French pop?", GENRE),
    ("the office asked of the target", "Who serves as the head of state for Nangolo Mbumba?", HEAD),
    ("where the target is", "On which street is Whitehall located?", STREET),
    ("a place asked for a kind that the record does not name", "Which volcano is located on Whitehall?", STREET),
    ("a number names no thing", "What has a standard rate of 19 %?", RATE),
    ("the target within a longer word", "What was created by Berninian?", CREATOR),
    ("nothing asked", "Bernini", CREATOR),
    ("a thing of another kind in the country", "Which song belongs to Chile?", COUNTRY),
    ("anything in the country", "What is located in Chile?", COUNTRY),
    ("what the country is a part of", "Which region is Chile a part of?", COUNTRY),
    ("what the range itself is", "What is the Eastern Range?", RANGE),
    ("the range of the target", "Which mountain range is in the Eastern Range?", RANGE),
    ("what the target was caused by", "What caused the mental disorder?", CAUSE),
    ("the subject is named beside a target that names it", "Which text has Italy in the Constitution of Italy?", TEXT),
    ("a side without the relation's words", "Which country is right?", SIDE),
    ("a work that says more", "Which work or name is sung in English?", LANGUAGE),
    ("a place in a country, which all things have", "Which place is located in Chile?", COUNTRY),
    ("a kind that the record's name does not say", "Which song is associated with Air New Zealand Flight 901?", DISASTER),
    ("a tie that says more", "Which fountain is more famous than public art?", FOUNTAIN),
    ("the kind of the target", "Which art is an example of public art?", FOUNTAIN),
    ("who manages the target", "Who manages Katrina Adams?", MANAGER),
]


@pytest.mark.parametrize(("question", "record"), REVERSED, ids=[q for q, _ in REVERSED])
def test_a_reversed_question_asks_for_the_subject(question: str, record: Record) -> None:
    assert asks_reversed(question, record)


@pytest.mark.parametrize(("question", "record"), [o[1:] for o in OTHERS], ids=[o[0] for o in OTHERS])
def test_it_is_left_to_the_base_model(question: str, record: Record) -> None:
    assert not asks_reversed(question, record)


def test_a_record_without_relation_or_subject_is_not_turned_round() -> None:
    bare = Record("r-1", "GLOBAL", "Who made it?", "Bernini", target="Bernini")
    assert not asks_reversed("What was created by Bernini?", bare)
