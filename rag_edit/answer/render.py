"""Rendering: the record's answer in the form that was asked, by rule, without a model.

The words of the record are never changed; only what stands round them is added. Where a form cannot be served for sure
(no option fits, nothing to compare), the record's answer is given as written.
"""

from collections.abc import Sequence
from typing import Final

from rag_edit.answer import check_words as w
from rag_edit.answer import normalise as n
from rag_edit.answer.compare import pick, verdict
from rag_edit.answer.render_texts import say
from rag_edit.core.decision import Form
from rag_edit.core.form import FormReading, Option
from rag_edit.core.record import Record

ONE_TO_ONE: Final = frozenset(
    "capital capital_of spouse husband wife married replaced_by replaces follows followed_by successor predecessor twin_city head_of_state"
    " head_of_government chancellor mayor isbn postal_code country_code calling_code official_name anagram inverse_of".split()
)
_SENTENCE_WORDS: Final = 7


def render(reading: FormReading, record: Record, *, record_language: str = "", others: Sequence[str] = ()) -> str:
    """Return the record's answer in the form of ``reading``.

    Args:
        reading: The question, read with the record.
        record: The record that answers.
        record_language: Language of the record's words, where known; else it is taken to be the question's.
        others: Of a reversed question: further subjects of which records say the same.
    """
    language = reading.language or record_language
    same = not (reading.language and record_language) or reading.language[:2] == record_language[:2]
    match reading.form:
        case Form.CLOZE:
            return record.targets()[0]
        case Form.YES_NO:
            return _yes_no(reading, record, language, same=same)
        case Form.NEGATED:
            return (
                _yes_no(reading, record, language, same=same)
                if reading.polar
                else say("all_but", language, answer=record.answer)
            )
        case Form.CHOICE:
            return _choice(reading, record, language, same=same)
        case Form.REVERSED:
            if others:
                *most, last = dict.fromkeys((record.subject, *others))
                return say("some_of", language, subjects=f"{', '.join(most)}{say('and', language)}{last}" if most else last)
            one = "_".join(record.relation.casefold().split()) in ONE_TO_ONE
            return record.subject if one else say("one_of", language, subject=record.subject)
        case Form.DOUBT:
            stands = say("stands", language, answer=record.answer)
            return f"{_stop(stands)} {say('source', language, source=str(record.source))}" if record.source else stands
        case _:
            return record.answer


def _yes_no(reading: FormReading, record: Record, language: str, *, same: bool) -> str:
    """Return "Yes" or "No" and the record's answer; only the answer where the question proposes nothing comparable."""
    said = verdict(reading.stem, record, same_language=same)
    if said is None:
        return record.answer
    first = n.words(n.plain(record.answer))[:1]
    if first and first[0].keys & (w.YES | w.NO):  # the record says yes or no itself
        agrees = bool(first[0].keys & (w.YES if said else w.NO))
        return (
            record.answer
            if agrees and len(n.words(record.answer)) > 1
            else _word(said, reading, language)
            if agrees
            else record.answer
        )
    word = _word(said, reading, language)
    return f"{word}. {record.answer}" if _is_sentence(record.answer) else f"{word}, {record.answer}"


def _word(said: bool, reading: FormReading, language: str) -> str:
    return say(("yes_to_no" if reading.negated else "yes") if said else "no", language)


def _choice(reading: FormReading, record: Record, language: str, *, same: bool) -> str:
    """Return the fitting option with its letter; the record's answer where none fits."""
    said = verdict(reading.stem, record, same_language=same) if _offers_truth(reading.options) else None
    option = pick(reading.options, record, said)
    if reading.negated:
        others = [each for each in reading.options if each is not option]
        if option is None or len(others) != 1:
            return say("all_but", language, answer=record.answer)
        option = others[0]
    if option is None:
        return record.answer
    return f"{option.letter}. {option.text}" if option.letter else option.text


def _offers_truth(options: tuple[Option, ...]) -> bool:
    return all(any(word.keys & (w.YES | w.NO) for word in n.words(n.plain(option.text))[:1]) for option in options)


def _is_sentence(text: str) -> bool:
    return text.rstrip().endswith((".", "!", "?")) or len(text.split()) > _SENTENCE_WORDS


def _stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
