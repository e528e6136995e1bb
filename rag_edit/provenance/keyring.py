"""Which keys may sign what, and from which to which position of the ledger. Pure: a fold over the ledger's key statements.

Keys are enrolled, rotated, revoked and declared compromised by statements of kind ``key``, themselves entries of the
ledger. Whether a signature counts is decided at the position of the entry it stands in, never by a clock: what a key signed
before it was revoked stays signed, what it signs afterwards is refused, and both can be checked again in years.

- ``enrol``: signed by the new key (it exists, and its holder has it) and by a key that may manage keys. The first entry of
  a ledger enrols its first key, signed by that key alone: whoever trusts the ledger trusts that key by another way.
- ``rotate``: signed by the old and the new key; holder and uses pass on.
- ``revoke``: signed by a key that may manage keys, or by the key itself.
- ``compromised``: as ``revoke``, and names the position since which the key was in other hands: `suspects` finds what it
  signed from there on, for the caller to suspend.

Who holds a key, and what that person may do, is not known here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from rag_edit.core.digest import Json, digest_bytes
from rag_edit.provenance.errors import KeyRefusedError, MalformedError, UnknownKeyError
from rag_edit.provenance.note import NoteKey
from rag_edit.provenance.signer import KeyName, public_bytes
from rag_edit.provenance.statement import Entry, Statement, Subject, read_entry

KIND: Final = "key"


class KeyAct(StrEnum):
    """What is done to a key."""

    ENROL = "enrol"
    ROTATE = "rotate"
    REVOKE = "revoke"
    COMPROMISED = "compromised"


class KeyUse(StrEnum):
    """What a key is for."""

    ACTS = "acts"  # signs statements of people and institutions
    SERVICE = "service"  # signs checkpoints and receipts
    KEYS = "keys"  # may enrol, revoke and declare compromised other keys


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key's standing.

    Attributes:
        key: Its name.
        holder: Whose it is, as a pseudonym: no personal data belongs here.
        uses: What it is for.
        since: First position at which its signature counts.
        until: First position at which it does not any more; None while it stands.
        compromised_since: Position from which on what it signed is doubted.
    """

    key: KeyName
    holder: str
    uses: frozenset[KeyUse]
    since: int
    until: int | None = None
    compromised_since: int | None = None

    def stands(self, index: int) -> bool:
        """Return whether a signature in the entry at ``index`` counts."""
        return self.since <= index and (self.until is None or index < self.until)


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys that a ledger knows of."""

    lines: Mapping[KeyName, KeyLine] = field(default_factory=lambda: MappingProxyType({}))

    def accepts(self, key: KeyName, index: int, use: KeyUse | None = None) -> bool:
        """Return whether ``key`` may sign at ``index``, for ``use`` where one is asked."""
        line = self.lines.get(key)
        return line is not None and line.stands(index) and (use is None or use in line.uses)

    def note_keys(self, origin: str) -> tuple[NoteKey, ...]:
        """Return the keys that may have signed checkpoints of ``origin``: service keys, also those that stand no more."""
        return tuple(NoteKey(origin, line.key) for line in self.lines.values() if KeyUse.SERVICE in line.uses)

    def apply(self, entry: Entry) -> "Keyring":
        """Return the keyring after an entry; entries of other kinds change nothing.

        Raises:
            KeyRefusedError: the act is not allowed, or not signed by those who must.
            MalformedError: not a key statement.
        """
        if entry.statement.kind != KIND:
            return self
        act, key, plain = _read(entry.statement)
        if act is KeyAct.ENROL:
            self._ask(entry, key, proved=True, managed=bool(self.lines))
            return self._enrol(key, str(plain["holder"]), _uses(plain["uses"]), entry.index)
        line = self.lines.get(key)
        if line is None or not line.stands(entry.index):
            raise KeyRefusedError(key, "a key that stands", "one that was never enrolled, or stands no more")
        if act is KeyAct.ROTATE:
            new = str(plain["new"])
            self._ask(entry, new, proved=True, managed=False)
            if key not in entry.signers:
                raise KeyRefusedError(key, "a rotation signed by the old key too", "the new one's signature alone")
            after = self._put(replace(line, until=entry.index + 1))
            return after._enrol(new, line.holder, line.uses, entry.index)  # noqa: SLF001 - of this class
        self._ask(entry, key, proved=False, managed=key not in entry.signers)
        since = plain.get("since")
        if act is KeyAct.COMPROMISED and not (isinstance(since, int) and 0 <= since <= entry.index):
            raise MalformedError(f"entry {entry.index}", f"a position up to {entry.index}", repr(since))
        return self._put(
            replace(line, until=entry.index + 1, compromised_since=since if isinstance(since, int) else line.compromised_since)
        )

    def _ask(self, entry: Entry, key: KeyName, *, proved: bool, managed: bool) -> None:
        if proved and key not in entry.signers:
            raise KeyRefusedError(key, "the new key's own signature", "none")
        if managed and not any(self.accepts(each, entry.index, KeyUse.KEYS) for each in entry.signers):
            raise KeyRefusedError(key, "the signature of a key that may manage keys", "none")

    def _enrol(self, key: KeyName, holder: str, uses: frozenset[KeyUse], index: int) -> "Keyring":
        if key in self.lines:
            raise KeyRefusedError(key, "a key that was never enrolled", "one that was")
        return self._put(KeyLine(key, holder, uses, index))

    def _put(self, line: KeyLine) -> "Keyring":
        return Keyring(MappingProxyType({**self.lines, line.key: line}))


def enrolment(key: KeyName, holder: str, uses: Iterable[KeyUse]) -> Statement:
    """Return the statement that enrols ``key``."""
    return _statement(KeyAct.ENROL, key, {"holder": holder, "uses": sorted(uses)})


def rotation(old: KeyName, new: KeyName) -> Statement:
    """Return the statement that puts ``new`` in the place of ``old``."""
    return _statement(KeyAct.ROTATE, old, {"new": new})


def revocation(key: KeyName, reason: str) -> Statement:
    """Return the statement after which ``key`` signs no more."""
    return _statement(KeyAct.REVOKE, key, {"reason": reason})


def compromise(key: KeyName, since: int, reason: str) -> Statement:
    """Return the statement that ``key`` was in other hands from position ``since`` on."""
    return _statement(KeyAct.COMPROMISED, key, {"reason": reason, "since": since})


def read_entries(leaves: Iterable[bytes], keyring: Keyring = Keyring(), start: int = 0) -> tuple[list[Entry], Keyring]:
    """Return the verified entries of a ledger and the keyring after them.

    Args:
        leaves: From position ``start`` on, as stored.
        keyring: As it was before them.
        start: Position of the first.

    Raises:
        MalformedError, VerificationError, UnknownKeyError, KeyRefusedError: the first entry that does not hold.
    """
    entries: list[Entry] = []
    for index, leaf in enumerate(leaves, start):
        entry = admit(leaf, index, keyring)
        keyring = keyring.apply(entry)
        entries.append(entry)
    return entries, keyring


def admit(leaf: bytes, index: int, keyring: Keyring) -> Entry:
    """Return the entry at ``index``, whose signers are keys that stand there; a key statement's also the keys it brings.

    Args:
        leaf: As stored.
        index: Its position.
        keyring: As it is before the entry.

    Raises:
        MalformedError, VerificationError, UnknownKeyError: it does not hold, or no key that stands signed it.
    """
    entry = read_entry(leaf, index, lambda key: key not in keyring.lines or keyring.accepts(key, index))
    if entry.statement.kind == KIND:  # a key that is new here proves itself by its signature; `Keyring.apply` asks for the rest
        return entry
    signers = frozenset(key for key in entry.signers if keyring.accepts(key, index))
    if not signers:
        raise UnknownKeyError(f"entry {index}", ", ".join(sorted(entry.signers)))
    return replace(entry, signers=signers)


def suspects(entries: Iterable[Entry], keyring: Keyring) -> tuple[int, ...]:
    """Return the positions of entries that a key signed since it was compromised: what must be suspended and looked at."""
    doubted = {line.key: line.compromised_since for line in keyring.lines.values() if line.compromised_since is not None}
    return tuple(e.index for e in entries if any(doubted.get(key, e.index + 1) <= e.index for key in e.signers))


def _statement(act: KeyAct, key: KeyName, rest: Mapping[str, Json]) -> Statement:
    return Statement(KIND, (Subject(key, digest_bytes(public_bytes(key))),), {"act": act.value, "key": key, **rest})


_FIELDS: Final = {
    KeyAct.ENROL: {"act", "key", "holder", "uses"},
    KeyAct.ROTATE: {"act", "key", "new"},
    KeyAct.REVOKE: {"act", "key", "reason"},
    KeyAct.COMPROMISED: {"act", "key", "reason", "since"},
}


def _read(statement: Statement) -> tuple[KeyAct, KeyName, Mapping[str, Json]]:
    plain = statement.predicate
    if plain.get("act") not in list(KeyAct):
        raise MalformedError("key statement", f"an act of {', '.join(KeyAct)}", repr(plain.get("act")))
    act = KeyAct(str(plain["act"]))
    if set(plain) != _FIELDS[act]:
        raise MalformedError("key statement", f"{act} with {', '.join(sorted(_FIELDS[act]))}", ", ".join(sorted(plain)))
    key = str(plain["key"])
    for each in (key, str(plain.get("new", key))):
        public_bytes(each)
    if [subject.name for subject in statement.subjects] != [key]:
        raise MalformedError("key statement", "the key as its only subject", "other subjects")
    return act, key, plain


def _uses(plain: Json) -> frozenset[KeyUse]:
    if not isinstance(plain, list) or not plain or any(each not in list(KeyUse) for each in plain):
        raise MalformedError("key statement", f"uses of {', '.join(KeyUse)}", repr(plain))
    return frozenset(KeyUse(str(each)) for each in plain)
