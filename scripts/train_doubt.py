"""Train the reader of doubts on the present encoder: fill the turns, encode, fit, choose the cut, write the files. Minutes on one core.

usage: train_doubt.py [--encoder e5] [--out DIR] [--seed N]
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np

from rag_edit.config import Settings
from rag_edit.core.digest import digest_file
from rag_edit.core.errors import RagEditError
from rag_edit.lm.open import FLOAT_OF, open_encoder
from rag_edit.lm.scope_model import MODEL_DIRECTORY
from rag_edit.scope.training.doubts import train
from rag_edit.scope.training.release import commit
from rag_edit.scope.training.turns import TURNS, examples, read_turns

_BATCH = 500


def main() -> None:
    """Run all, with a line now and then."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", default="e5")
    parser.add_argument("--out", type=Path, default=MODEL_DIRECTORY, help="folder of the artefacts, one an encoder")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    cache, started = Settings().cache_dir, time.perf_counter()
    encoder = open_encoder(options.encoder, cache, shipped=options.out)
    digests = {options.encoder: encoder.digest}
    for fast, name in FLOAT_OF.items():
        if name == options.encoder:
            try:
                digests[fast] = open_encoder(fast, cache, shipped=options.out).digest
            except RagEditError as error:  # int8 is an extra
                print(f"{fast} is left out: {error.message}")
    made = examples(read_turns(), random.Random(options.seed))

    def encode(texts: list[str]) -> np.ndarray:
        parts = []
        for start in range(0, len(texts), _BATCH):
            parts.append(encoder.encode(texts[start : start + _BATCH], kind="query"))
            print(
                f"encoded {min(start + _BATCH, len(texts))} of {len(texts)}, {time.perf_counter() - started:.0f} s", flush=True
            )
        return np.concatenate(parts)

    facts = {"encoders": digests, "seed": options.seed, "commit": commit(), "turns": digest_file(TURNS)}
    manifest = train(made, encode, options.out / options.encoder, facts)
    print(f"cut {manifest['cut']}, {time.perf_counter() - started:.0f} s")
    for kind, share in manifest["taken_for_doubts_unseen"].items():
        print(f"  {kind:20} {share:.3f}")


if __name__ == "__main__":
    main()
