"""How unlike the training pictures a picture is: distance to its nearest training pictures in feature space.

Features are taken at unit length, so that a picture with much in it is not far from everything merely because its features are
large, and one with little in it near everything (Sun et al. 2022, deep nearest neighbours; measured in docs/decisions/novelty.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 5
MAX_REFERENCES = 2000
STEEPNESS = 4.0


@dataclass(frozen=True, eq=False)
class NoveltyReference:
    """references (M, F) float32 training features of unit length; usual: the distance that 95 % of held-back pictures of the
    same kind stay below."""

    references: np.ndarray
    usual: float

    @classmethod
    def fit(cls, training: np.ndarray, held_back: np.ndarray) -> NoveltyReference:
        """From features (N, F) of training pictures and (K, F) of pictures that the network did not learn from."""
        step = max(1, -(-len(training) // MAX_REFERENCES))
        reference = cls(_at_unit_length(training[::step]), 1.0)
        usual = float(np.quantile(reference._distance(held_back), 0.95)) if len(held_back) else 1.0
        return cls(reference.references, max(usual, 1e-6))

    def novelty(self, features: np.ndarray) -> np.ndarray:
        """(N,) in [0, 1]: one half at the distance that 95 % of the held-back pictures stay below, rising with distance."""
        ratio = (self._distance(features) / self.usual) ** STEEPNESS
        return ratio / (1 + ratio)

    def _distance(self, features: np.ndarray) -> np.ndarray:
        """(N,) mean distance to the nearest references, 0 to 2."""
        squared = 2 - 2 * _at_unit_length(features) @ self.references.T
        neighbours = min(NEIGHBOURS, squared.shape[1])
        nearest = np.partition(np.maximum(squared, 0), neighbours - 1, axis=1)[:, :neighbours]
        return np.sqrt(nearest).mean(1)


def _at_unit_length(features: np.ndarray) -> np.ndarray:
    """(N, F) float32 of length 1; features that are all zero stay so."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.maximum(length, 1e-12)).astype(np.float32)
