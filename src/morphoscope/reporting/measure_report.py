"""The page of `measure --report`: sizes of all particles, and each picture with its outlines and its own histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from morphoscope.errors import OutputError
from morphoscope.measure.distribution import N_RESAMPLES, Distribution, distribution
from morphoscope.measure.picture import Border, Summary
from morphoscope.reporting import svg
from morphoscope.reporting.page_text import FILTERS, UNKNOWN
from morphoscope.reporting.versions import versions
from morphoscope.scores.intervals import Interval, cluster_bootstrap_interval
from morphoscope.units import NM_PER_UNIT

_BINS = (6, 40)
_FEWEST_BARS = 5  # particles below which a histogram shows nothing
_WIDE = 30  # largest over smallest size from which an axis is logarithmic


@dataclass(frozen=True, eq=False)
class ReportedPicture:
    """A measured picture as the page shows it.

    sizes_px: (n,) equivalent circular diameters in the distribution. nm_per_px: None where the scale is unknown.
    overlay: a `data:` address, empty for pictures beyond those the page shows.
    """

    name: str
    summary: Summary
    sizes_px: np.ndarray
    nm_per_px: float | None
    overlay: str = ""

    @property
    def sizes_nm(self) -> np.ndarray | None:
        return None if self.nm_per_px is None else self.sizes_px * self.nm_per_px


@dataclass(frozen=True)
class _Unit:
    """What lengths are shown in; `size` is its length in what they are stored in."""

    name: str
    size: float

    def figure(self, length: float | None) -> str:
        return _figure(None if length is None else length / self.size)

    def interval(self, interval: Interval | None) -> str:
        return UNKNOWN if interval is None else f"{self.figure(interval[0])}–{self.figure(interval[1])}"


_PX, _NM, _UM = _Unit("px", 1.0), _Unit("nm", NM_PER_UNIT["nm"]), _Unit("µm", NM_PER_UNIT["µm"])


def write_measure_report(
    pictures: Sequence[ReportedPicture], problems: Sequence[str], notes: Sequence[str], border: Border, folder: Path
) -> Path:
    """Writes report.html into a folder. problems: sentences on pictures that could not be measured. Raises OutputError."""
    path = folder / "report.html"
    try:
        path.write_text(render_measure_report(pictures, problems, notes, border), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(
            f"{path}: the report can't be written ({error.strerror}); expected a writable folder. Choose another --report."
        ) from error
    return path


def render_measure_report(
    pictures: Sequence[ReportedPicture], problems: Sequence[str], notes: Sequence[str], border: Border
) -> str:
    """The page as text; it loads nothing from outside."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("morphoscope.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= FILTERS
    sizes = [picture.sizes_nm for picture in pictures if picture.sizes_nm is not None]
    pooled = np.concatenate([*sizes, np.empty(0)])
    unit = _unit(pooled)
    spread = _Spread.of(pictures)
    return environment.get_template("measure.html.j2").render(
        pictures=[_row(picture, spread) for picture in pictures],
        is_spread_logarithmic=spread.is_logarithmic,
        n_objects=sum(picture.summary.n_objects for picture in pictures),
        n_counted=sum(picture.summary.n for picture in pictures),
        n_scaled=len(sizes),
        pooled=_figures(distribution(pooled), unit) | {"interval": unit.interval(_pooled_interval(sizes)), "unit": unit.name},
        histogram=_histogram(pooled, unit, (760, 230)),
        border=border,
        problems=problems,
        notes=notes,
        n_resamples=N_RESAMPLES,
        versions=versions(),
    )


@dataclass(frozen=True)
class _Spread:
    """The axis on which every picture's D10, D50 and D90 lie."""

    low: float
    high: float
    is_logarithmic: bool

    @classmethod
    def of(cls, pictures: Sequence[ReportedPicture]) -> _Spread:
        found = [picture.summary.nm for picture in pictures if picture.summary.nm]
        smallest = min((each.d10 for each in found if each.d10), default=1.0)
        largest = max((each.d90 for each in found if each.d90), default=1.0)
        is_wide = largest > _WIDE * smallest
        return cls(smallest / 2 if is_wide else 0.0, largest, is_wide)

    def percent(self, size: float) -> float:
        if self.is_logarithmic:
            return 100 * math.log(size / self.low) / math.log(self.high / self.low)
        return 100 * size / self.high


def _row(picture: ReportedPicture, spread: _Spread) -> dict[str, object]:
    """What the page says of one picture, in px where the scale is unknown."""
    summary, sizes = picture.summary, picture.sizes_nm
    found = summary.nm or summary.px
    unit = _PX if sizes is None else _unit(sizes)
    marks = (found.d10, found.d50, found.d90) if summary.nm else ()
    return _figures(found, unit) | {
        "name": picture.name,
        "summary": summary,
        "unit": unit.name,
        "interval": unit.interval(found.mean_ci95),
        "density": _figure(summary.n_per_um2),
        "spread": [spread.percent(mark) for mark in marks if mark is not None],
        "overlay": picture.overlay,
        "histogram": _histogram(picture.sizes_px if sizes is None else sizes, unit, (340, 200)),
    }


def _figures(found: Distribution, unit: _Unit) -> dict[str, object]:
    return {name: unit.figure(getattr(found, name)) for name in ("d10", "d50", "d90", "mean", "std")}


def _pooled_interval(by_picture: Sequence[np.ndarray]) -> Interval | None:
    """Of the mean over all pictures. Whole pictures are resampled, since particles of one picture may resemble each other."""
    filled = [sizes for sizes in by_picture if len(sizes)]
    if len(filled) < 2:
        return distribution(filled[0]).mean_ci95 if filled else None
    sums = np.column_stack([np.concatenate(filled), np.ones(sum(map(len, filled)))])
    clusters = np.repeat(np.arange(len(filled)), [len(sizes) for sizes in filled])
    return cluster_bootstrap_interval(sums, lambda totals: totals[:, 0] / totals[:, 1], clusters)


def _histogram(sizes: np.ndarray, unit: _Unit, canvas: tuple[int, int]) -> Markup:
    """Particles a bin as a filled staircase, with dashed lines at D10, D50 and D90; empty for a few particles."""
    if len(sizes) < _FEWEST_BARS:
        return Markup()
    is_wide = sizes.max() > _WIDE * sizes.min()
    along, label = sizes / unit.size, f"equivalent circular diameter ({unit.name})"
    if is_wide:
        along, label = np.log10(along), f"log₁₀ of the {label}"
    counts, edges = np.histogram(along, bins=int(np.clip(math.sqrt(len(sizes)), *_BINS)))
    top = 1.05 * counts.max()
    bars = svg.Line(np.repeat(edges, 2), np.r_[0, np.repeat(counts, 2), 0], "bars", f"{len(sizes)} particles")
    percentiles = zip(("D10", "D50", "D90"), np.percentile(along, (10, 50, 90)), strict=True)
    marks = [svg.Line(np.full(2, place), np.array([0, top]), "mark", name) for name, place in percentiles]
    return svg.line_plot([bars, *marks], "Histogram of sizes", label, y_range=(0.0, top), size=canvas)


def _unit(sizes_nm: np.ndarray) -> _Unit:
    return _UM if len(sizes_nm) and np.median(sizes_nm) >= _UM.size else _NM


def _figure(value: float | None) -> str:
    """Three significant digits, never with an exponent."""
    return UNKNOWN if value is None else np.format_float_positional(value, precision=3, fractional=False, trim="-")
