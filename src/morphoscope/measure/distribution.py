"""Sizes of many objects as a distribution: percentiles, mean and their intervals, and how many more objects a precision needs."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

N_RESAMPLES = 2000
LEVEL = 0.95
PRECISION = 0.05
"""Half width of the mean's 95 % interval over the mean, that `n_needed` is for."""

_Z = float(ndtri(0.5 + LEVEL / 2))
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
_QUANTILES = (0.1, 0.5, 0.9)
_BATCH = 1_000_000  # resampled values held in memory at a time

Interval = tuple[float, float]


@dataclass(frozen=True)
class Distribution:
    """Sizes of n objects; None where too few say nothing.

    d10, d50, d90: 10, 50 and 90 % of the objects are no larger. std: of the population, estimated. *_ci95: 95 % intervals.
    area_d10, area_d50, area_d90, area_mean: the same with every object weighted by its area, as a balance would see it.
    n_needed: objects for which the mean's 95 % interval would be ± the precision asked for. n_effective: what weights leave of n.
    """

    n: int
    d10: float | None = None
    d50: float | None = None
    d90: float | None = None
    mean: float | None = None
    std: float | None = None
    mean_ci95: Interval | None = None
    d10_ci95: Interval | None = None
    d50_ci95: Interval | None = None
    d90_ci95: Interval | None = None
    area_d10: float | None = None
    area_d50: float | None = None
    area_d90: float | None = None
    area_mean: float | None = None
    area_mean_ci95: Interval | None = None
    n_needed: int | None = None
    n_effective: float | None = None

    def scaled(self, factor: float) -> Distribution:
        """The same sizes in a unit of which `factor` make one of this."""
        changed: dict[str, float | Interval | None] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name not in ("n", "n_needed", "n_effective") and value is not None:
                changed[field.name] = (value[0] * factor, value[1] * factor) if isinstance(value, tuple) else value * factor
        return dataclasses.replace(self, **changed)  # type: ignore[arg-type]


def distribution(
    sizes: np.ndarray, weights: np.ndarray | None = None, *, seed: int = 0, precision: float = PRECISION
) -> Distribution:
    """The distribution of (n,) sizes. weights: (n,) how many objects of the specimen each stands for, one where None.

    Percentiles interpolate linearly between the sorted sizes, weighted ones between the middles of their weights. Intervals are
    a percentile bootstrap's (Efron 1979). n_needed = (z s / (precision mean))², z = 1.96, is for the mean by number; percentiles
    and means by volume need many more (ISO 13322-1, Annex A). Bias: objects count as independent, so intervals are too narrow
    for objects that resemble their neighbours, and below about ten objects in any case.
    """
    n = len(sizes)
    if n == 0:
        return Distribution(0)
    order = np.argsort(sizes)
    sizes, share = sizes[order], np.full(n, 1 / n) if weights is None else weights[order] / weights.sum()
    by_area = share * sizes**2 / (share @ sizes**2)
    mean = float(share @ sizes)
    quantiles = np.percentile(sizes, [100 * q for q in _QUANTILES]) if weights is None else _quantiles(sizes, share)
    number = dict(zip(("d10", "d50", "d90"), quantiles.tolist(), strict=True)) | {"mean": mean}
    area = dict(zip(("area_d10", "area_d50", "area_d90"), _quantiles(sizes, by_area).tolist(), strict=True))
    area["area_mean"] = float(by_area @ sizes)
    effective = 1 / float(share @ share)
    if n == 1:
        return Distribution(1, **number, **area, n_effective=effective)
    if weights is None:
        std = float(sizes.std(ddof=1))
    else:
        std = math.sqrt(float(share @ (sizes - mean) ** 2) * effective / max(effective - 1, 1e-9))
    needed = math.ceil((_Z * std / (precision * mean)) ** 2 * n / effective) if mean > 0 else None
    found = Distribution(n, **number, **area, std=std, n_needed=needed, n_effective=effective)
    return dataclasses.replace(found, **_bootstrap(sizes, share, seed))  # type: ignore[arg-type]


def needed_more(found: Distribution) -> int | None:
    """How many objects are still to be measured for the precision of `n_needed`."""
    return None if found.n_needed is None else max(0, found.n_needed - found.n)


def _quantiles(sizes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(3,) of ascending sizes with shares that sum to 1."""
    return np.interp(_QUANTILES, np.cumsum(share) - share / 2, sizes)


def _bootstrap(sizes: np.ndarray, share: np.ndarray, seed: int) -> dict[str, Interval]:
    """95 % intervals from resampled objects, each with its weight; sizes ascend."""
    rng, n = np.random.default_rng(seed), len(sizes)
    found = np.empty((N_RESAMPLES, 5))
    batch = max(1, _BATCH // n)
    moments = np.column_stack([share, share * sizes, share * sizes**2, share * sizes**3])
    for first in range(0, N_RESAMPLES, batch):
        rows = min(batch, N_RESAMPLES - first)
        drawn = rng.integers(n, size=(rows, n)) + np.arange(rows)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        total, once, twice, thrice = (counts @ moments).T
        cumulative = np.cumsum(counts * share, axis=1)
        for column, q in enumerate(_QUANTILES):
            found[first : first + rows, column] = sizes[(cumulative >= q * total[:, None] * (1 - 1e-12)).argmax(axis=1)]
        found[first : first + rows, 3], found[first : first + rows, 4] = once / total, thrice / twice
    low, high = np.quantile(found, _TAILS, axis=0)
    names = ("d10_ci95", "d50_ci95", "d90_ci95", "mean_ci95", "area_mean_ci95")
    return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}
