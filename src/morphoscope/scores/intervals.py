"""95 % intervals that know that pictures of one specimen resemble each other, and that a repeat is not a new picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

LEVEL = 0.95
_Z = float(ndtri(0.5 + LEVEL / 2))

Interval = tuple[float, float]


def wilson_interval(share: float, n: float) -> Interval:
    """95 % score interval of a share seen in n independent trials; n may be a fraction (Wilson 1927)."""
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return float(max(0.0, min(share, centre - half))), float(min(1.0, max(share, centre + half)))


def effective_sample_size(hits: np.ndarray, groups: np.ndarray) -> float:
    """How many independent pictures the (n,) pictures of (n,) groups are worth, between 1 and n.

    n over the design effect of the ratio estimator (Rao & Scott 1992), floored at 1, times Korn & Graubard's (1998)
    correction for few groups. Where the spread can't be seen (one group, or all answers alike) every group counts as
    fully alike, which errs on the wide side.
    """
    _, group = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group).astype(float)
    n, n_groups, share = len(hits), len(sizes), float(np.mean(hits))
    if n_groups < 2 or share in (0.0, 1.0):
        return n**2 / float(sizes @ sizes)
    residuals = np.bincount(group, weights=hits) - share * sizes
    variance = n_groups / (n_groups - 1) * (residuals @ residuals) / n**2
    design_effect = max(1.0, float(variance / (share * (1 - share) / n)))
    few_groups = (_Z / stdtrit(n_groups - 1, 0.5 + LEVEL / 2)) ** 2
    return float(max(1.0, n / design_effect * few_groups))


def accuracy_interval(hits: np.ndarray, groups: np.ndarray | None = None, images: np.ndarray | None = None) -> Interval | None:
    """95 % interval of the mean of (N,) hits, never a point even where all or none are right; None without any.

    groups: (N,) what can't be called independent (a specimen, a paper). images: (N,) which picture a row is, where
    repeated splits test one several times; it then counts once, with the average of its repeats.
    """
    hits = np.asarray(hits, dtype=float)
    if not len(hits):
        return None
    if images is not None:
        _, first, image = np.unique(images, return_index=True, return_inverse=True)
        hits = np.bincount(image, weights=hits) / np.bincount(image)
        groups = None if groups is None else groups[first]
    n = len(hits) if groups is None else effective_sample_size(hits, groups)
    return wilson_interval(float(hits.mean()), n)


def mean_interval(shares: Sequence[float], intervals: Sequence[Interval]) -> Interval | None:
    """95 % interval of the mean of separately measured shares, from their own intervals (MOVER, Zou & Donner 2008).

    Unlike a bootstrap it doesn't take the one right picture of a rare class for certainty.
    """
    if not shares:
        return None
    mean = float(np.mean(shares))
    below = np.sqrt(sum((share - low) ** 2 for share, (low, _) in zip(shares, intervals, strict=True))) / len(shares)
    above = np.sqrt(sum((high - share) ** 2 for share, (_, high) in zip(shares, intervals, strict=True))) / len(shares)
    return float(max(0.0, mean - below)), float(min(1.0, mean + above))


def cluster_bootstrap_interval(
    sums: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], clusters: np.ndarray, n_resamples: int = 1000, seed: int = 0
) -> Interval | None:
    """95 % percentile interval of a score made of sums over pictures, resampling whole clusters.

    sums: (N, K) what each picture adds. statistic: (B, K) totals to (B,) scores. clusters: (N,). None where every
    resample gives the same score, since that says nothing about its spread. Known bias: too narrow below some 20 clusters.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    n_clusters = int(cluster.max()) + 1 if len(cluster) else 0
    if n_clusters < 2:
        return None
    totals = np.zeros((n_clusters, sums.shape[1]))
    np.add.at(totals, cluster, sums)
    rng = np.random.default_rng(seed)
    resampled = np.stack(
        [np.bincount(rng.integers(n_clusters, size=n_clusters), minlength=n_clusters) @ totals for _ in range(n_resamples)]
    )
    low, high = np.nanquantile(statistic(resampled), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return (float(low), float(high)) if low < high else None


def crossed_bootstrap_interval(
    sums: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], n_resamples: int = 400, seed: int = 0
) -> Interval | None:
    """95 % percentile interval of the mean over repeats of a score, resampling clusters of pictures and repeats.

    sums: (R, G, K) what each cluster adds in each repeat. statistic: (R, K) totals to (R,) scores. A resample weighs a cluster
    alike in all repeats, since repeats that test the same picture are not independent. Known bias: too narrow below some
    20 clusters. None where there is one repeat or cluster, or every resample gives the same score.
    """
    n_repeats, n_clusters, _ = sums.shape
    if n_clusters < 2:
        return None
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(n_resamples):
        weights = np.bincount(rng.integers(n_clusters, size=n_clusters), minlength=n_clusters)
        scores = statistic(np.einsum("rgk,g->rk", sums, weights))  # r repeats, g clusters, k sums
        means.append(np.nanmean(scores[rng.integers(n_repeats, size=n_repeats)]))
    low, high = np.nanquantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return (float(low), float(high)) if low < high else None
