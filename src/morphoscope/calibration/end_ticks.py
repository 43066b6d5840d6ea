"""Upright ticks at both ends of a bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from morphoscope.calibration.bars import Bar

_AROUND_PX = 3  # columns around an end where its tick may stand
_LEAST_TALL_PX = 3  # rows that a tick rises above or below the bar
_HALF_LINE_PX = 0.5  # makers' ticks are a pixel wide and their middles are meant; the wide ones of authors are meant whole
_WIDEST = 6  # columns of a tick


def measured_between_ticks(grey: np.ndarray, bar: Bar, tallest: int) -> Bar | None:
    """The bar measured between the outer sides of its end ticks less a pixel, the width of a line; as it is without ticks.

    None where an end runs into a line higher than `tallest` rows: it is a side of a frame.
    grey: (Y, X) eight bits, in whose frame the bar is.
    """
    y0, y1 = round(bar.y0), round(bar.y1)
    middle = slice(max(0, round(bar.x0)), round(bar.x1))
    ink = float(np.median(grey[y0:y1, middle]))
    half = ink - bar.contrast / 2 if bar.is_bright else ink + bar.contrast / 2
    is_ink = grey > half if bar.is_bright else grey < half
    left, right = (_tick(is_ink, y0, y1, end) for end in (bar.x0, bar.x1 - 1))
    if any(tick is not None and tick[2] > tallest for tick in (left, right)):
        return None
    if left is None or right is None:
        return bar
    return replace(bar, x0=left[0] + _HALF_LINE_PX, x1=right[1] - _HALF_LINE_PX, has_ticks=True)


def _tick(is_ink: np.ndarray, y0: int, y1: int, end: float) -> tuple[float, float, int] | None:
    """First and last+1 column and height of the stroke that crosses or meets the rows y0 to y1 near column `end`."""
    first, last = max(0, round(end) - _AROUND_PX), min(is_ink.shape[1], round(end) + _AROUND_PX + 1)
    rises = [(_rise(is_ink[:y0, x][::-1]), _rise(is_ink[y1:, x])) for x in range(first, last)]
    if not rises:
        return None
    tall = np.array([up + down for up, down in rises])
    if tall.max() < _LEAST_TALL_PX:
        return None
    columns = np.flatnonzero(tall >= max(_LEAST_TALL_PX, 0.6 * tall.max()))
    if columns[-1] - columns[0] + 1 > _WIDEST or len(columns) == len(tall):
        return None
    return float(first + columns[0]), float(first + columns[-1] + 1), int(tall.max())


def _rise(is_ink: np.ndarray) -> int:
    """How many pixels from the start are ink without a gap."""
    gaps = np.flatnonzero(~is_ink)
    return int(gaps[0]) if len(gaps) else len(is_ink)
