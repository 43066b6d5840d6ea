"""The maker's strip of text, found in the pixels alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from scipy.ndimage import binary_closing

from morphoscope.io.display import to_display
from morphoscope.micrograph import InformationBar

_COLUMNS = 512  # enough to judge a row by
_NEAR = 10  # grey levels of 255 that count as one: JPEG noise
_INK = 40  # grey levels between paper and ink
_CLEAN = 0.8  # share of paper in a row without text
_MEMBER = (0.45, 0.6)  # share of paper in a row of text: the lower finds denser text, the higher survives a dark specimen
_LOOK, _LIKELY = 8, 0.6  # every so many columns, and their share of paper in a row that may be clean
_LEAST_PAPER = 0.6  # share of paper in a whole strip
_LEAST_STEP = 0.3  # drop of that share at the strip's edge: less is a gradual change of the specimen
_EDGE_ROWS = 3
_FRAME_ROWS = 5  # thickness of a drawn frame or of a table's line
_LEAST_ROWS, _LEAST_SHARE, _GREATEST_SHARE = 12, 0.02, 0.3
_STROKES, _TEXT_ROWS = 12, 4  # changes between paper and ink in a row of text, and rows that have so many
_MOST_PAPERS = 8


def find_information_bar(pixels: np.ndarray) -> InformationBar | None:
    """The full-width strip with text that a maker put at the bottom, the top or inside a picture (Y, X), or None.

    A strip has one grey level as paper, straight edges where most columns change at once, and rows of many strokes.
    Bias: it would rather find none. Text straight on the specimen, boxes narrower than the picture, and strips whose
    paper can't be told from the specimen beside them are not found.
    """
    if min(pixels.shape) < 4 * _LEAST_ROWS:
        return None
    grey = to_display(pixels[:, :: max(1, pixels.shape[1] // _COLUMNS)])
    strips = [strip for paper in _papers(grey) for strip in _strips(grey, paper, _share_near(grey, paper))]
    if not strips:
        return None
    _, top, bottom = max(strips)
    side: Literal["bottom", "top", "inside"] = "bottom" if bottom == len(grey) else "top" if top == 0 else "inside"
    return InformationBar(top, bottom - top, side)


def _share_near(grey: np.ndarray, level: int | np.ndarray) -> np.ndarray:
    """(Y,) share of each row within a few grey levels of a level, one for all rows or (Y, 1), one a row."""
    lowest, highest = np.clip(level, _NEAR, None) - _NEAR, np.clip(level, None, 255 - _NEAR) + _NEAR
    is_near = (grey >= lowest.astype(np.uint8)) & (grey <= highest.astype(np.uint8))
    return is_near.view(np.uint8).sum(axis=1, dtype=np.uint16) / grey.shape[1]


def _middle(grey: np.ndarray) -> np.ndarray:
    """(Y, 1) median of each row."""
    half = (grey.shape[1] - 1) // 2
    return np.partition(grey.astype(np.uint16), half, axis=1)[:, half, None]


def _papers(grey: np.ndarray) -> list[int]:
    """Grey levels that fill whole rows, the most frequent first."""
    # A look at a few columns leaves out most rows; NumPy's selection is fast for sixteen bits and slow for eight.
    few = grey[:, ::_LOOK]
    rows = grey[_share_near(few, _middle(few)) >= _LIKELY]
    middle = _middle(rows)
    counts = np.bincount(middle[_share_near(rows, middle) >= _CLEAN, 0], minlength=256)
    papers: list[int] = []
    while counts.max() >= _EDGE_ROWS and len(papers) < _MOST_PAPERS:
        paper = int(counts.argmax())
        papers.append(paper)
        counts[max(0, paper - _NEAR) : paper + _NEAR + 1] = 0
    return papers


def _strips(grey: np.ndarray, paper: int, share: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Strokes of text, first and last+1 row of every strip of that paper, with the frame around it."""
    height = len(grey)
    for top, bottom in {run for least in _MEMBER for run in _runs(share >= least)}:
        is_right_size = max(_LEAST_ROWS, _LEAST_SHARE * height) <= bottom - top <= _GREATEST_SHARE * height
        if not is_right_size or share[top:bottom].mean() < _LEAST_PAPER:
            continue
        if _is_edge(share, top) and _is_edge(share[::-1], height - bottom):
            strokes = _strokes(grey[top:bottom], paper)
            if np.count_nonzero(strokes >= _STROKES) >= _TEXT_ROWS:
                yield int(strokes.sum()), *_framed(grey, top, bottom)


def _runs(is_member: np.ndarray) -> list[tuple[int, int]]:
    """First and last+1 row of each run of members; gaps as thick as a line of a table don't end it."""
    margin = _FRAME_ROWS + 1
    closed = binary_closing(np.pad(is_member, margin), np.ones(margin))[margin:-margin]
    edges = np.flatnonzero(np.diff(closed.astype(np.int8), prepend=0, append=0))
    return [(int(top), int(bottom)) for top, bottom in edges.reshape(-1, 2)]


def _is_edge(share: np.ndarray, first: int) -> bool:
    """Whether the strip that starts at row `first` starts clean and at once; the picture's own border is an edge."""
    if first <= _FRAME_ROWS:
        return True
    inside, outside = share[first : first + 2 * _EDGE_ROWS], share[first - _EDGE_ROWS : first]
    return bool(inside.max() >= _CLEAN and inside[:_EDGE_ROWS].mean() - outside.mean() >= _LEAST_STEP)


def _strokes(grey: np.ndarray, paper: int) -> np.ndarray:
    """How often each row changes between paper and ink."""
    ink = np.abs(grey.astype(np.int16) - paper) > _INK
    return np.count_nonzero(ink[:, 1:] != ink[:, :-1], axis=1)


def _framed(grey: np.ndarray, top: int, bottom: int) -> tuple[int, int]:
    """The strip with the lines drawn around it, and with what few rows are left to the picture's border."""
    height = len(grey)
    top -= _lines(grey[max(0, top - _FRAME_ROWS) : top][::-1])
    bottom += _lines(grey[bottom : bottom + _FRAME_ROWS])
    return top if top > _FRAME_ROWS else 0, bottom if bottom < height - _FRAME_ROWS else height


def _lines(rows: np.ndarray) -> int:
    """How many of the rows next to a strip are drawn lines: flat ones, as long as they end within these rows."""
    if not len(rows):
        return 0
    is_line = (np.abs(rows - np.median(rows, axis=1, keepdims=True)) <= _NEAR).mean(axis=1) >= _CLEAN
    return 0 if is_line.all() else int(is_line.argmin())
