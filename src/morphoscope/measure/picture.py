"""One picture and its instance map: every object in px and nm, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.measure.border import Border
from morphoscope.measure.distribution import PRECISION
from morphoscope.measure.field import specimen_field
from morphoscope.measure.focus import sharpness
from morphoscope.measure.inscribed import inscribed_radius, slenderness
from morphoscope.measure.objects import Objects, measure_objects
from morphoscope.measure.particles import trace
from morphoscope.measure.percolation import percolates
from morphoscope.measure.routing import AskedKind, route
from morphoscope.measure.summary import Summary, summarise
from morphoscope.measure.uncertainty import ScaleUncertainty, scale_uncertainty
from morphoscope.micrograph import Micrograph, PixelSize


@dataclass(frozen=True)
class Asked:
    """What a user chose. kind, class_name: see `route`. precision: of the mean, see `Distribution.n_needed`.

    cells: the picture's row of the metadata sheet.
    """

    border: Border = "exclude"
    kind: AskedKind = "auto"
    class_name: str = ""
    precision: float = PRECISION
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MeasuredPicture:
    """One picture's objects and what they say. pixel_size, scale_uncertainty: None where the scale is unknown."""

    path: Path
    pixel_size: PixelSize | None
    scale_uncertainty: ScaleUncertainty | None
    objects: Objects
    summary: Summary

    @property
    def diameters_nm(self) -> np.ndarray:
        """(n,) equivalent circular diameters of the objects that count; empty without a scale."""
        if self.objects.nm is None:
            return np.zeros(0)
        sized = self.objects.nm.equivalent_circular_diameter[self.objects.is_sized]
        return np.asarray(sized[np.isfinite(sized)])


def measure_picture(micrograph: Micrograph, instance_map: np.ndarray, asked: Border | Asked = "exclude") -> MeasuredPicture:
    """Measures an instance map (Y, X), 0 = background, of the whole picture with its information bar.

    asked: the border rule alone, or all that can be chosen. Raises ReadError where the map has another size than the picture.
    """
    if instance_map.shape != micrograph.pixels.shape:
        raise ReadError(
            f"{micrograph.path}: its mask is {_size(instance_map)}, the picture is {_size(micrograph.pixels)} (height × width); "
            "expected the same size. Export the mask at the picture's full size."
        )
    asked = asked if isinstance(asked, Asked) else Asked(asked)
    size, bar = micrograph.pixel_size, micrograph.information_bar
    spacing = (size.y_nm, size.x_nm) if size else None
    uncertainty = scale_uncertainty(size, asked.cells) if size else None
    traced = trace(instance_map)
    spans = percolates(specimen_field(instance_map, bar) != 0)
    slender = slenderness(traced, inscribed_radius(instance_map, traced))
    found = route(asked.kind, asked.class_name, slender, traced.n_pixels, spans)
    objects = measure_objects(instance_map, traced, found.is_wire, asked.border, spacing, bar)
    summary = summarise(
        instance_map,
        traced,
        objects,
        found,
        sharpness(micrograph.specimen()),
        border=asked.border,
        spacing=spacing,
        bar=bar,
        percolates=spans,
        precision=asked.precision,
    )
    return MeasuredPicture(micrograph.path, size, uncertainty, objects, summary)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[0]} × {pixels.shape[1]} px"
