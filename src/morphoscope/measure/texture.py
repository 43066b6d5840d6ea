"""Texture of a picture in a hundred numbers: grey values, scale space, orientation, curvature and granulometry.

They need no training, so they carry a classifier where labels are few, and they see structure finer than a network's canvas.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 256
"""Pictures are brought to this many pixels on the longer side, so that scales are shares of the field of view."""

_BLURS_PX = (1, 2, 4, 8, 16, 32)
_TENSOR_SCALES_PX = (1, 2, 4, 8)
_CURVATURE_SCALES_PX = (1.5, 3, 6)
_OPENING_RADII_PX = (1, 2, 4, 8, 16, 32)
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
    parts = (_grey_values(grey), _scale_space(grey), _orientation(grey), _curvature(grey), _granulometry(grey))
    return np.concatenate(parts).astype(np.float32)


def _grey_values(grey: np.ndarray) -> np.ndarray:
    spread = grey.std() + _TINY
    centred = (grey - grey.mean()) / spread
    return np.array([*np.percentile(grey, [1, 5, 25, 50, 75, 95, 99]), grey.mean(), spread, (centred**3).mean(), (centred**4).mean()])


def _scale_space(grey: np.ndarray) -> np.ndarray:
    """Strength, skewness, tail weight and extremes of each band between two Gaussian blurs."""
    features: list[float] = []
    finer = grey
    for sigma in _BLURS_PX:
        coarser = _blurred(grey, sigma)
        band = finer - coarser
        finer = coarser
        spread = band.std() + _TINY
        low, high = np.percentile(band, [2, 98])
        cubes = band**3
        tails = np.log((cubes * band).mean() / spread**4 + _TINY)
        features += [np.log(spread), cubes.mean() / spread**3, tails, low / spread, high / spread]
    return np.array(features)


def _orientation(grey: np.ndarray) -> np.ndarray:
    """Local and global coherence of the gradient, its strength and how unevenly that is spread, a scale each."""
    features: list[float] = []
    for sigma in _TENSOR_SCALES_PX:
        smooth = _blurred(grey, sigma)
        along_x, along_y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
        xx, yy, xy = (_blurred(product, 2 * sigma) for product in (along_x**2, along_y**2, along_x * along_y))
        energy = xx + yy
        anisotropy = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
        coherence = anisotropy / (energy + 1e-9)
        total = float(energy.sum()) + 1e-9
        features += [
            float(anisotropy.sum()) / total,
            coherence.mean(),
            np.log(energy.mean() + 1e-9),
            np.log(energy.std() / (energy.mean() + 1e-9) + _TINY),
            np.hypot(float((xx - yy).sum()), 2 * float(xy.sum())) / total,
        ]
    return np.array(features)


def _curvature(grey: np.ndarray) -> np.ndarray:
    """Histogram of the shape index (cups, ruts, saddles, ridges, caps), a scale each."""
    shares = []
    for sigma in _CURVATURE_SCALES_PX:
        smooth = _blurred(grey, sigma)
        along_x, along_y = np.gradient(smooth, axis=1), np.gradient(smooth, axis=0)
        xx, yy, xy = np.gradient(along_x, axis=1), np.gradient(along_y, axis=0), np.gradient(along_x, axis=0)
        root = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
        index = np.arctan2(-(xx + yy), root) * (2 / np.pi)
        counts, _ = np.histogram(index, bins=8, range=(-1, 1))
        shares.append(counts / index.size)
    return np.concatenate(shares)


def _granulometry(grey: np.ndarray) -> np.ndarray:
    """Mean brightness that an opening (bright grains) or closing (dark grains) removes, a radius each."""
    features = []
    for operation in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
        last = float(grey.mean())
        small = grey
        for radius in _OPENING_RADII_PX:
            # Large grains do not need fine pixels: halving the picture with each doubling of the radius costs a hundredth.
            if radius > 2:
                small = cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) if min(small.shape) > 8 else small
            disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * min(radius, 2) + 1,) * 2)
            mean = float(cv2.morphologyEx(small, operation, disk).mean())
            features.append(mean - last)
            last = mean
    return np.array(features)


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; wide ones on a smaller picture, which gives the same values several times faster."""
    step = int(sigma // 4)
    if step < 2:
        return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    size = (max(2, picture.shape[1] // step), max(2, picture.shape[0] // step))
    small = cv2.GaussianBlur(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, picture.shape[::-1], interpolation=cv2.INTER_LINEAR)
