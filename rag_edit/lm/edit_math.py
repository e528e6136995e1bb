"""The mathematics of parameter edits: pure functions on tensors, no model, no tokenizer, no state.

Rules: tensors that are handed in are never modified; device and dtype follow them; whatever is random or a threshold is an
argument. An edit of one linear layer with weight ``w`` (d_out, d_in) is a pair ``b`` (d_out, r), ``a`` (r, d_in), so that the
edited layer computes ``x @ (w + b @ a).T``; the product is never formed. Knows nothing about where keys and values come from.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class LowRank:
    """A low-rank change of one linear layer's weight.

    Attributes:
        b: (d_out, r).
        a: (r, d_in).
    """

    b: "Tensor"
    a: "Tensor"

    @property
    def rank(self) -> int:
        """Return r."""
        return int(self.a.shape[0])


def apply_low_rank(x: "Tensor", delta: LowRank) -> "Tensor":
    """Return what the change adds to the layer's output, (..., d_out), for inputs ``x`` (..., d_in).

    Source: Hu et al. 2021 (arXiv:2106.09685), eq. 3, with the factor alpha / r equal to 1.
    """
    from torch.nn.functional import linear

    return linear(linear(x, delta.a), delta.b)


def low_rank_norm(delta: LowRank) -> "Tensor":
    """Return the Frobenius norm of ``b @ a``, a scalar.

    Source: ||BA||_F^2 = tr(A^T B^T B A) = sum of (B^T B) * (A A^T), two (r, r) matrices.
    """
    return ((delta.b.T @ delta.b) * (delta.a @ delta.a.T)).sum().clamp_min(0).sqrt()


def project_norm(delta: LowRank, budget: float) -> LowRank:
    """Return the nearest change whose Frobenius norm is at most ``budget``; the same one where it is already.

    Source: the projection on a ball is a scaling towards its centre.
    """
    norm = float(low_rank_norm(delta))
    return delta if norm <= budget else LowRank(delta.b * (budget / norm), delta.a)


def truncate(delta: LowRank, rank: int) -> LowRank:
    """Return the best approximation of ``b @ a`` of at most ``rank``; rows of its ``a`` are orthonormal.

    Source: Eckart and Young 1936; thin factors by QR first, so that the (d_out, d_in) product is never formed.
    """
    import torch

    qb, rb = torch.linalg.qr(delta.b)  # (d_out, m), (m, r)
    qa, ra = torch.linalg.qr(delta.a.T)  # (d_in, n), (n, r)
    u, s, vt = torch.linalg.svd(rb @ ra.T, full_matrices=False)
    keep = min(rank, len(s))
    return LowRank((qb @ u[:, :keep]) * s[:keep], vt[:keep] @ qa.T)


def metric_solve(x: "Tensor", seen: "Tensor", ridge: float) -> "Tensor":
    """Return ``x @ inv(ridge * I + seen.T @ seen / n)`` without forming a (d_in, d_in) matrix.

    The matrix stands for the covariance of the layer's keys: ``seen`` are the keys that must not move, here those of a record's
    hard negatives, and ``ridge`` what is assumed about all others. No ``seen`` is the identity, up to the scale ``ridge``.

    Args:
        x: (m, d_in).
        seen: (n, d_in), n may be 0.
        ridge: Above 0.

    Source: Woodbury 1950; the covariance's place in the edit: Meng et al. 2022 (arXiv:2202.05262), eq. 2.
    """
    import torch

    if ridge <= 0:
        raise ValueError(f"wanted a ridge above 0, found {ridge}")
    n = len(seen)
    if n == 0:
        return x / ridge
    inner = torch.eye(n, dtype=x.dtype, device=x.device) * (n * ridge) + seen @ seen.T  # (n, n)
    solved: Tensor = (x - torch.linalg.solve(inner, seen @ x.T).T @ seen) / ridge
    return solved


def solve_rank_one(k: "Tensor", r: "Tensor", seen: "Tensor", ridge: float) -> LowRank:
    """Return the smallest change that adds ``r`` to the output at ``k``; smallest in the metric of `metric_solve`.

    Args:
        k: (d_in,) key at which the output shall change; not zero.
        r: (d_out,) ``v - w @ k``, the change wanted.
        seen: (n, d_in) keys that shall move least; n may be 0: then the identity is the metric.
        ridge: Above 0.

    Returns:
        Rank 1, with ``b @ a @ k`` equal to ``r``.

    Source: Meng et al. 2022 (arXiv:2202.05262), eq. 2: (v - W k) (C^-1 k)^T / ((C^-1 k)^T k).
    """
    direction = metric_solve(k[None], seen, ridge)[0]
    return LowRank(r[:, None], (direction / (direction @ k))[None])


def solve_ridge(keys: "Tensor", residuals: "Tensor", seen: "Tensor", ridge: float) -> LowRank:
    """Return the change that maps every key near its residual and moves the ``seen`` keys little; least squares.

    Args:
        keys: (m, d_in) where the output shall change.
        residuals: (m, d_out) what shall be added there.
        seen: (n, d_in) keys that shall not move.
        ridge: Above 0; the larger, the smaller the change.

    Returns:
        Rank at most m.

    Source: Meng et al. 2023 (arXiv:2210.07229), eq. 14: R K^T (C + K K^T)^-1, as R (I + K^T C^-1 K)^-1 K^T C^-1.
    """
    import torch

    white = metric_solve(keys, seen, ridge)  # (m, d_in) = K^T C^-1
    inner = torch.eye(len(keys), dtype=keys.dtype, device=keys.device) + white @ keys.T  # (m, m)
    return LowRank(torch.linalg.solve(inner.T, residuals).T, white)


def target_nll(logits: "Tensor", targets: "Tensor") -> "Tensor":
    """Return the negative log-likelihood of each target token, (n,) nats, for logits (n, vocabulary)."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, targets, reduction="none")


def kl_to_base(logits: "Tensor", base_logits: "Tensor") -> "Tensor":
    """Return the mean over rows of KL(base || edited) in nats, a scalar; both (n, vocabulary).

    Source: Kullback and Leibler 1951. The base stands first, so that whatever it may say must stay likely. (ROME's eq. 4 has
    the edited distribution first.)
    """
    from torch.nn.functional import kl_div, log_softmax

    return kl_div(log_softmax(logits, -1), log_softmax(base_logits, -1), reduction="batchmean", log_target=True)


def weight_gradient_cosine(keys: "Tensor", grads: "Tensor", other_keys: "Tensor", other_grads: "Tensor") -> float:
    """Return the cosine of two weight gradients of one linear layer, from inputs and output gradients of its tokens.

    Args:
        keys: (t, d_in) inputs of the layer under the first loss.
        grads: (t, d_out) gradients of the first loss by the layer's outputs.
        other_keys: (s, d_in) inputs under the second loss.
        other_grads: (s, d_out) gradients of the second loss.

    Returns:
        In [-1, 1]; 0 where a gradient vanishes.

    Source: the gradient by the weight is G = sum of g k^T, hence <G, H> = sum over t, s of (g_t . h_s) (k_t . l_s).
    """

    def inner(k: "Tensor", g: "Tensor", m: "Tensor", h: "Tensor") -> float:
        return float(((g @ h.T) * (k @ m.T)).sum())

    square = inner(keys, grads, keys, grads) * inner(other_keys, other_grads, other_keys, other_grads)
    return inner(keys, grads, other_keys, other_grads) / square**0.5 if square > 0 else 0.0
