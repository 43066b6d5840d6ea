"""Random fields, (Y, X) float32 of mean 0 and spread 1: the grain, roughness and unevenness of all that is drawn."""

from __future__ import annotations

import math

import numpy as np
import scipy.fft
from scipy import ndimage
from scipy.spatial import cKDTree

Shape = tuple[int, int]


def standardised(field: np.ndarray) -> np.ndarray:
    """The field with mean 0 and standard deviation 1; a constant field becomes 0."""
    field = field - field.mean()
    return (field / max(float(field.std()), 1e-9)).astype(np.float32)


def white(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Uncorrelated normal noise."""
    return rng.standard_normal(shape, dtype=np.float32)


def smooth(shape: Shape, rng: np.random.Generator, length_px: float) -> np.ndarray:
    """Normal noise with a correlation length: blobs about `length_px` across."""
    step = max(1, int(length_px / 3))
    coarse = tuple(-(-n // step) + 3 for n in shape)
    field = ndimage.gaussian_filter(white((coarse[0], coarse[1]), rng), max(length_px / 2.5 / step, 0.3), mode="wrap")
    return standardised(enlarged(field, step)[: shape[0], : shape[1]])


def fractal(shape: Shape, rng: np.random.Generator, slope: float, longest_px: float = np.inf) -> np.ndarray:
    """Noise whose amplitude falls as wavelength^-slope up to `longest_px`: 0 is white, 1 rough, 2 a smooth landscape."""
    fast = tuple(scipy.fft.next_fast_len(n + min(n // 4, 32), real=True) for n in shape)
    k = np.hypot(scipy.fft.fftfreq(fast[0])[:, None], scipy.fft.rfftfreq(fast[1])[None]).astype(np.float32)
    k = np.maximum(k, max(1 / longest_px, 0.5 / max(fast)))
    spectrum = scipy.fft.rfft2(white((fast[0], fast[1]), rng)) * k**-slope
    return standardised(scipy.fft.irfft2(spectrum, s=fast)[: shape[0], : shape[1]])


def enlarged(field: np.ndarray, step: int) -> np.ndarray:
    """The field with every sample spread over `step` pixels in both axes, linearly interpolated."""
    return field if step == 1 else ndimage.zoom(field, step, order=1)


def blurred(field: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur; wide ones by three running means, whose cost does not depend on the width."""
    if sigma_px < 4:
        return ndimage.gaussian_filter(field, sigma_px, mode="nearest", truncate=3) if sigma_px > 0.05 else field
    width = max(3, round(np.sqrt(12 * sigma_px**2 / 3 + 1)) | 1)
    for _ in range(3):
        field = ndimage.uniform_filter(field, width, mode="nearest")
    return field


def cells(
    shape: Shape, points: np.ndarray, nearest: int = 2, warp: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Voronoi tessellation: distances in px to the closest of the points (n, 2) and those points' indices, (Y, X, nearest) both.

    warp: displacement (Y, X) in px along y and x, which bends the borders.
    """
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    if warp is not None:
        y, x = y + warp[0], x + warp[1]
    distance, index = cKDTree(points).query(np.stack([y.ravel(), x.ravel()], 1), k=nearest)
    return distance.reshape(*shape, nearest).astype(np.float32), index.reshape(*shape, nearest)


def bumps(shape: Shape, rng: np.random.Generator, length_px: float) -> np.ndarray:
    """Close-packed hemispheres `length_px` across (raspberry, grains): 0 in the grooves, 1 on the crests; not standardised."""
    step = max(1, int(length_px / 6))
    coarse = (-(-shape[0] // step) + 2, -(-shape[1] // step) + 2)
    pitch = length_px / step
    points = jittered_grid(coarse, rng, pitch, 0.55)
    nearest = cells(coarse, points, nearest=2)[0][..., 0]
    caps = np.sqrt(np.clip(1 - (nearest / (0.62 * pitch)) ** 2, 0, 1))
    return enlarged(caps, step)[: shape[0], : shape[1]]


def uneven(shape: Shape, rng: np.random.Generator, strength: float) -> np.ndarray:
    """A factor (Y, X) about 1, not standardised: brighter to one side and towards a centre that need not be the picture's."""
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None]
    angle, (cy, cx) = rng.uniform(0, 2 * math.pi), rng.normal(0, 0.5, 2)
    tilt = math.sin(angle) * y + math.cos(angle) * x
    return 1 + strength * (0.6 * tilt - 0.5 * ((y - cy) ** 2 + (x - cx) ** 2) + 0.3)


def jittered_grid(shape: Shape, rng: np.random.Generator, pitch_px: float, jitter: float) -> np.ndarray:
    """Points (n, 2) in px of a hexagonal lattice over `shape` and one pitch beyond, each moved by up to `jitter` pitches."""
    rows = np.arange(-1, shape[0] / (pitch_px * 0.866) + 2)
    columns = np.arange(-1, shape[1] / pitch_px + 2)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    points = np.stack([y * 0.866, x + 0.5 * (y % 2)], -1).reshape(-1, 2)
    return (points + rng.uniform(-jitter, jitter, points.shape)) * pitch_px


def cut(field: np.ndarray, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """A random window of a field, tiled where the field is the smaller."""
    if shape[0] > field.shape[0] or shape[1] > field.shape[1]:
        field = np.pad(field, [(0, max(0, s - f)) for s, f in zip(shape, field.shape, strict=True)], mode="symmetric")
    y, x = (int(rng.integers(f - s + 1)) for s, f in zip(shape, field.shape, strict=True))
    return field[y : y + shape[0], x : x + shape[1]]
