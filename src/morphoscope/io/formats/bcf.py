"""Bruker composite files .bcf, through RosettaSciIO: the electron pictures, not the X-ray spectra."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.formats.instrument import mapped_acquisition
from morphoscope.io.formats.makers.values import positive, sourced
from morphoscope.io.formats.planes import picture_of
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.micrograph import Acquisition

_SPECTRA = "The file's X-ray spectra are left alone: they are no pictures."


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    with data_sets(path, "bruker", "a Bruker .bcf file", select_type="image") as found:
        picture = picture_of(path, found, frame, max_pixels, maker="Bruker", acquisition=_acquisition)
    return dataclasses.replace(picture, warnings=(*picture.warnings, _SPECTRA))


def _acquisition(data_set: DataSet) -> Acquisition:
    return dataclasses.replace(
        mapped_acquisition(data_set),
        wd_mm=sourced(positive(data_set.stated("Microscope.WD")), "header"),
        detector=sourced(data_set.title, "header"),
    )


BCF = FileFormat("bcf", (".bcf",), rb"AAMVHFSS", _read)
