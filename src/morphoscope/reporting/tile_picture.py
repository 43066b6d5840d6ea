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
    """The specimen (Y, X) uint8, shrunk to `max_side` px, with the map's probabilities as colours, a frame around each place where
    it was found, a double one around the best, and a line below that says what is shown."""
    zoom = min(1.0, max_side / max(display.shape))
    shape = (max(1, round(display.shape[0] * zoom)), max(1, round(display.shape[1] * zoom)))
    small = resample(display, shape)
    count = int(found.is_found.sum())
    row, column = found.best
    rows, columns = found.window(row, column)
    lines = [
        f"{found.target}: found in {count} of {found.p.size} places of {found.places.height} px; most probable at "
        f"x {columns.start} to {columns.stop}, y {rows.start} to {rows.stop} px: {100 * found.p[row, column]:.0f} %"
    ]
    page = labelled_copy(small, lines).convert("RGB")
    page.paste(Image.fromarray(heat_over(small, found.places.stitched(found.p, shape).astype(np.float32))), (0, 0))
    draw = ImageDraw.Draw(page)
    for place in np.argwhere(found.is_found):
        draw.rectangle(_box(found, int(place[0]), int(place[1]), zoom), outline=_FRAME, width=2)
    if count:
        draw.rectangle(_box(found, row, column, zoom, margin=4), outline=(255, 255, 255), width=2)
    return page


def _box(found: TileMap, row: int, column: int, zoom: float, margin: int = 0) -> tuple[int, int, int, int]:
    rows, columns = found.window(row, column)
    corners = (
        columns.start * zoom - margin,
        rows.start * zoom - margin,
        columns.stop * zoom - 1 + margin,
        rows.stop * zoom - 1 + margin,
    )
    return round(corners[0]), round(corners[1]), round(corners[2]), round(corners[3])
