"""How unlike the training pictures a picture is: distance to its nearest training pictures in feature space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 5
MAX_REFERENCES = 2000
STEEPNESS = 4.0


@dataclass(frozen=True, eq=False)
class NoveltyReference:
    """references (M, F) float32 standardised training features; centre, scale (F,); usual: the distance that 95 % of
    held-back pictures of the same kind stay below."""

    references: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    usual: float

    @classmethod
    def fit(cls, training: np.ndarray, held_back: np.ndarray) -> NoveltyReference:
        """From features (N, F) of training pictures and (K, F) of pictures that the network did not learn from."""
        centre = training.mean(0)
        scale = training.std(0) + 1e-6 + 0.01 * training.std()
        step = max(1, -(-len(training) // MAX_REFERENCES))
        reference = cls(((training[::step] - centre) / scale).astype(np.float32), centre, scale, 1.0)
        usual = float(np.quantile(reference._distance(held_back), 0.95)) if len(held_back) else 1.0
        return cls(reference.references, centre, scale, max(usual, 1e-6))

    def novelty(self, features: np.ndarray) -> np.ndarray:
        """(N,) in [0, 1]: one half at the distance that 95 % of the held-back pictures stay below, rising with distance."""
        ratio = (self._distance(features) / self.usual) ** STEEPNESS
        return ratio / (1 + ratio)

    def _distance(self, features: np.ndarray) -> np.ndarray:
        """(N,) mean distance to the nearest references."""
        points = ((features - self.centre) / self.scale).astype(np.float32)
        squared = (points**2).sum(1)[:, None] + (self.references**2).sum(1)[None] - 2 * points @ self.references.T
        neighbours = min(NEIGHBOURS, squared.shape[1])
        nearest = np.partition(np.maximum(squared, 0), neighbours - 1, axis=1)[:, :neighbours]
        return np.sqrt(nearest).mean(1)
