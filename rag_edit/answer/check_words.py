"""Words that turn a statement round: denials, doubts, the past, contrasts, in English, German, French and Spanish. Patterns, and the truth that one word says.

All are matched, case ignored, on plain text with straight apostrophes.
"""

import re
from collections.abc import Sequence
from typing import Final

from rag_edit.answer.normalise import words


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{part})" for part in parts), re.IGNORECASE)


SENTENCE: Final = re.compile(r"(?<=[.!?])[\"'”»)]*\s+(?=[\"'“„«(¿¡]*[A-ZÀ-Þ0-9¿¡])|\n+")
ABBREVIATED: Final = re.compile(
    r"(?:^|[\s(.])(?:[A-Za-zÀ-ÿ]|St|Dr|Mr|Mrs|Ms|Jr|Sr|vs|etc|approx|ca|bzw|Nr|No|Inc|Co|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$"
)

# where a new statement begins within a sentence
CLAUSE: Final = _any(
    r"[,;:()–—]\s|\s[-–—]\s|[()]",
    r"\b(?:(?<!anything )but(?! also)|however|whereas|although|though|while|because|which|who|so|instead(?! of)|now|today)\b",
    r"\b(?:sondern|aber|jedoch|während|obwohl|weil|jetzt|heute|nun)\b",
    r"\b(?:mais|cependant|alors que|tandis que|parce que|maintenant|aujourd'hui)\b",
    r"\b(?:sino|pero|mientras|porque|ahora|hoy|actualmente)\b",
    r"\b(?:and|und|et|y)\b(?!/)",
)
# before a name, in its clause: it is not so
DENIED_BEFORE: Final = _any(
    r"\b(?:not|never|cannot|neither|nor|nowhere|no longer|without)\b(?! only| just| merely)|n't\b(?! only| just)|\b(?:isnt|wasnt|doesnt|dont)\b",
    r"\bno(?: evidence| proof| reason|t true| such)\b",
    r"\b(?:instead of|rather than|unlike|as opposed to|other than|anything but|contrary to|except|far from|not to be confused with)\b",
    r"\b(?:false|untrue|incorrect|wrong|a myth|a mistake|an error|a misconception|a lie|nonsense)\b",
    r"\b(?:(?:replac(?:es|ed|ing)|succeed(?:s|ed|ing)|supersed(?:es|ed|ing))(?! by)|took over from|(?:rose|fell|went|changed|raised|lowered|increased|reduced|cut|switched|moved|up|down) from)\b(?![^,;]*\bto\s)",
    r"\b(?:nicht|nie|niemals|kein(?:e|er|em|en|es)?|weder|noch nie|ohne|statt|anstatt|anstelle|falsch|unwahr|ein irrtum|ein fehler)\b(?! nur)",
    r"\b(?:ersetzt|löst)\b",
    r"\b(?:pas|non|jamais|ni|sans|au lieu d[eu]|plutôt que|contrairement à|faux|inexact|une erreur|un mythe)\b|\bn(?:e|')\s?\S{1,12} plus\b|\bplus (?=\d)",
    r"\b(?:no|nunca|jamás|tampoco|ni|sin|en lugar de|en vez de|a diferencia de|falso|incorrecto|un error|un mito)\b(?! solo| sólo)",
)
# after a name, to the end of its clause or sentence: it is not so
DENIED_AFTER: Final = _any(
    r"^[\s\"'”»]*(?:is|was|are|were|would be|seems|has been|=)?\s*(?:just |simply |now |long |completely )?(?:wrong|false|incorrect|untrue|outdated|obsolete|a mistake|an error|no longer|never|not (?:right|correct|true|the|it|so|what))\b",
    r"^[\s\"'”»]*(?:isn't|wasn't|aren't|weren't|doesn't|didn't|does not|did not|no longer)\b",
    r"^[^.;]{0,60}\b(?:is|are) (?:false|wrong|incorrect|untrue|a myth|a mistake|nonsense|not (?:true|right|correct))\b",
    r"^[\s\"'”»]*(?:ist|war|sind)?\s*(?:falsch|unwahr|veraltet|nicht (?:richtig|wahr|korrekt)|nicht mehr)\b|^[\s\"'”»]*(?:stimmt|gilt) nicht\b",
    r"^[\s\"'”»]*(?:est|était|c'est)?\s*(?:faux|inexact|erroné|dépassé)\b|^[\s\"'”»]*n'est (?:pas|plus)\b",
    r"^[\s\"'”»]*(?:es|era|está)?\s*(?:falso|incorrecto|erróneo|mentira)\b|^[\s\"'”»]*(?:no es|ya no)\b",
)
# the past, said of a prior: "it was French until ..."
PAST_BEFORE: Final = _any(
    r"\b(?:used to|formerly|former|previously|previous|once|originally|earlier|in the past|until|till|had been|old|often|commonly|widely|mistakenly|wrongly|erroneously|falsely)\b",
    r"\b(?:früher|vorher|zuvor|ehemals|ehemalig(?:e|er|es|en)|einst|bisher|bis|alte[rns]?|oft|fälschlich)\b",
    r"\b(?:autrefois|auparavant|anciennement|ancien(?:ne)?|avant|jadis|souvent|à tort|jusqu'(?:en|au|à))\b",
    r"\b(?:antes|anteriormente|antigu[oa]|anterior|a menudo|hasta|solía)\b",
)
WAS_BEFORE: Final = _any(r"\b(?:was|were|had|war|waren|hatte|était|étaient|era|eran|fue)\b")
NOW: Final = _any(
    r"\b(?:now|today|currently|nowadays|meanwhile|since then|jetzt|heute|nun|inzwischen|maintenant|désormais|aujourd'hui|ahora|hoy|actualmente)\b"
)
PAST_AFTER: Final = _any(
    r"^[^.;]{0,40}?\b(?:until|till|before|up to|in the past|previously|formerly|used to|no longer|anymore)\b|^\W*(?:to|→|->)\s",
    r"^[^.;]{0,40}?\b(?:bis|vorher|früher|zuvor|nicht mehr)\b",
    r"^[^.;]{0,40}?\b(?:jusqu'|avant|auparavant|autrefois|n'\S+ plus)",
    r"^[^.;]{0,40}?\b(?:hasta|antes|anteriormente|ya no)\b",
)
PAST_STRONG: Final = _any(  # said of a target: it is what no longer holds
    r"\b(?:used to|formerly|the former|the old|previously)\b",
    r"\b(?:früher|ehemals|ehemalig(?:e|er|es|en)|vormals)\b",
    r"\b(?:autrefois|anciennement|l'ancien(?:ne)?|jadis)\b",
    r"\b(?:antiguamente|anteriormente|el antiguo|la antigua|solía)\b",
)
UNTIL_AFTER: Final = re.compile(r"^[^.;,]{0,20}\b(?:until|till|bis|jusqu'|hasta)", re.IGNORECASE)
GONE_AFTER: Final = _any(
    r"^[^.;]{0,30}?\b(?:used to|was replaced|were replaced|was superseded|was succeeded|was abolished)\b|^\W*was\b[^.;]{0,40}\buntil\b",
    r"^[^.;]{0,30}?\b(?:wurde (?:ersetzt|abgelöst|abgeschafft))\b",
)
HEDGED_BEFORE: Final = _any(
    r"\b(?:may|might|could|possibly|perhaps|maybe|probably|presumably|allegedly|supposedly|reportedly|apparently|likely|seems?|guess|whether|if|unclear|unsure|not sure|doubt|rumou?red)\b",
    r"\b(?:some(?: people)?|many|others|critics|they) (?:say|says|claim|think|believe|argue)s?\b|\btold (?:me|us|to)\b|\bas claimed\b|\bwould (?:be|have)\b",
    r"\b(?:vielleicht|möglicherweise|wahrscheinlich|vermutlich|angeblich|eventuell|könnte|dürfte|wohl|scheint|ob|falls|wenn|manche sagen|unklar)\b",
    r"\b(?:peut-être|probablement|sans doute|apparemment|pourrait|serait|semble|certains disent|on ignore)\b",
    r"\b(?:quizás?|puede que|tal vez|probablemente|posiblemente|podría|sería|parece|acaso|a lo mejor|algunos dicen|supuestamente)\b",
)
HEDGED_AFTER: Final = _any(
    r"^[^.;]{0,20}\b(?:i am not sure|i'm not sure|perhaps|maybe|i think|i guess|possibly|or so)\b|^[^.;,]{0,30}\b(?:if|unless|provided|in case)\b",
    r"^[^.;]{0,20}\b(?:vielleicht|glaube ich|peut-être|je crois|quizás|creo)\b|^[^.;,]{0,30},? (?:falls|sofern|wenn|à condition|pourvu|si|siempre que)\b",
)
INEXACT_BEFORE: Final = _any(  # directly before a value: it is another one
    r"\b(?:(?:more|less|fewer|greater|higher|lower|earlier|later|older|younger) than|almost|nearly|about|around|approximately|roughly|over|under|above|below|before|after|between|beyond)\s+(?:the )?\W*$",
    r"\b(?:(?:mehr|weniger|höher|niedriger|früher|später|älter|jünger) als|fast|beinahe|etwa|ungefähr|rund|über|unter|vor|nach|zwischen|circa|ca\.)\s+(?:dem |den )?\W*$",
    r"\b(?:(?:plus|moins) (?:de|que)|presque|environ|avant|après|entre|près de)\s+(?:le )?\W*$|\b(?:(?:más|menos) (?:de|que)|casi|unos|aproximadamente|antes|después|entre|cerca de)\s+(?:de |del |el )*\W*$",
)
RANGED_BEFORE: Final = re.compile(r"(?P<first>\S*\d\S*(?:\s?%)?)\s*(?:to|-|–|bis|à|a|hasta)\s*$", re.IGNORECASE)
MOVED: Final = re.compile(r"\b(?:from|von|desde)\s*$", re.IGNORECASE)
IGNORANT: Final = _any(
    r"\bi (?:do not|don't|cannot|can't|am unable|am not able)\b(?: \w+)? ?(?:know|say|tell|confirm|answer|to)\b|\bi(?:'m| am) (?:not sure|unsure)\b|\bas an ai\b",
    r"\bich (?:weiß|kann)\b[^.]{0,20}\bnicht\b|\bje ne sais pas\b|\bno (?:lo )?s[eé]\b",
)
RECANTED: Final = _any(  # a later sentence or clause takes it back
    r"^\W*(?:(?:no|nope|wrong|false)\s*(?:[,.!?;]|$)|but (?:that|this|it) is (?:wrong|false|incorrect|not)|but that's (?:wrong|false))\b(?!.{0,20}\b(?:longer|doubt|problem))",
    r"\b(?:that|this|it|which|the record|the source)(?: is|'s| was) (?:wrong|false|incorrect|untrue|a lie|a mistake|not true|not correct)\b|\b(?:this|that|it) (?:cannot|can't|could not) be (?:right|true|correct)\b|\bthe truth is\b|\bin truth\b",
    r"\b(?:das|dies|es) ist (?:falsch|gelogen|nicht wahr)\b|\bc'est faux\b|\beso es falso\b",
)
TURNED: Final = _any(
    r"^\W*(?:however|but|actually|in fact|correction|though|no,|aber|tatsächlich|mais|en fait|pero|en realidad)\b|\bnow\b"
)
# two answers at once
_OR: Final = r"(?P<or>or|oder|ou|o|/)"
_AND: Final = r"(?:and|und|et|y|as well as|sowie|&)"
_ARTICLE: Final = r"(?:the |der |die |das |le |la |el |l'|maybe |perhaps )?"
JOINED_AFTER: Final = re.compile(
    rf"^\s*(?:,\s*)?(?:{_OR}|{_AND})\s+{_ARTICLE}(?P<other>[^\s.,;:!?()]+(?:\s[^\s.,;:!?()]+){{0,3}})(?P<after>[.,;:!?)]|$|\s)",
    re.IGNORECASE,
)
JOINED_BEFORE: Final = re.compile(rf"(?P<other>[^\s.,;:!?()]+)(?:\s|,\s?)(?:{_OR}|{_AND})\s+{_ARTICLE}$", re.IGNORECASE)
LARGER_AFTER: Final = re.compile(r"^[ -](?P<word>[A-ZÀ-Þ][^\W_]+)")
GENERIC: Final = frozenset(
    {
        "River",
        "City",
        "County",
        "Province",
        "Region",
        "State",
        "Island",
        "Islands",
        "Mountains",
        "Mountain",
        "Language",
        "Lake",
        "Republic",
        "District",
        "Inc",
        "Ltd",
    }
)
SLASHED: Final = re.compile(r"^\s*/\s*\S")
CONTRAST_FOLLOWS: Final = re.compile(
    r"^(?:not|nicht|non|pas|no|never|formerly|also|so|then|therefore|thus|it|is|was|has|he|she|they|we|you|i|this|that|there|es|er|sie|ist|hat|il|elle|est|se|ha|has|have)\b",
    re.IGNORECASE,
)

YES: Final = frozenset(
    {"yes", "ja", "oui", "si", "doch", "yeah", "yep", "true", "correct", "jawohl", "wahr", "vrai", "verdadero"}
)
NO: Final = frozenset({"no", "nein", "non", "nope", "false", "falsch", "faux", "falso"})
ANSWER_ENDS: Final = re.compile(r"\s*(?:[.,;!?]|$|(?:and|or|und|oder|et|ou|y|o)\b)", re.IGNORECASE)


def truth_of(targets: Sequence[str]) -> bool | None:
    """Return the truth that plain targets say, where each is one word for yes or for no; else None."""
    keys = [{key for word in words(target) for key in word.keys} for target in targets]
    if keys and all(each and each <= YES for each in keys):
        return True
    return False if keys and all(each and each <= NO for each in keys) else None
