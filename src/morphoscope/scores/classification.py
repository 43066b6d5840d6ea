"""How often a classifier is right, and what it takes for what.

Everywhere `truth` is (N, C) bool, a row without a True being an unlabelled picture that is left out, and `chosen` is
(N, C) bool, what the model answers. One True a row is a single-label task; more make it multi-label, which counts as
right only where every class agrees. A figure that the data can't give (no picture, no such class) is None, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassScore:
    """One class: precision is None where it was never answered, recall where no picture shows it. n: pictures that show it."""

    precision: float | None
    recall: float | None
    f1: float | None
    n: int


@dataclass(frozen=True)
class ConfusedPair:
    """`n` pictures of class `true` were taken for `predicted`: `percent_of_true` of all pictures of class `true`."""

    true: str
    predicted: str
    n: int
    percent_of_true: float


def labelled(truth: np.ndarray) -> np.ndarray:
    """(N,) bool: which pictures carry a label."""
    return np.any(truth, axis=1)


def hits(truth: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(N,) bool: where the answer is exactly the truth."""
    return np.all(truth == chosen, axis=1)


def accuracy(truth: np.ndarray, chosen: np.ndarray) -> float | None:
    """Share of labelled pictures answered exactly right."""
    keep = labelled(truth)
    return float(hits(truth[keep], chosen[keep]).mean()) if keep.any() else None


def majority_accuracy(truth: np.ndarray, train_counts: np.ndarray | None = None, is_multilabel: bool = False) -> float | None:
    """Accuracy of always answering the class most frequent in training: what a model has to beat.

    train_counts: (C,) training pictures a class; without them the most frequent class of the truth itself is taken.
    Multi-label: the most frequent combination of classes in the truth, the hardest constant answer to beat.
    """
    known = truth[labelled(truth)]
    if not len(known):
        return None
    if is_multilabel:
        return float(np.unique(known, axis=0, return_counts=True)[1].max() / len(known))
    counts = known.sum(axis=0) if train_counts is None or not np.any(train_counts) else train_counts
    return float(known[:, int(np.argmax(counts))].mean())


def skill(accuracy: float | None, majority: float | None) -> float | None:
    """Share of the way from the majority class (0) to perfection (1); None where the majority class is already perfect."""
    if accuracy is None or majority is None or majority == 1:
        return None
    return (accuracy - majority) / (1 - majority)


def class_scores(truth: np.ndarray, chosen: np.ndarray) -> list[ClassScore]:
    """Precision, recall and F1 of each of the C classes."""
    keep = labelled(truth)
    hit, true, answered = _counts(truth[keep], chosen[keep])
    return [
        ClassScore(_ratio(h, a), _ratio(h, t), _ratio(2 * h, t + a), int(t)) for h, t, a in zip(hit, true, answered, strict=True)
    ]


def balanced_accuracy(truth: np.ndarray, chosen: np.ndarray, is_multilabel: bool = False) -> float | None:
    """Mean over the classes of how often each is recognised; classes without a picture are left out.

    A class of a multi-label task is a yes/no question of its own: the mean of its sensitivity and its specificity.
    """
    recalls = [float(answers.mean()) for answers, _ in recognised(truth, chosen, is_multilabel)]
    return float(np.mean(recalls)) if recalls else None


def recognised(truth: np.ndarray, chosen: np.ndarray, is_multilabel: bool = False) -> list[tuple[np.ndarray, np.ndarray]]:
    """The terms that balanced accuracy averages: for each, (n,) bool where the answer is right and the (n,) rows asked.

    Single-label: a term a class, over the pictures that show it. Multi-label: a second one over those that do not.
    """
    keep = labelled(truth)
    terms = []
    for column in range(truth.shape[1]):
        for value in (True, False) if is_multilabel else (True,):
            rows = np.flatnonzero(keep & (truth[:, column] == value))
            if len(rows):
                terms.append((chosen[rows, column] == value, rows))
    return terms


def macro_f1(truth: np.ndarray, chosen: np.ndarray) -> float | None:
    """Mean F1 over the classes that occur in the truth or in the answers."""
    keep = labelled(truth)
    sums = f1_sums(truth[keep], chosen[keep]).sum(axis=0)
    return float(macro_f1_of_sums(sums[None])[0]) if keep.any() else None


def f1_sums(truth: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(N, 2C) what each picture adds to the hits, and to half of truth plus answers, of each class."""
    return np.concatenate([truth & chosen, (truth.astype(float) + chosen) / 2], axis=1).astype(float)


def macro_f1_of_sums(sums: np.ndarray) -> np.ndarray:
    """(B,) macro-F1 from (B, 2C) totals of `f1_sums`, one row a resample; nan in an empty one."""
    hit, possible = np.split(sums, 2, axis=1)
    occurs = possible > 0
    f1 = np.divide(hit, possible, out=np.zeros_like(hit), where=occurs)
    n_classes = occurs.sum(axis=1)
    return np.divide(f1.sum(axis=1), n_classes, out=np.full(len(sums), np.nan), where=n_classes > 0)


def confusion(truth: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(C, C) int: rows the true class, columns the answer. For single-label tasks."""
    keep = labelled(truth)
    return truth[keep].T.astype(int) @ chosen[keep].astype(int)


def confused_pairs(truth: np.ndarray, chosen: np.ndarray, classes: Sequence[str]) -> list[ConfusedPair]:
    """Which class is taken for which, in both directions, the largest share of the true class first.

    Multi-label: a picture counts for (A, B) where A was there and missed while B was answered and not there.
    """
    keep = labelled(truth)
    truth, chosen = truth[keep], chosen[keep]
    n_confused = (truth & ~chosen).T.astype(int) @ (chosen & ~truth).astype(int)
    n_true = truth.sum(axis=0)
    pairs = [
        ConfusedPair(classes[t], classes[p], int(n_confused[t, p]), float(100 * n_confused[t, p] / n_true[t]))
        for t, p in np.argwhere(n_confused)
    ]
    return sorted(pairs, key=lambda pair: (-pair.percent_of_true, -pair.n))


def _counts(truth: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(C,) hits, true and answered pictures of each class."""
    return (truth & chosen).sum(axis=0), truth.sum(axis=0), chosen.sum(axis=0)


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
