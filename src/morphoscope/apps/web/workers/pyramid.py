"""A picture at every power of two of its size, at its stored depth, as files that can be read in pieces."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.data.preprocessing import resample
from morphoscope.io.display import percentiles

TILE_PX = 256
BINS = 256
_LOW, _HIGH = 0.1, 99.9
_SAMPLE = 2**22
INFO = "pyramid.json"


def level_file(folder: Path, level: int) -> Path:
    """Where a level lies, in Deep Zoom numbering: 0 is one pixel."""
    return folder / f"{level}.npy"


def write_pyramid(pixels: np.ndarray, folder: Path) -> dict[str, Any]:
    """Writes the levels of (Y, X) pixels and returns what the viewer needs to know of them, which is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    top = math.ceil(math.log2(max(pixels.shape))) if max(pixels.shape) > 1 else 0
    shown = _storable(pixels)
    info = {"height": pixels.shape[0], "width": pixels.shape[1], "levels": top + 1, **_grey_levels(shown)}
    for level in range(top, -1, -1):
        shape = (math.ceil(pixels.shape[0] / 2 ** (top - level)), math.ceil(pixels.shape[1] / 2 ** (top - level)))
        shown = resample(shown, shape)
        np.save(level_file(folder, level), shown, allow_pickle=False)
    (folder / INFO).write_text(json.dumps(info), encoding="utf-8")
    return info


def _storable(pixels: np.ndarray) -> np.ndarray:
    """Grey levels in native byte order that OpenCV resamples; what is no finite number is the least that is."""
    if pixels.dtype.name in ("uint8", "uint16", "int16"):
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    values = pixels.astype(np.float32)
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, values[finite].min() if finite.any() else 0)


def _grey_levels(pixels: np.ndarray) -> dict[str, Any]:
    step = max(1, math.isqrt(pixels.size // _SAMPLE))
    sample = np.ascontiguousarray(pixels[::step, ::step])
    low, high = percentiles(sample, (_LOW, _HIGH))
    minimum, maximum = float(pixels.min()), float(pixels.max())
    if not high > low:
        low, high = minimum, maximum
    counts, _ = np.histogram(sample, BINS, (minimum, maximum if maximum > minimum else minimum + 1))
    return {"low": low, "high": high, "minimum": minimum, "maximum": maximum, "histogram": counts.tolist()}
