"""Sizes of drawn shapes in nm, and agreement with scikit-image object by object."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ellipe
from skimage.measure import regionprops

from morphoscope.measure.particles import measure_particles, trace
from morphoscope.micrograph import InformationBar

SPACINGS = [(1.0, 1.0), (2.5, 2.5), (1.0, 1.6), (3.1, 2.0)]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("diameter_px", [20, 100])
def test_disc(drawn, spacing, diameter_px) -> None:
    diameter = diameter_px * max(spacing)
    found = measure_particles(drawn("ellipse", diameter, diameter, 0, spacing), spacing)
    pixel = max(spacing)
    assert found.equivalent_circular_diameter[0] == pytest.approx(diameter, rel=0.01)
    assert found.area[0] == pytest.approx(math.pi * diameter**2 / 4, rel=0.02)
    assert found.min_feret[0] == pytest.approx(diameter, abs=pixel)
    assert found.max_feret[0] == pytest.approx(diameter, abs=pixel)
    assert found.perimeter[0] == pytest.approx(math.pi * diameter, rel=0.02)
    assert found.circularity[0] > 0.96
    assert found.solidity[0] > 0.95
    assert found.aspect_ratio[0] == pytest.approx(1, abs=0.03)
    assert math.isnan(found.nearest_neighbour_distance[0])


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("angle", [0, 25, 90, 140])
def test_ellipse(drawn, spacing, angle) -> None:
    long, short = 150.0, 60.0
    found = measure_particles(drawn("ellipse", long, short, angle, spacing), spacing)
    assert found.equivalent_circular_diameter[0] == pytest.approx(math.sqrt(long * short), rel=0.01)
    assert found.max_feret[0] == pytest.approx(long, abs=max(spacing))
    assert found.min_feret[0] == pytest.approx(short, abs=max(spacing))
    assert found.perimeter[0] == pytest.approx(2 * long * ellipe(1 - (short / long) ** 2), rel=0.06)
    assert found.aspect_ratio[0] == pytest.approx(long / short, rel=0.02)
    assert abs((found.orientation_deg[0] - angle + 90) % 180 - 90) < 1


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("angle", [0, 33, 90, 118])
def test_rod(drawn, spacing, angle) -> None:
    length, width = 180.0, 24.0
    found = measure_particles(drawn("rectangle", length, width, angle, spacing), spacing)
    pixel = max(spacing)
    assert found.area[0] == pytest.approx(length * width, rel=0.06)
    assert found.min_feret[0] == pytest.approx(width, abs=1.3 * pixel)
    assert found.max_feret[0] == pytest.approx(math.hypot(length, width), abs=1.3 * pixel)
    assert found.aspect_ratio[0] == pytest.approx(length / width, rel=0.08)
    assert abs((found.orientation_deg[0] - angle + 90) % 180 - 90) < 1
    assert 0.85 < found.solidity[0] <= 1


def test_upright_square_is_exact_but_for_its_perimeter() -> None:
    square = np.zeros((50, 80), np.uint32)
    square[10:30, 40:60] = 70_000
    found = measure_particles(square, (5.0, 5.0))
    assert found.area[0] == 400 * 25
    assert found.min_feret[0] == pytest.approx(100)
    assert found.max_feret[0] == pytest.approx(100 * math.sqrt(2), abs=5)
    assert found.solidity[0] == 1
    assert (found.centroid_y[0], found.centroid_x[0]) == (19.5 * 5, 49.5 * 5)
    assert found.perimeter[0] == pytest.approx(0.95 * 400, rel=0.02), "the bias that the documentation states"
    assert found.circularity[0] == pytest.approx(0.87, abs=0.04)


def test_agrees_with_scikit_image(blobs) -> None:
    found, expected = measure_particles(blobs), regionprops(blobs)
    large = np.array([each.area >= 30 for each in expected])
    angle = np.degrees([each.orientation for each in expected]) + 90
    assert (found.area == [each.area for each in expected]).all()
    np.testing.assert_allclose(np.column_stack([found.centroid_y, found.centroid_x]), [each.centroid for each in expected])
    np.testing.assert_allclose(found.max_feret, [each.feret_diameter_max for each in expected], atol=1)
    is_long = large & (found.aspect_ratio > 1.2)
    assert abs((found.orientation_deg - angle + 90) % 180 - 90)[is_long].max() < 1e-6
    ratio = np.array([each.axis_major_length / max(each.axis_minor_length, 1e-9) for each in expected])
    np.testing.assert_allclose(found.aspect_ratio[large], ratio[large], rtol=0.05)
    np.testing.assert_allclose(found.solidity[large], [each.solidity for each in expected if each.area >= 30], atol=0.06)


def test_nearest_neighbour_counts_true_distances() -> None:
    dots = np.zeros((40, 60), np.uint8)
    dots[5, 5], dots[5, 15], dots[13, 5] = 1, 2, 3
    np.testing.assert_allclose(measure_particles(dots).nearest_neighbour_distance, [8, 10, 8])
    np.testing.assert_allclose(measure_particles(dots, (2.0, 1.0)).nearest_neighbour_distance, [10, 10, 16])


def test_an_object_may_have_parts_and_numbers_may_have_gaps() -> None:
    parts = np.zeros((30, 50), np.uint16)
    parts[5:9, 5:9] = parts[5:9, 20:24] = 900
    parts[20:22, 40:42] = 7
    traced = trace(parts)
    assert traced.numbers.tolist() == [7, 900]
    assert traced.n_pixels.tolist() == [4, 32]
    assert traced.particles().min_feret[1] == 4
    assert traced.particles().max_feret[1] == pytest.approx(math.hypot(4, 19), abs=1)
    assert traced.particles().solidity[1] < 0.5


def test_empty_map_gives_no_rows_and_full_map_one() -> None:
    for field in fields(empty := measure_particles(np.zeros((20, 30), np.uint8))):
        assert getattr(empty, field.name).shape == (0,)
    full = trace(np.full((20, 30), 3, np.uint8))
    assert full.particles((2.0, 2.0)).area.tolist() == [2400]
    assert full.touches_border().tolist() == [True]


def test_touching_the_border_or_the_information_bar() -> None:
    field = np.zeros((40, 60), np.uint8)
    for number, (row, column) in enumerate([(0, 10), (10, 0), (10, 59), (39, 10), (1, 1), (29, 20), (28, 30), (33, 40)], start=1):
        field[row, column] = number
    traced = trace(field)
    assert traced.touches_border().tolist() == [True] * 4 + [False] * 4
    assert traced.touches_border(InformationBar(30, 10)).tolist() == [True] * 4 + [False, True, False, True]
    assert traced.touches_border(InformationBar(30, 3, "inside")).tolist() == [True] * 4 + [False, True, False, True]


@given(arrays(np.uint8, (9, 13), elements=st.integers(0, 3)), st.sampled_from(SPACINGS))
@settings(deadline=None, max_examples=60)
def test_any_map_obeys_geometry(instance_map, spacing) -> None:
    found = measure_particles(instance_map, spacing)
    n = len(np.unique(instance_map[instance_map > 0]))
    assert found.area.sum() == pytest.approx(np.count_nonzero(instance_map) * math.prod(spacing))
    for field in fields(found):
        values = getattr(found, field.name)
        assert values.shape == (n,)
        assert np.isfinite(values).all() or (field.name == "nearest_neighbour_distance" and n == 1)
    assert (found.min_feret <= found.max_feret * (1 + 1e-12)).all()
    assert ((found.solidity > 0) & (found.solidity <= 1) & (found.circularity > 0) & (found.circularity <= 1)).all()
    assert (found.aspect_ratio >= 1).all()
    assert ((found.orientation_deg >= 0) & (found.orientation_deg < 180)).all()


@given(st.floats(0.01, 1e6))
@settings(deadline=None, max_examples=20)
def test_sizes_scale_with_the_pixel(factor) -> None:
    rod = np.zeros((30, 40), np.uint8)
    rod[10:14, 5:30] = 1
    px, nm = measure_particles(rod), measure_particles(rod, (factor, factor))
    assert nm.area[0] == pytest.approx(px.area[0] * factor**2)
    for name in ("equivalent_circular_diameter", "min_feret", "max_feret", "perimeter", "centroid_y", "centroid_x"):
        assert getattr(nm, name)[0] == pytest.approx(getattr(px, name)[0] * factor)
    for name in ("circularity", "solidity", "aspect_ratio", "orientation_deg"):
        assert getattr(nm, name)[0] == pytest.approx(getattr(px, name)[0])


def test_five_thousand_objects_on_4096_pixels() -> None:
    y, x = np.mgrid[:57, :57] - 28
    disc = y**2 + x**2 <= 24**2
    instance_map = np.zeros((4096, 4096), np.uint16)
    for number in range(5041):
        row, column = divmod(number, 71)
        instance_map[57 * row : 57 * row + 57, 57 * column : 57 * column + 57][disc] = number + 1
    found = measure_particles(instance_map)
    assert len(found.area) == 5041
    assert (found.area == disc.sum()).all()
