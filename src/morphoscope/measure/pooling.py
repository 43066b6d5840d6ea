"""One distribution of a specimen from many pictures, and how much of its spread lies between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.measure.distribution import LEVEL, PRECISION, Distribution, distribution

N_RESAMPLES = 1000
_Z = 1.96

Interval = tuple[float, float]


@dataclass(frozen=True)
class Pooled:
    """A specimen's sizes. n_pictures: with at least one size.

    of_all: all sizes as one distribution; its intervals are those of `mean_ci95` and its kin below, which know the pictures.
    std_between, std_within: spread of the pictures' true means, and of sizes within a picture; None for a single picture.
    n_pictures_needed: for a mean within ± the precision asked for, with as many objects a picture as there are now.
    """

    n_pictures: int
    of_all: Distribution
    mean_ci95: Interval | None
    d50_ci95: Interval | None
    area_mean_ci95: Interval | None
    std_between: float | None
    std_within: float | None
    n_pictures_needed: int | None


def pool(
    sizes: Sequence[np.ndarray], weights: Sequence[np.ndarray] | None = None, *, seed: int = 0, precision: float = PRECISION
) -> Pooled:
    """Sizes (n,) of every picture pooled, each object counting alike. weights: (n,) a picture, one where None.

    Intervals: hierarchical bootstrap, pictures drawn and then objects within each (Davison & Hinkley 1997, section 3.8).
    Variances: one-way analysis, method of moments. Bias: resampling on both levels counts the spread within pictures twice, so
    intervals err on the wide side for few objects a picture; for fewer than five pictures they are too narrow all the same.
    """
    chosen = [i for i, each in enumerate(sizes) if len(each)]
    filled = [sizes[i] for i in chosen]
    shares = [np.ones(len(sizes[i])) if weights is None else weights[i] for i in chosen]
    everything = np.concatenate([*filled, np.empty(0)])
    of_all = distribution(everything, None if weights is None else np.concatenate([*shares, np.empty(0)]), precision=precision)
    if len(filled) < 2:
        intervals = (of_all.mean_ci95, of_all.d50_ci95, of_all.area_mean_ci95)
        return Pooled(len(filled), of_all, *intervals, None, of_all.std, None)
    between, within = variance_components(filled)
    counts = np.array([len(each) for each in filled])
    mean = float(of_all.mean or 0.0)
    a_picture = between + within / float(counts.mean())
    needed = math.ceil((_Z / (precision * mean)) ** 2 * a_picture) if mean > 0 else None
    return Pooled(len(filled), of_all, *_intervals(filled, shares, seed), math.sqrt(between), math.sqrt(within), needed)


def variance_components(sizes: Sequence[np.ndarray]) -> tuple[float, float]:
    """Variance of the pictures' means beyond what chance makes of it, at least 0, and variance within pictures."""
    counts = np.array([len(each) for each in sizes])
    means = np.array([each.mean() for each in sizes])
    total, k = int(counts.sum()), len(sizes)
    inside = sum(float(((each - each.mean()) ** 2).sum()) for each in sizes)
    within = inside / (total - k) if total > k else 0.0
    overall = float(counts @ means / total)
    across = float(counts @ (means - overall) ** 2) / (k - 1)
    typical = (total - float(counts @ counts) / total) / (k - 1)
    return max(0.0, (across - within) / typical), within


def _intervals(sizes: Sequence[np.ndarray], weights: Sequence[np.ndarray], seed: int) -> tuple[Interval, Interval, Interval]:
    """95 % intervals of the mean, the median and the area-weighted mean."""
    rng, k = np.random.default_rng(seed), len(sizes)
    found = np.empty((N_RESAMPLES, 3))
    for row in found:
        values, shares = [], []
        for picture in rng.integers(k, size=k):
            drawn = rng.integers(len(sizes[picture]), size=len(sizes[picture]))
            values.append(sizes[picture][drawn])
            shares.append(weights[picture][drawn])
        value, share = np.concatenate(values), np.concatenate(shares)
        area = share * value**2
        row[:] = float(share @ value / share.sum()), _median(value, share), float(area @ value / area.sum())
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    mean, median, area_mean = ((float(a), float(b)) for a, b in zip(low, high, strict=True))
    return mean, median, area_mean


def _median(value: np.ndarray, share: np.ndarray) -> float:
    if (share == share[0]).all():
        return float(np.median(value))
    order = np.argsort(value)
    cumulative = np.cumsum(share[order])
    return float(value[order][np.searchsorted(cumulative, cumulative[-1] / 2)])
