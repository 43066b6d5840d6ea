"""The page of `measure --report`: sizes of all objects, specimens, and each picture with its outlines and its own histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from morphoscope.errors import OutputError
from morphoscope.measure.border import Border
from morphoscope.measure.distribution import N_RESAMPLES, PRECISION, Distribution, needed_more
from morphoscope.measure.pooling import Pooled, pool
from morphoscope.measure.uncertainty import ASSUMED, ScaleUncertainty
from morphoscope.reporting import svg
from morphoscope.reporting.measured import QUANTITIES, ReportedPicture
from morphoscope.reporting.page import render_page
from morphoscope.reporting.page_text import UNKNOWN
from morphoscope.reporting.predictions_table import Row
from morphoscope.reporting.versions import versions
from morphoscope.scores.intervals import Interval
from morphoscope.units import NM_PER_UNIT

_BINS = (6, 40)
_FEWEST_BARS = 5  # particles below which a histogram shows nothing
_WIDE = 30  # largest over smallest size from which an axis is logarithmic


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
    pictures: Sequence[ReportedPicture],
    problems: Sequence[str],
    notes: Sequence[str],
    border: Border,
    folder: Path,
    samples: Sequence[Row] = (),
    precision: float = PRECISION,
) -> Path:
    """Writes report.html into a folder. problems: sentences on pictures that could not be measured. samples: rows of samples.csv.

    Raises OutputError.
    """
    path = folder / "report.html"
    page = render_measure_report(pictures, problems, notes, border, samples, precision)
    try:
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(
            f"{path}: the report can't be written ({error.strerror}); expected a writable folder. Choose another --report."
        ) from error
    return path


def render_measure_report(
    pictures: Sequence[ReportedPicture],
    problems: Sequence[str],
    notes: Sequence[str],
    border: Border,
    samples: Sequence[Row] = (),
    precision: float = PRECISION,
) -> str:
    """The page as text; it loads nothing from outside."""
    pooled = [picture for picture in pictures if picture.uncertainty and picture.is_pooled]
    spread = _Spread.of(pictures)
    return render_page(
        "measure.html.j2",
        pictures=[_row(picture, spread) for picture in pictures],
        is_spread_logarithmic=spread.is_logarithmic,
        n_objects=sum(picture.summary.n_objects for picture in pictures),
        n_counted=sum(picture.summary.n for picture in pictures),
        n_scaled=sum(picture.uncertainty is not None for picture in pictures),
        n_blurred=sum(not picture.is_pooled for picture in pictures),
        groups=[group for group in (_group(quantity, pooled, precision) for quantity in QUANTITIES) if group],
        has_wires=any(picture.summary.n_wires for picture in pictures),
        kinds=sorted({picture.summary.route.kind for picture in pictures}),
        samples=[_sample(row) for row in samples],
        uncertainties=sorted({_uncertainty(p.uncertainty) for p in pictures if p.uncertainty}),
        assumed={origin: 100 * value for origin, value in ASSUMED.items()},
        border=border,
        precision=100 * precision,
        problems=problems,
        notes=notes,
        n_resamples=N_RESAMPLES,
        versions=versions(),
    )


def _group(quantity: str, pictures: Sequence[ReportedPicture], precision: float) -> dict[str, object] | None:
    """One quantity of all pooled pictures together; None where no object has it."""
    sizes = [picture.sizes[quantity] for picture in pictures]
    values = [each.nm for each in sizes if each.nm is not None]
    everything = np.concatenate([*values, np.empty(0)])
    if not len(everything):
        return None
    found: Pooled = pool(values, [each.weights for each in sizes], precision=precision)
    unit = _unit(everything)
    uncertain = max((p.uncertainty for p in pictures if p.uncertainty), key=lambda each: each.relative)
    interval = found.mean_ci95
    widened = uncertain.widened(found.of_all.mean or 0.0, interval) if interval else None
    return _figures(found.of_all, unit) | {
        "quantity": quantity,
        "unit": unit.name,
        "n": len(everything),
        "interval": unit.interval(widened),
        "between": unit.figure(found.std_between),
        "n_more": needed_more(found.of_all),
        "is_by_area": quantity == QUANTITIES[0],
        "histogram": _histogram(everything, unit, (760, 230), quantity, found.of_all),
    }


def _sample(row: Row) -> dict[str, str]:
    """A row of samples.csv with figures for people."""
    numbers = {
        name: _figure(float(row[name]) if row.get(name) else None)
        for name in ("mean", "mean_ci95_low", "mean_ci95_high", "d50", "std_between_pictures", "std_within_pictures")
    }
    return dict(row) | numbers


def _uncertainty(found: ScaleUncertainty) -> str:
    return f"{100 * found.relative:.3g}\N{NO-BREAK SPACE}% ({'stated' if found.is_stated else 'assumed'})"


@dataclass(frozen=True)
class _Spread:
    """The axis on which every picture's D10, D50 and D90 lie."""

    low: float
    high: float
    is_logarithmic: bool

    @classmethod
    def of(cls, pictures: Sequence[ReportedPicture]) -> _Spread:
        found = [each for each in (_main(picture) for picture in pictures if picture.uncertainty) if each.n]
        smallest = min((each.d10 for each in found if each.d10), default=1.0)
        largest = max((each.d90 for each in found if each.d90), default=1.0)
        is_wide = largest > _WIDE * smallest
        return cls(smallest / 2 if is_wide else 0.0, largest, is_wide)

    def percent(self, size: float) -> float:
        if self.is_logarithmic:
            return 100 * math.log(size / self.low) / math.log(self.high / self.low)
        return 100 * size / self.high


def _main(picture: ReportedPicture) -> Distribution:
    """The distribution that a picture is told by, in nm where the scale is known."""
    summary = picture.summary
    if picture.main == QUANTITIES[0]:
        return summary.nm or summary.px
    return (summary.wires_nm or summary.wires_px).length


def _row(picture: ReportedPicture, spread: _Spread) -> dict[str, object]:
    """What the page says of one picture, in px where the scale is unknown."""
    summary, sizes, found = picture.summary, picture.sizes[picture.main], _main(picture)
    unit = _PX if sizes.nm is None else _unit(sizes.nm)
    marks = (found.d10, found.d50, found.d90) if sizes.nm is not None else ()
    interval = found.mean_ci95
    if interval and found.mean and picture.uncertainty:
        interval = picture.uncertainty.widened(found.mean, interval)
    return _figures(found, unit) | {
        "name": picture.name,
        "sample": picture.sample,
        "summary": summary,
        "quantity": picture.main,
        "unit": unit.name,
        "interval": unit.interval(interval),
        "n_more": needed_more(found),
        "density": _figure(summary.n_per_um2),
        "focus": _figure(summary.sharpness.focus if math.isfinite(summary.sharpness.focus) else None),
        "drift": _figure(summary.sharpness.drift if math.isfinite(summary.sharpness.drift) else None),
        "is_pooled": picture.is_pooled,
        "wires": _wire_figures(picture),
        "domain": _domain(picture),
        "spread": [spread.percent(mark) for mark in marks if mark is not None],
        "overlay": picture.overlay,
        "histogram": _histogram(sizes.px if sizes.nm is None else sizes.nm, unit, (340, 200), picture.main, found),
    }


def _wire_figures(picture: ReportedPicture) -> dict[str, str] | None:
    """Width, tortuosity, order and stiffness of a picture's wires; None without any."""
    summary = picture.summary
    found = summary.wires_nm or summary.wires_px
    if not found.width.n:
        return None
    unit = _PX if summary.wires_nm is None else _NM
    stiff = found.persistence_length
    return {
        "n": str(found.width.n),
        "width": f"{unit.figure(found.width.mean)} ± {unit.figure(found.width.std)} {unit.name}",
        "tortuosity": _figure(summary.tortuosity),
        "order": _figure(summary.orientation_order),
        "persistence": UNKNOWN if stiff is None else f"{unit.figure(stiff)} {unit.name}",
        "junctions": UNKNOWN if summary.n_junctions is None else str(summary.n_junctions),
    }


def _domain(picture: ReportedPicture) -> str:
    found = picture.summary.domains_nm or picture.summary.domains_px
    unit = _PX if picture.summary.domains_nm is None else _NM
    return (
        UNKNOWN
        if found.domain_size is None
        else f"{unit.figure(found.domain_size)} and {unit.figure(found.gap_size)} {unit.name}"
    )


def _figures(found: Distribution, unit: _Unit) -> dict[str, object]:
    return {name: unit.figure(getattr(found, name)) for name in ("d10", "d50", "d90", "mean", "std", "area_d50", "area_mean")}


def _histogram(sizes: np.ndarray, unit: _Unit, canvas: tuple[int, int], quantity: str, found: Distribution) -> Markup:
    """Objects a bin as a filled staircase, with dashed lines at the D10, D50 and D90 found; empty for a few objects."""
    if len(sizes) < _FEWEST_BARS:
        return Markup()
    is_wide = sizes.max() > _WIDE * sizes.min()
    along, label = sizes / unit.size, f"{quantity} ({unit.name})"
    if is_wide:
        along, label = np.log10(along), f"log₁₀ of the {label}"
    counts, edges = np.histogram(along, bins=int(np.clip(math.sqrt(len(sizes)), *_BINS)))
    top = 1.05 * counts.max()
    bars = svg.Line(np.repeat(edges, 2), np.r_[0, np.repeat(counts, 2), 0], "bars", f"{len(sizes)} objects")
    marked = np.array([found.d10, found.d50, found.d90], float) / unit.size
    percentiles = zip(("D10", "D50", "D90"), np.log10(marked) if is_wide else marked, strict=True)
    marks = [svg.Line(np.full(2, place), np.array([0, top]), "mark", name) for name, place in percentiles]
    return svg.line_plot([bars, *marks], "Histogram of sizes", label, y_range=(0.0, top), size=canvas)


def _unit(sizes_nm: np.ndarray) -> _Unit:
    return _UM if len(sizes_nm) and np.median(sizes_nm) >= _UM.size else _NM


def _figure(value: float | None) -> str:
    """Three significant digits, never with an exponent."""
    return UNKNOWN if value is None else np.format_float_positional(value, precision=3, fractional=False, trim="-")
