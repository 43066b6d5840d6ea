"""Rulers drawn into a picture as a row of ticks, ten steps long."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from morphoscope.calibration.bars import Bar

_LEVELS = 8
_STEPS = 10  # every maker's ruler has ten, whatever the length
_LEAST_TICKS = 8  # of the eleven: the specimen may hide some
_LEAST_STEP_PX, _TICK_PX = 4.0, 3  # shortest step and lowest tick
_UNEVEN = 0.05  # of a step, or one pixel
_LEAST_CONTRAST = 24.0
_BESIDE_PX = 4


def find_rulers(grey: np.ndarray, tallest: int) -> list[Bar]:
    """Rulers of an eight-bit part of a picture (Y, X), those with most ticks first; a bar goes from first to last tick.

    Ticks are upright strokes of even spacing, at most `tallest` rows high, on one line. Where a tick at an end is not seen,
    the length is still ten steps, and the bar says so by `is_open`.
    """
    low, high = (float(level) for level in np.percentile(grey, (0.5, 99.5)))
    if high - low < _LEAST_CONTRAST:
        return []
    found = []
    for level in np.linspace(low, high, _LEVELS + 2)[1:-1]:
        bright = (grey > level).view(np.uint8)
        for ink, is_bright in ((bright, True), (1 - bright, False)):
            ticks = _ticks(ink, tallest)
            for row in _rows(ticks):
                ruler = _ruler(grey, ticks[row], is_bright)
                if ruler is not None:
                    found.append(ruler)
    return sorted(found, key=lambda bar: (bar.is_open, -bar.stability))


def _ticks(ink: np.ndarray, tallest: int) -> np.ndarray:
    """(N, 3) middle column, first and last+1 row of each upright stroke."""
    kernel = np.ones((_TICK_PX, 1), np.uint8)
    opened = cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    _, _, boxes, centres = cv2.connectedComponentsWithStats(opened, connectivity=4)
    _, y, width, height, area = boxes.T
    is_tick = (height <= tallest) & (width <= np.maximum(3, 0.7 * height)) & (area >= 0.8 * width * height)
    is_tick[0] = False
    return np.column_stack([centres[is_tick, 0] + 0.5, y[is_tick], (y + height)[is_tick]])


def _rows(ticks: np.ndarray) -> list[np.ndarray]:
    """Indices of the ticks on one line: those whose upper ends, lower ends or middles agree within a pixel."""
    rows: dict[bytes, np.ndarray] = {}
    for place in (ticks[:, 1], ticks[:, 2], (ticks[:, 1] + ticks[:, 2]) / 2):
        for at in np.unique(np.round(place)):
            row = np.flatnonzero(np.abs(place - at) <= 1.0)
            if len(row) >= _LEAST_TICKS:
                rows[row.tobytes()] = row
    return list(rows.values())


def _ruler(grey: np.ndarray, ticks: np.ndarray, is_bright: bool) -> Bar | None:
    """The ruler whose ticks these are, or None where fewer than eight of eleven are evenly spaced."""
    ticks = ticks[np.argsort(ticks[:, 0])]
    x = ticks[:, 0]
    best: tuple[int, np.ndarray, np.ndarray] | None = None
    for first in range(len(x)):
        for step in x[first + 1 : first + 3] - x[first]:
            if step < _LEAST_STEP_PX:
                continue
            number = np.round((x - x[first]) / step)
            is_on = (np.abs(x - x[first] - number * step) <= max(1.0, _UNEVEN * step)) & (number >= 0)
            count = len(np.unique(number[is_on]))
            if count >= _LEAST_TICKS and (best is None or count > best[0]):
                best = count, number[is_on], ticks[is_on]
    if best is None:
        return None
    count, number, on = best
    if number.max() > _STEPS:
        return None
    step, start = (float(value) for value in np.polyfit(number, on[:, 0], 1))
    y0, y1 = float(np.median(on[:, 1])), float(np.median(on[:, 2]))
    missing = _STEPS - int(number.max())
    before = _steps_seen(grey, start, -step, missing, y0, y1, is_bright)
    after = _steps_seen(grey, start + number.max() * step, step, missing - before, y0, y1, is_bright)
    x0 = start - before * step
    share = count / (_STEPS + 1)
    bar = Bar(x0, x0 + _STEPS * step, y0, y1, is_bright, 255.0, share, share, has_ticks=True)
    return replace(bar, is_open=missing > before + after)


def _steps_seen(grey: np.ndarray, x: float, step: float, most: int, y0: float, y1: float, is_bright: bool) -> int:
    """How many steps further on the rows of the ticks show ink again: an end tick may have merged with what is above it."""
    rows = grey[round(y0) : round(y1)].mean(axis=0, dtype=np.float32)
    rows = rows if is_bright else 255 - rows
    seen = 0
    while seen < most:
        at = round(x + (seen + 1) * step - 0.5)
        if not _BESIDE_PX <= at < len(rows) - _BESIDE_PX:
            break
        peak = rows[at - 1 : at + 2].max() - max(rows[at - _BESIDE_PX], rows[at + _BESIDE_PX])
        if peak < _LEAST_CONTRAST:
            break
        seen += 1
    return seen
