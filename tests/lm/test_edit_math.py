"""The formulas against dense linear algebra: what is promised without a (d_out, d_in) matrix is compared with one."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_edit.lm.edit_math import (
    LowRank,
    apply_low_rank,
    kl_to_base,
    low_rank_norm,
    metric_solve,
    project_norm,
    solve_rank_one,
    solve_ridge,
    truncate,
    weight_gradient_cosine,
)

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # imports torch and transformers

SIZES = st.integers(1, 7)
SEEDS = st.integers(0, 10_000)
QUICK = settings(max_examples=25, deadline=None)


def draw(seed: int, *shapes: tuple[int, ...]) -> "list[Tensor]":
    import torch

    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def low_rank(seed: int, d_out: int, d_in: int, rank: int) -> LowRank:
    return LowRank(*draw(seed, (d_out, rank), (rank, d_in)))


def close(found: "Tensor", wanted: "Tensor") -> bool:
    import torch

    return bool(torch.allclose(found, wanted, rtol=1e-6, atol=1e-8))


@given(SEEDS, SIZES, SIZES, SIZES)
@QUICK
def test_applying_a_change_is_multiplying_by_its_product(seed: int, d_out: int, d_in: int, rank: int) -> None:
    delta = low_rank(seed, d_out, d_in, rank)
    (x,) = draw(seed + 1, (2, 3, d_in))
    assert close(apply_low_rank(x, delta), x @ (delta.b @ delta.a).T)


@given(SEEDS, SIZES, SIZES, SIZES)
@QUICK
def test_the_norm_is_that_of_the_product(seed: int, d_out: int, d_in: int, rank: int) -> None:
    delta = low_rank(seed, d_out, d_in, rank)
    assert close(low_rank_norm(delta), (delta.b @ delta.a).norm())


@given(SEEDS, st.floats(0.01, 100))
@QUICK
def test_a_projected_change_is_within_budget_and_points_the_same_way(seed: int, budget: float) -> None:
    delta = low_rank(seed, 4, 5, 2)
    found, norm = project_norm(delta, budget), float(low_rank_norm(delta))
    assert float(low_rank_norm(found)) <= budget * (1 + 1e-9)
    assert close(found.b @ found.a, (delta.b @ delta.a) * min(1.0, budget / norm))
    assert (found is delta) == (norm <= budget)


@given(SEEDS, st.integers(2, 6), st.integers(2, 6), st.integers(1, 5), st.integers(1, 5))
@QUICK
def test_a_truncated_change_is_the_best_of_its_rank(seed: int, d_out: int, d_in: int, rank: int, keep: int) -> None:
    import torch

    delta = low_rank(seed, d_out, d_in, rank)
    whole, found = delta.b @ delta.a, truncate(delta, keep)
    assert found.rank <= keep
    error = (whole - found.b @ found.a).norm()
    assert close(error, torch.linalg.svdvals(whole)[keep:].norm())


@given(SEEDS, SIZES, st.integers(0, 9), st.floats(0.01, 10))
@QUICK
def test_solving_in_the_metric_is_solving_with_the_covariance(seed: int, d_in: int, n: int, ridge: float) -> None:
    import torch

    x, seen = draw(seed, (3, d_in), (n, d_in))
    covariance = ridge * torch.eye(d_in, dtype=x.dtype) + seen.T @ seen / max(n, 1)
    assert close(metric_solve(x, seen, ridge) @ covariance, x)


@given(SEEDS, st.integers(2, 7), SIZES, st.integers(0, 5))
@QUICK
def test_the_rank_one_change_maps_its_key_to_its_value_exactly(seed: int, d_in: int, d_out: int, n: int) -> None:
    k, r, seen = draw(seed, (d_in,), (d_out,), (n, d_in))
    assert close(apply_low_rank(k, solve_rank_one(k, r, seen, 0.1)), r)


@given(SEEDS, st.integers(3, 7))
@QUICK
def test_keys_that_were_seen_move_less_than_without_knowing_them(seed: int, d_in: int) -> None:
    k, r, seen = draw(seed, (d_in,), (4,), (2, d_in))
    aware = apply_low_rank(seen, solve_rank_one(k, r, seen, 0.1)).norm()
    blind = apply_low_rank(seen, solve_rank_one(k, r, seen[:0], 0.1)).norm()
    assert float(aware) <= float(blind) * (1 + 1e-9)


@given(SEEDS, st.integers(2, 6), SIZES, st.integers(1, 5), st.integers(0, 4))
@QUICK
def test_the_ridge_solution_is_memits(seed: int, d_in: int, d_out: int, m: int, n: int) -> None:
    import torch

    keys, residuals, seen = draw(seed, (m, d_in), (m, d_out), (n, d_in))
    covariance = 0.5 * torch.eye(d_in, dtype=keys.dtype) + seen.T @ seen / max(n, 1)
    wanted = residuals.T @ keys @ torch.linalg.inv(covariance + keys.T @ keys)
    found = solve_ridge(keys, residuals, seen, 0.5)
    assert close(found.b @ found.a, wanted)


@given(SEEDS, st.integers(1, 5), st.integers(1, 5))
@QUICK
def test_the_cosine_of_weight_gradients_is_that_of_the_matrices(seed: int, t: int, s: int) -> None:
    import torch

    k, g, m, h = draw(seed, (t, 4), (t, 3), (s, 4), (s, 3))
    wanted = torch.nn.functional.cosine_similarity((g.T @ k).flatten(), (h.T @ m).flatten(), dim=0)
    assert weight_gradient_cosine(k, g, m, h) == pytest.approx(float(wanted), abs=1e-9)


def test_no_gradient_has_no_direction() -> None:
    k, g = draw(0, (2, 4), (2, 3))
    assert weight_gradient_cosine(k, g * 0, k, g) == 0.0


def test_the_divergence_from_itself_is_nothing_and_else_above() -> None:
    base, other = draw(0, (4, 9), (4, 9))
    assert float(kl_to_base(base + 3, base)) == pytest.approx(0, abs=1e-9)
    assert float(kl_to_base(other, base)) > 0


def test_a_ridge_of_nothing_is_the_callers_mistake() -> None:
    x, seen = draw(0, (1, 3), (2, 3))
    with pytest.raises(ValueError, match="ridge"):
        metric_solve(x, seen, 0.0)


def test_nothing_that_is_handed_in_is_changed() -> None:
    delta = low_rank(0, 4, 5, 3)
    k, r, seen = draw(1, (5,), (4,), (2, 5))
    before = [t.clone() for t in (delta.a, delta.b, k, r, seen)]
    project_norm(delta, 0.1), truncate(delta, 1), solve_rank_one(k, r, seen, 0.1)
    assert all(bool((t == b).all()) for t, b in zip((delta.a, delta.b, k, r, seen), before, strict=True))
