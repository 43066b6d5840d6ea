"""Olympus SIS cameras: the binary TIFF tag 33560, which tifffile decodes; a preview may come before the page that has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from morphoscope.io.formats.makers.values import Shape, pixel_size, positive, scaled, sourced
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition

TAG = 33560


def from_tags(tags: Mapping[int, Any], shape: Shape) -> Record | None:
    """What the tag says, or None without it."""
    if TAG not in tags or not isinstance(tags[TAG], Mapping):
        return None
    values = tags[TAG]
    taken = values.get("datetime")
    size = pixel_size(
        scaled(positive(values.get("pixelsizey")), 1e9),
        scaled(positive(values.get("pixelsizex")), 1e9),
        "header",
        "Olympus SIS pixelsizex",
    )
    acquisition = Acquisition(
        magnification=sourced(positive(values.get("magnification")), "header"),
        detector=sourced(str(values.get("cameraname") or "").strip(), "header"),
        date=sourced(taken.isoformat() if isinstance(taken, datetime) else None, "header"),
    )
    return Record("Olympus SIS", size, acquisition)
