"""A value that must not be shown: keys for upstream servers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A string whose ``repr`` and ``str`` are ``***``; `reveal` is the only way to it."""

    _value: str = field(repr=False)

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def reveal(self) -> str:
        """Return the value, for the one place that sends it."""
        return self._value

    def redact(self, text: str) -> str:
        """Return ``text`` with every occurrence of the value replaced by ``***``."""
        return text.replace(self._value, "***") if self._value else text
