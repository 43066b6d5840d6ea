"""What the scores of many pictures come to: means over pictures, medians of errors, with 95 % intervals over groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from morphoscope.scores.instances import PictureScore
from morphoscope.scores.intervals import LEVEL, Interval

MEANS = {
    "ap50": "ap50",
    "ap75": "ap75",
    "iou": "iou",
    "dice": "dice",
    "row_averaged_iou_lu2022": "row_averaged_iou",
}
"""Name of a figure to the score whose mean over pictures it is. row_averaged_iou_lu2022 is no IoU: see `row_averaged_iou`."""
MEDIANS = {"count_error": "count_error", "diameter_error": "diameter_error"}
"""The same of medians, over pictures with objects."""


def summarised(scores: Sequence[PictureScore], clusters: np.ndarray) -> dict[str, Any]:
    """`n` and, for each figure of MEANS and MEDIANS, its value and `NAME_ci95`; None without a picture. clusters: (N,)."""
    found: dict[str, Any] = {"n": len(scores)}
    for figures, statistic in ((MEANS, np.mean), (MEDIANS, np.median)):
        for name, score in figures.items():
            values = np.array([getattr(one, score) for one in scores], dtype=float)  # None becomes nan
            known = np.isfinite(values)
            found[name] = float(statistic(values[known])) if known.any() else None
            found[f"{name}_ci95"] = cluster_interval(values[known], clusters[known], statistic)
    return found


def cluster_interval(
    values: np.ndarray, clusters: np.ndarray, statistic: Callable[[np.ndarray], Any], n_resamples: int = 1000, seed: int = 0
) -> Interval | None:
    """95 % percentile bootstrap interval of a statistic of (N,) values; whole clusters are drawn. None from a single cluster.

    Known bias: too narrow below some 20 clusters.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    n_clusters = int(cluster.max()) + 1 if len(cluster) else 0
    if n_clusters < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn = [np.bincount(rng.integers(n_clusters, size=n_clusters), minlength=n_clusters) for _ in range(n_resamples)]
    resampled = [statistic(np.repeat(values, times[cluster])) for times in drawn]
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
