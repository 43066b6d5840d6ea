"""SerialEM: a sidecar .mdoc of `key = value` lines, first of the whole file, then a section `[ZValue = n]` a frame."""

from __future__ import annotations

import re

from morphoscope.io.formats.makers.values import (
    Shape,
    check_proportions,
    iso_date,
    length_nm,
    number,
    pixel_size,
    positive,
    sourced,
)
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition

_SECTION = re.compile(r"^\[(ZValue|FrameSet|MontSection)\s*=\s*(\d+)\]\s*$", re.MULTILINE)
_LINE = re.compile(r"^(\w+)\s*=\s*(.*?)\s*$", re.MULTILINE)


def is_sidecar(text: str) -> bool:
    """Whether a text beside a picture is SerialEM's."""
    return "PixelSpacing" in text[:2000] and _SECTION.search(text) is not None


def from_sidecar(text: str, shape: Shape, frame: int) -> Record:
    """What the sidecar says of a frame of `shape` (rows, columns): Å, kV, degrees. Raises OtherPictureError."""
    values = _values(text, frame)
    size = values.get("ImageSize", "").split()
    if len(size) == 2:
        check_proportions(positive(size[1]), positive(size[0]), shape)
    spacing = length_nm(values.get("PixelSpacing", ""), "Å")
    columns = positive(size[0]) if len(size) == 2 else None
    spacing = spacing * columns / shape[1] if spacing and columns else spacing
    acquisition = Acquisition(
        magnification=sourced(positive(values.get("Magnification")), "sidecar"),
        hv_kv=sourced(positive(values.get("Voltage")), "sidecar"),
        tilt_deg=sourced(number(values.get("TiltAngle", "")), "sidecar"),
        spot=sourced(values.get("SpotSize"), "sidecar"),
        date=sourced(iso_date(" ".join(values.get("DateTime", "").split()), "%d-%b-%y %H:%M:%S", "%d-%b-%Y %H:%M:%S"), "sidecar"),
    )
    return Record("SerialEM", pixel_size(spacing, spacing, "sidecar", "SerialEM PixelSpacing"), acquisition)


def _values(text: str, frame: int) -> dict[str, str]:
    """The lines of the whole file with those of the frame's section in their place."""
    head, *rest = _SECTION.split(text)
    values = dict(_LINE.findall(head))
    numbered = {int(number_): body for number_, body in zip(rest[1::3], rest[2::3], strict=True)}
    return values | dict(_LINE.findall(numbered.get(frame, "")))
