"""Texture of a picture in a hundred numbers: grey values, scale space, orientation, curvature and granulometry.

They need no training, so they carry a classifier where labels are few, and they see structure finer than a network's canvas.
A picture is halved with each octave, since a smooth one needs fewer pixels: all octaves together cost little more than the first.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from morphoscope.io.display import percentiles

SIDE = 256
"""Pictures are brought to this many pixels on the longer side, so that scales are shares of the field of view."""

_OCTAVES, _TENSOR_OCTAVES = 6, 4
"""Blurs of 1, 2, 4, … px of the picture, and how many of them the gradient is looked at in."""
_CURVATURE_BLUR_PX, _CURVATURE_OCTAVES = 1.5, 3
_OPENING_RADII_PX = (1, 2, 4, 8, 16, 32)
_DISKS = {r: (np.hypot(*np.mgrid[-r : r + 1, -r : r + 1]) <= r + 0.4).astype(np.uint8) for r in (1, 2)}
"""Cross and rounded square: unlike OpenCV's ellipses they look the same after a quarter turn."""
_SHAPE_INDEX_EDGES = np.tan(np.pi / 8 * np.arange(-3, 4)).astype(np.float32)
_FIRST, _SECOND, _SAME = (np.array(kernel, np.float32) for kernel in ([-0.5, 0, 0.5], [0.25, 0, -0.5, 0, 0.25], [1]))
_HESSIAN = ((_SECOND, _SAME), (_SAME, _SECOND), (_FIRST, _FIRST))
"""Separable kernels along x and y of the second derivatives xx, yy and xy."""
_LEAST_CURVATURE = 1e-6
"""In display values per px²: what rounding leaves of a flat area is no shape."""
_TINY = 1e-6


def texture_descriptors(display: np.ndarray) -> np.ndarray:
    """(D,) float32 descriptors of a uint8 picture (Y, X); invariant to flips and quarter turns, nearly so to any rotation.

    Sources: difference-of-Gaussians statistics (Lowe 2004), structure tensor coherence (Bigün & Granlund 1987), shape index
    (Koenderink & van Doorn 1992), granulometry by openings and closings (Serra 1982). Bias: fractions near the picture's
    border come from reflected content.
    """
    zoom = SIDE / max(display.shape)
    shape = (max(8, round(display.shape[1] * zoom)), max(8, round(display.shape[0] * zoom)))
    grey = cv2.resize(display, shape, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR).astype(np.float32) / 255
    return np.array([*_grey_values(grey), *_scale_space(grey), *_curvature(grey), *_granulometry(grey)], np.float32)


def _grey_values(grey: np.ndarray) -> list[float]:
    mean, spread = float(grey.mean()), float(grey.std()) + _TINY
    third, fourth = _third_and_fourth_moment((grey - mean) / spread)
    return [*percentiles(grey, (1, 5, 25, 50, 75, 95, 99)), mean, spread, third, fourth]


def _scale_space(grey: np.ndarray) -> list[float]:
    """Bands between two Gaussian blurs, an octave each, then the orientation of the finer ones."""
    bands: list[float] = []
    orientations: list[float] = []
    finer, blur_px = grey, 0.0
    for octave in range(_OCTAVES):
        wanted_px = 1 if octave == 0 else 2
        coarser = _blurred(finer, math.sqrt(wanted_px**2 - blur_px**2))
        bands += _band(finer - coarser)
        if octave < _TENSOR_OCTAVES:
            orientations += _orientation(coarser, 2 * wanted_px, 2 ** max(0, octave - 1))
        finer, blur_px = (coarser, 1.0) if octave == 0 else (_halved(coarser), _blur_after_halving(2))
    return bands + orientations


def _band(band: np.ndarray) -> list[float]:
    """Strength, skewness, tail weight and extremes."""
    spread = float(band.std()) + _TINY
    third, fourth = _third_and_fourth_moment(band)
    low, high = percentiles(band, (2, 98))
    return [math.log(spread), third / spread**3, math.log(fourth / spread**4 + _TINY), low / spread, high / spread]


def _orientation(smooth: np.ndarray, window_px: float, pixel: int) -> list[float]:
    """Local and global coherence of the gradient, its strength and how unevenly that is spread. pixel: its width in px of the
    whole picture."""
    along_x, along_y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / pixel), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / pixel)
    xx, yy, xy = (
        _blurred(_halved(product), window_px / 2) for product in (along_x * along_x, along_y * along_y, along_x * along_y)
    )
    energy, difference, xy = xx + yy, xx - yy, 2 * xy
    anisotropy = cv2.magnitude(difference, xy)
    mean = float(energy.mean()) + 1e-9
    return [
        float(anisotropy.mean()) / mean,
        float((anisotropy / (energy + 1e-9)).mean()),
        math.log(mean),
        math.log(float(energy.std()) / mean + _TINY),
        math.hypot(float(difference.mean()), float(xy.mean())) / mean,
    ]


def _curvature(grey: np.ndarray) -> list[float]:
    """Histogram of the shape index (cups, ruts, saddles, ridges, caps), an octave each."""
    shares: list[float] = []
    blur_px = 0.0
    for _ in range(_CURVATURE_OCTAVES):
        grey = _blurred(grey, math.sqrt(_CURVATURE_BLUR_PX**2 - blur_px**2))
        xx, yy, xy = (
            cv2.sepFilter2D(grey, cv2.CV_32F, along_x, along_y, borderType=cv2.BORDER_REFLECT) for along_x, along_y in _HESSIAN
        )
        # The index is the arc tangent of -(xx + yy) / root; comparing with the tangents of the histogram's edges spares it.
        total, root = xx + yy, cv2.magnitude(xx - yy, 2 * xy) + _LEAST_CURVATURE
        above = [np.count_nonzero(total <= -edge * root) for edge in _SHAPE_INDEX_EDGES]
        shares += (-np.diff([grey.size, *above, 0]) / grey.size).tolist()
        grey, blur_px = _halved(grey), _blur_after_halving(_CURVATURE_BLUR_PX)
    return shares


def _granulometry(grey: np.ndarray) -> list[float]:
    """Mean brightness that an opening (bright grains) or closing (dark grains) removes, a radius each."""
    features = []
    for operation in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
        last = float(grey.mean())
        small = grey
        for radius in _OPENING_RADII_PX:
            # Large grains do not need fine pixels: halving the picture with each doubling of the radius costs a hundredth.
            if radius > 2:
                small = _halved(small) if min(small.shape) > 8 else small
            mean = float(cv2.morphologyEx(small, operation, _DISKS[min(radius, 2)]).mean())
            features.append(mean - last)
            last = mean
    return features


def _third_and_fourth_moment(values: np.ndarray) -> tuple[float, float]:
    flat = values.ravel()
    squares = flat * flat
    return float(np.dot(squares, flat)) / flat.size, float(np.dot(squares, squares)) / flat.size


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _halved(picture: np.ndarray) -> np.ndarray:
    size = (max(2, picture.shape[1] // 2), max(2, picture.shape[0] // 2))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _blur_after_halving(blur_px: float) -> float:
    """Standard deviation in new pixels of a blur in old ones; averaging two pixels adds a variance of 1/4."""
    return math.sqrt(blur_px**2 + 0.25) / 2
