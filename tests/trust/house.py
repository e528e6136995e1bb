"""A home in memory and the people who act in it, each with a key: what the state machine of `tests.trust.test_office_life` lives in."""

import hashlib
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rag_edit.authority import acts
from rag_edit.authority.acts import Act
from rag_edit.authority.book import Book
from rag_edit.authority.mandate import Mandate, Power, Remit
from rag_edit.authority.people import Institution, Key, Person
from rag_edit.authority.policy import Policy, Quorum
from rag_edit.authority.verdict import Permit
from rag_edit.core.decision import Answer, Decision, Query
from rag_edit.engine import Engine
from rag_edit.provenance.anchor import MemoryAnchor
from rag_edit.provenance.keyfile import create_key_file, open_key_file
from rag_edit.provenance.receipt import Models
from rag_edit.provenance.signer import Signer
from rag_edit.testing import FakeHsm, fake_engine
from rag_edit.trust.erasing import destroy
from rag_edit.trust.office import Office
from rag_edit.trust.receipting import Answered, Receipts
from rag_edit.trust.trusting import territory

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
EYES = Quorum(1)
STRICT = Policy(
    "four eyes", low=EYES, normal=EYES, high=Quorum(2), high_topics=("health",), verification=True, erase_people=2,
    breakglass_jurisdictions=("DE",), breakglass_hours=24,
)  # fmt: skip
POWERS = {
    "ann": "breakglass propose",
    "ben": "approve breakglass erase propose retract",
    "cat": "approve erase publish resume retract suspend verify",
}
PASSPHRASE = b"canary: the passphrase of ann"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class House:
    """The home. Two places that have nothing to do with each other, DE and FR; mandates for both.

    Attributes:
        secrets: What no output may hold: private keys and a passphrase. Ann's key lies sealed in a file.
        said: What was told to whoever acted: errors.
    """

    def __init__(self) -> None:
        self.clock, self.anchor = Clock(), MemoryAnchor()
        self.engine: Engine = fake_engine(cut=0.4)
        self.secrets, self.said = [PASSPHRASE], list[bytes]()
        self.signers: dict[str, Signer] = {name: FakeHsm(name) for name in ("home", *POWERS)}
        self.secrets += [hashlib.sha256(f"fake-hsm:{name}".encode()).digest() for name in ("home", "ben", "cat")]
        self.signers["ann"] = self._key_file()
        self.open("home")
        for house in ("inst:a", "inst:b"):
            self.act("home", lambda _b, key, at, house=house: acts.Enrol(key, at, Institution(house)))
        for n, (name, powers) in enumerate(POWERS.items()):
            person, house = f"person:{name}", ("inst:a", "inst:b")[n % 2]
            mandates = [
                Mandate(f"m-{name}-{place}", person, tuple(Power(p) for p in powers.split()), Remit(place, "", subtree=True))
                for place in ("DE", "FR")
            ]
            made: list[Callable[[Book, str, datetime], Act]] = [
                lambda _b, key, at, person=person: acts.Enrol(key, at, Person(person)),
                lambda _b, key, at, name=name, person=person, house=house: acts.Enrol(
                    key, at, Key(self.signers[name].key, person, house)
                ),
                *(lambda _b, key, at, mandate=mandate: acts.Grant(key, at, mandate) for mandate in mandates),
            ]
            for make in made:
                self.act("home", make)
        self.act("home", lambda _b, key, at: acts.Enact(key, at, STRICT))
        self.act("home", lambda _b, key, at: acts.Revoke(key, at, "local"))

    def open(self, who: str) -> Office:
        """Open the home anew, for whoever speaks."""
        home = self.signers["home"]
        office = Office(
            self.engine.store, self.anchor, lambda: home, territory, self.clock, lambda: self.signers[who],
            lambda office: destroy(Path("/nowhere"), office),
        )  # fmt: skip
        receipts = Receipts(office, self.engine.thresholds, lambda _a: Models(), "DE", self.clock)

        def seal(several: list[tuple[Query, Decision, Answer, tuple[str, ...]]]) -> list[str]:
            more = self.engine.atlas.more_specific
            return receipts.seal([Answered(q, d, a, c, lambda x, y, day=q.as_of: more(x, y, day)) for q, d, a, c in several])

        self.engine.office, self.engine.sealing = office, seal  # type: ignore[assignment]
        return office

    def act(self, who: str, make: Callable[[Book, str, datetime], Act]) -> Permit:
        return self.open(who).act(make)

    def _key_file(self) -> Signer:
        seed = hashlib.sha256(b"canary: the private key of ann").digest()
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "ann.key"
            create_key_file(path, PASSPHRASE, work=10, random=lambda count: seed if count == len(seed) else bytes(count))
            self.said.append(path.read_bytes())
            self.secrets.append(seed)
            return open_key_file(path, PASSPHRASE)
