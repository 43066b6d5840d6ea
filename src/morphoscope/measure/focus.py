"""How sharp a picture is: the finest detail that is signal and not noise, in all directions and in the worst one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_SIDE_PX = 512
"""Windows of this size are looked at, on their stored pixels: blur is told in pixels."""
_MOST_WINDOWS = 9
_RINGS = 32
_CORRELATED = 1 / 7
"""Fourier ring correlation below which rings hold more noise than signal (Rosenthal & Henderson 2003)."""
_SECTORS = 4
_FEWEST_PX = 64
_FAINTEST = 0.1
"""A focus below which there is too little detail to have a direction."""


@dataclass(frozen=True)
class Sharpness:
    """focus: the finest correlated frequency over the finest that half the pixels can hold, 0 (blurred) to 1 (sharp to 2 px).

    drift: how much lower it is in the worst direction than in the best, 0 (alike) to 1. nan for pictures too small to tell.
    """

    focus: float
    drift: float


def sharpness(grey: np.ndarray) -> Sharpness:
    """Of a picture (Y, X), from the correlation of its even and its odd pixels ring by ring in Fourier space (Koho et al. 2019).

    Noise differs between neighbouring pixels and detail does not, so a noisy picture does not pass for a sharp one. The median of
    up to nine windows. Bias: a picture without fine detail counts as blurred, and one whose detail lies in one direction (parallel
    wires) as drifted; noise that pixels share, as compression leaves, counts as detail.
    """
    if min(grey.shape) < _FEWEST_PX:
        return Sharpness(math.nan, math.nan)
    sums = [_correlations(window) for window in _windows(grey)]
    focus = float(np.median([_cutoff(each.sum(axis=1)) for each in sums]))
    if focus < _FAINTEST:
        return Sharpness(focus, math.nan)
    worst_over_best = []
    for each in sums:
        sectors = [_cutoff(each[:, sector]) for sector in range(_SECTORS)]
        worst_over_best.append(min(sectors) / max(*sectors, 1 / _RINGS))
    return Sharpness(focus, float(1 - np.median(worst_over_best)))


def _windows(grey: np.ndarray) -> list[np.ndarray]:
    """Even-sized windows (y, x) evenly over the picture."""
    starts = []
    for side in grey.shape:
        taken = min(side - side % 2, _SIDE_PX)
        count = min(math.isqrt(_MOST_WINDOWS), max(1, side // taken))
        starts.append((taken, np.linspace(0, side - taken, count).astype(int).tolist()))
    (height, tops), (width, lefts) = starts
    return [grey[top : top + height, left : left + width] for top in tops for left in lefts]


def _correlations(window: np.ndarray) -> np.ndarray:
    """(3, sectors, rings): sums of the cross-spectrum of even and odd pixels, and of their two power spectra."""
    values = window.astype(np.float32)
    first, second = values[0::2, 0::2], values[1::2, 1::2]
    taper = np.outer(np.hanning(first.shape[0]), np.hanning(first.shape[1])).astype(np.float32)
    spectra = [np.fft.rfft2((half - half.mean()) * taper) for half in (first, second)]
    y, x = np.fft.fftfreq(first.shape[0])[:, None], np.fft.rfftfreq(first.shape[1])[None]
    back = np.exp(1j * math.pi * (y + x))  # the odd pixels lie half of their own pixels further on
    cross = (spectra[0] * np.conj(spectra[1]) * back).real
    radius = np.hypot(y, x)
    ring = np.minimum((radius * 2 * _RINGS).astype(int), _RINGS)  # a last one for the corners
    sector = np.floor(np.mod(np.arctan2(y, x) / math.pi * _SECTORS + 0.5, _SECTORS)).astype(int)
    index = sector * (_RINGS + 1) + ring
    powers = [abs(spectrum) ** 2 for spectrum in spectra]
    shape = (_SECTORS, _RINGS + 1)
    sums = [np.bincount(index.ravel(), each.ravel(), minlength=math.prod(shape)).reshape(shape) for each in (cross, *powers)]
    return np.array(sums)[:, :, 1:_RINGS]


def _cutoff(sums: np.ndarray) -> float:
    """The share of the rings, from the innermost, up to where the correlation (of (3, rings) sums) falls below its limit."""
    correlation = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-20))
    smooth = np.convolve(np.r_[correlation[0], correlation, correlation[-1]], [0.25, 0.5, 0.25], "valid")
    below = np.flatnonzero(smooth < _CORRELATED)
    return float(below[0] / len(smooth)) if len(below) else 1.0
