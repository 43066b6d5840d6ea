"""A segmenter's maps become objects: what is foreground, parted where the maps say that one object ends and the next begins."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import label
from skimage.segmentation import expand_labels, watershed


@dataclass(frozen=True, eq=False)
class ObjectMaps:
    """Maps (y, x) of one picture, float32: foreground and edge probabilities, depth in [0, 1], and for each pixel of an object
    the object's size (square root of its area) and the offset of its centre, in px of the maps."""

    foreground: np.ndarray
    edge: np.ndarray
    depth: np.ndarray
    size: np.ndarray
    centre_y: np.ndarray
    centre_x: np.ndarray


@dataclass(frozen=True)
class SeparationSettings:
    """core: depth above which a pixel belongs to the heart of an object. least_px: smaller objects are noise."""

    foreground: float = 0.5
    core: float = 0.55
    edge_weight: float = 0.3
    least_px: int = 12
    least_core_share: float = 0.004


DEFAULT_SETTINGS = SeparationSettings()


def separate(maps: ObjectMaps, settings: SeparationSettings = DEFAULT_SETTINGS) -> np.ndarray:
    """(y, x) int32 instance map by distance and watershed: connected hearts are flooded down the depth."""
    is_object = maps.foreground > settings.foreground
    heart = cv2.GaussianBlur(maps.depth, (0, 0), 1.0) - settings.edge_weight * maps.edge
    markers, count = label(is_object & (heart > settings.core))
    area = np.bincount(markers.ravel(), minlength=count + 1)
    due = settings.least_core_share * maps.size**2
    typical = np.bincount(markers.ravel(), due.ravel(), minlength=count + 1) / np.maximum(area, 1)
    markers[(area < np.maximum(2, typical))[markers]] = 0
    labels = watershed(-maps.depth, markers, mask=is_object)
    rest, _ = label(is_object & (labels == 0))
    labels = np.where(rest > 0, rest + labels.max(), labels)
    return without_small(labels, settings.least_px)


def without_small(labels: np.ndarray, least_px: int) -> np.ndarray:
    """Objects of fewer pixels become background, the others are numbered anew without gaps."""
    area = np.bincount(labels.ravel())
    kept = area >= least_px
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return numbers[labels]


def follow_offsets(maps: ObjectMaps, settings: SeparationSettings = DEFAULT_SETTINGS, steps: int = 6) -> np.ndarray:
    """(y, x) int32 instance map by flows: every pixel walks along the offsets to its centre, and those that meet are one object."""
    is_object = maps.foreground > settings.foreground
    rows, columns = np.nonzero(is_object)
    if not len(rows):
        return np.zeros(is_object.shape, np.int32)
    y: np.ndarray = rows.astype(np.float32)
    x: np.ndarray = columns.astype(np.float32)
    height, width = is_object.shape
    for step in range(steps):
        share = 0.8 if step else 0.9
        at = (np.clip(np.rint(y), 0, height - 1).astype(int), np.clip(np.rint(x), 0, width - 1).astype(int))
        inside = is_object[at]
        y = y + share * np.where(inside, maps.centre_y[at], 0)
        x = x + share * np.where(inside, maps.centre_x[at], 0)
    at = (np.clip(np.rint(y), 0, height - 1).astype(int), np.clip(np.rint(x), 0, width - 1).astype(int))
    # Votes of a large object scatter further: each is a disk of a tenth of its object's size.
    votes = np.zeros(is_object.shape, np.float32)
    np.add.at(votes, at, 1 / np.maximum(maps.size[rows, columns] ** 2, 1))
    reach = np.zeros(is_object.shape, np.float32)
    np.maximum.at(reach, at, 0.12 * maps.size[rows, columns])
    spread = _disks(votes > 0, reach)
    meeting, _ = label(spread)
    labels = np.zeros(is_object.shape, np.int32)
    labels[rows, columns] = meeting[at]
    return without_small(labels, settings.least_px)


def _disks(places: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """(y, x) bool: within reach of a place; reaches in octaves."""
    covered = places.copy()
    for radius in (1, 2, 4, 8, 16, 32):
        some = (places & (reach >= radius)).astype(np.uint8)
        if some.any():
            disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
            covered |= cv2.dilate(some, disk) > 0
    return covered


def enlarged(labels: np.ndarray, foreground: np.ndarray, shape: tuple[int, int], threshold: float = 0.5) -> np.ndarray:
    """Objects (y, x) at another resolution `shape`, outlined to a fraction of a pixel by the foreground probability (y', x')."""
    grown = expand_labels(labels, 2).astype(np.float32)  # float: OpenCV resamples no int32
    # Doubled and smoothed in turn, lines between objects do not show the coarse pixels they came from.
    while max(shape) > 1.5 * max(grown.shape):
        grown = cv2.medianBlur(np.repeat(np.repeat(grown, 2, 0), 2, 1), 5)
    numbers = cv2.resize(grown, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(np.int32)
    is_object = cv2.resize(foreground, shape[::-1], interpolation=cv2.INTER_LINEAR) > threshold
    return np.where(is_object, numbers, 0)
