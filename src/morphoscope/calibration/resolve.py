"""What is known of one micrograph in the end: the user's word over the file's, and where sources disagree."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from morphoscope.calibration.information_bar import find_information_bar
from morphoscope.errors import MorphoscopeError
from morphoscope.io.filename import magnification_from_name
from morphoscope.micrograph import Acquisition, Evidence, Micrograph, PixelSize, Sourced

TOLERANCE = 0.03

_TEXTS = ("detector", "mode", "spot", "instrument", "date")
_POSITIVE = ("magnification", "hv_kv", "wd_mm", "dwell_us", "beam_current_na")
_SIGNED = ("tilt_deg",)
_SIZE, _SIZE_Y, _SIZE_X = "pixel_size_nm", "pixel_size_y_nm", "pixel_size_x_nm"

_SIZE_UNCERTAINTY = "pixel_size_u_percent"
"""What `measure` makes of it stands in measure/uncertainty.py."""

METADATA_COLUMNS = (_SIZE, _SIZE_Y, _SIZE_X, _SIZE_UNCERTAINTY, *_POSITIVE, *_SIGNED, *_TEXTS)
"""Columns of a metadata sheet that override what a file says; any other column is left alone."""


def resolve(micrograph: Micrograph, user: Mapping[str, str] | None = None) -> Micrograph:
    """The micrograph with its information bar (the header's, else one found in the pixels) and the user's values.

    user: a row of the metadata sheet, column to cell; names as in METADATA_COLUMNS in any case, a blank cell says nothing.
    Its values win and have the origin `user`. Raises MorphoscopeError for a cell that is no number where one is due.
    """
    bar = micrograph.information_bar or find_information_bar(micrograph.pixels)
    cells = {name.strip().lower(): str(cell).strip() for name, cell in (user or {}).items()}
    row = _Row(micrograph.path.name, {name: cell for name, cell in cells.items() if name in METADATA_COLUMNS and cell})
    return dataclasses.replace(
        micrograph,
        information_bar=bar,
        pixel_size=row.pixel_size(micrograph.pixel_size),
        acquisition=micrograph.acquisition.overridden_by(row.acquisition()),
    )


def conflicts(pixel_size: PixelSize | None) -> list[str]:
    """A sentence for each source whose pixel width differs by more than 3 % from the one that is used."""
    if pixel_size is None:
        return []
    used = next((item.source for item in pixel_size.evidence if item.value_nm == pixel_size.x_nm), pixel_size.origin)
    return [
        f"{used} says {pixel_size.x_nm:.4g} nm a pixel, {item.source} says {item.value_nm:.4g} nm; expected them to agree "
        f"within {TOLERANCE:.0%}. Was the picture resized or cropped after it was taken? The first is used."
        for item in pixel_size.evidence
        if abs(math.log(item.value_nm / pixel_size.x_nm)) > math.log1p(TOLERANCE)
    ]


@dataclasses.dataclass(frozen=True)
class _Row:
    """The cells of a metadata sheet that belong to one file."""

    filename: str
    cells: Mapping[str, str]

    def pixel_size(self, read: PixelSize | None) -> PixelSize | None:
        """The user's pixel size with the file's evidence kept, or what was read where the user says nothing."""
        both = self._number(_SIZE, is_positive=True)
        y_nm = self._number(_SIZE_Y, is_positive=True) or both
        x_nm = self._number(_SIZE_X, is_positive=True) or both
        if y_nm is None and x_nm is None:
            return read
        if y_nm is None or x_nm is None:
            known, missing = (_SIZE_X, _SIZE_Y) if y_nm is None else (_SIZE_Y, _SIZE_X)
            raise MorphoscopeError(
                f"Metadata of {self.filename}: '{known}' is given without '{missing}'; expected both, or '{_SIZE}' for square "
                "pixels. Fill in the other cell."
            )
        evidence = (Evidence("user: metadata sheet", x_nm), *(read.evidence if read else ()))
        return PixelSize(y_nm, x_nm, "user", evidence)

    def acquisition(self) -> Acquisition:
        """The user's settings."""
        numbers = {name: self._number(name, is_positive=True) for name in _POSITIVE}
        numbers |= {name: self._number(name, is_positive=False) for name in _SIGNED}
        known = {name: Sourced(value, "user") for name, value in numbers.items() if value is not None}
        texts = {name: Sourced(self.cells[name], "user") for name in _TEXTS if name in self.cells}
        return Acquisition(**known, **texts)  # type: ignore[arg-type]

    def _number(self, name: str, is_positive: bool) -> float | None:
        cell = self.cells.get(name)
        if cell is None:
            return None
        value = _magnification(cell) if name == "magnification" else _number(cell)
        if not math.isfinite(value) or (is_positive and value <= 0):
            raise MorphoscopeError(
                f"Metadata of {self.filename}: '{name}' is '{cell}'; expected a {'positive ' if is_positive else ''}number. "
                "Correct the cell, or leave it blank where the value is unknown."
            )
        return value


def _number(cell: str) -> float:
    """The number in a cell, with a decimal point or comma; NaN where there is none."""
    try:
        return float(cell.replace(",", ".") if "." not in cell else cell)
    except ValueError:
        return math.nan


def _magnification(cell: str) -> float:
    """As people write it: `5000`, `10,000`, `50k`, `10.00 K X`. Here a comma parts thousands."""
    stated = magnification_from_name(f"x{cell.lstrip('xX× ')}")
    return _number(cell) if stated is None else stated
