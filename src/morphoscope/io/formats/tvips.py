"""TVIPS recordings .tvips, through RosettaSciIO: a stack of frames, begun in the file `…_000.tvips`."""

from __future__ import annotations

import dataclasses
import re
import struct
from pathlib import Path

from morphoscope.errors import ReadError
from morphoscope.io.file_format import FileFormat, Picture, check_size
from morphoscope.io.formats.instrument import mapped_acquisition
from morphoscope.io.formats.planes import picture_of
from morphoscope.io.formats.rosetta import DataSet, data_sets
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition, Sourced

_NUMBERED = re.compile(r"(.+)_(\d{3})")
_FRAME_HEADER_BYTES = 12
_HIGHEST_KV = 5000
_LARGEST_DETECTOR_PIXEL_NM = 1e6


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    _check(path, max_pixels)
    with data_sets(path, "tvips", "a TVIPS recording", lazy=True) as found:
        picture = picture_of(path, found, frame, max_pixels, maker="TVIPS", acquisition=_acquisition)
    (record,) = picture.records
    if not _is_of_the_camera(record):
        return picture
    note = "The header's pixel size is the camera's, not one on the specimen: the scale is unknown."
    return dataclasses.replace(
        picture, records=(dataclasses.replace(record, pixel_size=None),), warnings=(*picture.warnings, note)
    )


def _check(path: Path, max_pixels: int) -> None:
    """Raises ReadError for frames that are too large, and for a single one, from which the library can tell no time step."""
    with path.open("rb") as file:
        header_bytes, version, columns, rows, bits = struct.unpack("<5I", file.read(20))
        file.seek(48)
        (frame_header_bytes,) = struct.unpack("<I", file.read(4))
    check_size(path, rows, columns, 1, max_pixels)
    frame_bytes = rows * columns * bits // 8 + (frame_header_bytes if version > 1 else _FRAME_HEADER_BYTES)
    if (path.stat().st_size - header_bytes) // frame_bytes < 2:
        raise ReadError(
            f"{path}: found fewer than two whole frames; expected a recording. If it is a single picture, export it as TIFF; "
            "otherwise the file is truncated: copy it again."
        )


def _is_of_the_camera(record: Record) -> bool:
    """Whether the pixel size, magnified, would be larger than any detector's pixel."""
    size, magnification = record.pixel_size, record.acquisition.value("magnification")
    return size is not None and magnification is not None and size.x_nm * magnification > _LARGEST_DETECTOR_PIXEL_NM


def _acquisition(data_set: DataSet) -> Acquisition:
    """The mapped settings; some versions write volts where others write kV."""
    settings = mapped_acquisition(data_set)
    hv = settings.value("hv_kv")
    return dataclasses.replace(settings, hv_kv=Sourced(hv / 1000, "header")) if hv and hv > _HIGHEST_KV else settings


def _is_continuation(path: Path) -> bool:
    """Whether a file goes on with a recording that is begun in another one."""
    match = _NUMBERED.fullmatch(path.stem)
    return match is not None and int(match[2]) > 0 and path.with_name(f"{match[1]}_000{path.suffix}").is_file()


_MAGIC = rb"\x00\x01\x00\x00[\x01\x02]\x00\x00\x00.{8}[\x08\x10\x20]\x00\x00\x00"
TVIPS = FileFormat("tvips", (".tvips",), _MAGIC, _read, is_part=_is_continuation)
