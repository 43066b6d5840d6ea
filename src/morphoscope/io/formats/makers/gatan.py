"""TIFF written by Gatan DigitalMicrograph: units in the private tags 65003 (x) and 65004 (y), scales in 65009 and 65010."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import Shape, decoded, length_nm, pixel_size, positive
from morphoscope.io.record import Record
from morphoscope.units import is_reciprocal, to_per_nm

X_UNIT, Y_UNIT, X_SCALE, Y_SCALE = 65003, 65004, 65009, 65010


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """The calibration, or None without the tags. A unit that is no length (`1/nm` of a diffraction pattern) gives none."""
    if X_SCALE not in tags or X_UNIT not in tags:
        return None
    unit = decoded(tags[X_UNIT])
    if is_reciprocal(unit):
        side = positive(tags[X_SCALE])
        return Record("Gatan DigitalMicrograph", is_diffraction=True, reciprocal_per_nm=side and to_per_nm(side, unit))
    y_nm = length_nm(f"{tags.get(Y_SCALE, '')} {decoded(tags.get(Y_UNIT, ''))}")
    x_nm = length_nm(f"{tags[X_SCALE]} {decoded(tags[X_UNIT])}")
    return Record("Gatan DigitalMicrograph", pixel_size(y_nm, x_nm, "header", "Gatan TIFF tag 65009"))
