"""Light classifiers on frozen features: what a handful of labels can carry."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Protocol

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from morphoscope.errors import MorphoscopeError
from morphoscope.registry import Registry
from morphoscope.training.selfsupervised.probes import knn_scores

HEADS = Registry(
    "head",
    {
        "logistic": "morphoscope.training.few_labels.heads:logistic",
        "softmax": "morphoscope.training.few_labels.softmax:softmax",
        "knn": "morphoscope.training.few_labels.heads:nearest_neighbours",
    },
)

USUAL_C, C_GRID = 10.0, (0.1, 1.0, 10.0, 100.0)
"""Inverse strengths of the L2 penalty that inner validation may choose; the usual one where there are too few labels to ask."""
LEAST_FOR_VALIDATION = 4
INNER_FOLDS = 4
NEIGHBOURS = 5


class Head(Protocol):
    """Learns from rows (n, F) with class numbers (n,) below n_classes, and gives scores (m, n_classes) of asked rows."""

    def __call__(
        self, rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, asked: np.ndarray, n_classes: int, seed: int
    ) -> np.ndarray: ...


def standardiser(pool: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Brings features to zero mean, unit spread over the pool (N, F), which needs no labels, and to a mean square of about 1/F.

    Values beyond five standard deviations are cut off, so that one odd picture can't lead a handful of labels astray.
    """
    centre, spread = pool.mean(axis=0), pool.std(axis=0)
    spread = np.where(spread > 1e-6 * max(float(spread.max()), 1e-12), spread, np.inf)
    return lambda rows: np.clip((rows - centre) / spread, -5, 5) / np.sqrt(pool.shape[1])


def check_classes(task: str, labels: np.ndarray) -> None:
    """Raises MorphoscopeError where (n,) class numbers don't name two classes."""
    if len(np.unique(labels)) < 2:
        raise MorphoscopeError(
            f"'{task}': labels of one class only; expected at least two classes to tell apart. Label pictures of another class."
        )


def logistic(
    rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, asked: np.ndarray, n_classes: int, seed: int
) -> np.ndarray:
    """Log-probabilities of multinomial logistic regression with an L2 penalty, chosen by validation inside the labelled rows."""
    # With fewer rows than features the solution lies in the rows' span: the same answer from far smaller matrices.
    basis = np.linalg.qr(rows.T)[0] if len(rows) < rows.shape[1] else np.eye(rows.shape[1])
    rows, asked = rows @ basis, asked @ basis
    strength = _chosen_strength(rows, labels, groups, seed)
    return log_probabilities(rows, labels, asked, n_classes, strength)


def _chosen_strength(rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> float:
    """The C with the best log-likelihood over inner folds that keep groups whole; the usual one where no fold can be asked."""
    counts = np.bincount(labels)
    if counts[counts > 0].min() < LEAST_FOR_VALIDATION:
        return USUAL_C
    fold = _inner_folds(labels, groups, seed)
    likelihoods = []
    for strength in C_GRID:
        total = 0.0
        for number in range(INNER_FOLDS):
            inside, outside = fold != number, fold == number
            known = outside & np.isin(labels, labels[inside])
            if len(np.unique(labels[inside])) < 2 or not known.any():
                continue
            scores = log_probabilities(rows[inside], labels[inside], rows[known], len(counts), strength)
            total += float(scores[np.arange(known.sum()), labels[known]].sum())
        likelihoods.append(total)
    return C_GRID[int(np.argmax(likelihoods))] if any(likelihoods) else USUAL_C


def _inner_folds(labels: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """(n,) fold numbers, groups whole, classes dealt out in turn."""
    rng = np.random.default_rng([seed, len(labels)])
    units, unit_of = np.unique(groups, return_inverse=True)
    order = rng.permutation(len(units))
    first_label = np.array([labels[unit_of == unit][0] for unit in range(len(units))])
    order = order[np.argsort(first_label[order], kind="stable")]
    fold_of_unit = np.empty(len(units), int)
    fold_of_unit[order] = np.arange(len(units)) % INNER_FOLDS
    return fold_of_unit[unit_of]


def log_probabilities(rows: np.ndarray, labels: np.ndarray, asked: np.ndarray, n_classes: int, strength: float) -> np.ndarray:
    """(m, n_classes) of the asked rows, -inf for classes without a labelled row, at one inverse strength C of the penalty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a nearly separable handful: the penalty holds it anyway
        model = LogisticRegression(C=strength, max_iter=300).fit(rows, labels)
    scores = np.full((len(asked), n_classes), -np.inf)
    scores[:, model.classes_] = model.predict_log_proba(asked)
    return scores


def nearest_neighbours(
    rows: np.ndarray, labels: np.ndarray, groups: np.ndarray, asked: np.ndarray, n_classes: int, seed: int
) -> np.ndarray:
    """Votes of the most alike labelled rows by cosine: as many as a class has, five at most."""
    counts = np.bincount(labels)
    return knn_scores(rows, labels, asked, n_classes, int(min(NEIGHBOURS, counts[counts > 0].min())))
