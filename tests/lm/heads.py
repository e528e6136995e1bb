"""A joint head with random weights, for tests: the shape of the real one, small."""

import numpy as np

from rag_edit.lm.joint_head import JointHead
from rag_edit.scope.training.joint import Setting, shape_of

SMALL = Setting(width=12, heads=2, layers=2, similarity=4)


def random_head(dim: int, layer: int = 1, seed: int = 0) -> JointHead:
    """Return a head of random weights over states of two layers of ``dim`` numbers."""
    rng = np.random.default_rng(seed)
    d, ff, s = SMALL.width, SMALL.width * 8 // 3, SMALL.similarity
    shapes: dict[str, tuple[int, ...]] = {
        "proj.weight": (d, 2 * dim), "proj.bias": (d,), "sim.weight": (s, d), "side": (2, d), "best": (2, d), "flag": (d,),
        "cls": (d,), "norm.weight": (d,), "norm.bias": (d,), "out.weight": (1, d), "out.bias": (1,),
    }  # fmt: skip
    for i in range(SMALL.layers):
        for name, rows, columns in (("qkv", 3 * d, d), ("o", d, d), ("up", ff, d), ("down", d, ff)):
            shapes |= {f"layers.{i}.{name}.weight": (rows, columns), f"layers.{i}.{name}.bias": (rows,)}
        for name in ("n1", "n2"):
            shapes |= {f"layers.{i}.{name}.weight": (d,), f"layers.{i}.{name}.bias": (d,)}
    weights = {name: rng.normal(0, 0.4, size).astype(np.float32) for name, size in shapes.items()}
    return JointHead(weights, dict(shape_of(SMALL, dim, layer)), f"sha256:{seed}")
