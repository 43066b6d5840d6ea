"""Whether features still tell pictures apart, or have collapsed to one answer."""

from __future__ import annotations

import math

import numpy as np

COLLAPSED_SPREAD, COLLAPSED_RANK = 0.1, 0.02
"""Below these the features say next to nothing: a spread of 1 is that of random directions."""


def collapse_measures(features: np.ndarray) -> dict[str, float]:
    """spread: mean standard deviation of the features (N, F) scaled to unit length, times √F: 1 for random directions, 0 for one
    point (Chen & He, CVPR 2021). effective_rank: the exponential of the entropy of the singular values of the centred features
    (Garrido et al., RankMe, ICML 2023), from 1 to the smaller of N - 1 and F; rank_share: it as a share of that."""
    rows = features.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    spread = float(unit.std(axis=0).mean() * math.sqrt(rows.shape[1]))
    singular = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    total = singular.sum()
    if total <= 1e-12 * max(1.0, np.abs(rows).max()):
        return {"spread": spread, "effective_rank": 1.0, "rank_share": 0.0}
    shares = singular[singular > 0] / total
    rank = float(np.exp(-(shares * np.log(shares)).sum()))
    return {"spread": spread, "effective_rank": rank, "rank_share": rank / max(1, min(len(rows) - 1, rows.shape[1]))}


def has_collapsed(measures: dict[str, float], start: dict[str, float] | None = None) -> bool:
    """Whether the measures say so. start: those before learning, where they are known: the class token of a fresh transformer says
    nearly the same of all pictures, and has not collapsed as long as it does not say less than that."""
    least = COLLAPSED_SPREAD if start is None else min(COLLAPSED_SPREAD, start["spread"] / 2)
    return measures["spread"] < least or measures["rank_share"] < COLLAPSED_RANK
