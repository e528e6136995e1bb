"""Labelled questions about the demo knowledge: what a good scope decision does with them, found from the records by look-up.

A question is in scope where the chain of its deployment has a record for it that is valid on the day; the most specific
one is expected. It is out of scope where the place, the day, the date or the relation is another, or nothing is known.
Labels never come from a model. Same seed, same questions.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from rag_edit.core.atlas import default_atlas
from rag_edit.core.record import Record
from rag_edit.records.conflicts import fold_question

from .asked_patterns import DEPLOYED, HOLIDAYS, IN_SCOPE, OPENERS, OTHER_RELATION, PLACES, UNRELATED, YEARED
from .phrasing import month_day

TODAY: Final = date(2026, 11, 22)
PER_LANGUAGE: Final = 150
MOST_ALIKE: Final = 3  # of one text, at different places or days
_MIX: Final = {  # of 75 in scope and 75 out of scope
    "plain": 42, "place named": 18, "year named": 15,
    "other place": 22, "other date": 10, "no holiday": 13, "other relation": 20, "nothing known": 6, "unrelated": 4,
}  # fmt: skip
_STRANGE_DAYS: Final = (
    (1, 2), (1, 6), (1, 7), (2, 14), (3, 8), (3, 19), (5, 8), (6, 24), (7, 4), (7, 14), (8, 1), (8, 15), (10, 3), (10, 12), (10, 31),
    (11, 1), (11, 11), (12, 6), (12, 8), (12, 26),
)  # fmt: skip
_EARLY: Final = {
    "traffic": (2012, 2022),
    "work": (2021, 2026),
    "tax": (1955, 1966),
    "money": (1975, 1990),
    "holiday": (2019, 2025),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled question. ``expect`` is the id of the record, or None where the base model should answer."""

    question: str
    jurisdiction: str
    as_of: date
    language: str
    expect: str | None
    why: str


class _Look:
    """The records, by what is asked of them."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._at: dict[tuple[str, str, str], list[Record]] = {}
        self.questions: set[str] = set()
        for record in records:
            self.questions.update(map(fold_question, record.questions()))
            kind = "status" if record.topic in ("holiday.day", "holiday.name") else record.topic
            names = record.names() if record.topic.startswith("holiday.") else ("",)
            for name in names:
                self._at.setdefault((record.jurisdiction, kind, name), []).append(record)

    def up(self, code: str, day: date, topic: str, name: str = "") -> Record | None:
        """Return the record for the topic that the most specific jurisdiction of the chain has on that day."""
        kind = "status" if topic in ("holiday.day", "holiday.name") else topic
        for place in default_atlas().chain(code, day):
            found = [r for r in self._at.get((place, kind, name), ()) if r.is_valid_at(day)]
            if found:
                return found[0]
        return None

    def days(self, code: str, day: date) -> list[str]:
        """Return the days of the year that have a holiday record in the chain, as records call them."""
        chain = default_atlas().chain(code, day)
        return sorted(
            record.subject
            for (place, kind, name), records in self._at.items()
            if place in chain and kind == "status"
            for record in records
            if record.topic == "holiday.day" and record.subject == name and record.is_valid_at(day)
        )


def build(records: Sequence[Record], seed: int = 2026) -> list[Case]:
    """Return all labelled questions, `PER_LANGUAGE` a language, half of them out of scope.

    Raises:
        ValueError: a pattern is a record's own question: a fault of ``asked_patterns``.

    """
    look, cases = _Look(records), []
    for language in DEPLOYED:
        maker = _Maker(look, language, random.Random(f"{seed}/{language}"))
        cases += maker.make()
    for case in cases:
        if fold_question(case.question) in look.questions:
            raise ValueError(f"{case.question!r} is a record's own question")
    return cases


class _Maker:
    """Makes the questions of one language."""

    def __init__(self, look: _Look, language: str, rng: random.Random) -> None:
        self._look, self._language, self._rng = look, language, rng
        self._pool = DEPLOYED[language]
        self._texts: Counter[str] = Counter()
        self._used: set[tuple[str, str, date]] = set()

    def make(self) -> list[Case]:
        kinds: dict[str, Callable[[], Case | None]] = {
            "plain": self._plain,
            "place named": self._place_named,
            "year named": self._year_named,
            "other place": self._other_place,
            "other date": self._other_date,
            "no holiday": self._no_holiday,
            "other relation": self._other_relation,
            "nothing known": self._nothing_known,
            "unrelated": self._unrelated,
        }
        assert sum(_MIX.values()) == PER_LANGUAGE
        cases: list[Case] = []
        for kind, wanted in _MIX.items():
            cases += list(self._take(kinds[kind], wanted))
        self._rng.shuffle(cases)
        return cases

    def _take(self, kind: Callable[[], Case | None], wanted: int) -> Iterator[Case]:
        while wanted:
            case = kind()
            if case is None or (case.question, case.jurisdiction, case.as_of) in self._used:
                continue
            if self._texts[case.question] >= MOST_ALIKE:
                continue
            self._texts[case.question] += 1
            self._used.add((case.question, case.jurisdiction, case.as_of))
            wanted -= 1
            yield case

    def _topic(self) -> str:
        topics = [topic for topic in IN_SCOPE if self._language in IN_SCOPE[topic]]
        weights = {"holiday.day": 3, "tax.vat.standard": 3, "holiday.date": 2, "money.currency": 2, "emergency.number": 2}
        return self._rng.choices(topics, [weights.get(topic, 1) for topic in topics])[0]

    def _day(self) -> date:
        """Return today for most, else some day since 1995 or up to 2028."""
        if self._rng.random() < 0.6:
            return TODAY
        return date(1995, 1, 1) + timedelta(days=self._rng.randrange((date(2029, 1, 1) - date(1995, 1, 1)).days))

    def _ask(self, topic: str, code: str, day: date, place: str = "") -> tuple[str, Record | None] | None:
        """Return a question on the topic and the record that answers it; None where the pattern cannot be filled."""
        pattern = self._rng.choice(IN_SCOPE[topic][self._language])
        named = f" {PLACES[place][self._language]}" if place else ""
        fields = {"in": named, "day": "", "name": "", "year": str(day.year)}
        key = ""
        if topic == "holiday.day":
            days = self._look.days(place or code, day) or self._look.days(code, day)
            if not days:
                return None
            key = self._rng.choice(days)
            fields["day"] = self._local_day(key, code)
        elif topic.startswith("holiday."):
            key = self._rng.choice(list(HOLIDAYS))
            fields["name"] = HOLIDAYS[key][self._language]
        return self._polish(pattern.format(**fields)), self._look.up(code, day, topic, key)

    def _local_day(self, subject: str, code: str) -> str:
        number, name = subject.split(" ")
        month = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ].index(name) + 1
        if self._language == "en":
            return self._rng.choice((subject, f"{name} {number}"))
        return month_day(month, int(number), self._language, austrian=code.startswith("AT"))

    def _polish(self, text: str) -> str:
        """Return the text with contractions, now and then with an opener or a typing mistake."""
        for whole, short in (("de le ", "du "), ("de el ", "del "), ("de la Fête", "de la Fête")):
            text = text.replace(whole, short)
        if text[:1] == "¿":
            text = f"¿{text[1:2].upper()}{text[2:]}"
        elif text[-1:] in ".?!":
            text = text[:1].upper() + text[1:]
        roll = self._rng.random()
        if roll < 0.12:
            opener = self._rng.choice(OPENERS[self._language])
            text = (
                opener + text
                if opener[-2] in ":!."
                else opener + text[:1].lower() + text[1:]
                if not text[1:2].isupper()
                else text
            )
        elif roll < 0.24:
            text = self._mistyped(text)
        return text

    def _mistyped(self, text: str) -> str:
        """Return the text with two neighbouring letters swapped, or one missing, in a long lower-case word."""
        words = text.split(" ")
        named = {
            word for names in (*PLACES.values(), *HOLIDAYS.values()) for name in names.values() for word in name.split(" ")
        }
        fit = [n for n, word in enumerate(words) if len(word) >= 7 and word.isalpha() and word.islower() and word not in named]
        if not fit:
            return text
        n = self._rng.choice(fit)
        at = self._rng.randrange(2, len(words[n]) - 2)
        word = words[n]
        words[n] = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :] if self._rng.random() < 0.5 else word[:at] + word[at + 1 :]
        )
        return " ".join(words)

    def _case(self, text: str, code: str, day: date, expect: Record | None, why: str) -> Case:
        return Case(text, code, day, self._language, expect.id if expect else None, why)

    def _plain(self) -> Case | None:
        topic, code, day = self._topic(), self._rng.choice(self._pool), self._day()
        if topic.startswith("work."):
            day = date(self._rng.randrange(1998, 2021), self._rng.randrange(1, 13), 15)
        asked = self._ask(topic, code, day)
        if asked is None or asked[1] is None:
            return None
        return self._case(asked[0], code, day, asked[1], f"in scope: {topic}, no place named")

    def _place_named(self) -> Case | None:
        topic, place, day = self._topic(), self._rng.choice(list(PLACES)), self._day()
        inside = [code for code in self._pool if place in default_atlas().chain(code, day)]
        if not inside:
            return None
        code = self._rng.choice(inside)
        asked = self._ask(topic, code, day, place)
        if asked is None or asked[1] is None or asked[1].jurisdiction not in default_atlas().chain(place, day):
            return None
        return self._case(asked[0], code, day, asked[1], f"in scope: {topic}, names {place}, which holds {code}")

    def _year_named(self) -> Case | None:
        topic, code, year = self._rng.choice(list(YEARED)), self._rng.choice(self._pool), self._rng.randrange(1985, 2026)
        first, last = date(year, 1, 1), date(year, 12, 31)
        record = self._look.up(code, first, topic)
        if record is None or record != self._look.up(code, last, topic):
            return None
        text = self._rng.choice(YEARED[topic][self._language]).format(**{"in": "", "year": year})
        return self._case(
            self._polish(text), code, date(year, self._rng.randrange(1, 13), 15), record, f"in scope: {topic}, as of {year}"
        )

    def _other_place(self) -> Case | None:
        topic, code, place, day = self._topic(), self._rng.choice(self._pool), self._rng.choice(list(PLACES)), TODAY
        if topic.startswith("work."):
            day = date(self._rng.randrange(1998, 2021), 6, 15)
        chain, theirs = default_atlas().chain(code, day), default_atlas().chain(place, day)
        if place in chain or (code in theirs and not topic.startswith("holiday.")):
            return None
        asked = self._ask(topic, place, day, place)
        if asked is None or asked[1] is None or asked[1].jurisdiction in chain:
            return None
        if code in theirs and self._look.up(code, day, topic, asked[1].subject) is not None:
            return None
        return self._case(asked[0], code, day, None, f"other place: {topic} in {place}, asked in {code}")

    def _other_date(self) -> Case | None:
        topic, code = self._topic(), self._rng.choice(self._pool)
        years = _EARLY.get(topic.partition(".")[0])
        if years is None or topic == "holiday.day":
            return None
        day = date(self._rng.randrange(*years), self._rng.randrange(1, 13), 15)
        known_day = date(2015, 6, 15) if topic.startswith("work.") else TODAY
        if topic.startswith("holiday."):
            return self._other_year(topic, code, day)
        asked = self._ask(topic, code, day)
        if asked is None or asked[1] is not None or self._look.up(code, known_day, topic) is None:
            return None
        return self._case(asked[0], code, day, None, f"other date: nothing is known of {topic} on {day}")

    def _other_year(self, topic: str, code: str, day: date) -> Case | None:
        name = self._rng.choice(list(HOLIDAYS))
        if self._look.up(code, TODAY, topic, name) is None or self._look.up(code, day, topic, name) is not None:
            return None
        pattern = self._rng.choice(IN_SCOPE[topic][self._language])
        text = pattern.format(**{"in": "", "day": "", "name": HOLIDAYS[name][self._language], "year": day.year})
        return self._case(self._polish(text), code, day, None, f"other date: nothing is known of {name} in {day.year}")

    def _no_holiday(self) -> Case | None:
        code, day = self._rng.choice(self._pool), TODAY
        if not self._look.days(code, day):
            return None
        if self._rng.random() < 0.65:
            month, number = self._rng.choice(_STRANGE_DAYS)
            subject = month_day(month, number)
            if self._look.up(code, day, "holiday.day", subject) is not None:
                return None
            pattern = self._rng.choice(IN_SCOPE["holiday.day"][self._language])
            text = pattern.format(**{"in": "", "day": self._local_day(subject, code), "name": "", "year": ""})
            return self._case(self._polish(text), code, day, None, f"other day: {subject} is no holiday in {code}")
        name = self._rng.choice(list(HOLIDAYS))
        elsewhere = next(
            (r for c in ("AT", "DE-SN", "ES-MD", "US") if (r := self._look.up(c, day, "holiday.date", name))), None
        )
        if elsewhere is None or self._look.up(code, day, "holiday.day", " ".join(elsewhere.target.split(" ")[:2])) is not None:
            return None
        if any(self._look.up(code, day, topic, name) for topic in ("holiday.name", "holiday.date")):
            return None
        pattern = self._rng.choice(IN_SCOPE["holiday.name"][self._language])
        text = pattern.format(**{"in": "", "day": "", "name": HOLIDAYS[name][self._language], "year": ""})
        return self._case(self._polish(text), code, day, None, f"other holiday: {name} is none in {code}")

    def _other_relation(self) -> Case | None:
        topic, code = self._rng.choice(list(OTHER_RELATION)), self._rng.choice(self._pool)
        day = date(2019, 6, 15) if topic.startswith("work.") else TODAY
        name = "Christmas Day" if topic == "holiday.date" else ""
        if self._look.up(code, day, topic, name) is None:
            return None
        text = self._rng.choice(OTHER_RELATION[topic][self._language])
        if self._texts[text]:
            return None
        return self._case(text, code, day, None, f"other relation: near {topic}")

    def _nothing_known(self) -> Case | None:
        topic, code = self._topic(), self._rng.choice(self._pool)
        if topic.startswith("holiday.") or topic == "work.state-minimum-wage":
            return None
        day = date(2019, 6, 15) if topic.startswith("work.") else TODAY
        asked = self._ask(topic, code, day)
        if asked is None or asked[1] is not None:
            return None
        return self._case(asked[0], code, day, None, f"nothing known: no record on {topic} in {code}")

    def _unrelated(self) -> Case | None:
        text = self._rng.choice(UNRELATED[self._language])
        return None if self._texts[text] else self._case(text, self._rng.choice(self._pool), TODAY, None, "unrelated")
