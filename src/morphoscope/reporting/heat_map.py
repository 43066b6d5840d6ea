"""An explained copy of a picture: beside it, a panel a task with what the model looked at, the words on a margin below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from morphoscope.micrograph import PixelSize
from morphoscope.reporting.overlay import labelled_copy

MAX_SIDE = 420
"""Longest side of a panel in px."""
_PAPER = 18
_GAP = 8
_COLUMNS = 3
_STRONGEST, _FADE = 0.7, 1.0
"""Opacity where the map is one, and the power by which it falls: weak places stay grey."""
BRANCH_NAMES = {"image": "network"}


@dataclass(frozen=True, eq=False)
class Panel:
    """One task: its answer in words, and (Y, X) heat in [0, 1] of the picture's shape. shares: branch to part of the evidence. Or
    what features look at, whatever the answer: words and heat alone."""

    answer: str
    heat: np.ndarray
    shares: Mapping[str, float] = field(default_factory=dict)


def explained_copy(display: np.ndarray, panels: Sequence[Panel], pixel_size: PixelSize | None = None) -> Image.Image:
    """The picture (Y, X) uint8 and a heat map a task, in rows of three, at most MAX_SIDE px a panel.

    pixel_size: of `display`, for a scale bar under the picture itself.
    """
    zoom = min(1.0, MAX_SIDE / max(display.shape))
    shape = (max(1, round(display.shape[1] * zoom)), max(1, round(display.shape[0] * zoom)))
    small = cv2.resize(display, shape, interpolation=cv2.INTER_AREA)
    scale = None if pixel_size is None else pixel_size.scaled(display.shape[0] / shape[1], display.shape[1] / shape[0])
    cells = [labelled_copy(small, ["Bright colours: what speaks for the answer"] if panels else [], scale).convert("RGB")]
    for panel in panels:
        words = labelled_copy(small, [panel.answer, evidence_line(panel.shares)]).convert("RGB")
        words.paste(Image.fromarray(heat_over(small, cv2.resize(panel.heat, shape))), (0, 0))
        cells.append(words)
    return _in_rows(cells)


def evidence_line(shares: Mapping[str, float]) -> str:
    """Which inputs the answer rests on: `evidence: network 71 %, texture 29 %`; empty where there is only one."""
    if len(shares) < 2:
        return ""
    named = sorted(shares.items(), key=lambda each: -each[1])
    return "evidence: " + ", ".join(f"{BRANCH_NAMES.get(name, name)} {100 * share:.0f} %" for name, share in named)


def heat_over(display: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """(Y, X, 3) uint8: colours from dark violet to yellow laid over a grey picture (Y, X), the denser the hotter."""
    levels = np.rint(255 * heat.clip(0, 1)).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.float32)
    opacity = (_STRONGEST * heat.clip(0, 1) ** _FADE)[..., None]
    return np.rint(display[..., None] * (1 - opacity) + colours * opacity).astype(np.uint8)


def _in_rows(cells: Sequence[Image.Image]) -> Image.Image:
    columns = min(_COLUMNS, len(cells))
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) for row in rows]
    width = cells[0].width
    size = (columns * (width + _GAP) - _GAP, sum(heights) + _GAP * (len(rows) - 1))
    page = Image.new("RGB", size, (_PAPER, _PAPER, _PAPER))
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            page.paste(cell, (column * (width + _GAP), top))
        top += height + _GAP
    return page
