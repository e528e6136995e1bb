"""What is kept of a text's tokens after an encoder's pass: projected states, in int8, and where each token stands. Values only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_edit.lm.bert import Floats


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's projected token states.

    Attributes:
        codes: (tokens, width) int8.
        scales: (tokens,) float32; a state is its codes times its scale.
        spans: (tokens, 2) int32: first character and the one behind the last, in the text.
    """

    codes: NDArray[np.int8]
    scales: Floats
    spans: NDArray[np.int32]

    def states(self) -> Floats:
        """Return the (tokens, width) float32 states."""
        widened: Floats = self.codes.astype(np.float32) * self.scales[:, None]
        return widened
