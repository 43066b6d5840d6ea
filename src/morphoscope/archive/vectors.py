"""Similarity: the cosine between standardised features, exact, over any subset of the archive's pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphoscope.archive.store import Archive

BLOCK_ROWS = 8192
"""float16 rows become float32 a block at a time, which stays in the processor's cache."""
STANDARD_ROWS = 20_000
"""Rows, evenly spread, that centre and scale are taken from."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """M pictures that have features of a model: ids (M,) ascending, matrix (M, F) float16 of standardised unit vectors.

    centre, scale: (F,) what features are standardised with, so that no feature counts for more than another.
    """

    revision: int
    ids: np.ndarray
    matrix: np.ndarray
    centre: np.ndarray
    scale: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def direction(self, features: np.ndarray) -> np.ndarray:
        """(…, F) float32 unit vectors of features (…, F)."""
        standard = (features.astype(np.float32) - self.centre) / self.scale
        return standard / np.maximum(np.linalg.norm(standard, axis=-1, keepdims=True), 1e-12)

    def similarity(self, features: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """(M,) float32 cosines in [-1, 1] of the features (F,) of a picture with all, or with those at `rows`."""
        wanted = self.direction(features)
        n = len(self) if rows is None else len(rows)
        found = np.empty(n, np.float32)
        for start in range(0, n, BLOCK_ROWS):
            end = min(n, start + BLOCK_ROWS)
            block = self.matrix[start:end] if rows is None else self.matrix[rows[start:end]]
            np.dot(block.astype(np.float32), wanted, out=found[start:end])
        return found


def vectors(archive: Archive, model: int) -> Vectors:
    """The features of a model as of now."""
    name = f"vectors of {model}"
    with archive.cache_lock:
        revision = archive.revision
        known = archive.caches.get(name)
        if isinstance(known, Vectors) and known.revision == revision:
            return known
        current = _refreshed(archive, model, revision, known) if isinstance(known, Vectors) else _loaded(archive, model, revision)
        archive.caches[name] = current
        return current


def _loaded(archive: Archive, model: int, revision: int) -> Vectors:
    ids, features = _features(archive, model, -1)
    some = features[:: max(1, len(features) // STANDARD_ROWS)].astype(np.float32)
    width = features.shape[1]
    centre = some.mean(0) if len(some) else np.zeros(width, np.float32)
    # Features that are the same everywhere must not grow out of rounding.
    scale = some.std(0) + 0.01 * some.std() + 1e-6 if len(some) > 1 else np.ones(width, np.float32)
    found = Vectors(revision, ids, features, centre, scale)
    for start in range(0, len(ids), BLOCK_ROWS):  # in place: a second copy might not fit
        features[start : start + BLOCK_ROWS] = found.direction(features[start : start + BLOCK_ROWS]).astype(np.float16)
    return found


def _refreshed(archive: Archive, model: int, revision: int, known: Vectors) -> Vectors:
    """With what changed since; centre and scale stay, so that what was found stays comparable."""
    if not len(known):
        return _loaded(archive, model, revision)
    changed = archive.connection.execute("SELECT id FROM picture WHERE revision > ?", (known.revision,)).fetchall()
    kept = ~np.isin(known.ids, np.array([row[0] for row in changed], np.int64))
    ids, features = _features(archive, model, known.revision)
    if not len(ids):
        return Vectors(revision, known.ids[kept], known.matrix[kept], known.centre, known.scale)
    all_ids = np.concatenate([known.ids[kept], ids])
    order = np.argsort(all_ids, kind="stable")
    matrix = np.concatenate([known.matrix[kept], known.direction(features).astype(np.float16)])[order]
    return Vectors(revision, all_ids[order], matrix, known.centre, known.scale)


def _features(archive: Archive, model: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and features (M, F) float16 of the pictures that changed since a revision."""
    if last < 0:
        sql, values = "SELECT picture, vector FROM embedding WHERE model = ? ORDER BY picture", (model,)
    else:
        sql = (
            "SELECT e.picture, e.vector FROM embedding e JOIN picture p ON p.id = e.picture "
            "WHERE e.model = ? AND p.revision > ? ORDER BY e.picture"
        )
        values = (model, last)  # type: ignore[assignment]
    rows = archive.connection.execute(sql, values).fetchall()
    ids = np.array([row[0] for row in rows], np.int64)
    data = bytearray().join(row[1] for row in rows)
    return ids, np.frombuffer(data, "<f2").reshape(len(rows), -1) if rows else np.zeros((0, 0), np.float16)
