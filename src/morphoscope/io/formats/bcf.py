"""Bruker composite files .bcf, through RosettaSciIO: the electron pictures, not the X-ray spectra."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path

from morphoscope.errors import ReadError
from morphoscope.io.file_format import FileFormat, Picture
from morphoscope.io.formats.instrument import mapped_acquisition
from morphoscope.io.formats.makers.values import positive, sourced
from morphoscope.io.formats.planes import picture_of
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.micrograph import Acquisition

_HEADER_BYTES, _HEADER_BYTES_BEFORE_BLOCKS = 0x14C, 0x118
_SPECTRA = "The file's X-ray spectra are no pictures; a sheet's column spectrum_file that names the file learns from them."


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    _check_complete(path)
    with data_sets(path, "bruker", "a Bruker .bcf file", select_type="image") as found:
        picture = picture_of(path, found, frame, max_pixels, maker="Bruker", acquisition=_acquisition)
    return dataclasses.replace(picture, warnings=(*picture.warnings, _SPECTRA))


def _check_complete(path: Path) -> None:
    """Raises ReadError for a file shorter than the blocks that its header counts, of which the library would read the rest."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES).ljust(_HEADER_BYTES, b"\0")
    (block_bytes,), (n_blocks,) = struct.unpack_from("<I", header, 0x128), struct.unpack_from("<I", header, 0x148)
    expected, found = _HEADER_BYTES_BEFORE_BLOCKS + block_bytes * n_blocks, path.stat().st_size
    if found < max(expected, _HEADER_BYTES):
        raise ReadError(
            f"{path}: the file ends at byte {found:,}; expected {expected:,} bytes. It is truncated: copy or export it again."
        )


def _acquisition(data_set: DataSet) -> Acquisition:
    return dataclasses.replace(
        mapped_acquisition(data_set),
        wd_mm=sourced(positive(data_set.stated("Microscope.WD")), "header"),
        detector=sourced(data_set.title, "header"),
    )


BCF = FileFormat("bcf", (".bcf",), rb"AAMVHFSS", _read)
