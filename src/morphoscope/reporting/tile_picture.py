"""A large picture with a map over it: how probable a class is where, and frames around the places where it was found."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from morphoscope.data.preprocessing import resample
from morphoscope.inference.tiling import TileMap
from morphoscope.reporting.heat_map import heat_over
from morphoscope.reporting.overlay import labelled_copy

MAX_SIDE = 1600
_FRAME = (90, 220, 255)


def tile_picture(display: np.ndarray, found: TileMap, max_side: int = MAX_SIDE) -> Image.Image:
    """The specimen (Y, X) uint8, shrunk to `max_side` px, with the map's probabilities as colours, a frame around each tile that
    was found, a double one around the best, and a line below that says what is shown."""
    zoom = min(1.0, max_side / max(display.shape))
    shape = (max(1, round(display.shape[0] * zoom)), max(1, round(display.shape[1] * zoom)))
    small = resample(display, shape)
    count = int(found.is_found.sum())
    row, column = found.best
    lines = [
        f"{found.target}: found in {count} of {found.p.size} tiles of {found.tiles.height} px; most probable in row {row + 1}, "
        f"column {column + 1}: {100 * found.p[row, column]:.0f} %"
    ]
    page = labelled_copy(small, lines).convert("RGB")
    page.paste(Image.fromarray(heat_over(small, found.tiles.stitched(found.p, shape).astype(np.float32))), (0, 0))
    draw = ImageDraw.Draw(page)
    for tile in np.argwhere(found.is_found):
        draw.rectangle(_box(found, int(tile[0]), int(tile[1]), zoom), outline=_FRAME, width=2)
    if count:
        draw.rectangle(_box(found, row, column, zoom, margin=4), outline=(255, 255, 255), width=2)
    return page


def _box(found: TileMap, row: int, column: int, zoom: float, margin: int = 0) -> tuple[int, int, int, int]:
    top, left = found.tiles.tops[row] * zoom, found.tiles.lefts[column] * zoom
    bottom, right = top + found.tiles.height * zoom, left + found.tiles.width * zoom
    return round(left) - margin, round(top) - margin, round(right) - 1 + margin, round(bottom) - 1 + margin
