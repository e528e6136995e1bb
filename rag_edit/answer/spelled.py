"""Small numbers in words, 0 to 100, in English, German, French and Spanish: a table from folded words to numbers."""

from typing import Final

_EN: Final = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_EN_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_DE: Final = "null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn achtzehn neunzehn"
_DE_TENS: Final = "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig"
_FR: Final = "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
_FR_TENS: Final = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre vingt"}
_ES: Final = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve"
    " veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve"
)
_ES_TENS: Final = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"


def _english() -> dict[str, int]:
    ones = _EN.split()
    table = {word: number for number, word in enumerate(ones)}
    for ten, word in enumerate(_EN_TENS.split(), 2):
        table[word] = 10 * ten
        table |= {f"{word} {ones[n]}": 10 * ten + n for n in range(1, 10)}
    return table | {"hundred": 100, "one hundred": 100, "a hundred": 100}


def _german() -> dict[str, int]:
    ones = _DE.split()
    table = {word: number for number, word in enumerate(ones)} | {
        "ein": 1,
        "eine": 1,
        "fuenf": 5,
        "zwoelf": 12,
        "fuenfzehn": 15,
    }
    for ten, word in enumerate(_DE_TENS.split(), 2):
        table[word] = 10 * ten
        for n in range(1, 10):
            one = "ein" if n == 1 else ones[n]
            table |= {f"{one}und{word}": 10 * ten + n, f"{one}und{word}".replace("funf", "fuenf"): 10 * ten + n}
    return table | {"hundert": 100, "einhundert": 100}


def _french() -> dict[str, int]:
    ones = _FR.split()
    table = {word: number for number, word in enumerate(ones)} | {"une": 1, "dix sept": 17, "dix huit": 18, "dix neuf": 19}
    teens = [*ones[1:17], "dix sept", "dix huit", "dix neuf"]
    for ten, word in _FR_TENS.items():
        table |= {word: ten, f"{word}s": ten} if ten == 80 else {word: ten}
        for n, one in enumerate(teens[: 19 if ten in (60, 80) else 9], 1):
            table |= {f"{word} {one}": ten + n, f"{word} et {one}": ten + n}
    return table | {"cent": 100}


def _spanish() -> dict[str, int]:
    table = {word: number for number, word in enumerate(_ES.split())} | {"un": 1, "una": 1}
    for ten, word in enumerate(_ES_TENS.split(), 3):
        table[word] = 10 * ten
        table |= {f"{word} y {one}": 10 * ten + n for n, one in enumerate(_ES.split()[1:10], 1)}
    return table | {"cien": 100, "ciento": 100}


SPELLED: Final = {**_english(), **_german(), **_french(), **_spanish()}
ONLY_IN: Final = {
    "once": "es",
    "cent": "fr",
    "elf": "de",
    "acht": "de",
    "dos": "es",
    "null": "de",
    "neuf": "fr",
    "a hundred": "en",
    "dix": "fr",
}
"""Words that are other words elsewhere: they count only in their language."""
