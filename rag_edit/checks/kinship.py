"""Which records are kin for verification: by name, by what they say of what elsewhere, and where the same question makes sense."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from rag_edit.core.digest import digest_json
from rag_edit.core.jurisdiction import Atlas
from rag_edit.core.record import Record, RecordVersion
from rag_edit.scope.language import guess_language
from rag_edit.scope.policies import ReadPlaces
from rag_edit.scope.precedence import same_fact
from rag_edit.verify.finding import Kind, Trial, fold
from rag_edit.verify.trials import language_of

SIBLINGS: Final = 2  # of each record at least; all of them where few records are under test
ASKED_ELSEWHERE: Final = 200  # questions to siblings, over all records under test
MAX_NAMESAKES: Final = 200  # a name that more records share tells nothing ("VAT")
_ANY: Final = ("DE", "FR", "ES", "GB", "US", "JP")  # where a question is asked that no other place has a record for


class Kinship:
    """Indexes over the records that are live with a change.

    Attributes:
        by_name: Versions by folded subject or alias.
    """

    def __init__(self, tested: Sequence[RecordVersion], others: Sequence[RecordVersion], read_places: ReadPlaces) -> None:
        """Index all once; wordings are kept for those under test alone."""
        likes = {_like(version.record) for version in tested}
        self._read_places = read_places
        self._siblings = max(SIBLINGS, ASKED_ELSEWHERE // max(1, len(tested)))
        self.by_name: dict[str, list[RecordVersion]] = {}
        self._stand: dict[str, set[str]] = {}
        self._worded: dict[tuple[str, str, str], dict[str, Counter[str]]] = {}
        for version in (*tested, *others):
            record = version.record
            for name in {fold(each) for each in record.names()}:
                self.by_name.setdefault(name, []).append(version)
            self._stand.setdefault(fold(record.question), set()).add(record.jurisdiction)
            for text in record.paraphrases if _like(record) in likes else ():
                self._add_wording(record, text)

    def _add_wording(self, record: Record, text: str) -> None:
        tongue = _tongue(text)
        if tongue and tongue != language_of(record) and not any(char.isdigit() for char in text):
            self._worded.setdefault(_like(record), {}).setdefault(tongue, Counter())[text] += 1

    def namesakes(self, version: RecordVersion) -> list[RecordVersion]:
        """Return other records that share a name and are about another fact, by id."""
        found = {
            other.record.id: other
            for name in version.record.names()
            if len(self.by_name.get(fold(name), ())) <= MAX_NAMESAKES
            for other in self.by_name.get(fold(name), ())
            if other.record.id != version.record.id and not same_fact(version, other)
        }
        return [found[key] for key in sorted(found)]

    def is_kind(self, record: Record) -> bool:
        """Return whether a record's subject is no name of one thing but of a kind, said of several places ("Labour Day", "VAT")."""
        return len({other.record.jurisdiction for other in self.by_name.get(fold(record.subject), ())}) > 1

    def wordings(self, record: Record) -> Mapping[str, list[str]]:
        """Return how records that say the same of the same elsewhere are asked in other languages; places are not named in them."""
        found = {
            tongue: [text for text, _ in texts.most_common(3) if not any(m.certain for m in self._read_places(text))]
            for tongue, texts in self._worded.get(_like(record), {}).items()
        }
        return {tongue: texts for tongue, texts in found.items() if texts}

    def in_its_language(self, record: Record, trial: Trial) -> Trial:
        """Return a trial of a given wording as one of language, where it is in another language than the record."""
        if trial.kind is not Kind.PARAPHRASE or trial.made != "given":
            return trial
        tongue = _tongue(trial.question)
        return replace(trial, kind=Kind.LANGUAGE, made=tongue) if tongue and tongue != language_of(record) else trial

    def places(self, record: Record, atlas: Atlas, day: date) -> list[str]:
        """Return where a record's question is asked to see that it stays away: siblings that have it too, and what lies above it."""
        here = record.jurisdiction
        if here == "GLOBAL":
            return []
        depth = here.count("-")
        stand = [p for p in self._stand.get(fold(record.question), ()) if p.count("-") == depth]
        others = [p for p in stand or _ANY if not atlas.covers(here, p, day) and not atlas.covers(p, here, day)]
        found = sorted(others, key=lambda p: digest_json([record.id, p]))[: self._siblings]
        above = [str(code) for code in atlas.chain(atlas.parse(here), day)[1:]]
        parents = above if self._siblings > SIBLINGS else [code for code in above[:1] if code != "GLOBAL"]
        return found + parents


def _like(record: Record) -> tuple[str, str, str]:
    return record.topic, fold(record.subject), fold(record.relation)


def _tongue(text: str) -> str:
    return guess_language(text) or ""
