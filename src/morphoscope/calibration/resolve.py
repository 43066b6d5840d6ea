"""What is known of one micrograph in the end: every source weighed, the user's word over all, and where sources disagree."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Literal

from morphoscope.calibration.information_bar import find_information_bar
from morphoscope.calibration.metadata_row import METADATA_COLUMNS, metadata_row
from morphoscope.calibration.picture_reading import PictureReading
from morphoscope.micrograph import Acquisition, Evidence, Micrograph, PixelSize

__all__ = ["METADATA_COLUMNS", "Scale", "conflicts", "needs_reading", "resolve", "without_file"]

Scale = Literal["auto", "header", "picture", "none"]
"""Where the pixel size comes from. auto: header, then sidecar, then picture, each checked against the others. header: never
the picture. picture: nothing but its scale bar. none: unknown, unless the user says it."""

TOLERANCE = 0.03

PICTURE_SOURCE = "picture: scale bar"

_COLUMNS_AT_ACQUISITION = (512, 640, 768, 800, 1024, 1280, 1536, 2048, 2560, 3072, 4096, 5120, 6144, 8192)
"""Widths that scan generators and cameras give; a picture of another one was resized or cropped."""
_WIDTH_TOLERANCE = 0.015
_LARGEST_RESIZE = 16


def needs_reading(micrograph: Micrograph, user: Mapping[str, str] | None = None, scale: Scale = "auto") -> bool:
    """Whether the pixels must be read: the file gives no pixel size or contradicts its own width, and the user gives none."""
    if scale in ("header", "none") or micrograph.is_diffraction:
        return False
    if metadata_row(micrograph.path.name, user or {}).has_pixel_size:
        return False
    return scale == "picture" or micrograph.pixel_size is None or bool(conflicts(micrograph.pixel_size))


def without_file(micrograph: Micrograph) -> Micrograph:
    """The same pixels as if nothing but they were known: no header, no sidecar, no name."""
    return dataclasses.replace(
        micrograph, pixel_size=None, acquisition=Acquisition(), information_bar=None, is_diffraction=False, warnings=()
    )


def resolve(
    micrograph: Micrograph,
    user: Mapping[str, str] | None = None,
    *,
    reading: PictureReading | None = None,
    scale: Scale = "auto",
) -> Micrograph:
    """The micrograph with its information bar (the header's, else one found in the pixels), the scale that its sources and the
    picture's own bar agree on, and the user's values.

    user: a row of the metadata sheet, column to cell; names as in METADATA_COLUMNS in any case, a blank cell says nothing.
    Its values win and have the origin `user`. reading: what the pixels say, where they were read. Header and sidecar go
    before the picture, except where the picture was resized after it was taken; settings printed in the picture go before
    the magnification in the file's name. Every source stays in the evidence. Raises MorphoscopeError for a cell that is no
    number where one is due.
    """
    row = metadata_row(micrograph.path.name, user or {})
    size, acquisition = _weighed(micrograph, reading, scale), micrograph.acquisition
    if reading is not None:
        acquisition = _with_printed(acquisition, reading.acquisition)
    if scale == "none":
        acquisition = dataclasses.replace(acquisition, magnification=None)
    return dataclasses.replace(
        micrograph,
        information_bar=micrograph.information_bar or find_information_bar(micrograph.pixels),
        scale_bar=reading.scale_bar if reading else None,
        pixel_size=row.pixel_size(size),
        acquisition=acquisition.overridden_by(row.acquisition()),
    )


def _weighed(micrograph: Micrograph, reading: PictureReading | None, scale: Scale) -> PixelSize | None:
    """The pixel size of the file's sources and the picture's, with the evidence of both."""
    stated, printed = micrograph.pixel_size, _printed_size(micrograph.pixel_size, reading)
    if scale == "none" or micrograph.is_diffraction:
        return None
    if scale == "picture":
        return _joined(printed, stated)
    if stated is None or printed is None or scale == "header":
        return stated or (None if scale == "header" else printed)
    if is_resized(stated, printed.x_nm, micrograph.pixels.shape[1]):
        return _joined(printed, stated)
    return _joined(stated, printed)


def _printed_size(stated: PixelSize | None, reading: PictureReading | None) -> PixelSize | None:
    """The picture's pixel size; a bar gives the width alone, so the height keeps the header's proportion."""
    if reading is None or reading.pixel_size_nm is None:
        return None
    x_nm = reading.pixel_size_nm
    y_nm = x_nm * stated.y_nm / stated.x_nm if stated else x_nm
    detail = f"confidence {reading.confidence:.2f}"
    return PixelSize(y_nm, x_nm, "picture", (Evidence(PICTURE_SOURCE, x_nm, detail),))


def _joined(used: PixelSize | None, other: PixelSize | None) -> PixelSize | None:
    if used is None or other is None:
        return used
    return dataclasses.replace(used, evidence=(*used.evidence, *other.evidence))


def _with_printed(acquisition: Acquisition, printed: Acquisition) -> Acquisition:
    """The settings with those that the picture prints in place of unknown ones and of the name's magnification."""
    known = {field.name: getattr(acquisition, field.name) for field in dataclasses.fields(acquisition)}
    strong = Acquisition(**{name: value for name, value in known.items() if value and value.origin != "filename"})
    return acquisition.overridden_by(printed).overridden_by(strong)


def is_resized(stated: PixelSize, printed_nm: float, columns: int) -> bool:
    """Whether a picture of so many columns whose bar says `printed_nm` was resized after its header was written.

    It was where the header itself, which knows the width of the field, says so; else where the columns that it must have had
    are a usual width. A factor of ten is a misread label and no resize.
    """
    if is_close(printed_nm, stated.x_nm):
        return False
    further = [item for item in stated.evidence if "columns" in item.source]
    if further:
        return any(is_close(item.value_nm, printed_nm) for item in further)
    factor = printed_nm / stated.x_nm
    decades = math.log10(factor)
    is_decade = abs(decades - round(decades)) < math.log10(1 + TOLERANCE)
    if is_decade or not 1 / _LARGEST_RESIZE <= factor <= _LARGEST_RESIZE:
        return False
    return any(abs(columns * factor / width - 1) <= _WIDTH_TOLERANCE for width in _COLUMNS_AT_ACQUISITION)


def is_close(first_nm: float, second_nm: float) -> bool:
    """Whether two sources agree, within 3 %."""
    return abs(math.log(first_nm / second_nm)) <= math.log1p(TOLERANCE)


def conflicts(pixel_size: PixelSize | None) -> list[str]:
    """A sentence for each source whose pixel width differs by more than 3 % from the one that is used."""
    if pixel_size is None:
        return []
    used = next((item.source for item in pixel_size.evidence if item.value_nm == pixel_size.x_nm), pixel_size.origin)
    return [
        f"{used} says {pixel_size.x_nm:.4g} nm a pixel, {item.source} says {item.value_nm:.4g} nm; expected them to agree "
        f"within {TOLERANCE:.0%}. {_advice(pixel_size, item)}"
        for item in pixel_size.evidence
        if not is_close(item.value_nm, pixel_size.x_nm)
    ]


def _advice(used: PixelSize, other: Evidence) -> str:
    if used.origin == "picture":
        return "The picture was resized after it was taken, or only its own bar was asked for: its bar is used."
    if other.source == PICTURE_SOURCE:
        return (
            "The two fit no resize: look at the bar, and put the right one into a metadata sheet. Until then the first is used."
        )
    return "Was the picture resized or cropped after it was taken? The first is used."
