"""A heat map as colours to lay over the whole picture."""

from __future__ import annotations

import cv2
import numpy as np

from morphoscope.micrograph import Micrograph

SIDE_PX = 512
_STRONGEST = 0.75


def heat_picture(micrograph: Micrograph, heat: np.ndarray) -> np.ndarray:
    """(Y, X, 4) uint8 of the picture's proportions, at most SIDE_PX on a side; transparent where heat is 0 and on the maker's bar.

    heat: (y, x) in [0, 1] over the specimen.
    """
    rows, columns = micrograph.pixels.shape
    zoom = min(1.0, SIDE_PX / max(rows, columns))
    specimen, bar = micrograph.specimen(), micrograph.information_bar
    top = 0 if bar is None or len(specimen) == bar.top else bar.top + bar.height
    shown = np.zeros((max(1, round(rows * zoom)), max(1, round(columns * zoom)), 4), np.uint8)
    first, last = round(top * zoom), max(round(top * zoom) + 1, round((top + len(specimen)) * zoom))
    part = shown[first:last]
    if part.size:
        small = cv2.resize(heat.astype(np.float32), (part.shape[1], part.shape[0])).clip(0, 1)
        levels = np.rint(255 * small).astype(np.uint8)
        part[..., :3] = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
        part[..., 3] = np.rint(255 * _STRONGEST * small)
    return shown
