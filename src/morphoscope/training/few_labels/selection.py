"""Which pictures to label next: those the model is least sure of, those that cover what is there, and a mix of both.

Features (N, F) are scaled alike for all; rows that already have a label count as covered.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans

from morphoscope.prediction import ClassPrediction

TYPICAL_NEIGHBOURS = 20
UNSURE_SHARE = 0.5
"""Of the pictures, the least sure ones that `mix` spreads its choice over."""
STRATEGIES = ("mix", "uncertainty", "coverage", "typical")


def uncertainty(predictions: Sequence[ClassPrediction]) -> np.ndarray:
    """(N,) in [0, 1]: the entropy of the calibrated probabilities over that of the uniform answer, the mean over tasks."""
    shares = []
    for one in predictions:
        p = np.clip(one.probabilities, 1e-12, 1.0)
        if one.task.is_multilabel:
            q = np.clip(1 - one.probabilities, 1e-12, 1.0)
            shares.append(-(p * np.log2(p) + q * np.log2(q)).mean(axis=1))
        else:
            shares.append(-(p * np.log(p)).sum(axis=1) / np.log(p.shape[1]))
    return np.clip(np.mean(shares, axis=0), 0, 1)


def choose(
    strategy: str, features: np.ndarray, unsure: np.ndarray | None, labelled: np.ndarray, count: int, seed: int = 0
) -> np.ndarray:
    """Rows to label, the most urgent first, `count` at most. unsure: (N,), None where there is no model yet, so that `mix` and
    `uncertainty` become `typical`. labelled: (N,) bool."""
    free = np.flatnonzero(~labelled)
    count = min(count, len(free))
    if strategy == "coverage":
        return farthest_first(features, labelled, count)
    if strategy == "typical" or unsure is None:
        return typical(features, labelled, count, seed)
    order = free[np.argsort(-unsure[free], kind="stable")]
    if strategy == "uncertainty":
        return order[:count]
    few = np.sort(order[: max(count, int(np.ceil(UNSURE_SHARE * len(order))))])
    return few[typical(features[few], np.zeros(len(few), bool), count, seed)]


def farthest_first(features: np.ndarray, labelled: np.ndarray, count: int) -> np.ndarray:
    """Each time the row farthest from all that are covered: the greedy core-set of Sener & Savarese, ICLR 2018.

    Begins at the row nearest to the mean where nothing is covered yet."""
    squares = (features**2).sum(axis=1)

    def distances(row: int) -> np.ndarray:
        return squares + squares[row] - 2 * features @ features[row]

    nearest = np.full(len(features), np.inf)
    for covered in np.flatnonzero(labelled):
        nearest = np.minimum(nearest, distances(int(covered)))
    chosen: list[int] = []
    taken = labelled.copy()
    while len(chosen) < count:
        if np.isinf(nearest).all():
            row = int(((features - features.mean(axis=0)) ** 2).sum(axis=1).argmin())
        else:
            row = int(np.where(taken, -np.inf, nearest).argmax())
        chosen.append(row)
        taken[row] = True
        nearest = np.minimum(nearest, distances(row))
    return np.array(chosen, int)


def typical(features: np.ndarray, labelled: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """The most typical row of each cluster that has no label yet, largest cluster first: TypiClust of Hacohen, Dekel,
    Weinshall, ICML 2022. Typicality is the inverse mean distance to the nearest rows of the cluster."""
    n_clusters = min(len(features), int(labelled.sum()) + count)
    cluster = KMeans(n_clusters, n_init=3, random_state=seed).fit_predict(features)
    sizes = np.bincount(cluster, minlength=n_clusters)
    covered = np.bincount(cluster[labelled], minlength=n_clusters)
    chosen: list[int] = []
    taken = labelled.copy()
    while len(chosen) < count:
        open_ones = np.bincount(cluster[~taken], minlength=n_clusters) > 0
        # Fewest labels first, then the largest.
        order = np.lexsort((-sizes, covered, ~open_ones))
        mine = np.flatnonzero(cluster == order[0])
        score = np.where(taken[mine], -np.inf, _typicality(features[mine]))
        row = int(mine[score.argmax()])
        chosen.append(row)
        taken[row] = True
        covered[order[0]] += 1
    return np.array(chosen, int)


def _typicality(features: np.ndarray) -> np.ndarray:
    squares = (features**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * features @ features.T, 0))
    k = min(TYPICAL_NEIGHBOURS, len(features) - 1)
    return -np.sort(distance, axis=1)[:, 1 : k + 1].mean(axis=1) if k else np.zeros(1)
