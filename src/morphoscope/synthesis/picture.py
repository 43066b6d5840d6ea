"""What a kind is asked for and what it gives: a Draft goes in, a Rendered picture comes out."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from morphoscope.micrograph import InformationBar
from morphoscope.synthesis.canvas import Canvas, TrueObject
from morphoscope.synthesis.instruments import Settings


@dataclass(frozen=True, eq=False)
class Rendered:
    """One rendered micrograph with its whole truth.

    `pixels` is (Y, X) uint8 or uint16, `instance_map` (Y, X) uint16 (0 = background) or None for kinds without objects;
    `objects` has a row for each number in it. `pixel_size_nm` is (y, x).
    """

    stem: str
    pixels: np.ndarray
    labels: dict[str, str]
    sample: str
    pixel_size_nm: tuple[float, float]
    settings: Settings
    instance_map: np.ndarray | None = None
    objects: tuple[TrueObject, ...] = ()
    information_bar: InformationBar | None = None

    @property
    def hv_kv(self) -> float:
        return self.settings.hv_kv

    @property
    def wd_mm(self) -> float | None:
        return self.settings.wd_mm

    @property
    def magnification(self) -> float:
        return self.settings.magnification

    @property
    def detector(self) -> str:
        return self.settings.detector


@dataclass(frozen=True)
class Draft:
    """One picture to draw. It depends on kind, seed and index alone: `specimen` is shared by the pictures of a sample, `view` is its own."""

    kind: str
    seed: int
    index: int
    size: tuple[int, int]
    difficulty: float
    pixel_aspect: float
    bits: int
    bar: float
    """Probability of a maker's information bar or, on pictures for journals, a scale bar."""
    sample: str
    turn: int
    """Which of the kind's classes it is this picture's turn to show."""
    specimen: np.random.Generator = field(init=False)
    view: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "specimen", self._generator("specimen", self.sample))
        object.__setattr__(self, "view", self._generator("view", str(self.index)))

    def _generator(self, *words: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *(zlib.crc32(word.encode()) for word in (self.kind, *words))])

    def canvas(self, side_nm: float) -> Canvas:
        """A canvas whose picture shows the area of a square of `side_nm`."""
        pixel = side_nm / math.sqrt(self.size[0] * self.size[1])
        return Canvas(self.size, (pixel * math.sqrt(self.pixel_aspect), pixel / math.sqrt(self.pixel_aspect)))


@dataclass(frozen=True)
class Kind:
    """A kind of rendered micrograph: its label columns with their classes, how many classes take turns, and how one is drawn."""

    tasks: Mapping[str, tuple[str, ...]]
    turns: int
    draw: Callable[[Draft], Rendered]
    per_sample: int = 5
