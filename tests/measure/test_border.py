"""The border rules on a plane of known sizes: what excluding gets wrong, and weighting gets right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from morphoscope.measure.border import area_fraction, border_weights, field_area, n_associated
from morphoscope.measure.distribution import distribution
from morphoscope.measure.particles import trace
from morphoscope.measure.percolation import percolates
from morphoscope.micrograph import InformationBar


def plane(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """(Y, X) uint16 with discs of 4 to 17 px in radius at random places of a grid, and their (N,) areas in px."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((1200, 1600), np.uint16)
    corners = rng.permutation([(r, c) for r in range(0, 1160, 40) for c in range(0, 1560, 40)])[:900]
    areas = []
    for number, (row, column) in enumerate(corners, start=1):
        radius = int(rng.choice([4, 9, 17], p=[0.5, 0.3, 0.2]))
        y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        disc = y**2 + x**2 <= radius**2
        top, left = row + rng.integers(0, 40 - 2 * radius), column + rng.integers(0, 40 - 2 * radius)
        drawn[top : top + 2 * radius + 1, left : left + 2 * radius + 1][disc] = number
        areas.append(int(disc.sum()))
    return drawn, np.array(areas)


def test_corrected_sizes_and_numbers_are_unbiased_where_excluding_is_not() -> None:
    drawn, areas = plane()
    rng = np.random.default_rng(0)
    wrapped = np.pad(drawn, ((0, 90), (0, 120)), mode="wrap")
    starts = zip(rng.integers(0, 1200, 2500), rng.integers(0, 1600, 2500), strict=True)
    fields = [wrapped[r : r + 90, c : c + 120] for r, c in starts]
    true = float(np.sqrt(4 * areas / math.pi).mean())
    sums = {"exclude": [0.0, 0.0], "corrected": [0.0, 0.0]}
    for field in fields:
        traced = trace(field)
        sizes, weights = traced.particles().equivalent_circular_diameter, border_weights(traced)
        clear = np.isfinite(weights)
        assert (clear == ~traced.touches_border()).all()
        for name, w in (("exclude", np.ones(len(sizes))), ("corrected", weights)):
            sums[name][0] += float((w * sizes)[clear].sum())
            sums[name][1] += float(w[clear].sum())
    excluded, corrected = (sums[name][0] / sums[name][1] for name in ("exclude", "corrected"))
    assert corrected == pytest.approx(true, rel=0.02)
    assert excluded < 0.92 * true
    density = sums["corrected"][1] / sum(field.size for field in fields)
    assert density == pytest.approx(900 / drawn.size, rel=0.05)


def test_a_bar_inside_the_picture_parts_the_field() -> None:
    field = np.zeros((60, 40), np.uint8)
    field[5:8, 5:8], field[35:39, 10:14], field[18:20, 30:32] = 1, 2, 3
    weights = border_weights(trace(field), InformationBar(20, 10, "inside"))
    assert weights[0] == pytest.approx(50 * 40 / ((20 - 4 + 30 - 4) * (40 - 4)))
    assert weights[1] == pytest.approx(50 * 40 / ((20 - 5 + 30 - 5) * (40 - 5)))
    assert math.isnan(weights[2])


def test_weights_move_the_distribution() -> None:
    sizes, weights = np.array([10.0, 10, 20]), np.array([1.0, 1, 4])
    found, plain = distribution(sizes, weights), distribution(sizes)
    assert found.mean == pytest.approx(100 / 6)
    assert found.d50 > plain.d50
    assert found.n_effective == pytest.approx(36 / 18)
    assert found.n_needed > plain.n_needed, "weights cost precision"


def test_area_fraction_and_field_leave_the_information_bar_out() -> None:
    field = np.zeros((50, 80), np.uint8)
    field[10:20, 10:30] = 1
    traced, bar = trace(field), InformationBar(40, 10)
    assert area_fraction(traced) == pytest.approx(200 / 4000)
    assert area_fraction(traced, bar) == pytest.approx(200 / 3200)
    assert field_area((50, 80), bar, (2.0, 3.0)) == 40 * 80 * 6


def test_number_density_is_unbiased_where_many_particles_are_cut() -> None:
    """Fields cut from a plane of known density: counting all would give a fifth too many here."""
    drawn, _ = plane(4)
    fields = [drawn[r : r + 90, c : c + 120] for r in range(20, 1080, 90) for c in range(20, 1450, 120)]
    counted, everything = sum(n_associated(trace(field)) for field in fields), sum(len(trace(field)) for field in fields)
    truth = 900 / (1160 * 1560) * sum(field.size for field in fields)
    assert counted == pytest.approx(truth, rel=0.05)
    assert everything > 1.2 * truth


def test_particles_above_and_below_a_bar_inside_the_picture_are_counted_once() -> None:
    field = np.zeros((60, 40), np.uint8)
    field[5:8, 5:8], field[18:20, 10:14], field[30:33, 20:23], field[50:52, 10:12] = 1, 2, 3, 4
    assert n_associated(trace(field)) == 4
    assert n_associated(trace(field), InformationBar(20, 10, "inside")) == 3
    assert not percolates(field > 0)
