"""Words by which a reversed question is read. English; data only. All in folded form."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ASKS_THING: Final = _words("what which who whose whom where")
BE: Final = _words("is are was were")
DO: Final = _words("do does did")
AUXILIARIES: Final = BE | DO | _words("has have had can could will would")
ARTICLES: Final = _words("a an the")
PREPOSITIONS: Final = _words("in on at by for from of to with under as after into near during through about")
LOOSE: Final = _words("in on at with during within")
TIES: Final = _words("example examples member members belongs belong associated served")
LEAST_KIND: Final = 5  # letters of a word of a name that says its kind by a cognate: "Mount" is a mountain
SIDES: Final = _words("right left")
ANY_KIND: Final = _words("place places location locations site sites feature features landmark landmarks thing things")
NO_THING: Final = _words("yes no true false none unknown right left")
PLURALS: Final = _words("games sports mathematics physics news series species")
NOUNS_IN_S: Final = _words("series species genus basis status arms alias diocese address")
NO_AGENTS: Final = PREPOSITIONS | _words("manner number order character colour color power letter under over border")
ACTS: Final = _words("observe monitor treat sponsor supervise advise teach sign release cause")
FILLERS: Final = (
    BE
    | DO
    | AUXILIARIES
    | PREPOSITIONS
    | _words(
        "the a an its it their his her that s and or be been being as one ones which who what whose thing things place part parts item object"
        " associated belong belongs belonging operates operate featuring features considered known called use uses used using serve serves served example examples someone somebody something anyone person people main notable figure individual example also own primarily mainly mostly having within process famous"
    )
)
SYMMETRIC: Final = frozenset(
    (
        "spouse",
        "sibling",
        "partner",
        "said to be the same as",
        "twin city",
        "twin town",
        "sister city",
        "shares border with",
        "borders",
    )
)
CONVERSES: Final = {
    name: _words(said)
    for names, said in (
        ("father|mother|parent", "son daughter child children sons daughters"),
        ("child|son|daughter", "father mother parent"),
        ("doctoral advisor|doctoral adviser", "student students supervised advised"),
        ("student of|teacher", "student students taught pupil"),
        ("place of birth|birthplace|born in|birth place", "born"),
        ("place of death|deathplace|died in", "died"),
        ("cause of death|manner of death", "died"),
        ("place of burial", "buried"),
        ("country of citizenship|citizenship|nationality", "citizen citizens national"),
        ("native language|mother tongue", "native speaker speakers"),
        ("languages spoken|language spoken", "speaks speak spoke"),
        ("residence", "resides reside lives live lived"),
        ("work location", "works work worked"),
        ("employer", "employed employs works worked"),
        ("author|written by", "wrote written writes write"),
        ("lyricist", "lyrics wrote written write"),
        ("record label", "signed released recorded"),
        ("composer", "composed compose music"),
        ("main building contractor|contractor", "built"),
        ("capital|capital city", "country capital"),
        ("head of state|head of government", "led leads headed governed ruled governs rules"),
        ("location|located in", "located lies stands held housed kept displayed exhibited"),
        ("country", "located lies stands held belongs part in"),
        ("place of publication", "published"),
        ("collection", "housed held kept displayed exhibited"),
        ("writing language|language of work or name", "writes wrote written write"),
        ("operating system|platform", "runs run"),
        ("copyright license|license|licence", "licensed"),
        ("based on", "basis base"),
        ("time period|period|era", "existed formed lived"),
        ("health specialty|medical specialty", "treats treat treated addressed"),
        ("continent", "located"),
        ("member of political party", "member members"),
        ("religion or worldview|religion", "follows follow followers"),
        ("volcano observatory", "monitored monitors observed"),
        ("discoverer or inventor|discoverer|inventor", "discovered discover invented invent"),
        ("drug or therapy used for treatment", "treated treats treat"),
        ("location of discovery", "discovered found"),
        ("owned by|owner", "owns own owned"),
        ("followed by|successor|replaced by", "before precedes preceded comes came succeeded"),
        ("predecessor|replaces", "replaced replaces succeeded"),
    )
    for name in names.split("|")
}
