"""Texture of a picture in a hundred numbers: grey values, scale space, orientation, curvature and granulometry.

They need no training, so they carry a classifier where labels are few, and they see structure finer than a network's canvas.
A picture is halved with each octave, since a smooth one needs fewer pixels: all octaves together cost little more than the first.
"""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np

from morphoscope.io.display import percentiles

SIDE = 256
"""Pictures are brought to this many pixels on the longer side, so that scales are shares of the field of view."""

_OCTAVES, _TENSOR_OCTAVES = 6, 4
"""Blurs of 1, 2, 4, … px of the picture, and how many of them the gradient is looked at in."""
_LARGEST_PIXEL = 8
"""In px of the whole picture: fewer than a thousand values would make their percentiles noisy."""
_CURVATURE_BLUR_PX, _CURVATURE_OCTAVES = 1.5, 3
_DISKS = [(np.hypot(*np.mgrid[-r : r + 1, -r : r + 1]) <= r + 0.4).astype(np.uint8) for r in (1, 2)]
"""Cross and rounded square, 1 and 2 px in radius: unlike OpenCV's ellipses they look the same after a quarter turn."""
_GRAIN_OCTAVES = 4
"""Radii of 4, 8, 16 and 32 px after the two."""
_SHAPE_INDEX_EDGES = np.tan(np.pi / 8 * np.arange(-3, 4)).astype(np.float32)
_FIRST, _SECOND, _SAME = (np.array(kernel, np.float32) for kernel in ([-0.5, 0, 0.5], [0.25, 0, -0.5, 0, 0.25], [1]))
_HESSIAN = ((_SECOND, _SAME), (_SAME, _SECOND), (2 * _FIRST, _FIRST))
"""Separable kernels along x and y of the second derivatives xx, yy and twice xy."""
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
    # Sides that halve without a rest, as often as they are halved, take OpenCV's fast way.
    shape = tuple(_LARGEST_PIXEL * max(1, round(side * zoom / _LARGEST_PIXEL)) for side in display.shape[::-1])
    # Between half and full size the four neighbours of the linear interpolation leave no pixel out.
    levels = cv2.resize(display, shape, interpolation=cv2.INTER_AREA if zoom < 0.5 else cv2.INTER_LINEAR)
    grey = levels.astype(np.float32) / 255
    return np.array([*_grey_values(levels), *_scale_space(grey), *_curvature(grey), *_granulometry(levels, grey)], np.float32)


def _grey_values(levels: np.ndarray) -> list[float]:
    counts = cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel()
    share, grey = counts / levels.size, np.arange(256) / 255
    mean = float(share @ grey)
    spread = math.sqrt(float(share @ (grey - mean) ** 2)) + _TINY
    third, fourth = (float(share @ ((grey - mean) / spread) ** power) for power in (3, 4))
    return [*(level / 255 for level in percentiles(levels, (1, 5, 25, 50, 75, 95, 99))), mean, spread, third, fourth]


def _scale_space(grey: np.ndarray) -> list[float]:
    """Bands between two Gaussian blurs, an octave each, then the orientation of the finer ones."""
    bands: list[float] = []
    orientations: list[float] = []
    blur_px, pixel = 0.0, 1
    for octave in range(_OCTAVES):
        wanted_px = 2**octave / pixel
        coarser = _blurred(grey, math.sqrt(wanted_px**2 - blur_px**2))
        bands += _band(grey - coarser)
        if octave < _TENSOR_OCTAVES:
            orientations += _orientation(coarser, pixel)
        grey, blur_px = coarser, wanted_px
        if pixel < _LARGEST_PIXEL:
            grey, blur_px, pixel = _halved(coarser), _blur_after_halving(wanted_px), 2 * pixel
    return bands + orientations


def _band(band: np.ndarray) -> list[float]:
    """Strength, skewness, tail weight and extremes."""
    squares = cv2.multiply(band, band)
    third, fourth = (float(np.vdot(squares, each)) / band.size for each in (band, squares))
    spread = _mean_and_spread(band)[1] + _TINY
    low, high = percentiles(band, (2, 98))
    return [math.log(spread), third / spread**3, math.log(fourth / spread**4 + _TINY), low / spread, high / spread]


def _orientation(smooth: np.ndarray, pixel: int) -> list[float]:
    """Local and global coherence of the gradient, its strength and how unevenly that is spread. pixel: its width in px of the
    whole picture."""
    along_x, along_y = (cv2.Sobel(smooth, cv2.CV_32F, *axes, scale=1 / pixel) for axes in ((1, 0), (0, 1)))
    pairs = ((along_x, along_x), (along_y, along_y), (along_x, along_y))
    product = np.empty_like(smooth)  # memory asked for anew costs more than the numbers that go there
    xx, yy, xy = (_blurred(_halved(cv2.multiply(*pair, dst=product)), 1) for pair in pairs)
    energy, difference, xy = xx + yy, xx - yy, 2 * xy
    anisotropy = cv2.magnitude(difference, xy)
    mean, spread = _mean_and_spread(energy)
    mean += 1e-9
    return [
        _mean(anisotropy) / mean,
        _mean(anisotropy / (energy + 1e-9)),
        math.log(mean),
        math.log(spread / mean + _TINY),
        math.hypot(_mean(difference), _mean(xy)) / mean,
    ]


def _curvature(grey: np.ndarray) -> list[float]:
    """Histogram of the shape index (cups, ruts, saddles, ridges, caps), an octave each."""
    shares: list[float] = []
    blur_px = 0.0
    for _ in range(_CURVATURE_OCTAVES):
        grey = _blurred(grey, math.sqrt(_CURVATURE_BLUR_PX**2 - blur_px**2))
        xx, yy, twice_xy = (
            cv2.sepFilter2D(grey, cv2.CV_32F, along_x, along_y, borderType=cv2.BORDER_REFLECT) for along_x, along_y in _HESSIAN
        )
        # The index is the arc tangent of -(xx + yy) / root; the tangents of the histogram's edges spare it.
        opposite = cv2.add(xx, yy)
        root = cv2.magnitude(cv2.subtract(xx, yy, dst=xx), twice_xy, magnitude=yy)
        opposite = cv2.divide(opposite, cv2.add(root, _LEAST_CURVATURE, dst=root), dst=opposite)  # type: ignore[call-overload]
        above = [1.0, *(np.count_nonzero(opposite <= -edge) / grey.size for edge in _SHAPE_INDEX_EDGES), 0.0]
        shares += [low - high for low, high in pairwise(above)]
        grey, blur_px = _halved(grey), _blur_after_halving(_CURVATURE_BLUR_PX)
    return shares


def _granulometry(levels: np.ndarray, grey: np.ndarray) -> list[float]:
    """Mean brightness that an opening (bright grains) or closing (dark grains) removes, a radius each."""
    features = []
    for operation in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
        means = [_mean(grey)]
        means += [_mean(cv2.morphologyEx(levels, operation, disk)) / 255 for disk in _DISKS]
        small = grey
        # Large grains do not need fine pixels: halving the picture with each doubling of the radius costs a hundredth.
        for _ in range(_GRAIN_OCTAVES):
            small = _halved(small) if min(small.shape) > 8 else small
            means.append(_mean(cv2.morphologyEx(small, operation, _DISKS[-1])))
        features += [after - before for before, after in pairwise(means)]
    return features


def _mean_and_spread(values: np.ndarray) -> tuple[float, float]:
    mean, spread = cv2.meanStdDev(values)
    return float(mean[0, 0]), float(spread[0, 0])


def _mean(values: np.ndarray) -> float:
    return cv2.mean(values)[0]


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _halved(picture: np.ndarray) -> np.ndarray:
    size = (max(2, picture.shape[1] // 2), max(2, picture.shape[0] // 2))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _blur_after_halving(blur_px: float) -> float:
    """Standard deviation in new pixels of a blur in old ones; averaging two pixels adds a variance of 1/4."""
    return math.sqrt(blur_px**2 + 0.25) / 2
