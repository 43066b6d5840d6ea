"""Hulls and Feret diameters against scipy's hull, object by object."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from morphoscope.measure.hulls import find_hulls
from morphoscope.measure.runs import find_runs


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 1.7)])
def test_agrees_with_scipy(blobs, spacing) -> None:
    hulls = find_hulls(find_runs(blobs))
    smallest, largest = hulls.feret(spacing)
    areas = hulls.area(spacing)
    for index, number in enumerate(np.unique(blobs[blobs > 0])):
        pixels = np.argwhere(blobs == number)
        middles = np.concatenate([pixels + step for step in ((0, 0.5), (0, -0.5), (0.5, 0), (-0.5, 0))]) * spacing
        hull = ConvexHull(middles)
        points = middles[hull.vertices]
        normals = hull.equations[:, :2]
        assert areas[index] == pytest.approx(hull.volume)
        assert largest[index] == pytest.approx(pdist(points).max())
        assert smallest[index] == pytest.approx(np.ptp(points @ normals.T, axis=0).min())


def test_a_line_of_pixels_has_its_true_length_and_width() -> None:
    line = np.zeros((8, 30), np.uint8)
    line[3, 4:24] = 1
    (smallest,), (largest,) = find_hulls(find_runs(line)).feret((2.0, 3.0))
    assert (smallest, largest) == (2, 60)


def test_a_thousand_vertices_in_all_blocks() -> None:
    y, x = np.mgrid[:1500, :1800]
    disc = ((y - 750) ** 2 + (x - 900) ** 2 <= 740**2).astype(np.uint8)
    hulls = find_hulls(find_runs(disc))
    assert hulls.area((1.0, 1.0))[0] == pytest.approx(math.pi * 740**2, rel=2e-3)
    assert hulls.feret((1.0, 1.0))[1][0] == pytest.approx(1480, abs=1.5)
