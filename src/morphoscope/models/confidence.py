"""How sure a task's answer is: temperature, conformal sets and the threshold of abstention, all from calibration pictures.

Pure NumPy. Sources: Guo et al. 2017 (temperature), Platt 1999 (its targets), Sadinle, Lei & Wasserman 2019 (least ambiguous sets, LAC).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax

from morphoscope.prediction import ClassPrediction
from morphoscope.schema import Task

SET_COVERAGE = 0.90
TARGET_ACCURACY = 0.95


@dataclass(frozen=True)
class TaskConfidence:
    """temperature: divides the logits. set_threshold: a class whose probability reaches it is in the conformal set.
    sure_threshold: below this confidence the model abstains. n_calibration: labelled pictures they were fitted on."""

    temperature: float
    set_threshold: float
    sure_threshold: float
    n_calibration: int

    @classmethod
    def fit(cls, task: Task, logits: np.ndarray, truth: np.ndarray) -> TaskConfidence:
        """From logits (N, C) and truth (N, C) bool of pictures that training did not see; all-False rows are unlabelled.

        With n pictures the coverage of the sets scatters by sqrt(0.09 / n) around 90 %. Fewer than two: an identity that
        puts every class in the set and abstains always.
        """
        labelled = truth.any(1)
        logits, truth = logits[labelled], truth[labelled]
        if len(logits) < 2:
            return cls(1.0, 0.0, math.inf, len(logits))
        temperature = _best_temperature(task, logits, truth)
        probabilities = to_probabilities(task, logits / temperature)
        everything = cls(temperature, 0.0, 0.0, len(logits)).predict(task, logits)
        right = (everything.chosen() == truth).all(1)
        return cls(
            temperature,
            _set_threshold(probabilities[truth]),
            _sure_threshold(everything.confidence, right),
            len(logits),
        )

    def predict(self, task: Task, logits: np.ndarray) -> ClassPrediction:
        """Calibrated answer for logits (N, C)."""
        probabilities = to_probabilities(task, logits / self.temperature)
        everything = ClassPrediction(task, probabilities, probabilities >= self.set_threshold, np.ones(len(logits), bool))
        return ClassPrediction(task, probabilities, everything.in_set, everything.confidence >= self.sure_threshold)

    def to_dict(self) -> dict[str, float | None]:
        """Plain JSON values; an infinite threshold is None."""
        return {key: value if math.isfinite(value) else None for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, float | None]) -> TaskConfidence:
        values = {key: math.inf if value is None else value for key, value in data.items()}
        return cls(**values)  # type: ignore[arg-type]


def to_probabilities(task: Task, logits: np.ndarray) -> np.ndarray:
    """(N, C) softmax of a single-label task, sigmoid of a multi-label one."""
    return expit(logits) if task.is_multilabel else softmax(logits, axis=1)


def _best_temperature(task: Task, logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature of highest likelihood, as if one answer more in n + 2 had been wrong (Platt 1999): where all of a few
    pictures were answered rightly, that is no certainty."""
    doubt = 1 / (len(logits) + 2)
    other = doubt if task.is_multilabel else doubt / max(1, logits.shape[1] - 1)
    target = np.where(truth, 1 - doubt, other)

    def loss(log_temperature: float) -> float:
        p = np.clip(to_probabilities(task, logits / math.exp(log_temperature)), 1e-7, 1 - 1e-7)
        likelihood = target * np.log(p) + ((1 - target) * np.log1p(-p) if task.is_multilabel else 0.0)
        return float(-likelihood.sum(1).mean())

    return math.exp(minimize_scalar(loss, bounds=(math.log(0.05), math.log(20)), method="bounded").x)


def _set_threshold(true_probabilities: np.ndarray) -> float:
    """The finite-sample quantile of LAC: the k-th smallest probability of a true class, k = floor((n + 1) · 0.1)."""
    k = math.floor(round((len(true_probabilities) + 1) * (1 - SET_COVERAGE), 9))  # 10 x 0.1 is one, not 0.99…
    return float(np.sort(true_probabilities)[k - 1]) if k >= 1 else 0.0


def _sure_threshold(confidence: np.ndarray, right: np.ndarray) -> float:
    """The lowest confidence such that the answers at or above it were right in 95 % of the cases; inf where none is."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Only where the confidence changes can a threshold separate the answers.
    separable = np.append(np.diff(confidence[order]) < 0, True)
    reached = np.flatnonzero((accuracy >= TARGET_ACCURACY) & separable)
    return float(confidence[order][reached[-1]]) if len(reached) else math.inf
