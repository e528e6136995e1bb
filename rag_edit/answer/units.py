"""Spellings of units, months and small numbers in English, German, French and Spanish, and the patterns they make.

Data only. Keys are folded: lower case, without diacritics.
"""

import re
from typing import Final

from rag_edit.answer.spelled import ONLY_IN, SPELLED

__all__ = ["ONLY_IN", "SPELLED"]

ARTICLES: Final = frozenset(
    "the a an der die das den dem des ein eine einer einem einen le la les l un une des du el los las una unos unas lo".split()
)
FILLERS: Final = ARTICLES | frozenset(
    "at on in of by from to and about around since per exactly am um im ab seit bis und den circa ca a au le en de du depuis jusqu"
    " el del desde hasta y o clock uhr old alt age".split()
)

_UNITS: Final = {
    "%": "%|percent|per cent|pct|prozent|v.h.|pour cent|pour-cent|por ciento|percento|procent",
    "pp": "percentage points|percentage point|prozentpunkte|prozentpunkten|points de pourcentage|puntos porcentuales",
    "‰": "‰|per mille|per mil|promille|pour mille|por mil",
    "EUR": "€|eur|euro|euros",
    "USD": "us$|usd|$|us dollar|us dollars|u.s. dollars|dollar|dollars|us-dollar|dolar|dolares",
    "GBP": "£|gbp|pound|pounds|pounds sterling|pfund|livres sterling|libras esterlinas",
    "CHF": "chf|sfr|fr.|swiss franc|swiss francs|schweizer franken|franken|francs suisses|francos suizos",
    "JPY": "¥|jpy|yen",
    "PLN": "pln|zł|zloty|zlotys",
    "SEK": "sek|swedish kronor",
    "DKK": "dkk",
    "NOK": "nok",
    "CZK": "czk",
    "cent": "cents|ct|centimes|centimos",
    "km/h": "km/h|kmh|kph|km per hour|kilometres per hour|kilometers per hour|kilometer pro stunde|stundenkilometer|kilometres par heure"
    "|kilometres a l'heure|kilometros por hora",
    "mph": "mph|miles per hour|meilen pro stunde",
    "km": "km|kilometre|kilometres|kilometer|kilometers|kilometro|kilometros",
    "m": "m|metre|metres|meter|meters|metern|metro|metros",
    "cm": "cm|centimetres|centimeters|zentimeter|centimetros",
    "ft": "ft|feet|foot",
    "in": "inches|inch|zoll|pouces|pulgadas",
    "mi": "miles|mile|meilen",
    "kg": "kg|kilo|kilos|kilogram|kilograms|kilogramm|kilogrammes|kilogramos",
    "mg": "mg|milligrams|milligram|milligramm|milligrammes|miligramos",
    "µg": "µg|mcg|micrograms|mikrogramm",
    "t": "tonnes|tons|tonnen|toneladas",
    "ml": "ml|millilitres|milliliters|milliliter",
    "kWh": "kwh|kilowatt hours|kilowattstunden",
    "kW": "kw|kilowatts|kilowatt",
    "GB": "gb|gigabytes",
    "MB": "mb|megabytes",
    "m²": "m²|m2|square metres|square meters|quadratmeter|metres carres|metros cuadrados",
    "km²": "km²|km2|square kilometres|square kilometers|quadratkilometer|kilometres carres|kilometros cuadrados",
    "mi²": "mi²|sq mi|sq. mi.|square miles|square mile|quadratmeilen|milles carres|millas cuadradas",
    "ha": "ha|hectares|hektar",
    "mm": "mm|millimetres|millimeters|millimeter|milimetros",
    "V": "v|volts|volt|voltios",
    "Hz": "hz|hertz",
    "W": "w|watts|watt|vatios",
    "g": "g|gram|grams|gramm|grammes|gramos",
    "l": "l|litre|litres|liter|liters|litro|litros",
    "°C": "°c|degrees celsius|degrees|grad celsius|grad|degres|grados",
    "°F": "°f|degrees fahrenheit|grad fahrenheit|degres fahrenheit|grados fahrenheit",
    "lb": "lb|lbs",
    "oz": "oz|ounces|ounce",
    "bar": "bar|bars",
    "psi": "psi|pounds per square inch",
    "year": "years old|years of age|years|year|yrs|yr|year-olds|jahre alt|jahre|jahren|jahr|lebensjahr|ans|annees|anos|ano",
    "month": "months|month|monate|monaten|monat|mois|meses|mes",
    "week": "weeks|week|wochen|woche|semaines|semaine|semanas|semana",
    "day": "days|day|tage|tagen|tag|jours|jour|dias|dia",
    "hour": "hours|hour|hrs|stunden|stunde|heures|heure|horas|hora",
    "minute": "minutes|minute|min|minuten|minutos|minuto",
    "second": "seconds|second|sekunden|sekunde|secondes|seconde|segundos|segundo",
}
UNITS: Final = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings.split("|")}
_BEFORE: Final = ("€", "$", "us$", "£", "¥", "eur", "usd", "gbp", "chf", "jpy", "pln", "sek", "dkk", "nok", "czk", "sfr", "fr.")


def _alternatives(spellings: list[str]) -> str:
    """Return a pattern of spellings, longest first, diacritics optional where the folded spelling lost them."""
    loose = {"a": "[aàáâä]", "e": "[eèéê]", "i": "[iíî]", "o": "[oóôö]", "u": "[uúûü]", "n": "[nñ]"}
    ordered = sorted(spellings, key=lambda s: (-len(s), s))
    patterns = ("".join(r"[\s-]+" if c == " " else loose.get(c) or re.escape(c) for c in spelling) for spelling in ordered)
    return "|".join(pattern.replace("ss", "(?:ss|ß)") for pattern in patterns)


UNIT_AFTER: Final = re.compile(rf"[\s-]?(?P<unit>{_alternatives(list(UNITS))})(?![^\W\d_])", re.IGNORECASE)
UNIT_BEFORE: Final = re.compile(rf"(?<![^\W\d_])(?P<unit>{_alternatives(list(_BEFORE))})\s?$", re.IGNORECASE)
ORDINAL: Final = re.compile(r"(?:st|nd|rd|th|ème|eme|er|e|º|ª)(?![^\W\d_])", re.IGNORECASE)
COUNTED: Final = re.compile(r"[ -](?P<word>[^\W\d_]{2,})")
SCALES: Final = {
    **dict.fromkeys(("thousand", "tausend", "mille", "mil", "k", "tsd", "tsd."), 1_000),
    **dict.fromkeys(("million", "millions", "millionen", "millon", "millones", "mio", "mio."), 1_000_000),
    **dict.fromkeys(
        ("billion", "billions", "milliarde", "milliarden", "milliard", "milliards", "mrd", "mrd.", "bn"), 1_000_000_000
    ),
}
SCALE: Final = re.compile(rf"\s?(?P<scale>{_alternatives(list(SCALES))})(?![^\W\d_])", re.IGNORECASE)

NUMBER: Final = re.compile(
    r"(?<![\w.,])(?:-(?=\d))?(?:\d{1,3}(?:[' ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)*)(?![\d])(?!\w*[A-Za-z]\d)"
)
NUMBER_WORD: Final = re.compile(rf"(?<![^\W\d_])(?:{_alternatives(list(SPELLED))})(?![^\W\d_])", re.IGNORECASE)

_MONTH_NAMES: Final = (
    "january jan januar janner jaenner janvier enero ene",
    "february feb februar februar fevrier fevr febrero",
    "march mar marz maerz mars marzo",
    "april apr avril avr abril abr",
    "may mai mayo",
    "june jun juni juin junio",
    "july jul juli juillet juil julio",
    "august aug aout agosto ago",
    "september sep sept septembre septiembre",
    "october oct oktober okt octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember dez decembre diciembre dic",
)
MONTHS: Final = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_MONTH: Final = rf"(?P<month>{_alternatives(list(MONTHS))})\.?"
_DAY: Final = r"(?P<d>[0-3]?\d)"
_YEAR: Final = r"(?P<y>[12]\d{3})"
ISO_DATE: Final = re.compile(r"(?<![\d-])(?P<y>[12]\d{3})-(?P<m>[01]\d)-(?P<d>[0-3]\d)(?!\d)")
NUMERIC_DATE: Final = re.compile(r"(?<![\d./])(?P<a>[0-3]?\d)(?P<sep>[./])\s?(?P<b>[0-3]?\d)(?P=sep)\s?(?P<y>[12]\d{3})(?!\d)")
DAY_MONTH: Final = re.compile(
    rf"(?<![\d.,]){_DAY}(?:st|nd|rd|th|er|\.)?\s?(?:of\s|de\s)?{_MONTH}(?![^\W\d_])(?:,?\s(?:de\s|del\s)?{_YEAR}(?!\d))?",
    re.IGNORECASE,
)
MONTH_DAY: Final = re.compile(
    rf"(?<![^\W\d_]){_MONTH}\s(?:the\s)?{_DAY}(?:st|nd|rd|th)?(?!\d|[.,]\d)(?:,?\s{_YEAR}(?!\d))?", re.IGNORECASE
)
MONTH_YEAR: Final = re.compile(rf"(?<![^\W\d_]){_MONTH}(?:\sde|,)?\s{_YEAR}(?!\d)", re.IGNORECASE)
TIME: Final = re.compile(
    r"(?<![\d:.,])(?:(?P<h>[0-2]?\d)(?:[:.](?P<m>[0-5]\d))?\s?(?P<half>[ap]\.?\s?m\b\.?)|(?P<h2>[0-2]?\d)(?::(?P<m2>[0-5]\d)(?!\d))(?:\s?(?:Uhr|h)\b)?"
    r"|(?P<h3>[0-2]?\d)(?:[.](?P<m3>[0-5]\d))?\s?(?:(?:Uhr|h|heures|o'clock)\b(?!\w)))",
    re.IGNORECASE,
)
