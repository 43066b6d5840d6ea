"""ImageJ: `unit=` in the ImageDescription and pixels per unit in the resolution tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import Shape, decoded, pixel_size, positive, sections
from morphoscope.io.record import Record
from morphoscope.units import is_reciprocal, length_unit, to_nm, to_per_nm

DESCRIPTION, X_RESOLUTION, Y_RESOLUTION = 270, 282, 283
_FROM_DPI = {"inch", "cm"}


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """The calibration, or None without one. Inches and centimetres come from a print resolution: ImageJ takes a DPI tag
    for a calibration when it opens a file, and writes it back as one."""
    text = decoded(tags.get(DESCRIPTION, ""))
    if not text.startswith("ImageJ="):
        return None
    stated = sections(text)[""].get("unit", "")
    if is_reciprocal(stated):
        sides = [to_per_nm(units / pixels, stated) for pixels, units in (tags.get(X_RESOLUTION, (0, 0)),) if pixels]
        return Record("ImageJ", is_diffraction=True, reciprocal_per_nm=positive(sides[0]) if sides else None)
    unit = length_unit(stated)
    if unit is None or unit in _FROM_DPI:
        return None
    sides = []
    for code in (Y_RESOLUTION, X_RESOLUTION):
        pixels, units = tags.get(code, (0, 0))
        sides.append(to_nm(units / pixels, unit) if pixels else None)
    return Record("ImageJ", pixel_size(sides[0], sides[1], "header", f"ImageJ pixels per {unit}"))
