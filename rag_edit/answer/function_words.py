"""Words that carry no answer by themselves, in English, German, French and Spanish, folded. Data."""

from typing import Final

STOP: Final = frozenset(
    (
        "a an the of in on at to by for from with as and or is are was were am be been being do does did has have had can could may might must shall"
        " should will would not no there it its it's this that these those he she they his her their you your i we me my who what which where when how"
        " why any some one ones also still really actually currently now today then true correct right case say said called known considered use used"
        " made located found born die died exist so please if whether still ever just about into than s t per until instead only under over"
        " der die das den dem des ein eine einer einem einen ist sind war waren hat haben hatte wird werden wurde kann darf muss in im am an auf aus bei"
        " von vom zu zum zur mit fur als und oder es er sie nicht kein keine wirklich tatsachlich jetzt noch auch da dort richtig wahr stimmt dass ob"
        " le la les l un une des du de d est sont etait a ont peut doit dans en sur par pour avec au aux ce cette il elle ils elles on y et ou ne pas n"
        " que qu c vrai vraiment t s"
        " el los las una unos del al es son era fue esta hay ha han se su sus en con por para y o no que lo cierto verdad realmente"
    ).split()
)
