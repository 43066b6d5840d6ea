"""One picture and its instance map: every particle in px and nm, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.measure.distribution import Distribution, area_fraction, distribution, field_area, n_associated
from morphoscope.measure.particles import Particles, trace
from morphoscope.micrograph import Micrograph, PixelSize
from morphoscope.units import NM_PER_UNIT

Border = Literal["exclude", "include"]
"""Whether the size distribution leaves out particles that touch the border, since their size is not seen."""

_UM2_PER_NM2 = NM_PER_UNIT["µm"] ** -2


@dataclass(frozen=True)
class Summary:
    """n particles of n_objects are in the distributions of the equivalent circular diameter. None: the scale is unknown."""

    n: int
    n_objects: int
    n_touching_border: int
    border: Border
    area_fraction: float
    px: Distribution
    nm: Distribution | None
    field_um2: float | None
    n_per_um2: float | None


@dataclass(frozen=True, eq=False)
class MeasuredPicture:
    """One picture's N objects. nm: None where the scale is unknown.

    numbers, touches_border, is_counted: (N,); the last says which are in the distributions.
    """

    path: Path
    pixel_size: PixelSize | None
    numbers: np.ndarray
    touches_border: np.ndarray
    is_counted: np.ndarray
    px: Particles
    nm: Particles | None
    summary: Summary

    @property
    def shapes(self) -> Particles:
        """Where to read what has no unit: in true proportions as far as they are known."""
        return self.nm or self.px


def measure_picture(micrograph: Micrograph, instance_map: np.ndarray, border: Border = "exclude") -> MeasuredPicture:
    """Measures an instance map (Y, X), 0 = background, of the whole picture with its information bar.

    Raises ReadError where the map has another size than the picture.
    """
    if instance_map.shape != micrograph.pixels.shape:
        raise ReadError(
            f"{micrograph.path}: its mask is {_size(instance_map)}, the picture is {_size(micrograph.pixels)} (height × width); "
            "expected the same size. Export the mask at the picture's full size."
        )
    traced, bar, size = trace(instance_map), micrograph.information_bar, micrograph.pixel_size
    touches_border = traced.touches_border(bar)
    is_counted = ~touches_border if border == "exclude" else np.ones(len(traced), dtype=bool)
    px = traced.particles()
    nm = traced.particles((size.y_nm, size.x_nm)) if size else None
    field_um2 = field_area(traced.shape, bar, (size.y_nm, size.x_nm)) * _UM2_PER_NM2 if size else None
    summary = Summary(
        n=int(is_counted.sum()),
        n_objects=len(traced),
        n_touching_border=int(touches_border.sum()),
        border=border,
        area_fraction=area_fraction(traced, bar),
        px=distribution(px.equivalent_circular_diameter[is_counted]),
        nm=distribution(nm.equivalent_circular_diameter[is_counted]) if nm else None,
        field_um2=field_um2,
        n_per_um2=n_associated(traced, bar) / field_um2 if field_um2 else None,
    )
    return MeasuredPicture(micrograph.path, size, traced.numbers, touches_border, is_counted, px, nm, summary)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[0]} × {pixels.shape[1]} px"
