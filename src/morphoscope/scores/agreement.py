"""How far annotators agree beyond chance: Cohen's and Fleiss' kappa with 95 % intervals.

Where several classes can hold at once, each class is a yes-or-no question, and the kappa of all is the pooled one of De Vries,
Elliott, Kanouse & Teleki (2008): agreement and chance are averaged over the classes before they are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.scores.intervals import Interval, wilson_interval


@dataclass(frozen=True)
class Kappa:
    """1: full agreement, 0: as by chance. kappa is None where it is not defined: without pictures, or where everyone always
    names the same class, so that chance alone agrees. n: pictures."""

    kappa: float | None
    ci95: Interval | None
    n: int


UNDEFINED = Kappa(None, None, 0)


def cohens_kappa(first: np.ndarray, second: np.ndarray, n_classes: int) -> Kappa:
    """Of two annotators' classes (n,) int on the same pictures (Cohen 1960).

    The interval is Wilson's (1927) of the share of agreement, at the chance that was seen. It holds the true kappa as often as it
    says from ten pictures on, where the asymptotic one of Fleiss, Cohen & Everitt (1969) misses it every second time when
    agreement is high; with unequal classes it is some 10 % wider than that.
    """
    n = len(first)
    if n == 0:
        return UNDEFINED
    table = np.zeros((n_classes, n_classes))
    np.add.at(table, (first, second), 1 / n)
    return _kappa(float(np.trace(table)), float(table.sum(1) @ table.sum(0)), n, n)


def pooled_cohens_kappa(first: np.ndarray, second: np.ndarray) -> Kappa:
    """Of two annotators' sets of classes (n, C) bool on the same pictures. The interval is that of n answers, not of n·C: the
    classes of one picture are not independent."""
    n = len(first)
    if n == 0:
        return UNDEFINED
    shares, others = first.mean(0), second.mean(0)
    chance = shares * others + (1 - shares) * (1 - others)
    return _kappa(float((first == second).mean()), float(chance.mean()), n, n)


def fleiss_kappa(counts: np.ndarray) -> Kappa:
    """Of any number of annotators: counts (N, C) of how many named each class for a picture, two or more a picture.

    Fleiss (1971), with the annotators' number free to differ between pictures; those with fewer than two answers are left out.
    The interval is that of `cohens_kappa` for as many pictures as the scatter of agreement between pictures is worth;
    it holds the true kappa in 92 to 95 % of cases from about 25 pictures on.
    """
    return pooled_fleiss_kappa([counts])


def pooled_fleiss_kappa(questions: Sequence[np.ndarray]) -> Kappa:
    """Of any number of annotators who answered the same questions of each picture: (N, C) counts a question. See `fleiss_kappa`."""
    if not questions:
        return UNDEFINED
    asked = [counts[counts.sum(1) >= 2].astype(float) for counts in questions]
    n = len(asked[0])
    if n == 0:
        return UNDEFINED
    alike = np.mean([_alike(counts) for counts in asked], 0)
    observed = float(alike.mean())
    scatter = float(alike.var(ddof=1)) if n > 1 else 0.0
    # Several annotators' agreement scatters less than the yes or no of two.
    worth = n * max(1.0, observed * (1 - observed) / scatter) if scatter > 0 else float(n)
    chance = np.mean([((counts.sum(0) / counts.sum()) ** 2).sum() for counts in asked])
    return _kappa(observed, float(chance), n, worth)


def class_kappas(counts: np.ndarray, answers: np.ndarray | None = None) -> list[Kappa]:
    """Fleiss' kappa of each class against all others, from counts (N, C) and the number of answers (N,), unless each names one."""
    return [fleiss_kappa(question) for question in yes_or_no(counts, answers)]


def yes_or_no(counts: np.ndarray, answers: np.ndarray | None = None) -> list[np.ndarray]:
    """(N, 2) counts of those who named a class and of those who did not, a class."""
    others = (counts.sum(1) if answers is None else answers)[:, None] - counts
    return [np.stack([counts[:, i], others[:, i]], 1) for i in range(counts.shape[1])]


def _alike(counts: np.ndarray) -> np.ndarray:
    """(N,) share of pairs of annotators who answer alike."""
    answers = counts.sum(1)
    return np.asarray((counts * (counts - 1)).sum(1) / (answers * (answers - 1)))


def _kappa(observed: float, chance: float, n: int, worth: float) -> Kappa:
    """Kappa of a share of agreement, and its interval as of so many independent pictures."""
    if chance >= 1 - 1e-12:
        return Kappa(None, None, n)
    low, high = ((share - chance) / (1 - chance) for share in wilson_interval(observed, worth))
    return Kappa((observed - chance) / (1 - chance), (max(-1.0, low), min(1.0, high)), n)
