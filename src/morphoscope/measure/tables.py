"""measurements.csv, a row an object, and summary.csv, a row a picture: their columns and cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from morphoscope.measure.distribution import Distribution
from morphoscope.measure.particles import Particles
from morphoscope.measure.picture import MeasuredPicture
from morphoscope.micrograph import PixelSize

Row = dict[str, str]

_POSITIONS = ("centroid_y", "centroid_x")
_LENGTHS = ("equivalent_circular_diameter", "min_feret", "max_feret", "perimeter", "nearest_neighbour_distance")
_SHAPES = ("circularity", "solidity", "aspect_ratio", "orientation_deg")
_SCALE = ("pixel_size_nm", "pixel_size_origin")


def _in_unit(names: Iterable[str], unit: str) -> tuple[str, ...]:
    return tuple(f"{name}_{unit}" for name in names)


_PX = (*_in_unit(_POSITIONS, "px"), "area_px", *_in_unit(_LENGTHS, "px"))
_NM = (*_in_unit(_POSITIONS, "nm"), "area_nm2", *_in_unit(_LENGTHS, "nm"))
MEASUREMENT_COLUMNS = ("path", "object", "kind", "touches_border", *_NM, *_SHAPES, *_PX, *_SCALE, "status", "error")

_DISTRIBUTION = ("d10", "d50", "d90", "mean", "mean_ci95_low", "mean_ci95_high", "std")
_COUNTS = ("n", "n_objects", "n_touching_border", "border_rule", "n_per_um2", "area_fraction", "field_um2")
SUMMARY_COLUMNS = (
    *("path", "status", "error", "note", *_COUNTS),
    *(*_in_unit(_DISTRIBUTION, "nm"), *_in_unit(_DISTRIBUTION, "px"), *_SCALE),
)


def measurement_rows(measured: MeasuredPicture) -> list[Row]:
    """A row an object, ascending by its number in the map."""
    n = len(measured.numbers)
    columns: dict[str, Iterable[str]] = {
        "path": [str(measured.path)] * n,
        "object": map(str, measured.numbers.tolist()),
        "kind": ["particle"] * n,
        "touches_border": map(str, measured.touches_border.tolist()),
        **(_sizes(measured.nm, _NM) if measured.nm else {}),
        **{name: _numbers(getattr(measured.shapes, name)) for name in _SHAPES},
        **_sizes(measured.px, _PX),
        **{name: [cell] * n for name, cell in _scale(measured.pixel_size).items()},
        "status": ["ok"] * n,
    }
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def summary_row(measured: MeasuredPicture, notes: Sequence[str] = ()) -> Row:
    """The row of one picture. notes: sentences on what is odd about it."""
    summary = measured.summary
    return {
        "path": str(measured.path),
        "status": "ok",
        "note": " ".join(notes),
        "n": str(summary.n),
        "n_objects": str(summary.n_objects),
        "n_touching_border": str(summary.n_touching_border),
        "border_rule": summary.border,
        "n_per_um2": _number(summary.n_per_um2),
        "area_fraction": _number(summary.area_fraction),
        "field_um2": _number(summary.field_um2),
        **_distribution(summary.nm, "nm"),
        **_distribution(summary.px, "px"),
        **_scale(measured.pixel_size),
    }


def _sizes(particles: Particles, columns: tuple[str, ...]) -> dict[str, list[str]]:
    values = (getattr(particles, name) for name in (*_POSITIONS, "area", *_LENGTHS))
    return {column: _numbers(each) for column, each in zip(columns, values, strict=True)}


def _distribution(found: Distribution | None, unit: str) -> Row:
    if found is None:
        return {}
    low, high = found.mean_ci95 or (None, None)
    values = (found.d10, found.d50, found.d90, found.mean, low, high, found.std)
    return {column: _number(value) for column, value in zip(_in_unit(_DISTRIBUTION, unit), values, strict=True)}


def _scale(size: PixelSize | None) -> Row:
    return {"pixel_size_nm": _number(size.mean_nm), "pixel_size_origin": size.origin} if size else {}


def _numbers(values: np.ndarray) -> list[str]:
    return [_number(value) for value in values.tolist()]


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.8g}"
