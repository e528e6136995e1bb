"""Why a text is not a code: words for a person, and the codes that may have been meant.

Suggestions are for reading only. Nothing here turns a wrong code into a right one: a look-alike letter, a lower-case
letter or a trailing line break is refused, since a folded code would put a record where nobody asked for it.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

MAX_SUGGESTIONS: Final = 4
MAX_CODE_CHARS: Final = 12  # of a text; what follows does not help to find a code

# Cyrillic and Greek letters drawn like Latin capitals (Unicode confusables.txt, the single-letter ones).
_CYRILLIC: Final = "АВСԀЕНІЈКМОРԚЅТԜХҮᏃ"
_CYRILLIC_AS: Final = "ABCDEHIJKMOPQSTWXYZ"
_GREEK: Final = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
_GREEK_AS: Final = "ABEZHIKMNOPTYX"
_TWINS: Final = str.maketrans(_CYRILLIC + _GREEK, _CYRILLIC_AS + _GREEK_AS)

# Texts that people write for a code. Not accepted: each is answered with the right code.
ALIASES: Final[Mapping[str, str]] = {
    "UK": "GB",
    "EL": "GR",
    "EZ": "EUROZONE",
    "EURO": "EUROZONE",
    "EUR": "EUROZONE",
    "EEC": "EU",
    "WORLD": "GLOBAL",
    "INT": "GLOBAL",
    "KS": "XK",
    "XKX": "XK",
}


def explain_code(
    text: str, codes: Iterable[str], former: Mapping[str, tuple[str, ...]], named: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Return why ``text`` is none of ``codes``, and up to four codes that may have been meant.

    Args:
        text: What was given; not one of ``codes``.
        codes: All codes there are.
        former: Withdrawn codes and other standards' codes, each with its successors.
        named: English names and their codes.
    """
    known = codes if isinstance(codes, Mapping) else frozenset(codes)
    if not text:
        return "it is empty", ()
    if text in ALIASES:
        return f"the code is {ALIASES[text]}", (ALIASES[text],)
    if text in former:
        new = tuple(code for code in former[text] if code in known)
        return f"it is no code of ISO 3166 alpha-2, or no longer; the place has {', '.join(new)}", new[:MAX_SUGGESTIONS]
    if text in named:
        return "it is a name, not a code", (named[text],)
    why = _first_fault(text)
    plain = _plain(text)
    meant = ALIASES.get(plain, plain)
    if meant in known:
        return why or "it is written in another way", (meant,)
    if plain in former:
        return why or "it is no longer a code", former[plain][:MAX_SUGGESTIONS]
    by_name = {name.casefold(): code for name, code in named.items()}
    near_name = by_name.get(" ".join(text.split()).casefold())
    if near_name:
        return why or "it is a name, not a code", (near_name,)
    prefix = plain.partition("-")[0]
    if "-" in plain and prefix in known:
        near = _near(plain, [code for code in known if code.startswith(f"{prefix}-")]) or (prefix,)
    elif len(plain) == 2:
        near = ()  # every code is one letter away from fifty others
    else:
        blocs = [code for code in known if len(code) > 2 and code.isalpha()]
        near = _near(plain, blocs) or tuple(
            by_name[n] for n in get_close_matches(text[:80].casefold(), by_name, MAX_SUGGESTIONS, 0.8)
        )
    return why or "no jurisdiction has this code", near


def _first_fault(text: str) -> str:
    """Return what is wrong with the characters of ``text``; empty where they are those of a code."""
    for char in text:
        name = f"U+{ord(char):04X} {unicodedata.name(char, 'control character').lower()}"
        if char.isspace() or unicodedata.category(char)[0] in "CZ":
            return f"it holds a space, line break or invisible character ({name})"
        if not char.isascii():
            return f"it holds {name}, which is not an ASCII letter"
    if text != text.upper():
        return "codes are written in capitals"
    return "" if all(c.isalnum() or c == "-" for c in text) else "codes hold letters, digits and one hyphen"


def _plain(text: str) -> str:
    """Return ``text`` as its writer may have meant it: only ever used to suggest."""
    upper = unicodedata.normalize("NFKC", text).upper().translate(_TWINS)
    return "".join(c for c in upper.replace("_", "-").replace("–", "-") if c.isascii() and (c.isalnum() or c == "-"))


def _near(code: str, pool: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of ``pool`` that are spelt most like ``code``, the nearest first."""
    return tuple(get_close_matches(code[:MAX_CODE_CHARS], sorted(pool), MAX_SUGGESTIONS, 0.7))
