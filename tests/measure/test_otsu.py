"""The baseline finds what anyone would call easy, at any size, and nothing in a plain picture."""

from __future__ import annotations

import numpy as np
import pytest

from morphoscope.measure.otsu import otsu_watershed
from morphoscope.scores.instances import match_instances


def discs(zoom: int, *places: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[: 90 * zoom, : 140 * zoom]
    drawn = np.zeros(y.shape, np.int32)
    for number, (row, column, radius) in enumerate(places, start=1):
        drawn[(y - zoom * row) ** 2 + (x - zoom * column) ** 2 <= (zoom * radius) ** 2] = number
    return drawn


@pytest.mark.parametrize("zoom", [1, 4])
@pytest.mark.parametrize("is_dark", [False, True])
def test_touching_discs_on_bright_and_dark_ground(zoom: int, is_dark: bool) -> None:
    true = discs(zoom, (30, 30, 15), (30, 59, 15), (65, 110, 18))
    noise = np.random.default_rng(0).normal(scale=12, size=true.shape)
    grey = np.clip(80 + 90 * (true > 0) + noise, 0, 255).astype(np.uint8)
    found = otsu_watershed(255 - grey if is_dark else grey)
    assert match_instances(true, found, 0.75).average_precision == 1


def test_nothing_in_a_plain_picture() -> None:
    assert not otsu_watershed(np.full((40, 60), 90, np.uint8)).any()
