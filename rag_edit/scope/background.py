"""One scale for the cosines of all encoders: corrected by what the encoder says of texts that have nothing to do with each other.

all-MiniLM-L6-v2 gives unrelated questions a cosine near 0.1, multilingual-e5-small one near 0.74. Cuts and weights were fitted on the first. A
cosine is therefore mapped, linearly, so that the encoder's own background falls on MiniLM's and 1 stays 1. Pure.
"""

from typing import Final

import numpy as np

from rag_edit.scope.cosines import Encode

REFERENCE: Final = 0.126  # background of all-MiniLM-L6-v2 on TEXTS: `background` gives 0.1262
TEXTS: Final = (
    "What is the boiling point of mercury?",
    "Who painted the ceiling of the Sistine Chapel?",
    "How do I renew my library card?",
    "When does the last train to the airport leave?",
    "Which river flows through the capital of Hungary?",
    "Why do cats purr?",
    "How many players are there in a handball team?",
    "What should I feed a hedgehog?",
    "Wie backt man ein Sauerteigbrot?",
    "Wo wurde Johann Sebastian Bach geboren?",
    "Wann blühen die Mandelbäume?",
    "Was kostet ein Paket nach Australien?",
    "Quel est le plus haut sommet des Pyrénées ?",
    "Comment réparer une chambre à air ?",
    "Qui a inventé le téléphone ?",
    "Combien de cordes a un violon ?",
    "¿Cuántos huesos tiene el cuerpo humano?",
    "¿Cómo se cambia una bombilla?",
    "¿Dónde se habla quechua?",
    "¿Qué vitamina contienen las naranjas?",
    "The chemical symbol of tungsten is",
    "The author of this symphony was born in",
    "地球から月までの距離はどのくらいですか?",
    "ما هي عاصمة المغرب؟",
)


def background(encode: Encode) -> float:
    """Return the mean cosine of each two of `TEXTS`: what an encoder gives texts that have nothing in common."""
    vectors = encode(TEXTS)
    cosines = vectors @ vectors.T
    return float(cosines[np.triu_indices(len(TEXTS), 1)].mean())


def corrected(cosine: float, found: float) -> float:
    """Return ``cosine`` on the reference scale, given the encoder's background ``found``."""
    return 1.0 - (1.0 - cosine) * (1.0 - REFERENCE) / (1.0 - found)
