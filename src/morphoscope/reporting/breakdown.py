"""Accuracy by group, by pixel size and by fold: where the model works and where it does not."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morphoscope.reporting.outcome import TaskOutcome
from morphoscope.scores.intervals import Interval
from morphoscope.units import format_length

_MIN_PER_RANGE = 8


@dataclass(frozen=True)
class Slice:
    """The accuracy on a part of the labelled pictures."""

    name: str
    n: int
    accuracy: float
    interval: Interval | None


@dataclass(frozen=True)
class GroupResults:
    """How the groups fared: their number, those with every and with no picture right, and the worst first."""

    n: int
    n_all_right: int
    n_none_right: int
    worst: list[Slice]


def by_group(outcome: TaskOutcome, group_names: Sequence[str], n_worst: int = 8) -> GroupResults:
    """The groups; the worst are those of several pictures below the mean, lowest upper end of the interval first."""
    alone = dataclasses.replace(outcome, groups=None)  # within one group its pictures are all there is
    slices = slices_by(alone, np.asarray(group_names, dtype=str))
    mean = outcome.accuracy or 0.0
    wrong = sorted(
        (s for s in slices if s.n > 1 and s.accuracy < mean), key=lambda s: (s.interval[1] if s.interval else 1.0, -s.n)
    )
    return GroupResults(
        n=len(slices),
        n_all_right=sum(s.accuracy == 1 for s in slices),
        n_none_right=sum(s.accuracy == 0 for s in slices),
        worst=wrong[:n_worst],
    )


def by_pixel_size(outcome: TaskOutcome, pixel_size_nm: np.ndarray, n_ranges: int = 4) -> list[Slice]:
    """Ranges of pixel size with about as many pictures each, finest first, then the pictures of unknown scale."""
    known = np.isfinite(pixel_size_nm)
    names = np.full(len(pixel_size_nm), "unknown scale", dtype=object)
    order = ["unknown scale"]
    if known.any():
        n_ranges = max(1, min(n_ranges, int((known & outcome.is_labelled).sum()) // _MIN_PER_RANGE))
        edges = np.quantile(pixel_size_nm[known], np.linspace(0, 1, n_ranges + 1))
        which = np.searchsorted(edges[1:-1], pixel_size_nm[known], side="right")
        labels = [f"{_rounded(low)} – {_rounded(high)}" for low, high in itertools.pairwise(edges)]
        names[known] = [labels[index] for index in which]
        order = [*dict.fromkeys(labels), "unknown scale"]
    found = {s.name: s for s in slices_by(outcome, names.astype(str))}
    return [found[name] for name in order if name in found]


def slices_by(outcome: TaskOutcome, keys: np.ndarray) -> list[Slice]:
    """One slice for each distinct value of the (N,) keys that has a labelled picture."""
    outcome, keys = outcome.subset(outcome.is_labelled), keys[outcome.is_labelled]
    slices = []
    for key in np.unique(keys):
        part = outcome.subset(keys == key)
        slices.append(Slice(str(key), part.n_images, float(part.hits.mean()), part.accuracy_interval()))
    return slices


def _rounded(nm: float) -> str:
    return format_length(float(f"{nm:.2g}"))
