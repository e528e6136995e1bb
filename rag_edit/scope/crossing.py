"""Cross-jurisdiction questions: what a deployment does with a question about a place outside its chain. Pure.

``visible``, the default: such a question is answered only by records that the deployment sees anyway, those of its chain; a record
that speaks for another place does not answer, so as a rule the base model does. ``named:IT,FR`` (or ``named:EU``, ``named:*``):
a question that no record of the chain answers, and that names exactly one other place which the list allows, is decided in that place's
chain. Then the answer depends on the records of the two chains and on no others. A question that names two places compares them, a
name that may mean two places names none for sure: both stay where they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

from rag_edit.core.errors import ConfigError
from rag_edit.core.jurisdiction import UnknownJurisdictionError
from rag_edit.scope.reading import Reading

VISIBLE: Final = "visible"
NAMED: Final = "named:"
ANY: Final = "*"
_EVERYWHERE: Final = "GLOBAL"


@dataclass(frozen=True, slots=True)
class Crossing:
    """The places whose records a deployment may answer by when a question names them; none by default.

    Attributes:
        allowed: Codes; a place is allowed where one of its chain is among them. ``*`` allows all.
    """

    allowed: frozenset[str] = frozenset()

    @classmethod
    def from_setting(cls, text: str, parse: Callable[[str], str]) -> Self:
        """Return what the setting ``cross_jurisdiction`` says.

        Args:
            text: ``visible`` or ``named:`` with codes, separated by commas.
            parse: The code of a jurisdiction, checked.

        Raises:
            ConfigError: neither, or an unknown jurisdiction.
        """
        if text.strip() == VISIBLE:
            return cls()
        codes = [code.strip() for code in text.removeprefix(NAMED).split(",")]
        hint = 'cross_jurisdiction = "visible", "named:IT,FR", "named:EU" or "named:*"'
        if not text.startswith(NAMED) or not all(codes):
            raise ConfigError(f"cross_jurisdiction: wanted visible, or named: with codes, found {text!r}", hint=hint)
        try:
            return cls(frozenset(code if code == ANY else str(parse(code)) for code in codes))
        except UnknownJurisdictionError as error:
            raise ConfigError(f"cross_jurisdiction: {error.message}", hint=hint) from error

    def elsewhere(self, reading: Reading, chain: Callable[[str, date], Sequence[str]]) -> str | None:
        """Return the one place outside the deployment's chain that a question is about and that is allowed; None without.

        Args:
            reading: The question, read.
            chain: The chain of a jurisdiction on a day.
        """
        if not self.allowed:
            return None
        places = {frozenset(map(str, m.jurisdictions)) for m in reading.places if m.certain}
        if len(places) != 1 or len(codes := next(iter(places))) != 1:
            return None
        place = next(iter(codes))
        if place in chain(reading.query.jurisdiction, reading.query.as_of) or place == _EVERYWHERE:
            return None
        above = {str(code) for code in chain(place, reading.query.as_of)} - {_EVERYWHERE}
        return place if ANY in self.allowed or not above.isdisjoint(self.allowed) else None
