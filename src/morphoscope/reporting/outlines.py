"""A micrograph with the outlines of its objects drawn on, small enough to sit in a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from skimage.segmentation import find_boundaries

SIDE_PX = 900
COUNTED, LEFT_OUT = (64, 214, 226), (255, 122, 104)
"""Colours of outlines: objects in the size distribution, and those that are not."""

_JPEG_QUALITY = 82


def outlined(display: np.ndarray, instance_map: np.ndarray, left_out: np.ndarray) -> Image.Image:
    """The picture (Y, X) uint8 in colour, its longer side at most SIDE_PX; left_out: (K,) numbers of the map.

    The map is reduced by picking pixels, so an object of less than a shown pixel may lose its outline.
    """
    picture = Image.fromarray(display)
    picture.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    rows, columns = (
        ((np.arange(shown) + 0.5) * full / shown).astype(int)
        for shown, full in zip((picture.height, picture.width), instance_map.shape, strict=True)
    )
    shown_map = instance_map[np.ix_(rows, columns)]
    outline = find_boundaries(shown_map, connectivity=1, mode="inner")
    is_left_out = np.isin(shown_map, left_out)
    pixels = np.repeat(np.asarray(picture)[..., None], 3, axis=2)
    pixels[outline & ~is_left_out] = COUNTED
    pixels[outline & is_left_out] = LEFT_OUT
    return Image.fromarray(pixels)


def data_address(picture: Image.Image) -> str:
    """The picture as a JPEG inside a `data:` address."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
