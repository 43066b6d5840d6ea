"""The archive on a plane: pictures that look alike lie side by side. Worked out once, kept, and the same on every machine.

Some hundred landmarks, evenly spread over the archive, are laid out by t-SNE (van der Maaten & Hinton 2008, from their principal
components, without chance); every other picture goes to the middle of the landmarks that it is most like. So a picture that
comes later finds its place without moving the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphoscope.archive.current_vectors import vectors
from morphoscope.archive.models import looking_model
from morphoscope.archive.store import Archive
from morphoscope.archive.vectors import Vectors

LANDMARKS = 1000
GROWTH = 4
"""The map is drawn anew when the archive is so many times larger than when it was drawn last, as long as landmarks are few."""
NEAREST = 5
SHARPNESS = 30.0
"""By which a landmark's weight falls with its cosine."""
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """ids (M,) ascending; x, y (M,) float32 in [-1, 1]."""

    ids: np.ndarray
    x: np.ndarray
    y: np.ndarray


def embedding_map(archive: Archive, model: str = "") -> EmbeddingMap:
    """The place of every picture that has features. Takes seconds where it is drawn for the first time."""
    looking = looking_model(archive, model)
    if looking is None:
        return EmbeddingMap(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32))
    known = vectors(archive, looking.id)
    placed = _stored(archive, looking.id)
    if len(known) > GROWTH * len(placed.ids) and len(placed.ids) < LANDMARKS:
        placed = EmbeddingMap(known.ids[:0], placed.x[:0], placed.y[:0])
    missing = known.ids[~np.isin(known.ids, placed.ids)]
    if len(missing):
        _store(archive, looking.id, _with(known, placed, missing))
        placed = _stored(archive, looking.id)
    return placed


def _with(known: Vectors, placed: EmbeddingMap, missing: np.ndarray) -> EmbeddingMap:
    """The places of missing pictures, by landmarks among the placed ones or, where there are none, drawn now."""
    if len(placed.ids):
        kept = np.isin(placed.ids, known.ids)
        marks, plane = _spread(placed.ids[kept]), np.stack([placed.x, placed.y], 1)[kept]
        plane = plane[np.searchsorted(placed.ids[kept], marks)]
    else:
        marks = _spread(known.ids)
        plane = _laid_out(known.directions(known.rows_of(marks)))
    others = missing[~np.isin(missing, marks)] if not len(placed.ids) else missing
    at = _beside(known, others, marks, plane)
    ids = others if len(placed.ids) else np.concatenate([marks, others])
    plane = at if len(placed.ids) else np.concatenate([plane, at])
    return EmbeddingMap(ids, plane[:, 0], plane[:, 1])


def _spread(ids: np.ndarray) -> np.ndarray:
    return ids[np.unique(np.linspace(0, len(ids) - 1, min(LANDMARKS, len(ids))).astype(int))]


def _laid_out(directions: np.ndarray) -> np.ndarray:
    """(L, 2) in [-1, 1] of unit vectors (L, F)."""
    from sklearn.manifold import TSNE

    n = len(directions)
    if n < 8:
        plane = _principal(directions, 2)
    else:
        reduced = _principal(directions, min(50, n - 1))
        first = reduced[:, :2] / max(float(reduced[:, 0].std()), 1e-12) * 1e-4
        plane = TSNE(perplexity=min(30.0, (n - 1) / 3), init=first, random_state=0).fit_transform(reduced)
    plane = plane - (plane.max(0) + plane.min(0)) / 2
    return (plane / max(float(np.abs(plane).max()), 1e-12)).astype(np.float32)


def _principal(points: np.ndarray, count: int) -> np.ndarray:
    """(L, count) of the first principal components, each with its largest loading positive."""
    centred = points - points.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:count]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    found = np.zeros((len(points), count), np.float32)
    found[:, : len(axes)] = centred @ axes.T
    return found


def _beside(known: Vectors, ids: np.ndarray, marks: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """(K, 2): the weighted middle of each picture's nearest landmarks."""
    of_marks = known.directions(known.rows_of(marks))
    places = [np.zeros((0, 2), np.float32)]
    for start in range(0, len(ids), _BLOCK):
        cosine = known.directions(known.rows_of(ids[start : start + _BLOCK])) @ of_marks.T
        count = min(NEAREST, len(marks))
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        weight = np.exp(SHARPNESS * (np.take_along_axis(cosine, nearest, 1) - cosine.max(1, keepdims=True)))
        places.append((weight[..., None] * plane[nearest]).sum(1) / weight.sum(1, keepdims=True))
    return np.concatenate(places)


def _stored(archive: Archive, model: int) -> EmbeddingMap:
    rows = archive.connection.execute("SELECT picture, x, y FROM place WHERE model = ? ORDER BY picture", (model,)).fetchall()
    table = np.array(rows, float).reshape(-1, 3)
    return EmbeddingMap(table[:, 0].astype(np.int64), table[:, 1].astype(np.float32), table[:, 2].astype(np.float32))


def _store(archive: Archive, model: int, places: EmbeddingMap) -> None:
    rows = zip(places.ids.tolist(), places.x.tolist(), places.y.tolist(), strict=True)
    with archive.writing() as connection:
        connection.executemany("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)", [(model, *row) for row in rows])
