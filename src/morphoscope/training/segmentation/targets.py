"""What a segmenter is to say of a picture, worked out once from its instance map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects

DEPTH_LEVELS = 255


@dataclass(frozen=True, eq=False)
class ObjectTargets:
    """Of a map of K objects, renumbered 1 … K: depth (Y, X) uint8 is a pixel's distance to its object's edge over the largest
    there, in DEPTH_LEVELS; centres (K, 2) float32 their centres of mass (y, x) in px; sizes (K,) float32 the square roots
    of their areas in px."""

    numbers: np.ndarray
    depth: np.ndarray
    centres: np.ndarray
    sizes: np.ndarray


def object_targets(instance_map: np.ndarray) -> ObjectTargets:
    """Targets of an instance map (Y, X) of unsigned integers, 0 = background. The border of the picture is no edge of an object."""
    numbers = np.zeros(instance_map.shape, np.int32)
    depth = np.zeros(instance_map.shape, np.uint8)
    centres, sizes = [], []
    values = np.unique(instance_map[instance_map != 0])
    compact = np.where(instance_map != 0, np.searchsorted(values, instance_map) + 1, 0)
    for number, window in enumerate(find_objects(compact), start=1):
        inside = compact[window] == number
        rows, columns = np.nonzero(inside)
        sizes.append(np.sqrt(len(rows)))
        centres.append((rows.mean() + window[0].start, columns.mean() + window[1].start))
        numbers[window][inside] = len(sizes)
        depth[window][inside] = _depth(inside, window, instance_map.shape)[inside]
    return ObjectTargets(numbers, depth, np.array(centres, np.float32).reshape(-1, 2), np.array(sizes, np.float32))


def _depth(inside: np.ndarray, window: tuple[slice, slice], shape: tuple[int, ...]) -> np.ndarray:
    """(y, x) uint8 depth within the window of an object."""
    ends = [(axis.start > 0, axis.stop < length) for axis, length in zip(window, shape, strict=True)]
    framed = np.pad(inside, [(int(before), int(after)) for before, after in ends])
    if framed.all():
        return np.full(inside.shape, DEPTH_LEVELS, np.uint8)
    rows, columns = (slice(int(before), int(before) + length) for (before, _), length in zip(ends, inside.shape, strict=True))
    distance = distance_transform_edt(framed)[rows, columns]
    return np.rint(distance * (DEPTH_LEVELS / distance.max())).astype(np.uint8)
