"""measurements.csv, a row an object, summary.csv, a row a picture, and samples.csv, a row a specimen: columns and cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import gammaincinv

from morphoscope.measure.distribution import Distribution, needed_more
from morphoscope.measure.field import Domains
from morphoscope.measure.particles import Particles
from morphoscope.measure.picture import MeasuredPicture
from morphoscope.measure.pooling import Pooled
from morphoscope.measure.summary import Summary, WireSummary
from morphoscope.measure.uncertainty import ScaleUncertainty
from morphoscope.measure.wires import Wires
from morphoscope.micrograph import PixelSize

Row = dict[str, str]
Interval = tuple[float, float]

_POSITIONS = ("centroid_y", "centroid_x")
_LENGTHS = ("equivalent_circular_diameter", "min_feret", "max_feret", "perimeter", "nearest_neighbour_distance")
_SHAPES = ("circularity", "solidity", "aspect_ratio", "orientation_deg")
_WIRES = ("length", "width", "width_std")
_SCALE = ("pixel_size_nm", "pixel_size_origin", "pixel_size_u_percent", "pixel_size_u_origin")


def _in_unit(names: Iterable[str], unit: str) -> tuple[str, ...]:
    return tuple(f"{name}_{unit}" for name in names)


_PX = (*_in_unit(_POSITIONS, "px"), "area_px", *_in_unit(_LENGTHS, "px"))
_NM = (*_in_unit(_POSITIONS, "nm"), "area_nm2", *_in_unit(_LENGTHS, "nm"))
MEASUREMENT_COLUMNS = (
    *("path", "object", "kind", "touches_border", *_NM, *_SHAPES, *_in_unit(_WIRES, "nm"), "tortuosity", "n_junctions"),
    *("n_contacts", "cluster", "weight", *_PX, *_in_unit(_WIRES, "px"), *_SCALE, "status", "error"),
)

_INTERVALS = ("mean", "d10", "d50", "d90", "area_mean")
_VALUES = ("d10", "d50", "d90", "mean", "std", "area_d10", "area_d50", "area_d90", "area_mean")
_DISTRIBUTION = (*_VALUES, *(f"{name}_ci95_{side}" for name in _INTERVALS for side in ("low", "high")))
_WIRE_FIGURES = tuple(
    f"wire_{what}_{name}" for what in ("length", "width") for name in ("d50", "mean", "mean_ci95_low", "mean_ci95_high", "std")
)
_WIRE_SIZES = (*_WIRE_FIGURES, "persistence_length")
_DOMAINS = ("domain_size", "gap_size", "correlation_length")
_COUNTS = (
    *("n", "n_objects", "n_wires", "n_touching_border", "border_rule", "n_needed", "n_more", "n_per_um2"),
    *("n_per_um2_ci95_low", "n_per_um2_ci95_high", "area_fraction", "field_um2"),
)
_STRUCTURE = (
    *("percolates", "contact_fraction", "n_clusters", "mean_cluster_size", "largest_cluster"),
    *("tortuosity", "orientation_order", "n_junctions"),
)
SUMMARY_COLUMNS = (
    *("path", "status", "error", "note", "sample", "kind", "kind_reason", "class", "focus", "drift", "is_pooled", *_COUNTS),
    *(*_in_unit(_DISTRIBUTION, "nm"), *_STRUCTURE, *_in_unit(_WIRE_SIZES, "nm"), *_in_unit(_DOMAINS, "nm")),
    *(*_in_unit(_DISTRIBUTION, "px"), *_in_unit(_WIRE_SIZES, "px"), *_in_unit(_DOMAINS, "px"), *_SCALE),
)

_POOLED = ("d10", "d50", "d90", "mean", "std", "area_d50", "area_mean")
_POOLED_INTERVALS = ("mean", "d50", "area_mean")
SAMPLE_COLUMNS = (
    *("sample", "size", "unit", "n_pictures", "n_left_out", "n", *_POOLED),
    *(f"{name}_ci95_{side}" for name in _POOLED_INTERVALS for side in ("low", "high")),
    *("std_between_pictures", "std_within_pictures", "n_needed", "n_pictures_needed", "pixel_size_u_percent"),
)


def measurement_rows(measured: MeasuredPicture) -> list[Row]:
    """A row an object, ascending by its number in the map."""
    objects = measured.objects
    n = len(objects)
    wires = objects.wires_px
    columns: dict[str, Iterable[str]] = {
        "path": [str(measured.path)] * n,
        "object": map(str, objects.numbers.tolist()),
        "kind": ["wire" if is_wire else "particle" for is_wire in objects.is_wire.tolist()],
        "touches_border": map(str, objects.touches_border.tolist()),
        **(_sizes(objects.nm, _NM) if objects.nm else {}),
        **{name: _numbers(getattr(objects.shapes, name)) for name in _SHAPES},
        **(_wire_sizes(objects.wires_nm, "nm", n) if objects.wires_nm is not None else {}),
        "tortuosity": _spread((wires if objects.wires_nm is None else objects.wires_nm).tortuosity, wires.index, n),
        "n_junctions": _spread(wires.n_junctions.astype(float), wires.index, n),
        "n_contacts": map(str, objects.n_contacts.tolist()),
        "cluster": map(str, objects.cluster.tolist()),
        "weight": _numbers(np.where(objects.is_counted, objects.weights, 0.0)),
        **_sizes(objects.px, _PX),
        **_wire_sizes(wires, "px", n),
        **{name: [cell] * n for name, cell in _scale(measured.pixel_size, measured.scale_uncertainty).items()},
        "status": ["ok"] * n,
    }
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def summary_row(
    measured: MeasuredPicture, notes: Sequence[str] = (), *, sample: str = "", class_name: str = "", is_pooled: bool = True
) -> Row:
    """The row of one picture. notes: sentences on what is odd about it. is_pooled: part of figures over several pictures."""
    summary = measured.summary
    return {
        "path": str(measured.path),
        "status": "ok",
        "note": " ".join(notes),
        "sample": sample,
        "kind": summary.route.kind,
        "kind_reason": summary.route.reason,
        "class": class_name,
        "focus": _number(summary.sharpness.focus),
        "drift": _number(summary.sharpness.drift),
        "is_pooled": str(is_pooled),
        **_counts(summary, measured.scale_uncertainty),
        **_structure(summary),
        **_distribution(summary.nm, "nm", measured.scale_uncertainty),
        **_distribution(summary.px, "px"),
        **_wire_summary(summary.wires_nm, "nm", measured.scale_uncertainty),
        **_wire_summary(summary.wires_px, "px"),
        **_domains(summary.domains_nm, "nm"),
        **_domains(summary.domains_px, "px"),
        **_scale(measured.pixel_size, measured.scale_uncertainty),
    }


def sample_row(
    sample: str, size: str, unit: str, pooled: Pooled, n_left_out: int, uncertainty: ScaleUncertainty | None = None
) -> Row:
    """The row of one specimen. size: what was pooled. n_left_out: pictures that are not part of it."""
    found = pooled.of_all
    cells = {name: _number(getattr(found, name)) for name in _POOLED}
    for name in _POOLED_INTERVALS:
        cells |= _interval_cells(f"{name}_ci95", getattr(found, name), getattr(pooled, f"{name}_ci95"), "", uncertainty)
    return {
        "sample": sample,
        "size": size,
        "unit": unit,
        "n_pictures": str(pooled.n_pictures),
        "n_left_out": str(n_left_out),
        "n": str(found.n),
        **cells,
        "std_between_pictures": _number(pooled.std_between),
        "std_within_pictures": _number(pooled.std_within),
        "n_needed": _whole(found.n_needed),
        "n_pictures_needed": _whole(pooled.n_pictures_needed),
        "pixel_size_u_percent": _number(100 * uncertainty.relative) if uncertainty else "",
    }


def _counts(summary: Summary, uncertainty: ScaleUncertainty | None) -> Row:
    sized = summary.px if summary.px.n else summary.wires_px.length
    return {
        "n": str(summary.n),
        "n_objects": str(summary.n_objects),
        "n_wires": str(summary.n_wires),
        "n_touching_border": str(summary.n_touching_border),
        "border_rule": summary.border,
        "n_needed": _whole(sized.n_needed),
        "n_more": _whole(needed_more(sized)),
        "n_per_um2": _number(summary.n_per_um2),
        **_interval_cells("n_per_um2_ci95", summary.n_per_um2, _poisson(summary), "", uncertainty, power=2.0),
        "area_fraction": _number(summary.area_fraction),
        "field_um2": _number(summary.field_um2),
    }


def _poisson(summary: Summary) -> Interval | None:
    """95 % interval of the number density of objects that lie at random (Garwood 1936)."""
    if summary.field_um2 is None:
        return None
    n = summary.n_associated
    low, high = float(gammaincinv(n, 0.025)) if n else 0.0, float(gammaincinv(n + 1, 0.975))
    return low / summary.field_um2, high / summary.field_um2


def _structure(summary: Summary) -> Row:
    contacts = summary.contacts
    return {
        "percolates": str(summary.percolates),
        "contact_fraction": _number(contacts.share),
        "n_clusters": str(contacts.n_clusters),
        "mean_cluster_size": _number(contacts.mean_cluster),
        "largest_cluster": str(contacts.largest),
        "tortuosity": _number(summary.tortuosity),
        "orientation_order": _number(summary.orientation_order),
        "n_junctions": _whole(summary.n_junctions),
    }


def _sizes(particles: Particles, columns: tuple[str, ...]) -> dict[str, list[str]]:
    values = (getattr(particles, name) for name in (*_POSITIONS, "area", *_LENGTHS))
    return {column: _numbers(each) for column, each in zip(columns, values, strict=True)}


def _wire_sizes(wires: Wires, unit: str, n: int) -> dict[str, list[str]]:
    return {f"{name}_{unit}": _spread(getattr(wires, name), wires.index, n) for name in _WIRES}


def _spread(values: np.ndarray, index: np.ndarray, n: int) -> list[str]:
    """Cells of n objects, of which those at (W,) index have (W,) values."""
    everywhere = np.full(n, math.nan)
    everywhere[index] = values
    return _numbers(everywhere)


def _distribution(found: Distribution | None, unit: str, uncertainty: ScaleUncertainty | None = None) -> Row:
    if found is None:
        return {}
    cells = {f"{name}_{unit}": _number(getattr(found, name)) for name in _VALUES}
    for name in _INTERVALS:
        interval = getattr(found, f"{name}_ci95")
        cells |= _interval_cells(f"{name}_ci95", getattr(found, name), interval, f"_{unit}", uncertainty)
    return cells


def _interval_cells(
    name: str,
    value: float | None,
    interval: Interval | None,
    suffix: str,
    uncertainty: ScaleUncertainty | None,
    power: float = 1.0,
) -> Row:
    """Both ends of a 95 % interval, the scale's uncertainty added where there is one."""
    if value is None or interval is None:
        return {}
    low, high = uncertainty.widened(value, interval, power) if uncertainty else interval
    return {f"{name}_low{suffix}": _number(low), f"{name}_high{suffix}": _number(high)}


def _wire_summary(found: WireSummary | None, unit: str, uncertainty: ScaleUncertainty | None = None) -> Row:
    if found is None:
        return {}
    cells: Row = {f"persistence_length_{unit}": _number(found.persistence_length)}
    for what in ("length", "width"):
        each: Distribution = getattr(found, what)
        cells |= {f"wire_{what}_{name}_{unit}": _number(getattr(each, name)) for name in ("d50", "mean", "std")}
        cells |= _interval_cells(f"wire_{what}_mean_ci95", each.mean, each.mean_ci95, f"_{unit}", uncertainty)
    return cells


def _domains(found: Domains | None, unit: str) -> Row:
    return {f"{name}_{unit}": _number(getattr(found, name)) for name in _DOMAINS} if found else {}


def _scale(size: PixelSize | None, uncertainty: ScaleUncertainty | None) -> Row:
    if size is None or uncertainty is None:
        return {}
    return {
        "pixel_size_nm": _number(size.mean_nm),
        "pixel_size_origin": size.origin,
        "pixel_size_u_percent": _number(100 * uncertainty.relative),
        "pixel_size_u_origin": "stated" if uncertainty.is_stated else "assumed",
    }


def _numbers(values: np.ndarray) -> list[str]:
    return [_number(value) for value in values.tolist()]


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.8g}"


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)
