"""A micrograph with the outlines of true and of found objects, small enough to sit in a page."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage.segmentation import find_boundaries

from morphoscope.reporting.outlines import COUNTED, LEFT_OUT

SIDE_PX = 700
FOUND, TRUE = COUNTED, LEFT_OUT
"""Colours; found outlines lie on top."""


def compared(display: np.ndarray, true: np.ndarray, found: np.ndarray) -> Image.Image:
    """The picture (Y, X) uint8 in colour, its longer side at most SIDE_PX, with the outlines of two maps (Y, X)."""
    picture = Image.fromarray(display)
    picture.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    rows, columns = (
        ((np.arange(shown) + 0.5) * full / shown).astype(int)
        for shown, full in zip((picture.height, picture.width), true.shape, strict=True)
    )
    pixels = np.repeat(np.asarray(picture)[..., None], 3, axis=2)
    for instance_map, colour in ((true, TRUE), (found, FOUND)):
        pixels[find_boundaries(instance_map[np.ix_(rows, columns)], connectivity=1, mode="inner")] = colour
    return Image.fromarray(pixels)
