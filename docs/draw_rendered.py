"""Draws docs/images/rendered.png: ten classes of SEM above, particles, wires and flakes in TEM below."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from morphoscope.io import to_display
from morphoscope.synthesis import render

SIDE, GAP, LEVELS = 180, 4, 24
ROWS = [
    [("sem10", index) for index in range(5)],
    [("sem10", index) for index in range(5, 10)],
    [("tem-particles", 0), ("tem-particles", 1), ("tem-nanowires", 0), ("tem-nanowires", 1), ("accords", 1)],
]


def picture(kind: str, index: int) -> np.ndarray:
    """(Y, X) uint8 of one rendered micrograph."""
    return to_display(next(render(kind, 1, size=SIDE, seed=4, start=index, difficulty=0.3)).pixels)


if __name__ == "__main__":
    step = SIDE + GAP
    sheet = Image.new("L", (5 * step - GAP, len(ROWS) * step - GAP), 255)
    for row, kinds in enumerate(ROWS):
        for column, kind in enumerate(kinds):
            sheet.paste(Image.fromarray(picture(*kind)), (column * step, row * step))
    # Few grey levels: the picture stays small, and noise hides the steps.
    sheet.quantize(LEVELS).save(Path(__file__).parent / "images" / "rendered.png", optimize=True)
