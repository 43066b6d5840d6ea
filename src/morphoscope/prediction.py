"""What a model says of a set of pictures: plain NumPy, no torch, so that every consumer can read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphoscope.schema import Task


@dataclass(frozen=True, eq=False)
class ClassPrediction:
    """One task's answer for N pictures.

    probabilities: (N, C) float, calibrated; rows sum to 1 for a single-label task, each in [0, 1] for a multi-label one.
    in_set: (N, C) bool, the conformal set. is_sure: (N,) bool, False where the model abstains.
    """

    task: Task
    probabilities: np.ndarray
    in_set: np.ndarray
    is_sure: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """(N,) index of the most probable class."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> np.ndarray:
        """(N,) calibrated probability of the best guess: the best class's, or for a multi-label task that of the
        least certain yes/no among its classes."""
        if self.task.is_multilabel:
            return np.maximum(self.probabilities, 1 - self.probabilities).min(axis=1)
        return self.probabilities.max(axis=1)

    def chosen(self) -> np.ndarray:
        """(N, C) bool: the best guess; one class a row, or every class above one half for a multi-label task
        (the most probable one where none is)."""
        chosen = np.zeros(self.probabilities.shape, dtype=bool)
        chosen[np.arange(len(chosen)), self.best] = True
        if self.task.is_multilabel:
            chosen |= self.probabilities > 0.5
        return chosen
