"""A light guess at the language of a short text: function words and scripts. A hint, never a filter.

It knows the languages that answers are rendered in (en, de, fr, es), their near neighbours, so that these are not taken
for them, and scripts that name one language. Short names and numbers have no language: then there is no guess.
"""

import re
from functools import lru_cache
from typing import Final

from rag_edit.scope.text import REMEMBERED

RENDERED: Final = ("en", "de", "fr", "es")
_WORD: Final = re.compile(r"[^\W\d_]+'?")
_CONTRACTION: Final = re.compile(r"n't\b|\w'(?:s|re|ll|ve|m)\b")  # English

# Words that are frequent in questions. A word that several languages share counts for each.
_WORDS: Final = {
    "en": "the of is are was were what which who whom whose where when how why does do did can could tell me please and or not in to by with"
    " for from on at it this that an has have had will would should must there about your you any sure wrong thanks hello name"
    " give write explain made born named a be been my he she they his her its",
    "de": "der die das den dem des ein eine einer einem einen ist sind war waren was welche welcher welches welchen wer wem wen wo wann wie"
    " warum wieso nicht kein keine und oder in im am an auf von vom zu zum zur mit für aus bei bitte nenne nenn sag sage mir gibt es er sie"
    " hat haben wird werden wurde kann darf muss du ihr ich sicher stimmt falsch danke hallo heißt liegt viel viele hoch über nach als"
    " kostet bedeutet schreibe erkläre ja nein doch dass wirklich ich ihre seine unter",
    "fr": "le la les l' un une des du de d' est sont était étaient qui que quel quelle quels quelles quoi où quand comment pourquoi combien ne"
    " pas et ou dans en sur par pour avec au aux ce cette ces c' il elle ils elles on y a ont je tu vous nous moi t' dis dites donne donnez"
    " nommez s'il plaît merci bonjour sûr faux vrai oui non écris explique se son sa ses qu' n' j' s' m' mon ma",
    "es": "el la los las un una unos unas de del es son era eran qué quién quiénes cuál cuáles cuándo dónde cómo cuánto cuánta cuántos por no y o"
    " en con para al se su sus lo le que como está están hay ha han fue fueron dime diga nombra escribe explica gracias hola seguro"
    " cierto falso sí si usted tú yo mi me esta este eso pero más muy cual quien cuando donde cuanto",
    "it": "il lo la gli le di del della è sono era chi che cosa quale quali dove quando come perché non e o in nel nella con per una un si ha dei"
    " delle al alla qual dimmi grazie ciao",
    "pt": "o os as um uma de do da dos das é são era quem que qual quais onde quando como por não e ou em no na nos nas com para se foi tem ao à"
    " diga obrigado olá você",
    "nl": "de het een van is zijn was wat welke wie waar wanneer hoe waarom niet geen en of in op met voor naar er dat dit je ik wordt heeft door"
    " aan uit bij",
}
_LEXICON: Final = {
    word: tuple(lang for lang, words in _WORDS.items() if word in words.split())
    for words in _WORDS.values()
    for word in words.split()
}
_LETTERS: Final = (("de", "ßäöü"), ("fr", "çœêèùâîôûë"), ("es", "ñ¿¡áíóú"), ("pt", "ãõ"), ("it", "ìò"))
_SCRIPTS: Final = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
_FIRST_WORD: Final = 4.0  # "Does ... dans l'air?": what opens a question weighs more than the names in it
_LEAST_WEIGHT: Final = 0.9  # one function word that is the language's own
_MAX_CHARS: Final = 2_000


@lru_cache(maxsize=REMEMBERED)
def guess_language(text: str) -> str | None:
    """Return the BCP 47 primary tag that the words of ``text`` suggest, None when they do not tell."""
    text = text[:_MAX_CHARS]
    letters = sum(map(str.isalpha, text))
    for tag, script in _SCRIPTS:
        found = len(script.findall(text))
        if found and (2 * found >= letters or (tag == "ja" and 4 * found >= letters)):
            return tag
    lowered = text.casefold().replace("’", "'")
    weights = dict.fromkeys(_WORDS, 0.0)
    shouted = not any(map(str.islower, text))
    for i, spoken in enumerate(_WORD.findall(text.replace("’", "'"))):
        if i and spoken[0].isupper() and not shouted:
            continue  # part of a name, which may be in any language
        word = spoken.casefold()
        owners = _LEXICON.get(word) or _LEXICON.get(word.removesuffix("'"), ())
        for tag in owners:
            weights[tag] += (_FIRST_WORD if i == 0 else 1) / len(owners)
    weights["en"] += len(_CONTRACTION.findall(lowered))
    if not any(weights.values()) and not any(c in lowered for _, marks in _LETTERS for c in marks):
        return None
    for tag, marks in _LETTERS:
        weights[tag] += 0.5 * min(2, sum(lowered.count(char) for char in marks))
    weight = max(weights.values())
    best = [tag for tag, found in weights.items() if found == weight]
    if len(best) > 1:  # a near neighbour never outvotes a language that answers are rendered in
        best = [tag for tag in best if tag in RENDERED]
    return best[0] if len(best) == 1 and weight >= _LEAST_WEIGHT else None
