"""Diffraction patterns: where their centre is, and the pattern in polar coordinates about it.

A pattern of a thin crystal is the same upside down (Friedel's law), so it agrees best with itself turned by 180° about its
centre. That needs no bright spot in the middle: a beam stop may hide it.
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy.fft

REACH = 0.3
"""Share of the picture's sides on either side of the middle within which the centre is looked for."""
_TOP_PERCENTILE = 99.5


def find_centre(pattern: np.ndarray) -> tuple[float, float]:
    """Row and column of the centre of a pattern (Y, X), to a fraction of a pixel.

    The peak of the pattern's convolution with itself, over logarithms of the intensity so that the strongest reflections don't
    decide alone. Within REACH of the picture's middle.
    """
    height, width = pattern.shape
    grey = cv2.GaussianBlur(levels(pattern), (0, 0), max(1.0, min(height, width) / 200))
    window = np.outer(_taper(height), _taper(width))
    grey = (grey - (grey * window).sum() / window.sum()) * window
    shape = [scipy.fft.next_fast_len(2 * side, real=True) for side in pattern.shape]
    symmetry = scipy.fft.irfft2(scipy.fft.rfft2(grey, shape) ** 2, shape)[: 2 * height - 1, : 2 * width - 1]
    rows, columns = (_within(side) for side in pattern.shape)
    part = symmetry[rows, columns]
    y, x = np.unravel_index(part.argmax(), part.shape)
    row, column = int(y) + rows.start, int(x) + columns.start
    return (row + _vertex(symmetry[:, column], row)) / 2, (column + _vertex(symmetry[row], column)) / 2


def levels(pattern: np.ndarray) -> np.ndarray:
    """(Y, X) float32 in 0..1: logarithms of the intensity between the darkest and nearly the brightest of a pattern."""
    dark, bright = np.percentile(pattern, [1.0, _TOP_PERCENTILE])
    share = np.clip((pattern.astype(np.float32) - dark) / max(bright - dark, 1e-6), 0, 1)
    return np.log1p(100 * share) / np.float32(np.log(101))


def polar(pattern: np.ndarray, centre: tuple[float, float], angles: int = 256) -> np.ndarray:
    """(R, angles) float32 of a pattern (Y, X): a row a pixel of radius, to the furthest corner; NaN beyond the picture."""
    y, x = centre
    height, width = pattern.shape
    reach = int(np.hypot(max(y, height - 1 - y), max(x, width - 1 - x)))
    radius = np.arange(reach, dtype=np.float32)[:, None]
    angle = (np.arange(angles, dtype=np.float32) * np.float32(2 * np.pi / angles))[None]
    columns, rows = x + radius * np.cos(angle), y + radius * np.sin(angle)
    values = cv2.remap(
        pattern.astype(np.float32),
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    return np.where(inside, values, np.float32(np.nan))


def _taper(length: int) -> np.ndarray:
    """Falls to zero over the outer tenth, so that the picture's edge is no feature."""
    along = (np.arange(length) + 0.5) / length
    return np.clip(np.minimum(along, 1 - along) / 0.1, 0, 1).astype(np.float32)


def _within(length: int) -> slice:
    """Sums of two positions whose mean is within REACH of the middle."""
    return slice(int(length * (1 - 2 * REACH)), int(length * (1 + 2 * REACH)))


def _vertex(values: np.ndarray, at: int) -> float:
    """Offset from `at` of the vertex of the parabola through three neighbours."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = (float(value) for value in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else float(np.clip((before - after) / (2 * bend), -0.5, 0.5))
