"""Training copies of pictures with masks: resampled until their objects are large enough to learn, and cut into windows."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from morphoscope.data.preprocessing import Preprocessing
from morphoscope.inference.segmentation import tiles
from morphoscope.micrograph import Micrograph

AIMED_PX = 40.0
"""Size that the typical object of a copy has at least, where the stored picture has the pixels."""
LEAST_PX, MOST_PX, MOST_LOOK_PX = 512, 2048, 768
"""Longest side of a copy, which is never larger than the picture; the last one is that of copies to choose weights by."""
WINDOW_PX, OVERLAP_PX = 512, 64
MOST_WINDOWS = 600
"""Held in memory at some 1 MB each."""

Copy = tuple[np.ndarray, np.ndarray]
"""(Y, X) uint8 display values and int32 object numbers, at square pixels."""


def training_copy(micrograph: Micrograph, instance_map: np.ndarray, most_px: int = MOST_PX) -> Copy:
    """The specimen and its objects, without the information bar."""
    numbers = dataclasses.replace(micrograph, pixels=instance_map).specimen()
    areas = np.bincount(numbers.ravel())[1:]
    typical = float(np.sqrt(np.median(areas[areas > 0]))) if areas.any() else AIMED_PX
    side = int(np.clip(max(numbers.shape) * AIMED_PX / typical, LEAST_PX, most_px))
    grey = Preprocessing(0, 0, side).working_copy(micrograph)
    # float: OpenCV resamples no int32
    resampled = cv2.resize(numbers.astype(np.float32), grey.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return grey, resampled.astype(np.int32)


def windows_of(copy: Copy, most: int, rng: np.random.Generator) -> list[Copy]:
    """The copy in overlapping windows, at most so many of them; whole where it is little larger than a window."""
    grey, numbers = copy
    if max(grey.shape) <= WINDOW_PX + OVERLAP_PX:
        return [copy]
    places = list(tiles(grey.shape, WINDOW_PX, OVERLAP_PX))
    chosen = sorted(rng.choice(len(places), min(most, len(places)), replace=False))
    return [(grey[places[index]], numbers[places[index]]) for index in chosen]
