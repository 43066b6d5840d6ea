"""Percentiles, intervals and densities with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.measure.border import area_fraction, field_area, n_associated
from morphoscope.measure.distribution import distribution
from morphoscope.measure.particles import trace
from morphoscope.micrograph import InformationBar


def test_percentiles_and_mean() -> None:
    found = distribution(np.arange(1.0, 102.0))
    assert (found.n, found.d10, found.d50, found.d90, found.mean) == (101, 11, 51, 91, 51)
    assert found.std == pytest.approx(np.std(np.arange(101), ddof=1))


def test_nothing_and_one_say_no_more_than_they_can() -> None:
    nothing, one = distribution(np.empty(0)), distribution(np.array([7.0]))
    assert (nothing.n, nothing.d50, nothing.mean, nothing.mean_ci95) == (0, None, None, None)
    assert (one.n, one.d50, one.mean, one.std, one.mean_ci95) == (1, 7, 7, None, None)


def test_interval_is_repeatable_and_holds_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    assert distribution(np.arange(9.0)) == distribution(np.arange(9.0))
    held = 0
    for _ in range(120):
        low, high = distribution(rng.lognormal(0, 0.3, size=60)).mean_ci95
        held += low <= np.exp(0.3**2 / 2) <= high
    assert 0.86 <= held / 120 <= 0.99


def test_interval_shrinks_with_the_root_of_the_number() -> None:
    rng = np.random.default_rng(2)
    widths = [np.ptp(distribution(rng.normal(50, 5, size=n)).mean_ci95) for n in (100, 10_000)]
    assert widths[0] / widths[1] == pytest.approx(10, rel=0.3)
    assert widths[0] == pytest.approx(2 * 1.96 * 5 / 10, rel=0.25)


def test_area_fraction_and_field_leave_the_information_bar_out() -> None:
    field = np.zeros((50, 80), np.uint8)
    field[10:20, 10:30] = 1
    traced, bar = trace(field), InformationBar(40, 10)
    assert area_fraction(traced) == pytest.approx(200 / 4000)
    assert area_fraction(traced, bar) == pytest.approx(200 / 3200)
    assert field_area((50, 80), bar, (2.0, 3.0)) == 40 * 80 * 6


def test_number_density_is_unbiased_where_many_particles_are_cut() -> None:
    """Fields cut from a plane of known density: counting all would give a third too many here, excluding all a third too few."""
    rng = np.random.default_rng(3)
    plane = np.zeros((1200, 1600), np.uint16)
    y, x = np.mgrid[-9:10, -9:10]
    disc = y**2 + x**2 <= 81
    corners = [(r, c) for r in range(0, 1180, 24) for c in range(0, 1580, 24)]
    chosen = rng.permutation(len(corners))[:1600]
    for number, index in enumerate(chosen, start=1):
        row, column = corners[index] + rng.integers(0, 5, 2) - np.array([0, 0])
        plane[row : row + 19, column : column + 19][disc[: 1200 - row, : 1600 - column]] = number
    fields = [plane[r : r + 100, c : c + 130] for r in range(20, 1080, 100) for c in range(20, 1450, 130)]
    counted = sum(n_associated(trace(field)) for field in fields)
    everything = sum(len(trace(field)) for field in fields)
    truth = 1600 / plane.size * sum(field.size for field in fields)
    assert counted == pytest.approx(truth, rel=0.03)
    assert everything > 1.2 * truth


def test_particles_above_and_below_a_bar_inside_the_picture_are_counted_once() -> None:
    field = np.zeros((60, 40), np.uint8)
    field[5:8, 5:8], field[18:20, 10:14], field[30:33, 20:23], field[50:52, 10:12] = 1, 2, 3, 4
    assert n_associated(trace(field)) == 4
    assert n_associated(trace(field), InformationBar(20, 10, "inside")) == 3
