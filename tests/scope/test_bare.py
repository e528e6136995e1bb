"""Bare questions: what a yes/no question asks about, the value that it proposes cut out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.scope.bare import bare_question
from rag_edit.scope.forms import read_form

CASES = [
    # English
    ("Is Lyon the capital of France?", "France", "What is the capital of France?"),
    ("Is the capital of France Lyon?", "France", "What is the capital of France?"),
    ("Isn't Lyon the capital of France?", "France", "What is the capital of France?"),
    ("Is Lyon not the capital of France?", "France", "What is the capital of France?"),
    ("Is the capital of France not Lyon?", "France", "What is the capital of France?"),
    ("Is Moses made from papyrus?", "Moses", "What is Moses made from?"),
    ("Did Einstein die in 1955?", "Einstein", "When did Einstein die?"),
    ("Did Einstein die in Princeton?", "Einstein", "Where did Einstein die?"),
    ("Was Apple founded by Bill Gates?", "Apple", "What was Apple founded by?"),
    ("Does D use garbage collection?", "D", "What does D use?"),
    ("Did Ghosttown follow Living for Love?", "Ghosttown", "What did Ghosttown follow?"),
    ("Did Mozart compose The Magic Flute?", "The Magic Flute", "Who did compose The Magic Flute?"),
    ("Is Yury's field of work law?", "Yury", "What is Yury's field of work?"),
    ("Is the standard VAT rate in Germany 21 %?", "standard VAT rate", "What is the standard VAT rate in Germany?"),
    ("Is the speed limit on motorways 120 km/h?", "speed limit on motorways", "What is the speed limit on motorways?"),
    ("Is the genre of 'Habits' pop?", "Habits", "What is the genre of Habits?"),
    ("Is it true that Lyon is the capital of France?", "France", "What is the capital of France?"),
    # German
    ("Ist Lyon die Hauptstadt von Frankreich?", "Frankreich", "Was ist die Hauptstadt von Frankreich?"),
    ("Ist die Hauptstadt von Frankreich Lyon?", "Frankreich", "Was ist die Hauptstadt von Frankreich?"),
    ("Liegt der Vesuv in Spanien?", "Vesuv", "Wo liegt der Vesuv?"),
    ("Wurde der Faust von Schiller geschrieben?", "Faust", "Von wem wurde der Faust geschrieben?"),
    ("Beträgt der Mindestlohn 12 Euro?", "Mindestlohn", "Was beträgt der Mindestlohn?"),
    # French
    ("Est-ce que Lyon est la capitale de la France ?", "France", "Quel est la capitale de la France?"),
    ("La capitale de la France est-elle Lyon ?", "France", "Quel est la capitale de la France?"),
    # Spanish
    ("¿Es Sevilla la capital de España?", "España", "Cuál es la capital de España?"),
    ("¿Es la capital de España Sevilla?", "España", "Cuál es la capital de España?"),
    ("¿Está el Vesubio en Francia?", "Vesubio", "Dónde está el Vesubio?"),
    # nothing proposed, or nothing that could be told apart
    ("What is the capital of France?", "France", None),
    ("Is France a republic?", "Germany", None),
    ("Is France?", "France", None),
]


@pytest.mark.parametrize(("question", "subject", "bare"), CASES, ids=[case[0] for case in CASES])
def test_the_proposed_value_is_cut(question: str, subject: str, bare: str | None) -> None:
    own = ("What is the field of work of Yury?", "field of work") if subject == "Yury" else ()
    assert bare_question(read_form(question), (subject,), own) == bare


@pytest.mark.parametrize("frame", ["Is {} the capital of France?", "Is the capital of France {}?", "Was Moses made from {}?"])
@given(value=st.sampled_from(("Xanthos", "New York", "Baden-Baden", "O'Hara", "Los Angeles", "Ördög", "IBM", "Sun Li")))
def test_a_true_and_a_false_value_leave_the_same_question(frame: str, value: str) -> None:
    names = ("Moses", "France")
    name = next(name for name in names if name in frame)
    expected = bare_question(read_form(frame.format("Xanthos")), (name,))
    assert expected is not None
    assert bare_question(read_form(frame.format(value)), (name,)) == expected


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=12))
def test_any_text_is_read_without_a_fault(text: str, name: str) -> None:
    found = bare_question(read_form(text), (name,))
    assert found is None or found.endswith("?")
