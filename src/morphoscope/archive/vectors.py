"""Similarity: the cosine between standardised features, exact, over any subset of the archive's pictures.

The best few of a million are found without looking at all features of all pictures. Along a few dozen principal axes, which
carry most of every picture's features, the cosine is computed for all; what the other axes could add at most is bounded
(Cauchy–Schwarz), and only pictures that could still be among the best are compared in full. The answer is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from morphoscope.archive.feature_version import FeatureVersion
from morphoscope.archive.half_floats import half_products

if TYPE_CHECKING:
    from morphoscope.archive.nearest_graph import NearestGraph

FEW_ROWS = 512
"""So few are compared in full right away."""
_GATHERED_SHARE = 32
"""Of fewer than this part of all rows the coordinates are picked out; of more it is faster to pass over all."""
_BLOCK_ROWS = 65_536
_ROUNDING = 1e-4


@dataclass(frozen=True, eq=False)
class Standard:
    """What features (F,) are standardised with, so that none counts for more than another: centre, scale (F,) float32; and
    the principal axes (F, D) of what becomes of them, orthonormal."""

    centre: np.ndarray
    scale: np.ndarray
    axes: np.ndarray

    def direction(self, features: np.ndarray) -> np.ndarray:
        """(…, F) float32 unit vectors of features (…, F); of those that are no numbers zeros, which are like nothing."""
        standard = features.astype(np.float32)
        standard -= self.centre
        standard /= self.scale
        length = np.sqrt(np.vecdot(standard, standard))[..., None]
        standard /= np.maximum(length, 1e-12)
        return standard if np.isfinite(length).all() else np.where(np.isfinite(length), standard, np.float32(0))

    def led(self, directions: np.ndarray) -> np.ndarray:
        """(D + 1, N) coordinates along the axes, and the length of what they leave out, of vectors (N, F)."""
        full = directions.astype(np.float32)
        along = full @ self.axes if len(full) > 1 else np.einsum("nf,fd->nd", full, self.axes)
        rest = np.sqrt(np.maximum(np.vecdot(full, full) - np.vecdot(along, along), 0))
        return np.concatenate([along.T, rest[None]])


@dataclass(frozen=True, eq=False)
class StoredRows:
    """As they lie in memory or a mapped file: matrix (S, F) float16 of unit vectors, leading (D + 1, S) float32 coordinates
    along the principal axes, and the length of the rest."""

    matrix: np.ndarray
    leading: np.ndarray

    def __len__(self) -> int:
        return len(self.matrix)

    def none(self) -> StoredRows:
        """As wide, without a row."""
        return StoredRows(self.matrix[:0], self.leading[:, :0])

    def cosine(self, wanted: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(R,) of a unit vector (F,) with the rows at some places."""
        return half_products(self.matrix, at, wanted)

    def bound(self, led: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(R,): no cosine is larger. led: (D + 1,) of the picture that is sought."""
        # Not by @, whose threads cost more than they save: see half_floats.
        if len(at) * _GATHERED_SHARE < len(self):
            return np.einsum("d,dr->r", led, self.leading[:, at])
        found = np.empty(len(self), np.float32)
        for start in range(0, len(self), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            np.einsum("d,ds->s", led, self.leading[:, block], out=found[block])
        return found[at]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The rows (K,) that are most like a picture, in order, and their cosines (K,)."""

    rows: np.ndarray
    cosine: np.ndarray


@dataclass(frozen=True, eq=False)
class Vectors:
    """M pictures that have features of a model, as of a version: ids (M,) ascending, and their places (M,) among the rows kept
    on disk (as of kept_version) and, behind these, the late ones, which came since. graph: of the kept rows, where there is one."""

    version: FeatureVersion
    ids: np.ndarray
    places: np.ndarray
    standard: Standard
    kept: StoredRows
    late: StoredRows
    kept_version: FeatureVersion
    graph: NearestGraph | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def width(self) -> int:
        """Features of a picture."""
        return len(self.standard.centre)

    def directions(self, rows: np.ndarray) -> np.ndarray:
        """(R, F) float32 unit vectors of pictures."""
        places = self.places[rows]
        found, is_kept = np.empty((len(rows), self.width), np.float32), places < len(self.kept)
        found[is_kept] = self.kept.matrix[places[is_kept]]
        found[~is_kept] = self.late.matrix[places[~is_kept] - len(self.kept)]
        return found

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """(N,) where pictures stand; -1 for those without features."""
        rows = np.searchsorted(self.ids, ids)
        rows[rows == len(self)] = 0
        return np.where(self.ids[rows] == ids, rows, -1) if len(self) else np.full(len(ids), -1)

    def rows_at(self, places: np.ndarray) -> np.ndarray:
        """Which pictures lie at places, in any order; places whose picture is gone or lies elsewhere now are left out."""
        rows = self._row_at[places]
        return rows[rows >= 0]

    @cached_property
    def _row_at(self) -> np.ndarray:
        rows = np.full(len(self.kept) + len(self.late), -1)
        rows[self.places] = np.arange(len(self))
        return rows

    def similarity(self, features: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(R,) float32 cosines in [-1, 1] of the features (F,) of a picture with those at `rows`."""
        return self._cosine(self.standard.direction(features), rows)

    def most_similar(self, features: np.ndarray, rows: np.ndarray, count: int) -> Nearest:
        """Which of `rows` (ascending) are most similar to a picture of features (F,): `count` of them in order."""
        wanted = self.standard.direction(features)
        if not count:
            return Nearest(rows[:0], np.zeros(0, np.float32))
        if len(rows) <= max(FEW_ROWS, 4 * count):
            return best(rows, self._cosine(wanted, rows), count)
        bound = self._bound(wanted, rows)
        guess = np.argpartition(bound, -2 * count)[-2 * count :]
        least = np.partition(self._cosine(wanted, rows[guess]), -count)[-count]
        able = rows[np.flatnonzero(bound >= least - _ROUNDING)]
        return best(able, self._cosine(wanted, able), count)

    def _cosine(self, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self._by_part(rows, lambda stored, at: stored.cosine(wanted, at))

    def _bound(self, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        led = self.standard.led(wanted[None])[:, 0]
        return self._by_part(rows, lambda stored, at: stored.bound(led, at))

    def _by_part(self, rows: np.ndarray, work: Callable[[StoredRows, np.ndarray], np.ndarray]) -> np.ndarray:
        """(R,) what `work` finds of kept and of late rows."""
        places = self.places[rows]
        if not len(self.late):
            return work(self.kept, places)
        found, is_kept = np.empty(len(rows), np.float32), places < len(self.kept)
        found[is_kept] = work(self.kept, places[is_kept])
        found[~is_kept] = work(self.late, places[~is_kept] - len(self.kept))
        return found


def best(rows: np.ndarray, cosine: np.ndarray, count: int) -> Nearest:
    """The rows of the largest cosines in order, earlier ones first among equals."""
    if count < len(rows):
        kept = np.argpartition(cosine, -count)[-count:]
        rows, cosine = rows[kept], cosine[kept]
    order = np.lexsort((rows, -cosine))
    return Nearest(rows[order], cosine[order])
