"""What wires say together: how alike they lie, and how stiff they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_LEAST_COSINE = 0.3
"""Correlations below are left out of the fit: few lags remain there, and their logarithm is noise."""
_STIFFEST = 50.0
"""Of the longest lag: a persistence length beyond can't be told from a straight line."""


def orientation_order(lines: Sequence[np.ndarray]) -> float:
    """Two-dimensional nematic order ⟨cos 2(θ − θ₀)⟩ of all stretches of (K, 2) centre lines, by length: 0 random, 1 parallel.

    nan without lines. Bias: n wires that lie at random show about 1/√n.
    """
    steps = [np.diff(line, axis=0) for line in lines if len(line) > 1]
    if not steps:
        return math.nan
    step = np.concatenate(steps)
    length = np.hypot(step[:, 0], step[:, 1])
    turned = (step[:, 1] + 1j * step[:, 0]) ** 2 / np.maximum(length, 1e-12)  # angle doubled, size: length
    return float(abs(turned.sum()) / max(length.sum(), 1e-12))


def persistence_length(lines: Sequence[np.ndarray], shortest: float) -> float:
    """Persistence length P of centre lines (K, 2) that lie in a plane, from ⟨cos(θ(s) − θ(0))⟩ = exp(−s / 2P).

    Rivetti, Guthold & Bustamante 1996. shortest: the lag from which the tangents are those of the wire and not of pixels, a width
    or two. Lags go to half of each line. nan where there are no such lags, or the wires are too straight to tell.
    """
    lags: list[np.ndarray] = []
    cosines: list[np.ndarray] = []
    for line in lines:
        steps = np.hypot(*np.diff(line, axis=0).T)
        total = float(steps.sum())
        if total < 4 * shortest:
            continue
        points = _evenly(line, steps, shortest / 2)
        tangent = np.diff(points, axis=0)
        tangent /= np.maximum(np.hypot(*tangent.T), 1e-12)[:, None]
        for apart in range(2, max(3, len(tangent) // 2)):
            cosines.append((tangent[apart:] * tangent[:-apart]).sum(axis=1))
            lags.append(np.full(len(tangent) - apart, apart * shortest / 2))
    if not lags:
        return math.nan
    lag, cosine = np.concatenate(lags), np.concatenate(cosines)
    distances, index = np.unique(lag, return_inverse=True)
    weight = np.bincount(index)
    mean = np.bincount(index, cosine) / weight
    below = np.flatnonzero(mean < _LEAST_COSINE)
    usable = slice(0, int(below[0]) if len(below) else len(mean))
    if not len(mean[usable]):
        return math.nan
    s, w = distances[usable], weight[usable]
    slope = -float((w * s * np.log(mean[usable])).sum() / (w * s * s).sum())
    if slope <= 0 or 1 / (2 * slope) > _STIFFEST * s[-1]:
        return math.nan
    return 1 / (2 * slope)


def _evenly(line: np.ndarray, steps: np.ndarray, spacing: float) -> np.ndarray:
    along = np.r_[0.0, np.cumsum(steps)]
    at = np.arange(0, along[-1], spacing)
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)])
