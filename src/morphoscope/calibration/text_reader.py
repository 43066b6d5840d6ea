"""Printed text found and read in a grey picture, offline, on one core."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

_LEAST_SIDE = 32  # the detector halves the picture five times
_MOST_LINES = 40
_engines = threading.local()


@dataclass(frozen=True)
class TextLine:
    """One line of print: what it says, how sure the reader is (0..1), and its box in pixels (last+1 for x1 and y1)."""

    text: str
    score: float
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def height(self) -> float:
        """Height of the box in pixels, about 1.4 times that of a capital."""
        return self.y1 - self.y0

    def moved(self, y: float, x: float, zoom: float = 1.0) -> TextLine:
        """The line in the frame of a larger picture, of which this one was a part at (y, x) enlarged by `zoom`."""
        box = (self.x0 / zoom + x, self.y0 / zoom + y, self.x1 / zoom + x, self.y1 / zoom + y)
        return TextLine(self.text, self.score, *box)


def find_text(grey: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Boxes (y0, x0, y1, x1) of the lines of print in an eight-bit picture (Y, X), from top to bottom; none in a small one."""
    if min(grey.shape) < _LEAST_SIDE:
        return []
    found = _engine().detector(_as_colour(grey), use_det=True, use_cls=False, use_rec=False)
    if found.boxes is None:
        return []
    height, width = grey.shape
    boxes = []
    for corners in found.boxes[:_MOST_LINES]:
        (x0, y0), (x1, y1) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
        boxes.append((max(0, int(y0)), max(0, int(x0)), min(height, int(y1)), min(width, int(x1))))
    return [box for box in boxes if box[2] > box[0] and box[3] > box[1]]


def read_line(grey: np.ndarray) -> tuple[str, float]:
    """Text and score (0..1) of an eight-bit picture (Y, X) that holds one line of print."""
    read = _engine().recogniser(_as_colour(grey), use_det=False, use_cls=False, use_rec=True)
    return (read.txts[0].strip(), float(read.scores[0])) if read.txts else ("", 0.0)


@dataclass(frozen=True)
class _Engine:
    """Two halves of the reader, apart because a call keeps its options."""

    detector: Any
    recogniser: Any


def _engine() -> _Engine:
    """The reader of this thread; loading it takes a second once."""
    engine = getattr(_engines, "engine", None)
    if engine is None:
        engine = _engines.engine = _Engine(_load(), _load())
    return engine


def _load() -> Any:
    """A reader of print from the models inside its wheel."""
    from rapidocr import RapidOCR  # takes a second, and most commands read no print

    options: dict[str, Any] = {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        "Global.use_preprocess_img": False,
        "Global.use_vertical_padding": False,
        "Global.text_score": 0.0,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.limit_type": "max",
        "Det.limit_side_len": 4096,
        "Rec.rec_img_shape": [3, 48, 96],
    }
    return RapidOCR(params=options)


def _as_colour(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[:, :, None], 3, axis=2)
