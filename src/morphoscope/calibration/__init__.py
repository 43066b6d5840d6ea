"""What a micrograph's scale and frame really are: information bar, scale bar and print, sources weighed against each other."""

from __future__ import annotations

from morphoscope.calibration.information_bar import find_information_bar
from morphoscope.calibration.picture_reading import PictureReading, read_picture
from morphoscope.calibration.resolve import METADATA_COLUMNS, Scale, conflicts, needs_reading, resolve

__all__ = [
    "METADATA_COLUMNS",
    "PictureReading",
    "Scale",
    "conflicts",
    "find_information_bar",
    "needs_reading",
    "read_picture",
    "resolve",
]
