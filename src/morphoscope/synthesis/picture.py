"""What a kind is asked for and what it gives: a Draft goes in, a Rendered picture comes out."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from morphoscope.errors import MorphoscopeError
from morphoscope.micrograph import InformationBar
from morphoscope.synthesis.canvas import Canvas, TrueObject
from morphoscope.synthesis.instruments import Settings


@dataclass(frozen=True, eq=False)
class RenderedSpectrum:
    """counts (E,) of channels of step_ev, the first at offset_ev as its maker's file states them."""

    counts: np.ndarray
    step_ev: float
    offset_ev: float
    beam_kv: float
    live_s: float


@dataclass(frozen=True, eq=False)
class RenderedPattern:
    """A diffraction pattern (Y, X) uint16, its stated 1/nm a pixel, and the true row and column of its centre."""

    pixels: np.ndarray
    per_nm: float
    centre: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Rendered:
    """One rendered micrograph with its whole truth.

    `pixels` is (Y, X) uint8 or uint16, `instance_map` (Y, X) uint16 (0 = background) or None for kinds without objects;
    `objects` has a row for each number in it. `pixel_size_nm` is (y, x), None for a diffraction pattern.
    """

    stem: str
    pixels: np.ndarray
    labels: dict[str, str]
    sample: str
    pixel_size_nm: tuple[float, float] | None
    settings: Settings
    instance_map: np.ndarray | None = None
    objects: tuple[TrueObject, ...] = ()
    information_bar: InformationBar | None = None
    spectrum: RenderedSpectrum | None = None
    pattern: RenderedPattern | None = None

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


SMALLEST_SIDE_PX = 16


@dataclass(frozen=True)
class Options:
    """What a caller may choose. Raises MorphoscopeError for a value that makes no picture."""

    size: tuple[int, int] = (256, 256)
    difficulty: float = 0.5
    bits: int = 8
    bar: float = 0.5
    pixel_aspect: float = 1.0

    def __post_init__(self) -> None:
        height, width = self.size
        for name, value, fits, expected in (
            ("size", f"{height}x{width}", min(height, width) >= SMALLEST_SIDE_PX, f"sides of at least {SMALLEST_SIDE_PX} px"),
            ("difficulty", self.difficulty, 0 <= self.difficulty <= 1, "a number from 0 to 1"),
            ("bits", self.bits, self.bits in (8, 16), "8 or 16"),
            ("bar", self.bar, 0 <= self.bar <= 1, "a probability from 0 to 1"),
            ("pixel_aspect", self.pixel_aspect, 0.2 <= self.pixel_aspect <= 5, "a ratio from 0.2 to 5"),
        ):
            if not fits:
                raise MorphoscopeError(f"render: {name} is {value}; expected {expected}. Change it and render again.")


@dataclass(frozen=True)
class Draft:
    """One picture to draw. `specimen` draws what the pictures of a sample share, `view` what is this picture's own."""

    kind: str
    seed: int
    index: int
    sample: str
    turn: int
    """Which of the kind's classes it is this picture's turn to show."""
    options: Options
    specimen: np.random.Generator = field(init=False)
    view: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "specimen", self._generator("specimen", self.sample))
        object.__setattr__(self, "view", self._generator("view", str(self.index)))

    def _generator(self, *words: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *(zlib.crc32(word.encode()) for word in (self.kind, *words))])

    def canvas(self, side_nm: float) -> Canvas:
        """A canvas whose picture shows the area of a square of `side_nm`."""
        (height, width), stretch = self.options.size, math.sqrt(self.options.pixel_aspect)
        pixel = side_nm / math.sqrt(height * width)
        return Canvas((height, width), (pixel * stretch, pixel / stretch))


@dataclass(frozen=True)
class Kind:
    """A kind of rendered micrograph: its label columns with their classes, how many classes take turns, and how one is drawn."""

    tasks: Mapping[str, tuple[str, ...]]
    turns: int
    draw: Callable[[Draft], Rendered]
    per_sample: int = 5
    channels: tuple[str, ...] = ()
    """Columns of the label sheet that name further files."""
