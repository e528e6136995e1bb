"""Which records stand behind a row or a name: sets of keys that cost nothing extra while they hold one, as most do."""

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Postings(Generic[T]):
    """A mapping from a thing to the set of keys behind it; a thing without keys is not there."""

    def __init__(self) -> None:
        self._keys: dict[T, int | set[int]] = {}

    def __contains__(self, thing: object) -> bool:
        return thing in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def things(self) -> Collection[T]:
        """Return what has keys."""
        return self._keys.keys()

    def of(self, thing: T) -> Collection[int]:
        """Return the keys behind a thing, none where it is not there."""
        held = self._keys.get(thing)
        return () if held is None else (held,) if isinstance(held, int) else held

    def add(self, thing: T, key: int) -> bool:
        """Put a key behind a thing; return whether the thing is new."""
        held = self._keys.get(thing)
        if held is None:
            self._keys[thing] = key
            return True
        if isinstance(held, set):
            held.add(key)
        elif held != key:
            self._keys[thing] = {held, key}
        return False

    def discard(self, thing: T, key: int) -> bool:
        """Take a key that is behind a thing away; return whether the thing is gone with it."""
        held = self._keys[thing]
        if isinstance(held, set):
            held.discard(key)
            if held:
                return False
        del self._keys[thing]
        return True
