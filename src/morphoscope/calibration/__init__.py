"""What a micrograph's scale and frame really are: information bar, sources weighed against each other."""

from __future__ import annotations

from morphoscope.calibration.information_bar import find_information_bar
from morphoscope.calibration.resolve import METADATA_COLUMNS, conflicts, resolve

__all__ = ["METADATA_COLUMNS", "conflicts", "find_information_bar", "resolve"]
