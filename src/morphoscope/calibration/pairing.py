"""Which bar a label belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from morphoscope.calibration.bars import Bar, find_bars
from morphoscope.calibration.end_ticks import measured_between_ticks
from morphoscope.calibration.rulers import find_rulers
from morphoscope.calibration.text_reader import TextLine

_REACH_Y, _REACH_X = 3.0, 20.0  # heights of the label within which its bar is looked for
_THICKEST = 1.0  # of a bar, in heights of its label
_LONGEST = 0.8  # of a bar, of the picture's width: longer ones are frames
_MOST_JUDGED = 12
_TALLEST_TICK, _TICKS_SPEAK, _PARTED_SPEAKS = 2.0, 1.3, 1.5
_OTHER_INK = 0.8  # what is left of the fit where label and bar differ in ink
_EDGE_PX = 0.6
_FRAME_PX = 3  # of a line drawn around a strip
_CLEAR = 50.0  # grey levels of contrast
_AMONG, _AMONG_LONG = 0.12, 0.35  # of the label's height: what lies deeper is part of the letters


@dataclass(frozen=True)
class Pair:
    """A label's line, the bar it may belong to, and how well they fit (0..1)."""

    line: TextLine
    bar: Bar
    fit: float
    is_cut: bool = False


def bars_of(grey: np.ndarray, line: TextLine, top: int, bottom: int) -> list[Pair]:
    """Bars that a label may belong to, the best first.

    grey: the whole picture, eight bits (Y, X). top, bottom: rows between which the bar must lie: those of the strip that
    holds the label, else those of the picture.
    """
    height = line.height
    y0, y1 = max(top, int(line.y0 - _REACH_Y * height)), min(bottom, int(line.y1 + _REACH_Y * height) + 1)
    x0, x1 = max(0, int(line.x0 - _REACH_X * height)), min(grey.shape[1], int(line.x1 + _REACH_X * height) + 1)
    part = grey[y0:y1, x0:x1]
    if min(part.shape) < 4:
        return []
    thickest = max(4, round(_THICKEST * height))
    found = [bar.moved(y0, x0) for bar in find_bars(part, thickest)]
    rulers = [bar.moved(y0, x0) for bar in find_rulers(part, thickest)]
    candidates = [*_parted(found, line), *rulers, *found]
    candidates = [bar for bar in candidates if bar.length < _LONGEST * grey.shape[1] and not _is_frame(bar, top, bottom)]
    is_bright = _is_bright(grey, line)
    pairs = [
        Pair(line, bar, _fit(bar, line) * (1.0 if bar.is_bright == is_bright else _OTHER_INK), _is_cut(bar, grey.shape[1]))
        for bar in candidates
    ]
    pairs = [pair for pair in pairs if pair.fit > 0]
    likely = sorted(pairs, key=lambda pair: -pair.fit)[:_MOST_JUDGED]
    judged = [_with_ticks(grey, pair) for pair in likely]
    return sorted((pair for pair in judged if pair is not None), key=lambda pair: -pair.fit)


def _with_ticks(grey: np.ndarray, pair: Pair) -> Pair | None:
    """The pair with its bar measured between end ticks, which speak for it; None for the side of a frame."""
    if pair.bar.has_ticks:
        return pair
    bar = measured_between_ticks(grey, pair.bar, round(_TALLEST_TICK * pair.line.height))
    if bar is None:
        return None
    return replace(pair, bar=bar, fit=min(1.0, pair.fit * (_TICKS_SPEAK if bar.has_ticks else 1.0)))


def _parted(bars: list[Bar], line: TextLine) -> Iterable[Bar]:
    """Bars made of two equal pieces with the label between them: `|--- 5 µm ---|`."""
    row = [bar for bar in bars if line.y0 - 2 <= bar.y <= line.y1 + 2]
    slack = 0.6 * line.height
    for left in row:
        for right in row:
            is_around = left.x1 <= line.x0 + slack and right.x0 >= line.x1 - slack
            is_near = left.x1 >= line.x0 - 3 * slack and right.x0 <= line.x1 + 3 * slack
            is_alike = abs(left.y - right.y) <= 2 and left.is_bright == right.is_bright
            if is_around and is_near and is_alike and abs(left.length - right.length) <= max(6, 0.15 * left.length):
                yield replace(
                    left,
                    x1=right.x1,
                    flatness=min(left.flatness, right.flatness),
                    stability=max(left.stability, right.stability),
                    is_parted=True,
                )


def _fit(bar: Bar, line: TextLine) -> float:
    """How well a bar and a label fit (0..1), from the place of one beside the other and the clearness of the bar."""
    height, width = line.height, line.x1 - line.x0
    clear = min(1.0, bar.contrast / _CLEAR) * bar.flatness * min(1.0, 0.4 + bar.stability)
    if bar.is_parted:
        return min(1.0, _PARTED_SPEAKS * clear)
    above, below = line.y0 - bar.y1, bar.y0 - line.y1
    gap = max(above, below, 0.0) / height
    overlap = min(bar.x1, line.x1) - max(bar.x0, line.x0)
    if overlap > 0:
        if _is_among_letters(bar, line):
            return 0.0
        aside = 0.0 if overlap >= 0.6 * min(bar.length, width) else 0.3
        short = min(1.0, 0.4 + bar.length / width)
        return clear * short * max(0.0, 1.0 - 0.25 * gap - aside)
    between = -overlap / height
    is_beside = max(above, below) < -0.2 * height
    if between > (2.0 if is_beside else 3.5):
        return 0.0
    return clear * max(0.0, (0.85 if is_beside else 0.7) - 0.1 * between - 0.15 * gap)


def _is_frame(bar: Bar, top: int, bottom: int) -> bool:
    """Whether a bar is the edge of a strip or of the picture: a line there, or ink without paper below."""
    is_thin = bar.y1 - bar.y0 <= _FRAME_PX
    return bar.y1 >= bottom - 0.5 or (bar.y0 <= top + 0.5 and (is_thin or top == 0)) or (is_thin and bar.y1 >= bottom - _FRAME_PX)


def _is_among_letters(bar: Bar, line: TextLine) -> bool:
    """Whether a bar is a stroke of the label's letters. The box of a label may have taken in a bar under or beside it."""
    depth = min(bar.y - line.y0, line.y1 - bar.y) / line.height
    width = line.x1 - line.x0
    if not line.text[:1].isalnum() and abs(bar.x0 - line.x0) < 0.4 * line.height and bar.length < 0.7 * width:
        return False  # read as a dash
    return depth > (_AMONG_LONG if bar.length > 0.6 * width else _AMONG)


def _is_bright(grey: np.ndarray, line: TextLine) -> bool:
    """Whether a line is printed bright on dark: ink covers less than half of its box."""
    box = grey[max(0, round(line.y0)) : round(line.y1), max(0, round(line.x0)) : round(line.x1)]
    if not box.size:
        return True
    level, _ = cv2.threshold(np.ascontiguousarray(box), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return bool(np.mean(box > level) < 0.5)


def _is_cut(bar: Bar, width: int) -> bool:
    """Whether the picture's left or right edge may have cut the bar, or may hide the end tick of a ruler."""
    missing = bar.length / 10 if bar.is_open else 0.0
    return bar.x0 - missing <= _EDGE_PX or bar.x1 + missing >= width - _EDGE_PX
