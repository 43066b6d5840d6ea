"""Gatan DigitalMicrograph .dm3 and .dm4, through RosettaSciIO."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.formats.instrument import mapped_acquisition
from morphoscope.io.formats.makers.values import sourced
from morphoscope.io.formats.planes import picture_of
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.micrograph import Acquisition

_TAGS = "ImageList.TagGroup0.ImageTags"
_DETECTORS = ("DataBar.Signal Name", "Acquisition.Device.Name", "DataBar.Device Name")


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    with data_sets(path, "digitalmicrograph", "a Gatan DigitalMicrograph file", lazy=True) as found:
        return picture_of(path, found, frame, max_pixels, maker="Gatan", acquisition=_acquisition)


def _acquisition(data_set: DataSet) -> Acquisition:
    """The mapped settings. In diffraction, the magnification of a microscope that doesn't scan is a camera length."""
    settings = mapped_acquisition(data_set)
    texts = (data_set.stated(f"{_TAGS}.{name}") for name in _DETECTORS)
    detector = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    is_diffraction = data_set.stated(f"{_TAGS}.Microscope Info.Imaging Mode") == "DIFFRACTION"
    is_scanning = data_set.stated(f"{_TAGS}.Microscope Info.Operation Mode") == "SCANNING"
    microscope = data_set.stated(f"{_TAGS}.Microscope Info.Name") or data_set.stated(f"{_TAGS}.Session Info.Microscope")
    magnification = None if is_diffraction and not is_scanning else settings.magnification
    return dataclasses.replace(
        settings,
        magnification=magnification,
        detector=sourced(detector, "header"),
        instrument=settings.instrument or sourced(microscope if isinstance(microscope, str) else None, "header"),
    )


DM = FileFormat("dm", (".dm3", ".dm4"), rb"\x00\x00\x00[\x03\x04]", _read)
