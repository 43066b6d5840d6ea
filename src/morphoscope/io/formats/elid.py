"""Phenom projects .elid of Element Identification, through RosettaSciIO: their pictures, not their spectra."""

from __future__ import annotations

import bz2
import dataclasses
from pathlib import Path

from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.formats.instrument import mapped_acquisition
from morphoscope.io.formats.makers.values import in_si, length_mm, scaled, sourced
from morphoscope.io.formats.planes import picture_of
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.micrograph import Acquisition

_PIECE_BYTES = 1 << 20


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    _check_complete(path)
    with data_sets(path, "phenom", "a bzip2 archive such as Phenom .elid") as found:
        return picture_of(path, found, frame, max_pixels, maker="Phenom", acquisition=_acquisition)


def _check_complete(path: Path) -> None:
    """Raises EOFError or OSError where the archive is cut off or damaged: the library would wait for its end for ever."""
    with bz2.open(path) as file:
        while file.read(_PIECE_BYTES):
            pass


def _acquisition(data_set: DataSet) -> Acquisition:
    wd = f"{data_set.stated('workingDistance.value')} {data_set.stated('workingDistance.unit')}"
    dwell = f"{data_set.stated('acquisition.scan.dwellTime.value')} {data_set.stated('acquisition.scan.dwellTime.unit')}"
    settings = mapped_acquisition(data_set)
    return dataclasses.replace(
        settings,
        wd_mm=sourced(length_mm(wd), "header") or settings.wd_mm,
        dwell_us=sourced(scaled(in_si(dwell, "s"), 1e6), "header"),
        instrument=sourced(data_set.stated("instrument.type"), "header") or settings.instrument,
    )


ELID = FileFormat("elid", (".elid",), rb"BZh", _read)
