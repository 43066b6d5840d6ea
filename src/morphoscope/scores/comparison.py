"""Whether two classifiers differ, from the splits that both were trained and tested on.

Splits of one data set share training pictures, so their differences are not independent: an ordinary paired t-test finds
differences that are not there. Nadeau & Bengio (2003) correct its variance; Bouckaert & Frank (2004) use it on repeated
cross-validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from morphoscope.scores.intervals import LEVEL, Interval


@dataclass(frozen=True)
class PairedTest:
    """mean: of the differences. interval: its 95 % interval. p: two-sided. n_splits: differences that it rests on."""

    mean: float
    interval: Interval
    p: float
    n_splits: int


def corrected_resampled_t_test(differences: np.ndarray, test_to_training: float) -> PairedTest | None:
    """The corrected resampled t-test of (J,) differences, one a split, in the same unit as they are.

    test_to_training: test pictures over training pictures of a split; 0 gives the ordinary paired t-test. None where there are
    fewer than two splits, or all differ by the same amount other than 0, which says nothing about the spread.
    Source: Nadeau & Bengio 2003, t = mean / sqrt((1/J + n_test/n_train) * variance), J - 1 degrees of freedom.
    """
    values = np.asarray(differences, dtype=float)
    n = len(values)
    if n < 2:
        return None
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    if np.isclose(variance, 0.0, atol=1e-18):
        return PairedTest(0.0, (0.0, 0.0), 1.0, n) if np.isclose(mean, 0.0) else None
    error = float(np.sqrt((1 / n + test_to_training) * variance))
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * error
    return PairedTest(mean, (mean - half, mean + half), float(2 * stdtr(n - 1, -abs(mean) / error)), n)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number, in the same order: all together err in 5 % where each is read at 5 % (Holm 1979)."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    raised = p[order] * (len(p) - np.arange(len(p)))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raised))
    return [float(value) for value in adjusted]
