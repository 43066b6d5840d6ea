"""An instance map as horizontal runs: all that areas, moments and hulls need, a hundred times fewer than pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Runs:
    """R stretches of one object's pixels within a row, in reading order.

    numbers: (N,) the map's numbers, ascending. index: (R,) which of them a run belongs to. row, first, last: (R,) int64,
    both ends inclusive.
    """

    numbers: np.ndarray
    index: np.ndarray
    row: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """(R,) pixels."""
        return self.last - self.first + 1

    def total(self, values: np.ndarray) -> np.ndarray:
        """(N,) sum over each object's runs of (R,) values."""
        return np.bincount(self.index, values, minlength=len(self.numbers))

    def box(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(N,) each: top and bottom row, left and right column, all inclusive."""
        n, largest = len(self.numbers), np.iinfo(np.int64).max
        top, left = np.full(n, largest), np.full(n, largest)
        bottom, right = np.full(n, -1), np.full(n, -1)
        np.minimum.at(top, self.index, self.row)
        np.maximum.at(bottom, self.index, self.row)
        np.minimum.at(left, self.index, self.first)
        np.maximum.at(right, self.index, self.last)
        return top, bottom, left, right


def find_runs(instance_map: np.ndarray) -> Runs:
    """The runs of an instance map (Y, X) of integers, 0 = background; an object may have several parts."""
    changes = np.ones((instance_map.shape[0], instance_map.shape[1] + 1), dtype=bool)
    np.not_equal(instance_map[:, 1:], instance_map[:, :-1], out=changes[:, 1:-1])
    is_object = instance_map != 0
    row, first = np.nonzero(changes[:, :-1] & is_object)
    _, last = np.nonzero(changes[:, 1:] & is_object)
    numbers, index = np.unique(instance_map[row, first], return_inverse=True)
    return Runs(numbers, index, row, first, last)
