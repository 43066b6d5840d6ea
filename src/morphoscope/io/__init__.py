"""Files in: find them, tell what they are, read picture and scale, stretch for display."""

from __future__ import annotations

from morphoscope.io.display import to_display
from morphoscope.io.find import find_micrographs
from morphoscope.io.read import read

__all__ = ["find_micrographs", "read", "to_display"]
