"""Percentiles, intervals and needed numbers with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from morphoscope.measure.distribution import distribution, needed_more


def test_percentiles_and_mean() -> None:
    found = distribution(np.arange(1.0, 102.0))
    assert (found.n, found.d10, found.d50, found.d90, found.mean) == (101, 11, 51, 91, 51)
    assert found.std == pytest.approx(np.std(np.arange(101), ddof=1))


def test_nothing_and_one_say_no_more_than_they_can() -> None:
    nothing, one = distribution(np.empty(0)), distribution(np.array([7.0]))
    assert (nothing.n, nothing.d50, nothing.mean, nothing.mean_ci95) == (0, None, None, None)
    assert (one.n, one.d50, one.mean, one.std, one.mean_ci95, one.n_needed) == (1, 7, 7, None, None, None)


def test_interval_is_repeatable_and_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    assert distribution(np.arange(9.0)) == distribution(np.arange(9.0))
    truth = {"mean": math.exp(0.3**2 / 2), "d50": 1.0, "d90": math.exp(0.3 * 1.2816), "area_mean": math.exp(2.5 * 0.3**2)}
    held = dict.fromkeys(truth, 0)
    for _ in range(120):
        found = distribution(rng.lognormal(0, 0.3, size=60))
        for name, value in truth.items():
            low, high = getattr(found, f"{name}_ci95")
            held[name] += low <= value <= high
    assert all(0.84 <= count / 120 <= 1 for count in held.values()), held


def test_interval_shrinks_with_the_root_of_the_number() -> None:
    rng = np.random.default_rng(2)
    widths = [np.ptp(distribution(rng.normal(50, 5, size=n)).mean_ci95) for n in (100, 10_000)]
    assert widths[0] / widths[1] == pytest.approx(10, rel=0.3)
    assert widths[0] == pytest.approx(2 * 1.96 * 5 / 10, rel=0.25)


def test_area_weights_are_those_of_discs() -> None:
    found = distribution(np.r_[np.full(100, 10.0), np.full(100, 30.0)])
    assert found.area_mean == pytest.approx((10**3 + 30**3) / (10**2 + 30**2))
    assert found.mean == pytest.approx(20)
    assert found.area_d50 == pytest.approx(30, rel=0.05)


def test_the_number_needed_gives_the_precision_asked_for() -> None:
    rng = np.random.default_rng(3)
    found = distribution(rng.normal(100, 20, 500), precision=0.02)
    assert found.n_needed == pytest.approx((1.96 * 0.2 / 0.02) ** 2, rel=0.15)
    assert needed_more(found) == max(0, found.n_needed - 500)
    again = distribution(rng.normal(100, 20, found.n_needed))
    assert np.ptp(again.mean_ci95) / 2 == pytest.approx(2, rel=0.25)
    assert needed_more(distribution(rng.normal(100, 20, 5000), precision=0.05)) == 0


def test_another_unit_scales_sizes_and_nothing_else() -> None:
    px = distribution(np.arange(1.0, 50.0))
    nm = px.scaled(2.5)
    assert (nm.n, nm.n_needed, nm.n_effective) == (px.n, px.n_needed, px.n_effective)
    assert nm.mean == pytest.approx(2.5 * px.mean)
    assert nm.mean_ci95 == pytest.approx(tuple(2.5 * each for each in px.mean_ci95))
