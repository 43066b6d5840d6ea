"""How often 95 % intervals hold the truth: accuracies of grouped pictures, and balanced accuracies with a rare class."""

from __future__ import annotations

import numpy as np

from morphoscope.scores.intervals import accuracy_interval, mean_interval, wilson_interval

ACCURACY, SPREAD = 0.8, 3.0
RECALLS, SIZES = np.array([0.9, 0.8, 0.6]), (60, 20, 4)


def of_accuracy(n_pictures: int, n_groups: int, runs: int = 2000) -> str:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(runs):
        rate = rng.beta(ACCURACY * SPREAD, (1 - ACCURACY) * SPREAD, size=n_groups)
        groups = rng.integers(n_groups, size=n_pictures)
        hits = rng.random(n_pictures) < rate[groups]
        found.append([accuracy_interval(hits), accuracy_interval(hits, groups)])
    held, width = _quality(np.array(found), ACCURACY)
    return f"| {n_pictures} | {n_groups} | {held[0]:.0%} | {width[0]:.0f} | {held[1]:.0%} | {width[1]:.0f} |"


def of_balanced_accuracy(runs: int = 1000, resamples: int = 400) -> str:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(runs):
        hits = [(rng.random(n) < recall).astype(float) for n, recall in zip(SIZES, RECALLS, strict=True)]
        mover = mean_interval([h.mean() for h in hits], [wilson_interval(h.mean(), len(h)) for h in hits])
        means = np.mean([h[rng.integers(len(h), size=(resamples, len(h)))].mean(axis=1) for h in hits], axis=0)
        found.append([mover, np.quantile(means, [0.025, 0.975])])
    held, width = _quality(np.array(found), RECALLS.mean())
    return f"MOVER: {held[0]:.0%} held the truth, {width[0]:.0f} points wide. Bootstrap: {held[1]:.0%}, {width[1]:.0f} points."


def _quality(intervals: np.ndarray, truth: float) -> tuple[np.ndarray, np.ndarray]:
    """Share that holds the truth and mean width in points of (runs, ways, 2) intervals."""
    low, high = intervals[..., 0], intervals[..., 1]
    return ((low <= truth) & (truth <= high)).mean(axis=0), 100 * (high - low).mean(axis=0)


if __name__ == "__main__":
    for n_pictures, n_groups in ((100, 100), (100, 25), (100, 10), (100, 5), (400, 25)):
        print(of_accuracy(n_pictures, n_groups))
    print(of_balanced_accuracy())
