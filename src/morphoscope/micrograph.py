"""The noun everything starts from: a picture as stored, its physical scale, and how the instrument was set."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import numpy as np

Origin = Literal["header", "sidecar", "picture", "filename", "user"]
T = TypeVar("T")


@dataclass(frozen=True)
class Sourced(Generic[T]):
    """A value and where it came from."""

    value: T
    origin: Origin


@dataclass(frozen=True)
class Evidence:
    """One source's word on the pixel size: `source` names it (`header: FEI Scan.PixelWidth`), `value_nm` is its width of a pixel."""

    source: str
    value_nm: float
    detail: str = ""


@dataclass(frozen=True)
class PixelSize:
    """Height and width of a pixel in nm, always positive and finite; unknown is None in place of the whole object."""

    y_nm: float
    x_nm: float
    origin: Origin
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        for value in (self.y_nm, self.x_nm):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"A pixel size is a positive length in nm, found {value}; an unknown one is None.")

    @property
    def mean_nm(self) -> float:
        """Side in nm of the square pixel of the same area."""
        return math.sqrt(self.y_nm * self.x_nm)

    def scaled(self, y: float, x: float) -> PixelSize:
        """The pixel size after the picture was resampled so that one new pixel spans `y` by `x` old ones."""
        return dataclasses.replace(self, y_nm=self.y_nm * y, x_nm=self.x_nm * x)


@dataclass(frozen=True)
class Acquisition:
    """How the instrument was set. None is unknown: never 0, never 1."""

    magnification: Sourced[float] | None = None
    hv_kv: Sourced[float] | None = None
    wd_mm: Sourced[float] | None = None
    detector: Sourced[str] | None = None
    mode: Sourced[str] | None = None
    tilt_deg: Sourced[float] | None = None
    dwell_us: Sourced[float] | None = None
    beam_current_na: Sourced[float] | None = None
    spot: Sourced[str] | None = None
    instrument: Sourced[str] | None = None
    date: Sourced[str] | None = None
    """ISO 8601 date or date and time."""

    def value(self, name: str) -> Any:
        """The bare value of a field, or None where it is unknown."""
        sourced = getattr(self, name)
        return None if sourced is None else sourced.value

    def overridden_by(self, other: Acquisition) -> Acquisition:
        """These settings with every one that `other` knows put in its place."""
        known = {f.name: getattr(other, f.name) for f in dataclasses.fields(other) if getattr(other, f.name) is not None}
        return dataclasses.replace(self, **known)


@dataclass(frozen=True)
class InformationBar:
    """Rows (or columns) of the picture that are the maker's strip, not specimen, in stored pixels."""

    top: int
    height: int
    side: Literal["bottom", "top", "inside"] = "bottom"


@dataclass(frozen=True)
class ScaleBar:
    """The length drawn into the picture: its value in nm, the columns it reaches from and to, and its row, in stored pixels."""

    value_nm: float
    x0: float
    x1: float
    y: float


@dataclass(frozen=True, eq=False)
class Micrograph:
    """One picture.

    `pixels` is (Y, X), one grey channel at the stored depth (uint8, uint16, int16, uint32, float32 …).
    `n_frames` counts the pages or slices of the file it came from; `frame` is the one read. A diffraction pattern has a
    reciprocal scale and so no pixel size: `is_diffraction`, and `reciprocal_per_nm` is the side of its pixel in 1/nm where known.
    `scale_bar` is what a reading of the pixels found, if there was one.
    """

    path: Path
    pixels: np.ndarray
    reader: str
    pixel_size: PixelSize | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)
    information_bar: InformationBar | None = None
    scale_bar: ScaleBar | None = None
    is_diffraction: bool = False
    reciprocal_per_nm: float | None = None
    frame: int = 0
    n_frames: int = 1
    warnings: tuple[str, ...] = ()

    @property
    def field_of_view_nm(self) -> tuple[float, float] | None:
        """Height and width in nm of the specimen shown (without an information bar at the edge), or None without a scale."""
        if self.pixel_size is None:
            return None
        height, width = self.specimen().shape
        return height * self.pixel_size.y_nm, width * self.pixel_size.x_nm

    def specimen(self) -> np.ndarray:
        """The pixels (Y, X) without the information bar: a view on the larger part beside it, the whole picture without one."""
        bar = self.information_bar
        if bar is None:
            return self.pixels
        above, below = self.pixels[: bar.top], self.pixels[bar.top + bar.height :]
        return above if len(above) >= len(below) else below
