"""Perimeters of all objects of an instance map at once."""

from __future__ import annotations

import math

import numpy as np

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Steps (y, x) to the neighbours along which lines are laid."""


def count_crossings(instance_map: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(N, 4) how often the lines through all pixels in each of DIRECTIONS cross the outline of each of (N,) objects.

    numbers: those of the map, ascending. Beyond the picture all is background, so the cut at its edge counts as outline.
    """
    padded = np.pad(instance_map, 1)
    height, width = padded.shape
    crossings = np.empty((len(numbers), len(DIRECTIONS)), dtype=np.int64)
    for column, (down, right) in enumerate(DIRECTIONS):
        here = padded[: height - down, max(0, -right) : width - max(0, right)]
        there = padded[down:, max(0, right) : width - max(0, -right)]
        differs = here != there
        crossed = np.concatenate([here[differs], there[differs]])
        crossings[:, column] = np.bincount(np.searchsorted(numbers, crossed[crossed != 0]), minlength=len(numbers))
    return crossings


def crofton_perimeter(crossings: np.ndarray, spacing: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """(N,) perimeter from (N, 4) crossings with pixels of spacing (y, x), by the Cauchy-Crofton formula.

    Half the sum over directions of crossings × distance of the lines × angle that the direction stands for (Legland,
    Kiêu & Devaux 2007). Bias: none on average over all orientations, so right for discs; -5 % for straight outlines along
    rows, columns and diagonals, +3 % halfway between, with square pixels.
    """
    y, x = spacing
    diagonal = math.atan2(y, x)
    angles = np.array([diagonal, math.pi / 2 - diagonal, math.pi / 4, math.pi / 4])
    distances = np.array([y * x / math.hypot(y * down, x * right) for down, right in DIRECTIONS])
    return crossings @ (angles * distances) / 2
