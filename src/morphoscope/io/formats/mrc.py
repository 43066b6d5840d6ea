"""MRC2014 pictures, stacks and tilt series, and the older files that say `MAP ` too; its header is short enough to read here.

Cheng et al., J. Struct. Biol. 192 (2015) 146, and the extended header of FEI and Thermo cameras.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from morphoscope.errors import ReadError
from morphoscope.io.file_format import FileFormat, Picture, check_frame, check_size
from morphoscope.io.formats.makers.values import number, pixel_size, positive, scaled, sourced
from morphoscope.io.grey import one_channel
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition
from morphoscope.units import NM_PER_UNIT

_HEADER_BYTES = 1024
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 3: "i2", 4: "c8", 6: "u2", 12: "f2", 16: "u1"}
_COMPLEX, _RGB, _BYTES = (3, 4), 16, 0
_NO_SCALE = (
    "The header says exactly 1 Å a pixel, which programs write where they know none: the scale is unknown. "
    "If it is true, say so in a metadata sheet."
)
_IMOD, _UNSIGNED_BYTES = 1146047817, 1
_LEAST_THERMO_BYTES = 172
_FEI_BLOCKS, _FEI_BLOCK_BYTES = 1024, 128
_PLAUSIBLE_NM = (1e-4, 1e6)


@dataclass(frozen=True)
class _Header:
    """sides_nm: a pixel's height and width, None where the file states none; is_default_scale: where it states 1 Å."""

    order: Literal["<", ">"]
    columns: int
    rows: int
    sections: int
    mode: int
    sides_nm: tuple[float | None, float | None]
    is_default_scale: bool
    extended_bytes: int
    extended_kind: bytes
    dtype: np.dtype

    @property
    def frame_bytes(self) -> int:
        samples = 3 if self.mode == _RGB else 1
        return self.rows * self.columns * samples * self.dtype.itemsize


def _read(path: Path, frame: int, max_pixels: int) -> Picture:
    with path.open("rb") as file:
        raw = file.read(_HEADER_BYTES)
        header = _header(path, raw)
        check_frame(path, frame, max(1, header.sections))
        check_size(path, header.rows, header.columns, 3 if header.mode == _RGB else 1, max_pixels)
        extended = file.read(header.extended_bytes)
        start = _HEADER_BYTES + header.extended_bytes + frame * header.frame_bytes
        file.seek(start)
        stored = file.read(header.frame_bytes)
    if len(stored) < header.frame_bytes:
        raise ReadError(
            f"{path}: the file ends at byte {start + len(stored):,} inside the picture; expected pixels up to byte "
            f"{start + header.frame_bytes:,}. It is truncated: copy or export it again."
        )
    notes = (_NO_SCALE,) if header.is_default_scale else ()
    return Picture(_pixels(stored, header), _records(header, extended, frame), max(1, header.sections), notes)


def _header(path: Path, raw: bytes) -> _Header:
    if len(raw) < _HEADER_BYTES:
        raise ReadError(
            f"{path}: the file ends inside its header, at byte {len(raw)}; expected {_HEADER_BYTES} bytes. Copy or export it again."
        )
    order: Literal["<", ">"] = ">" if raw[212:214] == b"\x11\x11" else "<"
    columns, rows, sections, mode = struct.unpack_from(f"{order}4i", raw)
    if mode not in _DTYPES:
        raise ReadError(
            f"{path}: its pixels are of MRC mode {mode}; expected one of {', '.join(map(str, _DTYPES))}. Save it in another mode."
        )
    if mode in _COMPLEX:
        raise ReadError(
            f"{path}: the pixels are complex numbers (MRC mode {mode}); expected real grey levels. Export the modulus or the phase."
        )
    grid = struct.unpack_from(f"{order}3i", raw, 28)
    cell = struct.unpack_from(f"{order}3f", raw, 40)
    stamp, flags = struct.unpack_from(f"{order}2i", raw, 152)
    is_unsigned = mode == _BYTES and (stamp == _IMOD and not flags & _UNSIGNED_BYTES)
    (extended_bytes,) = struct.unpack_from(f"{order}i", raw, 92)
    return _Header(
        order,
        columns,
        rows,
        sections,
        mode,
        (_side_nm(cell[1], grid[1]), _side_nm(cell[0], grid[0])),
        grid[0] > 0 and cell[0] == grid[0],
        max(0, extended_bytes),
        raw[104:108],
        np.dtype("u1" if is_unsigned else _DTYPES[mode]).newbyteorder(order),
    )


def _side_nm(cell: float, grid: int) -> float | None:
    """A pixel's side: the cell in Å over the grid. Programs that know none leave 0, something negative, or 1 Å a pixel."""
    if grid <= 0 or not (math.isfinite(cell) and cell > 0) or cell == grid:
        return None
    return cell / grid * NM_PER_UNIT["Å"]


def _pixels(stored: bytes, header: _Header) -> np.ndarray:
    values = np.frombuffer(stored, header.dtype)
    values = values.astype(header.dtype.newbyteorder("="), copy=False)
    if header.mode == _RGB:
        return one_channel(values.reshape(header.rows, header.columns, 3))
    pixels = values.reshape(header.rows, header.columns)
    return pixels.astype(np.float32) if pixels.dtype == np.float16 else pixels


def _records(header: _Header, extended: bytes, frame: int) -> tuple[Record, ...]:
    y_nm, x_nm = header.sides_nm
    standard = Record("MRC", pixel_size(y_nm, x_nm, "header", "MRC cell over grid"))
    if header.extended_kind in (b"FEI1", b"FEI2"):
        further = _thermo_record(extended, frame)
    elif len(extended) == _FEI_BLOCKS * _FEI_BLOCK_BYTES and header.extended_kind.strip(b"\0 ") == b"":
        further = _fei_record(extended, frame)
    else:
        further = None
    return (standard,) if further is None else (further, standard)


def _thermo_record(extended: bytes, frame: int) -> Record | None:
    """EPU's and Tomography's block of one frame, little-endian: its length, then doubles at fixed places in V, degrees and m."""
    if len(extended) < 4:
        return None
    (length,) = struct.unpack_from("<i", extended)
    block = extended[frame * length : (frame + 1) * length] if length >= _LEAST_THERMO_BYTES else b""
    if not block or len(block) < length:
        return None
    volts, tilt, sides = _double(block, 84), _double(block, 100), (_double(block, 164), _double(block, 156))
    magnification = _double(block, 289) if length >= 297 else None
    return _further_record("Thermo extended header", sides, volts, tilt, magnification)


def _fei_record(extended: bytes, frame: int) -> Record | None:
    """The older block of 128 bytes a frame, floats in degrees and m; what it was not told is 0."""
    if frame >= _FEI_BLOCKS:
        return None
    values = struct.unpack_from("<13f", extended, frame * _FEI_BLOCK_BYTES)
    return _further_record("FEI extended header", (values[11], values[11]), None, values[0], values[12])


def _further_record(
    source: str, sides_m: tuple[float, float], volts: float | None, tilt: float, magnification: float | None
) -> Record | None:
    """What an extended header says, or None where its sides are no pixel's and so the block is something else's."""
    y_nm, x_nm = (scaled(positive(side), 1e9) for side in sides_m)
    if x_nm is None or not _PLAUSIBLE_NM[0] < x_nm < _PLAUSIBLE_NM[1]:
        return None
    acquisition = Acquisition(
        magnification=sourced(positive(magnification), "header"),
        hv_kv=sourced(scaled(positive(volts), 1e-3), "header"),
        tilt_deg=sourced(number(tilt), "header"),
    )
    return Record(source, pixel_size(y_nm, x_nm, "header", f"{source} pixel size"), acquisition)


def _double(block: bytes, offset: int) -> float:
    return float(struct.unpack_from("<d", block, offset)[0])


# Before 2000 files had no mark: then a size below 65,536, a mode, and the axes in order tell them.
_AXES = rb"[\x01-\x03]\x00{3}[\x01-\x03]\x00{3}[\x01-\x03]\x00{3}"
_UNMARKED = rb"(?:..\x00\x00){3}[\x00-\x04\x06\x0c\x10]\x00{3}.{48}" + _AXES
MRC = FileFormat("mrc", (".mrc", ".mrcs", ".ali", ".rec", ".st"), rb".{208}MAP[ \x00]|" + _UNMARKED, _read)
