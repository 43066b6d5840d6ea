"""JEOL SightX TEM: XML in the ImageDescription of a TIFF made by `JEOL Ltd.`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import Shape, decoded, number, pixel_size, positive, scaled, sourced, xml_root, xml_text
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition, PixelSize

DESCRIPTION, MAKE, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 270, 271, 282, 283, 296
_NM_PER_RESOLUTION_UNIT = {2: 25.4e6, 3: 1e7}


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the description says, or None where it isn't SightX's."""
    text = decoded(tags.get(DESCRIPTION, ""))
    if "JEOL" not in decoded(tags.get(MAKE, "")) or "<TemReporter" not in text:
        return None
    root = xml_root(text)
    report = next(iter(root.findall(".//{*}TemReporter")), root)
    imaging = "ImageFormingSystem"
    is_tem = xml_text(report, "Eos/EosMode") == "eosTEM"
    is_image = xml_text(report, f"{imaging}/ModeString") == "MAG"
    selector = positive(xml_text(report, f"{imaging}/SelectorValue"))
    acquisition = Acquisition(
        magnification=sourced(selector if is_image else None, "header"),
        hv_kv=sourced(scaled(positive(xml_text(report, "ElectronGun/AccelerationVoltage")), 1e-3), "header"),
        mode=sourced(f"{'TEM' if is_tem else 'STEM'} {xml_text(report, f'{imaging}/ModeString') or ''}".strip(), "header"),
        tilt_deg=sourced(number(xml_text(report, "GonioStage/StagePosition/TX")), "header"),
        instrument=sourced(xml_text(report, "Instruments"), "header"),
    )
    size = _pixel_size(tags, selector) if is_tem and is_image and selector else None
    is_diffraction = is_tem and (xml_text(report, f"{imaging}/ModeString") or "").startswith("DIFF")
    return Record("JEOL SightX", size, acquisition, is_diffraction=is_diffraction)


def _pixel_size(tags: Mapping[int, Any], magnification: float) -> PixelSize | None:
    """Here the TIFF's resolution is that of the camera, so a camera pixel over the magnification is one on the specimen."""
    unit_nm = _NM_PER_RESOLUTION_UNIT.get(int(tags.get(RESOLUTION_UNIT, 0)))
    sides = []
    for code in (Y_RESOLUTION, X_RESOLUTION):
        pixels, units = tags.get(code, (0, 0))
        sides.append(unit_nm * units / pixels / magnification if unit_nm and pixels else None)
    return pixel_size(sides[0], sides[1], "header", "JEOL SightX camera pixel over magnification")
