"""Train the reader of doubts on the present encoder: fill the turns, read them, fit, choose the cut, write the files. Minutes on one core.

usage: train_doubt.py [--encoder e5] [--out DIR] [--seed N]
"""

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag_edit.config import Settings
from rag_edit.core.digest import digest_file
from rag_edit.core.errors import RagEditError
from rag_edit.lm.bert import Floats
from rag_edit.lm.encoder import TransformerEncoder
from rag_edit.lm.open import FLOAT_OF, open_encoder
from rag_edit.lm.scope_model import MODEL_DIRECTORY
from rag_edit.opening import place_reader
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
    if not isinstance(encoder, TransformerEncoder):
        parser.error(f"--encoder: wanted one on this machine, found {options.encoder}")
    digests = {options.encoder: encoder.digest}
    for fast, name in FLOAT_OF.items():
        if name == options.encoder:
            try:
                digests[fast] = open_encoder(fast, cache, shipped=options.out).digest
            except RagEditError as error:  # int8 is an extra
                print(f"{fast} is left out: {error.message}")
    made = examples(read_turns(), random.Random(options.seed))

    def means_of(texts: Sequence[str], layer: int) -> Floats:
        parts = []
        for start in range(0, len(texts), _BATCH):
            parts.append(encoder.encode_means(texts[start : start + _BATCH], layer))
            print(f"read {min(start + _BATCH, len(texts))} of {len(texts)}, {time.perf_counter() - started:.0f} s", flush=True)
        return np.concatenate(parts)

    facts = {"encoders": digests, "commit": commit(), "turns": digest_file(TURNS)}
    manifest = train(made, means_of, place_reader(), options.out / options.encoder, facts, options.seed)
    print(f"cut {manifest['cut']}, {time.perf_counter() - started:.0f} s")
    for what in ("left_by_rules", "taken_for_doubts_unseen", "taken_for_doubts_unseen_and_left_by_rules"):
        print(what.replace("_", " "))
        for kind, share in manifest[what].items():
            print(f"  {kind:20} {share:.3f}")


if __name__ == "__main__":
    main()
