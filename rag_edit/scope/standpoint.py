"""Where a person says they are, told apart from the place they ask about: "I am in Spain: what is the VAT in Italy?". Pure text.

A clause about oneself that names a place is left out where the rest of the question names a place too: the rest is what is asked.
Where it does not, the clause is all that says where, and stays. The deployment's own place is never taken from it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from rag_edit.scope.places import PlaceMention
from rag_edit.scope.text import clean

_SELF: Final = (
    r"(?:(?:i|we)(?:\s+am|'m|’m|\s+are|'re|’re)(?:\s+(?:now|currently|based|living|working|staying|here|a\s+resident|from))*"
    r"|(?:i|we)\s+(?:currently\s+)?(?:live|work|stay|reside)"
    r"|(?:ich\s+(?:bin|wohne|lebe|arbeite|sitze)|wir\s+(?:sind|wohnen|leben|arbeiten|sitzen))(?:\s+(?:gerade|jetzt|derzeit|zur\s+zeit|hier))*"
    r"|(?:je\s+(?:suis|vis|travaille|réside)|j['’]habite|nous\s+(?:sommes|vivons|habitons|travaillons))(?:\s+(?:actuellement|maintenant))*"
    r"|(?:yo\s+)?(?:estoy|vivo|trabajo|resido)(?:\s+(?:ahora|actualmente))*|(?:nosotros\s+)?(?:estamos|vivimos|trabajamos))"
)
_IN: Final = r"(?:in|at|from|aus|im|en|au|aux|à|a|de|the|der|den|la|le|el|los|las|of|von)"
_CLAUSE: Final = re.compile(
    rf"(?:^|(?<=[.!?;:,]\s)){_SELF}\s+{_IN}\s+[^.,;:!?]{{1,60}}?(?=[.,;:!?]|\s[–—-]\s|\s(?:and|but|und|aber|et|mais|y|pero)\s|$)",
    re.IGNORECASE,
)
_JOINT: Final = re.compile(r"^(?:[\s.,;:!?–—-]|(?:and|but|und|aber|et|mais|y|pero)\s)+", re.IGNORECASE)


def asked_part(text: str, read_places: Callable[[str], Sequence[PlaceMention]]) -> str:
    """Return ``text`` without the clause that says where the person is, where another place is asked about; else ``text``."""
    found = _CLAUSE.search(text)
    if found is None or not any(m.certain for m in read_places(found.group())):
        return text
    before, after = clean(text[: found.start()]), _JOINT.sub("", text[found.end() :])
    rest = clean(f"{before} {after}") if before else clean(after)
    if not any(m.certain for m in read_places(rest)):
        return text
    return rest
