"""How well frozen features tell labelled pictures apart, at a cost that allows asking while they are being learned."""

from __future__ import annotations

import numpy as np

NEIGHBOURS, NEIGHBOUR_TEMPERATURE = 10, 0.07


def knn_scores(train: np.ndarray, labels: np.ndarray, test: np.ndarray, n_classes: int, k: int = NEIGHBOURS) -> np.ndarray:
    """(M, C) votes of the k most alike training rows, by cosine, each weighted exp(similarity / 0.07) (Wu et al., CVPR 2018).

    train (N, F), labels (N,) class numbers, test (M, F)."""
    similarity = _unit(test) @ _unit(train).T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    weights = np.exp((np.take_along_axis(similarity, nearest, axis=1) - 1) / NEIGHBOUR_TEMPERATURE)
    return np.einsum("mk,mkc->mc", weights, np.eye(n_classes)[labels[nearest]])


def ridge_scores(train: np.ndarray, labels: np.ndarray, test: np.ndarray, n_classes: int, penalty: float = 1.0) -> np.ndarray:
    """(M, C) scores of a linear classifier by ridge regression on one-hot classes, every class of the same weight.

    Solved at once in the space of the rows; features are standardised by the training rows."""
    centre, spread = train.mean(axis=0), train.std(axis=0) + 1e-6
    rows, asked = (np.clip((x - centre) / spread, -5, 5) / np.sqrt(train.shape[1]) for x in (train, test))
    counts = np.bincount(labels, minlength=n_classes)
    weight = np.sqrt(1 / counts[labels])[:, None]
    target = np.eye(n_classes)[labels] - 1 / n_classes
    weighted = rows * weight
    solved = np.linalg.solve(weighted @ weighted.T + penalty * np.eye(len(rows)) / len(rows), target * weight)
    return asked @ (weighted.T @ solved)


def few_label_accuracy(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, per_class: int = 8, repeats: int = 10, seed: int = 0
) -> dict[str, float]:
    """Mean balanced accuracy of both probes, learned from `per_class` pictures a class.

    features (N, F), labels (N,) class numbers with -1 where unknown, groups (N,) kept whole: half of them teach, half test.
    Empty where no division has two classes to teach and one of them to test, such as with a single group.
    """
    known = labels >= 0
    features, groups = features[known].astype(np.float64), groups[known]
    classes, labels = np.unique(labels[known], return_inverse=True)
    if len(classes) < 2:
        return {}
    scores: dict[str, list[float]] = {"knn": [], "linear": []}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        names = rng.permutation(np.unique(groups))
        testing = np.isin(groups, names[: len(names) // 2])
        pool, test = np.flatnonzero(~testing), np.flatnonzero(testing)
        chosen = [rng.permutation(pool[labels[pool] == c])[:per_class] for c in range(len(classes))]
        train = np.concatenate(chosen)
        usable = np.flatnonzero([len(rows) > 0 for rows in chosen])
        test = test[np.isin(labels[test], usable)]
        if len(usable) < 2 or not len(test):
            continue
        few, truth = np.searchsorted(usable, labels[train]), np.searchsorted(usable, labels[test])
        k = min(NEIGHBOURS, max(1, len(train) // len(usable)))
        for name, scored in (
            ("knn", knn_scores(features[train], few, features[test], len(usable), k)),
            ("linear", ridge_scores(features[train], few, features[test], len(usable))),
        ):
            right = scored.argmax(axis=1) == truth
            scores[name].append(float(np.mean([right[truth == c].mean() for c in np.unique(truth)])))
    return {name: float(np.mean(values)) for name, values in scores.items() if values}


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
