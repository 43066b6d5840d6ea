"""The largest disc inside every object of an instance map, and how slender that makes it."""

from __future__ import annotations

import cv2
import numpy as np

from morphoscope.measure.particles import Traced


def inscribed_radius(instance_map: np.ndarray, traced: Traced) -> np.ndarray:
    """(N,) radius in px of the largest disc inside each object of a map (Y, X), neighbours that touch kept apart.

    Bias: within half a pixel, and up to 2 % for distances along no axis (5 × 5 chamfer mask, Borgefors 1986).
    """
    is_object = instance_map != 0
    inside = np.pad(is_object, 1)
    for axis in (0, 1):
        # The second of two neighbours gives up its first pixel, so that a distance ends between them.
        target = inside[2:-1, 1:-1] if axis == 0 else inside[1:-1, 2:-1]
        target[_meets(instance_map, axis)] = False
    distance = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    here = distance[1:-1, 1:-1]
    is_ridge = is_object & (here >= distance[1:-1, :-2]) & (here >= distance[1:-1, 2:])  # a maximum is one along its row
    radius = np.zeros(len(traced), np.float32)
    np.maximum.at(radius, np.searchsorted(traced.numbers, instance_map[is_ridge]), here[is_ridge])
    return np.maximum(radius - 0.25, 0.5)  # see half_widths


def slenderness(traced: Traced, radius: np.ndarray) -> np.ndarray:
    """(N,) length over width of a strip with each object's area and the width of its largest disc; .8 for a disc."""
    return traced.n_pixels / (4.0 * radius**2)


def _meets(instance_map: np.ndarray, axis: int) -> np.ndarray:
    """Where a pixel and the one before it along an axis belong to two objects."""
    first = instance_map[:-1] if axis == 0 else instance_map[:, :-1]
    second = instance_map[1:] if axis == 0 else instance_map[:, 1:]
    return (first != second) & (first != 0) & (second != 0)
