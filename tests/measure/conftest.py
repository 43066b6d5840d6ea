"""Drawn truth: shapes of known size in nm, on fields that are not square, of pixels that need not be either."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label

SHAPE = (230, 310)


def draw(
    kind: str, long_nm: float, short_nm: float, angle_deg: float, spacing: tuple[float, float], centre_nm=None
) -> np.ndarray:
    """(Y, X) uint8 with one ellipse or rectangle, its long axis turned against the clock from the horizontal."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] * np.array(spacing)[:, None, None]
    cy, cx = (SHAPE[0] / 2 + 0.37) * spacing[0], (SHAPE[1] / 2 - 0.21) * spacing[1]
    angle = math.radians(angle_deg)
    along = (x - cx) * math.cos(angle) - (y - cy) * math.sin(angle)
    across = (x - cx) * math.sin(angle) + (y - cy) * math.cos(angle)
    if kind == "ellipse":
        return ((2 * along / long_nm) ** 2 + (2 * across / short_nm) ** 2 <= 1).astype(np.uint8)
    return ((abs(along) <= long_nm / 2) & (abs(across) <= short_nm / 2)).astype(np.uint8)


@pytest.fixture(scope="session")
def drawn() -> Callable[..., np.ndarray]:
    return draw


@pytest.fixture(scope="session")
def blobs() -> np.ndarray:
    """(Y, X) uint16 with a hundred objects of every shape, some at the border, some tiny."""
    noise = np.random.default_rng(4).normal(size=(300, 411))
    return label(gaussian_filter(noise, 5) > 0.02)[0].astype(np.uint16)
