"""Vectors from the archive's tables: read, standardised and laid along their principal axes a block at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import numpy as np

from morphoscope.archive.vectors import Standard, StoredRows

BLOCK_ROWS = 1024
"""So many rows stay in the processor's cache from one step to the next, and a million are never in memory twice."""
STANDARD_ROWS = 5_000
"""Rows, evenly spread, that centre, scale and principal axes are taken from."""
LEADING_AXES = 64
"""Of the shipped encoder's 1,024 features they carry 94 % of the variance; see docs/decisions/archive.md."""
_TURNS = 12


def ids_with_features(connection: sqlite3.Connection, model: int) -> np.ndarray:
    """(M,) ascending."""
    rows = connection.execute("SELECT picture FROM embedding WHERE model = ? ORDER BY picture", (model,)).fetchall()
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def standard_of(connection: sqlite3.Connection, model: int, ids: np.ndarray) -> Standard:
    """What the features of some pictures are standardised with."""
    some = features_of(connection, model, ids[:: max(1, len(ids) // STANDARD_ROWS)])[1].astype(np.float32)
    some = some[np.isfinite(some).all(1)]
    width = some.shape[1]
    centre = some.mean(0) if len(some) else np.zeros(width, np.float32)
    # Features that are the same everywhere must not grow out of rounding.
    scale = some.std(0) + 0.01 * some.std() + 1e-6 if len(some) > 1 else np.ones(width, np.float32)
    plain = Standard(centre.astype(np.float32), scale.astype(np.float32), np.zeros((width, 0), np.float32))
    return Standard(plain.centre, plain.scale, principal_axes(plain.direction(some))) if len(some) else plain


def principal_axes(directions: np.ndarray) -> np.ndarray:
    """(F, D) float32, orthonormal, of the second moments of unit vectors (S, F): cosines are about the origin, not the mean.

    By subspace iteration (Halko, Martinsson & Tropp 2011): any orthonormal axes are right, these are nearly the best.
    """
    width = directions.shape[1]
    count = min(LEADING_AXES, width)
    moments = directions.T @ directions
    axes = np.random.default_rng(0).standard_normal((width, min(width, count + 16))).astype(np.float32)
    for _ in range(_TURNS):
        axes = np.linalg.qr(moments @ axes)[0]
    strength, turned = np.linalg.eigh(axes.T @ moments @ axes)
    leading = axes @ turned[:, np.argsort(-strength)[:count]]
    return np.ascontiguousarray(np.linalg.qr(leading.astype(np.float64))[0], np.float32)


def features_of(connection: sqlite3.Connection, model: int, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (K,) and features (K, F) float16 of those of some pictures (ascending) that have any."""
    found: list[tuple[int, bytes]] = []
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500].tolist()
        marks = ", ".join("?" * len(some))
        sql = f"SELECT picture, vector FROM embedding WHERE model = ? AND picture IN ({marks}) ORDER BY picture"  # noqa: S608
        found += connection.execute(sql, (model, *some)).fetchall()
    return np.array([row[0] for row in found], np.int64), _joined([row[1] for row in found])


def stored_blocks(connection: sqlite3.Connection, model: int, standard: Standard) -> Iterator[StoredRows]:
    """All rows of a model, ascending by picture."""
    rows = connection.execute("SELECT vector FROM embedding WHERE model = ? ORDER BY picture", (model,))
    while some := rows.fetchmany(BLOCK_ROWS):
        yield stored_rows(standard, _joined([row[0] for row in some]))


def stored_rows(standard: Standard, features: np.ndarray) -> StoredRows:
    """Features (K, F) as they are stored."""
    matrix = standard.direction(features).astype("<f2")
    return StoredRows(matrix, standard.led(matrix))


def _joined(blobs: list[bytes]) -> np.ndarray:
    """(K, F) float16."""
    width = len(blobs[0]) // 2 if blobs else 0
    return np.frombuffer(b"".join(blobs), "<f2").reshape(len(blobs), width)
