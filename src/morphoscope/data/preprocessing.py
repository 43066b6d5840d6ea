"""How a micrograph becomes the picture that a network takes. Training and prediction go through this one door.

First a working copy: the specimen (information bar cropped, unequal pixels made square) shrunk by area averaging and
stretched to 8 bits. Everything that only looks (network, texture, duplicates, thumbnails) starts from it.
Then the canvas of fixed size that a batch needs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from morphoscope.io.display import to_display
from morphoscope.micrograph import Micrograph

GREY_MEAN, GREY_STD = 0.5, 0.25
"""Fixed normalisation of display values in [0, 1]; the percentile stretch has already removed gain and offset."""

_CV2_DTYPES = {"uint8", "uint16", "int16", "float32"}


@dataclass(frozen=True)
class Preprocessing:
    """Part of the bundle. height, width: the network's canvas. working_side: longest side of the working copy in px. stretch:
    whether pictures are distorted to fill the canvas, or fitted into it as they are."""

    height: int
    width: int
    working_side: int = 512
    low_percentile: float = 0.1
    high_percentile: float = 99.9
    stretch: bool = False

    def working_copy(self, micrograph: Micrograph) -> np.ndarray:
        """(Y, X) uint8, at most `working_side` on a side, never enlarged, at square physical pixels."""
        specimen = _finite(micrograph.specimen())
        rows, columns = specimen.shape
        size = micrograph.pixel_size
        true_rows = rows * size.y_nm / size.x_nm if size else float(rows)
        zoom = min(1.0, self.working_side / max(true_rows, columns))
        shrunk = resample(specimen, (max(1, round(true_rows * zoom)), max(1, round(columns * zoom))))
        return to_display(shrunk, self.low_percentile, self.high_percentile)

    def canvas(self, working: np.ndarray) -> np.ndarray:
        """(height, width) uint8: a working copy fitted in and centred on a ground of its own mean."""
        top, left, rows, columns = self._fitted(working.shape)
        grey = resample(working, (rows, columns))
        canvas = np.full((self.height, self.width), np.uint8(grey.mean()), np.uint8)
        canvas[top : top + rows, left : left + columns] = grey
        return canvas

    def from_canvas(self, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """(Y, X) float32 of `shape`, that of a working copy: values (y, x) over its canvas, brought back onto it."""
        top, left, rows, columns = self._fitted(shape)
        whole = cv2.resize(np.asarray(values, np.float32), (self.width, self.height))
        return cv2.resize(whole[top : top + rows, left : left + columns], shape[::-1])

    def _fitted(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Top, left, rows and columns that a working copy takes of the canvas."""
        if self.stretch:
            return 0, 0, self.height, self.width
        zoom = min(self.height / shape[0], self.width / shape[1])
        rows = min(self.height, max(1, round(shape[0] * zoom)))
        columns = min(self.width, max(1, round(shape[1] * zoom)))
        return (self.height - rows) // 2, (self.width - columns) // 2, rows, columns

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self)


def resample(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(Y, X) pixels at another shape: area averaging where it shrinks to less than a half, else bilinear."""
    if pixels.shape == shape:
        return pixels
    if pixels.dtype.name not in _CV2_DTYPES:
        pixels = pixels.astype(np.float32)
    # Down to half the size the four neighbours of the linear interpolation leave no pixel out.
    is_linear = 2 * shape[0] >= pixels.shape[0] and 2 * shape[1] >= pixels.shape[1]
    interpolation = cv2.INTER_LINEAR if is_linear else cv2.INTER_AREA
    return cv2.resize(np.ascontiguousarray(pixels), shape[::-1], interpolation=interpolation)


def common_canvas(aspects: np.ndarray, side: int, multiple: int = 32) -> tuple[int, int]:
    """Height and width, multiples of `multiple` and of about `side`² pixels, that suit the median height/width of a folder."""
    aspect = float(np.clip(np.median(aspects), 0.5, 2.0))
    height, width = side * np.sqrt(aspect), side / np.sqrt(aspect)
    return max(multiple, round(height / multiple) * multiple), max(multiple, round(width / multiple) * multiple)


def _finite(pixels: np.ndarray) -> np.ndarray:
    """The pixels with the mean in place of NaN and infinities, which area averaging would spread."""
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return pixels
    finite = np.isfinite(pixels)
    return np.where(finite, pixels, pixels[finite].mean())
