"""Sharpness falls with blur, not with noise; drift shows a direction."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter1d

from morphoscope.measure.focus import sharpness


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """(Y, X) float: discs of all sizes with sharp edges."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:520, :640]
    drawn = np.zeros((520, 640))
    for _ in range(150):
        row, column, radius = rng.uniform(0, 520), rng.uniform(0, 640), rng.lognormal(2.2, 0.6)
        drawn[(y - row) ** 2 + (x - column) ** 2 < radius**2] = rng.uniform(40, 200)
    return drawn


def seen(scene: np.ndarray, noise: float = 4.0) -> np.ndarray:
    return np.clip(scene + np.random.default_rng(1).normal(0, noise, scene.shape) + 20, 0, 255).astype(np.uint8)


def test_focus_falls_with_blur_and_hardly_with_noise(scene) -> None:
    scores = [sharpness(seen(gaussian_filter(scene, sigma))).focus for sigma in (0.5, 1.5, 3, 6)]
    assert all(sharper > blurred for sharper, blurred in itertools.pairwise(scores))
    assert scores[0] > 0.85
    assert scores[3] < 0.35
    noisy = sharpness(seen(gaussian_filter(scene, 6), noise=20)).focus
    assert noisy < 0.35, "noise is no detail"


def test_drift_shows_in_one_direction(scene) -> None:
    still = sharpness(seen(gaussian_filter(scene, 1)))
    for axis in (0, 1):
        moved = sharpness(seen(uniform_filter1d(scene, 11, axis=axis)))
        assert moved.drift > still.drift + 0.25


def test_noise_flat_and_small_pictures() -> None:
    assert sharpness(np.random.default_rng(0).normal(size=(300, 400))).focus < 0.1
    assert math.isnan(sharpness(np.random.default_rng(0).normal(size=(300, 400))).drift)
    assert sharpness(np.zeros((300, 401), np.uint16)).focus == 0
    assert math.isnan(sharpness(np.zeros((20, 400), np.uint8)).focus)


def test_odd_sizes_and_depths(scene) -> None:
    eight, deep = seen(scene)[:333, :421], seen(scene)[:333, :421].astype(np.uint16) * 200
    assert sharpness(eight).focus == pytest.approx(sharpness(deep).focus)
