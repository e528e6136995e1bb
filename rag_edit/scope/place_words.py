"""Words that tell whether a place's name names the place: prepositions, languages, first names of people. Values only."""

from typing import Final

# Words after which a name is a place ("in", "nach", "dans"), in the languages whose names are inflected little.
PLACE_WORDS: Final = frozenset(
    "in at from to within across outside near for inside throughout around of and or between "  # English
    "im ins aus nach von vom bei für zu zur zum und oder zwischen "  # German
    "en au aux à dans de du des pour depuis vers chez et ou "  # French
    "desde hacia para del y e "  # Spanish
    "nel nella nello negli nelle nei dal dalla di della dello delle degli da per ed "  # Italian
    "em no na nos nas do dos das ao "  # Portuguese
    "uit naar van voor te i på till til från fra och og "  # Dutch, Swedish, Danish, Norwegian
    "w we z ze dla v ve u iz în din pe la la di dari ke "  # Polish, Czech, Croatian, Romanian, Indonesian
    "в во из на для до к у з із до για στη στην στο στον στις στα σε από της του των "  # Russian, Ukrainian, Greek
    "ở tại của từ đến nước cho "  # Vietnamese
    "في من إلى الى عن على sa san i ".split()  # Arabic, Irish
)
# ... and words that may stand between the two.
ARTICLES: Final = frozenset(
    "the der die das den dem des le la les l el los las il lo gli i o os as de het det den an freistaat land bundesland "
    "kanton state province region canton county prefecture district département departement provincia región région "
    "comunidad estado stato regione provinz".split()
)
# Of these, the ones that also join a first name and a surname; they count only after a word in lower case.
NAME_PARTICLES: Final = frozenset("de di da do dos das von van of del della du des y e".split())
# Words of PLACE_WORDS that join anything to anything: not enough before a name that is little known.
CONJUNCTIONS: Final = frozenset("and or und oder et ou y e och og".split())
UNITS: Final = frozenset(
    "province region state county prefecture district governorate oblast canton department territory provinz "
    "ili eyaleti bölgesi".split()
)
# Demonyms after or before these words are languages, not places.
LANGUAGE_BEFORE: Final = frozenset(
    "auf speak speaks spoke spoken speaking learn learning study translate translated say says sprechen spricht lernen lerne sagt "
    "sagen parler parle parlent dit apprendre hablar habla hablan dice aprender".split()
)
LANGUAGE_IN: Final = frozenset("in into to en from".split())
LANGUAGE_AFTER: Final = frozenset(
    "language languages word words translation translations speaker speakers speaking grammar alphabet spelling sprache wort "
    "wörter übersetzung grammatik langue mot mots traduction grammaire idioma lengua palabra palabras traducción teacher "
    "lessons dictionary wörterbuch".split()
)
LANGUAGE_END: Final = frozenset("and or please when how with und oder wenn et ou y o".split())
# Names of places that are first names or surnames too: beside another capitalised word they may be a person.
PERSON_LIKE: Final = frozenset(
    "jordan chad georgia virginia paris sofia victoria carolina dakota israel kenya india florence savannah sydney charlotte "
    "madison lincoln washington montana indiana tennessee austin dallas london chelsea brittany lorraine america cuba jamaica "
    "holland england ireland france germany scotland wales berlin hamburg jersey nevada alberta florida catalina sierra asia "
    "maine kansas alabama arizona dominica salvador montserrat malta samoa bahama valencia madrid limburg turkey".split()
)
NEVER_ALONE: Final = frozenset(("jordan", "chad", "turkey"))  # followed by a capitalised word they are left out
GERMAN: Final = frozenset(
    "der die das ist und wie wer was wo wann hat gilt wird ein eine welche welcher welches sind kann muss".split()
)
GERMAN_NOUNS: Final = frozenset(("porto",))  # a place only after a place word, where the text is German: postage
HAN_LANGUAGE: Final = frozenset("語语文")
HAN_PLACE_WORDS: Final = frozenset("在于於从從到去的和与與")
HAN_UNITS: Final = frozenset("州省市县縣府区區邦郡")
BEFORE_ISLAND: Final = frozenset("in nach aus von für über på i till til från fra och und".split())
