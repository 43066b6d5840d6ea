"""Any stored depth to eight bits for the eye and the network."""

from __future__ import annotations

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
    shown = np.empty(pixels.shape, dtype=np.uint8)
    if not ceiling > floor:
        shown.fill(128)
        return shown
    work = np.float32 if pixels.dtype.itemsize <= 2 or pixels.dtype == np.float32 else np.float64
    is_float = pixels.dtype.kind == "f"
    for start in range(0, len(pixels), _BLOCK_ROWS):  # blocks stay in the processor's cache
        block: np.ndarray = pixels[start : start + _BLOCK_ROWS].astype(work)
        block -= floor
        block *= 255 / (ceiling - floor)
        block.clip(0, 255, out=block)
        if is_float:
            np.nan_to_num(block, copy=False)
        block += 0.5
        shown[start : start + _BLOCK_ROWS] = block
    return shown


def _levels(pixels: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The grey levels at both percentiles; the extremes where nearly all pixels are alike."""
    step = max(1, int(np.sqrt(pixels.size / _SAMPLE)))
    floor, ceiling = _percentiles(pixels[::step, ::step], low, high)
    if ceiling > floor:
        return floor, ceiling
    return _percentiles(pixels, 0, 100)


def _percentiles(pixels: np.ndarray, low: float, high: float) -> tuple[float, float]:
    finite = pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels
    if finite.size == 0:
        return 0.0, 0.0
    floor, ceiling = np.percentile(finite.astype(np.float64, copy=False), (low, high))
    return float(floor), float(ceiling)
