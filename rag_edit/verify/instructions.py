"""Instruction text: what in a record's field speaks to the model instead of stating a fact, and what an answer must not carry. Pure.

A record is data. A sentence that tells a writer what to write, a task of its own, a mark of a conversation or a link to somewhere
else has no business in a fact. Words are read, not meaning: an imperative to a *person* ("Call 112.", "Apply at the town hall.") is
what answers are made of, and is let pass; so is a title of a work that sounds like a request ("Show Me a Hero"). English, German, French and Spanish; the plainest orders in Italian,
Portuguese and Dutch as well. A record that *quotes* such an order ("... is an attack, such as ...") is taken for one: what a model reads is
not what a person meant, so an editor says that it is meant.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rag_edit.core.record import Record
from rag_edit.verify.finding import Cause

_OUTPUT: Final = (
    r"(?:answers?|repl(?:y|ies)|responses?|outputs?|messages?|texts?|generations?|words|antwort(?:en)?|ausgabe|réponses?|sorties?"
    r"|respuestas?|salidas?)"
)
_WRITER: Final = (
    # verbs that ask for text; none of them is what a person does at a counter
    r"explain|describe|summari[sz]e|translate|draft|compose|write|rewrite|rephrase|paraphrase|generate|output|print|repeat after"
    r"|provide (?:an?|the|some) (?:poem|story|essay|summary|recipe|example|overview|introduction|list|explanation|guide)"
    r"|develop (?:an?|the) \w+|break down|provide the \w+ (?:equivalent|translation|word)"
    r"|tell (?:me|us|the user|a joke)|teach me|help me|show me|give me|find me|recommend|suggest|advise me|imagine|pretend|role-?play|act as|brainstorm|outline"
    r"|create (?:an?|the|some) (?:poem|story|essay|summary|list|headline|plan|schedule|function|script|outline|recipe|playlist|quiz|marketing|slogan|tagline)"
    r"|erkläre|beschreibe|übersetze|verfasse|schreibe|schreib|fasse|formuliere|expliquez?|décris|décrivez|traduis|traduisez|rédigez?|écris|écrivez|explica|describe|traduce|escribe|redacta|resume"
)
_CHANGE: Final = (
    r"add|append|insert|include|integrate|incorporate|embed|attach|mention|state|finish|end|begin|start|conclude|replace|substitute|use|misspell|scramble|shuffle|remove|delete"
    r"|group|encode|encrypt|encipher|reverse|shift|convert|modify|alter|introduce|convey|present|put|place|make|turn|change|omit|swap|rearrange|jumble|apply|deliver|answer|respond|reply"
    r"|füge|ergänze|erwähne|ersetze|beende|antworte|ajoutez?|insérez?|incluez?|mentionnez?|remplacez?|réponds|répondez|añade|incluye|inserta|menciona|sustituye|responde"
)
_NEAR: Final = r"(?:(?!\b(?:and|then|und|dann|et|puis|y|luego|poi)\b)[^.!?,;\n]){0,60}"  # within what one verb asks for
_OWNED: Final = (
    r"(?! (?:of|from|by) (?!above|before|your|the (?:system|developer|user)))"  # "... of the caller": advice to people
)
_ANSWER: Final = (
    "answer|reply|respond|write|antworte|schreibe?|réponds|répondez|écris|écrivez|responde|responda|escribe|rispondi|scrivi"
    "|escreva|antwoord|schrijf"
)
_GIVE: Final = "gib|gebe|give|say|return|donne|dis|da|di|dai|devuelve|dá|diz|geef|zeg|beantworte?|beantwoord|conteste?"  # as much as to answer
_HENCEFORTH: Final = (
    "from now on|henceforth|ab jetzt|ab sofort|von nun an|fortan|désormais|dorénavant|a partir de ahora|de ahora en adelante|en adelante"
    "|d'ora in (?:poi|avanti)|a partir de agora|doravante|vanaf nu|voortaan"
)
_EVERY: Final = "every|each|any|all|jede[rnms]?|alle[nr]?|chaque|toutes? (?:les )?|cada|todas? (?:las |as )?|ogni|tutte le|qualquer|elke?|iedere"
_ASKED: Final = (
    "questions?|requests?|messages?|prompts?|quer(?:y|ies)|fragen?|anfragen?|nachrichten?|demandes?|preguntas?|mensajes?|domand[ae]|richiest[ae]"
    "|perguntas?|pedidos?|vra(?:ag|gen)|berichten?"
)
_NO_TERM: Final = r"(?![^.!?\n]{0,30}\b(?:within|by|innerhalb|binnen|sous|en un plazo|entro)\b)"  # "Answer all requests within five days.": a duty of people
_ALWAYS: Final = "always|never|only|just|immer|nie|nur|toujours|jamais|seulement|siempre|nunca|solo|sólo|sempre|mai|soltanto|só|altijd|nooit|alleen"
_RULE: Final = "rules?|instructions?|prompts?|regeln?|anweisung(?:en)?|règles?|consignes?|reglas?|instrucci(?:ón|ones)|regol[ae]|istruzion[ei]|regras?|instruç(?:ão|ões)|instructies?"
_MODEL: Final = (
    "assistant|assistent|assistente|asistente|chat-?bot|bot|language model|sprachmodell|modèle de langage|modelo de lenguaje|modello linguistico"
    "|llm|ai|ki|ia"
)
_MANNER: Final = (
    "english|german|french|spanish|italian|englisch|deutsch|französisch|spanisch|anglais|allemand|français|espagnol|inglés|alemán|francés|español"
    "|inglese|tedesco|francese|spagnolo|inglês|capitals|capital letters|upper ?case|großbuchstaben|reimen|majuscules|rimes|mayúsculas|rimas"
    "|maiuscole?|rime|rhymes?|verse"
)
_ORDERS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # an order that names the answer as a text: "add ... to your reply", "in your response, ..."
        rf"\b(?:{_CHANGE})\b[^.!?\n]{{0,160}}\b(?:your|the|this|each|every|deine[rnms]?|ihre[rnms]?|votre|vos|ta|tes|tu|tus|su|la)\s+(?:\w+\s+)?{_OUTPUT}\b",
        rf"\b(?:in|within|throughout|to|of|at the end of|before|after|with) (?:all |each |every )?your (?:\w+ )?{_OUTPUT}\b",
        # ciphers and spelling games
        r"\b(?:replace|use|substitute|swap) (?:\w+ ){0,3}(?:letters?|vowels?|numbers?|symbols?|characters?|words?|digits?|emojis?)\b",
        r"\b(?:base64|base 64|rot13|caesar cipher|morse code|pig latin|leetspeak|hexadecimal|binary code|emojis?|anagrams?)\b",
        r"\b(?:misspell|introduce (?:random )?(?:typos|errors|spelling)|(?:with|in) (?:random )?typos)\b",
        # who one is told to be, and what one is told to forget
        rf"\b(?:ignore|disregard|forget|override|bypass)\b{_NEAR}\b(?:instructions?\b{_OWNED}|prompts?|rules?|records?|corrections?|guidelines?|context|facts?|everything|above|before|previous)\b",
        (
            rf"\b(?:ignoriere|vergiss|missachte|ignorez?|oubliez?|ignora|olvida|dimentica|esqueça|negeer|vergeet)\b{_NEAR}\b(?:anweisung|regel|vorgabe|vorherige|consigne|instructions?\b{_OWNED}"
            r"|règle|précédent|instrucci|regla|anterior|istruzion|regol|precedent|instruç|regra|instructie|vorige)"
        ),
        r"\b(?:you are (?:now|no longer)|from now on,? (?:you|answer|reply|respond)|as an ai\b|as a language model|act as (?:an?|the)\b|pretend (?:to be|that|you)|du bist (?:jetzt|nun|ab)|tu es (?:maintenant|désormais)|ahora eres)",
        rf"\b(?:{_HENCEFORTH})\b[^.!?\n]{{0,40}}\b(?:{_ANSWER})\b",
        # how all is to be answered from here on, what is always to be said, and what nobody is to be told
        rf"(?:^|[.!?:;(\n]\s*)(?:(?:please|bitte|always|only) )?(?:{_ANSWER}|{_GIVE})\b[^.!?\n]{{0,40}}\b(?:(?:{_EVERY})\s*(?:{_ASKED})|{_HENCEFORTH})\b{_NO_TERM}",
        rf"\b(?:{_ANSWER})\s+(?:\w+ )?(?:{_ALWAYS})\s+(?:(?:with|mit|avec|con|com|met)\s+)?[\"'“«„‘‚]",
        rf"\b(?:{_ALWAYS})\s+(?:{_ANSWER})\s+(?:(?:with|mit|avec|con|com|met)\s+)?[\"'“«„‘‚]",
        rf"\b(?:reveal|disclose|divulge|repeat|verrate|révèle|divulgue|reveles?|revelare|rivelare|revelar|rivela|onthul)\b[^.!?\n]{{0,20}}\b(?:this|these|your|diese|deine|cette|ces|tes|esta|estas|tus|questa|queste|tue|estas?|tuas|deze|je)\s+(?:{_RULE})\b",
        r"\b(?:append|insert|prepend|attach)\b[^.!?\n]{0,20}\b(?:sentence|phrase|words?|line|slogan)s?\b\s*:?\s*[\"'“«„‘‚]",
        # who one is taken for, and the answer as a thing that one hands over
        rf"(?:^|[.!?\n]\s*)(?:note|notice|message|hinweis|anmerkung|nachricht|remarque|à l'attention|nota|aviso|mensaje|mensagem|messaggio|opmerking)\b[^.!?:\n]{{0,24}}\b(?:{_MODEL})\s?[:,–-]",
        r"\b(?:before|when|whenever|while|after|if)(?:ever)? you (?:give|present|show|send|write|quote|cite|serve|use|state|summari[sz]e|translate|paraphrase|repeat|output) (?:this|the|that) (?:answer|reply|response|record|fact|text|entry|note|passage)\b",
        rf"(?:^|[.!?:;]\s*)(?:please |always |only |bitte )?(?:{_ANSWER})\b[^.!?\n]{{0,30}}\b(?:in|auf|en|em)\s+(?:{_MANNER})\b",
        r"\b(?:als (?:ki|sprachmodell)[\w-]* (?:musst|sollst|darfst|kannst|bist) du|en tant qu(?:'|e )(?:ia|assistant|modèle)\b[^.]{0,20}\btu|como (?:ia|asistente|modelo)\b[^.]{0,20}\bdebes|come (?:ia|assistente|modello)\b[^.]{0,20}\bdevi)\b",
        r"\b(?:system prompt|developer mode|jailbreak|do anything now|hidden instruction)\b",
        r"\b(?:tell|inform|remind|urge|encourage|advise|persuade|warn) (?:the )?(?:users?|readers?|them|people asking|everyone)\b",
        r"\b(?:dis|sage|sag|di|diga|dites) (?:dem nutzer|dem benutzer|den nutzern|à l'utilisateur|aux utilisateurs|al usuario)\b",
        # marks of a conversation
        r"<\|[^|<>]{0,40}\|>|\[/?(?:INST|SYS)\]|<</?SYS>>|<(?:start|end)_of_turn>|</?(?:system|assistant|user|fact)>",
        r"(?:^|[\n.!?(\[]\s*)(?:system|assistant|developer)\s*:",
        r"(?:^|\n)#{1,4}\s*(?:system|instructions?|new task)",
    )
)
_TASKS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:^|[.!?:;\n]\s*|[\"“(]\s*)(?:please\s+|bitte\s+|now\s+|then\s+|also\s+|and\s+)?(?:{_WRITER})\b",
        r"\byour (?:\w+ )?(?:answer|reply|response|message|output)\b",
        rf"\b(?:can|could|would|will) you (?:please )?(?:{_WRITER}|{_CHANGE})\b",
    )
)
_LINK: Final = re.compile(
    r"!\[[^\]]*\]\([^)]*\)|\[[^\]]+\]\(\s*\w+:?//[^)]*\)|<\s*(?:img|a|script|iframe)\b|\b(?:https?|ftp|javascript|data):\S+"
    r"|\bwww\.[\w-]+\.\w+\S*|(?<![\w.-])(?-i:[a-z0-9-]+\.[a-z]{2}/\w)\S*|\b[\w.+-]+@[\w-]+\.[\w.]+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|xyz|info|biz|online|site|club|top|ru|cn|io|tk)\b\S*",
    re.IGNORECASE,
)
_POLITE: Final = re.compile(r"\b(?:tell|give|show|help|find) me$", re.IGNORECASE)  # behind a question: how people ask
_BARE: Final = re.compile(
    r"(?!www\.)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
)  # a host without scheme: also how some things are called
MAX_TITLE: Final = 8  # words
_STOPS: Final = re.compile(r"[.:;!?\n]\s")
_FIRST: Final = re.compile(r"[^.!?]{8,}[.!?]+\s+(?=\S)")
_ASKS: Final = re.compile(r"(?:^|[.!?]\s+)([^.!?]{12,}\?)")
_HOST: Final = re.compile(r"(?:https?:)?(?://)?(?:[\w.+-]+@)?((?:[\w-]+\.)+[a-z]{2,})", re.IGNORECASE)
_SPEAKING: Final = ("answer", "target", "target_aliases", "subject", "aliases", "relation", "rationale", "prior")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Text of a field that is no statement: the field, the words, and whether it is an order or a link."""

    field: str
    words: str
    cause: Cause


def instruction_in(text: str, *, is_question: bool = False, titles: Sequence[str] = ()) -> str:
    """Return the first words of ``text`` that speak to a writer; empty where it states facts only, or is a plain request.

    Args:
        text: Of a field or an answer.
        is_question: Whether a request is what it should be.
        titles: Names of works and the like: "Show Me a Hero" asks for nothing. Orders are orders in them, too.
    """
    found = [match for pattern in _ORDERS if (match := pattern.search(text))]
    for title in titles:
        text = text.replace(title, "_" * len(title))
    first = _FIRST.match(text) if is_question else None  # a request is a question; what follows it is another task
    start = first.end() if first else 0
    if not is_question or first:
        found += [
            match
            for pattern in _TASKS
            for match in pattern.finditer(text[start:])
            if not (is_question and _POLITE.search(match.group()))
        ]
    said = min(found, key=lambda match: match.start(), default=None)
    return " ".join(said.group().split()) if said else ""


def links_in(text: str) -> tuple[str, ...]:
    """Return the links, addresses and images in a text."""
    return tuple(match.group().strip(".,;:)\"'”") for match in _LINK.finditer(text))


def spoken_in(record: Record) -> Iterator[Spoken]:
    """Yield what in a record's fields speaks to the model or points elsewhere; a link to the record's own source is its own.

    In ``question`` and ``paraphrases`` requests are what they should be ("Tell me ..."): there only orders about the answer and
    marks of a conversation count. A question inside an answer is a task of its own.
    """
    own = {host for text in ((record.source.url, record.source.title) if record.source else ()) for host in _hosts(text)}
    titles = [name for name in (*record.names(), record.target, *record.target_aliases) if _is_title(name)]
    for name in _SPEAKING:
        value = getattr(record, name)
        for text in value if isinstance(value, tuple) else (value,):
            if words := instruction_in(text, titles=titles):
                yield Spoken(name, words, Cause.INSTRUCTION)
            elif name == "answer" and (asked := _ASKS.search(text)):
                yield Spoken(name, asked[1], Cause.INSTRUCTION)
            if name not in ("rationale", "prior"):
                for link in links_in(text):
                    is_name = _BARE.fullmatch(link) and (name not in ("answer", "relation") or _names_link(record, link))
                    if not is_name and (not set(_hosts(link)) or not set(_hosts(link)) <= own):
                        yield Spoken(name, link, Cause.LINK)
    for text in record.questions():
        if words := instruction_in(text, is_question=True, titles=titles):
            yield Spoken("question" if text == record.question else "paraphrases", words, Cause.INSTRUCTION)
        for link in links_in(text):
            if not set(_hosts(link)) <= own and not _names_link(record, link):
                yield Spoken("question" if text == record.question else "paraphrases", link, Cause.LINK)


def _is_title(name: str) -> bool:
    """Return whether a name is written as titles are: few words, the long ones with a capital, no sentence."""
    said = name.split()
    return 1 < len(said) <= MAX_TITLE and not _STOPS.search(name) and all(w[:1].isupper() for w in said if len(w) > 3)


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(host.casefold().removeprefix("www.") for host in _HOST.findall(text))


def _names_link(record: Record, link: str) -> bool:
    """Return whether a link is what the record is about ("Who owns example.com?")."""
    return any(link.casefold() in name.casefold() for name in (*record.names(), record.target, *record.target_aliases))
