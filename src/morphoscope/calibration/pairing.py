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
_BOX = 0.35  # of the label's height, by which the reader's box may be wider than the drawn one
_ON_EDGE = 0.6  # what is left of a bar that has paper on one side only
_PAPER_ROW = 0.98  # share of paper in a row between a bar and its label
_PAPER = 20.0  # grey levels: what is as bright as the paper of a label is the box around it
_SIDE_PX = 2.5
_SURE = 0.6  # fit of a bar that makes a search for rulers needless
_EDGE_PX = 0.6
_OUTLINE_PX = 4.0
_FAR = 3.5  # heights of the label between it and a bar beside it
_WORD = 2  # letters that make a line of print
_FRAME_PX, _FRAME_LENGTH = 3, 0.4  # of a line drawn around a strip, and of the picture's width
_CLEAR, _FAINT, _NOISE = 50.0, 20.0, 3.0  # grey levels of contrast: always enough, enough without noise, and per noise
_AMONG, _AMONG_LONG, _AMONG_RULER = 0.12, 0.35, 0.25  # of the label's height: what lies deeper is part of the letters


@dataclass(frozen=True)
class Pair:
    """A label's line, the bar it may belong to, and how well they fit (0..1)."""

    line: TextLine
    bar: Bar
    fit: float
    is_cut: bool = False


def bars_of(grey: np.ndarray, line: TextLine, top: int, bottom: int, others: list[TextLine]) -> list[Pair]:
    """Bars that a label may belong to, the best first.

    grey: the whole picture, eight bits (Y, X). top, bottom: rows between which the bar must lie: those of the strip that
    holds the label, else those of the picture. others: lines of print whose strokes are no bars.
    """
    height = line.height
    y0, y1 = max(top, int(line.y0 - _REACH_Y * height)), min(bottom, int(line.y1 + _REACH_Y * height) + 1)
    x0, x1 = max(0, int(line.x0 - _REACH_X * height)), min(grey.shape[1], int(line.x1 + _REACH_X * height) + 1)
    part = grey[y0:y1, x0:x1]
    if min(part.shape) < 4:
        return []
    thickest = max(4, round(_THICKEST * height))
    found = [bar.moved(y0, x0) for bar in find_bars(part, thickest) if not _is_longer(bar, x0, x1, grey.shape[1])]
    pairs = _paired(grey, _without_outlines([*_parted(found, line), *found]), line, top, bottom, others)
    if not pairs or pairs[0].fit < _SURE:
        rulers = [bar.moved(y0, x0) for bar in find_rulers(part, thickest)]
        pairs += _paired(grey, rulers, line, top, bottom, others)
    return sorted(pairs, key=lambda pair: -pair.fit)


def _paired(grey: np.ndarray, bars: list[Bar], line: TextLine, top: int, bottom: int, others: list[TextLine]) -> list[Pair]:
    """The likeliest of the bars with how well each fits the label, the best first."""
    width = grey.shape[1]
    bars = [bar for bar in bars if bar.length < _LONGEST * width and not _is_frame(bar, top, bottom, width)]
    bars = [bar for bar in bars if not any(_is_stroke(bar, other) for other in others)]
    is_bright, paper = _print_of(grey, line)
    bars = [bar for bar in bars if bar.is_ruler or not (_spans(bar, line) and abs(_ink(grey, bar) - paper) <= _PAPER)]
    pairs = [
        Pair(line, bar, _fit(grey, bar, line) * (1.0 if bar.is_bright == is_bright else _OTHER_INK), _is_cut(bar, width))
        for bar in bars
    ]
    likely = sorted((pair for pair in pairs if pair.fit > 0), key=lambda pair: -pair.fit)[:_MOST_JUDGED]
    judged = [_with_ticks(grey, pair) for pair in likely]
    return sorted((pair for pair in judged if pair is not None), key=lambda pair: -pair.fit)


def _with_ticks(grey: np.ndarray, pair: Pair) -> Pair | None:
    """The pair with its bar measured between end ticks, which speak for it; None for the side of a frame."""
    if pair.bar.has_ticks or pair.bar.is_outlined:
        return pair
    bar = measured_between_ticks(grey, pair.bar, round(_TALLEST_TICK * pair.line.height))
    if bar is None:
        return None
    return replace(pair, bar=bar, fit=min(1.0, pair.fit * (_TICKS_SPEAK if bar.has_ticks else 1.0)))


def _parted(bars: list[Bar], line: TextLine) -> Iterable[Bar]:
    """Bars made of two equal pieces with the label between them: `|--- 5 µm ---|`."""
    row = [bar for bar in bars if line.y0 - 2 <= bar.y <= line.y1 + 2 and bar.length >= line.height]
    slack = 0.5 * line.height + 3
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


def _fit(grey: np.ndarray, bar: Bar, line: TextLine) -> float:
    """How well a bar and a label fit (0..1), from the place of one beside the other and the clearness of the bar."""
    height, width = line.height, line.x1 - line.x0
    clear = min(1.0, bar.contrast / min(_CLEAR, _FAINT + _NOISE * bar.noise)) * bar.flatness**1.5 * min(1.0, 0.4 + bar.stability)
    clear *= min(1.0, 0.3 + 3.0 * bar.sharpness)
    if bar.y1 >= len(grey) - 0.5 or bar.y0 <= 0.5:
        clear *= _ON_EDGE
    if bar.is_parted:
        return min(1.0, _PARTED_SPEAKS * clear)
    above, below = line.y0 - bar.y1, bar.y0 - line.y1
    gap = max(above, below, 0.0) / height
    overlap = min(bar.x1, line.x1) - max(bar.x0, line.x0)
    if _is_dash(bar, line):
        return clear * 0.9
    if overlap > 0:
        if _is_among_letters(bar, line) and not _is_set_off(grey, bar, line):
            return 0.0
        aside = 0.0 if overlap >= 0.6 * min(bar.length, width) else 0.3
        short = min(1.0, 0.4 + bar.length / width)
        return clear * short * max(0.0, 1.0 - 0.25 * gap - aside)
    between = -overlap / height
    is_beside = max(above, below) < -0.2 * height
    if between > _FAR:
        return 0.0
    return clear * max(0.0, (0.85 if is_beside else 0.7) - 0.1 * between - 0.15 * gap)


def _is_longer(bar: Bar, x0: int, x1: int, width: int) -> bool:
    """Whether a bar of the columns x0 to x1 of a picture runs on beyond them."""
    return (bar.x0 <= 1 and x0 > 0) or (bar.x1 >= x1 - x0 - 1 and x1 < width)


def _is_frame(bar: Bar, top: int, bottom: int, width: int) -> bool:
    """Whether a bar is the edge of a strip or of the picture: a line along it, or one that runs into its side."""
    if bar.is_ruler:
        return False
    is_thin = bar.y1 - bar.y0 <= _FRAME_PX
    if is_thin and (bar.x0 <= _SIDE_PX or bar.x1 >= width - _SIDE_PX):
        return True
    return is_thin and bar.length > _FRAME_LENGTH * width and (bar.y0 <= top + _FRAME_PX or bar.y1 >= bottom - _FRAME_PX)


def _without_outlines(bars: list[Bar]) -> list[Bar]:
    """Outlined bars measured from the middle of the outline on one side to that on the other, and the rest as they are."""
    out = list(bars)
    for inner in bars:
        lines = [bar for bar in bars if _is_outline(bar, inner)]
        if any(line.y < inner.y for line in lines) and any(line.y > inner.y for line in lines):
            x0, x1 = min(line.x0 for line in lines), max(line.x1 for line in lines)
            out = [bar for bar in out if bar is not inner and bar not in lines]
            out.append(replace(inner, x0=(inner.x0 + x0) / 2, x1=(inner.x1 + x1) / 2, is_outlined=True))
    return out


def _is_outline(outer: Bar, inner: Bar) -> bool:
    """Whether a line is the upper or lower side of an outline around a bar of the other ink."""
    touches = outer.y0 <= inner.y1 + 2 and inner.y0 <= outer.y1 + 2
    encloses = outer.x0 <= inner.x0 and outer.x1 >= inner.x1
    return outer.is_bright != inner.is_bright and touches and encloses and _is_near(outer, inner, _OUTLINE_PX)


def _is_near(a: Bar, b: Bar, pixels: float) -> bool:
    return abs(a.x0 - b.x0) <= pixels and abs(a.x1 - b.x1) <= pixels


def _is_stroke(bar: Bar, line: TextLine) -> bool:
    """Whether a bar is part of a letter of another line of print."""
    if bar.is_ruler:  # its ticks may have been read as a row of the same letter
        depth = min(bar.y - line.y0, line.y1 - bar.y) / line.height
        return depth > _AMONG_RULER and min(bar.x1, line.x1) > max(bar.x0, line.x0) and len(set(line.text)) > _WORD
    is_inside = line.x0 - 2 <= bar.x0 and bar.x1 <= line.x1 + 2 and line.y0 <= bar.y <= line.y1
    letters = sum(character.isalnum() for character in line.text)
    return is_inside and letters >= _WORD and bar.length < 1.5 * (line.x1 - line.x0) / letters


def _is_dash(bar: Bar, line: TextLine) -> bool:
    """Whether a bar beside a label was read as a dash of the label."""
    is_level = line.y0 + 0.2 * line.height < bar.y < line.y1 - 0.2 * line.height
    if not (line.text[:1].isalnum() or line.text[-1:].isalnum()):
        return False  # dashes on both sides are the pieces of a parted bar
    if not line.text[:1].isalnum() and bar.x0 < line.x0 + 0.4 * line.height:
        return is_level and line.x0 - line.height < bar.x1 < (line.x0 + line.x1) / 2
    if not line.text[-1:].isalnum() and bar.x1 > line.x1 - 0.4 * line.height:
        return is_level and (line.x0 + line.x1) / 2 < bar.x0 < line.x1 + line.height
    return False


def _is_among_letters(bar: Bar, line: TextLine) -> bool:
    """Whether a bar is a stroke of the label's letters. The box of a label may have taken in a bar under or beside it."""
    depth = min(bar.y - line.y0, line.y1 - bar.y) / line.height
    width = line.x1 - line.x0
    if bar.is_ruler:
        return depth > _AMONG_RULER
    return depth > (_AMONG_LONG if bar.length > 0.6 * width else _AMONG)


def _is_set_off(grey: np.ndarray, bar: Bar, line: TextLine) -> bool:
    """Whether paper lies between a bar and the middle of a label's box: a reader's box may take in the bar below the text."""
    if bar.is_ruler or bar.length < line.height / 3:
        return False
    middle = round((line.y0 + line.y1) / 2)
    y0, y1 = (round(bar.y1), middle) if bar.y < middle else (middle, round(bar.y0))
    between = grey[y0:y1, max(0, round(bar.x0)) : round(bar.x1)].astype(np.float32)
    if not between.size or not line.y0 - line.height < bar.y < line.y1 + line.height:
        return False
    far = np.abs(between - _ink(grey, bar)) > bar.contrast / 2
    return bool((far.mean(axis=1) > _PAPER_ROW).any())


def _print_of(grey: np.ndarray, line: TextLine) -> tuple[bool, float]:
    """Whether a line is printed bright on dark (ink covers less than half of its box), and the grey of its paper."""
    y0, y1, x0, x1 = (max(0, round(end)) for end in (line.y0, line.y1, line.x0, line.x1))
    dy, dx = (y1 - y0) // 6, (x1 - x0) // 10  # the reader's box may be wider than the drawn one
    box = grey[y0 + dy : y1 - dy, x0 + dx : x1 - dx]
    if not box.size:
        return True, 0.0
    level, _ = cv2.threshold(np.ascontiguousarray(box), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    is_above = box > level
    is_bright = bool(is_above.mean() < 0.5)
    return is_bright, float(np.median(box[is_above != is_bright]))


def _spans(bar: Bar, line: TextLine) -> bool:
    """Whether a bar is as wide as a label's box and lies along it: what is as bright as the paper there is the box."""
    is_along = max(line.y0 - bar.y1, bar.y0 - line.y1) <= 0.5 * line.height
    return is_along and bar.x0 <= line.x0 + _BOX * line.height and bar.x1 >= line.x1 - _BOX * line.height


def _ink(grey: np.ndarray, bar: Bar) -> float:
    """The grey of a bar."""
    y = min(len(grey) - 1, int(bar.y))
    return float(np.median(grey[y, max(0, round(bar.x0)) : round(bar.x1)]))


def _is_cut(bar: Bar, width: int) -> bool:
    """Whether the picture's left or right edge may have cut the bar, or may hide the end tick of a ruler."""
    missing = bar.length / 10 if bar.is_open else 0.0
    return bar.x0 - missing <= _EDGE_PX or bar.x1 + missing >= width - _EDGE_PX
