"""A measured picture as the page and the pooled tables need it, and the pooling of pictures by specimen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morphoscope.measure.distribution import PRECISION
from morphoscope.measure.picture import MeasuredPicture
from morphoscope.measure.pooling import pool
from morphoscope.measure.summary import Summary
from morphoscope.measure.tables import sample_row
from morphoscope.measure.uncertainty import ScaleUncertainty
from morphoscope.reporting.predictions_table import Row

QUANTITIES = ("equivalent circular diameter", "wire length", "wire width")


@dataclass(frozen=True, eq=False)
class Sizes:
    """One quantity of a picture's n objects: (n,) values in px and in nm (None: no scale), and how many each stands for."""

    px: np.ndarray
    nm: np.ndarray | None
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class ReportedPicture:
    """sizes: by quantity. overlay: a `data:` address, empty for pictures beyond those the page shows.

    uncertainty: of the scale, None where that is unknown. is_pooled: part of figures over several pictures.
    """

    name: str
    sample: str
    summary: Summary
    sizes: dict[str, Sizes]
    uncertainty: ScaleUncertainty | None
    is_pooled: bool = True
    overlay: str = ""

    @property
    def main(self) -> str:
        """The quantity that the picture is told by: diameters, or lengths where it has no particles to size."""
        diameter, length, _ = QUANTITIES
        return length if not len(self.sizes[diameter].px) and len(self.sizes[length].px) else diameter


def reported_picture(measured: MeasuredPicture, sample: str, overlay: str, *, is_pooled: bool) -> ReportedPicture:
    """What is kept of a measured picture."""
    objects, wires, wires_nm = measured.objects, measured.objects.wires_px, measured.objects.wires_nm
    sized, counted = objects.is_sized, objects.is_counted[measured.objects.wires_px.index]
    weights = objects.weights[wires.index][counted]
    diameter, length, width = QUANTITIES
    diameters_nm = objects.nm.equivalent_circular_diameter[sized] if objects.nm else None
    sizes = {
        diameter: Sizes(objects.px.equivalent_circular_diameter[sized], diameters_nm, objects.weights[sized]),
        length: Sizes(wires.length[counted], wires_nm.length[counted] if wires_nm is not None else None, weights),
        width: Sizes(wires.width[counted], wires_nm.width[counted] if wires_nm is not None else None, weights),
    }
    name = Path(measured.path.parent.name, measured.path.name).as_posix()
    return ReportedPicture(name, sample, measured.summary, sizes, measured.scale_uncertainty, is_pooled, overlay)


def sample_rows(pictures: Sequence[ReportedPicture], precision: float = PRECISION) -> list[Row]:
    """A row for each specimen and quantity that its pictures have, in nm; in px only where none of them has a scale.

    Pictures that are not pooled, and those without a scale beside others with one, are left out and counted.
    """
    rows = []
    for sample in dict.fromkeys(picture.sample for picture in pictures):
        members = [picture for picture in pictures if picture.sample == sample]
        sharp = [picture for picture in members if picture.is_pooled]
        scaled = [picture for picture in sharp if picture.uncertainty]
        used, unit = (scaled, "nm") if scaled else (sharp, "px")
        # One instrument's scale errs alike in all pictures, so its uncertainty does not average out.
        uncertain = max((p.uncertainty for p in scaled if p.uncertainty), key=lambda u: u.relative, default=None)
        found = [q for q in QUANTITIES if any(len(picture.sizes[q].px) for picture in used)] or QUANTITIES[:1]
        for quantity in found:
            sizes = [picture.sizes[quantity] for picture in used]
            values = [each.px if each.nm is None else each.nm for each in sizes]
            pooled = pool(values, [each.weights for each in sizes], precision=precision)
            rows.append(sample_row(sample, quantity, unit, pooled, len(members) - len(used), uncertain))
    return rows
