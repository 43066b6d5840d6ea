"""Which data set of a maker's file is a picture, by rule, and what its axes say of the scale.

A data set is a picture, or a stack of them, where the two axes of its plane are two lengths, two steps in reciprocal space
(a diffraction pattern), or have no unit; axes of one step count for nothing. The plane is that of the axes called y and x,
else that of the last two. A data set with time in its plane, or with an axis of energy or wavelength at all, is none.
Pictures come before maps of an element, diffraction patterns and drawings in colour; then the file's order holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from morphoscope.errors import NoPictureError
from morphoscope.io.file_format import Picture, check_frame, check_size
from morphoscope.io.formats.makers.values import pixel_size, positive
from morphoscope.io.formats.rosetta import DataSet
from morphoscope.io.grey import one_channel
from morphoscope.io.record import Record
from morphoscope.micrograph import Acquisition, Origin, PixelSize
from morphoscope.units import is_reciprocal, length_unit, to_nm, to_per_nm

_SPECTRAL_NAMES = ("energy", "wavelength", "wavenumber", "x-ray energy", "energy loss", "raman shift")
_SPECTRAL_UNITS = ("ev", "kev", "mev", "1/cm")
_TIME_UNITS = ("s", "ms", "us", "µs", "ns", "sec", "min", "h")
_ANGLE_UNITS = ("mrad", "rad", "µrad", "urad")
_SIDES = {"height": "y", "width": "x"}
_ELEMENT = re.compile(r"[A-Z][a-z]?")
_SHOWN = 4
_LARGEST_NM = 1e6
"""A pixel this large is none of an electron microscope: TIA writes 1 m where it has no calibration."""


@dataclass(frozen=True)
class _Plane:
    """A data set that holds pictures: where among its axes those of rows, columns and frames are."""

    data_set: DataSet
    rows: int
    columns: int
    frames: tuple[int, ...]
    is_diffraction: bool

    @property
    def axes(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Of rows and of columns."""
        return self.data_set.axes[self.rows], self.data_set.axes[self.columns]

    @property
    def n_frames(self) -> int:
        return math.prod(self._lengths())

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """Sorts what is a picture of the specimen first."""
        is_drawing = self.data_set.values.dtype.names is not None
        return is_drawing, self.is_diffraction, _ELEMENT.fullmatch(self.data_set.title) is not None

    def pixels(self, frame: int) -> np.ndarray:
        """(Y, X) of one frame, in native byte order; colours as grey."""
        index: list[int | slice] = [0] * len(self.data_set.axes)
        for axis, position in zip(self.frames, np.unravel_index(frame, self._lengths()) if self.frames else (), strict=True):
            index[axis] = int(position)
        index[self.rows] = index[self.columns] = slice(None)
        values = self.data_set.values[tuple(index)]
        stored = np.asarray(values.compute(scheduler="synchronous") if hasattr(values, "compute") else values)
        stored = stored.T if self.columns < self.rows else stored
        if colours := stored.dtype.names:
            return one_channel(np.stack([stored[name] for name in colours], axis=-1))
        if stored.dtype == bool:
            return stored.astype(np.uint8) * np.uint8(255)
        if stored.dtype == np.float16:
            return stored.astype(np.float32)
        return np.ascontiguousarray(stored.astype(stored.dtype.newbyteorder("="), copy=False))

    def _lengths(self) -> list[int]:
        return [int(self.data_set.axes[axis]["size"]) for axis in self.frames]


def picture_of(
    path: Path,
    data_sets: Sequence[DataSet],
    frame: int,
    max_pixels: int,
    *,
    maker: str,
    acquisition: Callable[[DataSet], Acquisition],
    origin: Origin = "header",
) -> Picture:
    """The frame-th picture of a file, counted through the frames of every data set that is one, by the rule above.

    Raises NoPictureError, with what the file says of the instrument, where none is a picture; ReadError for a frame that
    isn't there or is too large.
    """
    planes = sorted((plane for plane in map(_plane, data_sets) if plane), key=lambda plane: plane.rank)
    pictures = {id(plane.data_set) for plane in planes}
    others = [each for each in data_sets if id(each) not in pictures]
    if not planes:
        held = ", ".join(map(_described, others[:_SHOWN])) or "nothing"
        settings = acquisition(others[0]) if others else Acquisition()
        raise NoPictureError(
            f"{path}: found no picture, the file holds {held}; expected two axes of length. "
            "Open spectra with the maker's program, or save a picture of them.",
            settings,
        )
    n_frames = sum(plane.n_frames for plane in planes)
    check_frame(path, frame, n_frames)
    plane, number = _located(planes, frame)
    check_size(path, int(plane.axes[0]["size"]), int(plane.axes[1]["size"]), 1, max_pixels)
    size, notes = _scale(plane, maker, origin)
    record = Record(
        maker,
        size,
        acquisition(plane.data_set),
        is_diffraction=plane.is_diffraction,
        reciprocal_per_nm=_reciprocal_side(plane.axes[1]) if plane.is_diffraction else None,
    )
    return Picture(plane.pixels(number), (record,), n_frames, (*notes, *_further(planes), *_left_alone(others)))


def _located(planes: Sequence[_Plane], frame: int) -> tuple[_Plane, int]:
    for plane in planes:
        if frame < plane.n_frames:
            return plane, frame
        frame -= plane.n_frames
    raise IndexError(frame)


def _plane(data_set: DataSet) -> _Plane | None:
    """The picture in a data set, or None for a spectrum, a profile or numbers of no kind."""
    values, axes = data_set.values, data_set.axes
    long = [position for position, axis in enumerate(axes) if int(axis["size"]) > 1]
    if len(long) < 2 or (values.dtype.names is None and values.dtype.kind not in "buifc"):
        return None
    if any(_kind(axes[position]) == "spectral" for position in long):
        return None
    rows, columns = _named_pair([str(axes[position].get("name") or "") for position in long]) or (-2, -1)
    rows, columns = long[rows], long[columns]
    kinds = {_kind(axes[rows]), _kind(axes[columns])}
    if not (kinds <= {"length", "unknown"} or kinds == {"reciprocal"}):
        return None
    frames = tuple(position for position in long if position not in (rows, columns))
    return _Plane(data_set, rows, columns, frames, is_diffraction=kinds == {"reciprocal"})


def _named_pair(names: Sequence[str]) -> tuple[int, int] | None:
    """Positions of the axes called y and x (`R_y`, `ky`, `height`), the last such pair, or None."""
    plain = [_SIDES.get(name.lower(), name.lower().replace("_", "")) for name in names]
    for columns in reversed(range(len(plain))):
        if plain[columns].endswith("x") and (partner := plain[columns][:-1] + "y") in plain:
            return plain.index(partner), columns
    return None


def _kind(axis: Mapping[str, Any]) -> str:
    """What an axis counts: length, reciprocal, spectral, time or unknown. A wavelength in nm is no length."""
    name, unit = str(axis.get("name") or "").lower().replace("_", " "), _unit(axis)
    if name in _SPECTRAL_NAMES or unit.lower() in _SPECTRAL_UNITS:
        return "spectral"
    if unit in _ANGLE_UNITS or is_reciprocal(unit):
        return "reciprocal"
    if unit in _TIME_UNITS:
        return "time"
    return "length" if length_unit(unit) else "unknown"


def _unit(axis: Mapping[str, Any]) -> str:
    text = str(axis.get("units") or "").strip("[]() ")
    return text if length_unit(text) else text.replace("_", "")


def _scale(plane: _Plane, maker: str, origin: Origin) -> tuple[PixelSize | None, tuple[str, ...]]:
    """The pixel size that the axes state, and a sentence where they state something else."""
    if plane.is_diffraction:
        return None, ()
    sides = [_side_nm(axis) for axis in plane.axes]
    default = [axis for axis in plane.axes if _kind(axis) == "length" and float(axis["scale"]) == 1]
    if default:
        # The library puts 1 where a file has no calibration: the two can't be told apart.
        return None, (
            f"The header says exactly 1 {_unit(default[0])} a pixel, which also stands for no calibration: the scale is unknown. "
            "If it is true, say so in a metadata sheet.",
        )
    return pixel_size(sides[0], sides[1], origin, f"{maker} axis scale"), ()


def _side_nm(axis: Mapping[str, Any]) -> float | None:
    value, unit = positive(axis.get("scale")), _unit(axis)
    side = to_nm(value, unit) if value is not None and length_unit(unit) else None
    return side if side is not None and side < _LARGEST_NM else None


def _reciprocal_side(axis: Mapping[str, Any]) -> float | None:
    """1/nm a pixel; None for an angle, and for 1, which the library puts where a file has no calibration."""
    value = positive(axis.get("scale"))
    return None if value is None or value == 1 else to_per_nm(value, _unit(axis))


def _further(planes: Sequence[_Plane]) -> tuple[str, ...]:
    """A sentence on the pictures that are frames beyond those of the first."""
    if len(planes) < 2:
        return ()
    titles = ", ".join(f"'{plane.data_set.title}'" for plane in planes[:_SHOWN])
    more = f" and {len(planes) - _SHOWN} more" if len(planes) > _SHOWN else ""
    return (f"The file holds {len(planes)} pictures, {titles}{more}: the first is read, the others are its further frames.",)


def _left_alone(others: Sequence[DataSet]) -> tuple[str, ...]:
    if not others:
        return ()
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return (f"The file also holds {', '.join(map(_described, others[:_SHOWN]))}{more}: left alone, for they are no pictures.",)


def _described(data_set: DataSet) -> str:
    shape = " × ".join(str(length) for length in data_set.values.shape)
    kind = "spectra" if any(_kind(axis) == "spectral" for axis in data_set.axes) else "numbers"
    title = f"'{data_set.title}' " if data_set.title else ""
    return f"{title}({shape}, {kind})"
