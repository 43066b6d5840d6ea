"""What a micrograph's scale and frame really are: information bar, scale bar and print, sources weighed against each other."""

from __future__ import annotations

from morphoscope.calibration.information_bar import find_information_bar
from morphoscope.calibration.picture_reading import PictureReading, read_picture
from morphoscope.calibration.resolve import METADATA_COLUMNS, conflicts, resolve

__all__ = ["METADATA_COLUMNS", "PictureReading", "conflicts", "find_information_bar", "read_picture", "resolve"]
