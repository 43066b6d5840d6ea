"""Which pictures to label next: those the model is least sure of, those that cover what is there, and a mix of both.

Features (N, F) are scaled alike for all; rows that already have a label count as covered.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans

from morphoscope.prediction import ClassPrediction

TYPICAL_NEIGHBOURS = 20
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
