"""Rulers drawn into a picture as a row of ticks, ten steps long."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from morphoscope.calibration.bars import Bar

_LEVELS = (24, 48, 96, 160)  # grey levels between a tick and what is beside it
_LEAST_WIDTH = 7  # of what is too wide for a tick
_STEPS = 10  # every maker's ruler has ten, whatever the length
_LEAST_TICKS = 9  # of the eleven: the specimen may hide some
_MOST_TICKS, _NEXT = 60, 4  # strokes on one line, of which some are print or specimen; and those tried as the next tick
_LEAST_STEP_PX, _TICK_PX = 4.0, 3  # shortest step and lowest tick
_UNEVEN = 0.05  # of a step, or one pixel
_MOST_STRAYS, _SAME_INK = 4, 20.0
_ROUNDING_PX, _SPREAD = 0.5, 0.02  # of the ticks around even steps
_LEAST_CONTRAST = 24.0
_BESIDE_PX = 4


def find_rulers(grey: np.ndarray, tallest: int) -> list[Bar]:
    """Rulers of an eight-bit part of a picture (Y, X), those with most ticks first; a bar goes from first to last tick.

    Ticks are upright strokes of even spacing, at most `tallest` rows high, on one line. Where a tick at an end is not seen,
    the length is still ten steps, and the bar says so by `is_open`.
    """
    across = np.ones((1, max(_LEAST_WIDTH, tallest // 6 | 1)), np.uint8)
    found = []
    for is_bright, how in ((True, cv2.MORPH_TOPHAT), (False, cv2.MORPH_BLACKHAT)):
        narrow = cv2.morphologyEx(grey, how, across)  # what is wider than a tick is gone, whatever its grey
        for level in _LEVELS:
            ticks = _ticks((narrow > level).view(np.uint8), tallest)
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
    """Indices of the ticks on one line: those whose upper ends, lower ends, middles or both ends agree within a pixel."""
    top, bottom = ticks[:, 1], ticks[:, 2]
    rows: dict[bytes, np.ndarray] = {}
    for place in (top, bottom, (top + bottom) / 2):
        for at in np.unique(np.round(place)):
            is_level = np.abs(place - at) <= 1.0
            if np.count_nonzero(is_level) < _LEAST_TICKS:
                continue
            tall = np.median((bottom - top)[is_level])
            for row in (np.flatnonzero(is_level), np.flatnonzero(is_level & (np.abs(bottom - top - tall) <= 2.0))):
                if _LEAST_TICKS <= len(row) <= _MOST_TICKS:
                    rows[row.tobytes()] = row
    return list(rows.values())


def _ruler(grey: np.ndarray, ticks: np.ndarray, is_bright: bool) -> Bar | None:
    """The ruler whose ticks these are, or None where fewer than nine of eleven are evenly spaced."""
    ticks = ticks[np.argsort(ticks[:, 0])]
    x = ticks[:, 0]
    walks = [_walk(x, first, second) for first in range(len(x)) for second in range(first + 1, min(first + 1 + _NEXT, len(x)))]
    number, index = max(walks, key=lambda walk: len(walk[0]), default=([], []))
    count, on = len(number), ticks[index]
    if count < _LEAST_TICKS:
        return None
    step, start = (float(value) for value in np.polyfit(number, on[:, 0], 1))
    if np.std(on[:, 0] - start - np.array(number) * step) > max(_ROUNDING_PX, _SPREAD * step):
        return None
    if _strays(x, on[:, 0]) > _MOST_STRAYS or not _are_alike(grey, on):
        return None
    y0, y1 = float(np.median(on[:, 1])), float(np.median(on[:, 2]))
    missing = _STEPS - number[-1]
    before = _steps_seen(grey, start, -step, missing, y0, y1, is_bright)
    after = _steps_seen(grey, start + number[-1] * step, step, missing - before, y0, y1, is_bright)
    x0 = start - before * step
    share = count / (_STEPS + 1)
    bar = Bar(x0, x0 + _STEPS * step, y0, y1, is_bright, 0.0, 255.0, 0.0, share, share, share, has_ticks=True, is_ruler=True)
    return replace(bar, is_open=missing > before + after)


def _strays(x: np.ndarray, on: np.ndarray) -> int:
    """How many other strokes stand among the ticks: in a texture many do."""
    return int(np.count_nonzero((x > on[0]) & (x < on[-1]))) - (len(on) - 2)


def _are_alike(grey: np.ndarray, ticks: np.ndarray) -> bool:
    """Whether the ticks have one grey."""
    ink = [float(grey[int(top) : int(bottom), min(int(x), grey.shape[1] - 1)].mean()) for x, top, bottom in ticks]
    return bool(np.median(np.abs(np.array(ink) - np.median(ink))) <= _SAME_INK)


def _walk(x: np.ndarray, first: int, second: int) -> tuple[list[int], list[int]]:
    """Number and index of each tick met when going on from two by even steps, ten at most; two in a row may be missing."""
    step = float(x[second] - x[first])
    number, index = [0, 1], [first, second]
    if step < _LEAST_STEP_PX:
        return [], []
    for k in range(2, _STEPS + 1):
        expected = x[index[-1]] + (k - number[-1]) * step
        nearest = int(np.abs(x - expected).argmin())
        if abs(x[nearest] - expected) <= max(1.0, _UNEVEN * step):
            number.append(k)
            index.append(nearest)
            step = float(x[nearest] - x[first]) / k
        elif k - number[-1] > 2:
            break
    return number, index


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
