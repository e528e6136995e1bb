"""The form of a question and its parts: what `rag_edit.scope.forms` reads and `rag_edit.answer` renders by. Values only."""

from collections.abc import Callable
from dataclasses import dataclass

from rag_edit.core.decision import Form
from rag_edit.core.record import Record


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers that a multiple-choice question offers.

    Attributes:
        letter: As typed, without its marks: ``A``, ``b``, ``3``; empty for a bullet.
        text: The words of the option.
    """

    letter: str
    text: str


@dataclass(frozen=True, slots=True)
class FormReading:
    """A question taken apart.

    Attributes:
        form: What kind of answer is asked for.
        stem: The question without options, instructions and wrapping phrases; empty for small talk and for a doubt that
            names nothing.
        options: Of a multiple-choice question, in order.
        instruction: The words that say how to answer ("Answer with one letter."), joined; empty without.
        negated: Whether it asks for what is not so; also of a multiple-choice question.
        polar: Whether yes or no is an answer; tells the two kinds of `Form.NEGATED` apart.
        imperative: Whether it is put as a request ("Tell me ...", "Nenne ...").
        claim: Of a doubt, what the person holds against the answer ("it is 21 %"); empty without.
        language: BCP 47 hint read from the words; empty when they do not tell.
    """

    form: Form
    stem: str
    options: tuple[Option, ...] = ()
    instruction: str = ""
    negated: bool = False
    polar: bool = False
    imperative: bool = False
    claim: str = ""
    language: str = ""


ReadForm = Callable[[str, Record | None], FormReading]
"""``read_form(question, record)``; with the record that answers, reversed questions are recognised."""
