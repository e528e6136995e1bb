"""The templates of training in other languages: complete, well formed, and named as the English ones."""

from collections import Counter

from rag_edit.scope.training.multilingual import LANGUAGES, by_template, read_phrases
from rag_edit.scope.training.relations import read_relations


def test_every_relation_stands_once_in_every_language() -> None:
    found = Counter((row.relation, row.language) for row in read_phrases())
    assert found == Counter((name, language) for name in read_relations().by_name for language in LANGUAGES)


def test_every_row_has_three_questions_and_two_clozes_at_least() -> None:
    assert [row for row in read_phrases() if len(row.questions) < 3 or len(row.clozes) < 2] == []


def test_every_template_names_the_subject_exactly_once_and_is_trimmed() -> None:
    texts = [text for row in read_phrases() for text in row.questions + row.clozes]
    assert [text for text in texts if text.count("{}") != 1 or text.count("{") != 1 or text != text.strip()] == []


def test_no_template_stands_twice_in_one_row() -> None:
    for row in read_phrases():
        folded = [text.casefold() for text in row.questions + row.clozes]
        assert len(set(folded)) == len(folded), (row.relation, row.language)


def test_a_template_under_two_relations_keeps_both() -> None:
    lines = [
        '{"relation": "P17", "language": "de", "questions": ["Wo liegt {}?"], "clozes": []}',
        '{"relation": "P276", "language": "de", "questions": ["Wo liegt {}?"], "clozes": []}',
    ]
    assert by_template(read_phrases(lines))["de", "Wo liegt {}?"] == {"P17", "P276"}
