"""Objects without any learning, as most people find them today: Otsu's threshold, then a watershed of the distance to the ground.

The baseline that every segmenter stands beside. Its lengths are relative to the picture or to what it finds, so that it is as
good on a large picture as on a small one; they were tuned on training pictures of EMPS (benchmarks/segmentation.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt, label
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from morphoscope.measure.separation import without_small


@dataclass(frozen=True)
class OtsuSettings:
    """smoothing: sigma over the picture's longer side. apart: least distance of two objects' middles over the typical radius.
    least_share: objects smaller than this share of the picture are noise."""

    smoothing: float = 0.004
    apart: float = 0.7
    least_share: float = 0.0015


DEFAULT_SETTINGS = OtsuSettings()
_LEAST_RADIUS_PX = 2.0


def otsu_watershed(grey: np.ndarray, settings: OtsuSettings = DEFAULT_SETTINGS) -> np.ndarray:
    """(Y, X) int32 instance map of a picture (Y, X) uint8, 0 = background (Otsu 1979; Beucher & Lantuéjoul 1979).

    Foreground is the side of the threshold that meets less of the picture's border. A plain picture has no object.
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.8, settings.smoothing * max(grey.shape)))
    if not np.ptp(smooth):
        return np.zeros(grey.shape, np.int32)
    above = smooth > threshold_otsu(smooth)
    border = np.concatenate([above[0], above[-1], above[:, 0], above[:, -1]])
    is_object = binary_fill_holes(above if border.mean() <= 0.5 else ~above)
    distance = cv2.GaussianBlur(distance_transform_edt(is_object).astype(np.float32), (0, 0), 1.0)
    pieces, count = label(is_object)
    if not count:
        return np.zeros(grey.shape, np.int32)
    deepest = np.zeros(count + 1, np.float32)
    np.maximum.at(deepest, pieces.ravel(), distance.ravel())
    radius = np.average(deepest[1:], weights=deepest[1:])  # dust has little weight
    apart = max(_LEAST_RADIUS_PX, settings.apart * float(radius))
    peaks = peak_local_max(distance, min_distance=round(apart), labels=pieces, exclude_border=False)
    markers = np.zeros(grey.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    found = watershed(-distance, markers, mask=is_object).astype(np.int32)
    return without_small(found, max(1, round(settings.least_share * grey.size)))
