"""Whether a model means what it says: confidence against truth, conformal sets, and what abstaining buys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

N_BINS = 15


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers whose confidence lies in (low, high]: their number, mean confidence and accuracy."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


def reliability(confidence: np.ndarray, hits: np.ndarray, n_bins: int = N_BINS) -> list[ReliabilityBin]:
    """The bins of equal width that hold any of the (N,) answers, in order of confidence."""
    edges = np.linspace(0, 1, n_bins + 1)
    which = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1)
    bins = []
    for index in np.unique(which):
        inside = which == index
        bins.append(
            ReliabilityBin(
                low=float(edges[index]),
                high=float(edges[index + 1]),
                n=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(hits[inside].mean()),
            )
        )
    return bins


def expected_calibration_error(confidence: np.ndarray, hits: np.ndarray, n_bins: int = N_BINS) -> float | None:
    """Mean distance between confidence and accuracy over bins of equal width, weighted by their numbers (Guo et al. 2017).

    Known bias: too high on few pictures, since an accuracy in a bin of few scatters by itself.
    """
    if not len(hits):
        return None
    return sum(b.n * abs(b.accuracy - b.confidence) for b in reliability(confidence, hits, n_bins)) / len(hits)


def brier_score(probabilities: np.ndarray, truth: np.ndarray) -> float | None:
    """Mean over pictures of the squared distance between (N, C) probabilities and truth, 0 to 2 (Brier 1950)."""
    return float(((probabilities - truth) ** 2).sum(axis=1).mean()) if len(truth) else None


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray, is_multilabel: bool) -> float | None:
    """Mean over pictures of −log of the (N, C) probability given to the truth, in nats; multi-label sums over its classes."""
    if not len(truth):
        return None
    given_to_truth = np.where(truth, probabilities, 1 - probabilities) if is_multilabel else probabilities[truth][:, None]
    floor = np.finfo(np.float64).eps
    return float(-np.log(np.maximum(given_to_truth, floor)).sum(axis=1).mean())


def set_coverage(in_set: np.ndarray, truth: np.ndarray) -> float | None:
    """Share of pictures whose (N, C) conformal set holds every true class."""
    return float((in_set | ~truth).all(axis=1).mean()) if len(truth) else None


def mean_set_size(in_set: np.ndarray) -> float | None:
    """Mean number of classes in the (N, C) conformal sets."""
    return float(in_set.sum(axis=1).mean()) if len(in_set) else None


def accuracy_at_coverage(hits: np.ndarray, is_sure: np.ndarray) -> float | None:
    """Accuracy of the (N,) pictures that the model answers; None where it answers none."""
    return float(hits[is_sure].mean()) if is_sure.any() else None


def risk_coverage(confidence: np.ndarray, hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coverage and accuracy, both (K,), as the model answers ever less confident pictures; equal confidences come together."""
    order = np.argsort(-confidence, kind="stable")
    n_answered = np.arange(1, len(hits) + 1)
    ends_tie = np.append(np.diff(confidence[order]) != 0, True) if len(hits) else np.zeros(0, dtype=bool)
    return (n_answered / max(len(hits), 1))[ends_tie], (np.cumsum(hits[order]) / n_answered)[ends_tie]
