"""A micrograph with the outlines of its objects drawn on and a scale bar below, small enough to sit in a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from skimage.segmentation import find_boundaries

from morphoscope.micrograph import PixelSize
from morphoscope.reporting.overlay import labelled_copy

SIDE_PX = 900
COUNTED, LEFT_OUT, CENTRE_LINE = (64, 214, 226), (255, 122, 104), (255, 214, 64)
"""Colours of outlines, of objects in the size distribution and those that are not, and of the centre lines of wires."""

_JPEG_QUALITY = 82


def outlined(
    display: np.ndarray,
    instance_map: np.ndarray,
    left_out: np.ndarray,
    pixel_size: PixelSize | None = None,
    centre_lines: Sequence[np.ndarray] = (),
) -> Image.Image:
    """The picture (Y, X) uint8 in colour, its longer side at most SIDE_PX, with a scale bar below it where the scale is known.

    left_out: (K,) numbers of the map. centre_lines: (P, 2) points (y, x) in px of the whole picture. The map is reduced by
    picking pixels, so an object of less than a shown pixel may lose its outline.
    """
    picture = Image.fromarray(display)
    picture.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    zoom = picture.height / display.shape[0], picture.width / display.shape[1]
    rows, columns = (
        ((np.arange(shown) + 0.5) * full / shown).astype(int)
        for shown, full in zip((picture.height, picture.width), instance_map.shape, strict=True)
    )
    shown_map = instance_map[np.ix_(rows, columns)]
    outline = find_boundaries(shown_map, connectivity=1, mode="inner")
    is_left_out = np.isin(shown_map, left_out)
    copy = labelled_copy(np.asarray(picture), [], pixel_size.scaled(1 / zoom[0], 1 / zoom[1])) if pixel_size else picture
    pixels = np.repeat(np.asarray(copy)[..., None], 3, axis=2)
    on_specimen = pixels[: picture.height]
    on_specimen[outline & ~is_left_out] = COUNTED
    on_specimen[outline & is_left_out] = LEFT_OUT
    drawn = Image.fromarray(pixels)
    draw = ImageDraw.Draw(drawn)
    for line in centre_lines:
        draw.line([((x + 0.5) * zoom[1], (y + 0.5) * zoom[0]) for y, x in line.tolist()], fill=CENTRE_LINE)
    return drawn


def data_address(picture: Image.Image) -> str:
    """The picture as a JPEG inside a `data:` address."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
