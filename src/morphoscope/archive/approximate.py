"""The most similar of a very large archive, by its graph: nearly always the same as by comparing all, and in a few milliseconds."""

from __future__ import annotations

import math

import numpy as np

from morphoscope.archive.vectors import Nearest, Vectors, best

LEAST_SHARE = 0.5
"""Of fewer of the pictures, a graph of all would name too many others."""
MOST_HITS = 200
CANDIDATES = 8
"""So many times as many as are wanted are compared in full; see docs/decisions/archive.md for what that leaves out."""


def probably_most_similar(known: Vectors, features: np.ndarray, rows: np.ndarray, count: int) -> Nearest | None:
    """Which of `rows` (ascending) are most similar to a picture of features (F,); None where only comparing all can tell.

    Pictures that came after the graph was built are all considered.
    """
    if known.graph is None or not 0 < count <= MOST_HITS or len(rows) < max(LEAST_SHARE * len(known), count):
        return None
    along = known.standard.led(known.standard.direction(features)[None])[:-1, 0]
    wanted = math.ceil(CANDIDATES * count * len(known) / len(rows))
    at = np.sort(known.rows_at(known.graph.places(along, wanted)))
    place = np.minimum(np.searchsorted(rows, at), len(rows) - 1)
    near = at[rows[place] == at]
    if len(near) < count:
        return None
    found = Nearest(near, known.similarity(features, near))
    if len(known.late):
        late = known.most_similar(features, rows[known.places[rows] >= len(known.kept)], count)
        found = Nearest(np.concatenate([near, late.rows]), np.concatenate([found.cosine, late.cosine]))
    return best(found.rows, found.cosine, count)
