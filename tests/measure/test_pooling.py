"""Many pictures of one specimen: variance between and within, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

import morphoscope.measure.pooling as pooling
from morphoscope.measure.pooling import pool, variance_components


def pictures(rng, count: int, between: float = 5.0, within: float = 15.0) -> list[np.ndarray]:
    return [100 + rng.normal(0, between) + rng.normal(0, within, rng.integers(20, 60)) for _ in range(count)]


def test_variance_components_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    found = np.array([variance_components(pictures(rng, 10)) for _ in range(200)])
    assert found[:, 0].mean() == pytest.approx(25, rel=0.12)
    assert found[:, 1].mean() == pytest.approx(225, rel=0.05)


def test_intervals_know_that_particles_of_a_picture_resemble_each_other(monkeypatch) -> None:
    monkeypatch.setattr(pooling, "N_RESAMPLES", 200)
    rng = np.random.default_rng(1)
    held, naive = 0, 0
    for _ in range(60):
        found = pool(pictures(rng, 8))
        held += found.mean_ci95[0] <= 100 <= found.mean_ci95[1]
        naive += found.of_all.mean_ci95[0] <= 100 <= found.of_all.mean_ci95[1]
    assert held / 60 >= 0.85
    assert naive / 60 < 0.85, "what counting all particles as independent would give"


def test_one_picture_and_none() -> None:
    one = pool([np.array([1.0, 2, 3]), np.empty(0)])
    assert (one.n_pictures, one.of_all.n, one.std_between, one.n_pictures_needed) == (1, 3, None, None)
    assert one.mean_ci95 == one.of_all.mean_ci95
    assert pool([]).of_all.n == 0


def test_more_pictures_are_needed_where_they_differ() -> None:
    rng = np.random.default_rng(2)
    alike, unlike = pool(pictures(rng, 12, between=1)), pool(pictures(rng, 12, between=20))
    assert unlike.n_pictures_needed > 4 * alike.n_pictures_needed
    assert pool(pictures(rng, 3), precision=0.5).n_pictures_needed == 1
    assert unlike.n_pictures_needed == pytest.approx((1.96 * 20 / 5) ** 2, rel=0.6)
