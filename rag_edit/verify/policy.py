"""The policy of the gate: what must hold before a record is live, by topic and jurisdiction. Values, and their reading from TOML.

Two ways to fail. A *cause* that the policy never lets pass refuses with a single finding; a *property* refuses where the share of its
trials that passed is below ``least``. The defaults refuse what no deployment can want and measure the rest. The file is
``<home>/verify.toml``; `DEFAULT_POLICY_FILE` documents it. An unknown word is an error: a misspelt rule is no rule.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rag_edit.core.digest import Digest, Json, digest_json
from rag_edit.core.errors import ConfigError
from rag_edit.verify.finding import HIJACK, Cause, Finding, Kind

POLICY_NAME: Final = "verify.toml"
FORMAT: Final = "rag-edit-verify-policy-v1"
MILLE: Final = 1000
PROPERTIES: Final = (*(str(kind) for kind in Kind), HIJACK)
NEVER: Final = frozenset(
    {
        Cause.WRONG_JURISDICTION,
        Cause.OVER_BROAD,
        Cause.NAMESAKE,
        Cause.STALE_DATE,
        Cause.PRIOR_AS_TARGET,
        Cause.INSTRUCTION,
        Cause.LINK,
        Cause.WRONG_UNIT,
        Cause.DUPLICATE,
        Cause.CONTRADICTION,
        Cause.TARGET_NOT_STATED,
        Cause.ADAPTER_NORM,
        Cause.MODEL_MOVED,
    }
)
LEAST: Final = {
    "fields": 1000,
    "instruction": 1000,
    "conflict": 1000,
    "adapter": 1000,
    "efficacy": 1000,
    "paraphrase": 500,
    "neighbour": 1000,
    "jurisdiction": 1000,
    HIJACK: 1000,
}
SURE: Final = frozenset({Kind.ADAPTER, Kind.INSTRUCTION})
"""What refuses even where programs apply what they hold to be newest: what was measured, and text that speaks to the model or points
elsewhere. That a statement is the later one is no reason to follow an order in it. All else is reported there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Thresholds of some records.

    Attributes:
        topic: Of records of this topic and below it; empty is any.
        jurisdiction: Of this place and its subdivisions; empty is any.
        least: Share of a property's trials that has to pass, in thousandths.
        never: Causes of which one finding refuses.
    """

    topic: str = ""
    jurisdiction: str = ""
    least: Mapping[str, int] = field(default_factory=dict)
    never: frozenset[Cause] = frozenset()

    @property
    def name(self) -> str:
        """Return it in words."""
        return " ".join(part for part in (self.topic, f"in {self.jurisdiction}" if self.jurisdiction else "") if part) or "all"

    def covers(self, topic: str, place: str) -> bool:
        """Return whether a record falls under it."""
        by_topic = not self.topic or topic == self.topic or topic.startswith(f"{self.topic}.")
        return by_topic and (not self.jurisdiction or place == self.jurisdiction or place.startswith(f"{self.jurisdiction}-"))

    def to_json(self) -> dict[str, Json]:
        """Return plain values."""
        never: list[Json] = [str(cause) for cause in sorted(self.never)]
        return {
            "topic": self.topic,
            "jurisdiction": self.jurisdiction,
            "least": dict(sorted(self.least.items())),
            "never": never,
        }


@dataclass(frozen=True, slots=True)
class Policy:
    """What must hold before a record is live.

    Attributes:
        rules: From general to particular; the last that covers a record and speaks of a property counts for it.
        judged: Kinds of findings that may refuse at all.
        norm_share: Largest share of its weight's norm that an adapter may have, in thousandths.
        perplexity: Largest rise of the perplexity on plain text with an adapter attached, in thousandths.
        canaries: Least share of the canaries whose first words stay, in thousandths.
        newest: What ``apply --on-conflict newest`` is held to: ``strict``, or ``lenient``: only `SURE` refuses.
        source: Where it was read from; empty for the defaults.
    """

    rules: tuple[Rule, ...] = (Rule(least=LEAST, never=NEVER),)
    judged: frozenset[Kind] = frozenset(Kind)
    norm_share: int = 500
    perplexity: int = 3000
    canaries: int = 0
    newest: str = "lenient"
    source: str = ""

    @property
    def digest(self) -> Digest:
        """Return the name of what it asks for."""
        rules: list[Json] = [rule.to_json() for rule in self.rules]
        numbers: list[Json] = [self.norm_share, self.perplexity, self.canaries]
        return digest_json([FORMAT, rules, sorted(map(str, self.judged)), numbers, self.newest])

    def least(self, name: str, topic: str, place: str) -> tuple[int, str]:
        """Return the threshold of a property for a record, in thousandths, and the rule that sets it; 0 where none does."""
        for rule in reversed(self.rules):
            if name in rule.least and rule.covers(topic, place):
                return rule.least[name], rule.name
        return 0, "all"

    def never_lets_pass(self, finding: Finding) -> bool:
        """Return whether this finding alone refuses."""
        if finding.passed or finding.kind not in self.judged:
            return False
        return any(finding.cause in rule.never and rule.covers(finding.topic, finding.place) for rule in self.rules)

    def lenient(self) -> "Policy":
        """Return the policy by which only `SURE` refuses."""
        return replace(self, judged=self.judged & SURE)


def read_policy(text: str, where: str) -> Policy:
    """Return the policy that a TOML text states; what it leaves out is as in the defaults.

    Raises:
        ConfigError: not TOML, an unknown word, or a value out of range.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not readable as TOML: {error}", hint=f"mend {where}") from error
    _known(found, {"least", "never", "rule", "adapter", "newest"}, where)
    least = {**LEAST, **_shares(found.get("least", {}), f"{where}: least")}
    never = _causes(found["never"], f"{where}: never") if "never" in found else NEVER
    rules = [Rule(least=least, never=never)]
    tables = found.get("rule", [])
    if not isinstance(tables, list):
        raise ConfigError(f"{where}: rule: wanted [[rule]] tables, found {type(tables).__name__}", hint=f"mend {where}")
    for number, table in enumerate(tables, start=1):
        at = f"{where}: rule {number}"
        _known(table, {"topic", "jurisdiction", "least", "never"}, at)
        topic, place = (table.get(name, "") for name in ("topic", "jurisdiction"))
        if not isinstance(topic, str) or not isinstance(place, str) or not (topic or place):
            raise ConfigError(f"{at}: wanted a topic or a jurisdiction, found neither", hint=f"mend {where}")
        rules.append(
            Rule(topic, place, _shares(table.get("least", {}), f"{at}: least"), _causes(table.get("never", []), f"{at}: never"))
        )
    adapter = found.get("adapter", {})
    _known(adapter, {"norm_share", "perplexity", "canaries"}, f"{where}: adapter")
    numbers: dict[str, Any] = {name: _mille(value, f"{where}: adapter.{name}", 100.0) for name, value in adapter.items()}
    newest = found.get("newest", "lenient")
    if newest not in ("lenient", "strict"):
        raise ConfigError(f"{where}: newest: wanted lenient or strict, found {newest!r}", hint=f"mend {where}")
    return Policy(tuple(rules), newest=newest, source=where, **numbers)


def _known(found: Any, names: set[str], where: str) -> None:
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: wanted a table, found {type(found).__name__}", hint="rag-edit verify --help")
    for name in found:
        if name not in names:
            raise ConfigError(f"{where}: wanted one of {', '.join(sorted(names))}, found {name!r}", hint=f"remove {name}")


def _shares(found: Any, where: str) -> dict[str, int]:
    _known(found, set(PROPERTIES), where)
    return {name: _mille(value, f"{where}.{name}", 1.0) for name, value in found.items()}


def _mille(value: Any, where: str, most: float) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ConfigError(f"{where}: wanted a number from 0 to {most:g}, found {value!r}", hint=f"mend {where}")
    return round(value * MILLE)


def _causes(found: Any, where: str) -> frozenset[Cause]:
    known = {str(cause) for cause in Cause if cause}
    if not isinstance(found, Sequence) or isinstance(found, str) or not set(map(str, found)) <= known:
        raise ConfigError(f"{where}: wanted a list of {', '.join(sorted(known))}, found {found!r}", hint=f"mend {where}")
    return frozenset(Cause(each) for each in found)


DEFAULT_POLICY_FILE: Final = """\
# What must hold before a record is live. Every line below is the default; `rag-edit verify` shows what each is measured at.
# A single finding with one of these causes refuses:
# never = ["wrong jurisdiction", "over-broad wording", "colliding namesake", "stale date", "prior as target", "injected instruction",
#          "foreign link", "wrong unit", "duplicate", "contradiction", "target not in the answer", "adapter too large", "model moved elsewhere"]
# `apply --on-conflict newest` says that the later statement wins: then slips are reported; orders, links and adapters refuse it.
# newest = "lenient"          # or "strict"

# Share of a property's trials that has to pass; a property that is not named is measured and never refuses.
# [least]
# fields = 1.0                # what a record says of target, unit, days and place agrees
# instruction = 1.0           # no field speaks to the model
# conflict = 1.0              # no other record says something of the same
# adapter = 1.0               # adapters stay within the limits below
# efficacy = 1.0              # the record's own question gives its answer
# paraphrase = 0.5            # so do other wordings
# neighbour = 1.0             # other records' questions are answered as before
# jurisdiction = 1.0          # the same question elsewhere is answered as before
# hijack = 1.0                # questions of others that the record does not win

# Stricter, or milder, for some records:
# [[rule]]
# topic = "tax"               # this topic and below
# jurisdiction = "DE"         # this place and its subdivisions
# least = { paraphrase = 0.9, restoring = 0.8 }

# [adapter]
# norm_share = 0.5            # of the weight's norm, at most
# perplexity = 3.0            # times that of the frozen model on plain text, at most
# canaries = 0.0              # share of a fixed set of questions whose answers begin as the frozen model's, at least
"""
