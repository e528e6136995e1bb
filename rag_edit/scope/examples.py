"""Questions for one example of a kind: "What is a common symptom of measles?", "What type of software is Scilab known for?". Pure text.

They name a subject, and of its relations only the kind of thing that is wanted. To an encoder such a question is near every record of
its subject. English, German, French and Spanish; a question of another shape asks for no example.
"""

import re
from typing import Final

from rag_edit.scope.text import fold

# All in folded form. Adjectives that say which example is wanted: one that people know.
_KNOWN_ONES: Final = (
    r"(?:common|defining|distinctive|distinguishing|famous|frequent|iconic|important|interesting|key|main|major|notable|noteworthy|popular"
    r"|primary|principal|prominent|remarkable|renowned|significant|typical|unique|well known|widespread"
    r"|(?:bedeutend|beruhmt|bekannt|charakteristisch|gangig|haufig|typisch|verbreitet|wichtig)e[rsn]?"
    r"|(?:connu|courant|frequent|important|majeur|marquant|repandu)e?|celebre|remarquable|typique"
    r"|(?:conocid|destacad|famos|tipic|caracteristic)[oa]|comun|frecuente|importante)"
)
_ASKS: Final = r"(?:what (?:is|s|was|are|were)|(?:name|give me|tell me)|was (?:ist|war)|nenne?(?: mir)?|quel(?:le)? (?:est|etait)|cual (?:es|era))"
_PREPOSITIONS: Final = (
    r"(?:of|for|in|on|at|from|by|with|to|about|that|which|von|des|der|bei|fur|im|de|du|d|pour|dans|del|para|en)"
)
_TIES: Final = r"(?:(?:associated|related|used|involved|found|caused|performed|provided|made|people|one) )*"
_ONE: Final = re.compile(rf"(?:{_ASKS} )?(?:an?|one|some|eine?[nr]?|une?|una?) (?P<kind>(?:\w+ ){{1,6}}?){_TIES}{_PREPOSITIONS} ")
_FAME: Final = re.compile(
    r"(?:what|which) (?:(?:type|kind|sort)s? of )?(?P<kind>(?:(?!is |are |was |were )\w+ ){0,4}?)(?:of \w+ )?(?:is|are|was|were) .+ "
    r"(?:best |well |most |widely )?(?:known|famous|renowned|noted|celebrated) for(?: being)?$"
)
FAME: Final = ("known", "famous", "renowned", "notable")  # what is asked for where no kind is named


def asked_kinds(question: str) -> tuple[str, ...]:
    """Return the kinds, one word each and folded, of which a question wants an example; none where it does not ask so."""
    said = fold(question)
    if found := _ONE.match(said):
        kind = found["kind"].split()
        rest = re.sub(rf"\b{_KNOWN_ONES}\b", " ", found["kind"]).split()
        return _heads(rest, last=not said.startswith(("quel", "cual"))) if len(rest) < len(kind) else ()
    if found := _FAME.match(said):
        return _heads(found["kind"].split(), last=True) or FAME
    return ()


def _heads(words: list[str], *, last: bool) -> tuple[str, ...]:
    """Return the noun of each part of "a feature or attribute": the last word, or in Romance languages the first."""
    parts = re.split(r" (?:or|and|oder|und|ou|et|o|y) ", " ".join(words)) if words else []
    return tuple(part.split()[-1 if last else 0] for part in parts if part.split())
