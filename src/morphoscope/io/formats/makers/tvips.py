"""TVIPS EM-MENU cameras: the binary TIFF tag 37706, which tifffile decodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphoscope.io.formats.makers.values import Shape, number, pixel_size, positive, scaled, sourced
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition

TAG = 37706
_DIFFRACTION = 3


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the tag says, or None without it. In diffraction the magnification is a camera length, and no pixel has a length."""
    if TAG not in tags or not isinstance(tags[TAG], Mapping):
        return None
    values = tags[TAG]
    is_image = values.get("TemMode") != _DIFFRACTION
    stage = values.get("TemStagePosition") or []
    size = pixel_size(positive(values.get("PixelSizeY")), positive(values.get("PixelSizeX")), "header", "TVIPS PixelSizeX")
    acquisition = Acquisition(
        magnification=sourced(positive(values.get("TemMagnification")) if is_image else None, "header"),
        hv_kv=sourced(scaled(positive(values.get("TemHighTension")), 1e-3), "header"),
        detector=sourced(str(values.get("CameraType") or "").strip(), "header"),
        mode=sourced("TEM" if is_image else "TEM diffraction", "header"),
        tilt_deg=sourced(number(stage[3]) if len(stage) > 3 else None, "header"),
    )
    return Record("TVIPS", size if is_image else None, acquisition)
