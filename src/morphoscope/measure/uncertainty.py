"""How well the pixel size is known, and what that does to a figure in nm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from morphoscope.errors import MorphoscopeError
from morphoscope.micrograph import Origin, PixelSize

COLUMN = "pixel_size_u_percent"
"""Of a metadata sheet: the relative standard uncertainty (k = 1) of the pixel size, as a calibration certificate states it."""

ASSUMED: dict[Origin, float] = {"header": 0.025, "sidecar": 0.025, "picture": 0.03, "filename": 0.05, "user": 0.025}
"""Relative standard uncertainty where nobody states one. A kept instrument's magnification is right to ± 5 % (two standard
uncertainties; the usual service limit, ISO 16700 asks to check it); a scale bar adds the pixels of its ends; a magnification in a
file name is a nominal one."""

_Z = 1.96

Interval = tuple[float, float]


@dataclass(frozen=True)
class ScaleUncertainty:
    """relative: standard uncertainty over the pixel size. is_stated: by the user, else assumed by where the scale comes from."""

    relative: float
    is_stated: bool

    def widened(self, value: float, interval: Interval, power: float = 1.0) -> Interval:
        """A 95 % interval of sampling with the scale's uncertainty added in quadrature. power: of length in the value's unit."""
        scale = _Z * abs(power) * self.relative * value
        low, high = value - interval[0], interval[1] - value
        return (max(0.0, value - math.hypot(low, scale)), value + math.hypot(high, scale))


def scale_uncertainty(size: PixelSize, cells: Mapping[str, str] | None = None) -> ScaleUncertainty:
    """What the user's sheet says in COLUMN, else what is assumed. Raises MorphoscopeError for a cell that is no percentage."""
    named = {name.strip().lower(): str(cell).strip() for name, cell in (cells or {}).items()}
    cell = named.get(COLUMN, "")
    if not cell:
        return ScaleUncertainty(ASSUMED[size.origin], is_stated=False)
    try:
        percent = float(cell.replace(",", ".").rstrip("% "))
    except ValueError:
        percent = math.nan
    if not 0 <= percent < 100:
        raise MorphoscopeError(
            f"Metadata: '{COLUMN}' is '{cell}'; expected a percentage from 0 to 100, one standard uncertainty. Correct the cell, "
            "or leave it blank."
        )
    return ScaleUncertainty(percent / 100, is_stated=True)
