"""Which pictures to label next: those the model is least sure of, those that cover what is there, and a mix of both.

Features (N, F) are scaled alike for all. Rows that have a label are never chosen; `coverage` and `typical` count them as covered.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from morphoscope.prediction import ClassPrediction

TYPICAL_NEIGHBOURS = 20
DISTANCES_AT_ONCE = 4_000_000
"""Distances in memory at a time, 32 MB of them in float64."""
UNSURE_SHARE, UNSURE_MULTIPLE, TRUST_AFTER = 0.5, 5, 4
"""`mix` spreads its choice over this share of the pictures, the least sure ones, as long as there are few labels; over this
multiple of what is asked for when the labels are several times (the third number) as many, since then doubt can be trusted."""
STRATEGIES = ("mix", "uncertainty", "coverage", "typical")


def uncertainty(predictions: Sequence[ClassPrediction]) -> np.ndarray:
    """(N,) in [0, 1]: one less the margin between the two most probable classes, the mean over tasks; of a multi-label task, one
    less the mean distance of its classes from even odds."""
    shares = []
    for one in predictions:
        if one.task.is_multilabel:
            shares.append(1 - np.abs(2 * one.probabilities - 1).mean(axis=1))
        else:
            second, first = np.sort(one.probabilities, axis=1)[:, -2:].T
            shares.append(1 - (first - second))
    return np.clip(np.mean(shares, axis=0), 0, 1)


def choose(
    strategy: str,
    features: np.ndarray,
    unsure: np.ndarray | None,
    labelled: np.ndarray,
    count: int,
    seed: int = 0,
    known: int | None = None,
) -> np.ndarray:
    """Rows to label, the most urgent first, `count` at most. unsure: (N,), None where there is no model yet, so that `mix` and
    `uncertainty` become `typical`. labelled: (N,) bool. known: pictures that the model learned from, those labelled if left out."""
    free = np.flatnonzero(~labelled)
    count = min(count, len(free))
    if strategy == "coverage":
        return farthest_first(features, labelled, count)
    if strategy == "typical" or unsure is None:
        return typical(features, labelled, count, seed)
    order = free[np.argsort(-unsure[free], kind="stable")]
    if strategy == "uncertainty":
        return order[:count]
    known = int(labelled.sum()) if known is None else known
    doubtful = len(order) * UNSURE_SHARE * np.exp(-known / (TRUST_AFTER * count))
    few = np.sort(order[: max(UNSURE_MULTIPLE * count, int(doubtful))])
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
    with warnings.catch_warnings():
        # Copies of a picture leave clusters empty; the choice below then takes several of one cluster.
        warnings.simplefilter("ignore", ConvergenceWarning)
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
        score = np.where(taken[mine], -np.inf, typicality(features[mine]))
        row = int(mine[score.argmax()])
        chosen.append(row)
        taken[row] = True
        covered[order[0]] += 1
    return np.array(chosen, int)


def typicality(features: np.ndarray) -> np.ndarray:
    """(N,) less the mean distance of each row of (N, F) to its nearest other rows, in memory linear in N."""
    k = min(TYPICAL_NEIGHBOURS, len(features) - 1)
    if not k:
        return np.zeros(1)
    squares = (features**2).sum(axis=1)
    at_once = max(1, DISTANCES_AT_ONCE // len(features))
    means = []
    for start in range(0, len(features), at_once):
        some = slice(start, start + at_once)
        distance = squares[some, None] + squares - 2 * features[some] @ features.T
        nearest = np.sort(np.partition(distance, k, axis=1)[:, : k + 1], axis=1)
        # The first one is the row itself.
        means.append(np.sqrt(np.maximum(nearest[:, 1:], 0)).mean(axis=1))
    return -np.concatenate(means)
