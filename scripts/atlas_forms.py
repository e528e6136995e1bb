"""Inflected forms of names for scripts/build_atlas.py: rough rules that are right for most countries' names.

A rule that makes a form nobody writes costs nothing; forms that are other words are in scripts/atlas/leave_out.txt.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from rag_edit.core.atlas import fold_name

TABLES = Path(__file__).resolve().parent / "atlas"

# (language, ending of the name, endings that replace it)
RULES: list[tuple[str, str, str]] = [
    ("ru", "ия", "ии ию ией"), ("ru", "а", "е у ой ы и"), ("ru", "я", "е ю ей и"), ("ru", "й", "е я ю ем"), ("ru", "ы", "ах"),
    ("ru", "ь", "и ю ем"), ("ru", "", "е а у ом"), ("uk", "ія", "ії ію ією"), ("uk", "а", "і и у ою"), ("uk", "", "і у а ом"),
    ("pl", "cja", "cji cję cją"), ("pl", "sja", "sji sję sją"), ("pl", "ia", "ii ię ią"), ("pl", "na", "nie ny nę"),
    ("pl", "", "ie u em"), ("cs", "sko", "sku ska skem"), ("cs", "cko", "cku cka ckem"), ("cs", "ie", "ii ií"),
    ("sk", "sko", "sku ska skom"), ("sk", "cko", "cku cka ckom"), ("sk", "ia", "ii iu"), ("hr", "ka", "koj ke ku kom"),
    ("hr", "ija", "iji ije iju ijom"), ("sl", "ija", "iji ije ijo"), ("sl", "ka", "ki ke ko"), ("lt", "ija", "ijoje ijos iją"),
    ("lv", "ja", "jā jas ju"), ("et", "maa", "maal maalt maale"), ("et", "", "s st"), ("ro", "ia", "iei"), ("el", "α", "ας"),
    ("de", "", "s"), ("sv", "", "s"), ("da", "", "s"), ("no", "", "s"), ("nl", "", "s"),
    ("hu", "a", "ában ának áról ából ába"), ("hu", "e", "ében ének éről éből ébe"),
    ("hu", "", "ban ben on en ön nak nek ról ről ból ből ba be"),
    ("fi", "a", "assa an asta aan alla"), ("fi", "ä", "ässä än ästä ään ällä"), ("fi", "i", "issa issä in ista istä iin"),
    ("fi", "o", "ossa on osta oon"), ("fi", "mi", "messa men mesta meen"),
]  # fmt: skip
VOWELS = "aeiouyáéíóúąęőűаеёиоуыэюяіїєαεηιουωά"

_UNIT = (
    r"(?:autonomous |special |federal )?(?:province|region|prefecture|county|department|district|governorate|oblast|canton|"
    r"state|parish|community|principality|provinz|region|präfektur|kanton|departamento|bundesstaat|département|région|"
    r"préfecture|provincia|región|prefectura|comunidad|cantón|estado|regione|prefettura|cantone|dipartimento|província|"
    r"região|distrito|provincie|prefectuur|kanton|ili|eyaleti|bölgesi|kantonu)"
)
_BEFORE = re.compile(
    rf"^(?:the )?{_UNIT} (?:of |de la |de l['’]|de |du |des |d['’]|del |della |dell['’]|di |do |da |dos )?", re.IGNORECASE
)
_AFTER = re.compile(rf" {_UNIT}$|[州県省府都市道]$", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an t-?|an |na |il-|id-|in-|iċ-|is-|it-|ir-|ix-|iż-|l-|the )(?=\w)", re.IGNORECASE)


def variants(name: str, code: str) -> set[str]:
    """Return ``name`` and its usual shorter forms: without brackets, article and words such as "province of"."""
    plain = re.sub(r"\s*[\(（][^)）]*[\)）]", "", name).strip()
    forms = {
        plain,
        re.sub(r"[()（）]", " ", name),
        plain.replace("&", "and"),
        plain.replace("St. ", "Saint "),
        plain.replace("ё", "е"),
    }
    if len(code) == 2:
        return {_ARTICLE.sub("", form) for form in forms}
    bare = _AFTER.sub("", _BEFORE.sub("", plain))
    return forms | ({bare} if len(bare) > (1 if ord(bare[:1] or "a") > 0x2E80 else 3) else set())


def inflected(name: str, language: str) -> Iterator[str]:
    """Yield the case forms of a one-word name; of the first rule that fits, longest ending first."""
    if " " in name:
        return
    for _, ending, forms in sorted((rule for rule in RULES if rule[0] == language), key=lambda rule: -len(rule[1])):
        if name.endswith(ending) and (
            ending or name[-1].casefold() not in VOWELS or language in {"de", "sv", "da", "no", "nl", "et"}
        ):
            stem = name[: len(name) - len(ending)]
            yield from (stem + form for form in forms.split())
            return


def spread_demonyms(table: list[list[str]]) -> Iterator[tuple[str, str]]:
    """Yield (code, form) for every form of the demonyms in scripts/atlas/demonyms.tsv."""
    for code, *columns in table:
        english, german, french, spanish = [*columns, "", "", "", ""][:4]
        yield from ((code, word) for word in english.split())
        stems, _, nouns = german.partition("|")
        for stem in stems.split():
            yield from ((code, stem + ending) for ending in (("",) if stem[0].isupper() else ("", "e", "en", "er", "es", "em")))
        yield from ((code, word) for word in nouns.split())
        for word in french.split():
            yield code, word
            yield code, word if word[-1] in "sx" else f"{word}s"
        for word in spanish.split():
            yield code, word
            yield code, f"{word}s" if word[-1] in "aeoiú" else f"{word[:-2]}{word[-2].translate(PLAIN)}{word[-1]}es"


PLAIN = str.maketrans("áéíóú", "aeiou")


def rows(name: str) -> list[list[str]]:
    """Return the tab-separated lines of a hand-made table, without comments."""
    return [line.split("\t") for line in (TABLES / name).read_text("utf-8").splitlines() if line and line[0] != "#"]


def words(name: str) -> set[str]:
    """Return the folded words of a hand-made list."""
    return {fold_name(word) for (line,) in rows(name) for word in line.split()}
