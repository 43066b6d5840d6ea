"""Any stored depth to eight bits for the eye and the network."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

_SAMPLE = 2**18
_BLOCK_ROWS = 64


def to_display(pixels: np.ndarray, low: float = 0.1, high: float = 99.9) -> np.ndarray:
    """Grey levels stretched to uint8 (Y, X) between two percentiles.

    pixels: (Y, X) of any integer or float dtype. NaN becomes 0, infinities 0 or 255, a constant picture mid grey (128).
    Bias: the `low` and `100 - high` percent of the pixels beyond the percentiles saturate, so intensities can't be
    compared between pictures; the percentiles come from a regular subsample of about a quarter of a million pixels.
    Eight-bit pictures are stretched too: exposure is no property of the specimen.
    """
    floor, ceiling = _levels(pixels, low, high)
    if not ceiling > floor:
        return np.full(pixels.shape, 128, dtype=np.uint8)
    if _is_few_levels(pixels):  # stretch the levels once in place of every pixel
        table = _stretched(np.arange(np.iinfo(pixels.dtype).max + 1, dtype=np.float32), floor, ceiling)
        return cv2.LUT(pixels, table) if pixels.dtype == np.uint8 else table.take(pixels)
    work = np.float32 if pixels.dtype.itemsize <= 2 or pixels.dtype == np.float32 else np.float64
    shown = np.empty(pixels.shape, dtype=np.uint8)
    for start in range(0, len(pixels), _BLOCK_ROWS):  # blocks stay in the processor's cache
        block = pixels[start : start + _BLOCK_ROWS].astype(work)
        if pixels.dtype.kind == "f":
            np.nan_to_num(block, copy=False, nan=floor, posinf=ceiling, neginf=floor)
        shown[start : start + _BLOCK_ROWS] = _stretched(block, floor, ceiling)
    return shown


def percentiles(values: np.ndarray, percent: Sequence[float]) -> list[float]:
    """Percentiles of up to 2**24 finite values of any shape, by linear interpolation: `np.percentile`, several times faster.

    Up to sixteen bits they are read off a histogram; the rest is sorted, which NumPy does with SIMD and its percentile without.
    """
    if _is_few_levels(values):
        count = np.iinfo(values.dtype).max + 1
        up_to = cv2.calcHist([np.ascontiguousarray(values)], [0], None, [count], [0, count]).cumsum(dtype=np.float64)
        value_of = lambda rank: float(up_to.searchsorted(rank, "right"))  # noqa: E731
    else:
        value_of = np.sort(values, axis=None).item
    found = []
    for position in (share / 100 * (values.size - 1) for share in percent):
        rank = int(position)
        below, above = value_of(rank), value_of(math.ceil(position))
        found.append(below + (position - rank) * (above - below))
    return found


def _is_few_levels(pixels: np.ndarray) -> bool:
    """Whether the grey levels that a dtype allows are fewer than the pixels."""
    return pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2 and pixels.size >= np.iinfo(pixels.dtype).max


def _stretched(values: np.ndarray, floor: float, ceiling: float) -> np.ndarray:
    """uint8 of float values, which are overwritten."""
    values -= floor
    values *= 255 / (ceiling - floor)
    values.clip(0, 255, out=values)
    values += 0.5
    return values.astype(np.uint8)


def _levels(pixels: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The grey levels at both percentiles; the extremes where nearly all pixels are alike."""
    step = max(1, int(np.sqrt(pixels.size / _SAMPLE)))
    floor, ceiling = percentiles(_finite(pixels[::step, ::step]), (low, high))
    if not ceiling > floor:
        finite = _finite(pixels)
        floor, ceiling = finite.min(), finite.max()
    return float(floor), float(ceiling)


def _finite(pixels: np.ndarray) -> np.ndarray:
    """The finite values; a single zero where there are none."""
    if pixels.dtype.kind != "f":
        return pixels
    finite = pixels[np.isfinite(pixels)]
    return finite if finite.size else np.zeros(1)
