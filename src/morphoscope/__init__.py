"""Morphoscope: folders of electron micrographs become scales, labels, measurements and reports."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("morphoscope")
