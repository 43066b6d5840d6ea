"""A row of the user's metadata sheet: numbers and texts that win over what a file says."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from morphoscope.errors import MorphoscopeError
from morphoscope.io.filename import magnification_from_name
from morphoscope.micrograph import Acquisition, Evidence, PixelSize, Sourced

_TEXTS = ("detector", "mode", "spot", "instrument", "date")
_POSITIVE = ("magnification", "hv_kv", "wd_mm", "dwell_us", "beam_current_na")
_SIGNED = ("tilt_deg",)
_SIZE, _SIZE_Y, _SIZE_X = "pixel_size_nm", "pixel_size_y_nm", "pixel_size_x_nm"

NOTE_COLUMNS = ("pixel_size_origin", "pixel_size_note")
"""Columns that `inspect --fix` writes for the person who corrects the sheet; they say nothing to the program."""

_SIZE_UNCERTAINTY = "pixel_size_u_percent"
"""What `measure` makes of it stands in measure/uncertainty.py."""

METADATA_COLUMNS = (_SIZE, _SIZE_Y, _SIZE_X, _SIZE_UNCERTAINTY, *_POSITIVE, *_SIGNED, *_TEXTS, *NOTE_COLUMNS)
"""Columns of a metadata sheet that override what a file says, and the notes; any other column is left alone."""


def metadata_row(filename: str, cells: Mapping[str, str]) -> MetadataRow:
    """The cells that belong to one file: column to cell, names in any case, a blank cell says nothing."""
    named = {name.strip().lower(): str(cell).strip() for name, cell in cells.items()}
    return MetadataRow(filename, {name: cell for name, cell in named.items() if name in METADATA_COLUMNS and cell})


@dataclasses.dataclass(frozen=True)
class MetadataRow:
    """The cells of a metadata sheet that belong to one file."""

    filename: str
    cells: Mapping[str, str]

    @property
    def has_pixel_size(self) -> bool:
        """Whether the user says how large a pixel is."""
        return any(name in self.cells for name in (_SIZE, _SIZE_Y, _SIZE_X))

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
