"""Which keys a ledger has made known, and from which to which position their signatures count. Pure: a fold over its entries.

Keys come and go by acts that are themselves entries; this module reads of them what concerns keys, as plain JSON:

- ``found``, the first entry: ``keys`` [{id, holder}] and ``custodians``; signed by one of these keys. Whoever trusts the
  ledger trusts that key by another way.
- ``enrol`` of a party {kind: "key", id, holder}: signed for a custodian. The key counts from the next entry on.
- ``entrust``: ``custodians`` that come to the others; signed for a custodian.
- ``remove`` of an ``id`` that is a key: it counts no more from the next entry on. With ``compromised_since`` what it signed
  from that position on is doubted: `suspects` finds it, for the caller to suspend. A rotation is an ``enrol`` and a ``remove``.

An entry that says who speaks (``by``) must be signed by that key. A signature counts, or not, by the position of the entry
it stands in, never by a clock: what a key signed before it was removed stays signed, and all can be checked again in years.

Whether those who signed were entitled, and enough of them, is not known here: that is decided over the same entries by
`rag_edit.authority`. This fold errs on no side that would refuse a ledger which that one accepts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from rag_edit.core.digest import Json
from rag_edit.provenance.errors import KeyRefusedError, MalformedError, UnknownKeyError
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.signer import KeyName, public_bytes
from rag_edit.provenance.statement import Entry, read_entry

SERVICE: Final = "service:"


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key's standing.

    Attributes:
        key: Its name.
        holder: Whose it is, as a pseudonym.
        since: First position at which its signature counts.
        until: First position at which it does not any more; None while it stands.
        compromised_since: Position from which on what it signed is doubted; None where nothing is.
    """

    key: KeyName
    holder: str
    since: int
    until: int | None = None
    compromised_since: int | None = None


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys that a ledger knows of, and who has been named as custodian."""

    lines: Mapping[KeyName, KeyLine] = field(default_factory=lambda: MappingProxyType({}))
    custodians: frozenset[str] = frozenset()

    def stands(self, key: KeyName, index: int) -> bool:
        """Return whether a signature of ``key`` in the entry at ``index`` counts."""
        line = self.lines.get(key)
        return line is not None and line.since <= index and (line.until is None or index < line.until)

    def note_keys(self, origin: str) -> tuple[NoteKey, ...]:
        """Return the keys that may have signed checkpoints of ``origin``: those of services, also those that stand no more."""
        return tuple(NoteKey(origin, line.key) for line in self.lines.values() if line.holder.startswith(SERVICE))

    def admit(self, leaf: bytes, index: int) -> tuple[Entry, "Keyring"]:
        """Return the entry at ``index``, verified, and the keyring after it.

        Args:
            leaf: As stored.
            index: Its position; entries are admitted in order.

        Raises:
            MalformedError, VerificationError: it is not an entry, or a signature that counts does not hold.
            UnknownKeyError: no key whose signature counts signed it.
            KeyRefusedError: it speaks for a key that did not sign it, or does with keys what its signers may not.
        """
        first = not self.lines
        entry = read_entry(leaf, index, lambda key: first or self.stands(key, index))
        after = self._after(entry)
        by = entry.statement.predicate.get("by")
        if by is not None and by not in entry.signers:
            raise KeyRefusedError(str(by), f"its signature on entry {index}, which speaks for it", "none")
        return entry, after

    def _after(self, entry: Entry) -> "Keyring":
        plain, index = entry.statement.predicate, entry.index
        match entry.statement.kind:
            case "found" if not self.lines:
                lines = [_line(each, index) for each in _list(plain, "keys")]
                if not entry.signers <= {line.key for line in lines}:
                    raise KeyRefusedError(min(entry.signers), "the first entry signed by keys that it names", "another key")
                return Keyring(
                    _mapping({line.key: line for line in reversed(lines)}), frozenset(map(str, _list(plain, "custodians")))
                )
            case "found":
                raise KeyRefusedError(min(entry.signers), "one founding entry, the first", f"another at {index}")
            case _ if not self.lines:
                raise UnknownKeyError("entry 0", f"{entry.statement.kind}, where the founding entry names the first keys")
            case "entrust":
                self._ask_custodian(entry)
                return replace(self, custodians=self.custodians | set(map(str, _list(plain, "custodians"))))
            case "enrol" if isinstance(party := plain.get("party"), dict) and party.get("kind") == "key":
                self._ask_custodian(entry)
                line = _line(party, index + 1)
                return self if line.key in self.lines else self._put(line)  # said again by the next custodian
            case "remove" if plain.get("id") in self.lines:
                line, since = self.lines[str(plain["id"])], plain.get("compromised_since")
                if since is not None and not (type(since) is int and 0 <= since <= index):
                    raise MalformedError(f"entry {index}", f"a position up to {index}", repr(since))
                known = [each for each in (line.compromised_since, since) if isinstance(each, int)]
                until = index + 1 if line.until is None else line.until
                return self._put(replace(line, until=until, compromised_since=min(known, default=None)))
        return self

    def _ask_custodian(self, entry: Entry) -> None:
        if self.custodians.isdisjoint(self.lines[key].holder for key in entry.signers):
            raise KeyRefusedError(min(entry.signers), "the key of a custodian", "another's")

    def _put(self, line: KeyLine) -> "Keyring":
        return replace(self, lines=_mapping({**self.lines, line.key: line}))


def read_entries(leaves: Iterable[bytes]) -> tuple[list[Entry], Keyring]:
    """Return the verified entries of a ledger, from its first on, and the keyring after them.

    Raises:
        ProvenanceError: the first entry that does not hold; see `Keyring.admit`.
    """
    keyring, entries = Keyring(), list[Entry]()
    for index, leaf in enumerate(leaves):
        entry, keyring = keyring.admit(leaf, index)
        entries.append(entry)
    return entries, keyring


def suspects(entries: Iterable[Entry], keyring: Keyring) -> tuple[int, ...]:
    """Return the positions of entries that a key signed since it was compromised: what must be suspended and looked at."""
    doubted = {line.key: line.compromised_since for line in keyring.lines.values() if line.compromised_since is not None}
    return tuple(e.index for e in entries if any(doubted.get(key, e.index + 1) <= e.index for key in e.signers))


def _line(plain: Json, since: int) -> KeyLine:
    if not isinstance(plain, dict) or not isinstance(plain.get("id"), str) or not isinstance(plain.get("holder"), str):
        raise MalformedError("a key's enrolment", "an id and a holder", repr(plain)[:80])
    public_bytes(str(plain["id"]))
    return KeyLine(str(plain["id"]), str(plain["holder"]), since)


def _list(plain: Mapping[str, Json], name: str) -> list[Json]:
    found = plain.get(name)
    if not isinstance(found, list) or not found:
        raise MalformedError("entry", f"{name} as a list with something in it", repr(found)[:80])
    return found


def _mapping(lines: dict[KeyName, KeyLine]) -> Mapping[KeyName, KeyLine]:
    return MappingProxyType(lines)
