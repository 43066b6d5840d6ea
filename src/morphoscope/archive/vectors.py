"""Similarity: the cosine between standardised features, exact, over any subset of the archive's pictures.

The best few of a million are found without looking at all features of all pictures. Along a few dozen principal axes, which
carry most of every picture's features, the cosine is computed for all; what the other axes could add at most is bounded
(Cauchy–Schwarz), and only pictures that could still be among the best are compared in full. The answer is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from morphoscope.archive.store import Archive

BLOCK_ROWS = 8192
"""float16 rows become float32 a block at a time, which stays in the processor's cache."""
STANDARD_ROWS = 5_000
"""Rows, evenly spread, that centre, scale and principal axes are taken from."""
LEADING_AXES = 64
"""Of the shipped encoder's 1,024 features they carry 94 % of the variance; see docs/decisions/archive.md."""
FEW_ROWS = 4_096
"""So few are compared in full right away."""
_ROUNDING = 1e-4


@dataclass(frozen=True, eq=False)
class Vectors:
    """M pictures that have features of a model: ids (M,) ascending, matrix (M, F) float16 of standardised unit vectors.

    centre, scale: (F,) what features are standardised with, so that no feature counts for more than another. axes: (F, D)
    principal ones; leading: (M, D + 1) float32 coordinates along them, and the length of the rest.
    """

    revision: int
    ids: np.ndarray
    matrix: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    leading: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def direction(self, features: np.ndarray) -> np.ndarray:
        """(…, F) float32 unit vectors of features (…, F)."""
        standard = ((features.astype(np.float32) - self.centre) / self.scale).astype(np.float32, copy=False)
        return standard / np.maximum(np.linalg.norm(standard, axis=-1, keepdims=True), 1e-12)

    def similarity(self, features: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(R,) float32 cosines in [-1, 1] of the features (F,) of a picture with those at `rows`."""
        return self._cosine(self.direction(features), rows)

    def most_similar(self, features: np.ndarray, rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Which of `rows` (ascending) are most similar to a picture of features (F,): `count` of them in order, and their cosines."""
        wanted = self.direction(features)
        if not count:
            return rows[:0], np.zeros(0, np.float32)
        if len(rows) <= max(FEW_ROWS, 4 * count):
            return _best(rows, self._cosine(wanted, rows), count)
        projected = wanted @ self.axes
        rest = np.sqrt(max(0.0, 1.0 - float(projected @ projected)))
        bound = self.leading @ np.append(projected, rest).astype(np.float32)
        if len(rows) < len(self):
            bound = bound[rows]
        guess = np.argpartition(-bound, 2 * count)[: 2 * count]
        least = np.partition(self._cosine(wanted, rows[guess]), -count)[-count]
        able = rows[np.flatnonzero(bound >= least - _ROUNDING)]
        return _best(able, self._cosine(wanted, able), count)

    def _cosine(self, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        found = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), BLOCK_ROWS):
            some = rows[start : start + BLOCK_ROWS]
            np.dot(self.matrix[some].astype(np.float32), wanted, out=found[start : start + len(some)])
        return found


def vectors(archive: Archive, model: int) -> Vectors:
    """The features of a model as of now."""
    name = f"vectors of {model}"
    with archive.cache_lock:
        revision = archive.revision
        known = archive.caches.get(name)
        if isinstance(known, Vectors) and known.revision == revision:
            return known
        is_known = isinstance(known, Vectors) and len(known) > 0
        current = _refreshed(archive, model, revision, known) if is_known else _loaded(archive, model, revision)  # type: ignore[arg-type]
        archive.caches[name] = current
        return current


def _loaded(archive: Archive, model: int, revision: int) -> Vectors:
    ids, features = _features(archive, model, -1)
    some = features[:: max(1, len(features) // STANDARD_ROWS)].astype(np.float32)
    width = features.shape[1]
    centre = some.mean(0) if len(some) else np.zeros(width, np.float32)
    # Features that are the same everywhere must not grow out of rounding.
    scale = some.std(0) + 0.01 * some.std() + 1e-6 if len(some) > 1 else np.ones(width, np.float32)
    empty = Vectors(revision, ids, features, centre, scale, np.zeros((width, 0), np.float32), np.zeros((0, 1), np.float32))
    known = replace(empty, axes=_principal_axes(empty.direction(some)) if len(some) else empty.axes)
    leading = np.empty((len(ids), known.axes.shape[1] + 1), np.float32)
    for start in range(0, len(ids), BLOCK_ROWS):  # in place: a second copy might not fit
        block = slice(start, start + BLOCK_ROWS)
        features[block] = known.direction(features[block])
        leading[block] = _led(features[block], known.axes)
    return replace(known, leading=leading)


def _refreshed(archive: Archive, model: int, revision: int, known: Vectors) -> Vectors:
    """With what changed since; centre, scale and axes stay, so that what was found stays comparable."""
    changed = archive.connection.execute("SELECT id FROM picture WHERE revision > ?", (known.revision,)).fetchall()
    kept = ~np.isin(known.ids, np.array([row[0] for row in changed], np.int64))
    ids, features = _features(archive, model, known.revision)
    if kept.all() and not len(ids):
        return replace(known, revision=revision)
    directions = known.direction(features).astype(np.float16) if len(ids) else known.matrix[:0]
    all_ids = np.concatenate([known.ids[kept], ids])
    order = np.argsort(all_ids, kind="stable")
    matrix = np.concatenate([known.matrix[kept], directions])[order]
    leading = np.concatenate([known.leading[kept], _led(directions, known.axes)])[order]
    return replace(known, revision=revision, ids=all_ids[order], matrix=matrix, leading=leading)


def _principal_axes(directions: np.ndarray) -> np.ndarray:
    """(F, D) float32, orthonormal, of the second moments of unit vectors (S, F): cosines are about the origin, not the mean."""
    _, axes = np.linalg.eigh(directions.T @ directions)
    return np.ascontiguousarray(axes[:, ::-1][:, :LEADING_AXES], np.float32)


def _led(directions: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(N, D + 1) coordinates along the axes, and the length of what they leave out, of vectors (N, F)."""
    full = directions.astype(np.float32)
    along = full @ axes
    rest = np.sqrt(np.maximum((full**2).sum(1) - (along**2).sum(1), 0))
    return np.concatenate([along, rest[:, None]], 1)


def _best(rows: np.ndarray, cosine: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the largest cosines in order, earlier ones first among equals."""
    if count < len(rows):
        kept = np.argpartition(-cosine, count)[:count]
        rows, cosine = rows[kept], cosine[kept]
    order = np.lexsort((rows, -cosine))
    return rows[order], cosine[order]


def _features(archive: Archive, model: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and features (M, F) float16 of the pictures that changed since a revision."""
    changed = "FROM embedding e JOIN picture p ON p.id = e.picture WHERE e.model = ? AND p.revision > ?"
    asked: tuple[int, ...] = (model, last)
    if last < 0:
        changed, asked = "FROM embedding e WHERE e.model = ?", (model,)
    count, width = archive.connection.execute(f"SELECT count(*), max(length(e.vector)) {changed}", asked).fetchone()
    ids, features = np.zeros(count, np.int64), np.zeros((count, (width or 0) // 2), "<f2")
    rows = archive.connection.execute(f"SELECT e.picture, e.vector {changed} ORDER BY e.picture", asked)
    for start in range(0, count, BLOCK_ROWS):  # a million vectors must not be in memory twice
        some = rows.fetchmany(min(BLOCK_ROWS, count - start))
        ids[start : start + len(some)] = [row[0] for row in some]
        features[start : start + len(some)] = np.frombuffer(b"".join(row[1] for row in some), "<f2").reshape(len(some), -1)
    return ids, features
