"""What the trained baseline is trained on. A value of its own, so that a run without baselines loads no NumPy."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Training:
    """How the trained baseline is made.

    Attributes:
        data: Folder of the train sets.
        out: Where it is kept for the next suite.
        rows: Of each train set.
        seed: Of the draw and the start.
    """

    data: Path
    out: Path
    rows: int
    seed: int
