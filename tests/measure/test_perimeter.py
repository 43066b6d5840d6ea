"""Perimeters against scikit-image's Crofton formula and against circles seen with unequal pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.measure import perimeter_crofton

from morphoscope.measure.perimeter import count_crossings, crofton_perimeter


def test_agrees_with_scikit_image(blobs) -> None:
    numbers = np.unique(blobs[blobs > 0])
    found = crofton_perimeter(count_crossings(blobs, numbers))
    expected = [perimeter_crofton(np.pad(blobs == number, 1), directions=4) for number in numbers]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(("spacing", "tolerance"), [((1.0, 1.0), 0.005), ((1.0, 1.3), 0.01), ((2.0, 1.0), 0.03)])
def test_circle(drawn, spacing, tolerance) -> None:
    disc = drawn("ellipse", 180.0, 180.0, 0, spacing)
    found = crofton_perimeter(count_crossings(disc, np.array([1])), spacing)
    assert found[0] == pytest.approx(math.pi * 180, rel=tolerance)


@pytest.mark.parametrize(("angle", "bias"), [(0, -0.05), (22.5, 0.03), (45, -0.05)])
def test_bias_of_straight_outlines_is_as_documented(drawn, angle, bias) -> None:
    square = drawn("rectangle", 140.0, 140.0, angle, (1.0, 1.0))
    found = crofton_perimeter(count_crossings(square, np.array([1])))
    assert found[0] / 560 - 1 == pytest.approx(bias, abs=0.012)
