"""What the particles of one picture say of the specimen: size distribution, number density, area fraction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

from morphoscope.measure.particles import PIXELS, Spacing, Traced
from morphoscope.micrograph import InformationBar

N_RESAMPLES = 2000
LEVEL = 0.95
_BATCH = 200  # resamples held in memory at a time


@dataclass(frozen=True)
class Distribution:
    """Number-weighted sizes of n particles; None where too few say nothing.

    d10, d50, d90: 10, 50 and 90 % of the particles are no larger. std: of the sample. mean_ci95: 95 % interval of the mean.
    """

    n: int
    d10: float | None = None
    d50: float | None = None
    d90: float | None = None
    mean: float | None = None
    std: float | None = None
    mean_ci95: tuple[float, float] | None = None


def distribution(sizes: np.ndarray, seed: int = 0) -> Distribution:
    """The distribution of (n,) sizes. Percentiles interpolate linearly; the interval is a bootstrap's (Efron 1979).

    Bias: particles count as independent, so the interval is too narrow for particles that resemble their neighbours, and
    below about ten particles in any case. Leaving out what touches the border favours small particles.
    """
    n = len(sizes)
    if n == 0:
        return Distribution(0)
    d10, d50, d90 = (float(each) for each in np.percentile(sizes, (10, 50, 90)))
    mean = float(sizes.mean())
    if n == 1:
        return Distribution(1, d10, d50, d90, mean)
    found = bootstrap(
        (sizes,), np.mean, n_resamples=N_RESAMPLES, batch=_BATCH, confidence_level=LEVEL, method="percentile", rng=seed
    )
    interval = (float(found.confidence_interval.low), float(found.confidence_interval.high))
    return Distribution(n, d10, d50, d90, mean, float(sizes.std(ddof=1)), interval)


def field_area(shape: tuple[int, int], bar: InformationBar | None = None, spacing: Spacing = PIXELS) -> float:
    """Area of the picture (Y, X) without its information bar."""
    return (shape[0] - (bar.height if bar else 0)) * shape[1] * spacing[0] * spacing[1]


def area_fraction(traced: Traced, bar: InformationBar | None = None) -> float:
    """Share of the field that is particle. Cut particles count with the part that is seen."""
    return float(traced.n_pixels.sum() / field_area(traced.shape, bar))


def n_associated(traced: Traced, bar: InformationBar | None = None) -> int:
    """How many particles belong to the field: those that reach neither its lower nor its right edge.

    Counting all would count one on an edge for both neighbouring fields, leaving them out for neither; this rule counts each
    once, so the number density is unbiased (Gundersen 1977).
    """
    top, bottom, _, right = traced.box.T
    is_cut = (bottom == traced.shape[0] - 1) | (right == traced.shape[1] - 1)
    if bar is not None:
        is_cut |= (bottom >= bar.top - 1) & (top < bar.top + bar.height)
    return int(np.count_nonzero(~is_cut))
