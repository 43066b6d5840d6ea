"""Where in a picture print is looked for, so that reading it takes less than a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from morphoscope.calibration.text_reader import TextLine, find_text, read_line
from morphoscope.micrograph import InformationBar

_MOST_PIXELS = 0.3e6  # of a part given to the finder of text: 0.3 s
_MOST_PIXELS_ABOVE = 0.12e6  # of the part where scale bars are rare
_BAND = 0.3  # of the height, at the bottom: 99 of 100 scale bars lie there
_ENLARGED = 2.0
_LEAST_ROWS = 64  # given to the finder of text
_MARGIN_PX = 2
_MOST_READ = 24  # lines of a part


def parts_of(shape: tuple[int, int], strip: InformationBar | None) -> Iterator[tuple[int, int, float]]:
    """First and last+1 row of each part to read and its least enlargement, the likeliest first."""
    height = shape[0]
    band = round((1 - _BAND) * height)
    if strip is not None:
        yield strip.top, strip.top + strip.height, 1.0
        yield _enlarged(strip.top, strip.top + strip.height)
        bottom = strip.top if strip.side == "bottom" else height
        if bottom - band > 0.1 * height:
            yield band, bottom, 1.0
        return
    yield band, height, 1.0
    yield _enlarged(band, height)
    yield 0, band + round(0.05 * height), 1.0


def _enlarged(top: int, bottom: int) -> tuple[int, int, float]:
    return top, bottom, _ENLARGED


def read_part(grey: np.ndarray, top: int, bottom: int, zoom: float) -> list[TextLine]:
    """Lines of print between two rows of an eight-bit picture (Y, X), in its frame; large parts are made smaller."""
    part = grey[top:bottom]
    most = _MOST_PIXELS_ABOVE if top == 0 and bottom < len(grey) else _MOST_PIXELS
    zoom = min(zoom, float(np.sqrt(most / part.size)))
    if zoom == 1.0:
        shown = part
    else:
        how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
        shown = cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=how)
    border = max(0, _LEAST_ROWS - len(shown) + 1) // 2
    shown = cv2.copyMakeBorder(shown, border, border, 0, 0, cv2.BORDER_REPLICATE)
    lines = []
    for y0, x0, y1, x1 in find_text(shown)[:_MOST_READ]:
        box = TextLine("", 0.0, x0, y0 - border, x1, y1 - border).moved(top, 0, zoom)
        lines.append(read_box(grey, box))
    return [line for line in lines if line.text]


def read_box(grey: np.ndarray, box: TextLine, margin: float = 0.0, wider: float = 0.0, zoom: float = 1.0) -> TextLine:
    """What the box of a line says; `margin` is added around it and `wider` to its left and right, in heights of the box."""
    pad, aside = _MARGIN_PX + margin * box.height, wider * box.height
    y0, y1 = max(0, round(box.y0 - pad)), min(grey.shape[0], round(box.y1 + pad))
    x0, x1 = max(0, round(box.x0 - pad - aside)), min(grey.shape[1], round(box.x1 + pad + aside))
    crop = grey[y0:y1, x0:x1]
    if not crop.size:
        return replace(box, text="", score=0.0)
    if zoom != 1.0:
        crop = cv2.resize(crop, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
    text, score = read_line(crop)
    return TextLine(text, score, box.x0 - aside, box.y0, box.x1 + aside, box.y1)
